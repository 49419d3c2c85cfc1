"""Broadcasts: how long one takes, and what of the account's limit it needs.

A pool of P workers that posts to N connections, each post taking a constant c, is done after
ceil(N / P) rounds of c; the k-th post is answered after ceil(k / P) c. Without retries a broadcast
of N at one instant on a bucket of burst b and rate r loses what the bucket has not: so a broadcast
is a multiple N / r of the account's second, whatever the parallelism. Exact, in both engines.
"""

from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
import pytest

from apisim.gateway.status import Answer
from tests.support.experiments import Data
from tests.support.sockets import SECOND, Served, agreed, answers, chat, of_source
from tests.support.token_buckets import RationalBucket

pytestmark = [pytest.mark.oracle, pytest.mark.equivalence]

MS = 1_000_000
SENT, THROTTLED = Answer.SENT, Answer.THROTTLED_ACCOUNT
UPGRADES = {"rate_limit": 1_000_000, "burst_limit": 1_000_000}


def broadcasting(n: int, sender: Data, push: Data | None = None, **parts: Any) -> Served:
    """Connections that come in the first microsecond, and pushes to all of them."""
    session = {"population": n, "connect_over": "1us", "until": "10s", **parts.pop("sessions", {})}
    pushes = {"p": {"rate": "0.1/s", "arrivals": "uniform", "to": "all", "by": "s", **(push or {})}}
    account = {"new_connections": UPGRADES, **parts.pop("account", {})}
    return agreed(
        chat(session, source={"pushes": pushes}, senders={"s": sender}, account=account, **parts)
    )


@pytest.mark.parametrize("n", [1, 49, 50, 51, 100, 333])
@pytest.mark.parametrize("parallelism", [1, 7, 50, 10_000])
def test_a_broadcast_takes_the_rounds_that_its_workers_need(n: int, parallelism: int) -> None:
    served = broadcasting(n, {"parallelism": parallelism, "call_time": "5ms"})
    posts = of_source(served, "users.p")
    assert answers(posts) == [SENT] * n
    begin = int(posts["arrival_ns"][0])
    done = np.sort(posts["arrival_ns"] + posts["latency_ns"])
    expected = [begin + ceil(k / parallelism) * 5 * MS for k in range(1, n + 1)]
    assert done.tolist() == expected
    assert done[-1] - begin == ceil(n / parallelism) * 5 * MS
    # Each is delivered half a round trip after its post has begun.
    sums = served[0].recorder.pushes.sums[0]
    assert sums["delivered"] == n
    assert sums["delivery_max_ns"] == (ceil(n / parallelism) - 1) * 5 * MS + 5 * MS // 2


def test_broadcasts_wait_for_one_another_and_none_is_interleaved() -> None:
    """Each takes 4 rounds of 300 ms and they come every second: the k-th begins 200 ms later."""
    served = broadcasting(20, {"parallelism": 5, "call_time": "300ms"}, {"rate": "1/s"})
    posts = of_source(served, "users.p")
    assert answers(posts[:160]) == [SENT] * 160  # the users are gone before the ninth is over
    begins = posts["arrival_ns"][:160].reshape(8, 4, 5)
    first = int(begins[0, 0, 0])
    rounds = first + 300 * MS * np.arange(32).reshape(8, 4, 1)
    assert (begins == rounds).all()
    assert served[0].recorder.pushes.sums[0]["arose"] == 10


def test_one_that_waits_gives_its_place_to_a_newer_one() -> None:
    """Four rounds of 600 ms, every second: of three that arise in one broadcast's time two go.

    From its beginning at 0 the first is sent until 2.4 s. Those of 1 and 2 s wait in one place,
    which goes out at 2.4 s as the one of 2 s, until 4.8 s; there the one of 4 s is next, until
    7.2 s (7 s), until 9.6 s (9 s), when the users have left.
    """
    sender = {"parallelism": 5, "call_time": "600ms", "coalesce": True}
    served = broadcasting(20, sender, {"rate": "1/s"})
    posts = of_source(served, "users.p")
    begins = posts["arrival_ns"].reshape(-1, 4, 5)[:, 0, 0]
    gaps = (begins - begins[0]).tolist()
    assert gaps == [0, 2400 * MS, 4800 * MS, 7200 * MS, 9600 * MS]
    sums = served[0].recorder.pushes.sums[0]
    assert (sums["arose"], sums["coalesced"], sums["delivered"]) == (10, 5, 80)
    # They begin 0, 0.4, 0.8 and 0.2 s after they arose; then come up to three rounds and a half.
    assert sums["delivery_max_ns"] == 800 * MS + 3 * 600 * MS + 300 * MS


def sent_of(arising: list[tuple[int, str]], takes_ns: int) -> list[tuple[int, str]]:
    """Broadcasts of one round each that a sender makes of pushes by name, one place for a name."""
    sent: list[tuple[int, str]] = []
    waiting: list[str] = []
    free_ns = 0
    for now_ns, name in [*sorted(arising), (1 << 62, "")]:
        while waiting and free_ns <= now_ns:
            sent.append((free_ns, waiting.pop(0)))
            free_ns += takes_ns
        if name not in waiting:
            waiting.append(name)
            free_ns = max(free_ns, now_ns) if len(waiting) == 1 else free_ns
    return sent


