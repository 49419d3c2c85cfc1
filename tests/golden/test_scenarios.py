"""The shipped scenarios run, on both engines alike, and to the same numbers as ever.

A changed digest is a changed result: it belongs into CHANGELOG.md under "Results changed", and the
answers in the scenarios have to be written anew (``test_scenario_answers.py`` says which).
"""

import re
from collections.abc import Sequence
from typing import Final

import pytest

import apisim
from apisim.scenario import load
from tests.support.shipped import (
    ALLOWLIST,
    AUTHORIZER,
    BENEFIT,
    CANARY,
    CHAT,
    DASHBOARD,
    DAY,
    DDOS,
    EDGE,
    FOLDER,
    FORGET,
    FRIDAY,
    IOT,
    KEYS,
    LEVELS,
    LINK,
    NAMES,
    NOISY,
    OUTAGE,
    PITFALL,
    POLLING,
    QUICKSTART,
    RECONNECTS,
    REPLAY,
    REST_HTTP,
    RETRIES,
    SIZES,
    SLOW,
    SPIKE,
    STORM,
    TABLE,
    TIERS,
    WALL,
    file_of,
    outcomes,
    result,
)

#: Length of a run that the golden model can do, and limits low enough for it to meet them.
SHORT: Final[dict[str, tuple[str, Sequence[str]]]] = {
    QUICKSTART: ("1s", ["account.throttle={rate_limit: 500, burst_limit: 100}"]),
    DAY: ("3s", ["account.throttle={rate_limit: 100, burst_limit: 20}"]),
    LEVELS: (
        "600ms",
        [
            "account.throttle={rate_limit: 3000, burst_limit: 100}",
            "apis.production.stage.throttle={rate_limit: 1500, burst_limit: 50}",
            "apis.production.routes.GET /users.throttle={rate_limit: 300, burst_limit: 20}",
        ],
    ),
    SPIKE: ("9s", []),
    KEYS: ("10s", ["warm_up=1s"]),
    ALLOWLIST: ("10s", []),
    DDOS: (
        "2s",
        [
            "account.throttle={rate_limit: 1500, burst_limit: 500}",
            "traffic.attackers.phases.0={pause: 500ms}",
            "apis.shop.stage.waf={rate_based: [{limit: 20, window: 1s, delay: 500ms}]}",
        ],
    ),
    PITFALL: (
        "10s",
        [
            "warm_up=1s",
            "replications=2",
            "apis.users.routes.GET /users/{userId}.cache.keys=[path.userId]",
            "apis.users.routes.GET /users/{userId}.updates=10/min",
        ],
    ),
    FRIDAY: (
        "2s",
        [
            "replications=2",
            "warm_up=500ms",
            "functions.checkout.reserved_concurrency=5",
            "traffic.shoppers.phases.0.rate=600",
            "apis.shop.routes.GET /search.throttle={rate_limit: 30, burst_limit: 10}",
        ],
    ),
    REPLAY: ("10m", ["traffic.replayed.trace.speed=100"]),
    TIERS: (
        "20m",
        [
            "start=2026-06-30T23:50:00Z",
            "usage_plans.free-tier.quota.limit=5",
            "usage_plans.premium.throttle={rate_limit: 0.5, burst_limit: 2}",
        ],
    ),
    NOISY: (
        "123s",
        [
            "account={throttle: {rate_limit: 200, burst_limit: 50}, lambda_concurrency: 20}",
            "traffic.shoppers.phases.0.rate=15",
            "traffic.shoppers.phases.1.rate=50",
            "traffic.exporter.phases.0.rate=3",
            "traffic.exporter.phases.1.rate=300",
        ],
    ),
    WALL: (
        "3s",
        [
            "account={lambda_concurrency: 60, background: {lambda_concurrency: 40}}",
            "traffic.searches.phases.0.rate=150",
            "traffic.watchers.phases.0={pause: 1s}",
            "traffic.watchers.phases.1.rate=700",
        ],
    ),
    EDGE: (
        "20s",
        [
            "replications=2",
            "warm_up=1s",
            "apis.shop.endpoint=edge",
            "account.throttle={rate_limit: 15, burst_limit: 3}",
            "populations.tokyo.count=20",
            "traffic.tokyo.network.keep_alive=2s",
        ],
    ),
    AUTHORIZER: (
        "20s",
        [
            "replications=2",
            "warm_up=1s",
            "authorizers.devices.ttl=2s",
            "authorizers.devices.deny_identities=5%",
        ],
    ),
    CANARY: (
        "10s",
        [
            "replications=2",
            "warm_up=1s",
            "apis.users.stage.canary.percent_traffic=40",
            "account={throttle: {rate_limit: 80, burst_limit: 20}, lambda_concurrency: 20}",
        ],
    ),
    LINK: (
        "20s",
        [
            "endpoints.stock.servers=2",
            "endpoints.stock.queue_limit=3",
            "endpoints.stock.outages=[{at: 2s, for: 12s}]",
            "endpoints.stock.health_check={interval: 5s}",
            "traffic.warehouse.phases.0.rate=100",
        ],
    ),
    SLOW: (
        "4s",
        [
            "account.lambda_concurrency=30",
            "endpoints.orders-db.servers=4",
            "functions.get-order.timeout=100ms",
            "traffic.shoppers.phases.0.duration=1s",
        ],
    ),
    FORGET: (
        "3s",
        [
            "apis.shop.routes.POST /orders.integration.invocation=event",
            "functions.make-invoice.reserved_concurrency=10",
            "functions.make-invoice.errors=20%",
            "apis.shop.routes.POST /orders.throttle={rate_limit: 30, burst_limit: 5}",
        ],
    ),
    TABLE: (
        "10s",
        [
            f"services.{name}={{type: dynamodb, read_capacity_units: 3, write_capacity_units: 1, "
            "errors: 1%}"
            for name in ("orders", "orders-of-function")
        ],
    ),
    STORM: (
        "6s",
        [
            "replications=2",
            "warm_up=1s",
            "account.throttle={rate_limit: 250, burst_limit: 50}",
            "populations.people.count=50",
            "apis.feeds.cors.max_age=1s",
        ],
    ),
    OUTAGE: (
        "9s",
        [
            "traffic.web.phases.0.duration=1s",
            "traffic.web.phases.1.duration=6s",
            "timeline.0.for=6s",
            "account.lambda_concurrency=4",
        ],
    ),
    RETRIES: (
        "10s",
        [
            "replications=2",
            "endpoints.order-service.servers=4",
            "endpoints.order-service.queue_limit=200",
            "traffic.shop.phases.0={name: before, duration: 2s, rate: 30}",
            "traffic.shop.phases.1={name: rush, duration: 4s, rate: 90}",
            "traffic.shop.phases.2={name: after, duration: 4s, rate: 30}",
        ],
    ),
    CHAT: (
        "90s",
        [
            "account.new_connections={rate_limit: 1, burst_limit: 5}",
            "traffic.people.sessions={population: 60, connect_over: 20s, length: 40s, "
            "messages_per_session: 10, topics: {uniform: 10}}",
            "traffic.people.pushes={room: {on: sendMessage, to: topic, by: fanout}}",
            "senders={fanout: {}}",
            "apis.chat.routes.sendMessage.throttle={rate_limit: 5, burst_limit: 5}",
        ],
    ),
    DASHBOARD: (
        "12s",
        [
            "account.throttle={rate_limit: 200, burst_limit: 50}",
            "traffic.viewers.sessions.population=150",
            "traffic.viewers.sessions.connect_over=3s",
            "traffic.readers.phases.0.rate=20",
            "senders.fanout={parallelism: 4, coalesce: true, retries: {max: 2, base: 50ms}}",
        ],
    ),
    RECONNECTS: (
        "30s",
        [
            "warm_up=2s",
            "account={new_connections: {rate_limit: 20}, lambda_concurrency: 40}",
            "traffic.people.sessions.population=150",
            "traffic.people.sessions.connect_over=10s",
            "traffic.people.pushes.news.rate=1/s",
            "timeline.0={at: 12s, disconnect: feed, for: 2s}",
        ],
    ),
    IOT: (
        "20m",
        [
            "account.new_connections={rate_limit: 2, burst_limit: 10}",
            "settings.websocket_max_age=3m",
            "settings.websocket_idle_timeout=70s",
            "traffic.meters.sessions.population=100",
            "traffic.meters.sessions.connect_over=10s",
            "traffic.meters.sessions.messages=20/h",
            "traffic.meters.sessions.pings=80s",
            "traffic.meters.pushes.commands.rate=1/s",
        ],
    ),
    BENEFIT: ("25m", ["account.throttle={rate_limit: 11, burst_limit: 3}"]),
    REST_HTTP: ("2s", ["account.throttle={rate_limit: 90, burst_limit: 10}"]),
    SIZES: ("4m", ["warm_up=1m", "account.throttle={rate_limit: 15, burst_limit: 5}"]),
    POLLING: (
        "70s",
        [
            "account.throttle={rate_limit: 40, burst_limit: 10}",
            "traffic.pollers.phases.0.users=60",
            "traffic.listeners.sessions.population=60",
            "traffic.listeners.sessions.connect_over=10s",
            "traffic.listeners.pushes.goals.rate=1/s",
        ],
    ),
}

