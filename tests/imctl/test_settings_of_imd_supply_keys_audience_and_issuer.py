"""--config reads imd's own settings. A flag overrides them."""
import pytest

from key_files import OTHER, run


@pytest.fixture
def settings(ring):
    return ring.put(ring.path, "imd.conf", f"auth = jwt\njwt_keys = {ring.keys}\njwt_audience = chat\njwt_issuer = here\n"
                                           "threads = 4\n")


def mint(settings, *flags):
    done = run("token", "--sub=ann", f"--config={settings}", *flags)
    assert done.returncode == 0 and done.stderr == ""
    return done.stdout.strip()


def test_minted_tokens_have_the_configured_audience_and_issuer(ring, settings):
    claims = ring.read(mint(settings), "HS256", audience="chat", issuer="here")[1]
    assert (claims["aud"], claims["iss"]) == ("chat", "here")
    assert run("token", f"--inspect={mint(settings)}", f"--config={settings}").returncode == 0


def test_inspect_checks_the_configured_audience_and_issuer(ring, settings):
    done = run("token", f"--inspect={ring.mint('--sub=ann')}", f"--config={settings}")
    assert done.returncode == 1 and done.stdout.endswith("refused: aud does not name the audience\n")
    done = run("token", f"--inspect={ring.mint('--sub=ann', '--aud=chat')}", f"--config={settings}")
    assert done.returncode == 1 and done.stdout.endswith("refused: iss is not the issuer\n")


def test_a_flag_overrides_its_setting(ring, settings):
    token = mint(settings, "--aud=x", "--iss=")
    assert ring.read(token, "HS256", audience="x")[1].get("iss") is None
    assert run("token", f"--inspect={token}", f"--config={settings}", "--aud=", "--iss=").returncode == 0
    others = ring.path / "others"
    others.mkdir()
    ring.put(others, "o.hs256", OTHER)
    token = mint(settings, f"--keys={others}")
    done = run("token", f"--inspect={token}", f"--config={settings}")
    assert done.returncode == 1 and "refused: " in done.stdout


def test_the_flag_key_needs_no_directory_of_keys(ring, settings):
    settings.write_text("auth = jwt\njwt_keys = /nowhere/keys\n")
    assert ring.accepted(mint(settings, f"--key={ring.key_file('ES256')}")) == "ann"
