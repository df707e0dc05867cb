"""Directories of keys for one test, and imctl run with them. PyJWT, which is independent of imd, makes and reads tokens
too."""
import functools
import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from imctl import program, run

SECRET = "a-secret-of-a-test-that-nobody-may-see"
OTHER = "another-secret-of-a-test-and-as-hidden"
ALGORITHMS = ("HS256", "RS256", "ES256")


def private_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


def public_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM,
                                         serialization.PublicFormat.SubjectPublicKeyInfo).decode()


@functools.cache
def pairs():
    """One RSA and one EC key, made once for all tests, because that is slow."""
    return rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())


class Keyring:
    """`keys` is the directory that imd would read. `private` holds the keys that sign."""

    def __init__(self, path):
        self.path = path
        self.keys = path / "keys"
        self.private = path / "private"
        self.keys.mkdir()
        self.private.mkdir()
        rsa_key, ec_key = pairs()
        self.signing = {"HS256": SECRET, "RS256": private_pem(rsa_key), "ES256": private_pem(ec_key)}
        self.checking = {"HS256": SECRET, "RS256": public_pem(rsa_key), "ES256": public_pem(ec_key)}
        for algorithm in ALGORITHMS:
            self.put(self.keys, f"k{algorithm[0]}.{algorithm.lower()}", self.checking[algorithm])
            self.put(self.private, f"k{algorithm[0]}.{algorithm.lower()}", self.signing[algorithm])

    @staticmethod
    def put(directory, name, text):
        path = directory / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def key_file(self, algorithm):
        return self.private / f"k{algorithm[0]}.{algorithm.lower()}"

    def secrets(self):
        """The texts that no output may contain: the secrets, and each line of a private key."""
        lines = [line for name in ("RS256", "ES256") for line in self.signing[name].splitlines()]
        return [SECRET, OTHER, *(line for line in lines if len(line) > 20 and "PRIVATE" not in line)]

    def mint(self, *flags):
        """The token that imctl mints; stderr stays empty."""
        done = run("token", f"--keys={self.keys}", *flags)
        assert done.returncode == 0 and done.stderr == "", done
        assert len(done.stdout.splitlines()) == 1 and done.stdout.endswith("\n"), done.stdout
        return done.stdout.strip()

    def inspect(self, token, *flags):
        return run("token", f"--keys={self.keys}", f"--inspect={token}", *flags)

    def accepted(self, token, *flags):
        """Asserts that imd would accept the token; returns the caller whom it names."""
        done = self.inspect(token, *flags)
        assert done.returncode == 0 and done.stderr == "", done
        header, claims, verdict = done.stdout.splitlines()
        assert header.startswith("header: {") and claims.startswith("claims: {"), done.stdout
        assert verdict.startswith("valid: "), done.stdout
        return verdict.removeprefix("valid: ")

    def refused(self, token, *flags):
        """Asserts that imd would refuse the token; returns the reason."""
        done = self.inspect(token, *flags)
        assert done.returncode == 1 and done.stderr == "", done
        verdict = done.stdout.splitlines()[-1]
        assert verdict.startswith("refused: "), done.stdout
        return verdict.removeprefix("refused: ")

    def read(self, token, algorithm, **options):
        """(header, claims), checked by PyJWT with the public half."""
        claims = jwt.decode(token, self.checking[algorithm], algorithms=[algorithm], **options)
        return jwt.get_unverified_header(token), claims

    def sign(self, claims, algorithm="HS256", **header):
        """A token, made by PyJWT."""
        return jwt.encode({"sub": "ann", **claims}, self.signing[algorithm], algorithm, headers=header or None)


def about_now(then):
    return abs(time.time() - then) < 30