#: Digest, requests by outcome and the exact total of the bill.
Golden = tuple[str, dict[str, int], str]

WHOLE: Final[dict[str, Golden]] = {
    ALLOWLIST: (
        "fa03947f8f0f530b",
        {"served": 23_276, "forbidden": 96_496},
        "0.16399193563218644847869873046875",
    ),
    DDOS: (
        "95046161d7c79d3e",
        {
            "served": 618_907,
            "throttled": 395_378,
            "authorizer_failed": 1,
            "backend_throttled": 459,
        },
        "3.772317593029210013580322265625",
    ),
    FRIDAY: (
        "74d998cd7c7f151c",
        {
            "served": 455_742,
            "cache_hit": 1_207_336,
            "throttled": 37_860,
            "forbidden": 1_167,
            "backend_error": 90,
            "backend_throttled": 15_877,
        },
        "2.57617081741156690425872802734375",
    ),
    WALL: (
        "6ea2d8ea8cc409b8",
        {"served": 239_848, "backend_throttled": 105_162},
        "1.4956007634003154582977294921875",
    ),
    EDGE: ("7eec4b06f7ebbd56", {"served": 72_284}, "0.1469609103810015625"),
    LEVELS: ("f771a34aab8c1781", {"served": 543_472, "throttled": 48_938}, "2.073435"),
    SPIKE: ("21097c4a904d1b4d", {"served": 15_999, "throttled": 4_001}, "0.07"),
    KEYS: ("ac3ad6772ca8c56e", {"served": 50_641, "cache_hit": 309_690}, "1.7095006333"),
    AUTHORIZER: (
        "90bcc7a1bc1c8360",
        {"served": 1_798_582},
        "1.59850104004092004852294921875",
    ),
    PITFALL: (
        "6cdf6fd1ccdbb74d",
        {"served": 93_265, "cache_hit": 1_704_596},
        "1.8396330631",
    ),
    CANARY: ("7ff5dd2fbc4a20bc", {"served": 180_342}, "0.81147187028638785552978515625"),
    STORM: (
        "b39da9e95421cf33",
        {"served": 270_224, "throttled": 89_524, "preflight": 269_798},
        "0.8319991399",
    ),
    OUTAGE: (
        "c7f63e5af04e16a7",
        {"served": 112_853, "timeout": 31_259},
        "0.52739217216909116668701171875",
    ),
    RETRIES: (
        "ae6383ea46e32f5f",
        {"served": 112_333, "backend_error": 372_000, "client_gone": 168_803},
        "0.225755365478515625",
    ),
    LINK: (
        "e0cc1d163541cda9",
        {"served": 335_150, "backend_error": 24_235},
        "1.2921999496257305145263671875",
    ),
    SLOW: (
        "5b003169186777c8",
        {"served": 228_123, "backend_throttled": 36_200},
        "2.0684369448336045948028564453125",
    ),
    FORGET: (
        "77553c5105b886bc",
        {"served": 10_591, "backend_throttled": 3_182},
        "0.1408287219201674167633056640625",
    ),
    TABLE: (
        "e729f0dcfd4d75d9",
        {"served": 449_968, "backend_error": 15_328, "backend_throttled": 16_098},
        "2.0389486881",
    ),
    REPLAY: ("e7b8213f3c3472ee", {"served": 48, "cache_hit": 252}, "0.0052447708"),
    TIERS: (
        "966fac4e78d06cd5",
        {"served": 2_728_555, "quota": 1_595_434},
        "9.78788063072144985198974609375",
    ),
    NOISY: (
        "03452a77b2ae8fb4",
        {"served": 217_705, "throttled": 58_825, "backend_throttled": 58_252},
        "1.26909159484131741466522216796875",
    ),
    CHAT: ("699f912aa0d639b4", {"served": 100_000, "connected": 1_000}, "0.115"),
    DASHBOARD: (
        "4a5854022a742ec1",
        {
            "served": 45_604,
            "throttled": 20_855,
            "connected": 10_000,
            "gone": 370,
            "sent": 1_474_452,
        },
        "1.58278063014385764865875244140625",
    ),
    RECONNECTS: (
        "527d48d1bad2de43",
        {
            "served": 4_540,
            "backend_throttled": 15_441,
            "connected": 10_000,
            "throttled": 3_230,
            "gone": 9_000,
            "sent": 68_814,
            "unavailable": 38_910,
        },
        "0.1213958762308512237548828125",
    ),
    IOT: (
        "1984faa04cce3bdb",
        {"served": 1_383_294, "connected": 200_000, "gone": 40, "sent": 108_313},
        "5.84372194615643787384033203125",
    ),
    BENEFIT: ("c9276902bccc50b5", {"served": 5_013, "cache_hit": 44_987}, "0.2831893667"),
    REST_HTTP: ("c2b1b0ff973c9a95", {"served": 2_000}, "0.0045"),
    SIZES: (
        "5122e5f156ccee1f",
        {"served": 52_847, "cache_hit": 19_222},
        "12.25703356721173828125",
    ),
    POLLING: (
        "3937b8cf965134fa",
        {"served": 1_416_803, "connected": 2_000, "gone": 90, "sent": 217_056},
        "5.61033014138651726837158203125",
    ),
}
#: The long ones, cut.
CUT: Final[dict[str, tuple[str, Golden]]] = {
    QUICKSTART: (
        "1m",
        ("bf522ea291531e89", {"served": 6_951, "cache_hit": 98_566}, "0.4361060358"),
    ),
    DAY: ("5m", ("57c0d94df8e8cca3", {"served": 9_628, "cache_hit": 69_987}, "0.3351704980")),
}
LONG: Final[dict[str, Golden]] = {
    QUICKSTART: (
        "0ccfc079089486ac",
        {"served": 355_102, "cache_hit": 7_059_362, "throttled": 3_477},
        "29.73670921897714473476409912109375",
    ),
    DAY: (
        "672d7d6dab840c6e",
        {"served": 4_267_574, "cache_hit": 54_500_327, "throttled": 3_057},
        "239.4366611455926802326202392578125",
    ),
}


