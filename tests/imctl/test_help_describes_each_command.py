"""`imctl help` lists the table of commands; `imctl help COMMAND` describes one; both state the exit codes."""
import re

import pytest

from key_files import run

COMMANDS = ("status", "listeners", "post", "token", "repair-clock")
CONTROL = ("json", "socket", "config", "timeout")
OPTIONS = {
    "status": CONTROL,
    "listeners": CONTROL,
    "post": ("as", "conversation", "client-id", *CONTROL),
    "token": ("sub", "admin", "ttl", "inspect", "config", "keys", "kid", "key", "aud", "iss"),
    "repair-clock": ("store", "database", "config", "yes"),
}


def shown(*arguments):
    done = run(*arguments)
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout


def exit_codes(text):
    return re.findall(r"^  (\d)  (\S.*)$", text.partition("\nExit codes:\n")[2], re.M)


def test_help_lists_every_command_with_a_one_line_summary():
    listed = shown("help").partition("\nCommands:\n")[2].partition("\n\n")[0]
    rows = [line.split(None, 1) for line in listed.splitlines()]
    assert tuple(name for name, _ in rows) == COMMANDS
    assert all(summary for _, summary in rows)


def test_help_and_the_flag_print_the_same():
    assert shown("help") == shown("--help")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_names_each_of_its_options(command):
    text = shown("help", command)
    assert text.startswith(f"usage: imctl {command} ")
    assert set(re.findall(r"^  --([a-z-]+)", text, re.M)) == set(OPTIONS[command])
    assert text == shown(command, "--help")


def test_the_exit_codes_are_the_same_in_every_help_text():
    codes = exit_codes(shown("help"))
    assert [code for code, _ in codes] == ["0", "1", "2"]
    for command in COMMANDS:
        assert exit_codes(shown("help", command)) == codes


def test_no_line_of_help_exceeds_120_columns():
    for text in (shown("help"), *(shown("help", command) for command in COMMANDS)):
        assert max(map(len, text.splitlines())) <= 120


def test_the_flag_version_prints_a_version():
    assert re.fullmatch(r"imctl \d+\.\d+\.\d+\n", shown("--version"))
