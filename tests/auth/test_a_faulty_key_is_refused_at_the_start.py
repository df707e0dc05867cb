"""imd does not start, and one line names the faulty file."""
import os

import pytest

from alone import Directory, run
from tokens import Es256, Hs256, Rs256, openssl


@pytest.fixture
def directory():
    with Directory() as made:
        yield made


@pytest.fixture
def keys(directory):
    path = directory.path / "keys"
    path.mkdir(mode=0o750)
    return path


def assert_taken(directory, keys):
    assert run(*directory.flags, "--auth=jwt", f"--jwt-keys={keys}", "--check").returncode == 0


def assert_refused(directory, keys, *words):
    message = directory.refused("--auth=jwt", f"--jwt-keys={keys}")
    assert len(message.strip().splitlines()) == 1, message
    missing = [word for word in (str(keys), *words) if word not in message]
    assert not missing, (missing, message)
    assert not directory.db.exists() and not directory.socket.exists()


def test_a_missing_directory_is_refused(directory, keys):
    assert_refused(directory, keys / "missing")
    message = directory.refused("--auth=jwt")
    assert "jwt_keys" in message and len(message.strip().splitlines()) == 1, message


def test_a_directory_without_a_key_is_refused(directory, keys):
    assert_refused(directory, keys)


@pytest.mark.parametrize("secret", [b"", b"\n", b"x" * 31, b"x" * 31 + b"\n"])
def test_a_short_secret_is_refused(directory, keys, secret):
    Hs256("good").save(keys)
    (keys / "short.hs256").touch(mode=0o600)
    (keys / "short.hs256").write_bytes(secret)
    assert_refused(directory, keys, "short.hs256", "32")


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o601, 0o602, 0o666])
def test_a_secret_that_others_can_access_is_refused(directory, keys, mode):
    os.chmod(Hs256("open").save(keys), mode)
    assert_refused(directory, keys, "open.hs256")


def test_a_public_key_may_be_readable_by_others(directory, keys):
    for key in (Rs256(), Es256()):
        os.chmod(key.save(keys), 0o644)
    assert_taken(directory, keys)


@pytest.mark.parametrize("kind, other", [(Rs256, Es256), (Es256, Rs256)])
def test_a_file_without_a_public_key_of_its_kind_is_refused(directory, keys, kind, other):
    for text in (other().public, b"", b"-----BEGIN PUBLIC KEY-----\n", b"x" * 5000,
                 kind().public[:100] + b"-----END PUBLIC KEY-----\n"):
        path = keys / f"odd.{kind.alg.lower()}"
        path.write_bytes(text)
        assert_refused(directory, keys, path.name)


def test_a_key_of_another_curve_is_refused(directory, keys):
    Es256("odd", "P-384").save(keys)
    assert_refused(directory, keys, "odd.es256")


def test_a_private_key_is_refused(directory, keys):
    """It does not belong here, and the operator should know."""
    (keys / "odd.rs256").write_bytes(openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"))
    assert_refused(directory, keys, "odd.rs256")


def test_files_that_are_not_keys_are_ignored(directory, keys):
    """For example a note, an editor's backup, or a directory."""
    for name in ("README", "tests.hs256~", ".tests.hs256.swp", "old.hs256.disabled"):
        (keys / name).write_bytes(b"short")
    (keys / "old").mkdir()
    assert_refused(directory, keys)
    Hs256("2026.01-a_b").save(keys)
    assert_taken(directory, keys)


def test_a_secret_of_the_minimum_length_is_accepted(directory, keys):
    Hs256("short", b"x" * 32 + b"\n").save(keys)
    assert_taken(directory, keys)
