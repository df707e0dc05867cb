"""The three auth modes, each as a running stack that tests can call as any user."""
from contextlib import closing, contextmanager

from api import Books, Client, new_name
from people import Person
from stack import Stack, free_port, wait_until
from tokens import Hs256

# The user whom the settings of the proxy site name as administrator.
ROOT_USER = "root"


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def jwt_stack(*keys, **more):
    """Returns a stack, not yet started, that knows these keys."""
    stack = Stack(env={"AUTH": "jwt", **more.pop("env", {})}, **more)
    for key in keys:
        key.save(stack.state / "keys")
    return stack


class Host:
    """
    One more server{} for a stack that is not started yet, written as a host writes it around imd's file. Tests can call
    it like a stack.
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
    def __init__(self, mode, stack, credentials, door=None):
        """`credentials(name, is_admin)` returns the headers with which that user calls, at `door` if there is one."""
        self.mode, self.stack, self.credentials = mode, stack, credentials
        self.door = door or stack
        self.api = Client(self.door)
        self.books = Books(stack)
        # Sets up a test: may give any username, in every mode.
        self.setter = Client(self.door, credentials(ROOT_USER, True))

    @property
    def verifies(self):
        return self.mode != "none"

    def close(self):
        self.books.close()

    def whoami(self, headers):
        """Returns the answer to a request whose answer depends only on the caller."""
        return self.api.request("GET", "/conversations", None, headers)

    def settle(self):
        wait_until(lambda: self.setter.get("/healthz").ok["outbox_pending"] == 0, 15, "all changes are pushed")

    def person(self, stem="user", known=True):
        """Returns a new user. `known`: a conversation has named them."""
        name = new_name(stem)
        if known:
            self.setter.group(name)
        return Person(self, name, self.credentials(name, False))

    def admin(self):
        """Returns a site administrator, in modes that authenticate callers."""
        assert self.verifies
        return Person(self, ROOT_USER, self.credentials(ROOT_USER, True))

    def nobody(self):
        return Person(self, None, {})

    @contextmanager
    def nothing_changes(self):
        """Asserts that nothing done in this context changes the database."""
        before = self.books.read()
        yield
        assert self.books.read() == before


@contextmanager
def open_none():
    with Stack(env={"AUTH": "none"}) as stack, closing(Site("none", stack, lambda name, is_admin: {})) as site:
        yield site


@contextmanager
def open_proxy():
    stack = Stack(imd_flags=[f"--admins={ROOT_USER}"], env={"AUTH": "proxy"})
    # This host trusts a header, because only tests call it. Another test has real hosts.
    door = Host(stack, "set $imd_limits off; set $imd_user $http_x_test_user;")
    with stack, closing(Site("proxy", stack, lambda name, is_admin: {"X-Test-User": name}, door)) as site:
        yield site


@contextmanager
def open_jwt():
    key = Hs256("tests")

    def credentials(name, is_admin):
        return bearer(key.token(name, imd_admin=True if is_admin else None))

    with jwt_stack(key) as stack, closing(Site("jwt", stack, credentials)) as site:
        yield site
