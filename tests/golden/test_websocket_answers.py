"""What the scenarios about WebSocket APIs say they answer, and the same by another way."""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Final

import pytest

import apisim
from apisim.results.websockets import PushStats, WebSocketStats
from tests.support.shipped import (
    CHAT,
    DASHBOARD,
    IOT,
    POLLING,
    RECONNECTS,
    dollars,
    percent,
    result,
    says,
)

_MESSAGES: Final = "apigateway.websocket.messages"
_MINUTES: Final = "apigateway.websocket.connection_minutes"


def only(found: apisim.Result) -> WebSocketStats:
    (stats,) = found.websockets
    return stats


def pushed(found: apisim.Result) -> PushStats:
    (push,) = only(found).pushes
    return push


def quantity(found: apisim.Result, meter: str) -> Fraction:
    line = found.bill.run.line(meter)
    return Fraction(0) if line is None else line.quantity


def cents(amount: Fraction) -> str:
    return f"${float(amount):,.2f}"


def throttled(found: apisim.Result, traffic: str) -> str:
    tally = found.measurements.select(traffic=traffic)
    return percent(tally.with_outcome("throttled") / tally.requests)


# --------------------------------------------------------------------------------------------- chat

ANSWERED: Final = "apis.chat.routes.sendMessage.route_response=true"
ROOMS: Final = (
    "traffic.people.sessions.topics={uniform: 100}",
    "traffic.people.pushes={room: {on: sendMessage, to: topic, by: fanout}}",
    "senders={fanout: {}}",
)
FAR: Final = "traffic.people.network={rtt: 40ms}"
EXACT: Final = "settings.connection_minutes=exact"
LARGE: Final = "traffic.people.sessions.size=33KB"


def test_the_answer_of_the_chat() -> None:
    found, rooms, far = result(CHAT), result(CHAT, *ROOMS), result(CHAT, FAR)
    assert found.bill.run.exact_total == Fraction(115, 1_000)
    assert (quantity(found, _MESSAGES), quantity(found, _MINUTES)) == (100_000, 60_000)
    assert only(found).cost == found.bill.run.total
    push = pushed(rooms)
    exact = result(CHAT, FAR, EXACT)
    (longest,) = {stats.durations_s["max"] for stats in far.websockets}
    says(
        CHAT,
        f"Yes, ${found.bill.run.total}",
        f"${result(CHAT, ANSWERED).bill.run.total} if each message is answered",
        f"{push.sent:,} messages more, ${rooms.bill.run.total:.2f} in all",
        f"{push.gone} of them find nobody any more",
        f"each connection lasts {longest:,} s",
        f"{quantity(far, _MINUTES) / 1_000} minutes: ${far.bill.run.total}",
        f"${exact.bill.run.total:.7f} where fractions are billed",
        f"a message of 33 KB is two: ${result(CHAT, LARGE, profile='aws').bill.run.total}",
    )
    assert result(CHAT, profile="aws").bill.run.total == found.bill.run.total
    assert result(CHAT, LARGE).bill.run.total == found.bill.run.total


@pytest.mark.oracle
def test_a_room_is_as_large_as_shares_of_a_hundred_make_it() -> None:
    """The sender itself, and each of 999 others with a chance of one in a hundred."""
    push = pushed(result(CHAT, *ROOMS))
    assert push.arose == 100_000
    # Sizes of rooms vary from user to user: 100 messages of one are no 100 samples.
    spread = math.sqrt(999 * 0.01 * 0.99 / 1_000)
    # Users who are not there yet, or have left, are in no room: 60 of 3,660 s they come and go.
    assert push.sent / push.arose == pytest.approx((1 + 9.99) * (1 - 30 / 3_660), abs=4 * spread)


# ---------------------------------------------------------------------------------------- dashboard

FEW: Final = "senders.fanout.parallelism=50"
MANY: Final = "senders.fanout.parallelism=1000"
COALESCE: Final = "senders.fanout.coalesce=true"
RETRIES: Final = "senders.fanout.retries={max: 10, base: 100ms}"
RAISED: Final = "account.throttle.rate_limit=20000"
SMALL: Final = "account.throttle={rate_limit: 2500, burst_limit: 1250}"
SELDOM: Final = "traffic.viewers.pushes.prices.rate=0.5/s"
_NOTE: Final = "times what the account may do"


