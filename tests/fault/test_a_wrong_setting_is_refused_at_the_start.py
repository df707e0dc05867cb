"""The message names the place of the setting, its key, and the allowed values."""
import pytest

from alone import Directory, run

FLAGS = [
    ("--threads=0", ["threads", "1", "256"]),
    ("--threads=257", ["threads", "1", "256"]),
    ("--threads=many", ["threads", "many", "1", "256"]),
    ("--threads=", ["threads", "1", "256"]),
    ("--threads=1.5", ["threads", "1", "256"]),
    ("--threads= 3", ["threads", "1", "256"]),
    ("--threads=99999999999999999999", ["threads", "1", "256"]),
    ("--processes=-1", ["processes", "1", "64"]),
    ("--log-level=loud", ["log_level", "loud", "debug", "info", "warning", "error"]),
    ("--socket-mode=0999", ["socket_mode", "octal"]),
    ("--socket-mode=7777", ["socket_mode", "octal", "0777"]),
    ("--content-bytes-max=65537", ["content_bytes_max", "65536"]),
    ("--database=", ["database", "path"]),
    ("--database=" + "d" * 600, ["database", "path"]),
    ("--store=", ["store", "URI"]),
    ("--store=sqlite:" + "d" * 1100, ["store", "URI"]),
    ("--treads=3", ["treads", "--help"]),
    ("--threads", ["--threads", "--key=value"]),
    ("threads=3", ["threads=3", "--key=value"]),
    ("-x", ["-x", "--key=value"]),
]

LINES = [
    ("threads = many", ["threads", "many", "1", "256"]),
    ("processes=0", ["processes", "1", "64"]),
    ("treads = 3", ["treads", "--help"]),
    ("threads", ["threads", "key = value"]),
    ("log_level = LOUD # so", ["log_level", "debug", "warning"]),
    ("= 3", ["--help"]),
    ("threads = 3\x7f", ["threads", "1", "256"]),
    ("database = /" + "d" * 600, ["database", "path"]),
    ("# a long one\n\n" + "database = /" + "d" * 3000, ["database", "path"]),
]


def assert_refused(directory, flags, words):
    message = directory.refused(*flags)
    missing = [word for word in words if word not in message]
    assert not missing, (missing, message)
    assert len(message.strip().splitlines()) == 1, message
    assert not directory.db.exists() and not directory.socket.exists()


@pytest.mark.parametrize("flag,words", FLAGS, ids=[flag[:40] for flag, _ in FLAGS])
def test_a_wrong_flag_is_refused(flag, words):
    with Directory() as directory:
        assert_refused(directory, [flag], words)


@pytest.mark.parametrize("line,words", LINES, ids=[line[:20] for line, _ in LINES])
def test_a_wrong_line_of_the_file_is_refused(line, words):
    with Directory() as directory:
        settings = directory.path / "imd.conf"
        settings.write_text(f"# settings\n\nprocesses = 1\n{line}\nthreads = 4\n")
        at = 4 + line.count("\n")
        assert_refused(directory, [f"--config={settings}"], [f"{settings}:{at}: ", *words])


def test_a_long_comment_is_ignored():
    with Directory() as directory:
        settings = directory.path / "imd.conf"
        settings.write_text(f"# {'so ' * 2000}\nthreads = 4\nprocesses = 0\n")
        assert_refused(directory, [f"--config={settings}"], [f"{settings}:3: ", "processes"])


@pytest.mark.parametrize("what", ["missing.conf", "."])
def test_an_unreadable_file_is_refused(what):
    with Directory() as directory:
        assert_refused(directory, [f"--config={directory.path / what}"], [str(directory.path / what)])


def test_check_reports_a_wrong_setting_without_starting():
    with Directory() as directory:
        assert run(*directory.flags, "--check").returncode == 0
        assert not directory.db.exists() and not directory.socket.exists()
        refused = run(*directory.flags, "--check", "--threads=0")
        assert refused.returncode > 0 and "threads" in refused.stderr


def test_help_names_every_setting():
    shown = run("--help")
    assert shown.returncode == 0 and shown.stderr == ""
    for flag, _ in FLAGS:
        key = flag.lstrip("-").partition("=")[0].replace("-", "_")
        assert key in ("treads", "x") or f"{key} [" in shown.stdout, key
