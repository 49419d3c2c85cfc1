"""Results of small WebSocket runs, worked out by hand: connections, messages, the bill."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

import apisim
from apisim.results.files import to_json
from apisim.results.tables import columns_of, rows_of
from apisim.results.websockets import WebSocketStats
from apisim.scenario import ScenarioError, loads
from apisim.studies import run

_MESSAGES = "apigateway.websocket.messages"
_MINUTES = "apigateway.websocket.connection_minutes"
#: Ten users come evenly in ten seconds and stay for a minute; each speaks every ten seconds.
CHAT = """
apisim: 1
profile: ideal
apis:
  chat:
    type: websocket
    routes:
      say: {integration: {type: mock}, route_response: true, response_size: 100B}
      whisper: {integration: {type: mock}}
traffic:
  users:
    mix: {say: 1}
    sessions:
      population: 10
      connect_over: 10s
      until: 2m
      length: 1m
      messages_per_session: 6
      size: 300B
"""


def result_of(
    *overrides: str, text: str = CHAT, more: str = "", engine: Any = "auto"
) -> apisim.Result:
    return run(loads(text + more, overrides=overrides), engine=engine)


def only(result: apisim.Result) -> WebSocketStats:
    (stats,) = result.websockets
    return stats


def quantity(result: apisim.Result, meter: str) -> Fraction:
    line = result.bill.run.line(meter)
    return Fraction(0) if line is None else line.quantity


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_everybody_is_connected_for_a_minute(engine: str) -> None:
    result = result_of(engine=engine)
    stats = only(result)
    assert (stats.attempts, stats.opened, stats.refused) == (10, 10, {})
    assert stats.closed == {"left": 10}
    assert stats.peak_open == 10
    assert stats.peak_connects == 1
    assert stats.mean_open == 10 * 60 / 120
    assert stats.durations_s == {"mean": 60.0, "p50": 60.0, "p99": 60.0, "max": 60.0}
    assert (stats.received, stats.replies, stats.outcomes) == (60, 60, {"served": 60})
    assert stats.cloudwatch == {
        "ConnectCount": 10, "MessageCount": 120,
        "ClientError": 0, "IntegrationError": 0, "ExecutionError": 0,
    }  # fmt: skip
    assert stats.connection_minutes == 10
    assert (quantity(result, _MESSAGES), quantity(result, _MINUTES)) == (120, 10)


def test_a_thousand_users_and_hours() -> None:
    stats = only(result_of())
    # 10 user-minutes are a sixth of a user's hour: 6,000 times as much for 1,000.
    bill = 120 * Decimal("0.000001") + 10 * Decimal("0.00000025")
    assert stats.cost == bill * 6_000
    assert stats.run_cost is not None
    assert stats.run_cost > stats.cost  # what was transferred out


@pytest.mark.parametrize(
    ("length", "rounding", "minutes"),
    [("90s", "up", 2), ("90s", "exact", 1.5), ("90s", "nearest", 2), ("89s", "nearest", 1),
     ("60s", "up", 1), ("60001ms", "up", 2)],
)  # fmt: skip
def test_each_connection_is_rounded(length: str, rounding: str, minutes: float) -> None:
    result = result_of(
        f"traffic.users.sessions.length={length}", f"settings.connection_minutes={rounding}"
    )
    assert quantity(result, _MINUTES) == Fraction(minutes) * 10


@pytest.mark.parametrize(
    ("size", "reply", "units"),
    [(32_768, 1, 2), (32_769, 1, 3), (131_072, 1, 5), (1, 32_768, 2), (1, 32_769, 3)],
)
def test_messages_are_metered_both_ways(size: int, reply: int, units: int) -> None:
    result = result_of(
        f"traffic.users.sessions.size={size}B", f"apis.chat.routes.say.response_size={reply}B"
    )
    assert quantity(result, _MESSAGES) == 60 * units


def test_without_a_route_response_a_message_is_one() -> None:
    result = result_of("traffic.users.mix={whisper: 1}")
    assert (only(result).replies, quantity(result, _MESSAGES)) == (0, 60)


def test_who_was_refused_is_no_connection() -> None:
    result = result_of(
        "account.new_connections.rate_limit=1",
        "account.new_connections.burst_limit=2",
        "traffic.users.sessions.connect_over=1s",
        "traffic.users.sessions.reconnect=never",
    )
    stats = only(result)
    # Two at once and what comes up in a second: the tenth is 0.9 to 1 s after the first.
    assert stats.refused == {"throttled": 10 - stats.opened}
    assert stats.opened == 2
    assert stats.cloudwatch["ClientError"] == 8
    assert stats.cloudwatch["ConnectCount"] == 2
    assert result.requests.by_status == {101: 2, 200: 12, 429: 8}


def test_a_run_in_which_nobody_got_in_can_be_shown() -> None:
    result = result_of(
        "account.new_connections.rate_limit=0",
        "account.new_connections.burst_limit=1",
        "settings.buckets_start=empty",
        "traffic.users.sessions.reconnect=never",
    )
    stats = only(result)
    assert (stats.opened, stats.peak_open, stats.mean_open) == (0, 0, 0.0)
    assert stats.cost is None
    (shown,) = json.loads(to_json(result))["websockets"]
    assert shown["duration_s"] == {"mean": None, "p50": None, "p99": None, "max": None}
    assert shown["concurrent"]["peak_at_s"] is None
    assert "WebSocket connections" in str(result)


def test_openings_and_what_is_open_add_up_over_the_series() -> None:
    result = result_of("replications=2", "warm_up=5s")
    rows = rows_of(result, "series")
    assert columns_of("series", rows)[-4:] == ["mean_open", "peak_open", "connects", "closes"]
    assert sum(row["mean_open"] * row["period_s"] for row in rows) == pytest.approx(600)
    assert sum(row["connects"] for row in rows) == sum(row["closes"] for row in rows) == 20
    assert max(row["peak_open"] for row in rows) == 10
    stats = only(result)
    assert stats.opened == 10  # five of ten in the warm-up
    assert stats.closed == {"left": 20}
    assert stats.mean_open == pytest.approx((600 - 12.5) / 115, rel=0.01)


def test_a_months_minutes_are_those_after_the_warm_up() -> None:
    more = "pricing: {month: project, represents: steady, hours: 720}\n"
    result = result_of(
        "warm_up=30s", "traffic.users.sessions.length=90s", "traffic.users.sessions.until=3m",
        more=more,
    )  # fmt: skip
    assert result.bill.month is not None
    line = result.bill.month.line(_MINUTES)
    assert line is not None
    # Of two minutes each none was whole when the warm-up ended; 150 s are 1/17,280 of a month.
    assert line.quantity == 20 * 720 * 3600 // 150


def test_a_population_that_nobody_sends_home_stands_for_no_part_of_a_month() -> None:
    more = "pricing: {month: project, represents: steady}\n"
    text = CHAT.replace("      until: 2m\n", "")
    with pytest.raises(ScenarioError, match="nobody sends this population home"):
        result_of(text=text, more=more)
    result = result_of(text=text)
    assert result.run_info.simulated_s == pytest.approx(70, abs=1)
    assert only(result).mean_open == pytest.approx(600 / 70, rel=0.02)


PUSHES = """
senders: {fanout: {parallelism: 2, call_time: 10ms}}
"""


def pushes(push: str) -> tuple[str, str]:
    return f"traffic.users.pushes={push}", "traffic.users.sessions.until=60s"


def test_a_broadcast_is_a_message_to_each() -> None:
    result = result_of(
        *pushes("{all: {rate: 0.1/s, arrivals: uniform, to: all, size: 40000B, by: fanout}}"),
        more=PUSHES,
    )
    stats = only(result)
    (push,) = stats.pushes
    assert push.push == "users.all"
    assert push.arose == 6
    assert push.calls == push.sent == push.delivered == push.audience == stats.pushed
    assert quantity(result, _MESSAGES) == 2 * stats.received + 2 * push.sent
    assert stats.cloudwatch["MessageCount"] == 2 * stats.received + push.sent
    # Two at a time, 10 ms there and back: the last of ten has it after 45 ms.
    assert push.delivery_ms.max == pytest.approx(45.0)
    (row,) = rows_of(result, "pushes")
    assert row["delivery_ms_max"] == push.delivery_ms.max


def test_what_is_pushed_goes_out_to_the_clients_and_what_is_refused_does_not() -> None:
    push = "{all: {rate: 0.1/s, arrivals: uniform, to: all, size: 40000B, by: fanout}}"
    for throttle in ("{}", "{rate_limit: 0, burst_limit: 20}"):
        more = ("traffic.users.mix={whisper: 1}", f"account.throttle={throttle}")
        result = result_of(*pushes(push), *more, more=PUSHES)
        (stats,) = only(result).pushes
        assert (stats.throttled > 0) == (throttle != "{}")
        line = result.bill.run.line("datatransfer.out.internet")
        assert line is not None
        # What is said of errors is short.
        assert 0 <= line.quantity * 2**30 - 40_000 * stats.sent < 20_000


def test_thresholds_on_connections_and_deliveries() -> None:
    more = PUSHES + """
