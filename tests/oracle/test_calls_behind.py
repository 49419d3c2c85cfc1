"""What a function calls holds its instance: queueing theory through ``calls:``."""

import numpy as np
import pytest

from apisim.engine.program import Program
from apisim.gateway.status import Answer
from tests.support.experiments import (
    function_api,
    mean_latency_s,
    means,
    one_source,
    prepare,
    rows_of,
    scenario,
    seconds,
)
from tests.support.queues import erlang_c, m_g_1_wait
from tests.support.verdicts import assert_matches, assert_sees

pytestmark = pytest.mark.oracle

R = 20


def behind(rate: float, service: object, servers: int, n: int, warm_up_s: float) -> Program:
    """Poisson calls of a function that does nothing but ask a queue of ``servers``."""
    data = function_api({"duration": 0, "calls": [{"endpoint": "db"}]})
    data["endpoints"] = {"db": {"servers": servers, "service_time": service}}
    load = one_source(f"{rate:g}/s", seconds(warm_up_s + round(n / rate)))
    return prepare(scenario(**data, traffic=load, warm_up=seconds(warm_up_s)))


def test_callers_of_a_function_wait_for_its_database_by_erlang_c() -> None:
    """Oracle 3.2 (M/M/20 at 16 erlang) behind a function; 5 % is seen. False alarm: 8e-4."""
    wait = erlang_c(20, 16) / (20 - 16)
    program = behind(16, {"exponential": "1s"}, 20, n=20_000, warm_up_s=60)
    latencies = means(program, R, mean_latency_s)
    assert_matches(latencies, 1 + wait)
    assert_sees(latencies - 1, erlang_c(20, 16.8) / (20 - 16.8))


def test_callers_of_a_function_wait_for_its_database_by_pollaczek_and_khinchine() -> None:
    """Oracle 3.4, M/G/1 with C2 = 4 behind a function; 5 % is seen. False alarm: 8e-4."""
    law = {"gamma": {"mean": "100ms", "cv": 2}}
    program = behind(8, law, 1, n=40_000, warm_up_s=200)
    waits = means(program, R, lambda done: mean_latency_s(done) - 0.1)
    assert_matches(waits, m_g_1_wait(8, 0.1, 4.0))
    assert_sees(waits, m_g_1_wait(8.4, 0.1, 4.0), m_g_1_wait(8 / 1.05, 0.1, 4.0))


def test_an_instance_is_held_as_long_as_its_call_takes() -> None:
    """Little on the path itself: instance time is the callers' time, to the nanosecond."""
    program = behind(40, {"exponential": "100ms"}, 5, n=4_000, warm_up_s=1)
    done, rows = rows_of(program)
    assert (rows["answer"] == Answer.SERVED).all()
    assert int(done.pools["busy_ns"][0]) == int(rows["latency_ns"].sum())
    assert int(done.endpoints["busy_ns"][0]) < int(done.pools["busy_ns"][0])
    starts = np.concatenate([rows["arrival_ns"], rows["arrival_ns"] + rows["latency_ns"]])
    order = np.argsort(starts, kind="stable")
    held = np.cumsum(np.repeat([1, -1], len(rows))[order]).max()
    # Ends and arrivals at one instant aside: ends come first.
    assert int(done.pools["max_busy"][0]) == held