def test_every_scenario_is_tested_here() -> None:
    assert set(NAMES) == set(SHORT) == set(WHOLE) | set(CUT) == set(WHOLE) | set(LONG)


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_is_valid_and_tells_its_question_and_its_answer(name: str) -> None:
    scenario = load(file_of(name))
    header = scenario.source.text.split("apisim: 1")[0]
    assert scenario.name
    assert scenario.description
    assert re.search(r"^# QUESTION  .*\?$", header, re.MULTILINE | re.DOTALL)
    assert f"apisim run scenarios/{name}.yaml" in header


def test_the_table_of_scenarios_lists_each_with_its_question_and_its_command() -> None:
    table = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[[^]]+\]\((\S+)\.yaml\) \| .+\?.* \| `(.+)` \|$", table, re.MULTILINE)
    assert sorted(name for name, _ in rows) == NAMES
    for name, command in rows:
        assert command.startswith(f"apisim run scenarios/{name}.yaml")


@pytest.mark.equivalence
@pytest.mark.parametrize("name", NAMES)
def test_both_engines_agree_on_a_scenario(name: str) -> None:
    duration, overrides = SHORT[name]
    compiled, golden = (
        apisim.run(file_of(name), overrides=overrides, duration=duration, engine=engine).to_dict()
        for engine in ("compiled", "simpy")
    )
    assert compiled["requests"]["refused_by"] or name in (KEYS, PITFALL)
    assert compiled["run"]["digest"] == golden["run"]["digest"]
    for found in (compiled, golden):
        del found["run"]  # how long it took
    assert compiled == golden


@pytest.mark.parametrize("name", WHOLE)
def test_a_scenario_ends_as_it_always_did(name: str) -> None:
    assert outcomes(result(name)) == WHOLE[name]


@pytest.mark.parametrize("name", CUT)
def test_the_beginning_of_a_long_scenario_ends_as_it_always_did(name: str) -> None:
    duration, expected = CUT[name]
    assert outcomes(result(name, duration=duration)) == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_a_long_scenario_ends_as_it_always_did(name: str) -> None:
    assert outcomes(result(name)) == LONG[name]
