"""
`imctl token --inspect=-` reads the first line of stdin, so that the token is not visible in the list of processes.
"""
import pytest

from key_files import run


def inspect(ring, text):
    return run("token", f"--keys={ring.keys}", "--inspect=-", stdin=text)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nmore\n"])
def test_the_first_line_is_inspected(ring, end):
    done = inspect(ring, ring.mint("--sub=ann") + end)
    assert done.returncode == 0 and done.stdout.endswith("valid: ann\n") and done.stderr == ""


@pytest.mark.parametrize("text", ["", "\n", "\n\n", "x\n", "-\n"])
def test_a_line_that_is_not_a_token_is_refused(ring, text):
    done = inspect(ring, text)
    assert done.returncode == 1 and done.stdout.startswith("refused: ") and done.stderr == ""


def test_a_blank_before_the_token_is_refused(ring):
    assert inspect(ring, " " + ring.mint("--sub=ann")).returncode == 1


def test_a_token_of_more_than_4096_bytes_is_refused(ring):
    def of_size(n):
        for size in range(n * 3 // 4 - 200, n * 3 // 4):
            for pad in range(3):
                token = ring.sign({"x": "y" * size}, z="z" * pad)
                if len(token) == n:
                    return token
        raise AssertionError(n)

    assert inspect(ring, of_size(4096) + "\n").returncode == 0
    for n in (4097, 4098, 4099, 4100, 5000):
        assert inspect(ring, of_size(n) + "\n").returncode == 1, n
    # A valid token behind the longest line that imctl reads is refused with that line.
    assert inspect(ring, "x" * 4098 + ring.mint("--sub=ann") + "\n").returncode == 1
