"""Clients that try again, against fixed points, queueing theory and the mean of each backoff.

Each comparison takes 20 replications and |z| < 4: with other seeds a right engine fails one in
1,300. Calls are counted by the phase they begin in, whose attempts all see the same load: the
phases before and after it are there for that.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from apisim.engine.program import Program
from apisim.engine.run import Replication
from apisim.gateway.status import Answer
from tests.support.experiments import (
    Data,
    endpoint_api,
    mock_api,
    prepare,
    rows_of,
    run,
    scenario,
)
from tests.support.verdicts import assert_matches, assert_sees

pytestmark = pytest.mark.oracle

R = 20


def measured(rate: float, length_s: float, client: Data, *, around_s: float = 10) -> Data:
    """Poisson calls of one source, of which those of the phase ``load`` are looked at."""
    lengths = {"before": around_s, "load": length_s, "after": around_s}
    phases = [
        {"name": name, "duration": f"{length:g}s", "rate": f"{rate:g}/s"}
        for name, length in lengths.items()
    ]
    return {"web": {"phases": phases, "mix": {"GET /": 1}, "client": client}}


def of_load(program: Program, done: Replication) -> tuple[int, int, int, NDArray[np.int64]]:
    """Calls that began in the phase ``load``: how many, successes, attempts, answers."""
    cell = [cell.phase for cell in program.names.cells].index("load")
    sums = done.recorder.calls.sums[cell]
    counts = done.recorder.counts[cell]
    return int(sums["calls"]), int(sums["succeeded"]), int(sums["attempts"]), counts


def shares_of(data: Data) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Refused share of attempts, share of calls that failed, attempts of a call; by replication."""
    program = prepare(data)
    found = []
    for number in range(R):
        calls, succeeded, attempts, counts = of_load(program, run(program, number))
        assert int(counts.sum()) == attempts  # P1: every attempt is a row
        refused = int(counts[Answer.THROTTLED_METHOD])
        found.append((refused / attempts, 1 - succeeded / calls, attempts / calls))
    refused_share, failed_share, tries = np.array(found).T
    return refused_share, failed_share, tries


@pytest.mark.parametrize(("retries", "refused"), [(1, 0.40825), (3, 0.63894)])
def test_late_retries_raise_the_load_to_the_fixed_point(retries: int, refused: float) -> None:
    """Oracle 5.6: p = f^(1/(k+1)), f = 1 - r / lambda; each try meets the bucket anew."""
    failed = 1 - 1000 / 1200
    assert failed ** (1 / (retries + 1)) == pytest.approx(refused, abs=5e-6)
    bucket = {"rate_limit": 1000, "burst_limit": 10}
    client = {"retries": {"max": retries, "base": "2s", "on": [429]}}
    traffic = measured(1200, 20, client, around_s=40)
    data = scenario(apis=mock_api({"throttle": bucket}), traffic=traffic, seed=retries)
    refused_share, failed_share, tries = shares_of(data)
    assert_matches(refused_share, refused)
    assert_matches(failed_share, failed)
    assert_matches(1200 * tries, 1000 / (1 - refused))  # what the gateway is asked for
    for wrong in (1000 * 0.98, 1000 * 1.02):
        assert_sees(refused_share, (1 - wrong / 1200) ** (1 / (retries + 1)))


@pytest.mark.parametrize(("retries", "refused"), [(1, 0.285714), (3, 0.444444)])
def test_retries_at_once_meet_the_same_empty_bucket(retries: int, refused: float) -> None:
    """Oracle 5.6: p = (k+1) f / (1 + k f); they help nobody."""
    failed = 1 - 1000 / 1200
    truth = (retries + 1) * failed / (1 + retries * failed)
    assert truth == pytest.approx(refused, abs=5e-7)
    bucket = {"rate_limit": 1000, "burst_limit": 50}
    client = {"retries": {"max": retries, "backoff": "none", "on": [429]}}
    data = scenario(
        apis=mock_api({"throttle": bucket}), traffic=measured(1200, 40, client), seed=retries
    )
    refused_share, failed_share, tries = shares_of(data)
    assert_matches(refused_share, refused)
    assert_matches(failed_share, failed)
    assert_matches(tries, 1 + retries * failed)
    assert_sees(refused_share, failed ** (1 / (retries + 1)))


