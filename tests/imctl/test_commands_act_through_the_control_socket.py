"""Runs `imctl status`, `listeners` and `post` against a running imd, and checks their output and exit status."""
import json
import os
import pwd
import re

import pytest

import fastcgi
from imctl import run
from listeners import Audience
from stack import Stack, wait_until

NOBODY = pwd.getpwnam("nobody").pw_uid
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become other users")


@pytest.fixture(scope="module")
def stack():
    with Stack() as stack:
        yield stack


@pytest.fixture
def ctl(stack):
    return lambda *arguments, **more: run(*arguments, f"--socket={stack.state}/control.sock", **more)


@pytest.fixture(scope="module")
def group(stack):
    """The id of a conversation of ann and bob."""
    body = {"type": "group_chat", "members": ["ann", "bob"]}
    return json.loads(fastcgi.ask(stack.state / "control.sock", "POST", "/conversations", body)[1])["id"]


def messages(stack, group):
    answer = fastcgi.ask(stack.state / "control.sock", "GET", f"/messages?conversation_id={group}&limit=1000")
    return json.loads(answer[1])["messages"]


def assert_done(done, status=0):
    assert done.returncode == status and done.stderr == "", done
    return done.stdout


def assert_refused(done, sentence):
    assert done.returncode == 1 and done.stdout == "" and done.stderr == f"imctl: imd refuses: {sentence}\n", done


# -- status

def test_status_says_that_imd_works(ctl, stack):
    wait_until(lambda: ctl("status").returncode == 0, 10, "there is no problem")
    text = assert_done(ctl("status"))
    assert text.startswith("imd works.\n")
    assert re.search(rf"^master's pid +{stack.master_pid}$", text, re.M)
    assert re.search(r"^workers +2$", text, re.M) and re.search(r"^push +connected$", text, re.M)
    assert max(map(len, text.splitlines())) <= 80


def test_status_as_json_is_one_object(ctl, stack):
    status = json.loads(assert_done(ctl("status", "--json")))
    healthy = json.loads(fastcgi.ask(stack.state / "imd.sock", "GET", "/healthz")[1])
    assert status["wrong"] == [] and status["master_pid"] == stack.master_pid
    assert status["push"] == healthy["push"] and status["workers"] == 2 and status["threads"] == 32
    assert status["database_bytes"] == stack.db.stat().st_size and status["schema"] >= 8
    assert re.fullmatch("[0-9a-f]{32}", status["epoch"])
    assert 0 <= status["uptime_ms"] < 600000


def test_status_shows_problems_first():
    """Without nginx nothing is pushed. The exit status is 1, in both forms."""
    with Stack() as stack:
        stack.nginx_stop()
        socket = f"--socket={stack.state}/control.sock"
        wait_until(lambda: run("status", socket).returncode == 1, 10, "there is a problem")
        done = run("status", socket)
        assert done.returncode == 1 and done.stderr == ""
        assert done.stdout.startswith("WRONG: The relay has no connection to nginx")
        done = run("status", "--json", socket)
        assert done.returncode == 1 and "no connection to nginx" in json.loads(done.stdout)["wrong"][0]
        stack.nginx_start()
        wait_until(lambda: run("status", socket).returncode == 0, 15, "no problem is left")


# -- listeners

def test_listeners_lists_users_with_a_subscription(ctl, stack, group):
    with Audience() as audience:
        for kind in ("websocket", "eventsource"):
            assert wait_until(lambda: "does not listen" in assert_done(ctl("listeners", "bob")), 10, "bob is silent")
            listener = audience.listen(stack, "bob", kind)
            wait_until(lambda: re.search("^bob +listens$", ctl("listeners", "ann", "bob").stdout, re.M), 10, "bob listens")
            assert json.loads(assert_done(ctl("listeners", "ann", "bob", "--json"))) == {"listening": ["bob"]}
            listener.close()


def test_an_unknown_user_does_not_listen(ctl):
    assert re.fullmatch("stranger +does not listen\n", assert_done(ctl("listeners", "stranger")))


def test_listeners_takes_more_names_than_a_round_of_questions(ctl):
    names = [f"user_{n}" for n in range(1500)]
    assert len(assert_done(ctl("listeners", *names)).splitlines()) == len(names)


@pytest.mark.parametrize("name", ["b b", "", "ä", "b&username=ann", "x" * 21, "%00"])
def test_listeners_refuses_an_invalid_name(ctl, name):
    assert_refused(ctl("listeners", "ann", name), "Invalid username")


# -- post

def test_post_sends_a_message_as_its_user(ctl, stack, group):
    text = assert_done(ctl("post", "--as=ann", f"--conversation={group}", 'a "quoted" text\n with \\ and ü'))
    last = messages(stack, group)[-1]
    assert text == f"message {last['id']}, seq {last['seq']}\n"
    assert last["sender"] == "ann" and last["content"] == 'a "quoted" text\n with \\ and ü'
    assert "client_id" not in last


