"""Limits of a WebSocket connection, on each side of them: to the byte and to the nanosecond.

Quotas of WebSocket APIs: a frame of 32 KB and a message of 128 KB are the largest, a connection on
which nothing is said for ten minutes is closed (1001), one that is two hours old too. What comes at
exactly the limit is in time. Every run is one of both engines.
"""

import pytest

from apisim.gateway.status import Answer
from tests.support.experiments import Data
from tests.support.sockets import (
    MINUTE,
    SECOND,
    Served,
    agreed,
    answers,
    chat,
    closed,
    duration_ns,
    of_route,
    of_source,
    opened_ns,
    steady,
)

pytestmark = pytest.mark.equivalence

GONE, LARGE, BINARY = Answer.CONNECTION_GONE, Answer.FRAME_TOO_LARGE, Answer.BINARY_FRAME
UP, SERVED = Answer.CONNECTED, Answer.SERVED
IDLE, AGE = 10 * MINUTE, 120 * MINUTE


def one_message(**sessions: object) -> Served:
    return agreed(chat(steady("5s", think_time="3s", messages_per_session=1, **sessions)))


@pytest.mark.parametrize(
    ("size", "frame", "answer", "units"),
    [
        ("0B", "32KB", SERVED, 1),
        ("32768B", "32KB", SERVED, 1),
        ("32768B", "1GB", SERVED, 1),
        ("32769B", "32768B", SERVED, 2),  # in two frames
        ("32769B", "32769B", LARGE, 0),
        ("32769B", "1GB", LARGE, 0),
        ("65536B", "32KB", SERVED, 2),
        ("65537B", "1B", SERVED, 3),
        ("131072B", "32KB", SERVED, 4),
        ("131073B", "32KB", LARGE, 0),
        ("131073B", "1B", LARGE, 0),
        ("1GB", "1GB", LARGE, 0),
    ],
)
def test_frames_of_32_kb_and_messages_of_128_kb_are_the_largest(
    size: str, frame: str, answer: Answer, units: int
) -> None:
    served = one_message(size=size, max_frame=frame)
    upgrade, message = served[1]
    assert answers(served[1]) == [UP, answer]
    assert (upgrade["units"], message["units"]) == (0, units)
    assert message["status"] == (200 if answer == SERVED else 1009)
    assert closed(served) == ({"left": 1} if answer == SERVED else {"too_large": 1})
    assert duration_ns(served) == (5 if answer == SERVED else 3) * SECOND


@pytest.mark.parametrize("size", ["1B", "131073B"])
def test_a_binary_frame_closes_the_connection_whatever_its_size(size: str) -> None:
    served = one_message(size=size, binary="100%")
    assert answers(served[1]) == [UP, BINARY]
    assert served[1][1]["status"] == 1003
    assert served[1][1]["units"] == 0
    assert closed(served) == {"binary": 1}
    assert duration_ns(served) == 3 * SECOND


@pytest.mark.parametrize("sessions", [{"binary": "100%"}, {"size": "131073B"}])
def test_a_client_whose_message_was_not_taken_connects_again(sessions: Data) -> None:
    data = chat(steady("7s", think_time="3s", **sessions | {"reconnect": "at_once"}))
    served = agreed(data)
    bad = BINARY if "binary" in sessions else LARGE
    assert answers(served[1]) == [UP, bad, UP, bad, UP]
    assert served[1]["arrival_ns"].tolist() == [0, *[3 * SECOND] * 2, *[6 * SECOND] * 2]
    assert closed(served) == {"binary" if bad == BINARY else "too_large": 2, "left": 1}
    assert duration_ns(served) == 7 * SECOND


def talking(think: str, **more: object) -> Served:
    return agreed(chat(steady("1900s", think_time=think, **more)))


def test_a_message_600_s_after_the_last_frame_is_in_time() -> None:
    served = talking("600s")
    assert answers(served[1]) == [UP, SERVED, SERVED, SERVED]
    assert served[1]["arrival_ns"].tolist() == [0, IDLE, 2 * IDLE, 3 * IDLE]
    assert closed(served) == {"left": 1}
    assert duration_ns(served) == 1900 * SECOND


def test_one_nanosecond_later_the_connection_is_closed() -> None:
    served = talking("600000000001ns")
    assert answers(served[1]) == [UP]
    assert closed(served) == {"idle": 1}
    assert duration_ns(served) == IDLE


