"""In proxy mode the host's nginx authenticates callers, by any means. This test uses three real ones."""
import base64
import http.client
import ssl
from contextlib import closing

import pytest

from api import Client, new_name
from handshake import UPGRADE, request
from keyring import assert_unauthorized
from sites import Host
from stack import Stack
from tokens import openssl

CHALLENGE = 'Site realm="imd"'


def basic(name, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


class Proxy:
    """One imd behind four servers, each with its own authentication."""

    def __init__(self, state):
        self.state = state
        self.stack = Stack(imd_flags=["--admins=root,chief"], env={"AUTH": "proxy"}, state=state)
        (state / "passwords").write_text("".join(f"{name}:{{PLAIN}}{name} secret\n" for name in ("ann", "bob", "root",
                                                                                                 "chief", "a-b")))
        self.plain = Host(self.stack)
        self.basic = Host(self.stack, f"""
            auth_basic "members"; auth_basic_user_file {state}/passwords;
            set $imd_user $remote_user;
        """)
        # A login service that knows sessions.
        self.login = Host(self.stack, """
            auth_request /_login;
            auth_request_set $imd_user $upstream_http_x_user;
            location = /_login {
                internal;
                proxy_pass http://unix:%(state)s/login.sock:/;
                proxy_pass_request_body off;
                proxy_set_header Content-Length "";
            }
        """ % {"state": state})
        self.stack.add_http("""
            map $cookie_session $known_session { ann_s_session ann; root_s_session root; }
            server {
                listen unix:%s/login.sock;
                location / {
                    add_header WWW-Authenticate 'Session realm="site"' always;
                    if ($known_session = "") { return 401; }
                    add_header X-User $known_session;
                    return 204;
                }
            }
        """ % state)
        self.certificates(state)
        # The name in the certificate, if nginx verified it.
        self.stack.add_http(r"""
            map "$ssl_client_verify:$ssl_client_s_dn" $certificate_user {
                default "";
                "~^SUCCESS:CN=(?<certificate_cn>[A-Za-z0-9_]+)$" $certificate_cn;
            }
        """)
        self.tls = Host(self.stack, f"""
            ssl_certificate {state}/site.crt; ssl_certificate_key {state}/site.key;
            ssl_client_certificate {state}/ca.crt; ssl_verify_client optional;
            set $imd_user $certificate_user;
        """, tls=True)

    def certificates(self, state):
        for ca in ("ca", "stranger_ca"):
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2,
                    "-subj", f"/CN={ca}",
                    "-keyout", state / f"{ca}.key", "-out", state / f"{ca}.crt")
        for name, ca in (("site", "ca"), ("ann", "ca"), ("root", "ca"), ("mallory", "stranger_ca")):
            made = openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                           f"/CN={name}",
                           "-keyout", state / f"{name}.key")
            (state / f"{name}.crt").write_bytes(openssl("x509", "-req", "-CA", state / f"{ca}.crt", "-CAkey",
                                                        state / f"{ca}.key",
                                                        "-days", 2, data=made))

    def tls_context(self, certificate=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.state / "ca.crt")
        if certificate:
            context.load_cert_chain(self.state / f"{certificate}.crt", self.state / f"{certificate}.key")
        return context

    def tls_client(self, certificate=None):
        return Client(self.tls, tls=self.tls_context(certificate))


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    # Short, because a unix socket's path is limited.
    made = Proxy(tmp_path_factory.mktemp("p"))
    with made.stack:
        yield made


def assert_is(client, name, headers=()):
    client.request("GET", f"/conversations?username={name}", None, headers).ok
    client.request("GET", "/conversations?username=else", None, headers).problem(403, code="not_yourself")
    made = client.write("POST", "/conversations", {"type": "group_chat", "members": []}, headers).ok
    assert made["members"] == [name]


def assert_admin(client, headers=()):
    name = new_name()
    made = client.write("POST", "/conversations", {"type": "group_chat", "members": [name]}, headers).ok
    assert made["members"] == [name]
    client.request("GET", f"/messages?username={name}", None, headers).ok
    assert client.request("GET", "/metrics", None, headers).status == 200


