"""Stages: several of one API, their variables, canaries, and compression."""

import math
from typing import Any

import numpy as np
import pytest
import yaml

import apisim
from apisim.engine.program import Program
from apisim.engine.recorder import CACHE_HIT
from apisim.gateway.compression import LEFT_ALONE, compressed_bytes
from apisim.gateway.status import Answer
from apisim.scenario import Scenario, ScenarioError, loads
from tests.equivalence.engines import Run, both, differences, lowered, run

#: Tests of shares below fail by chance once in 15,000 runs (4 standard deviations, two-sided).
Z = 4.0


def scenario(stage: dict[str, Any], *, route: dict[str, Any] | None = None, **top: Any) -> Scenario:
    """One API with one stage, two functions, and 3,000 requests in 30 s."""
    integration = {"type": "lambda_proxy", "function": "old"}
    api = {"type": "rest", "stage": stage, "routes": {"GET /x": {"integration": integration}}}
    api["routes"]["GET /x"] |= route or {}
    data = {
        "apisim": 1,
        "profile": "ideal",
        "apis": {"a": api},
        "functions": {"old": {"duration": "5ms"}, "new": {"duration": "9ms"}},
        "traffic": {
            "web": {
                "arrivals": "uniform",
                "phases": [{"duration": "30s", "rate": 100}],
                "mix": {"GET /x": 1},
            }
        },
    }
    return loads(yaml.safe_dump(data | top, sort_keys=False))


def simulated(spec: Scenario) -> tuple[Program, Run]:
    program = lowered(spec)
    return program, run(program, "compiled")