@pytest.mark.parametrize("stdin, content", [("hello\n", "hello"), ("hello", "hello"), ("two\nlines\n\n", "two\nlines\n"),
                                            ("", ""), ("\n", ""), ("x" * 65536 + "\n", "x" * 65536), ("\x01\t", "\x01\t")],
                         ids=["line", "no newline", "lines", "nothing", "newline", "longest", "controls"])
@pytest.mark.parametrize("dash", [[], ["-"]], ids=["no text", "dash"])
def test_post_reads_standard_input(ctl, stack, group, stdin, content, dash):
    assert_done(ctl("post", "--as=bob", f"--conversation={group}", *dash, stdin=stdin))
    assert messages(stack, group)[-1]["content"] == content


def test_post_as_json_prints_the_message(ctl, stack, group):
    assert json.loads(assert_done(ctl("post", "--as=ann", f"--conversation={group}", "--json", "x"))) \
        == messages(stack, group)[-1]


def test_post_with_a_key_is_sent_once(ctl, stack, group):
    order = ("post", "--as=ann", f"--conversation={group}", "--client-id=noon", "once")
    first = assert_done(ctl(*order))
    count = len(messages(stack, group))
    assert assert_done(ctl(*order)) == first.replace("\n", ", was sent before under this key\n")
    assert len(messages(stack, group)) == count
    done = ctl(*order[:-1], "another")
    assert done.returncode == 1 and done.stdout == "" and done.stderr.startswith("imctl: imd refuses: ")
    assert len(messages(stack, group)) == count


def test_post_is_refused_with_the_sentence_of_imd(ctl, group):
    assert_refused(ctl("post", "--as=eve", f"--conversation={group}", "x"), "Sender is not a member of the conversation")
    assert_refused(ctl("post", "--as=ann", "--conversation=999999", "x"), "Invalid conversation ID")
    assert_refused(ctl("post", "--as=ann", f"--conversation={group}", "--client-id=", "x"),
                   "The idempotency key must be 1 to 64 printable ASCII characters, and the same in body and header")


def test_a_refusal_as_json_is_the_problem(ctl, group):
    done = ctl("post", "--as=eve", f"--conversation={group}", "--json", "x")
    assert done.returncode == 1 and json.loads(done.stdout)["code"] == "not_a_member"


def test_post_refuses_an_invalid_message(ctl, stack, group):
    count = len(messages(stack, group))
    done = ctl("post", "--as=ann", f"--conversation={group}", stdin="x" * 65537)
    assert done.returncode == 2 and "longer than any message" in done.stderr
    done = ctl("post", "--as=ann", f"--conversation={group}", stdin="a\0b")
    assert done.returncode == 2 and "UTF-8 without NUL" in done.stderr
    assert len(messages(stack, group)) == count


# -- who may, and where the socket is

def test_the_socket_is_found_by_the_settings(stack, tmp_path):
    settings = tmp_path / "imd.conf"
    settings.write_text(f"socket = {stack.state}/imd.sock\n")
    assert json.loads(run("status", "--json", f"--config={settings}").stdout)["master_pid"] == stack.master_pid
    settings.write_text(f"control = {stack.state}/control.sock\n")
    assert json.loads(run("status", "--json", f"--config={settings}").stdout)["master_pid"] == stack.master_pid


@needs_root
def test_imds_user_may_use_every_command(ctl, stack, group):
    user = (stack.state / "control.sock").stat().st_uid
    assert ctl("status", user=user).returncode == 0
    assert ctl("listeners", "ann", user=user).returncode == 0
    assert ctl("post", "--as=ann", f"--conversation={group}", "x", user=user).returncode == 0


@needs_root
@pytest.mark.parametrize("order", [["status"], ["listeners", "ann"], ["post", "--as=ann", "--conversation=1", "x"]],
                         ids=lambda order: order[0])
def test_the_error_for_another_user_names_the_permitted_ones(ctl, stack, group, order):
    """Even if the mode of the file was changed."""
    control = stack.state / "control.sock"
    mode, directory = control.stat().st_mode & 0o777, stack.state.stat().st_mode & 0o777
    count = len(messages(stack, group))
    for _ in range(2):
        done = ctl(*order, user=NOBODY)
        assert done.returncode == 2 and done.stdout == "" and len(done.stderr.splitlines()) == 1
        assert "only root and imd's user may use the control socket" in done.stderr
        control.chmod(0o666)
        stack.state.chmod(0o755)
    control.chmod(mode)
    stack.state.chmod(directory)
    assert len(messages(stack, group)) == count
