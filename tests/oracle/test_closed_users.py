"""Users who wait for their answers, think, and call again: exact mean value analysis."""

import numpy as np
import pytest

from tests.support.experiments import endpoint_api, mean_latency_s, prepare, run, scenario
from tests.support.queues import mean_value_analysis
from tests.support.verdicts import assert_matches, assert_sees

pytestmark = pytest.mark.oracle

R = 20
MEASURED_S, WARM_UP_S = 1000, 60


@pytest.mark.parametrize(
    ("users", "throughput", "response_ms"),
    [(10, 9.76418, 24.15), (50, 44.76063, 117.05), (100, 50.0, 1000.0)],
)
def test_throughput_and_response_are_those_of_mean_value_analysis(
    users: int, throughput: float, response_ms: float
) -> None:
    """Oracle 2.4; a 5 % slower server is seen. False alarm: 8e-4 for each of three comparisons."""
    expected, response = mean_value_analysis(users, 1.0, 0.02)
    assert expected == pytest.approx(throughput, abs=5e-6)
    assert response * 1e3 == pytest.approx(response_ms, abs=0.005)
    phase = {
        "name": "office",
        "duration": f"{MEASURED_S + WARM_UP_S}s",
        "users": users,
        "think_time": {"exponential": "1s"},
    }
    program = prepare(
        scenario(
            **endpoint_api({"servers": 1, "service_time": {"exponential": "20ms"}}),
            traffic={"closed": {"phases": [phase], "mix": {"GET /": 1}}},
            warm_up=f"{WARM_UP_S}s",
            seed=users,
        )
    )
    runs = [run(program, number) for number in range(R)]
    rates = np.array([done.recorder.counts.sum() for done in runs]) / MEASURED_S
    responses = np.array([mean_latency_s(done) for done in runs])
    assert_matches(rates, expected)
    assert_matches(responses, response)
    slower = mean_value_analysis(users, 1.0, 0.021)
    faster = mean_value_analysis(users, 1.0, 0.019)
    assert_sees(responses, slower[1], faster[1])
    # The interactive response-time law, N = X (R + Z), whatever the service law.
    assert_matches(rates * (responses + 1.0), users)
    assert_sees(rates * (responses + 1.05), users)


def test_users_start_out_of_step_and_a_given_offset_puts_them_in_step() -> None:
    """Twenty users with a think time of exactly 1 s: spread over it, or all at once."""
    phase = {"name": "office", "duration": "10s", "users": 20, "think_time": "1s"}
    source = {"phases": [phase], "mix": {"GET /": 1}}
    data = endpoint_api({"servers": 1, "service_time": "1us"})
    spread = run(prepare(scenario(**data, traffic={"closed": source})))
    together = run(prepare(scenario(**data, traffic={"closed": {**source, "offset": 0}})))
    assert spread.endpoints["max_waiting"][0] == 0
    assert together.endpoints["max_waiting"][0] == 19
    assert spread.n_requests == together.n_requests == 200
