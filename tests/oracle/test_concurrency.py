"""Concurrent executions: how many there are, how many are refused, and what is billed for them."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from apisim.engine.run import Replication
from apisim.gateway.status import Answer
from tests.support.experiments import (
    Data,
    answered,
    function_api,
    one_source,
    prepare,
    rows_of,
    run,
    scenario,
)
from tests.support.queues import erlang_b
from tests.support.verdicts import assert_matches, assert_sees

pytestmark = pytest.mark.oracle

R = 20
SECOND_NS = 1_000_000_000
#: Laws of a service time with mean 200 ms; what is busy does not depend on which.
LAWS: list[object] = [
    "200ms",
    {"exponential": "200ms"},
    {"gamma": {"mean": "200ms", "cv": 2}},
    {"mixture": [[0.5, "20ms"], [0.5, "380ms"]]},
]


def occupancy(rows: NDArray[np.void], from_ns: int, to_ns: int) -> NDArray[np.float64]:
    """Shares of a time window in which 0, 1, 2, ... executions run."""
    starts = rows["arrival_ns"]
    times = np.concatenate([starts, starts + rows["integration_ns"]])
    order = np.argsort(times, kind="stable")
    busy = np.cumsum(np.repeat([1, -1], len(rows))[order])
    edges = np.clip(times[order], from_ns, to_ns)
    return np.bincount(busy[:-1], weights=np.diff(edges), minlength=50) / (to_ns - from_ns)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: str(law)[:24])
def test_what_is_busy_is_poisson_whatever_the_service_law(law: object) -> None:
    """Oracle 4.1, M/G/inf at 100/s and 200 ms: mean 20, P(N >= 30) = .021818, p99 31.

    A 5 % wrong rate is seen. False alarm: 8e-4 for each of three comparisons.
    """
    assert stats.poisson(20).sf(29) == pytest.approx(0.021818, abs=5e-7)
    assert stats.poisson(20).ppf([0.99, 0.999]).tolist() == [31, 35]
    program = prepare(
        scenario(**function_api({"duration": law}), traffic=one_source("100/s", "202s"))
    )
    shares = [
        occupancy(rows_of(program, number)[1], 2 * SECOND_NS, 202 * SECOND_NS)
        for number in range(R)
    ]
    mean = [share @ np.arange(share.size) for share in shares]
    high = [share[30:].sum() for share in shares]
    assert_matches(mean, 20)
    assert_sees(mean, 21, 19)
    assert_matches(high, stats.poisson(20).sf(29))
    assert_sees(high, stats.poisson(21).sf(29), stats.poisson(19).sf(29))
    assert_matches([share[25:].sum() for share in shares], stats.poisson(20).sf(24))


@pytest.mark.parametrize(
    ("offered", "servers", "blocking"),
    [(20, 25, 0.050222), (20, 30, 0.008457), (80, 100, 0.003992), (950, 1000, 0.003649)],
)
def test_reserved_concurrency_refuses_by_erlang_b(
    offered: int, servers: int, blocking: float
) -> None:
    """Oracle 4.4, cold as fast as warm; 5 % more load is seen. False alarm: 8e-4."""
    assert erlang_b(servers, offered) == pytest.approx(blocking, abs=5e-7)
    shares = throttled_shares(offered, servers, {"exponential": "1s"})
    assert_matches(shares, erlang_b(servers, offered))
    assert_sees(shares, erlang_b(servers, offered * 1.05), erlang_b(servers, offered / 1.05))


@pytest.mark.parametrize("law", ["1s", {"gamma": {"mean": "1s", "cv": 2}}], ids=str)
def test_erlang_b_does_not_depend_on_the_service_law(law: object) -> None:
    """Oracle 4.4: insensitivity. False alarm: 8e-4."""
    shares = throttled_shares(20, 25, law)
    assert_matches(shares, 0.0502218)
    assert_sees(shares, erlang_b(25, 20 * 1.05), erlang_b(25, 20 / 1.05))


def throttled_shares(offered: int, servers: int, law: object) -> list[float]:
    n = 40_000
    data = function_api({"duration": law, "reserved_concurrency": servers})
    load = one_source(f"{offered}/s", f"{20 + n // offered}s")
    program = prepare(scenario(**data, traffic=load, warm_up="20s", seed=servers))
    runs = [run(program, number) for number in range(R)]
    return [
        answered(done, Answer.FUNCTION_THROTTLED) / int(done.recorder.counts.sum()) for done in runs
    ]


def functions_api(functions: dict[str, Data], rates: dict[str, str], length: str) -> Data:
    """One API with a route and a source for each function."""
    routes = {
        f"GET /{name}": {
            "integration": {"type": "lambda_proxy", "function": name, "timeout": "300s"}
        }
        for name in functions
    }
    traffic = {
        name: {
            "phases": [{"name": "load", "duration": length, "rate": rate}],
            "mix": {f"GET /{name}": 1},
        }
        for name, rate in rates.items()
    }
    apis = {"api": {"type": "rest", "routes": routes}}
    functions = {name: {"timeout": "900s", **spec} for name, spec in functions.items()}
    return {"apis": apis, "functions": functions, "traffic": traffic}


def shares_by_route(done: Replication) -> dict[str, float]:
    counts = done.recorder.counts
    return {
        cell.route.removeprefix("GET /"): float(row[Answer.FUNCTION_THROTTLED] / row.sum())
        for cell, row in zip(done.program.names.cells, counts, strict=True)
    }


def test_functions_share_what_the_account_has_left_and_a_reserve_is_apart() -> None:
    """45 for the account: 25 reserved for one, 20 left, shared by two of unlike load.

    Each group is an Erlang loss system, and by PASTA its members see the same blocking.
    False alarm: 8e-4 for each of three comparisons.
    """
    functions: dict[str, Data] = {
        "own": {"duration": {"exponential": "1s"}, "reserved_concurrency": 25},
        "quick": {"duration": {"exponential": "100ms"}},
        "slow": {"duration": {"exponential": "2s"}},
    }
    rates = {"own": "20/s", "quick": "40/s", "slow": "6/s"}
    data = functions_api(functions, rates, "1020s")
    program = prepare(scenario(**data, account={"lambda_concurrency": 45}, warm_up="20s"))
    shares = [shares_by_route(run(program, number)) for number in range(R)]
    shared = 40 * 0.1 + 6 * 2
    for name, servers, offered in (("own", 25, 20), ("quick", 20, shared), ("slow", 20, shared)):
        seen = [share[name] for share in shares]
        assert_matches(seen, erlang_b(servers, offered))
        assert_sees(seen, erlang_b(servers, offered * 1.05), erlang_b(servers, offered / 1.05))


def test_a_reserve_of_nothing_lets_nothing_run() -> None:
    data = function_api({"duration": "1s", "reserved_concurrency": 0})
    done = run(prepare(scenario(**data, traffic=one_source("10/s", "10s"))))
    assert answered(done, Answer.FUNCTION_THROTTLED) == done.n_requests > 0
    assert done.recorder.executions["invocations"].sum() == 0


@pytest.mark.parametrize(("mean_ms", "billed"), [(1, 1.58198), (20, 20.50417)])
def test_billed_time_is_each_execution_rounded_up_to_a_millisecond(
    mean_ms: int, billed: float
) -> None:
    """Oracle 4.5: E ceil(D) = 1 / (1 - e^(-1/m)); and row by row, to the unit. 8e-4."""
    truth = 1 / (1 - math.exp(-1 / mean_ms))
    assert truth == pytest.approx(billed, abs=5e-6)
    data = function_api({"duration": {"exponential": f"{mean_ms}ms"}})
    program = prepare(scenario(**data, traffic=one_source("1000/s", "20s")))
    means = []
    for number in range(R):
        done, rows = rows_of(program, number)
        spent_ns = rows["integration_ns"]
        executions = done.recorder.executions
        assert executions["invocations"].sum() == len(rows)
        assert executions["billed_ms"].sum() == np.maximum(-(-spent_ns // 1_000_000), 1).sum()
        means.append(executions["billed_ms"].sum() / len(rows))
    assert_matches(means, truth)
    assert_sees(means, 1 / (1 - math.exp(-1 / mean_ms / 1.05)))


def test_a_cold_start_is_billed_with_its_initialisation() -> None:
    """Since August 2025: 300 ms of INIT and 40.2 ms of work are 341 ms, then 41 ms."""
    data = function_api({"duration": "40200us", "init": "300ms"})
    done, rows = rows_of(
        prepare(scenario(**data, traffic=one_source("1/s", "10s", arrivals="uniform")))
    )
    assert rows["cold"].tolist() == [1] + [0] * 9
    assert rows["integration_ns"].tolist() == [340_200_000] + [40_200_000] * 9
    assert done.recorder.executions["billed_ms"].sum() == 341 + 9 * 41