def test_clients_go_as_often_as_the_time_in_an_m_m_1_queue_says() -> None:
    """Oracle 3.1: P(W > t) = e^(-(mu - lambda) t). Who goes is served all the same."""
    patience_s = 0.5 * np.log(20)  # the 95th percentile with lambda = 8, mu = 10
    client = {"timeout": f"{patience_s * 1e9:.0f}ns"}
    endpoint = {"servers": 1, "service_time": {"exponential": "100ms"}}
    data = scenario(
        **endpoint_api(endpoint), traffic=measured(8, 2_000, client, around_s=100), seed=3
    )
    program = prepare(data)
    found, served = [], []
    for number in range(R):
        done = run(program, number)
        calls, succeeded, attempts, _ = of_load(program, done)
        assert attempts == calls
        found.append(1 - succeeded / calls)
        served.append(int(done.endpoints["served"][0]) - done.n_requests)
    assert served == [0] * R
    assert_matches(found, 0.05)
    assert_sees(found, np.exp(-(10.5 - 8) * patience_s), np.exp(-(9.5 - 8) * patience_s))


#: Mean of each of five waits over the base, by the laws' recurrences; the cap is out of reach.
MEANS = {
    "fixed": [1, 1, 1, 1, 1],
    "exponential": [1, 2, 4, 8, 16],
    "full_jitter": [0.5, 1, 2, 4, 8],
    "equal_jitter": [0.75, 1.5, 3, 6, 12],
    # E[s'] = (1 + 3 E[s]) / 2, from s = 1 on.
    "decorrelated_jitter": [2, 3.5, 5.75, 9.125, 14.1875],
}


@pytest.mark.parametrize("backoff", MEANS)
def test_waits_between_attempts_have_the_mean_of_their_law(backoff: str) -> None:
    """Every attempt fails, so every call waits five times: 3,000 calls a replication."""
    base_ns = 10_000_000
    retries = {"max": 5, "backoff": backoff, "base": "10ms", "cap": "1h", "on": ["5xx"]}
    endpoint = {"servers": 10_000, "service_time": 0, "errors": "100%"}
    phases = [{"name": "load", "duration": "30s", "rate": 100}]
    source = {"phases": phases, "mix": {"GET /": 1}, "client": {"retries": retries}}
    program = prepare(scenario(**endpoint_api(endpoint), traffic={"web": source}, seed=9))
    waits = []
    for number in range(R):
        _, rows = rows_of(program, number)
        rows = rows[np.lexsort([rows["attempt"], rows["ordinal"]])]
        arrivals = rows["arrival_ns"].reshape(-1, 6)
        assert (rows["attempt"].reshape(-1, 6) == np.arange(6)).all()
        waits.append(np.diff(arrivals, axis=1).mean(axis=0) / base_ns)
    for of_retry, truth in zip(np.array(waits).T, MEANS[backoff], strict=True):
        if np.ptp(of_retry) == 0:
            assert of_retry[0] == truth
        else:
            assert_matches(of_retry, truth)
            assert_sees(of_retry, 1.05 * truth, 0.95 * truth)


@pytest.mark.parametrize(
    ("rate", "retries", "persists"), [(60, 0, False), (60, 1, True), (40, 1, False), (40, 2, True)]
)
def test_an_overload_stays_after_its_cause_where_retries_exceed_the_capacity(
    rate: int, retries: int, persists: bool
) -> None:
    """Oracle 5.9: ten servers of 100 ms, so 100/s; it stays iff lambda (k + 1) > 100/s.

    A spike of 5 s leaves a queue that outlasts every client's patience. The last minute begins
    three after it.
    """
    phases = [
        {"name": "calm", "duration": "20s", "rate": rate},
        {"name": "spike", "duration": "5s", "rate": 200},
        {"name": "wait", "duration": "180s", "rate": rate},
        {"name": "load", "duration": "60s", "rate": rate},
        {"name": "end", "duration": "10s", "rate": rate},
    ]
    client = {"timeout": "2s", "retries": {"max": retries, "base": "500ms", "on": ["timeout"]}}
    endpoint = {
        "servers": 10,
        "queue_limit": 1_000_000,
        "service_time": {"exponential": "100ms"},
    }
    source = {"phases": phases, "mix": {"GET /": 1}, "client": client}
    program = prepare(scenario(**endpoint_api(endpoint), traffic={"web": source}, seed=rate))
    for number in range(5):
        calls, succeeded, attempts, _ = of_load(program, run(program, number))
        if persists:
            assert succeeded == 0
            assert attempts == calls * (retries + 1)
        else:
            assert succeeded > 0.999 * calls
