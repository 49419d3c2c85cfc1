"""Poisson and bursty arrivals have the counts, gaps and dispersion of their processes."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.support.experiments import (
    Data,
    means,
    mock_api,
    one_source,
    prepare,
    rows_of,
    run,
    scenario,
)
from tests.support.verdicts import assert_matches, assert_sees

pytestmark = pytest.mark.oracle

R = 20
SECOND_NS = 1_000_000_000
#: A Kolmogorov-Smirnov test of all replications together; its false alarm rate.
P_MIN = 1e-4


def source(phases: list[Data], **more: object) -> Data:
    traffic = {"open": {"phases": phases, "mix": {"GET /": 1}, **more}}
    return scenario(apis=mock_api(), traffic=traffic)


def counts_a_second(data: Data, n_replications: int) -> NDArray[np.int64]:
    """Arrivals as [replication, second]; the run is shorter than the recorder's 4,096 periods."""
    program = prepare(data)
    n_seconds = program.horizon_ns // SECOND_NS
    series = []
    for number in range(n_replications):
        recorder = run(program, number).recorder
        assert recorder.total["period_ns"][0] == SECOND_NS
        series.append(recorder.series[0, :n_seconds, :-3].sum(axis=1))
    return np.array(series)


def test_poisson_counts_have_their_rate_as_mean_and_as_variance() -> None:
    """Oracle 2.1. False alarm: 8e-4 for each of three comparisons."""
    counts = counts_a_second(scenario(apis=mock_api(), traffic=one_source("100/s", "500s")), R)
    assert_matches(counts.mean(axis=1), 100)
    assert_sees(counts.mean(axis=1), 105, 95)
    for n_joined in (1, 20):
        joined = counts.reshape(R, -1, n_joined).sum(axis=2)
        dispersion = ((joined - 100 * n_joined) ** 2).mean(axis=1) / (100 * n_joined)
        assert_matches(dispersion, 1)
        assert_sees(dispersion, 1.5, 0.5)


def test_poisson_gaps_are_exponential_and_independent() -> None:
    """Oracle 2.1, 200,000 gaps. False alarm: 1e-4 and 8e-4."""
    program = prepare(scenario(apis=mock_api(), traffic=one_source("100/s", "100s")))
    runs = [np.diff(rows_of(program, number)[1]["arrival_ns"]) for number in range(R)]
    gaps = np.concatenate(runs) / (SECOND_NS / 100)
    assert stats.kstest(gaps, "expon").pvalue > P_MIN
    assert stats.kstest(gaps * 1.05, "expon").pvalue < P_MIN
    following = [float(np.corrcoef(gap[:-1], gap[1:])[0, 1]) for gap in runs]
    assert_matches(following, 0)
    assert_sees(following, 0.05, -0.05)


#: A morning, a spike and its end: length [s], rates at start and end [1/s].
RAMPS = [(60.0, 0.0, 200.0), (30.0, 200.0, 200.0), (20.0, 500.0, 20.0), (40.0, 20.0, 0.0)]


