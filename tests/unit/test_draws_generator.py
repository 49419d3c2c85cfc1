"""The addressed generator against published vectors and implementations in plain integers."""

import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisim.draws.generator import (
    DRAW_LIMIT,
    GENERATOR,
    INDEX_LIMIT,
    bits,
    philox4x32_10,
    philox64,
    squares64,
    uniform,
)

WORDS = st.integers(0, 2**64 - 1).map(np.uint64)
HALF_WORDS = st.integers(0, 2**32 - 1)
INDICES = st.integers(0, INDEX_LIMIT - 1)
DRAWS = st.integers(0, DRAW_LIMIT - 1)


def squares64_in_integers(counter: int, key: int) -> int:
    """Five rounds as arXiv:2004.06278 gives them, in Python's integers."""

    def swapped(x: int) -> int:
        return ((x >> 32) | (x << 32)) % 2**64

    y = counter * key % 2**64
    z = (y + key) % 2**64
    x = swapped((y * y + y) % 2**64)
    x = swapped((x * x + z) % 2**64)
    x = swapped((x * x + y) % 2**64)
    t = (x * x + z) % 2**64
    x = swapped(t)
    return t ^ ((x * x + y) % 2**64 >> 32)


def philox4x32_in_integers(counter: list[int], key: list[int]) -> tuple[int, ...]:
    """Ten rounds as the SC'11 paper gives them, in Python's integers."""
    x, k = list(counter), list(key)
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * x[0], 2**32)
        high1, low1 = divmod(0xCD9E8D57 * x[2], 2**32)
        x = [high1 ^ x[1] ^ k[0], low1, high0 ^ x[3] ^ k[1], low0]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return tuple(x)


# Outputs of Widynski's own squares.h for counters 0, 1, 2 ..., as published in the test data of
# randomgen (bashtage/randomgen, squares-testset-1.csv and -2.csv).
@pytest.mark.parametrize(
    ("key", "outputs"),
    [
        (
            0x3BC8BCA4D301945B,
            [0x5167EA8B7923D95B, 0xE03102BE2DB8C20, 0xE59F61D7BEB27F5D, 0x943AC4D08E1A4431],
        ),
        (
            0x32D1638D0D582ACF,
            [0x84EF8BB44B2A9590, 0x4666B593D6D064DC, 0x366ADA387A5AD93D, 0x8788C4C44EDF72CA],
        ),
    ],
)
def test_squares_gives_the_published_outputs(key: int, outputs: list[int]) -> None:
    assert [squares64(counter, np.uint64(key)) for counter in range(4)] == outputs


# Known answers of the Random123 distribution (kat_vectors, philox4x32 10).
@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ([0] * 4, [0] * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ([2**32 - 1] * 4, [2**32 - 1] * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_known_answers(
    counter: list[int], key: list[int], words: tuple[int, ...]
) -> None:
    assert philox4x32_10(*counter, *key) == words
    assert philox4x32_in_integers(counter, key) == words


@given(WORDS, WORDS)
def test_squares_is_its_definition_in_integers(counter: np.uint64, key: np.uint64) -> None:
    assert squares64(counter, key) == squares64_in_integers(int(counter), int(key))


@given(st.lists(HALF_WORDS, min_size=4, max_size=4), st.lists(HALF_WORDS, min_size=2, max_size=2))
def test_philox_is_its_definition_in_integers(counter: list[int], key: list[int]) -> None:
    assert philox4x32_10(*counter, *key) == philox4x32_in_integers(counter, key)


@given(WORDS, WORDS)
def test_philox64_is_the_first_two_words_of_a_block(counter: np.uint64, key: np.uint64) -> None:
    c1, c0 = divmod(int(counter), 2**32)
    k1, k0 = divmod(int(key), 2**32)
    block = philox4x32_in_integers([c0, c1, 0, 0], [k0, k1])
    assert philox64(counter, key) == block[0] + (block[1] << 32)


@given(WORDS, INDICES, DRAWS)
def test_the_counter_of_an_address_is_index_times_65536_plus_draw(
    key: np.uint64, index: int, draw: int
) -> None:
    generate = {"squares": squares64, "philox": philox64}[GENERATOR]
    assert bits(key, index, draw) == generate(np.uint64(index * 65_536 + draw), key)


@given(WORDS, INDICES, DRAWS)
def test_a_uniform_draw_is_exactly_the_middle_of_its_cell(
    key: np.uint64, index: int, draw: int
) -> None:
    cell = int(bits(key, index, draw)) >> 12
    exact = (Fraction(cell) + Fraction(1, 2)) / 2**52
    u = uniform(key, index, draw)
    assert Fraction(u) == exact
    assert 0 < u < 1
    assert Fraction(1 - u) == 1 - exact  # so the upper tail is as exact as the lower one


@pytest.mark.parametrize(
    ("index", "draw"), [(INDEX_LIMIT, 0), (-1, 0), (0, DRAW_LIMIT), (0, -1), (2**62, 0)]
)
def test_an_address_out_of_range_is_refused(index: int, draw: int) -> None:
    with pytest.raises(AssertionError, match="out of range"):
        bits(1, index, draw)


def test_the_last_address_is_in_range() -> None:
    assert 0 < uniform(1, INDEX_LIMIT - 1, DRAW_LIMIT - 1) < 1


def test_small_keys_may_be_python_integers() -> None:
    assert bits(np.uint64(7), 7, 1) == bits(7, 7, 1)


def in_a_process_with(generator: str, code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "APISIM_GENERATOR": generator},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_environment_chooses_philox_for_a_process() -> None:
    code = "from apisim.draws.generator import bits; print(bits(12345, 6, 7))"
    done = in_a_process_with("philox", code)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == philox64(6 * 65_536 + 7, 12345)


def test_an_unknown_generator_is_refused_by_name() -> None:
    done = in_a_process_with("mersenne", "import apisim.draws.generator")
    assert done.returncode != 0
    assert "APISIM_GENERATOR must be squares or philox, got 'mersenne'" in done.stderr
