"""On an error the exit status is 2, stdout is empty, and stderr shows the usage or one line with the reason."""
import os
import subprocess

import pytest

from key_files import ALGORITHMS, program, run

WITHOUT_A_COMMAND = [
    [],
    ["--sub=ann"],
    ["help", "token", "repair-clock"],
    ["--help", "token"],
    ["--version", "token"],
]
WRONG_OPTIONS = [
    ["status", "now"],
    ["status", "--timeout=0"],
    ["status", "--timeout=3601"],
    ["status", "--timeout=1.5"],
    ["status", "--json=yes"],
    ["status", "--socket"],
    ["listeners"],
    ["listeners", "--json"],
    ["post"],
    ["post", "hello"],
    ["post", "--as=ann", "hello"],
    ["post", "--conversation=1", "hello"],
    ["post", "--as=ann", "--conversation=0", "hello"],
    ["post", "--as=ann", "--conversation=-1", "hello"],
    ["post", "--as=ann", "--conversation=x", "hello"],
    ["post", "--as=ann", "--conversation=1", "hello", "again"],
    ["token"],
    ["token", "ann"],
    ["token", "--sub"],
    ["token", "--sub=ann", "bob"],
    ["token", "--sub=ann", "--inspect=x"],
    ["token", "--sub=ann", "--ttl=-1"],
    ["token", "--sub=ann", "--ttl="],
    ["token", "--sub=ann", "--ttl=1h"],
    ["token", "--sub=ann", "--ttl=1.5"],
    ["token", "--sub=ann", f"--ttl={10 * 366 * 86400 + 1}"],
    ["token", "--sub=ann", "--ttl=99999999999999999999"],
    ["token", "--sub=ann", "--admin=yes"],
    ["token", "--sub=ann", "--role=admin"],
    ["token", "--sub=ann", "-a"],
    ["token", "--inspect"],
    ["token", "--sub=ann", "--help"],
    ["repair-clock", "now"],
    ["repair-clock", "--database"],
    ["repair-clock", "--store"],
    ["repair-clock", "--store=sqlite:/x", "--database=/x"],
    ["repair-clock", "--force"],
]


@pytest.mark.parametrize("arguments", WITHOUT_A_COMMAND, ids=lambda arguments: " ".join(arguments) or "nothing")
def test_a_command_line_without_a_command_shows_the_list(arguments):
    done = run(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("usage: imctl COMMAND")


@pytest.mark.parametrize("arguments", WRONG_OPTIONS, ids=lambda arguments: " ".join(arguments))
def test_a_wrong_option_shows_the_help_of_its_command(ring, arguments):
    keys = [f"--keys={ring.keys}"] if arguments[0] == "token" else []
    done = run(arguments[0], *keys, *arguments[1:])
    assert done.returncode == 2 and done.stdout == ""
    assert f"usage: imctl {arguments[0]} " in done.stderr


@pytest.mark.parametrize("arguments", [["mint"], ["mint", "--sub=ann"], ["help", "mint"]], ids=" ".join)
def test_an_unknown_command_is_named(arguments):
    assert_error(run(*arguments), "there is no command 'mint'", "imctl help")


def test_messages_of_getopt_name_the_whole_command():
    assert run("token", "--role=admin").stderr.startswith("imctl token: ")


def assert_error(done, *words):
    assert done.returncode == 2 and done.stdout == "", done
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("imctl: "), done.stderr
    assert not [word for word in words if word not in done.stderr], done.stderr


@pytest.mark.parametrize("name", ["", " ann", "a b", "a-b", "é", "a" * 21, "ann\n", "*"])
def test_an_invalid_user_name_is_reported(ring, name):
    assert_error(run("token", f"--keys={ring.keys}", f"--sub={name}"), "--sub", "1 to 20 letters, digits and _")


def test_missing_keys_are_reported(ring):
    (ring.path / "empty").mkdir()
    for action in ("--sub=ann", "--inspect=a.b.c"):
        assert_error(run("token", action, "--keys=/nowhere/keys"), "/nowhere/keys", "No such file")
        assert_error(run("token", action, f"--keys={ring.path}/empty"), f"{ring.path}/empty", "no key")
    assert_error(run("token", "--sub=ann", "--key=/nowhere/k.hs256"), "/nowhere/k.hs256", "No such file")
    assert_error(run("token", "--sub=ann", f"--keys={ring.keys}", "--kid=nobody"), "no such key")


def test_a_directory_without_a_secret_is_reported(ring):
    (ring.keys / "kH.hs256").unlink()
    assert_error(run("token", "--sub=ann", f"--keys={ring.keys}"), "no secret")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_public_key_cannot_sign_a_token(ring, algorithm):
    assert_error(run("token", "--sub=ann", f"--keys={ring.keys}", f"--kid=k{algorithm[0]}"), "cannot sign", "--key")
    path = ring.keys / f"k{algorithm[0]}.{algorithm.lower()}"
    assert_error(run("token", "--sub=ann", f"--key={path}"), str(path), "not a private key")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_world_readable_key_is_refused(ring, algorithm):
    path = ring.key_file(algorithm)
    path.chmod(0o604)
    assert_error(run("token", "--sub=ann", f"--key={path}"), str(path), "chmod o=")


def test_a_key_of_the_wrong_name_or_algorithm_is_refused(ring):
    assert_error(run("token", "--sub=ann",
                     f"--key={ring.put(ring.private, 'key.pem', ring.signing['RS256'])}"), "not named")
    assert_error(run("token", "--sub=ann",
                     f"--key={ring.put(ring.private, 'x.es256', ring.signing['RS256'])}"), "P-256")
    assert_error(run("token", "--sub=ann", f"--key={ring.put(ring.private, 'x.rs256', ring.signing['ES256'])}"), "RSA")
    assert_error(run("token", "--sub=ann", f"--key={ring.put(ring.private, 'x.hs256', 'short')}"), "32 bytes")


def test_wrong_settings_are_reported_with_file_and_line(ring):
    settings = ring.put(ring.path, "imd.conf", "# settings\nthreads = many\n")
    assert_error(run("token", "--sub=ann", f"--config={settings}"), f"{settings}:2: ", "threads")
    assert_error(run("token", "--sub=ann", "--config=/nowhere/imd.conf"), "/nowhere/imd.conf")
    assert_error(run("token", "--sub=ann", "--config="), "--config")
    assert_error(run("token", "--sub=ann", "--config=/" + "c" * 600), "--config")


@pytest.mark.parametrize("claim", ["sub", "exp", ""])
def test_the_flag_admin_is_refused_without_an_admin_claim(ring, claim):
    settings = ring.put(ring.path, "imd.conf", f"jwt_admin_claim = {claim}\n")
    assert_error(run("token", "--sub=ann", "--admin", f"--config={settings}"), "--admin", "jwt_admin_claim")


@pytest.mark.parametrize("what", ["mint", "inspect"])
def test_a_failed_write_to_stdout_is_reported(ring, what):
    flag = "--sub=ann" if what == "mint" else f"--inspect={ring.mint('--sub=ann')}"
    with open("/dev/full", "wb") as full:
        done = subprocess.run([program(), "token", f"--keys={ring.keys}", flag], stdout=full, stderr=subprocess.PIPE,
                              text=True, timeout=30, env=os.environ)
    assert done.returncode == 2 and done.stderr.startswith("imctl: ")
