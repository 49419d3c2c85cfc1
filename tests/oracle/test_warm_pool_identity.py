"""Cold starts and pool sizes are known from busy times alone, event for event: identity P8.

With most-recently-used reuse the environments alive at t are as many as were ever busy at once in
(t - T, t], whatever the arrivals and the services. No number is drawn here: nothing is allowed for.
"""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from apisim.gateway.status import Answer
from tests.support.experiments import (
    Data,
    function_api,
    one_source,
    prepare,
    rows_of,
    scenario,
)
from tests.support.logs import LogRow, nanoseconds, replay, write_log
from tests.support.warm_pools import cold_flags

pytestmark = pytest.mark.oracle

LOG_NORMAL = {"p50": "300ms", "p99": "4s"}
BURSTS = {"bursty": {"ratio": 20, "peak_for": "20s", "base_for": "60s"}}
INIT = {"init": {"p50": "250ms", "p99": "900ms"}}


def check(data: Data, idle_expiry: str) -> NDArray[np.bool_]:
    """Compare one run of one function with the identity; returns the rows' cold flags."""
    program = prepare(scenario(**data, settings={"idle_expiry": idle_expiry}))
    done, rows = rows_of(program)
    ran = rows[rows["answer"] != Answer.FUNCTION_THROTTLED]
    starts, spent = ran["arrival_ns"], ran["integration_ns"]
    ends = starts + spent
    expiry_ns = program.pools[0].idle_expiry_ns
    flags, alive_ns = cold_flags(starts.tolist(), ends.tolist(), expiry_ns, done.end_ns)
    cold: NDArray[np.bool_] = ran["cold"] == 1
    assert cold.tolist() == flags
    pool = done.pools[0]
    assert pool["cold_starts"] == sum(flags)
    assert pool["invocations"] == len(ran)
    assert pool["throttles"] == len(rows) - len(ran)
    assert pool["busy_ns"] == spent.sum()
    assert pool["alive_ns"] == alive_ns
    steps = np.concatenate([np.full(len(ran), 1), np.full(len(ran), -1)])
    # At one instant an environment is given back before it is asked for.
    order = np.lexsort([steps, np.concatenate([starts, ends])])
    assert pool["max_busy"] == np.cumsum(steps[order]).max()
    return cold


@pytest.mark.parametrize("idle_expiry", ["1s", "10s", "10m"])
@pytest.mark.parametrize("arrivals", ["poisson", "uniform", BURSTS], ids=str)
@pytest.mark.parametrize("init", [{}, INIT], ids=["cold as warm", "cold is slower"])
def test_a_pool_is_the_sliding_maximum_of_what_is_busy(
    idle_expiry: str, arrivals: object, init: Data
) -> None:
    """About 4,000 requests with log-normal durations."""
    data = function_api({"duration": LOG_NORMAL, **init})
    cold = check({**data, "traffic": one_source("4/s", "1000s", arrivals=arrivals)}, idle_expiry)
    assert 0 < cold.sum() < len(cold)


@pytest.mark.parametrize(("limit", "n_throttled"), [(3, True), (200, False)])
def test_refused_calls_leave_the_pool_alone(limit: int, n_throttled: bool) -> None:
    data = function_api({"duration": LOG_NORMAL, "reserved_concurrency": limit, **INIT})
    data["traffic"] = one_source("4/s", "1000s", arrivals=BURSTS)
    program = prepare(scenario(**data))
    done, _ = rows_of(program)
    assert (done.pools[0]["throttles"] > 0) == n_throttled
    check(data, "5s")


def test_rows_of_one_instant_and_idle_times_of_exactly_the_limit(tmp_path: Path) -> None:
    """A clock of whole seconds, services of one and an expiry of five: ties everywhere."""
    generator = np.random.default_rng(7)
    times = np.cumsum(generator.integers(0, 7, 3000) * generator.integers(0, 2, 3000))
    log = write_log(tmp_path / "ties.csv", [LogRow(int(time) * 10**9) for time in times])
    data = function_api({"duration": "1s"})
    cold = check({**data, "traffic": replay(log)}, "5s")
    assert 0.05 < cold.mean() < 0.95


def test_an_environment_that_was_idle_for_exactly_the_limit_is_gone(tmp_path: Path) -> None:
    for idle_s, cold in (("4.999999999", False), ("5", True), ("5.000000001", True)):
        rows = [LogRow(0), LogRow(10**9 + nanoseconds(idle_s))]
        log = write_log(tmp_path / "two.csv", rows)
        data = function_api({"duration": "1s"})
        assert check({**data, "traffic": replay(log)}, "5s").tolist() == [True, cold]