def test_auth_basic_authenticates_callers(proxy):
    with Client(proxy.basic) as client:
        for name in ("ann", "bob"):
            assert_is(client, name, basic(name, f"{name} secret"))
        for name in ("root", "chief"):
            assert_admin(client, basic(name, f"{name} secret"))
        for headers in ({}, basic("ann", "wrong"), basic("stranger", "x"), basic("", "")):
            answer = client.request("GET", "/conversations", None, headers)
            answer.problem(401)
            assert answer.headers["WWW-Authenticate"] == 'Basic realm="members"'
        # Authenticated, but with a name that is not valid in imd.
        client.request("GET", "/conversations", None, basic("a-b", "a-b secret")).problem(403, code="invalid_caller")
    ann = basic("ann", "ann secret")
    assert request(proxy.basic, "/ws", {**UPGRADE, **ann}).status == 101
    assert request(proxy.basic, "/ws?username=ann", {**UPGRADE, **ann}).status == 101
    request(proxy.basic, "/ws?username=bob", {**UPGRADE, **ann}).assert_problem(403)
    request(proxy.basic, "/ws", UPGRADE).assert_problem(401)


def test_auth_request_authenticates_callers(proxy):
    session = {"Cookie": "session=ann_s_session"}
    with Client(proxy.login) as client:
        assert_is(client, "ann", session)
        assert_admin(client, {"Cookie": "session=root_s_session"})
        for headers in ({}, {"Cookie": "session=x"}, {"X-User": "ann"}, basic("ann", "ann secret")):
            assert_unauthorized(client.request("GET", "/conversations", None, headers), None, 'Session realm="site"')
        # Only the service's header counts, not the client's.
        assert_is(client, "ann", {**session, "X-User": "root"})
    assert request(proxy.login, "/ws?username=ann", {**UPGRADE, **session}).status == 101
    request(proxy.login, "/ws?username=bob", {**UPGRADE, **session}).assert_problem(403)
    request(proxy.login, "/ws?username=ann", UPGRADE).assert_problem(401)


def test_client_certificates_authenticate_callers(proxy):
    with proxy.tls_client("ann") as client:
        assert_is(client, "ann")
    with proxy.tls_client("root") as client:
        assert_admin(client)
    with proxy.tls_client() as client:
        assert_unauthorized(client.get("/conversations"), "missing_credentials", CHALLENGE)
        client.get("/healthz").ok
    # The host's nginx refuses a certificate of an unknown issuer.
    connection = http.client.HTTPSConnection("127.0.0.1", proxy.tls.port, context=proxy.tls_context("mallory"))
    with closing(connection):
        connection.request("GET", "/conversations")
        assert connection.getresponse().status == 400


SPOOFS = ["Remote-User", "REMOTE_USER", "Remote_User", "X-Remote-User", "X-Forwarded-User", "X-User", "X-Imd-User",
          "Imd-User",
          "imd_user", "X-Auth-Request-User", "X-Authenticated-User", "X-WEBAUTH-USER", "From", "User",
          "HTTP_REMOTE_USER",
          "X-Remote-Role", "IMD_USER", "X-Test-User"]


@pytest.mark.parametrize("name", SPOOFS)
def test_names_claimed_by_clients_are_ignored(proxy, name):
    with Client(proxy.plain) as client:
        for value in ("ann", "root"):
            assert_unauthorized(client.request("GET", "/conversations", None, {name: value}), "missing_credentials",
                                CHALLENGE)
            client.write("POST", "/conversations", {"type": "group_chat", "members": ["ann"]},
                         {name: value}).problem(401)
    request(proxy.plain, "/ws?username=ann", {**UPGRADE, name: "ann"}).assert_problem(401)
    with Client(proxy.basic) as client:
        assert_is(client, "bob", {**basic("bob", "bob secret"), name: "ann"})


def test_an_unchecked_password_does_not_authenticate(proxy):
    """nginx sets $remote_user from any password, even if auth_basic is off."""
    with Client(proxy.plain) as client:
        for headers in (basic("ann", "ann secret"), basic("root", "x")):
            assert_unauthorized(client.request("GET", "/conversations", None, headers), "missing_credentials",
                                CHALLENGE)
    request(proxy.plain, "/ws?username=ann", {**UPGRADE, **basic("ann", "ann secret")}).assert_problem(401)


def test_tokens_are_ignored_in_proxy_mode(proxy):
    with Client(proxy.plain) as client:
        for headers in ({"Authorization": "Bearer x.y.z"}, {"Cookie": "imd_token=x.y.z"}):
            assert_unauthorized(client.request("GET", "/conversations", None, headers), "missing_credentials",
                                CHALLENGE)


def test_healthz_needs_no_authentication(proxy):
    with Client(proxy.plain) as client:
        client.get("/healthz").ok
        client.get("/openapi.json").ok
        client.get("/metrics").problem(401)