def test_the_answer_of_the_dashboard() -> None:
    found, few, raised = result(DASHBOARD), result(DASHBOARD, FEW), result(DASHBOARD, RAISED)
    newest, many = result(DASHBOARD, FEW, COALESCE), result(DASHBOARD, MANY)
    again, small = result(DASHBOARD, MANY, RETRIES), result(DASHBOARD, SMALL)
    calls, delivery = pushed(found).calls, pushed(found).delivery_ms
    dropped = pushed(newest).coalesced / pushed(newest).arose
    late = pushed(again).delivery_ms
    says(
        DASHBOARD,
        "a broadcast a second to 10,000 is 1.00 times what the account may do",
        f"p50 {delivery.p50:.0f} ms and p99 {delivery.p99:.0f} ms",
        f"{percent(pushed(found).throttled / calls)} of them get a 429 and are not sent again",
        f"so do {throttled(found, 'readers')} of the readers",
        f"50 make some {round(pushed(few).calls / 180, -2):,.0f} calls a second",
        f"the last viewer is {pushed(few).delivery_ms.max / 1_000:.0f} s behind",
        f"{percent(dropped)} of the prices give way to newer ones, and the others come after "
        f"{pushed(newest).delivery_ms.p50 / 1_000:.1f} s, the last after "
        f"{pushed(newest).delivery_ms.max / 1_000:.1f} s",
        f"empty the bucket: {percent(pushed(many).throttled / pushed(many).calls)} of the posts",
        f"p99 {late.p99 / 1_000:.1f} s, and at the readers' cost: {throttled(again, 'readers')}",
        f"With 20,000/s nobody gets a 429, p99 is {pushed(raised).delivery_ms.p99:.0f} ms",
        f"takes {percent(pushed(small).throttled / pushed(small).calls)} of the posts",
        f"Three minutes cost {dollars(found)}",
    )
    assert [verdict.ok for verdict in found.thresholds] == [True, False, False]
    assert raised.ok
    assert result(DASHBOARD, SELDOM).ok
    for one, multiple in ((found, "1.00"), (raised, "0.50"), (small, "4.00")):
        assert any(f"{multiple} {_NOTE}" in note for note in one.notes)


@pytest.mark.oracle
def test_a_sender_makes_as_many_calls_as_its_workers_and_their_time_let_it() -> None:
    """Fifty workers, each of whom waits for its call and the gateway's own time."""
    found = result(DASHBOARD, FEW)
    tally = found.measurements.select(traffic="viewers.prices")
    gateway_ms = tally.latency("gateway_latency").mean_ns / 1e6
    rate = 50 / (5 + gateway_ms) * 1_000
    # It has something to do from the first broadcast that lasts longer than a second on, and a
    # broadcast to n has n calls: that is when n / rate exceeds 1 s.
    n_connected = rate
    begins_s = n_connected / (10_000 / 60)
    expected = rate * (180 - begins_s) + sum(10_000 / 60 * s for s in range(int(begins_s)))
    assert pushed(found).calls == pytest.approx(expected, rel=0.02)


# --------------------------------------------------------------------------------------- reconnects

_RECONNECT: Final = "traffic.people.sessions.reconnect"
AT_ONCE: Final = f"{_RECONNECT}=at_once"
PERSISTENT: Final = f"{_RECONNECT}={{backoff: none, max: 1000}}"
JITTER: Final = f"{_RECONNECT}={{jitter: 30s}}"
FASTER: Final = "account.new_connections.rate_limit=2000"
MOCKED: Final = "apis.feed.routes.$disconnect.integration={type: mock}"
_CUT_S: Final = 120


def back_s(found: apisim.Result) -> float:
    """How long after the cut the last connection was opened: the end of its second."""
    rows = found.frame("series")
    rows = rows[(rows["time_s"] >= _CUT_S) & (rows["connects"] > 0)]
    assert only(found).opened == only(found).attempts - sum(only(found).refused.values())
    return float(rows["time_s"].max()) + 1 - _CUT_S


def refused(found: apisim.Result) -> int:
    return sum(only(found).refused.values())


def test_the_answer_of_the_reconnect_storm() -> None:
    found, at_once = result(RECONNECTS), result(RECONNECTS, AT_ONCE)
    stubborn, jitter = result(RECONNECTS, PERSISTENT), result(RECONNECTS, JITTER)
    faster, mocked = result(RECONNECTS, FASTER), result(RECONNECTS, MOCKED)
    why = only(found).refused
    says(
        RECONNECTS,
        f"the last of the 10,000 is back {back_s(found):.0f} s after the cut",
        f"{refused(found):,} upgrades are refused, {why['unavailable']:,} in the blip (503) and "
        f"{why['throttled']:,} after it (429)",
        f"the most in one second is {only(found).peak_connects}",
        f"{only(at_once).attempts:,} upgrades come to nothing",
        f"all are back after {back_s(stubborn):.0f} s",
        f"takes {refused(stubborn):,} refusals",
        f"it takes {back_s(jitter):.0f} s and {refused(jitter):,} refusals, none by the limit",
        f"2,000 connections a second make it {back_s(faster):.0f} s",
        f"the next broadcast makes {pushed(found).gone:,} calls that are answered with 410",
        f"with a mock there are {pushed(mocked).gone}",
    )
    assert "throttled" not in only(jitter).refused
    assert only(at_once).opened == 0
    for one in (found, stubborn, jitter, faster):
        assert only(one).opened == 10_000
    assert pushed(found).gone == 10_000 - 1_000  # of one environment each


def test_those_who_never_pause_are_back_as_soon_as_the_limit_lets_them() -> None:
    """A bucket of 500 that is full when the blip ends, and then 500 a second."""
    soonest_s = 10 + Fraction(10_000 - 500, 500)
    says(RECONNECTS, f"10 s of the blip and (10,000 - 500) / 500 = {soonest_s - 10} s")
    assert soonest_s <= back_s(result(RECONNECTS, PERSISTENT)) <= soonest_s + 1


