"""What the timeline sets, when that holds, and what the mechanisms make of it."""

from typing import Any

import numpy as np
import pytest

import apisim
from apisim.arrays.deques import lay_out_rings
from apisim.arrays.expiring_lru import (
    CACHE_DTYPE,
    LINE_DTYPE,
    UNBOUNDED,
    change_ttl,
    lru_find,
    lru_store,
    new_cache,
    new_store,
)
from apisim.backends.lambda_ import (
    COLD,
    GROUP_DTYPE,
    NO_PROVISION,
    POOL_DTYPE,
    UNLIMITED,
    change_expiry,
    invoke,
    release,
)
from apisim.engine.actions import PATCH_POOL, PATCH_WORD
from apisim.scenario import Scenario, ScenarioError, loads
from tests.equivalence.engines import both, differences, lowered, run

SECOND = 1_000_000_000

HEAD = """\
apisim: 1
profile: ideal
functions: {f: {duration: 2s}}
endpoints: {e: {servers: 1, service_time: 10s}}
apis:
  shop:
    type: rest
    stage: {cache_capacity: 1MB}
    routes:
      GET /e: {integration: {type: http_proxy, endpoint: e, timeout: 29s}}
      GET /f: {integration: {type: lambda_proxy, function: f}}
      GET /k: {integration: {type: mock}, api_key_required: true}
usage_plans:
  free: {quota: {limit: 5, period: day}, api_stages: {shop: {}}, api_keys: [mine]}
"""
TRAFFIC = """\
traffic:
  web:
    arrivals: uniform
    api_key: mine
    phases: [{name: calm, duration: 500ms, rate: 10}, {name: late, duration: 500ms, rate: 10}]
    mix: {GET /%s: 1}
"""


def scenario(route: str, timeline: str) -> Scenario:
    return loads(f"{HEAD}{TRAFFIC % route}timeline:\n{timeline}")


def rows_of(route: str, timeline: str) -> Any:
    """Rows of the request file, on which both engines agree."""
    compiled, golden = both(lowered(scenario(route, timeline)))
    assert differences(compiled, golden) == []
    return golden.rows


# ------------------------------------------------------------------------------------- when


def test_a_time_may_be_counted_from_the_beginning_of_a_phase() -> None:
    entries = "  - {at: late+10ms, set: {endpoints.e.servers: 2}}\n"
    entries += "  - {at: web.calm+1s, set: {endpoints.e.servers: 3}, for: 1m}\n"
    states = scenario("e", entries).states
    assert [state.at_ns for state in states] == [510_000_000, SECOND, 61 * SECOND]
    assert [state.scenario.endpoints["e"].servers for state in states] == [2, 3, 2]


def test_what_is_taken_back_leaves_what_was_set_for_good() -> None:
    entries = "  - {at: 1s, set: {endpoints.e.errors: 10%}, for: 2s}\n"
    entries += "  - {at: 2s, set: {endpoints.e.servers: 2}}\n"
    entries += "  - {at: 4s, set: {endpoints.e.servers: 3}}\n"
    states = scenario("e", entries).states
    found = [(s.scenario.endpoints["e"].errors, s.scenario.endpoints["e"].servers) for s in states]
    assert found == [(0.1, 1), (0.1, 2), (0, 2), (0, 3)]


def test_a_changed_scenario_keeps_its_timeline() -> None:
    states = (
        scenario("e", "  - {at: 1s, set: {endpoints.e.servers: 3}, for: 1s}\n")
        .with_("endpoints.e.servers=2")
        .states
    )
    assert [state.scenario.endpoints["e"].servers for state in states] == [3, 2]


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("apis.shop.stage.throttle", "{rate_limit: 5, burst_limit: 5}", "limits"),
        ("apis.shop.routes.GET /e.integration", "{type: mock}", "routes (backend)"),
        ("functions.f.reserved_concurrency", "5", "shares of the concurrency"),
        ("usage_plans.free.quota.period", "week", "quotas"),
        ("apis.shop.stage.cache_capacity", "2MB", "caches"),
        ("apis.shop.routes.GET /e.request_size", "3KB", "routes"),
        ("apis.shop.routes.GET /x", "{integration: {type: mock}}", "routes"),
    ],
)
def test_only_numbers_can_be_set(path: str, value: str, what: str) -> None:
    text = f"{HEAD}{TRAFFIC % 'e'}".replace(
        "endpoints: {", "endpoints: {g: {servers: 1, service_time: 1s}, "
    )
    text += f"timeline:\n  - {{at: 1s, set: {{{path}: {value}}}}}\n"
    with pytest.raises(ScenarioError) as caught:
        lowered(loads(text, file="x.yaml"))
    (problem,) = caught.value.problems
    assert problem.message.startswith(f"cannot be set while it runs: it would make other {what}")
    assert (problem.file, problem.line) == ("x.yaml", text.count("\n"))


