"""Connections against laws of queues without a queue: how many, how long, what is billed.

Oracles 4.1, 4.2, 4.3, 4.5, 8.5 and 8.6. Under ``ideal`` and without a network a connection is
opened when its user comes, and lasts as long as its session. A comparison is one of 20
replications, z within 4: a right engine fails one of them in 1,300 (8e-4); each has wrong values
that it would have seen.
"""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from apisim.engine.run import Replication
from apisim.gateway.status import Answer
from tests.support.experiments import Data, rows_of, run
from tests.support.sockets import MINUTE, SECOND, Served, agreed, chat, lowered, of_route
from tests.support.verdicts import assert_matches, assert_sees

pytestmark = pytest.mark.oracle

R = 20
ENDS: Data = {"$disconnect": {"integration": {"type": "mock"}}}
TOLD: Data = {"disconnect_delivery": "100%"}
#: Laws of a session's length with mean 200 ms; how many are open does not depend on which.
LAWS: list[object] = [
    "200ms",
    {"exponential": "200ms"},
    {"gamma": {"mean": "200ms", "cv": 2}},
    {"mixture": [[0.5, "20ms"], [0.5, "380ms"]]},
]


def arriving(length: object, *phases: Data, **parts: Any) -> Data:
    """Users who come at random times, each for one session and one connection."""
    sessions = {"length": length, "reconnect": "never", **parts.pop("sessions", {})}
    source = {"phases": list(phases), "arrivals": "poisson", **parts.pop("source", {})}
    data = chat(
        sessions, ENDS, source=source, settings={**TOLD, **parts.pop("settings", {})}, **parts
    )
    del data["traffic"]["users"]["offset"]
    return data


def load(rate: str, duration: str, **more: object) -> Data:
    return {"name": "load", "duration": duration, "rate": rate, **more}


def changes(served: Served) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When connections are opened and closed [ns], both in order: upgrades and calls of the end."""
    upgrades = of_route(served, "$connect")
    opened = upgrades[upgrades["answer"] == Answer.CONNECTED]["arrival_ns"]
    return np.sort(opened), np.sort(of_route(served, "$disconnect")["arrival_ns"])


def occupancy(served: Served, from_ns: int, to_ns: int) -> NDArray[np.float64]:
    """Shares of a time window in which 0, 1, 2, ... connections are open."""
    opened, ended = changes(served)
    times = np.concatenate([opened, ended])
    order = np.argsort(times, kind="stable")
    n_open = np.cumsum(np.repeat([1, -1], [len(opened), len(ended)])[order])
    edges = np.clip(times[order], from_ns, to_ns)
    return np.bincount(n_open[:-1], weights=np.diff(edges), minlength=60) / (to_ns - from_ns)


def open_ns(done: Replication) -> int:
    """Integral of the number of open connections, whole run [ns]."""
    times = done.recorder.connections.times[0]
    return int(times["open_s"].sum()) * SECOND + int(times["open_rest_ns"].sum())


def lasted_ns(done: Replication) -> int:
    mine = done.recorder.connections.apis[0]
    return int(mine["duration_s"]) * SECOND + int(mine["duration_rest_ns"])


@pytest.mark.parametrize("network", [{}, {"network": {"rtt": {"exponential": "80ms"}}}])
def test_the_integral_of_what_is_open_is_the_sum_of_what_lasted(network: Data) -> None:
    """Little's law as an identity, to the nanosecond, whatever ends the connections."""
    sessions = {
        "away": {"exponential": "1m"},
        "population": 60,
        "connect_over": "30s",
        "until": "20m",
        "length": {"gamma": {"mean": "5m", "cv": 3}},
        "think_time": {"pareto": {"min": "20s", "alpha": 1.5}},
        "size": {"exponential": "60KB"},
        "binary": "3%",
    }
    parts: Data = {
        "source": network,
        "settings": {"websocket_idle_timeout": "90s", "websocket_max_age": "4m", **TOLD},
        "timeline": [{"at": "9m", "disconnect": "chat/prod", "share": "40%", "for": "20s"}],
    }
    served = agreed(chat(sessions, ENDS, **parts))
    connections = served[0].recorder.connections
    assert set(np.flatnonzero(connections.closes[0])) == {0, 1, 2, 3, 4, 5}  # all there are
    assert open_ns(served[0]) == lasted_ns(served[0])
    series = connections.series[0]
    in_series = int(series["open_s"].sum()) * SECOND + int(series["open_rest_ns"].sum())
    assert in_series == open_ns(served[0])
    opened, ended = changes(served)
    assert len(opened) == len(ended) == connections.closes.sum()
    if not network:  # else an upgrade's row begins where its client is
        assert int(ended.sum() - opened.sum()) == open_ns(served[0])


