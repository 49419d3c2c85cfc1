"""Quantiles and distribution functions against scipy.stats, to 12 digits."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from apisim.draws.distributions import (
    Distribution,
    Exponential,
    Gamma,
    LogNormal,
    LogNormalMean,
    Mixture,
    Pareto,
    Quantiles,
    Samples,
    Uniform,
)

Z99 = float(stats.norm.ppf(0.99))

PROBABILITIES = np.concatenate(
    [
        10.0 ** -np.arange(9, 2, -0.25),
        np.linspace(0.01, 0.99, 99),
        1 - 10.0 ** -np.arange(2.25, 9.1),
    ]
)


def log_normal(p50: float, p99: float) -> "stats.rv_frozen":
    return stats.lognorm(s=math.log(p99 / p50) / Z99, scale=p50)


LAWS: list[tuple[Distribution, "stats.rv_frozen"]] = [
    (LogNormal(20.0, 100.0), log_normal(20.0, 100.0)),
    (LogNormal(4e6, 9e9), log_normal(4e6, 9e9)),
    (LogNormal(250.0, 251.0), log_normal(250.0, 251.0)),
    (Exponential(3.5), stats.expon(scale=3.5)),
    (Uniform(5.0, 9.0), stats.uniform(5, 4)),
    (Uniform(0.0, 1.0), stats.uniform(0, 1)),
    (Pareto(1.0, 2.5), stats.pareto(2.5)),
    (Pareto(7e6, 0.9), stats.pareto(0.9, scale=7e6)),
    *(
        (Gamma(10.0, cv), stats.gamma(1 / cv**2, scale=10 * cv**2))
        for cv in (0.01, 0.05, 0.1, 0.5, 0.99, 1.0, 1.01, 1.5, 2.0, 3.0, 5.0)
    ),
]


@pytest.mark.parametrize(("law", "reference"), LAWS, ids=lambda value: repr(value)[:40])
def test_quantiles_agree_to_12_digits(law: Distribution, reference: "stats.rv_frozen") -> None:
    got = np.array([law.quantile(q) for q in PROBABILITIES.tolist()])
    np.testing.assert_allclose(got, reference.ppf(PROBABILITIES), rtol=1e-12)


@pytest.mark.parametrize(("law", "reference"), LAWS, ids=lambda value: repr(value)[:40])
def test_means_and_distribution_functions_agree(
    law: Distribution, reference: "stats.rv_frozen"
) -> None:
    assert law.mean() == pytest.approx(reference.mean(), rel=1e-12)
    x = reference.ppf(PROBABILITIES)
    got = [law.cdf(v) for v in x.tolist()]
    np.testing.assert_allclose(got, reference.cdf(x), rtol=1e-11, atol=1e-15)


def test_log_normal_through_p50_and_p99() -> None:
    """oracles.md 2.5: 20 ms and 100 ms."""
    law = LogNormal(20.0, 100.0)
    assert law.sigma == pytest.approx(0.691830, abs=5e-7)
    assert law.mean() == pytest.approx(25.4076, abs=5e-5)
    assert law.quantile(0.95) == pytest.approx(62.408, abs=5e-4)
    assert math.expm1(law.sigma**2) == pytest.approx(0.61386, abs=5e-6)
    assert law.quantile(0.5) == 20.0
    assert law.quantile(0.99) == pytest.approx(100.0, rel=1e-14)


@pytest.mark.parametrize("p99", [10.001, 12.0, 50.0, 100.0, 149.68])
def test_log_normal_through_mean_and_p99(p99: float) -> None:
    law = LogNormalMean(10.0, p99)
    reference = stats.lognorm(s=law.sigma, scale=law.median)
    assert reference.mean() == pytest.approx(10.0, rel=1e-12)
    assert reference.ppf(0.99) == pytest.approx(p99, rel=1e-12)
    assert law.quantile(0.99) == pytest.approx(p99, rel=1e-12)
    assert law.sigma <= Z99  # the lighter of the two tails that would do
    np.testing.assert_allclose(
        [law.quantile(q) for q in PROBABILITIES.tolist()], reference.ppf(PROBABILITIES), rtol=1e-12
    )


def test_pareto_without_a_mean_says_so() -> None:
    assert Pareto(1.0, 1.0).mean() == math.inf
    assert Pareto(1.0, 0.5).mean() == math.inf


def test_given_quantiles_are_interpolated_as_numpy_does() -> None:
    points = ((5, 2.0), (50, 10.0), (90, 10.0), (99, 40.0), (99.9, 400.0))
    percentages, values = zip(*points, strict=True)
    np.testing.assert_allclose(
        [Quantiles(points).quantile(q) for q in PROBABILITIES.tolist()],
        np.interp(PROBABILITIES, np.array(percentages) / 100, values),
        rtol=1e-12,
    )


def test_samples_have_the_quantiles_of_the_empirical_distribution() -> None:
    samples = np.random.default_rng(3).gamma(2.0, size=997)
    got = [Samples(samples.tolist()).quantile(q) for q in PROBABILITIES.tolist()]
    np.testing.assert_array_equal(got, np.quantile(samples, PROBABILITIES, method="inverted_cdf"))


def test_quantiles_of_a_mixture_solve_its_distribution_function() -> None:
    law = Mixture(((0.99, LogNormal(20.0, 100.0)), (0.01, Gamma(3000.0, 0.5))))
    parts = ((0.99, log_normal(20.0, 100.0)), (0.01, stats.gamma(4, scale=750)))
    for q in (1e-6, 0.1, 0.5, 0.9, 0.98, 0.99, 0.995, 0.9999):
        truth = optimize.brentq(
            lambda x, q=q: sum(w * p.cdf(x) for w, p in parts) - q, 1e-3, 1e6, xtol=1e-12
        )
        assert law.quantile(q) == pytest.approx(truth, rel=1e-9)
