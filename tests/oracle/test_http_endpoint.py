"""Requests that queue for an HTTP endpoint wait as queueing theory says."""

import heapq
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from apisim.engine.program import Program
from apisim.gateway.status import Answer
from tests.support.experiments import (
    Data,
    answered,
    endpoint_api,
    mean_latency_s,
    means,
    one_source,
    prepare,
    rows_of,
    run,
    scenario,
    seconds,
)
from tests.support.queues import erlang_c, finite_queue, m_g_1_wait
from tests.support.verdicts import assert_matches, assert_sees

pytestmark = pytest.mark.oracle

R = 20


def queue(
    rate: float, service: object, servers: int, n: int, warm_up_s: float, **endpoint: object
) -> Program:
    """About ``n`` Poisson arrivals a replication, after the warm-up."""
    load = one_source(f"{rate:g}/s", seconds(warm_up_s + round(n / rate)))
    data = endpoint_api({"servers": servers, "service_time": service, **endpoint})
    return prepare(scenario(**data, traffic=load, warm_up=seconds(warm_up_s)))


#: Law of a service time with mean 100 ms, its squared coefficient of variation, Wq at 8/s.
LAWS: list[tuple[object, float, float]] = [
    ("100ms", 0.0, 0.2),
    ({"gamma": {"mean": "100ms", "cv": 0.707107}}, 0.5, 0.3),
    ({"exponential": "100ms"}, 1.0, 0.4),
    ({"gamma": {"mean": "100ms", "cv": 2}}, 4.0, 1.0),
    ({"gamma": {"mean": "100ms", "cv": 3}}, 9.0, 2.0),
]


@pytest.mark.parametrize(("law", "squared_cv", "wait"), LAWS, ids=lambda value: str(value)[:30])
def test_one_server_makes_wait_by_pollaczek_and_khinchine(
    law: object, squared_cv: float, wait: float
) -> None:
    """Oracle 3.1 and 3.4, M/G/1; a 5 % higher rate is seen. False alarm: 8e-4.

    Waits in a queue are correlated over (1 + C2) / 2 * 90 services, so a replication has 40,000.
    """
    assert m_g_1_wait(8, 0.1, squared_cv) == pytest.approx(wait)
    program = queue(8, law, 1, n=40_000, warm_up_s=200)
    waits = means(program, R, lambda done: mean_latency_s(done) - 0.1)
    assert_matches(waits, wait)
    assert_sees(waits, m_g_1_wait(8.4, 0.1, squared_cv), m_g_1_wait(8 / 1.05, 0.1, squared_cv))


@pytest.mark.parametrize(
    ("servers", "offered", "delayed", "wait"),
    [(20, 16, 0.256078, 0.064019), (100, 90, 0.216940, 0.021694)],
)
def test_many_servers_make_wait_by_erlang_c(
    servers: int, offered: int, delayed: float, wait: float
) -> None:
    """Oracle 3.2: share delayed, mean wait, P(Wq > .1); 5 % is seen. False alarm: 8e-4 each."""
    assert erlang_c(servers, offered) == pytest.approx(delayed, abs=5e-7)
    assert delayed / (servers - offered) == pytest.approx(wait, rel=1e-5)
    program = queue(offered, {"exponential": "1s"}, servers, n=20_000, warm_up_s=60)
    waits, shares, tails = [], [], []
    for number in range(R):
        _, rows = rows_of(program, number)
        waited = waits_of(rows, servers)[rows["arrival_ns"] >= 60 * 10**9] / 1e9
        waits.append(waited.mean())
        shares.append((waited > 0).mean())
        tails.append((waited > 0.1).mean())
    assert_matches(waits, wait)
    assert_matches(shares, delayed)
    assert_matches(tails, delayed * math.exp(-(servers - offered) * 0.1))
    more = erlang_c(servers, offered * 1.05)
    assert_sees(shares, more)
    assert_sees(waits, more / (servers - offered * 1.05))


