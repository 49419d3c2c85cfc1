"""Batch means of one long run: M/M/1 in an HTTP endpoint, against what is known of it."""

import math

import pytest

from apisim.scenario import Scenario, loads
from apisim.studies import run

pytestmark = pytest.mark.oracle

TEXT = """
apisim: 1
profile: ideal
seed: 11
warm_up: 100s
apis: {a: {type: rest, routes: {GET /x: {integration: {type: http_proxy, endpoint: e}}}}}
endpoints: {e: {servers: 1, queue_limit: 100000, service_time: {exponential: 100ms}}}
traffic:
  web: {phases: [{duration: 10000s, rate: 5}], mix: {GET /x: 1}}
"""
MEAN_MS = 200.0  # 1 / (10 - 5) s
P99_MS = 200.0 * math.log(100)


def scenario(**changes: object) -> Scenario:
    return loads(TEXT).with_(**changes)


def test_intervals_contain_the_truth_as_often_as_they_say() -> None:
    """Of 40 intervals at 95 % fewer than 33 contain it with a probability of 0.3 % each."""
    inside = {"latency mean": 0, "latency p(99)": 0}
    for seed in range(40):
        found = run(scenario(seed=seed)).batch_means()
        for name, truth in (("latency mean", MEAN_MS), ("latency p(99)", P99_MS)):
            interval = found.intervals[name]
            inside[name] += interval.low <= truth <= interval.high
    assert all(count >= 33 for count in inside.values()), inside


def test_the_width_is_that_of_the_asymptotic_variance() -> None:
    """n Var(mean wait) -> rho (2 + 5 rho - 4 rho^2 + rho^3) / (mu^2 (1 - rho)^4), oracle 9.4.

    At load 0.5 that is 29 services squared. A sojourn is a wait and a service, whose own variance
    comes on top, so the width is somewhat beyond that of waits alone; Student's t of 30 batches.
    """
    widths = [
        run(scenario(seed=seed)).batch_means(batches=30).intervals["latency mean"].half_width
        for seed in range(10)
    ]
    n = 5 * 9_900
    mean = math.fsum(widths) / len(widths)
    of_waits = 2.045 * math.sqrt(29 / n) * 100
    assert 0.9 * of_waits < mean < 1.5 * of_waits


def test_the_estimates_are_those_of_the_run() -> None:
    result = run(scenario())
    found = result.batch_means(batches=25)
    assert found.batches == 25
    assert found.batch_s == pytest.approx(result.latency_series.window_ns / 1e9 * 3)
    assert found.intervals["latency mean"].mean == pytest.approx(result.latency_ms.mean)
    assert found.intervals["latency p(50)"].mean == pytest.approx(result.latency_ms.p50)
    assert not found.is_correlated


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("replications=2",), "there are 2 replications"),
        (("traffic.web.phases.0.ramp_to=8",), "is a ramp"),
        (("traffic.web.phases.0.duration=110s",), "too short"),
        (("traffic.web.phases.0.rate=0.001",), "too short"),
    ],
)
def test_what_cannot_be_cut_is_refused(overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(loads(TEXT).with_(*overrides)).batch_means()


def test_the_number_of_batches_has_limits() -> None:
    result = run(scenario(seed=1))
    for batches in (9, 31):
        with pytest.raises(ValueError, match="10 to 30"):
            result.batch_means(batches=batches)