thresholds:
  connections: ["max==10", "mean<10"]
  'connections{api:chat}': ["max<=9"]
  connects: ["count==10", "rate<1/s"]
  'delivery{traffic:"users.one"}': ["p(95)<1s", "min>1ms"]
  delivery_failures: ["rate<1%"]
  'failed{route:"$connect"}': ["rate==0%"]
"""  # fmt: skip
    result = result_of(*pushes("{one: {on: say, to: sender, by: fanout}}"), more=more)
    oks = {(one.metric, one.expression): one.ok for one in result.thresholds}
    assert [key for key, ok in oks.items() if not ok] == [("connections{api:chat}", "max<=9")]
    assert all(one.is_measured for one in result.thresholds)


@pytest.mark.parametrize(
    ("threshold", "message"),
    [
        ("'connections{route:say}': ['max<1']", "connections is not kept by route"),
        ("delivery: ['max<1s']", "delivery is measured of pushes, and there are none"),
        ("connections: ['p(99)<1']", "connections has no p"),
    ],
)
def test_thresholds_that_cannot_be_measured_are_refused(threshold: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        result_of(more=f"thresholds: {{{threshold}}}\n")


def test_a_scenario_without_websockets_has_no_connections() -> None:
    text = """
apisim: 1
apis: {a: {type: rest, routes: {GET /x: {integration: {type: mock}}}}}
traffic: {web: {phases: [{duration: 1s, rate: 1}], mix: {GET /x: 1}}}
"""
    assert result_of(text=text).websockets == ()
    with pytest.raises(ScenarioError, match="there is none"):
        result_of(text=text, more="thresholds: {connections: ['max<1']}\n")


def test_an_api_that_nobody_calls_has_no_numbers() -> None:
    text = """
