"""Published bills of WebSocket APIs, to the last digit, from simulations and not from formulae.

The chapter's hour, AWS's chat (pricing page), Infracost's golden file; ids are those of the worked
examples that the price books came with. Quantities are counted by the engine, connection by
connection and message by message, and nothing is rounded before the total.
"""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from apisim import Result
from apisim.scenario import loads
from apisim.studies import run
from tests.support.experiments import Data

MESSAGES, MINUTES = "apigateway.websocket.messages", "apigateway.websocket.connection_minutes"
_WORDS = ("false", "true")
MOCK: Data = {"integration": {"type": "mock"}}


def simulated(sessions: Data, source: Data, routes: Data | None = None, **parts: Any) -> Result:
    """One WebSocket API that answers from nothing, and its users."""
    data = {
        "apisim": 1,
        "profile": "ideal",
        "seed": 1,
        "apis": {"chat": {"type": "websocket", "routes": {"say": MOCK, **(routes or {})}}},
        "traffic": {"users": {"mix": {"chat say": 1}, "sessions": sessions, **source}},
        **parts,
    }
    return run(loads(json.dumps(data)))


def quantities(bill: Any) -> dict[str, Fraction]:
    """What API Gateway meters; the published bills leave out what leaves AWS."""
    return {line.meter.name: line.quantity for line in bill.lines if is_metered(line)}


def is_metered(line: Any) -> bool:
    return bool(line.meter.name.startswith("apigateway."))


def amounts(bill: Any) -> list[Fraction]:
    """What its meters cost [USD]."""
    return [line.amount for line in bill.lines if is_metered(line)]


def test_the_chapters_hour_of_a_thousand_users_costs_11_and_a_half_cents() -> None:
    """``seed-websocket-1000-users``: 1,000 users for an hour, 100 messages each."""
    sessions = {"population": 1000, "length": "1h", "messages_per_session": 100}
    found = simulated(sessions, {}, profile="chapter")
    assert dict(found.requests.by_outcome) == {"served": 100_000, "connected": 1_000}
    assert quantities(found.bill.run) == {MESSAGES: 100_000, MINUTES: 60_000}
    assert found.bill.run.total == Decimal("0.115")


def test_a_reply_to_each_message_is_what_the_chapter_leaves_out() -> None:
    sessions = {"population": 1000, "length": "1h", "messages_per_session": 100}
    found = simulated(sessions, {}, {"say": {**MOCK, "route_response": True}}, profile="chapter")
    assert found.bill.run.total == Decimal("0.215")


def a_day_of_chat(**more: Any) -> Result:
    """1,000 users for 12 hours; each sends 100 messages and is sent 500.

    A connection lasts two hours at most, so that each user has six of them, one behind the other.
    Pushes come at 41.666667 an hour: 500.000004 in 12 hours, and 500 unless the first comes within
    a third of a millisecond; those who are there get each of them.
    """
    sessions = {
        "population": 1000,
        "connect_over": "1ms",
        "until": "12h",
        "messages_per_session": 100,
        "size": "3072B",
        "reconnect": "at_once",
    }
    push = {"rate": "41.666667/h", "arrivals": "uniform", "to": "all", "by": "s", "size": "3072B"}
    return simulated(
        sessions,
        {"pushes": {"news": push}},
        {"$disconnect": MOCK},
        account={"new_connections": {"rate_limit": 500, "burst_limit": 1000}},
        senders={"s": {"call_time": "20ms"}},
        pricing={
            "month": "project",
            "represents": {"day": [1] * 12 + [0] * 12},
            "hours": 720,
            **more.pop("pricing", {}),
        },
        **{"settings": {"disconnect_delivery": "100%"}, **more},
    )


def test_aws_s_chat_costs_23_dollars_40_a_month() -> None:
    """``aws-websocket-chat``, of which one day is simulated: a month is 30 of them."""
    found = a_day_of_chat()
    assert dict(found.requests.by_outcome) == {
        "connected": 6_000,
        "sent": 500_000,
        "served": 100_000 + 6_000,  # messages and ends
    }
    assert quantities(found.bill.run) == {MESSAGES: 600_000, MINUTES: 720_000}
    assert found.bill.month is not None
    assert quantities(found.bill.month) == {MESSAGES: 18_000_000, MINUTES: 21_600_000}
    assert amounts(found.bill.month) == [18, Fraction("5.4")]


