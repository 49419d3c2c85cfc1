"""WebSocket APIs at work: one mechanism a run, small enough to know what has to come of it."""

import csv
import io
from pathlib import Path

import pytest

import apisim
from apisim.pricing import Bill
from apisim.results.files import write_files
from apisim.results.websockets import WebSocketStats
from apisim.scenario import loads
from apisim.studies import run

_MESSAGES = "apigateway.websocket.messages"
_MINUTES = "apigateway.websocket.connection_minutes"
#: Four users come evenly within four seconds, stay for a minute, and speak every fifteen seconds.
CHAT = """
apisim: 1
profile: ideal
apis:
  chat:
    type: websocket
    routes:
      $disconnect: {integration: {type: mock}}
      say: {integration: {type: mock}}
      $default: {integration: {type: mock}}
traffic:
  users:
    mix: {say: 1}
    sessions: {population: 4, connect_over: 4s, length: 1m, messages_per_session: 4, size: 300B}
senders: {fanout: {parallelism: 1, call_time: 10ms}}
settings: {disconnect_delivery: 100%}
"""
_PUSHES = "traffic.users.pushes={all: {rate: 0.1/s, arrivals: uniform, to: all, by: fanout}}"
_UNTIL = "traffic.users.sessions.until=60s"


def result_of(*overrides: str) -> apisim.Result:
    return run(loads(CHAT, overrides=overrides), engine="simpy")


def stats_of(*overrides: str) -> WebSocketStats:
    (stats,) = result_of(*overrides).websockets
    return stats


def units(bill: Bill, meter: str) -> float:
    line = bill.line(meter)
    return 0.0 if line is None else float(line.quantity)


def test_a_session_lasts_as_long_as_its_user_wants() -> None:
    stats = stats_of()
    assert stats.durations_s["max"] == 60
    assert (stats.opened, stats.peak_open, stats.received) == (4, 4, 16)
    assert stats.closed == {"left": 4}


def test_the_value_of_a_message_names_its_route() -> None:
    found = result_of("traffic.users.mix={say: 1, whisper: 1, $default: 1}")
    said = {row.labels["route"]: row.requests for row in found.routes}
    assert min(said["say"], said["$default"]) > 0
    assert said["say"] + said["$default"] == 16
    assert found.requests.by_status == {101: 4, 200: 20}
    # Nobody takes the others without $default.
    found = result_of("traffic.users.mix={say: 1, whisper: 1}", "apis.chat.routes.$default=null")
    said = {row.labels["route"]: row.requests for row in found.routes}
    assert said[""] == found.requests.by_status[403] == 16 - said["say"]


def test_what_a_route_answers_goes_back_only_if_it_has_a_route_response() -> None:
    answers = "apis.chat.routes.say.response_size=40000B"
    assert stats_of(answers).replies == 0
    found = result_of(answers, "apis.chat.routes.say.route_response=true")
    (stats,) = found.websockets
    assert stats.replies == 16
    moved = found.bill.run.line("datatransfer.out.internet")
    assert moved is not None
    assert moved.quantity * 2**30 == 16 * 40_000


def test_a_push_goes_to_everybody_who_is_connected() -> None:
    (push,) = stats_of(_PUSHES, _UNTIL).pushes
    assert push.arose == 6
    # The first comes when there may be fewer than four.
    assert push.sent == push.delivered == push.audience
    assert 20 <= push.sent <= 24
    # One call at a time, 10 ms there and back: the last of four has it after 35 ms.
    assert push.delivery_ms.max == pytest.approx(35)


def test_whom_the_application_takes_to_be_there_meets_410_once() -> None:
    gone_home = ("traffic.users.sessions.length=20s", _PUSHES, _UNTIL)
    (told,) = stats_of(*gone_home).pushes
    assert told.gone == 0
    for silence in ("settings.disconnect_delivery=0%", "apis.chat.routes.$disconnect=null"):
        (untold,) = stats_of(*gone_home, silence).pushes
        assert (untold.gone, untold.sent) == (4, told.sent)