def test_a_short_queue_refuses_what_m_m_c_k_turns_away() -> None:
    """Oracle 3.3: M/M/2/3 at 3/s on 4/s: 503 for .049360, .762340 in it. False alarm: 8e-4 each."""
    p = finite_queue(2, 3, 0.75)
    assert p.tolist() == pytest.approx([0.468007, 0.351005, 0.131627, 0.049360], abs=5e-7)
    program = queue(3, {"exponential": "250ms"}, 2, n=20_000, warm_up_s=20, queue_limit=1)
    runs = [run(program, number) for number in range(R)]
    n = np.array([done.recorder.counts.sum() for done in runs])
    full = np.array([answered(done, Answer.ENDPOINT_FULL) for done in runs])
    assert_matches(full / n, p[3])
    assert_sees(full / n, finite_queue(2, 3, 0.75 * 1.05)[3], finite_queue(2, 3, 0.75 / 1.05)[3])
    # Little: number in it = rate * mean latency, refused ones spending none.
    number = 3 * np.array([mean_latency_s(done) for done in runs])
    assert_matches(number, 0.762340)
    assert_sees(number, 0.762340 * 1.05, 0.762340 / 1.05)


def test_time_in_an_m_m_1_queue_is_exponential() -> None:
    """Oracle 3.1: 5 % of W are over 1.497866 s, 1 % over 2.302585 s. False alarm: 8e-4 each."""
    program = queue(8, {"exponential": "100ms"}, 1, n=40_000, warm_up_s=200)
    times = []
    for number in range(R):
        _, rows = rows_of(program, number)
        times.append(rows["latency_ns"][rows["arrival_ns"] >= 200 * 10**9] / 1e9)
    for quantile, over in ((1.497866, 0.05), (2.302585, 0.01)):
        shares = [(time > quantile).mean() for time in times]
        assert_matches(shares, over)
        assert_sees(shares, math.exp(-1.6 * quantile), math.exp(-2.4 * quantile))


def waits_of(rows: NDArray[np.void], servers: int) -> NDArray[np.int64]:
    """Wait of each request [ns], from arrivals and ends alone: Kiefer and Wolfowitz.

    First come, first served: the k-th request starts when it is there and a server is free.
    """
    ends: list[int] = []
    waits = []
    for arrival, latency in zip(
        rows["arrival_ns"].tolist(), rows["latency_ns"].tolist(), strict=True
    ):
        free = heapq.heappop(ends) if len(ends) == servers else 0
        waits.append(max(free - arrival, 0))
        heapq.heappush(ends, arrival + latency)
    return np.array(waits)


@pytest.mark.parametrize("servers", [1, 3])
def test_little_holds_on_every_path(servers: int) -> None:
    """P4: the integral of busy servers is what was served, and of requests what was spent."""
    law: Data = {"p50": "80ms", "p99": "900ms"}
    program = queue(8 * servers, law, servers, n=5_000, warm_up_s=1)
    done, rows = rows_of(program)
    waits = waits_of(rows, servers)
    latencies = rows["latency_ns"]
    services = latencies - waits
    assert (services > 0).all()
    assert int(done.endpoints["busy_ns"][0]) == int(services.sum())
    # And those services are the law's: the same draws in the order of arrival.
    z = np.log(services / 80e6) / (math.log(900 / 80) / stats.norm.ppf(0.99))
    assert stats.kstest(z, "norm").pvalue > 1e-4
    # Requests in the system: a step up at each arrival, a step down at each end.
    steps = np.concatenate([rows["arrival_ns"], rows["arrival_ns"] + latencies])
    change = np.repeat([1, -1], len(rows))
    order = np.argsort(steps, kind="stable")
    number, at = np.cumsum(change[order]), steps[order]
    assert int((number[:-1] * np.diff(at)).sum()) == int(latencies.sum())
    assert int(number[at <= rows["arrival_ns"][-1]].max()) <= servers + int(
        done.endpoints["max_waiting"][0]
    )