apisim: 1
apis:
  idle: {type: websocket, routes: {say: {integration: {type: mock}}}}
  a: {type: rest, routes: {GET /x: {integration: {type: mock}}}}
traffic: {web: {phases: [{duration: 1s, rate: 1}], mix: {a GET /x: 1}}}
pricing: {month: project, represents: steady}
"""
    result = result_of(text=text, more="thresholds: {connections: ['max<1']}\n")
    assert result.websockets == ()
    assert quantity(result, _MINUTES) == 0
    assert [one.reason for one in result.thresholds] == ["nothing measured"]


def test_a_day_of_aws_example() -> None:
    """One of the 1,000 users of AWS's example: 12 hours, 100 messages sent and 500 received."""
    text = """
apisim: 1
profile: ideal
apis:
  chat:
    type: websocket
    routes: {say: {integration: {type: mock}}}
traffic:
  user:
    mix: {say: 1}
    sessions:
      {population: 1, connect_over: 1us, until: 12h, messages_per_session: 100, size: 3KB,
       pings: 5m, reconnect: at_once}
    pushes:
      news: {rate: 1/86.4, arrivals: uniform, to: all, size: 3KB, by: backend}
senders: {backend: {call_time: 0s}}
"""
    text = text.replace("1/86.4", "0.011574/s")  # 500 in 12 hours
    result = run(loads(text))
    assert quantity(result, _MESSAGES) == 600
    assert quantity(result, _MINUTES) == 720
    assert only(result).closed == {"left": 1, "age": 5}


CUT = CHAT.replace(
    "profile: ideal", "profile: ideal\ntimeline: [{at: 30s, disconnect: chat, for: 2s}]"
)
CUT = CUT.replace(
    "      say: {", "      $connect: {authorizer: who, api_key_required: true}\n      say: {"
)
KNOWN = """
authorizers: {who: {type: request, function: f, identity_sources: [querystring.token]}}
functions: {f: {duration: 1ms}}
usage_plans: {plan: {api_stages: {chat/prod: {}}, api_keys: [key]}}
"""
_ASKED = (
    "traffic.users.values={querystring.token: {uniform: 3}}",
    "traffic.users.api_key=key",
    "traffic.users.network={rtt: 10ms}",
    "traffic.users.sessions.reconnect={backoff: fixed, base: 500ms, max: 9}",
)


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_a_blip_is_on_the_timeline_and_nobody_is_asked_while_it_lasts(engine: str) -> None:
    result = result_of(*_ASKED, text=CUT, more=KNOWN, engine=engine)
    (cut,) = result.timeline
    assert cut.to_dict() == {
        "at_s": 30.0, "until_s": 32.0, "what": "disconnect chat", "value": "100%", "before": None,
    }  # fmt: skip
    assert "disconnect chat" in str(result)
    stats = only(result)
    assert "unavailable" in stats.refused
    asked = result.authorizers["who"]
    assert (asked.hits, asked.invocations) == (0, stats.opened)
    (customer,) = result.customers.rows()
    said = stats.outcomes["served"]
    assert said == stats.received  # the key is the messages' too
    assert (customer.offered, customer.served) == (stats.attempts + said, stats.opened + said)


def test_each_upgrade_opens_a_connection_and_messages_open_none() -> None:
    result = result_of("traffic.users.network={rtt: 10ms}", "traffic.users.network.tls='1.3'")
    found = [
        (row.labels["route"], row.new_connections, row.reused_connections) for row in result.routes
    ]
    assert found == [
        ("say", 0, 0),
        ("whisper", 0, 0),
        ("$connect", 10, 0),
        ("POST @connections", 0, 0),
    ]
    assert "opened a connection first" not in str(result)