# ------------------------------------------------------------------------------------------ devices

_SESSIONS: Final = "traffic.meters.sessions"
IN_A_MINUTE: Final = f"{_SESSIONS}.connect_over=60s"
MORE_A_SECOND: Final = "account.new_connections.rate_limit=2000"
SILENT: Final = f"{_SESSIONS}.pings=null"
UNTOLD: Final = "apis.devices.routes.$disconnect=null"


def test_the_answer_of_the_devices() -> None:
    found = result(IOT)
    stats = only(found)
    minutes, messages = (found.bill.run.line(meter) for meter in (_MINUTES, _MESSAGES))
    assert minutes is not None
    assert messages is not None
    stream = sum(
        (line.amount for line in found.bill.run.lines if line.meter.name.startswith("kinesis")),
        Fraction(0),
    )
    says(
        IOT,
        f"{stats.opened:,} connections for 100,000 devices",
        f"at most {stats.peak_connects} of them in a second",
        f"{int(quantity(found, _MINUTES)):,} connection minutes are {cents(minutes.amount)}",
        f"{int(quantity(found, _MESSAGES)):,} messages {cents(messages.amount)}",
        f"the stream that the reports go to costs {cents(stream)}: {dollars(found)} for three",
    )
    assert stats.closed == {"left": 100_000, "age": 100_000}


@pytest.mark.slow  # four times three hours of 100,000 devices
def test_what_else_the_devices_could_do() -> None:
    found, minute = result(IOT), result(IOT, IN_A_MINUTE)
    silent, untold = result(IOT, SILENT), result(IOT, UNTOLD)
    says(
        IOT,
        f"{sum(only(minute).refused.values()):,} upgrades are refused, and "
        f"{100_000 - only(minute).peak_open:,} devices give up",
        f"{only(silent).closed['idle']:,} connections are closed for being idle",
        f"{percent(pushed(untold).gone / pushed(untold).calls)} of the commands",
    )
    assert abs(silent.bill.run.total - found.bill.run.total) < Decimal("0.01")
    assert cents(by_push(silent)) == cents(by_push(found))
    assert only(result(IOT, IN_A_MINUTE, MORE_A_SECOND)).refused == {}


@pytest.mark.slow
@pytest.mark.oracle
def test_a_silent_device_stays_until_ten_minutes_without_a_message() -> None:
    """Messages at rate l and a limit T of idleness: (e^(l T) - 1) / l between a frame and the end.

    A command counts as a frame too; a tenth of a device's are so seldom that they change little.
    """
    rate, limit = (4 + 10 * 3_600 / 100_000) / 60, 10
    truth_min = (math.exp(rate * limit) - 1) / rate
    mean_min = only(result(IOT, SILENT)).durations_s["mean"] / 60
    # Of three hours the last connections are cut short.
    assert mean_min == pytest.approx(truth_min, rel=0.05)


# ------------------------------------------------------------------------------- polling or pushing

HTTP: Final = "apis.polled.type=http"
OFTEN: Final = "traffic.listeners.pushes.goals.rate=1/s"


def polled(found: apisim.Result) -> Fraction:
    """What polling costs, without its transfer."""
    lines = found.bill.run.lines
    own = [line for line in lines if "websocket" not in line.meter.name]
    return sum(
        (line.amount for line in own if not line.meter.name.startswith("datatransfer")), Fraction(0)
    )


def by_push(found: apisim.Result) -> Fraction:
    lines = found.bill.run.lines
    return sum((line.amount for line in lines if "websocket" in line.meter.name), Fraction(0))


def test_the_answer_of_polling_or_pushing() -> None:
    found, cheaper = result(POLLING), result(POLLING, HTTP)
    polls = found.measurements.select(traffic="pollers")
    push = pushed(found)
    says(
        POLLING,
        f"{polls.requests:,} polls cost {cents(polled(found))}",
        f"{push.sent:,} messages and {int(quantity(found, _MINUTES)):,} minutes cost "
        f"{cents(by_push(found))}",
        f"{float(polled(found) / by_push(found)):.0f} times as much",
        f"p50 {push.delivery_ms.p50:.0f} ms and p99 {push.delivery_ms.p99:.0f} ms",
        f"as an HTTP API {cents(polled(cheaper))}, still seven times as much",
        f"{breaks_even(found):.1f} goals a second",
        f"{breaks_even(cheaper):.1f} where an HTTP API is polled",
    )
    assert 6.5 < polled(cheaper) / by_push(cheaper) < 7.5


@pytest.mark.slow  # another hour of 2,000 who poll
def test_what_listeners_cost_who_hear_one_a_second() -> None:
    often = result(POLLING, OFTEN)
    says(POLLING, f"At one a second the listeners cost {cents(by_push(often))}")


def breaks_even(found: apisim.Result) -> float:
    """Pushes a second at which both cost the same: minutes are there anyway, messages are $1."""
    minutes = found.bill.run.line(_MINUTES)
    assert minutes is not None
    user_seconds = only(found).mean_open * 3_600
    return float(polled(found) - minutes.amount) / 1e-6 / user_seconds
