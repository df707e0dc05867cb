"""A site that knows two keys of each kind, and assertions about its answers to a token."""
from contextlib import closing, contextmanager

from sites import Site, bearer, jwt_stack
from tokens import Es256, Hs256, Rs256

CHALLENGE = 'Bearer realm="imd"'


class Keyring(Site):
    def __init__(self, stack, keys):
        self.keys = {key.kid: key for key in keys}
        super().__init__("jwt", stack, lambda name, is_admin: bearer(keys[0].token(name)))

    def __getattr__(self, kid):
        return self.keys[kid]

    def assert_taken(self, token, name):
        """Asserts that the token authenticates this user."""
        self.api.request("GET", f"/conversations?username={name}", None, bearer(token)).ok
        self.api.request("GET", "/conversations?username=else", None, bearer(token)).problem(403, code="not_yourself")

    def assert_refused(self, token, code="invalid_token"):
        assert_unauthorized(self.whoami(bearer(token)), code)


def assert_unauthorized(answer, code, challenge=CHALLENGE):
    answer.problem(401, code=code)
    assert answer.headers.get_all("WWW-Authenticate") == [challenge], answer


@contextmanager
def open_keyring():
    keys = [Hs256("shared"), Hs256("other_shared", b"0123456789abcdef0123456789abcdef\n"),
            Rs256("pair"), Rs256("other_pair", 3072), Es256("curve"), Es256("other_curve")]
    stack = jwt_stack(*keys)
    with stack, closing(Keyring(stack, keys)) as keyring:
        yield keyring
