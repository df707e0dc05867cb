"""
Makes keys and signed tokens (RFC 7515, RFC 7519), and also malformed and forged ones.

Written from the RFCs. It must share nothing with the code under test.
"""
import base64
import hashlib
import hmac
import json
import os
import secrets
import subprocess
import tempfile
import time
from pathlib import Path

HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


def encode(data):
    """Returns base64url without padding, of bytes, of text, or of any value as JSON."""
    if not isinstance(data, (bytes, str)):
        data = json.dumps(data, separators=(",", ":"))
    data = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(sub, lives_s=3600, **more):
    """Returns the claims of a good token. A claim that is None is left out."""
    found = {"sub": sub, "exp": int(time.time()) + lives_s, **more}
    return {name: value for name, value in found.items() if value is not None}


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=True).stdout


class Key:
    """What the three kinds of keys have in common. `kid` is the key's name, and the name of its file."""

    def __init__(self, kid):
        self.kid = kid

    def token(self, sub, *, kid=True, **more):
        """Returns a good token, unless `more` claims make it a bad one. kid=False: it does not name its key."""
        header = {"alg": self.alg, "typ": "JWT", **({"kid": self.kid} if kid else {})}
        return self.signed(header, claims(sub, **more))

    def signed(self, header, payload):
        """Signs header and payload, unchanged, by this key's algorithm. Each is text, bytes, or a value for JSON."""
        message = f"{encode(header)}.{encode(payload)}"
        return f"{message}.{encode(self.sign(message.encode()))}"

    def save(self, directory):
        """
        Saves the key with the permissions that imd demands: no other user may read it, except the directory's owner and
        group.
        """
        directory = Path(directory)
        directory.mkdir(mode=0o750, exist_ok=True)
        path = directory / f"{self.kid}.{self.alg.lower()}"
        path.touch(mode=0o640)
        path.write_bytes(self.public)
        os.chown(path, directory.stat().st_uid, directory.stat().st_gid)
        return path


class Hs256(Key):
    alg = "HS256"

    def __init__(self, kid="shared", secret=None):
        super().__init__(kid)
        self.public = secret or secrets.token_hex(32).encode()
        # An editor's newline at the end of the file is not part of the secret.
        self.secret = self.public.removesuffix(b"\n")

    def sign(self, message, bits="256"):
        return hmac.digest(self.secret, message, HASHES[bits])


class _Pair(Key):
    """A private key in a file, for signing with openssl."""

    def __init__(self, kid, *how):
        super().__init__(kid)
        self._private = tempfile.NamedTemporaryFile(prefix="imd-test-key-")
        self._private.write(openssl("genpkey", *how))
        self._private.flush()
        self.public = openssl("pkey", "-in", self._private.name, "-pubout")

    def sign(self, message):
        return openssl("dgst", "-sha256", "-sign", self._private.name, data=message)


class Rs256(_Pair):
    alg = "RS256"

    def __init__(self, kid="pair", bits=2048):
        super().__init__(kid, "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}")


class Es256(_Pair):
    alg = "ES256"

    def __init__(self, kid="curve", curve="P-256"):
        super().__init__(kid, "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}")

    def sign(self, message):
        """openssl writes the signature as DER; a token holds only its two numbers, 32 bytes each."""
        return b"".join(number.to_bytes(32, "big") for number in der_pair(super().sign(message)))


def der_pair(der):
    """Returns the two integers of a short DER sequence."""
    assert der[0] == 0x30 and der[1] == len(der) - 2 < 0x80, der
    at, found = 2, []
    while at < len(der):
        assert der[at] == 0x02, der
        found.append(int.from_bytes(der[at + 2:at + 2 + der[at + 1]], "big"))
        at += 2 + der[at + 1]
    assert len(found) == 2, der
    return found