def test_what_comes_after_the_traffic_or_changes_nothing_is_a_note() -> None:
    entries = "  - {at: 500ms, set: {endpoints.e.servers: 1}}\n"
    entries += "  - {at: 2s, set: {endpoints.e.servers: 2}}\n"
    notes = lowered(scenario("f", entries)).notes
    assert "timeline: endpoints.e.servers changes nothing that is simulated" in notes
    late = "is set after the traffic: only what is under way then meets it"
    assert f"timeline: endpoints.e.servers {late}" in notes


def test_what_ends_after_the_traffic_ends_for_what_is_still_under_way() -> None:
    """An outage from 0.5 to 1.5 s, traffic for 1 s, retries after 800 ms: 1.3 s, then 2.1 s."""
    retries = "    client: {retries: {max: 2, backoff: fixed, base: 800ms}}\n"
    traffic = TRAFFIC.replace("    mix:", f"{retries}    mix:").replace(
        "web:\n", "web:\n    offset: 0\n"
    )
    entries = "  - {at: 500ms, set: {endpoints.e.errors: 100%}, for: 1s}\n"
    text = HEAD.replace("servers: 1, service_time: 10s", "servers: 9, service_time: 0s")
    found = loads(f"{text}{traffic % 'e'}timeline:\n{entries}")
    compiled, golden = both(lowered(found))
    assert differences(compiled, golden) == []
    last = golden.rows[golden.rows["ordinal"] == 5]
    assert last["arrival_ns"].tolist() == [500_000_000, 1_300_000_000, 2_100_000_000]
    assert last["status"].tolist() == [500, 500, 200]


def test_servers_that_come_back_after_the_traffic_take_in_who_waits() -> None:
    entries = "  - {at: 0s, set: {endpoints.e.servers: 1}, for: 2s}\n"
    text = HEAD.replace("servers: 1, service_time: 10s", "servers: 20, service_time: 10s")
    compiled, golden = both(lowered(loads(f"{text}{TRAFFIC % 'e'}timeline:\n{entries}")))
    assert differences(compiled, golden) == []
    # One is served from its arrival on, all others from 2 s on.
    ends = np.sort(golden.rows["arrival_ns"] + golden.rows["latency_ns"])
    assert ends[0] < 11 * SECOND
    assert ends[1:].tolist() == [12 * SECOND] * 9


def test_what_lies_idle_after_the_traffic_stays_as_it_is() -> None:
    """It would be given up at a time up to which nobody counts how long it was there."""
    entries = "  - {at: 500ms, set: {settings.idle_expiry: 5m, functions.f.errors: 1%}, for: 1h}\n"
    kinds = lowered(scenario("f", entries)).tables.patches["kind"].tolist()
    assert kinds == [PATCH_WORD, PATCH_POOL, PATCH_WORD]


def test_the_result_lists_what_happened() -> None:
    entries = "  - {at: 400ms, flush_cache: shop/prod}\n"
    entries += "  - {at: calm+100ms, set: {endpoints.e.errors: 10%, functions.f.duration: "
    entries += "{p50: 1ms, p99: 9ms}}, for: 100ms}\n"
    found = apisim.run(scenario("e", entries))
    assert found.to_dict()["timeline"] == [
        {"at_s": 0.1, "until_s": 0.2, "what": "endpoints.e.errors", "value": "10%", "before": None},
        {
            "at_s": 0.1,
            "until_s": 0.2,
            "what": "functions.f.duration",
            "value": "{p50: 1ms, p99: 9ms}",
            "before": "2s",
        },
        {
            "at_s": 0.4,
            "until_s": None,
            "what": "flush_cache shop/prod",
            "value": None,
            "before": None,
        },
    ]
    assert "Timeline" in str(found)


# ------------------------------------------------------------------------------ the mechanisms


def test_servers_that_are_added_take_waiting_requests_at_once() -> None:
    rows = rows_of("e", "  - {at: 900ms, set: {endpoints.e.servers: 3}}\n")[:5]
    first = int(rows["arrival_ns"][0])
    ends = (rows["arrival_ns"] + rows["latency_ns"]).tolist()
    at_once = 10 * SECOND + 900_000_000
    assert ends == [
        first + 10 * SECOND,
        at_once,
        at_once,
        first + 20 * SECOND,
        at_once + 10 * SECOND,
    ]


def test_servers_that_are_taken_away_finish_their_work_first() -> None:
    entries = "  - {at: 0s, set: {endpoints.e.servers: 3}, for: 400ms}\n"
    rows = rows_of("e", entries)
    arrivals = rows["arrival_ns"].tolist()
    ends = (rows["arrival_ns"] + rows["latency_ns"]).tolist()
    # Three are served when one server is left: the next starts when the last of them is done.
    assert ends[:4] == [
        *(at + 10 * SECOND for at in arrivals[:3]),
        arrivals[2] + 20 * SECOND,
    ]


