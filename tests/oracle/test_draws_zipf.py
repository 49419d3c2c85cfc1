"""Ranks have exactly Zipf's probabilities, by table and by rejection alike.

Chi-square tests of 2^20 draws each at fixed seeds; with fresh seeds one of them would fail once in
50,000. The probabilities are summed term by term, and beyond a million terms by Euler-Maclaurin.
"""

import math

import numpy as np
import numpy.typing as npt
import pytest
from numba import njit
from scipy import stats

from apisim.draws.discrete import KeyTable, UniformKeys, WeightedKeys, ZipfKeys, sample_key
from apisim.draws.keys import stream_key
from apisim.draws.purposes import Purpose
from apisim.draws.zipf import zipf_constants, zipf_rank

pytestmark = pytest.mark.oracle

KEY = stream_key(11, 0, Purpose.KEY, "zipf")
N_DRAWS = 1 << 20
P_MIN = 2e-5
EXPONENTS = [0.0, 0.3, 0.8, 1.0, 1.0 + 1e-9, 1.2, 2.0, 5.0]


@njit
def count_rejection(s, n, constants, key, n_draws, edges, counts):  # type: ignore[no-untyped-def]
    start, end, safe = constants
    for index in range(n_draws):
        rank = zipf_rank(s, n, start, end, safe, key, index, 0)
        counts[np.searchsorted(edges, rank, side="right") - 1] += 1


@njit
def count_keys(rows, cells, row, key, n_draws, edges, counts):  # type: ignore[no-untyped-def]
    for index in range(n_draws):
        rank = sample_key(rows, cells, row, key, index, 0)
        counts[np.searchsorted(edges, rank, side="right") - 1] += 1


def power_sum(s: float, first: int, last: int) -> float:
    """Sum of k^-s for k in [first, last]."""
    direct = min(last, 1_000_000)
    total = math.fsum((np.arange(first, direct + 1, dtype=float) ** -s).tolist())
    if last > direct:
        a, b = float(max(first, direct + 1)), float(last)
        integral = math.log(b / a) if s == 1 else (b ** (1 - s) - a ** (1 - s)) / (1 - s)
        total += integral + (a**-s + b**-s) / 2 + s * (a ** (-s - 1) - b ** (-s - 1)) / 12
    return total


def rank_bins(n: int) -> npt.NDArray[np.int64]:
    """First ranks of bins: one rank each up to 100, then a quarter of an octave each."""
    grown = np.unique(np.floor(100 * 2 ** (np.arange(1, 100) / 4)).astype(np.int64))
    edges = np.concatenate([np.arange(min(n, 101), dtype=np.int64), grown])
    return edges[edges < n]


def expected(s: float, n: int, edges: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    ends = np.append(edges[1:], n)
    sums = [power_sum(s, int(a) + 1, int(b)) for a, b in zip(edges, ends, strict=True)]
    return np.array(sums) / math.fsum(sums) * N_DRAWS


def p_value(counts: npt.NDArray[np.int64], means: npt.NDArray[np.float64]) -> float:
    """Chi-square with rare bins pooled."""
    common = means >= 10
    if (~common).any():
        counts = np.append(counts[common], counts[~common].sum())
        means = np.append(means[common], means[~common].sum())
        if means[-1] < 10:
            counts = np.append(counts[:-2], counts[-2:].sum())
            means = np.append(means[:-2], means[-2:].sum())
    if counts.size == 1:
        return 1.0
    return float(stats.chisquare(counts, means * (counts.sum() / means.sum())).pvalue)


@pytest.mark.parametrize("s", EXPONENTS)
@pytest.mark.parametrize("n", [2, 3, 50, 70_000, 10**9])
def test_ranks_by_rejection_are_zipf(s: float, n: int) -> None:
    edges = rank_bins(n)
    counts = np.zeros(edges.size, dtype=np.int64)
    count_rejection(s, n, zipf_constants(s, n), KEY, N_DRAWS, edges, counts)
    assert p_value(counts, expected(s, n, edges)) > P_MIN


@pytest.mark.parametrize("s", EXPONENTS)
@pytest.mark.parametrize("n", [2, 50, 65_536])
def test_ranks_by_table_are_zipf(s: float, n: int) -> None:
    table = KeyTable()
    row = table.add(ZipfKeys(s, n))
    edges = rank_bins(n)
    counts = np.zeros(edges.size, dtype=np.int64)
    count_keys(*table.freeze(), row, KEY, N_DRAWS, edges, counts)
    assert p_value(counts, expected(s, n, edges)) > P_MIN


@pytest.mark.parametrize("n", [50, 10**9])
def test_an_exponent_off_by_one_percent_is_seen(n: int) -> None:
    edges = rank_bins(n)
    counts = np.zeros(edges.size, dtype=np.int64)
    count_rejection(1.01, n, zipf_constants(1.01, n), KEY, N_DRAWS, edges, counts)
    assert p_value(counts, expected(1.0, n, edges)) < P_MIN


@pytest.mark.parametrize("n", [7, 1000, 10**9])
def test_uniform_keys_are_equally_popular(n: int) -> None:
    table = KeyTable()
    row = table.add(UniformKeys(n))
    edges = np.unique(np.linspace(0, n, min(n, 1000) + 1).astype(np.int64))[:-1]
    counts = np.zeros(edges.size, dtype=np.int64)
    count_keys(*table.freeze(), row, KEY, N_DRAWS, edges, counts)
    widths = np.diff(np.append(edges, n))
    assert p_value(counts, widths / n * N_DRAWS) > P_MIN


def test_weighted_keys_are_as_popular_as_they_weigh() -> None:
    weights = (5.0, 0.0, 1.0, 0.5, 3.5, 0.01)
    table = KeyTable()
    row = table.add(WeightedKeys(weights))
    edges = np.arange(len(weights))
    counts = np.zeros(edges.size, dtype=np.int64)
    count_keys(*table.freeze(), row, KEY, N_DRAWS, edges, counts)
    assert counts[1] == 0
    means = np.array(weights) / sum(weights) * N_DRAWS
    assert p_value(counts[means > 0], means[means > 0]) > P_MIN