@pytest.mark.parametrize("law", LAWS, ids=lambda law: str(law)[:24])
def test_what_is_open_is_poisson_whatever_the_length(law: object) -> None:
    """Oracle 4.1 at 100/s and 200 ms: mean 20, P(N >= 30) = .021818; the records have the mean too.

    A 5 % wrong rate is seen. False alarm: 8e-4 for each of three comparisons.
    """
    assert stats.poisson(20).sf(29) == pytest.approx(0.021818, abs=5e-7)
    program = lowered(arriving(law, load("100/s", "202s"), warm_up="2s"))
    runs = [rows_of(program, number) for number in range(R)]
    shares = [occupancy(done, 2 * SECOND, 202 * SECOND) for done in runs]
    mean = [share @ np.arange(share.size) for share in shares]
    high = [share[30:].sum() for share in shares]
    assert_matches(mean, 20)
    assert_sees(mean, 21, 19)
    assert_matches(high, stats.poisson(20).sf(29))
    assert_sees(high, stats.poisson(21).sf(29), stats.poisson(19).sf(29))
    assert_matches([share[25:].sum() for share in shares], stats.poisson(20).sf(24))
    measured = [done.recorder.connections.times[0, 0] for done, _ in runs]
    recorded = [(int(m["open_s"]) + int(m["open_rest_ns"]) / 1e9) / 200 for m in measured]
    assert recorded == pytest.approx(mean, rel=1e-9)


def open_at(served: Served, time_ns: int) -> int:
    opened, ended = changes(served)
    return int((opened <= time_ns).sum() - (ended <= time_ns).sum())


def test_a_rising_rate_is_followed_with_its_lag() -> None:
    """Oracles 4.2 and 8.5: from 0 to 200/s in 60 s, 5 s on average: 916.667 at 60 s, not 1,000.

    A constant length instead of the exponential one would make 975, which is seen.
    """
    law = {"exponential": "5s"}
    program = lowered(arriving(law, load("0", "60s", ramp_to="200/s"), sessions={"pings": "1s"}))
    runs = [rows_of(program, number) for number in range(R)]
    found = [open_at(done, 60 * SECOND) for done in runs]
    mean = 200 / 60 * 5 * (60 - 5 * (1 - math.exp(-12)))
    assert mean == pytest.approx(916.667, abs=1e-3)
    assert_matches(found, mean)
    assert_sees(found, 975, 1000, 0.95 * mean)
    at_30 = 200 / 60 * 5 * (30 - 5 * (1 - math.exp(-6)))
    assert_matches([open_at(done, 30 * SECOND) for done in runs], at_30)