@pytest.mark.parametrize("call_ms", [300, 700, 1900])
def test_pushes_of_another_name_do_not_give_way(call_ms: int) -> None:
    """A run in which nothing waits says when they arise; a queue written here does the rest."""

    def posts_of(sender: Data) -> list[tuple[int, str]]:
        session = {"population": 10, "connect_over": "1us", "until": "20s"}
        rates = {"p": "1/s", "q": "1.7/s"}
        pushes = {
            name: {"rate": rate, "arrivals": "uniform", "to": "all", "by": "s"}
            for name, rate in rates.items()
        }
        data = chat(
            session,
            source={"pushes": pushes},
            senders={"s": sender},
            account={"new_connections": UPGRADES},
        )
        served = agreed(data)
        return sorted(
            {
                (at, name)
                for name in pushes
                for at in of_source(served, f"users.{name}")["arrival_ns"].tolist()
            }
        )

    arising = posts_of({"parallelism": 10_000, "call_time": 0})
    assert len(arising) == 20 + 34
    sender = {"parallelism": 10, "call_time": f"{call_ms}ms", "coalesce": True}
    sent = sent_of(arising, call_ms * MS)
    while_there = [one for one in sent if one[0] < 20 * SECOND - call_ms * MS]
    assert posts_of(sender)[: len(while_there)] == while_there
    assert len(sent) < len(arising) - 15 or call_ms == 300


@pytest.mark.parametrize(
    ("n", "rate", "burst"), [(400, 100, 150), (400, 7, 399), (400, 50, 400), (400, 0, 120)]
)
@pytest.mark.parametrize("parallelism", [1, 50, 400])
def test_a_broadcast_loses_what_the_bucket_has_not(
    n: int, rate: int, burst: int, parallelism: int
) -> None:
    """Upgrades draw on the account too: the bucket has had ten seconds to fill again."""
    sender = {"parallelism": parallelism, "call_time": "4ms"}
    throttle = {"rate_limit": rate, "burst_limit": burst}
    sessions = {"connect_over": "5s", "until": "100s"}
    push = {"rate": "0.01/s"}
    account = {"throttle": throttle}
    served = broadcasting(n, sender, push, sessions=sessions, account=account)
    rows = served[1]
    bucket = RationalBucket(Fraction(rate), burst)
    post = np.isin(rows["answer"], [SENT, Answer.CONNECTION_GONE]) | (rows["user"] == 1) & (
        rows["source"] == 1
    )
    door = rows["arrival_ns"] + np.where(post, 2 * MS, 0)
    order = np.argsort(door, kind="stable")
    expected = [bucket.take(1, Fraction(int(now), SECOND)) for now in door[order]]
    assert (rows["answer"][order] != THROTTLED).tolist() == expected
    assert set(answers(rows)) <= {Answer.CONNECTED, SENT, THROTTLED}


@pytest.mark.parametrize("multiple", [0.5, 1, 1.5, 3])
def test_what_multiple_of_the_account_s_limit_a_broadcast_needs(multiple: float) -> None:
    """All at once, the bucket of one second's worth: of N = m r posts those beyond 1 are lost."""
    rate = 200
    n = int(multiple * rate)
    served = broadcasting(
        n,
        {"parallelism": 10_000, "call_time": 0},
        {"rate": "0.01/s"},
        sessions={"connect_over": "10s", "until": "100s"},
        account={"throttle": {"rate_limit": rate, "burst_limit": rate}},
    )
    posts = of_source(served, "users.p")
    assert len(posts) == n
    assert len(set(posts["arrival_ns"].tolist())) == 1
    assert answers(posts) == [SENT] * min(n, rate) + [THROTTLED] * max(0, n - rate)


def test_a_sender_that_tries_again_gets_all_of_it_through_at_the_rate() -> None:
    """400 posts on a bucket of 100 and 50/s, tried every 100 ms: the last after 300 / 50 = 6 s."""
    sender = {
        "parallelism": 400,
        "call_time": 0,
        "retries": {"max": 100, "backoff": "fixed", "base": "100ms", "on": [429]},
    }
    served = broadcasting(
        400,
        sender,
        {"rate": "0.01/s"},
        sessions={"connect_over": "10s", "until": "100s"},
        account={"throttle": {"rate_limit": 50, "burst_limit": 100}},
    )
    posts = of_source(served, "users.p")
    begin = int(posts["arrival_ns"][0])
    assert answers(posts).count(SENT) == 400
    waits = (posts["arrival_ns"] - begin)[posts["answer"] == SENT]
    assert waits.max() == 6 * SECOND
    # Five each 100 ms; a call that was refused is another row, with the attempt's number.
    at, n_sent = np.unique(waits, return_counts=True)
    assert n_sent.tolist() == [100, *[5] * 60]
    assert at.tolist() == [k * 100 * MS for k in range(61)]
    tried = 400 + sum(400 - 100 - 5 * k for k in range(60))
    assert len(posts) == tried
    assert (posts["attempt"] == (posts["arrival_ns"] - begin) // (100 * MS)).all()


def test_a_sender_that_gives_up_has_tried_so_often() -> None:
    retries = {"max": 2, "backoff": "fixed", "base": "1ms", "on": [429]}
    served = broadcasting(
        10,
        {"parallelism": 10, "call_time": 0, "retries": retries},
        {"rate": "0.01/s"},
        sessions={"until": "100s"},
        account={"throttle": {"rate_limit": 0, "burst_limit": 14}},
    )
    posts = of_source(served, "users.p")
    assert answers(posts).count(SENT) == 4
    assert answers(posts).count(THROTTLED) == 6 * 3
    assert np.bincount(posts["attempt"]).tolist() == [10, 6, 6]
