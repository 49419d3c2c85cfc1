"""Real draws have the distribution they are said to have.

Means are compared by z-scores from the draws' own spread, shapes by a chi-square test of the
reference's distribution function at the draws. Seeds are fixed; with fresh ones a mean would fail
once in 16,000 tests, a shape once in 50,000.
"""

import math

import numpy as np
import numpy.typing as npt
import pytest
from numba import njit
from scipy import stats

from apisim.draws.distributions import (
    Distribution,
    DistributionTable,
    Exponential,
    Gamma,
    LogNormal,
    LogNormalMean,
    Mixture,
    Pareto,
    Quantiles,
    Samples,
    Uniform,
    sample,
    sample_int,
)
from apisim.draws.keys import stream_key
from apisim.draws.purposes import Purpose

pytestmark = pytest.mark.oracle

KEY = stream_key(7, 0, Purpose.SERVICE, "moments")
N = 400_000
Z_MAX = 4.0
P_MIN = 2e-5

LOG_NORMAL = stats.lognorm(s=math.log(5) / 2.3263478740408408, scale=20)

LAWS: list[tuple[Distribution, "stats.rv_frozen | None"]] = [
    (LogNormal(20.0, 100.0), LOG_NORMAL),
    (LogNormalMean(25.0, 100.0), None),
    (Exponential(3.5), stats.expon(scale=3.5)),
    (Uniform(5.0, 9.0), stats.uniform(5, 4)),
    (Pareto(1.0, 3.5), stats.pareto(3.5)),
    (Gamma(10.0, 0.1), stats.gamma(100, scale=0.1)),
    (Gamma(10.0, 1.0), stats.expon(scale=10)),
    (Gamma(10.0, 3.0), stats.gamma(1 / 9, scale=90)),
    (Quantiles(((0, 1), (50, 10), (90, 20), (99, 40), (100, 400))), None),
    (Samples((1.0, 2.0, 10.0)), None),
    (Mixture(((0.9, LogNormal(20.0, 100.0)), (0.1, Exponential(200.0)))), None),
]


@njit
def fill(rows, values, row, key, draw, out):  # type: ignore[no-untyped-def]
    for index in range(out.size):
        out[index] = sample(rows, values, row, key, index, draw)


@njit
def fill_int(rows, values, row, key, draw, out):  # type: ignore[no-untyped-def]
    for index in range(out.size):
        out[index] = sample_int(rows, values, row, key, index, draw)


def drawn(law: Distribution, draw: int = 0) -> npt.NDArray[np.float64]:
    table = DistributionTable()
    row = table.add(law)
    out = np.empty(N)
    fill(*table.freeze(), row, KEY, draw, out)
    return out


def mean_z(draws: npt.NDArray[np.float64], mean: float) -> float:
    return float((draws.mean() - mean) / (draws.std(ddof=1) / math.sqrt(draws.size)))


@pytest.mark.parametrize("law", [law for law, _ in LAWS], ids=repr)
def test_the_mean_of_draws_is_the_mean(law: Distribution) -> None:
    draws = drawn(law)
    assert abs(mean_z(draws, law.mean())) < Z_MAX
    # Power: a mean that is off by six standard errors is seen.
    off = 6 * draws.std() / math.sqrt(N)
    assert abs(mean_z(draws, law.mean() + off)) > 2
    assert max(abs(mean_z(draws, law.mean() + off)), abs(mean_z(draws, law.mean() - off))) > Z_MAX


@pytest.mark.parametrize(
    ("law", "reference"), [pair for pair in LAWS if pair[1] is not None], ids=lambda v: repr(v)[:40]
)
def test_draws_have_the_shape_of_the_reference(
    law: Distribution, reference: "stats.rv_frozen"
) -> None:
    u = reference.cdf(drawn(law))
    counts, _ = np.histogram(u, bins=256, range=(0, 1))
    assert stats.chisquare(counts).pvalue > P_MIN
    # Power: probabilities that are off by at most 0.8 % are seen.
    counts, _ = np.histogram(u**1.02, bins=256, range=(0, 1))
    assert stats.chisquare(counts).pvalue < P_MIN


def test_draws_of_a_mixture_have_the_shape_of_the_whole() -> None:
    law = Mixture(((0.9, LogNormal(20.0, 100.0)), (0.1, Exponential(200.0))))
    draws = drawn(law)
    u = 0.9 * LOG_NORMAL.cdf(draws) + 0.1 * stats.expon(scale=200).cdf(draws)
    counts, _ = np.histogram(u, bins=256, range=(0, 1))
    assert stats.chisquare(counts).pvalue > P_MIN


def test_the_squared_coefficient_of_variation_is_that_of_the_log_normal() -> None:
    """oracles.md 2.5: C2 = .61386 for 20 ms and 100 ms."""
    draws = drawn(LogNormal(20.0, 100.0)).reshape(100, -1)
    c2 = draws.var(axis=1, ddof=1) / draws.mean(axis=1) ** 2
    assert abs(mean_z(c2, 0.61386)) < Z_MAX


def test_whole_numbers_have_the_mean_of_the_distribution() -> None:
    law = Exponential(4e6)
    table = DistributionTable()
    row = table.add(law)
    out = np.empty(N, dtype=np.int64)
    fill_int(*table.freeze(), row, KEY, 0, out)
    assert abs(mean_z(out.astype(np.float64), law.mean())) < Z_MAX


def test_draws_of_two_attempts_are_uncorrelated() -> None:
    first, second = (drawn(Exponential(1.0), draw) for draw in (0, 1))
    r = float(np.corrcoef(first, second)[0, 1])
    assert abs(r) * math.sqrt(N) < Z_MAX
