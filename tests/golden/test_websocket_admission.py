"""Who is let in: new connections, messages and pushes against buckets in rational arithmetic.

AWS's quota is 500 new connections per second of an account, and ``@connections`` draws on the
account's requests per second. The bucket here is one of fractions; it knows nothing of the
package, and is asked about every row of both engines.
"""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from apisim.gateway.status import Answer
from tests.support.experiments import Data
from tests.support.sockets import (
    SECOND,
    Served,
    agreed,
    answers,
    chat,
    closed,
    of_route,
    of_source,
)

pytestmark = pytest.mark.equivalence

UP, SERVED, SENT = Answer.CONNECTED, Answer.SERVED, Answer.SENT
GONE, TOO_LARGE = Answer.CONNECTION_GONE, Answer.TOO_LARGE
NO_MORE, ACCOUNT = Answer.THROTTLED_CONNECTIONS, Answer.THROTTLED_ACCOUNT
AWS = {"new_connections": {"rate_limit": 500}}


class Bucket:
    """Tokens in fractions; full at the start."""

    def __init__(self, rate: Fraction | int, burst: int) -> None:
        self.rate, self.burst = Fraction(rate), burst
        self.tokens, self.last_ns = Fraction(burst), 0

    def has_one(self, now_ns: int) -> bool:
        more = self.rate * Fraction(now_ns - self.last_ns, SECOND)
        self.tokens, self.last_ns = min(Fraction(self.burst), self.tokens + more), now_ns
        return self.tokens >= 1


def admitted(times_ns: list[int], *buckets: Bucket) -> list[int]:
    """Which bucket refuses each: all are charged or none, the first that refuses is named."""
    found = []
    for now_ns in times_ns:
        lacking = [at for at, bucket in enumerate(buckets) if not bucket.has_one(now_ns)]
        if not lacking:
            for bucket in buckets:
                bucket.tokens -= 1
        found.append(lacking[0] if lacking else -1)
    return found


def coming(rate: str, duration: str, arrivals: str = "uniform", **more: Any) -> Data:
    """New users at a rate, who leave after a while and do not try twice."""
    account = {"account": more.pop("account", AWS)}
    source = {
        "arrivals": arrivals,
        "phases": [{"name": "load", "duration": duration, "rate": rate}],
    }
    if arrivals != "uniform":
        source["offset"] = None
    session = {"length": "2s", "reconnect": "never"}
    data = chat(session, source=source, **account, **more)
    users = data["traffic"]["users"]
    data["traffic"]["users"] = {key: part for key, part in users.items() if part is not None}
    return data


@pytest.mark.parametrize(("users", "refused"), [(500, 0), (501, 1)])
def test_500_connections_are_opened_at_one_instant_and_the_501st_is_not(
    users: int, refused: int
) -> None:
    """All are cut off at one instant, and back at once."""
    again = {"backoff": "none", "max": 1}
    session = {"population": users, "connect_over": "10s", "until": "30s", "reconnect": again}
    cut = [{"at": "20s", "disconnect": "chat/prod", "share": "100%"}]
    served = agreed(chat(session, account=AWS, timeline=cut))
    back = of_route(served, "$connect")[users:]
    # Who is refused tries once more, at the same instant.
    assert back["arrival_ns"].tolist() == [20 * SECOND] * (users + refused)
    assert answers(back).count(UP) == 500
    assert answers(back).count(NO_MORE) == 2 * refused
    assert set(back["status"].tolist()) == ({101, 429} if refused else {101})
    assert closed(served) == {"cut": users, "left": 500}


def test_two_milliseconds_later_there_is_one_connection_more() -> None:
    again = {"backoff": "fixed", "base": "2ms", "max": 3}
    session = {"population": 503, "connect_over": "10s", "until": "30s", "reconnect": again}
    cut = [{"at": "20s", "disconnect": "chat/prod", "share": "100%"}]
    served = agreed(chat(session, account=AWS, timeline=cut))
    back = of_route(served, "$connect")[503:]
    first = 20 * SECOND + 2_000_000
    assert back["arrival_ns"].tolist() == [
        *[first] * 503,
        *[first + 2_000_000] * 3,
        *[first + 4_000_000] * 2,
        first + 6_000_000,
    ]
    late = answers(back[503:])
    assert [late.count(UP), late.count(NO_MORE)] == [3, 3]
    assert late[-1] == UP


