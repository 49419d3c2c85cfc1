"""Control variates of runs: their means are zero, and what they leave is right."""

import math

import numpy as np
import pytest

from apisim.engine.run import run_replication
from apisim.results.controls import controls_of
from apisim.scenario import loads
from apisim.studies import run
from apisim.studies.preparation import prepare

pytestmark = pytest.mark.oracle

QUEUE = """
apisim: 1
profile: ideal
warm_up: 20s
apis: {a: {type: rest, routes: {GET /x: {integration: {type: http_proxy, endpoint: e}}}}}
endpoints: {e: {servers: 1, queue_limit: 1000, service_time: {exponential: 100ms}}}
traffic:
  web:
    phases: [{duration: 200s, rate: 5}, {duration: 60s, rate: 2, ramp_to: 8}]
    mix: {GET /x: 1}
"""
MOCK = """
apisim: 1
profile: ideal
apis: {a: {type: rest, routes: {GET /x: {integration: {type: mock}}}}}
traffic: {web: {phases: [{duration: 100s, rate: 50}], mix: {GET /x: 1}}}
"""


def z_of(values: list[float]) -> float:
    return float(np.mean(values) / (np.std(values, ddof=1) / math.sqrt(len(values))))


def test_both_controls_have_mean_zero() -> None:
    """200 replications; |z| < 4, false alarm 1e-4. Five per cent off, it is seen."""
    preparation = prepare(loads(QUEUE), engine="auto", skip_bad_rows=False, extend=None)
    replications = [run_replication(preparation.program, number) for number in range(200)]
    found = [controls_of(one) for one in replications]
    assert set(found[0]) == {"calls", "service"}
    assert abs(z_of([one["calls"] for one in found])) < 4
    assert abs(z_of([one["service"] for one in found])) < 4
    # 1,300 calls are expected of each, the warm-up among them, of 0.1 s each.
    assert abs(z_of([one["calls"] + 0.05 * 1_300 for one in found])) > 4
    wrong = [
        control["service"] + 0.05 * 100e6 * int(one.endpoints["served"][0])
        for control, one in zip(found, replications, strict=True)
    ]
    assert abs(z_of(wrong)) > 4


def test_the_mean_cost_of_calls_that_all_cost_the_same_is_known_exactly() -> None:
    result = run(loads(MOCK), replications=6)
    found = result.controlled["cost_run value"]
    # 5,000 calls are expected, at 3.50 a million and 1 KB at 0.09 a GB.
    assert found.interval.mean == pytest.approx(5_000 * (3.5e-6 + 1024 * 0.09 / 2**30), rel=1e-9)
    assert found.interval.half_width < 1e-6 * found.interval.mean
    assert found.gain > 1e6
    assert found.controls == ("calls",)
    # Whereas the plain mean is off by chance.
    plain = result.intervals["cost_run value"]
    assert plain.half_width > 1e-3 * plain.mean


def test_the_mean_latency_of_a_queue_gains_from_calls_and_service() -> None:
    """M/M/1 at load 0.5 in 200 replications of 2,100 calls: truth 0.2 s.

    The relative variance of the mean is about 9/n; 1/n of it is the arrival rate's and 4/n are the
    service rate's, by the derivatives of 1/(mu - lambda): a gain of 9/4, the error of it 10 %.
    """
    text = QUEUE.replace("[{duration: 200s, rate: 5}, {duration: 60s, rate: 2, ramp_to: 8}]",
                         "[{duration: 420s, rate: 5}]")  # fmt: skip
    result = run(loads(text), replications=200)
    found = result.controlled["latency mean"]
    assert found.controls == ("calls", "service")
    assert 1.6 < found.gain < 3.0
    assert abs(found.interval.mean - 200) < 2 * found.interval.half_width
    assert found.interval.half_width < result.intervals["latency mean"].half_width
    told = result.to_dict()["controlled"]["latency mean"]
    assert told["gain"] == found.gain
    assert told["controls"] == ["calls", "service"]
    assert "latency mean with control variates (calls, service): " in " ".join(str(result).split())


@pytest.mark.parametrize(
    "change",
    [
        "traffic.web.arrivals=bursty",
        "traffic.web.arrivals=uniform",
        "traffic.web.client={}",
        "traffic.web.phases=[{duration: 60s, users: 5, think_time: 1s}]",
    ],
)
def test_traffic_whose_number_of_calls_is_not_drawn_by_itself_has_no_control(change: str) -> None:
    scenario = loads(MOCK, overrides=[change])
    assert run(scenario, replications=6).controlled == {}


def test_a_regression_needs_five_replications() -> None:
    assert run(loads(MOCK), replications=3).controlled == {}
    assert run(loads(MOCK), replications=1).controlled == {}