def test_from_nothing_what_is_open_grows_exponentially() -> None:
    """Oracle 4.3: 100/s and 200 ms on average, after 200 ms 12.642411."""
    program = lowered(arriving({"exponential": "200ms"}, load("100/s", "1s")))
    found = [open_at(rows_of(program, number), SECOND // 5) for number in range(200)]
    assert 20 * (1 - math.exp(-1)) == pytest.approx(12.642411, abs=1e-6)
    assert_matches(found, 20 * (1 - math.exp(-1)))
    assert_sees(found, 20, 12.642411 * 1.15, 12.642411 * 0.85)


@pytest.mark.parametrize("mean_minutes", [1, 20])
@pytest.mark.parametrize("rounding", ["up", "nearest", "exact"])
def test_minutes_are_rounded_connection_by_connection(mean_minutes: int, rounding: str) -> None:
    """Oracle 4.5: E ceil(D) = 1 / (1 - exp(-1/m)); 1.58198 for a minute, 20.50417 for twenty."""
    share = 1 - math.exp(-1 / mean_minutes)
    expected = {
        "up": 1 / share,
        "nearest": math.exp(-0.5 / mean_minutes) / share,
        "exact": float(mean_minutes),
    }[rounding]
    data = arriving(
        {"exponential": f"{mean_minutes}m"},
        load("2/s", "1000s"),
        sessions={"pings": "5m"},
        settings={"connection_minutes": rounding, "websocket_max_age": "1d"},
    )
    program = lowered(data)
    found = []
    for number in range(R):
        records = run(program, number).recorder.connections
        minutes = records.minutes[:, 0]
        total = int(minutes["minutes"].sum()) + int(minutes["rest_ns"].sum()) / MINUTE
        found.append(total / int(records.closes.sum()))
    assert_matches(found, expected)
    assert_sees(found, 0.9 * expected, 1.1 * expected)
    if rounding == "up":
        assert expected == pytest.approx({1: 1.58198, 20: 20.50417}[mean_minutes], abs=5e-6)


def test_the_limit_of_two_hours_cuts_an_exponential_hour() -> None:
    """Oracle 8.6: E[min(D, 2 h)] = 51.880 minutes, 13.53 % of them cut."""
    program = lowered(
        arriving({"exponential": "1h"}, load("0.5/s", "4000s"), sessions={"pings": "5m"})
    )
    runs = [run(program, number) for number in range(R)]
    counts = np.array([done.recorder.connections.closes[0] for done in runs])
    lengths = [
        lasted_ns(done) / MINUTE / n for done, n in zip(runs, counts.sum(axis=1), strict=True)
    ]
    assert 60 * (1 - math.exp(-2)) == pytest.approx(51.880, abs=5e-4)
    assert_matches(lengths, 60 * (1 - math.exp(-2)))
    assert_sees(lengths, 60, 51.88 * 1.05, 51.88 / 1.05)
    cut = counts[:, 2] / counts.sum(axis=1)
    assert_matches(cut, math.exp(-2))
    assert_sees(cut, 1.15 * math.exp(-2), 0.85 * math.exp(-2))
    assert (counts[:, [1, 3, 4, 5]] == 0).all()


def test_who_comes_back_at_once_is_as_long_online_as_it_wants() -> None:
    """Nothing of the same hour is lost, in 1 / (1 - e^-2) connections of two hours at most."""
    sessions = {"pings": "5m", "reconnect": "at_once"}
    program = lowered(arriving({"exponential": "1h"}, load("0.5/s", "4000s"), sessions=sessions))
    lengths, each = [], []
    for number in range(R):
        served = rows_of(program, number)
        upgrades = of_route(served, "$connect")
        n_users = len(np.unique(upgrades["user"]))
        lengths.append(lasted_ns(served[0]) / MINUTE / n_users)
        each.append(len(upgrades) / n_users)
    assert_matches(lengths, 60)
    assert_sees(lengths, 63, 57)
    assert_matches(each, 1 / (1 - math.exp(-2)))
    assert_sees(each, 1, 1.05 / (1 - math.exp(-2)))


def test_the_limit_of_ten_minutes_ends_a_conversation_of_poisson_messages() -> None:
    """Oracle 8.6: a message each five minutes on average: 5 (e^2 - 1) = 31.945 minutes."""
    program = lowered(
        arriving(
            "200h",
            load("0.5/s", "4000s"),
            sessions={"messages": "0.2/min"},
            settings={"websocket_max_age": "1d"},
        )
    )
    runs = [run(program, number) for number in range(R)]
    closes = np.array([done.recorder.connections.closes[0] for done in runs])
    lengths = [
        lasted_ns(done) / MINUTE / n for done, n in zip(runs, closes.sum(axis=1), strict=True)
    ]
    expected = 5 * (math.exp(2) - 1)
    assert expected == pytest.approx(31.945, abs=5e-4)
    assert (closes[:, [0, 2, 3, 4, 5]] == 0).all()  # all of them were idle
    assert_matches(lengths, expected)
    assert_sees(lengths, 0.93 * expected, 1.07 * expected)