@pytest.mark.parametrize(
    ("rate", "duration", "arrivals", "limit"),
    [
        ("800/s", "5s", "uniform", (Fraction(500), 500)),
        ("501/s", "4s", "uniform", (Fraction(500), 1)),
        ("700/s", "5s", "poisson", (Fraction(500), 500)),
        ("60/s", "40s", "poisson", (Fraction(100, 3), 7)),
        ("60/s", "40s", "bursty", (Fraction("37.123457"), 11)),
    ],
)
def test_refusals_are_those_of_rational_arithmetic(
    rate: str, duration: str, arrivals: str, limit: tuple[Fraction, int]
) -> None:
    per_minute = limit[0] * 60
    written = f"{per_minute}/min" if per_minute.denominator == 1 else str(float(limit[0]))
    account = {"new_connections": {"rate_limit": written, "burst_limit": limit[1]}}
    process: Any = arrivals
    if arrivals == "bursty":
        process = {"bursty": {"ratio": 5, "peak_for": "2s", "base_for": "6s"}}
    served = agreed(coming(rate, duration, process, account=account))
    connects = of_route(served, "$connect")
    expected = admitted(connects["arrival_ns"].tolist(), Bucket(*limit))
    assert answers(connects) == [UP if at < 0 else NO_MORE for at in expected]
    assert min(expected.count(-1), expected.count(0)) > 100 or rate == "501/s"
    assert set(connects["status"].tolist()) == {101, 429}
    assert closed(served) == {"left": expected.count(-1)}


def test_of_800_a_second_the_burst_and_500_a_second_are_let_in() -> None:
    """By hand: 500 + 500 t tokens meet 800 t users until 5/3 s, where 1,333 have come."""
    served = agreed(coming("800/s", "5s"))
    connects = of_route(served, "$connect")
    flags = answers(connects)
    first = flags.index(NO_MORE)
    assert first == pytest.approx(800 * 5 / 3, abs=3)
    assert flags.count(UP) == 500 + 500 * 5 - 1  # what is left at the end is less than two tokens


def test_the_limit_of_connections_is_looked_at_first_and_charged_with_the_others() -> None:
    account = {
        "new_connections": {"rate_limit": 30, "burst_limit": 8},
        "throttle": {"rate_limit": 20, "burst_limit": 15},
    }
    route = {"$connect": {"throttle": {"rate_limit": 25, "burst_limit": 4}}}
    data = coming("70/s", "20s", "poisson", account=account, routes=route)
    connects = of_route(agreed(data), "$connect")
    names = [NO_MORE, Answer.THROTTLED_METHOD, ACCOUNT]
    expected = admitted(
        connects["arrival_ns"].tolist(), Bucket(30, 8), Bucket(25, 4), Bucket(20, 15)
    )
    assert answers(connects) == [UP if at < 0 else names[at] for at in expected]
    assert len(set(expected)) >= 3


def test_left_out_the_burst_is_a_second_of_the_rate_and_500_is_aws_s_own() -> None:
    cut = [{"at": "20s", "disconnect": "chat/prod", "share": "100%"}]
    session = {"population": 600, "connect_over": "10s", "until": "30s", "reconnect": "at_once"}
    default = chat(session, timeline=cut)
    del default["account"]["new_connections"]
    for data, n in [
        (default, 500),
        (chat(session, account={"new_connections": {"rate_limit": 99.5}}, timeline=cut), 100),
    ]:
        served = agreed(data)
        connects = of_route(served, "$connect")
        back = connects[connects["arrival_ns"] == 20 * SECOND]
        assert answers(back).count(UP) == n


def pushing(session: Data, push: Data, **parts: Any) -> Served:
    pushes = {"news": {"rate": "1/s", "arrivals": "uniform", "to": "all", "by": "s", **push}}
    return agreed(
        chat(session, source={"pushes": pushes}, senders={"s": {"call_time": 0}}, **parts)
    )


@pytest.mark.parametrize("is_delivered", [False, True])
def test_a_push_to_who_has_gone_is_a_410_once(is_delivered: bool) -> None:
    """Six users are there for 10 s; the pushes go on for 20 s."""
    session = {"length": "10s", "population": 6, "connect_over": "6us", "until": "20s"}
    routes = {"$disconnect": {"integration": {"type": "mock"}}}
    settings = {"disconnect_delivery": "100%" if is_delivered else "0%"}
    served = pushing(session, {}, routes=routes, settings=settings)
    posts = of_source(served, "users.news")
    assert answers(posts) == [SENT] * 60 + ([] if is_delivered else [GONE] * 6)
    assert posts["status"].tolist() == [200] * 60 + ([] if is_delivered else [410] * 6)
    assert posts["units"].tolist() == [1] * 60 + ([] if is_delivered else [0] * 6)
    assert len(of_route(served, "$disconnect")) == (6 if is_delivered else 0)
    lost = served[0].recorder.connections.apis[0]["lost_disconnects"]
    assert lost == (0 if is_delivered else 6)