def test_a_connection_ends_when_nothing_is_said_or_when_it_is_old() -> None:
    idle = stats_of("settings.websocket_idle_timeout=10s")
    assert "idle" in idle.closed
    assert idle.durations_s["max"] <= 10 + 15
    old = stats_of("settings.websocket_max_age=25s", "traffic.users.sessions.reconnect=at_once")
    assert old.closed == {"age": 8, "left": 4}
    assert old.durations_s["max"] == 25
    never = stats_of("settings.websocket_max_age=25s", "traffic.users.sessions.reconnect=never")
    assert never.closed == {"age": 4}


def test_pings_keep_a_connection_open() -> None:
    idle = "settings.websocket_idle_timeout=10s"
    pings = "traffic.users.sessions.pings=5s"
    assert stats_of(idle, pings).closed == {"left": 4}
    assert "idle" in stats_of(idle, pings, "settings.pings_keep_alive=false").closed


def test_what_is_too_large_or_binary_closes_the_connection() -> None:
    at_once = "traffic.users.sessions.reconnect=at_once"
    sizes = "traffic.users.sessions.max_frame=1MB"
    for size, closed in ((32_768, {}), (32_769, {"too_large": 16})):
        found = stats_of(f"traffic.users.sessions.size={size}B", sizes, at_once)
        assert found.closed == {"left": 4, **closed}
    for size, closed in ((131_072, {}), (131_073, {"too_large": 16})):
        found = stats_of(f"traffic.users.sessions.size={size}B", at_once)
        assert found.closed == {"left": 4, **closed}
    found = stats_of("traffic.users.sessions.binary=100%", at_once)
    assert found.closed == {"left": 4, "binary": 16}


def test_messages_are_billed_both_ways_and_minutes_as_long_as_they_last() -> None:
    found = result_of(
        "apis.chat.routes.say.route_response=true", "traffic.users.sessions.length=61s"
    )
    assert units(found.bill.run, _MESSAGES) == 2 * 16
    assert units(found.bill.run, _MINUTES) == 4 * 2
    exact = result_of("traffic.users.sessions.length=61s", "settings.connection_minutes=exact")
    assert units(exact.bill.run, _MINUTES) == pytest.approx(4 * 61 / 60)


def test_an_account_opens_so_many_connections_a_second() -> None:
    crowd = (
        "traffic.users.sessions={population: 501, connect_over: 1us, length: 1s, reconnect: never}",
    )
    stats = stats_of(*crowd)
    assert (stats.opened, stats.refused) == (500, {"throttled": 1})
    raised = stats_of(*crowd, "account.new_connections.rate_limit=501")
    assert (raised.opened, raised.refused) == (501, {})


def test_connections_and_pushes_are_tables_of_their_own(tmp_path: Path) -> None:
    result = result_of(_PUSHES, _UNTIL)
    files = {file.name: file for file in write_files(result, tmp_path)}
    sockets, pushes = (
        list(csv.DictReader(io.StringIO(files[name].read_text(encoding="utf-8"))))
        for name in ("websockets.csv", "pushes.csv")
    )
    assert [(row["api"], row["opened"]) for row in sockets] == [("chat", "4")]
    assert [row["push"] for row in pushes] == ["users.all"]
    assert "pushes.csv" not in {file.name for file in write_files(result_of(), tmp_path / "none")}


def test_sessions_that_outlast_their_traffic_are_no_part_of_a_month() -> None:
    come = (
        "traffic.users={mix: {say: 1}, phases: [{duration: 1m, rate: 1}], sessions: {length: 1h}}"
    )
    month = "pricing={month: project, represents: steady}"
    with pytest.raises(apisim.ScenarioError, match="sessions go on after the last has begun"):
        result_of(come, month)
    until = result_of(come, month, "traffic.users.sessions.until=2m")
    assert until.bill.month is not None
    often = "traffic.users.phases.0.events_per_month=10"
    assert result_of(come, "pricing.month=project", often).bill.month is not None


def test_a_websocket_api_that_nobody_connects_to_has_no_numbers() -> None:
    result = run(
        loads(
            """
apisim: 1
profile: ideal
replications: 2
apis:
  asked: {type: rest, routes: {GET /: {integration: {type: mock}}}}
  told: {type: websocket, routes: {say: {integration: {type: mock}}}}
traffic: {web: {phases: [{name: calm, duration: 5s, rate: 4}], mix: {asked GET /: 1}}}
"""
        ),
        engine="simpy",
    )
    assert result.requests.by_status == {200: result.requests.total}
    assert not [name for name in result.intervals if name.startswith("connect")]
