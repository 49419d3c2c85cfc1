"""Identity P2: a token bucket never lets more through than it holds and is given.

In any stretch of time of length t at most ``burst + rate * t`` requests are admitted. The admitted
are taken from rows, the limits from the scenario; arithmetic is exact.
"""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from numpy.typing import NDArray

from apisim.gateway.status import Answer
from apisim.scenario import Scenario, Throttle
from tests.equivalence.engines import Run, lowered, run
from tests.equivalence.scenarios import Case, scenarios

#: How requests end that the throttle has let by; those that others end in too are left out.
_ADMITTED = [
    Answer.SERVED,
    Answer.CACHE_HIT,
    Answer.TIMEOUT,
    Answer.FUNCTION_ERROR,
    Answer.FUNCTION_THROTTLED,
    Answer.ENDPOINT_ERROR,
    Answer.ENDPOINT_FULL,
    Answer.MISSING_PARAMETERS,
    Answer.INVALID_BODY,
    Answer.INVALIDATION_REFUSED,
    Answer.CONNECTED,
    Answer.SENT,
]
#: Settings under which a row tells the throttle's time: nothing but an authorizer's function takes
#: any before it, and a limit is one bucket.
_AT_THE_DOOR = {
    "edge_hop": "0s",
    "waf_latency": "0s",
    "mutual_tls_time": "0s",
    "credential_check_time": "0s",
    "key_set_time": "0s",
    "sign_in_time": "0s",
    "tls_time": "0s",
    "throttle_before_auth": False,
    "sloppiness": 1,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of one example after the other are written."""
    return tmp_path_factory.mktemp("case")


def at_the_door(case: Case) -> Case:
    """The same scenario with callers at the door, so that rows tell the throttle's time."""
    traffic = {
        name: {key: value for key, value in source.items() if key != "network"}
        for name, source in case.data["traffic"].items()
    }
    at_once = case.data.get("settings", {}) | _AT_THE_DOOR
    data = {key: value for key, value in case.data.items() if key != "timeline"}  # changes limits
    for sender in data.get("senders", {}).values():
        sender["call_time"] = "0s"
    return Case(data | {"traffic": traffic, "settings": at_once}, case.files)


def limit_of(scenario: Scenario, level: str, label: str) -> Throttle:
    """The limit a bucket stands for, as the scenario gives it."""
    if level == "account":
        return scenario.account.throttle
    if level == "connections":
        return scenario.account.new_connections
    front = label.split(" ", maxsplit=1)[0]  # API/STAGE is an API's own name where it has several
    name = next(n for n in (front, front.rpartition("/")[0]) if n in scenario.apis)
    api = scenario.apis[name]
    limit = api.stage.throttle if level == "stage" else api.routes[label.split(" ", 1)[1]].throttle
    assert limit is not None
    return limit


def admissions(simulation: Run) -> list[NDArray[np.int64]]:
    """Times [ns] at which each bucket let requests through, in order."""
    rows, program = simulation.rows, simulation.result.program
    index = {route: at for at, route in enumerate(program.names.routes)}
    route_of_cell = [index.get((cell.api, cell.route), -1) for cell in program.names.cells]
    admitted = rows[np.isin(rows["answer"], _ADMITTED)]
    times = admitted["arrival_ns"] + np.maximum(admitted["authorizer_ns"], 0)
    levels = program.tables.route_levels[np.array(route_of_cell)[admitted["cell"]]]
    n_buckets = len(simulation.result.buckets)
    return [np.sort(times[(levels == bucket).any(axis=1)]) for bucket in range(n_buckets)]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(case=scenarios())
def test_no_stretch_of_time_admits_more_than_burst_and_rate(case: Case, folder: Path) -> None:
    scenario = at_the_door(case).load(folder)
    simulation = run(lowered(scenario), "compiled")
    buckets = simulation.result.buckets
    assert (buckets["level"] >= 0).all()
    assert (buckets["level"] <= buckets["capacity"]).all()
    names = simulation.result.program.names.buckets
    for (level, label), times in zip(names, admissions(simulation), strict=True):
        limit = limit_of(scenario, level, label)
        # From the i-th to the j-th admission: j - i + 1 <= burst + rate (t_j - t_i), which is
        # (rate t_j - j) - (rate t_i - i) >= 1 - burst; the largest rate t_i - i is the hardest.
        largest: Fraction | None = None
        for j, time_ns in enumerate(times.tolist()):
            earned = limit.rate_limit * Fraction(time_ns, 10**9) - j
            largest = earned if largest is None else max(largest, earned)
            assert earned - largest >= 1 - limit.burst_limit