def test_a_lower_concurrency_ends_nothing_and_lets_nothing_start() -> None:
    rows = rows_of("f", "  - {at: 200ms, set: {account.lambda_concurrency: 1}}\n")
    assert rows["status"].tolist() == [200, 200, *[500] * 8]
    raised = rows_of("f", "  - {at: 0s, set: {account.lambda_concurrency: 1}, for: 800ms}\n")
    assert raised["status"].tolist() == [200, *[500] * 7, 200, 200]


def test_a_quota_that_grows_grows_in_its_period() -> None:
    rows = rows_of("k", "  - {at: 700ms, set: {usage_plans.free.quota.limit: 7}}\n")
    assert rows["status"].tolist() == [*[200] * 5, 429, 429, 200, 200, 429]
    smaller = rows_of("k", "  - {at: 200ms, set: {usage_plans.free.quota.limit: 1}}\n")
    assert smaller["status"].tolist() == [200, 200, *[429] * 8]


def test_environments_idle_for_longer_than_a_shorter_expiry_are_gone() -> None:
    pools, groups = np.zeros(1, POOL_DTYPE), np.zeros(1, GROUP_DTYPE)
    pools["idle_expiry_ns"], groups["limit"] = 100, 5
    pools["provision"], pools["scaling"], groups["rate"] = NO_PROVISION, UNLIMITED, UNLIMITED
    idle, idle_since = lay_out_rings([5])
    for at in (0, 1):
        assert invoke(pools, groups, idle, idle_since, 0, at, False) == COLD
    release(pools, groups, idle, idle_since, 0, COLD, 10)
    release(pools, groups, idle, idle_since, 0, COLD, 50)
    change_expiry(pools, idle, idle_since, 0, 20, 60)
    assert (idle["size"][0], pools["idle_expiry_ns"][0]) == (1, 20)
    # One lived from 0 to 60, the other from 1 on.
    assert pools["alive_ns"][0] == 60 - 0 - 1


def test_a_longer_time_to_live_does_not_bring_back_what_has_expired() -> None:
    caches, lines = np.zeros(1, CACHE_DTYPE), np.zeros(1, LINE_DTYPE)
    new_cache(caches[0], max_weight=UNBOUNDED, max_entries=UNBOUNDED)
    lines["ttl_ns"] = 100
    store = new_store(caches, lines, 8)
    for key, at in ((1, 0), (2, 50)):
        assert lru_store(store, 0, np.uint64(key), 1, 1, at)
    change_ttl(store, 0, 1000, 120)
    assert [lru_find(store, np.uint64(key), 130) >= 0 for key in (1, 2)] == [False, True]


def test_a_change_is_private_to_a_replication() -> None:
    program = lowered(scenario("f", "  - {at: 200ms, set: {account.lambda_concurrency: 1}}\n"))
    first = run(program, "compiled")
    assert run(program, "compiled").result.digest == first.result.digest


# ----------------------------------------------------------------------------------- the results


def test_limits_are_told_as_they_are_when_the_traffic_ends() -> None:
    plan = "{throttle: {rate_limit: 5, burst_limit: 9}, api_stages: {shop: {}}, api_keys: [mine]}"
    held = "{account.throttle.rate_limit: 60, usage_plans.free.throttle.rate_limit: 7}"
    back = "{at: 300ms, set: {account.throttle.burst_limit: 50}, for: 1h}"
    text = f"{HEAD}{TRAFFIC % 'k'}account: {{throttle: {{rate_limit: 30, burst_limit: 30}}}}\n"
    found = apisim.run(
        loads(
            text,
            overrides=[
                f"usage_plans.free={plan}",
                f"timeline=[{{at: 200ms, set: {held}}}, {back}]",
            ],
        ),
        engine="simpy",
    )
    told = [(one.level, one.rate_rps, one.burst) for one in found.throttles]
    assert told == [("account", 60, 50), ("usage_plan", 7, 9)]


def test_how_busy_servers_were_is_about_those_that_there_were() -> None:
    """Ten calls of 100 ms, when servers are added, and when they are taken away."""
    text = HEAD.replace("service_time: 10s", "service_time: 100ms")
    entries = "  - {at: 500ms, set: {endpoints.e.servers: 100}}\n"
    for servers, later in ((1, 100), (100, 1)):
        own = text.replace("servers: 1", f"servers: {servers}")
        set_later = entries.replace("100}", f"{later}}}")
        found = apisim.run(
            loads(f"{own}{TRAFFIC % 'e'}timeline:\n{set_later}"), engine="simpy"
        ).endpoints["e"]
        end_s = found.served * 0.1 / found.mean_concurrency
        there = servers * 0.5 + later * (end_s - 0.5)
        assert found.utilization == pytest.approx(found.served * 0.1 / there)
