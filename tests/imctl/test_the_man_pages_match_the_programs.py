"""
imd.conf(5) has every setting with its default, its allowed values, and whether it needs a restart. imctl(1) has every
command with its summary, its options and the exit codes. imd(8) has every option. The pages are compared with the
programs' own help, which is printed from their tables.
"""
import re

import pytest

import alone
from key_files import run
from stack import ROOT

MAN = ROOT / "docs/man"
MACRO = re.compile(r"^\.(?:Pa|Ic|Cm|Va|Ql|Pq|Sq|Dv)\s+")


def source(page):
    """The lines of a page without comments."""
    return [line for line in (MAN / page).read_text().splitlines() if not line.startswith('.\\"')]


def text(lines):
    """Returns the text that a reader sees, on one line; punctuation joins the word before it."""
    words = " ".join(MACRO.sub("", line) for line in lines if line != ".Pp")
    return re.sub(r" ([.,;:])(?= |$)", r"\1", words)


def settings():
    """Returns {key: (default, needs a restart, allowed values)}, as imd --help prints them."""
    shown = alone.run("--help").stdout.partition("\nSettings, ")[2]
    rows = re.findall(r"^  (\w+) \[(.*)\]( \(needs a restart\))?\n      .*\n      (.*)$", shown, re.M)
    assert len(rows) > 20
    return {key: (default, bool(restart), allowed) for key, default, restart, allowed in rows}


def described():
    """{key: its text}, as imd.conf(5) has them."""
    items, lists = {}, 0
    for line in source("imd.conf.5"):
        lists += line.startswith(".Bl") - line.startswith(".El")
        if lists == 1 and line.startswith(".It Ic "):
            items[line.split()[2]] = current = []
        elif lists and items:
            current.append(line)
    return {key: text(lines) for key, lines in items.items()}


def test_imd_conf_describes_every_setting_once():
    assert sorted(described()) == sorted(settings())
    assert (MAN / "imd.conf.5").read_text().count("\nDefault:") == len(settings())


@pytest.mark.parametrize("key", sorted(settings()))
def test_imd_conf_agrees_with_the_table(key):
    default, restart, allowed = settings()[key]
    found = described()[key]
    one_of = "One of " if " or " in allowed else ""
    assert f"{one_of}{allowed}.".lower() in found.lower()
    assert f"Default: {default or 'empty'}." in found
    assert ("Needs a restart." in found) == restart


def commands():
    listed = run("help").stdout.partition("\nCommands:\n")[2].partition("\n\n")[0]
    return {name: summary for name, summary in (line.split(None, 1) for line in listed.splitlines())}


def sections():
    """{command: its lines}, as imctl(1) has them."""
    body = (MAN / "imctl.1").read_text().partition("\n.Sh COMMANDS\n")[2].partition("\n.Sh ")[0]
    parts = re.split(r"^\.Ss ", body, flags=re.M)[1:]
    return {part.splitlines()[0]: part.splitlines()[1:] for part in parts}


def test_imctl_describes_every_command_in_the_order_of_the_table():
    assert list(sections()) == list(commands())


@pytest.mark.parametrize("command", sorted(commands()))
def test_imctl_agrees_with_the_help_of_a_command(command):
    lines = sections()[command]
    assert lines[0] == commands()[command]
    options = re.findall(r"^  --([a-z-]+)", run("help", command).stdout, re.M)
    assert [line.split()[3] for line in lines if line.startswith(".It Fl Fl ")] == options


def test_imctl_states_the_exit_codes_of_the_table():
    codes = re.findall(r"^  (\d)  (\S.*)$", run("help").stdout.partition("\nExit codes:\n")[2], re.M)
    status = (MAN / "imctl.1").read_text().partition("\n.Sh EXIT STATUS\n")[2].partition("\n.Sh ")[0]
    assert re.findall(r"^\.It (\d)\n(.*)$", status, re.M) == codes


def test_imd_describes_every_option():
    options = set(re.findall(r"^  --([a-z]+)", alone.run("--help").stdout, re.M))
    assert options == set(re.findall(r"^\.It Fl Fl ([a-z]+)", (MAN / "imd.8").read_text(), re.M))