def test_a_client_that_comes_back_at_once_sends_it_on_its_next_connection() -> None:
    """Connections begin at 0, 600, 1,200 and 1,800 s and a few nanoseconds."""
    served = talking("600000000001ns", reconnect="at_once")
    assert answers(served[1]) == [UP, UP, SERVED, UP, SERVED, UP, SERVED]
    assert of_route(served, "say")["arrival_ns"].tolist() == [
        IDLE + 1,
        2 * IDLE + 2,
        3 * IDLE + 3,
    ]
    # The second ends 600 s after its message, one nanosecond after it began.
    assert of_route(served, "$connect")["arrival_ns"].tolist() == [
        0,
        IDLE,
        2 * IDLE + 1,
        3 * IDLE + 2,
    ]
    assert closed(served) == {"idle": 3, "left": 1}
    assert duration_ns(served) == 1900 * SECOND


@pytest.mark.parametrize("rtt_ns", [100_000_000, 100_000_001])
@pytest.mark.parametrize("late_ns", [0, 1])
def test_what_counts_is_when_the_gateway_has_the_frame(rtt_ns: int, late_ns: int) -> None:
    there_ns, back_ns = rtt_ns // 2, rtt_ns - rtt_ns // 2
    # The client knows of the upgrade `back` later, and its message takes `there`.
    think = f"{IDLE - rtt_ns + late_ns}ns"
    network = {"network": {"rtt": f"{rtt_ns}ns"}}
    session = steady("900s", think_time=think, messages_per_session=1)
    served = agreed(chat(session, source=network))
    upgrade, message = served[1]
    opened = opened_ns(upgrade, back_ns)
    assert message["arrival_ns"] + there_ns == opened + IDLE + late_ns
    assert answers(served[1]) == [UP, GONE if late_ns else SERVED]
    if late_ns:
        assert (message["status"], message["units"]) == (410, 0)
        assert closed(served) == {"idle": 1}
        assert duration_ns(served) == IDLE
    else:
        assert message["latency_ns"] == there_ns  # one way: nothing goes back
        assert closed(served) == {"left": 1}
        assert duration_ns(served) == 900 * SECOND + there_ns - opened


def test_a_client_hears_of_the_close_when_the_news_has_come() -> None:
    network = {"network": {"rtt": "100000001ns"}}
    session = steady("900s", think_time="1000s", reconnect="at_once")
    served = agreed(chat(session, source=network))
    first, second = served[1]
    assert second["arrival_ns"] == opened_ns(first, 50_000_001) + IDLE + 50_000_001
    assert closed(served) == {"idle": 1, "left": 1}


@pytest.mark.parametrize(
    ("pings", "lasts", "reason"),
    [
        ("1s", AGE, "age"),
        ("599999999999ns", AGE, "age"),
        ("600s", AGE, "age"),
        ("600000000001ns", IDLE, "idle"),
        ("1h", IDLE, "idle"),
    ],
)
def test_pings_at_least_every_600_s_keep_a_silent_connection(
    pings: str, lasts: int, reason: str
) -> None:
    served = agreed(chat(steady("3h", pings=pings)))
    assert answers(served[1]) == [UP]
    assert closed(served) == {reason: 1}
    assert duration_ns(served) == lasts


def test_pings_that_do_not_count_keep_nothing() -> None:
    served = agreed(chat(steady("3h", pings="1s"), settings={"pings_keep_alive": False}))
    assert closed(served) == {"idle": 1}
    assert duration_ns(served) == IDLE


def test_a_rare_ping_counts_from_when_it_was_sent() -> None:
    # The message at 300 s keeps it to 900 s, the ping at 700 s to 1,300 s; the next is at 1,400 s.
    session = steady("3h", pings="700s", think_time="300s", messages_per_session=1)
    served = agreed(chat(session))
    assert closed(served) == {"idle": 1}
    assert duration_ns(served) == 1300 * SECOND


def test_rare_pings_and_rare_messages_keep_a_connection_together() -> None:
    # Every 601 s neither keeps it; in turn they do.
    even = {"messages_per_session": 11, "until": f"{11 * 601_000_000_000 + 1000}ns"}
    session = {**steady("1s"), **even, "connect_over": "1us"}
    assert closed(agreed(chat(session)))["idle"] == 1
    served = agreed(chat({**session, "pings": "601s"}))
    first = int(of_route(served, "say")["arrival_ns"][0])
    assert 2 * SECOND < first < 599 * SECOND
    assert answers(of_route(served, "say")) == [SERVED] * 11
    assert closed(served) == {"left": 1}