def integrated(times: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.zeros_like(times)
    start = 0.0
    for length, low, high in RAMPS:
        spent = np.clip(times - start, 0, length)
        total += low * spent + (high - low) * spent**2 / length / 2
        start += length
    return total


def test_arrivals_at_a_changing_rate_are_unit_exponentials_in_its_integral() -> None:
    """Oracle 2.2, the time-rescaling theorem. False alarm: 1e-4 and 8e-4."""
    phases = [
        {"name": f"p{at}", "duration": f"{length}s", "rate": f"{low}/s", "ramp_to": f"{high}/s"}
        for at, (length, low, high) in enumerate(RAMPS)
    ]
    program = prepare(source(phases))
    steps, totals = [], []
    for number in range(R):
        times = rows_of(program, number)[1]["arrival_ns"] / SECOND_NS
        steps.append(np.diff(integrated(times), prepend=0))
        totals.append(len(times))
    steps_joined = np.concatenate(steps)
    assert stats.kstest(steps_joined, "expon").pvalue > P_MIN
    assert stats.kstest(steps_joined * 1.05, "expon").pvalue < P_MIN
    truth = sum(length * (low + high) / 2 for length, low, high in RAMPS)
    assert_matches(totals, truth)
    assert_sees(totals, truth * 1.05, truth / 1.05)


def test_a_quarter_of_a_day_of_a_sine_has_its_integral() -> None:
    """Oracle 2.2: 100 (1 + sin(2 pi t / day) / 2) per second expects 2,847,549.35 in six hours.

    As 72 straight pieces of 300 s, whose integral is 29 less; a hundredth of the rate is
    replicated. False alarm: 8e-4.
    """

    def phases(scale: float) -> list[Data]:
        rates = [scale * (1 + 0.5 * math.sin(2 * math.pi * at / 288)) for at in range(73)]
        return [
            {
                "name": f"p{at}",
                "duration": "300s",
                "rate": f"{rates[at]:.6f}/s",
                "ramp_to": f"{rates[at + 1]:.6f}/s",
            }
            for at in range(72)
        ]

    expected = int(prepare(source(phases(100))).tables.pieces["mass"].sum()) / (1 << 29)
    assert expected == pytest.approx(2_847_549.35, abs=30)
    totals = means(prepare(source(phases(1))), R, lambda done: done.n_requests)
    assert_matches(totals, 28_475.4935)
    assert_sees(totals, 28_475.4935 * 1.05, 28_475.4935 / 1.05)


def test_bursty_arrivals_have_the_dispersion_of_their_two_states() -> None:
    """Oracle 2.3: mean 140/s, I(inf) = 343.857. False alarm: 8e-4 for each comparison.

    Counts in windows of t seconds have I(t) = 1 + (I(inf) - 1) (1 - (1 - e^-rt) / rt), where
    r = 0.3 is the sum of the rates of change (Fischer and Meier-Hellstern 1993).
    """
    arrivals = {"bursty": {"ratio": 10, "peak_for": "10s", "base_for": "5s"}}
    load = one_source("140/s", "1500s", arrivals=arrivals)
    counts = counts_a_second(scenario(apis=mock_api(), traffic=load), 24)
    assert_matches(counts.mean(axis=1), 140)
    peak, base, leave_peak, leave_base = 200, 20, 0.1, 0.2
    change = leave_peak + leave_base
    spread = leave_peak * leave_base * (peak - base) ** 2
    limit = 1 + 2 * spread / (change**2 * (peak * leave_base + base * leave_peak))
    assert limit == pytest.approx(343.857, abs=5e-4)
    for n_joined, sees in ((1, 1.25), (5, 1.25), (50, 2)):
        joined = counts.reshape(len(counts), -1, n_joined).sum(axis=2)
        dispersion = ((joined - 140 * n_joined) ** 2).mean(axis=1) / (140 * n_joined)
        time = change * n_joined
        truth = 1 + (limit - 1) * (1 - (1 - math.exp(-time)) / time)
        assert_matches(dispersion, truth)
        assert_sees(dispersion, truth * sees, truth / sees)


def test_published_counts_are_expected_in_every_period() -> None:
    """Poisson around each count: mean and spread. False alarm: 8e-4 for each of two comparisons."""
    counts = np.array([105, 246, 110, 0, 321, 98, 7, 59, 1_000, 400])
    load = [{"name": "match", "per": "10s", "counts": counts.tolist()}]
    seen = counts_a_second(source(load), R).reshape(R, -1, 10).sum(axis=2)
    assert seen[:, counts == 0].sum() == 0
    scaled = (seen - counts)[:, counts > 0] / np.sqrt(counts[counts > 0])
    assert_matches(scaled.mean(axis=1), 0)
    assert_matches((scaled**2).mean(axis=1), 1)
    assert_sees(seen.sum(axis=1), counts.sum() * 1.05, counts.sum() / 1.05)
    # Each count by itself: a chi-square statistic of all, with one degree of freedom for each.
    statistic = R * float((scaled.mean(axis=0) ** 2).sum())
    assert stats.chi2.sf(statistic, scaled.shape[1]) > P_MIN