def test_what_has_gone_is_not_billed_for_its_pushes() -> None:
    """Without a word of the ends, each closed connection is one 410 more."""
    found = a_day_of_chat(settings={"disconnect_delivery": "0%"})
    # The last connections are closed with the day, when nothing is pushed any more.
    assert found.requests.by_outcome["gone"] == 5_000
    assert found.bill.month is not None
    assert sum(amounts(found.bill.month)) == Fraction("23.4")


def test_the_free_tier_of_a_new_account_comes_off_the_month() -> None:
    """A million messages and 750,000 minutes: $1 and $0.1875."""
    found = a_day_of_chat(pricing={"free_tier": "legacy-12-month"})
    assert found.bill.month is not None
    assert sum(amounts(found.bill.month)) == Fraction("23.4") - 1 - Fraction("0.1875")


def infracost(size: str = "32768B", **more: Any) -> Result:
    """A hundred connections of ten minutes with 1,500 messages each, ten thousand times a month."""
    phase = {"name": "some", "duration": "1s", "rate": 100, "events_per_month": 10_000}
    return simulated(
        {"length": "10m", "messages_per_session": 1500, "size": size},
        {"arrivals": "uniform", "offset": 0, "phases": [phase]},
        pricing={"month": "project", "hours": 720},
        **more,
    )


def test_infracosts_one_and_a_half_billion_messages_cost_1402_dollars_50() -> None:
    """``infracost-websocket-1.5b``: 32 KB each, two tiers of messages, ten million minutes."""
    month = infracost().bill.month
    assert month is not None
    assert quantities(month) == {MESSAGES: 1_500_000_000, MINUTES: 10_000_000}
    messages, minutes = month.lines
    assert [row.quantity for row in messages.rows] == [1_000_000_000, 500_000_000]
    assert [row.amount for row in messages.rows] == [1000, 400]
    assert minutes.amount == Fraction("2.5")
    assert month.total == Decimal("1402.5")


def test_one_byte_more_doubles_the_messages() -> None:
    month = infracost("32769B").bill.month
    assert month is not None
    assert month.total == Decimal(1000) + 2000 * Decimal("0.8") + Decimal("2.5")


@pytest.mark.parametrize(
    ("length", "rounding", "minutes"),
    [
        ("60s", "up", Fraction(1)),
        ("60000000001ns", "up", Fraction(2)),
        ("59999999999ns", "up", Fraction(1)),
        ("1ns", "up", Fraction(1)),
        ("29999999999ns", "nearest", Fraction(0)),
        ("30s", "nearest", Fraction(1)),
        ("89999999999ns", "nearest", Fraction(1)),
        ("90s", "nearest", Fraction(2)),
        ("90s", "exact", Fraction(3, 2)),
        ("60000000001ns", "exact", 1 + Fraction(1, 60_000_000_000)),
        ("1ns", "exact", Fraction(1, 60_000_000_000)),
    ],
)
def test_each_connection_is_rounded_by_itself(
    length: str, rounding: str, minutes: Fraction
) -> None:
    sessions = {"population": 7, "connect_over": "7ms", "length": length}
    found = simulated(sessions, {}, settings={"connection_minutes": rounding})
    assert quantities(found.bill.run).get(MINUTES, 0) == 7 * minutes


def test_a_book_may_charge_upgrades_and_ends(tmp_path: Path, project: Path) -> None:
    """Seven connections of one message each: 7 messages, and 14 with them."""
    text = (project / "apisim/pricing/books/aws-us-east-1.yaml").read_text(encoding="utf-8")
    free, charged = (f"websocket_connect_disconnect:  {{charge: {word}" for word in _WORDS)
    assert free in text
    book = tmp_path / "book.yaml"
    book.write_text(text.replace(free, charged), encoding="utf-8")
    sessions = {"population": 7, "connect_over": "7ms", "length": "60s", "messages_per_session": 1}
    for name, units in [("aws-us-east-1", 7), (str(book), 21)]:
        found = simulated(
            sessions,
            {},
            {"$disconnect": MOCK},
            settings={"disconnect_delivery": "100%"},
            pricing={"book": name},
        )
        assert quantities(found.bill.run) == {MESSAGES: units, MINUTES: 7}
