"""
Claims registered by RFC 7519 have their own meaning, so imd does not start if the settings name one as the admin
claim.
"""
import pytest

from alone import Directory


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"])
def test_a_registered_claim_is_refused_at_the_start(claim):
    with Directory() as directory:
        (directory.path / "keys").mkdir(mode=0o750)
        key = directory.path / "keys/k.hs256"
        key.write_text("x" * 40)
        key.chmod(0o640)
        flags = [flag for flag in directory.flags if flag != "--loopback-only"]
        directory.flags = flags
        said = directory.refused("--auth=jwt", f"--jwt-keys={directory.path}/keys", f"--jwt-admin-claim={claim}")
        assert f"jwt_admin_claim = {claim}" in said, said
