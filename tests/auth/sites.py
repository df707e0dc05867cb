"""The three ways in which a site can tell who calls, each as a running stack that tests can call as anybody."""
from contextlib import closing, contextmanager

from api import Books, Client, new_name
from people import Person
from stack import Stack, free_port, wait_until
from tokens import Hs256

# The one whom a proxy site's settings name as administrator.
ROOT_USER = "root"


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def jwt_stack(*keys, **more):
    """A stack, not yet started, that knows these keys."""
    stack = Stack(env={"AUTH": "jwt", **more.pop("env", {})}, **more)
    for key in keys:
        key.save(stack.state / "keys")
    return stack


def proxy_stack(user, imd_flags=(), server_extra="", **more):
    """A stack, not yet started, whose host says who calls: `user` is nginx's word for it."""
    return Stack(imd_flags=imd_flags, server_extra=f"set $imd_user {user};\n{server_extra}",
                 env={"AUTH": "proxy", **more.pop("env", {})}, **more)


class Host:
    """
    One more server{} of a stack not yet started, written as a host writes his around imd's file. It can be called
    as a stack can.
    """

    def __init__(self, stack, directives="", address="127.0.0.1", tls=False):
        self.prefix, self.port, self.address = "", free_port(), address
        self.url = f"http://{address}:{self.port}"
        stack.add_http(f"""
            server {{
                listen {address}:{self.port}{' ssl' if tls else ''};
                {directives}
                include {stack.state}/imd-server.conf;
            }}
        """)


class Site:
    def __init__(self, mode, stack, credentials):
        """`credentials(name, is_admin)` are the headers with which that user calls."""
        self.mode, self.stack, self.credentials = mode, stack, credentials
        self.api = Client(stack)
        self.books = Books(stack)
        # Whoever sets the scene of a test: may give any username, in every mode.
        self.setter = Client(stack, credentials(ROOT_USER, True))

    @property
    def verifies(self):
        return self.mode != "none"

    def close(self):
        self.books.close()

    def whoami(self, headers):
        """An answer that depends on the caller alone."""
        return self.api.request("GET", "/conversations", None, headers)

    def settle(self):
        wait_until(lambda: self.setter.get("/healthz").ok["outbox_pending"] == 0, 15, "all is pushed")

    def person(self, stem="user", known=True):
        """Somebody new; `known`: some conversation has named them."""
        name = new_name(stem)
        if known:
            self.setter.group(name)
        return Person(self, name, self.credentials(name, False))

    def admin(self):
        """An administrator of the site, where callers are verified."""
        assert self.verifies
        return Person(self, ROOT_USER, self.credentials(ROOT_USER, True))

    def nobody(self):
        return Person(self, None, {})

    @contextmanager
    def nothing_changes(self):
        """Whatever is done in this context, the database stays as it is."""
        before = self.books.read()
        yield
        assert self.books.read() == before


def _none():
    return Stack(env={"AUTH": "none"}), lambda name, is_admin: {}


def _proxy():
    # This host believes a header: here is nobody who must not choose. What a real host does has its own test.
    stack = proxy_stack("$http_x_test_user", imd_flags=[f"--admins={ROOT_USER}"])
    return stack, lambda name, is_admin: {"X-Test-User": name}


def _jwt():
    key = Hs256("tests")
    return jwt_stack(key), lambda name, is_admin: bearer(key.token(name, role="admin" if is_admin else None))


@contextmanager
def open_site(mode):
    stack, credentials = {"none": _none, "proxy": _proxy, "jwt": _jwt}[mode]()
    with stack, closing(Site(mode, stack, credentials)) as site:
        yield site
