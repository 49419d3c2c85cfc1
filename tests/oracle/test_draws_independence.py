"""Streams are uniform and independent of their neighbours, under both generators.

A pair test walks along two sequences of addresses and counts, in two 64 by 64 tables, the upper
and the lower six bits that a uniform draw uses; a chi-square test of a table sees a sequence that
is not uniform, or two that know of each other. Each word's difference from its partner is also
counted bit by bit. One test looks at 2^22 pairs, a generator at 2^26 draws in all. Every p-value
is tested at 1e-6 on both sides: too even is as suspicious as too uneven. Seeds are fixed; with
fresh ones one of the some 80 p-values would fall outside once in 6,000 runs.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import njit
from scipy import special, stats

from apisim.draws.generator import philox64, squares64, uniform
from apisim.draws.keys import stream_key
from apisim.draws.purposes import Purpose

pytestmark = pytest.mark.oracle

N_PAIRS = 1 << 22
P_MIN = 1e-6
INDEX = 1 << 16  # counters of neighbouring indices are this far apart

Generate = Callable[[Any, Any], Any]


@njit
def one_round(counter, key):  # type: ignore[no-untyped-def]
    """Squares with one round instead of five: known to be bad."""
    x = counter * key
    x = x * x + x
    return (x >> np.uint64(32)) | (x << np.uint64(32))


@njit
def count_pairs(generate, keys, offset, stride, n, upper, lower, ones):  # type: ignore[no-untyped-def]
    six = np.uint64(63)
    one = np.uint64(1)
    for i in range(n):
        counter = np.uint64(i) * np.uint64(stride)
        a = generate(counter, keys[0])
        b = generate(counter + np.uint64(offset), keys[1])
        upper[a >> np.uint64(58), b >> np.uint64(58)] += 1
        lower[(a >> np.uint64(12)) & six, (b >> np.uint64(12)) & six] += 1
        difference = a ^ b
        for bit in range(64):
            ones[bit] += np.int64((difference >> np.uint64(bit)) & one)


def pair_p_values(
    generate: Generate, keys: tuple[int, int], offset: int, stride: int, n: int = N_PAIRS
) -> list[float]:
    """P-values of the two tables and of the worst bit (the last one two-sided already)."""
    upper = np.zeros((64, 64), dtype=np.int64)
    lower = np.zeros((64, 64), dtype=np.int64)
    ones = np.zeros(64, dtype=np.int64)
    pair = np.array(keys, dtype=np.uint64)
    count_pairs(generate, pair, offset, stride, n, upper, lower, ones)
    tables = [float(stats.chisquare(table.ravel()).pvalue) for table in (upper, lower)]
    # Of 64 bits the worst: its p-value, corrected for having been chosen.
    z = np.abs(ones - n / 2).max() / np.sqrt(n / 4)
    worst_bit = min(1.0, 64 * 2 * float(special.ndtr(-z)))
    return [*tables, *([worst_bit] if keys[0] != keys[1] or offset else [])]


def suspicious(p_values: list[float]) -> list[float]:
    # The corrected p-value of the worst bit may well be 1.
    return [p for p in p_values if p < P_MIN or (1 - p < P_MIN and p != 1.0)]


def key(**changed: Any) -> int:
    address = {"seed": 42, "replication": 0, "purpose": Purpose.SERVICE, "entity": "get-user"}
    return int(stream_key(**{**address, **changed}))


FIRST = key()
NEIGHBOURS = {
    "next index": (FIRST, FIRST, INDEX, 2 * INDEX),
    "next attempt": (FIRST, FIRST, 1, INDEX),
    "next draws of one index": (FIRST, FIRST, 1, 2),
    "next seed": (FIRST, key(seed=43), 0, INDEX),
    "next replication": (FIRST, key(replication=1), 0, INDEX),
    "next purpose": (FIRST, key(purpose=Purpose.INIT), 0, INDEX),
    "next entity": (FIRST, key(entity="get-users"), 0, INDEX),
    # Squares alone could mind: Widynski keeps keys apart in their lowest nine digits.
    "one upper digit": (FIRST, FIRST ^ (1 << 60), 0, INDEX),
}


@pytest.mark.parametrize("generate", [squares64, philox64], ids=["squares", "philox"])
@pytest.mark.parametrize("name", NEIGHBOURS)
def test_neighbouring_streams_are_uniform_and_independent(generate: Generate, name: str) -> None:
    first, second, offset, stride = NEIGHBOURS[name]
    assert suspicious(pair_p_values(generate, (first, second), offset, stride)) == []


@pytest.mark.parametrize("place", range(36, 64, 4))
def test_keys_that_differ_in_any_one_upper_digit_give_unlike_streams(place: int) -> None:
    other = FIRST ^ (8 << place)
    assert suspicious(pair_p_values(squares64, (FIRST, other), 0, INDEX, 1 << 19)) == []


def test_a_raw_key_is_seen() -> None:
    """Key 1 instead of a key of the digit form: the same test fails."""
    assert suspicious(pair_p_values(squares64, (1, 1), 1, 2)) != []


def test_a_bad_generator_is_seen() -> None:
    assert suspicious(pair_p_values(one_round, (FIRST, FIRST), INDEX, 2 * INDEX)) != []


def test_equal_streams_are_seen() -> None:
    upper, lower = pair_p_values(squares64, (FIRST, FIRST), 0, INDEX)
    assert upper < P_MIN
    assert lower < P_MIN


@njit
def fill(key, draw, out):  # type: ignore[no-untyped-def]
    for index in range(out.size):
        out[index] = uniform(key, index, draw)


def test_uniform_draws_are_uniform() -> None:
    """The generator of this process, 2^24 draws: 4,096 cells, and the largest deviation."""
    draws = np.empty(1 << 24)
    fill(np.uint64(FIRST), 0, draws)
    counts = np.bincount((draws * 4096).astype(np.int64), minlength=4096)
    assert suspicious([float(stats.chisquare(counts).pvalue)]) == []
    assert suspicious([float(stats.kstest(draws[: 1 << 20], "uniform").pvalue)]) == []
    assert abs(draws.mean() - 0.5) < 5 * np.sqrt(1 / 12 / draws.size)


def test_distances_between_arrivals_of_a_share_are_geometric() -> None:
    """Runs of u >= p between hits of u < p, as canary and error draws use them."""
    share = 0.01
    draws = np.empty(1 << 22)
    fill(np.uint64(key(purpose=Purpose.ERROR)), 0, draws)
    gaps = np.diff(np.flatnonzero(draws < share))
    cells = np.minimum(gaps, 500) - 1
    counts = np.bincount(cells, minlength=500)
    law = stats.geom(share)
    means = np.append(law.pmf(np.arange(1, 500)), law.sf(499)) * gaps.size
    assert suspicious([float(stats.chisquare(counts, means).pvalue)]) == []
