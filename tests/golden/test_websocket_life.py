"""Waits, outages, breaks and audiences of users of WebSocket APIs, against what they have to be."""

import json
from typing import Any

import numpy as np
import pytest

from apisim.gateway.status import Answer
from apisim.scenario import ScenarioError, loads
from apisim.studies import run
from tests.support.experiments import Data
from tests.support.sockets import MINUTE, SECOND, agreed, chat, of_route, steady

MOCK: Data = {"integration": {"type": "mock"}}


def waits_s(data: Data) -> list[float]:
    """Times between one upgrade and the next [s]."""
    upgrades = of_route(agreed(data), "$connect")
    return [float(wait) for wait in np.diff(upgrades["arrival_ns"]) / SECOND]


def test_the_first_wait_is_the_base_after_a_refusal_as_after_a_loss() -> None:
    backoff = {"backoff": "exponential", "base": "10s", "cap": "10m", "max": 9}
    session = {**steady("1h", pings="1m"), "reconnect": backoff}
    refused = chat(session, timeline=[{"at": "0s", "disconnect": "chat", "for": "35s"}])
    assert waits_s(refused) == [10, 20, 40]
    lost = chat(session, timeline=[{"at": "10s", "disconnect": "chat", "for": "35s"}])
    assert waits_s(lost) == [10 + 10, 20, 40]


def test_a_cut_does_not_end_an_outage_that_is_under_way() -> None:
    source = {"arrivals": "uniform", "phases": [{"duration": "60s", "rate": 1}]}
    cuts = [
        {"at": "10s", "disconnect": "chat", "for": "40s"},
        {"at": "15s", "disconnect": "chat", "share": "1%"},
    ]
    sessions = {"length": "1h", "pings": "1m", "reconnect": "never"}
    upgrades = of_route(agreed(chat(sessions, source=source, timeline=cuts)), "$connect")
    is_out = (upgrades["arrival_ns"] >= 10 * SECOND) & (upgrades["arrival_ns"] < 50 * SECOND)
    assert is_out.sum() == 40
    assert (upgrades["answer"] == np.where(is_out, Answer.UNAVAILABLE, Answer.CONNECTED)).all()


def test_a_user_is_away_from_the_end_of_the_session_and_not_from_the_last_attempt() -> None:
    """Cut off after 10 minutes of an hour, of which the next attempt would come 69 minutes on."""
    session = {
        **steady("3h", length="1h", away="30m", pings="1m"),
        "reconnect": {"backoff": "fixed", "base": "59m", "cap": "1h"},
    }
    cuts = [{"at": "10m", "disconnect": "chat"}]
    upgrades = of_route(agreed(chat(session, timeline=cuts)), "$connect")
    first_ns, second_ns = upgrades["arrival_ns"][:2].tolist()
    assert second_ns - first_ns == 90 * MINUTE


def pushed(push: Data, *, until: str = "60s", **sender: Any) -> dict[str, int]:
    """What is known of a source of pushes to a hundred users."""
    found, _ = agreed(
        chat(
            {"population": 100, "connect_over": "1us", "until": until, "topics": {"uniform": 1}},
            source={"pushes": {"p": {"by": "s", **push}}},
            senders={"s": sender},
        )
    )
    sums = found.recorder.pushes.sums[0]
    return {name: int(sums[name]) for name in ("arose", "audience", "coalesced", "delivered")}


@pytest.mark.parametrize(
    ("to", "gives_way"),
    [("all", True), ("topic", True), ("one", False), ({"share": "1%"}, False)],
)
def test_only_a_push_to_the_same_audience_takes_the_place_of_another(
    to: Any, gives_way: bool
) -> None:
    push = {"rate": "20/s", "arrivals": "uniform", "to": to}
    found = pushed(push, until="10s", parallelism=1, call_time="100ms", coalesce=True)
    assert found["arose"] == 200
    assert (found["coalesced"] > 0) == gives_way


def test_a_push_to_one_of_nobody_has_no_audience() -> None:
    session = {"population": 1, "connect_over": "1us", "until": "60s", "length": "10s"}
    data = chat(
        session,
        {"$disconnect": MOCK},
        source={"pushes": {"p": {"by": "s", "to": "one", "rate": "1/s", "arrivals": "uniform"}}},
        senders={"s": {"call_time": "0s"}},
        settings={"disconnect_delivery": "100%"},
    )
    found, rows = agreed(data)
    sums = found.recorder.pushes.sums[0]
    assert sums["arose"] == 60
    assert sums["audience"] == (rows["answer"] == Answer.SENT).sum() in (10, 11)


def test_replies_that_met_nobody_belong_to_the_time_of_their_messages() -> None:
    """All messages come in the warm-up, and all their answers find nobody after it."""
    data = chat(
        {"population": 10, "connect_over": "1us", "until": "12s", "think_time": "8s"},
        {"say": {"integration": {"type": "lambda_proxy", "function": "f"}, "route_response": True}},
        functions={"f": {"duration": "5s", "init": "0s", "timeout": "10s"}},
        timeline=[{"at": "11s", "disconnect": "chat"}],
        warm_up="10s",
    )
    (stats,) = run(loads(json.dumps(data)), engine="simpy").websockets
    assert (stats.received, stats.replies, stats.undelivered_replies) == (0, 0, 0)


def test_nobody_is_away_for_no_time() -> None:
    with pytest.raises(ScenarioError, match=r"away: is always 0 \(write e\.g\. 1s\)"):
        loads(json.dumps(chat(steady("1h", away="0s", length="1m"))))