@pytest.mark.parametrize(("rate", "is_kept"), [("0.001667/s", True), ("0.001666/s", False)])
def test_a_push_is_a_frame_too(rate: str, is_kept: bool) -> None:
    """Pushes come every 599.88 s, and every 600.24 s."""
    pushes = {"news": {"rate": rate, "arrivals": "uniform", "to": "all", "by": "s"}}
    senders = {"s": {"call_time": 0}}
    served = agreed(chat(steady("2h"), source={"pushes": pushes}, senders=senders))
    sent = of_source(served, "users.news")
    if is_kept:
        assert answers(sent) == [Answer.SENT] * 12
        assert closed(served) == {"left": 1}
    else:
        # Nothing has told the application but the 410 of the second, which was the last.
        assert answers(sent) == [Answer.SENT, GONE]
        assert closed(served) == {"idle": 1}
        assert duration_ns(served) == int(sent["arrival_ns"][0]) + IDLE


@pytest.mark.parametrize("replies", [True, False])
@pytest.mark.parametrize("late_ns", [0, 1])
def test_a_reply_is_a_frame_too(late_ns: int, replies: bool) -> None:
    """It leaves 20 s after its message, which is why the next one may come 620 s after that."""
    gap_ns = IDLE + 20 * SECOND + late_ns
    integration = {"type": "lambda_proxy", "function": "slow"}
    routes = {"say": {"integration": integration, "route_response": replies}}
    functions = {"slow": {"duration": "20s", "timeout": "30s"}}
    even = {"messages_per_session": 2, "connect_over": "1us", "until": f"{2 * gap_ns + 1000}ns"}
    served = agreed(chat({**steady("1s"), **even}, routes, functions=functions))
    first = of_route(served, "say")[0]
    assert first["arrival_ns"] < IDLE
    assert first["integration_ns"] == 20 * SECOND
    is_kept = replies and not late_ns
    assert answers(of_route(served, "say")) == [SERVED] * (2 if is_kept else 1)
    assert closed(served) == ({"left": 1} if is_kept else {"idle": 1})
    if not is_kept:
        replied_ns = 20 * SECOND if replies else 0
        assert duration_ns(served) == int(first["arrival_ns"]) + replied_ns + IDLE


@pytest.mark.parametrize("late_ns", [0, 1])
def test_no_connection_is_older_than_two_hours(late_ns: int) -> None:
    session = steady(
        "3h",
        pings="600s",
        think_time=f"{AGE + late_ns}ns",
        messages_per_session=1,
        reconnect="at_once",
    )
    served = agreed(chat(session))
    assert of_route(served, "say")["arrival_ns"].tolist() == [AGE + late_ns]
    assert answers(of_route(served, "say")) == [SERVED]
    connects = of_route(served, "$connect")
    assert connects["arrival_ns"].tolist() == [0, AGE]
    # In time: before the close of the same instant.
    ordinals = [int(of_route(served, "say")["ordinal"][0]), int(connects["ordinal"][1])]
    assert (ordinals[0] < ordinals[1]) is (late_ns == 0)
    assert closed(served) == {"age": 1, "left": 1}
    assert duration_ns(served) == 180 * MINUTE
    assert served[0].recorder.connections.apis[0]["duration_max_ns"] == AGE


def test_messages_do_not_make_a_connection_younger() -> None:
    served = agreed(chat(steady("3h", think_time="600s")))
    assert answers(served[1]) == [UP] + [SERVED] * 12
    assert served[1]["arrival_ns"][-1] == AGE
    assert closed(served) == {"age": 1}
    assert duration_ns(served) == AGE


def test_the_age_is_counted_where_the_gateway_stands() -> None:
    session = steady("3h", pings="5m", reconnect="at_once")
    served = agreed(chat(session, source={"network": {"rtt": "400ms"}}))
    first, second = served[1]
    assert second["arrival_ns"] == opened_ns(first, 200_000_000) + AGE + 200_000_000
    assert closed(served) == {"age": 1, "left": 1}


def test_both_limits_are_settings() -> None:
    settings = {"websocket_idle_timeout": "7s", "websocket_max_age": "20s"}
    silent = agreed(chat(steady("60s"), settings=settings))
    assert (closed(silent), duration_ns(silent)) == ({"idle": 1}, 7 * SECOND)
    talks = agreed(chat(steady("60s", think_time="7s"), settings=settings))
    assert (closed(talks), duration_ns(talks)) == ({"age": 1}, 20 * SECOND)
