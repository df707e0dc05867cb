"""
Only root and imd's user may use the control socket, whatever its mode. No request on another socket counts as a control
request.
"""
import os
import pwd
import stat
import subprocess
import sys

import pytest

import fastcgi
from alone import Directory
from stack import Stack, wait_until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become other users")

NOBODY = pwd.getpwnam("nobody").pw_uid

STATUS = "/control/status"
CONTROL_ROUTES = (STATUS, "/control/listeners?username=ann")

# Connects, sends a whole request, and prints the answer.
CLIENT = """
import socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(20)
    connection.connect(sys.argv[1])
    try:
        connection.sendall(sys.stdin.buffer.read())
        answer = connection.recv(65536)
    except (BrokenPipeError, ConnectionResetError):
        answer = b""
    sys.stdout.buffer.write(answer)
"""


def ask_as(user, path):
    """Returns what the socket answers to another user's request for the status."""
    done = subprocess.run(["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", sys.executable, "-c", CLIENT,
                           str(path)], input=fastcgi.request("GET", STATUS), capture_output=True, timeout=30)
    assert done.returncode == 0, done
    return done.stdout


@pytest.fixture(scope="module")
def stack():
    with Stack(imd_flags=["--user-rate=1", "--user-burst=1"], env={"AUTH": "jwt"}) as stack:
        yield stack


@pytest.fixture(scope="module")
def control(stack):
    return stack.state / "control.sock"


def test_only_imds_user_has_access_to_the_file(stack, control):
    status = control.stat()
    assert stat.S_ISSOCK(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o600
    assert status.st_uid == stack.state.stat().st_uid


def test_root_or_the_user_of_imd_is_answered(control):
    assert fastcgi.ask(control, "GET", STATUS)[0] == 200


@needs_root
def test_imds_user_is_answered(control):
    assert b"Status: 200" in ask_as(control.stat().st_uid, control)


@needs_root
def test_another_user_is_refused_even_if_the_mode_was_changed(stack, control):
    mode, directory = control.stat().st_mode, stack.state.stat().st_mode
    try:
        control.chmod(0o777)
        stack.state.chmod(0o755)
        before = stack.log().count(f"event=control_refused uid={NOBODY} ")
        assert ask_as(NOBODY, control) == b""
        assert stack.log().count(f"event=control_refused uid={NOBODY} ") == before + 1
    finally:
        control.chmod(stat.S_IMODE(mode))
        stack.state.chmod(stat.S_IMODE(directory))


@needs_root
def test_another_user_cannot_even_connect(stack, control):
    done = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", sys.executable, "-c", CLIENT,
                           str(control)], input=b"", capture_output=True, timeout=30)
    assert done.returncode != 0 and b"PermissionError" in done.stderr, done


@pytest.mark.parametrize("route", CONTROL_ROUTES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_no_control_route_exists_on_the_socket_of_nginx(stack, method, route):
    status, body = fastcgi.ask(stack.state / "imd.sock", method, route)
    assert status == 404 and (method == "HEAD" or b'"code":"not_found"' in body)


PRETENCES = [
    {"IMD_CONTROL": "1"}, {"CONTROL": "on"}, {"control": "true"}, {"HTTP_X_CONTROL": "1"}, {"REMOTE_USER": "root"},
    {"REMOTE_ADDR": "unix:"}, {"SERVER_ADDR": "unix:/run/imd/control.sock"}, {"SERVER_NAME": "control.sock"},
    {"SCRIPT_NAME": STATUS, "REQUEST_URI": STATUS, "DOCUMENT_URI": STATUS}, {"UID": "0", "SO_PEERCRED": "0"},
    {"GATEWAY_INTERFACE": "control"}, {"IMD_LISTENER": "control"}, {"FCGI_ROLE": "CONTROL"},
]


@pytest.mark.parametrize("parameters", PRETENCES, ids=lambda parameters: "-".join(parameters))
def test_no_parameter_makes_a_request_a_control_request(stack, parameters):
    socket = stack.state / "imd.sock"
    assert fastcgi.ask(socket, "GET", STATUS, more=parameters)[0] == 404
    assert fastcgi.ask(socket, "GET", "/metrics", more=parameters)[0] == 401


@pytest.mark.parametrize("parameters", [
    {"HTTP_AUTHORIZATION": "Bearer no.such.token"}, {"REMOTE_USER": "b a d"}, {"IMD_COOKIE": "x"}, {"IMD_ORIGIN": "unlisted"},
    {"SERVER_ADDR": "192.0.2.1"},
], ids=lambda parameters: "-".join(parameters))
def test_credentials_count_for_nothing_on_the_control_socket(control, parameters):
    assert fastcgi.ask(control, "GET", "/metrics", more=parameters)[0] == 200


def test_control_requests_have_no_rate_limit(stack, control):
    for _ in range(30):
        assert fastcgi.ask(control, "GET", "/messages?conversation_id=1", more={"IMD_LIMITS": "on"})[0] == 200


@pytest.mark.parametrize("noise", [b"GET /control/status HTTP/1.1\r\nHost: imd\r\n\r\n", b"\0" * 64,
                                   fastcgi.request("GET", STATUS) * 2, fastcgi.begin(role=2)],
                         ids=["http", "zeros", "two requests", "authorizer"])
def test_only_a_single_request_is_answered(control, noise):
    """So a proxy_pass to the control socket, by a mistake in nginx's configuration, gets no answer."""
    with fastcgi.connect(control) as connection:
        connection.sendall(noise)
        try:
            assert connection.recv(4096) == b""
        except ConnectionResetError:
            pass
    assert fastcgi.ask(control, "GET", STATUS)[0] == 200


def test_a_control_connection_has_one_request(control):
    with fastcgi.connect(control) as connection:
        connection.sendall(fastcgi.request("GET", STATUS, flags=fastcgi.KEEP))
        assert fastcgi.answer(connection)[0] == 200
        assert connection.recv(1) == b""


def test_a_change_is_logged(stack, control):
    body = {"type": "group_chat", "members": ["ann", "bob"]}
    assert fastcgi.ask(control, "POST", "/conversations", body)[0] == 200
    wait_until(lambda: "event=control_request request_id=" + "0123456789abcdef" * 2 +
               " method=POST path=/conversations status=200" in stack.log(), 5, "the log line")


def test_without_authentication_the_loopback_rule_does_not_apply():
    with Directory() as directory:
        directory.start()
        control = directory.path / "control.sock"
        assert fastcgi.ask(directory.socket, "GET", "/metrics", more={"SERVER_ADDR": "192.0.2.1"})[0] == 403
        assert fastcgi.ask(control, "GET", "/metrics", more={"SERVER_ADDR": "192.0.2.1"})[0] == 200