@pytest.mark.parametrize(
    ("size", "answer", "status", "units"),
    [
        ("0B", SENT, 200, 1),
        ("32768B", SENT, 200, 1),
        ("32769B", SENT, 200, 2),
        ("131072B", SENT, 200, 4),
        ("131073B", TOO_LARGE, 413, 0),
        ("1GB", TOO_LARGE, 413, 0),
    ],
)
def test_a_push_of_128_kb_is_the_largest(
    size: str, answer: Answer, status: int, units: int
) -> None:
    session = {"population": 2, "connect_over": "2us", "until": "3s"}
    posts = of_source(pushing(session, {"size": size}), "users.news")
    assert len(posts) == 6
    assert set(answers(posts)) == {answer}
    assert set(posts["status"].tolist()) == {status}
    assert set(posts["units"].tolist()) == {units}


def four_kinds(rate: str, throttle: Data) -> Served:
    """Calls of a REST and of an HTTP API, messages, pushes and upgrades on one account."""
    mock = {"integration": {"type": "mock"}}
    endpoint = {"integration": {"type": "http_proxy", "endpoint": "e"}}
    phases = [{"name": "load", "duration": "20s", "rate": rate}]
    source: Data = {
        "arrivals": "poisson",
        "phases": [{"name": "load", "duration": "20s", "rate": 3}],
        "offset": None,
        "pushes": {"news": {"rate": "2/s", "to": {"share": "50%"}, "by": "s"}},
    }
    data = chat(
        {"until": "20s", "think_time": {"exponential": "2s"}, "reconnect": "never"},
        source=source,
        account={"throttle": throttle},
        senders={"s": {"call_time": {"exponential": "3ms"}, "parallelism": 4}},
        apis={
            "r": {"type": "rest", "routes": {"GET /": mock}},
            "h": {"type": "http", "routes": {"GET /": endpoint}},
        },
        endpoints={"e": {"servers": 1000, "service_time": "1ms"}},
        traffic={
            "rest": {"phases": phases, "mix": {"r GET /": 1}},
            "http": {"phases": phases, "mix": {"h GET /": 1}},
        },
    )
    del data["traffic"]["users"]["offset"]
    return agreed(data)


def at_the_door(served: Served, rows: NDArray[np.void]) -> NDArray[np.int64]:
    """When each came to the gateway [ns]: of all calls only posts have a way there."""
    program = served[0].program
    is_post = np.array([cell.route == "POST @connections" for cell in program.names.cells])
    there = (rows["latency_ns"] - rows["gateway_ns"]) // 2
    return np.where(is_post[rows["cell"]], rows["arrival_ns"] + there, rows["arrival_ns"])


@pytest.mark.parametrize(
    ("rate", "burst"), [(Fraction(40), 5), (Fraction(100, 3), 60), (Fraction(0), 200)]
)
def test_all_three_types_of_apis_and_pushes_draw_on_one_bucket(rate: Fraction, burst: int) -> None:
    limit = {"rate_limit": f"{rate * 60}/min", "burst_limit": burst}
    served = four_kinds("25/s", limit)
    rows = served[1]
    door = at_the_door(served, rows)
    order = np.argsort(door, kind="stable")
    assert (np.diff(door[order]) > 0).all()  # no ties that would have to be broken
    asks = rows[order]
    taken = np.isin(asks["answer"], [SERVED, UP, SENT, GONE, ACCOUNT])
    assert taken.all()
    expected = admitted(door[order].tolist(), Bucket(rate, burst))
    assert (asks["answer"] == ACCOUNT).tolist() == [at == 0 for at in expected]
    if rate == 0:
        assert expected.count(-1) == burst
    routes = [cell.route for cell in served[0].program.names.cells]
    refused = {routes[cell] for cell in asks["cell"][asks["answer"] == ACCOUNT].tolist()}
    let_in = {routes[cell] for cell in asks["cell"][asks["answer"] != ACCOUNT].tolist()}
    assert refused == let_in == {"GET /", "say", "$connect", "POST @connections"}
