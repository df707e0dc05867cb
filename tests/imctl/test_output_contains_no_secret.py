"""imctl prints no secret and no part of a private key, neither on success nor in an error."""
import pytest

from key_files import ALGORITHMS, run


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_output_shows_no_part_of_a_key_file(ring, algorithm):
    path = ring.key_file(algorithm)
    text = path.read_text()
    outcomes = []
    # Whole, cut, with a line in front, under the name of another algorithm, and world-readable.
    for name, content, mode in [(path.name, text, 0o600), (path.name, text[:len(text) // 2], 0o600),
                                (path.name, "x\n" + text, 0o600), ("x.hs256", text, 0o600), ("x.rs256", text, 0o600),
                                ("x.es256", text, 0o600), ("x.pem", text, 0o600), (path.name, text, 0o644)]:
        changed = ring.put(ring.private, name, content)
        changed.chmod(mode)
        done = run("token", "--sub=ann", f"--key={changed}")
        outcomes.append(done.returncode)
        printed = done.stdout + done.stderr
        assert not [secret for secret in ring.secrets() if secret in printed or secret[:16] in printed], printed
    assert outcomes[0] == 0 and 2 in outcomes


def test_errors_about_a_directory_show_no_secret(ring):
    ring.put(ring.keys, "a.rs256", ring.signing["RS256"])
    for action in ("--sub=ann", "--inspect=a.b.c"):
        done = run("token", action, f"--keys={ring.keys}")
        assert done.returncode == 2 and "a.rs256" in done.stderr
        assert not [secret for secret in ring.secrets() if secret[:16] in done.stderr], done.stderr
