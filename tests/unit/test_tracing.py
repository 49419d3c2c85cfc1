"""X-Ray's sampling against its rule: so many of each second, and a binomial share of the rest."""

import json
import math
from typing import Any

import numpy as np
import pytest

from apisim.engine.flags import FLAG_TRACED
from apisim.scenario import ScenarioError, loads
from tests.equivalence.engines import Run, differences, lowered, run


def simulated(tracing: Any, *, engine: Any = "simpy", kind: str = "rest", **more: Any) -> Run:
    """Some 4,000 requests in 100 s, of which a throttle refuses some."""
    data: dict[str, Any] = {
        "apisim": 1,
        "apis": {
            "a": {
                "type": kind,
                "stage": {
                    "tracing": tracing,
                    "throttle": {"rate_limit": 30, "burst_limit": 5},
                    **more.pop("stage", {}),
                },
                "routes": {"GET /x": {"integration": {"type": "http_proxy", "endpoint": "e"}}},
            }
        },
        "endpoints": {"e": {"servers": 99, "service_time": "20ms"}},
        "traffic": {"web": {"phases": [{"duration": "100s", "rate": 40}], "mix": {"GET /x": 1}}},
        **more,
    }
    return run(lowered(loads(json.dumps(data))), engine)


def traced(found: Run) -> np.ndarray:
    return (found.rows["flags"] & FLAG_TRACED) > 0


def seconds(found: Run, start_ns: int = 0) -> np.ndarray:
    """Requests at the gateway's door in each second of the clock; there is no way to it."""
    return np.bincount((found.rows["arrival_ns"] + start_ns) // 1_000_000_000)


def counted(found: Run) -> int:
    return int(found.result.recorder.usage["traces"].sum())


@pytest.mark.parametrize("reservoir", [0, 1, 7, 45])
def test_without_a_rate_a_second_has_its_reservoir_and_no_more(reservoir: int) -> None:
    found = simulated({"reservoir": f"{reservoir}/s", "rate": "0%"})
    each = np.minimum(seconds(found), reservoir)
    assert counted(found) == traced(found).sum() == each.sum()
    of_second = np.bincount(found.rows["arrival_ns"] // 1_000_000_000, traced(found))
    assert (of_second == each).all()


def test_at_100_percent_all_are_traced_whatever_their_answer() -> None:
    found = simulated({"rate": "100%"})
    assert traced(found).all()
    assert len(set(found.rows["status"].tolist())) > 1
    assert counted(found) == len(found.rows)


def test_true_is_the_default_rule_and_false_none() -> None:
    assert (traced(simulated(True)) == traced(simulated({"reservoir": 1, "rate": "5%"}))).all()
    off = simulated(False)
    assert counted(off) == 0
    assert (off.rows["latency_ns"] == simulated(True).rows["latency_ns"]).all()


@pytest.mark.parametrize("rate", [0.05, 0.4])
def test_the_others_are_traced_with_the_rate(rate: float) -> None:
    """The number is a sum of known parts and a binomial one; |z| < 4 fails once in 16,000 seeds."""
    found = simulated({"reservoir": 2, "rate": f"{rate:.0%}"}, seed=3)
    each = seconds(found)
    certain = int(np.minimum(each, 2).sum())
    others = len(found.rows) - certain
    z = (counted(found) - certain - rate * others) / math.sqrt(others * rate * (1 - rate))
    assert abs(z) < 4
    wrong = rate * 1.5
    z = (counted(found) - certain - wrong * others) / math.sqrt(others * wrong * (1 - wrong))
    assert abs(z) > 4  # power: a rate that is half as high again would be seen


def test_a_second_is_one_of_the_scenario_s_clock() -> None:
    rule = {"reservoir": 3, "rate": "0%"}
    found = simulated(rule, start="2026-01-01T00:00:00.400000Z")
    each = np.minimum(seconds(found, 400_000_000), 3).sum()
    assert counted(found) == each != counted(simulated(rule))


def test_both_engines_trace_the_same_requests() -> None:
    golden, compiled = (
        simulated(True, engine=engine, stage={"canary": {"percent_traffic": 30}})
        for engine in ("simpy", "compiled")
    )
    assert differences(compiled, golden) == []
    assert traced(golden).any()


@pytest.mark.parametrize(
    ("kind", "tracing", "message"),
    [
        ("http", True, "HTTP APIs have no X-Ray tracing"),
        ("rest", {"reservoir": 0.5}, "must be whole requests a second, got 0.5"),
    ],
)
def test_what_there_is_not_is_refused(kind: str, tracing: Any, message: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        simulated(tracing, kind=kind)
    assert refused.value.problems[0].message == message
