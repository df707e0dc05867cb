import pytest

from key_files import run


def inspect(ring, text):
    return run("token", f"--keys={ring.keys}", "--inspect=-", stdin=text)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nmore\n"])
def test_its_first_line(ring, end):
    done = inspect(ring, ring.mint("--sub=ann") + end)
    assert done.returncode == 0 and done.stdout.endswith("valid: ann\n") and done.stderr == ""


@pytest.mark.parametrize("text", ["", "\n", "\n\n", "x\n", "-\n"])
def test_nothing_that_is_a_token(ring, text):
    done = inspect(ring, text)
    assert done.returncode == 1 and done.stdout.startswith("refused: ") and done.stderr == ""


def test_a_blank_before_it_is_none_of_it(ring):
    assert inspect(ring, " " + ring.mint("--sub=ann")).returncode == 1


def test_the_longest_and_one_longer(ring):
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
    # Not even a good one may hide behind the room that a line has.
    assert inspect(ring, "x" * 4098 + ring.mint("--sub=ann") + "\n").returncode == 1