def of_canary(program: Program, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    variants = np.array([cell.variant for cell in program.names.cells])
    return variants[rows["cell"]] == "canary"


def canary(percent: float, **more: Any) -> dict[str, Any]:
    return {"canary": {"percent_traffic": percent, "functions": {"old": "new"}, **more}}


# ------------------------------------------------------------------------------------------ canary


@pytest.mark.parametrize("percent", [1, 12.5, 50])
def test_the_canarys_share_is_binomial(percent: float) -> None:
    program, got = simulated(scenario(canary(percent)))
    n, p = len(got.rows), percent / 100
    assert n == 3000
    assert abs(of_canary(program, got.rows).sum() - n * p) < Z * math.sqrt(n * p * (1 - p))


def test_nobody_stays_with_one_deployment() -> None:
    # Of neighbouring requests both go to the canary as often as independence says.
    program, got = simulated(scenario(canary(50)))
    rows = np.sort(got.rows, order="ordinal")
    at = of_canary(program, rows)
    pairs = (at[1:] & at[:-1]).sum()
    n = len(at) - 1
    # The variance of such a count: pairs that share a request go together.
    assert abs(pairs - n / 4) < Z * math.sqrt(n * (1 / 4 - 1 / 16) + 2 * n * (1 / 8 - 1 / 16))


def test_a_larger_share_contains_the_smaller() -> None:
    before: set[int] = set()
    for percent in (0, 5, 10, 33.3, 80, 100):
        program, got = simulated(scenario(canary(percent)))
        now = set(got.rows["ordinal"][of_canary(program, got.rows)].tolist())
        assert before <= now
        before = now
    assert len(before) == 3000


def test_the_canary_calls_another_function() -> None:
    program, got = simulated(scenario(canary(20)))
    at = of_canary(program, got.rows)
    assert set(got.rows["latency_ns"][at].tolist()) == {9_000_000}
    assert set(got.rows["latency_ns"][~at].tolist()) == {5_000_000}


def test_stage_variable_overrides_choose_it_too() -> None:
    variables = {
        "variables": {"version": "old"},
        "canary": {"percent_traffic": 100, "stage_variable_overrides": {"version": "new"}},
    }
    for used in ("${version}", "${stageVariables.version}"):
        route = {"integration": {"type": "lambda_proxy", "function": used}}
        _, got = simulated(scenario(variables, route=route))
        assert set(got.rows["latency_ns"].tolist()) == {9_000_000}


def test_results_tell_the_deployments_apart() -> None:
    result = apisim.run(scenario(canary(20)))
    stable, other = result.variants
    assert [stable.labels["variant"], other.labels["variant"]] == ["stable", "canary"]
    assert stable.requests + other.requests == result.routes[0].requests == 3000
    assert (stable.latency.max, other.latency.max) == (5.0, 9.0)


def test_a_threshold_may_be_about_one_of_them() -> None:
    wanted = {"latency{variant:canary}": ["max<8ms"], "latency{variant:stable}": ["max<8ms"]}
    result = apisim.run(scenario(canary(20), thresholds=wanted))
    assert [verdict.ok for verdict in result.thresholds] == [False, True]


def test_a_promotion_is_an_entry_of_the_timeline() -> None:
    path = "apis.a.stage.canary.percent_traffic"
    steps = [{"at": "10s", "set": {path: 50}}, {"at": "20s", "set": {path: 100}}]
    program, got = simulated(scenario(canary(0), timeline=steps))
    seconds = got.rows["arrival_ns"] // 10_000_000_000
    at = of_canary(program, got.rows)
    assert [int(at[seconds == part].sum()) for part in (0, 2)] == [0, 1000]
    assert abs(at[seconds == 1].sum() - 500) < Z * math.sqrt(250)


CACHE = {"cache_max_entries": 10}
CACHED = {"cache": {"keys": [], "ttl": "1h"}}


def over_time(
    stage: dict[str, Any], change: dict[str, Any], **more: Any
) -> tuple[Program, np.ndarray[Any, Any]]:
    """Rows of a scenario of which something is set after 10 s."""
    program = lowered(scenario(stage, timeline=[{"at": "10s", "set": change}], **more))
    compiled, golden = both(program)
    assert differences(compiled, golden) == []
    return program, np.sort(golden.rows, order="arrival_ns")


def test_a_promoted_canary_is_the_stage() -> None:
    program, rows = over_time(canary(20), {"apis.a.stage.canary.promoted": True})
    before = rows["arrival_ns"] < 10_000_000_000
    at = of_canary(program, rows)
    assert abs(at[before].sum() - 200) < Z * math.sqrt(160)
    assert not at[~before].any()
    assert set(rows["latency_ns"][before & ~at].tolist()) == {5_000_000}
    assert set(rows["latency_ns"][~before].tolist()) == {9_000_000}


@pytest.mark.parametrize(
    ("own", "misses"), [({"use_stage_cache": True}, 0), ({}, 1), ({"deployment": "same"}, 0)]
)
def test_a_promoted_deployment_finds_what_it_has_stored_itself(
    own: dict[str, Any], misses: int
) -> None:
    _, rows = over_time(
        CACHE | canary(50, **own), {"apis.a.stage.canary.promoted": True}, route=CACHED
    )
    after = rows["arrival_ns"] >= 10_000_000_000
    assert (rows["cache"][after] != CACHE_HIT).sum() == misses


def test_a_deployment_calls_another_function_and_finds_nothing_in_the_cache() -> None:
    deployment = {
        "apis.a.stage.deployment": 2,
        "apis.a.routes.GET /x.integration.function": "new",
    }
    _, rows = over_time(CACHE, deployment, route=CACHED)
    missed = rows[rows["cache"] != CACHE_HIT]
    assert missed["latency_ns"].tolist() == [5_000_000, 9_000_000]
    assert 0 <= missed["arrival_ns"][1] - 10_000_000_000 < 10_000_000


def hits(stage: dict[str, Any]) -> tuple[int, int]:
    """Misses of the stage and of its canary."""
    program, got = simulated(scenario(CACHE | stage, route=CACHED))
    at = of_canary(program, got.rows)
    is_hit = got.rows["cache"] == CACHE_HIT
    return int((~is_hit & ~at).sum()), int((~is_hit & at).sum())


def test_without_the_stages_cache_nothing_is_cached_for_a_canary() -> None:
    stable, other = hits(canary(50))
    assert stable == 1
    assert other > 1000


def test_another_deployment_has_entries_of_its_own() -> None:
    assert hits(canary(50, use_stage_cache=True)) == (1, 1)


def test_the_same_deployment_shares_them() -> None:
    assert sum(hits(canary(50, use_stage_cache=True, deployment="same"))) == 1


# ------------------------------------------------------------------------------------------ stages


def several(traffic: dict[str, int], **stages: Any) -> apisim.Result:
    integration = {"type": "lambda_proxy", "function": "f-${env}"}
    data = {
        "apisim": 1,
        "profile": "ideal",
        "apis": {
            "a": {
                "type": "rest",
                "stages": stages,
                "routes": {"GET /x": {"integration": integration}},
            }
        },
        "functions": {"f-1": {"duration": "5ms"}, "f-2": {"duration": "9ms"}},
        "traffic": {
            "web": {
                "arrivals": "uniform",
                "offset": 0,
                "phases": [{"duration": "10s", "rate": 100}],
                "mix": traffic,
            }
        },
    }
    return apisim.run(loads(yaml.safe_dump(data, sort_keys=False)))


def test_each_stage_has_its_own_variables_and_throttle() -> None:
    limit = {"rate_limit": 0, "burst_limit": 5}
    result = several(
        {"a/prod GET /x": 1, "a/dev GET /x": 1},
        prod={"variables": {"env": "1"}},
        dev={"variables": {"env": 2}, "throttle": limit},
    )
    prod, dev = result.routes
    assert (prod.labels["api"], dev.labels["api"]) == ("a/prod", "a/dev")
    assert prod.throttled == 0
    assert dev.throttled == dev.requests - 5
    assert (prod.latency.max, dev.latency.max) == (5.0, 9.0)
    # Both together go by the API's name, each by its stage.
    assert result.measurements.select(api="a").requests == 1000
    assert result.measurements.select(stage="dev").requests == dev.requests


def test_one_stage_of_several_is_the_stage_alone() -> None:
    stage = {"variables": {"env": "1"}, "throttle": {"rate_limit": 50, "burst_limit": 7}}
    one = several({"a/prod GET /x": 1}, prod=stage, dev={"variables": {"env": "2"}})
    route = {"integration": {"type": "lambda_proxy", "function": "old"}}
    alone = apisim.run(
        scenario(
            {"throttle": stage["throttle"]},
            route=route,
            traffic={
                "web": {
                    "arrivals": "uniform",
                    "offset": 0,
                    "phases": [{"duration": "10s", "rate": 100}],
                    "mix": {"GET /x": 1},
                }
            },
        )
    )
    assert one.requests.by_outcome == alone.requests.by_outcome
    assert one.latency_ms == alone.latency_ms


def test_a_line_must_say_which_of_several_stages() -> None:
    with pytest.raises(ScenarioError, match="the API a has several stages"):
        several({"a GET /x": 1}, prod={"variables": {"env": "1"}}, dev={"variables": {"env": "2"}})


def test_what_is_wrong_with_a_route_is_said_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        several({"a/prod GET /x": 1}, prod={}, dev={})
    said = [str(one) for one in caught.value.problems]
    assert len(said) == 1
    assert 'the stage has no variable "env"' in said[0]


# ------------------------------------------------------------------------------------- compression


@pytest.mark.parametrize(
    ("size", "threshold", "ppm", "sent"),
    [
        (999, 1000, 300_000, 999),
        (1000, 1000, 300_000, 300),
        (1001, 1000, 300_000, 301),  # rounded up
        (0, 0, 300_000, 0),
        (10, 0, 1_500_000, 15),  # what is small may grow
        (5000, 0, LEFT_ALONE, 5000),
    ],
)
def test_compressed_sizes(size: int, threshold: int, ppm: int, sent: int) -> None:
    assert compressed_bytes(size, threshold, ppm) == sent


ROUTE = {"response_size": "10KB", "compression_ratio": 0.2}


def sent(stage: dict[str, Any], share: str = "100%", **route: Any) -> np.ndarray[Any, Any]:
    spec = scenario(stage, route=ROUTE | route)
    spec = spec.with_(**{"traffic.web.accept_encoding": share})
    return simulated(spec)[1].rows["response_bytes"]  # type: ignore[no-any-return]


def test_who_takes_compressed_answers_gets_them() -> None:
    assert set(sent({"minimum_compression_size": "1KB"}).tolist()) == {2048}
    assert set(sent({"minimum_compression_size": "11KB"}).tolist()) == {10240}
    assert set(sent({}).tolist()) == {10240}
    mixed = sent({"minimum_compression_size": 0}, "70%")
    n = len(mixed)
    assert abs((mixed == 2048).sum() - 0.7 * n) < Z * math.sqrt(n * 0.7 * 0.3)
    assert set(mixed.tolist()) == {2048, 10240}


def test_what_the_backend_has_encoded_is_left_alone() -> None:
    integration = {"type": "lambda_proxy", "function": "old", "content_encoding": True}
    assert set(sent({"minimum_compression_size": 0}, integration=integration).tolist()) == {10240}


def test_the_bill_is_of_what_is_sent_and_the_cache_of_what_was_made() -> None:
    stage = {"minimum_compression_size": 0, "cache_cluster_size": "0.5"}
    spec = scenario(stage, route=ROUTE | CACHED, pricing={"book": "aws-us-east-1"})
    result = apisim.run(spec)
    lines = {row.item: row for row in result.bill.run.rows()}
    sent_gb = 3000 * 2048 / 2**30
    quantity = float(lines["datatransfer.out.internet"].quantity.replace(",", ""))
    assert quantity == pytest.approx(sent_gb, rel=1e-4)  # four digits are printed
    assert result.cache["a"].bytes == 10240
    assert result.requests.by_outcome == {"cache_hit": 2999, "served": 1}


def test_refusals_are_sent_as_they_are() -> None:
    stage = {"minimum_compression_size": 0, "throttle": {"rate_limit": 0, "burst_limit": 0}}
    _, got = simulated(scenario(stage))
    assert set(got.rows["answer"].tolist()) == {Answer.THROTTLED_STAGE}
    assert set(got.rows["response_bytes"].tolist()) == {len('{"message":"Too Many Requests"}')}
