"""Whom pushes go to: a share of the connections, any one of them, those who follow a topic.

The law of each is elementary; a push of a share p to N is binomial, one of all is uniform, and
the topics that users follow and that pushes are about are drawn from the same popularity: with
probabilities p_i a push meets N sum(p_i^2) subscribers on average, a message of a subscriber
1 + (N - 1) sum(p_i^2), and nobody with probability sum(p_i (1 - p_i)^N). Replications are compared
as everywhere (false alarm 8e-4 each); chi-square tests fail a right engine once in 10,000.
"""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from apisim.draws.keys import stream_key
from apisim.draws.purposes import Purpose
from apisim.engine.run import Replication
from apisim.engine.senders import (
    PUSH_DTYPE,
    SENDER_SPEC_DTYPE,
    TO_ONE,
    TO_SHARE,
    Senders,
    begin_broadcast,
    new_senders,
    take_target,
)
from apisim.gateway.sockets import (
    Sockets,
    close_socket,
    let_go,
    new_sockets,
    open_socket,
    strike_out,
)
from apisim.gateway.status import Answer
from tests.support.experiments import Data, rows_of, run
from tests.support.sockets import Served, chat, lowered, of_source
from tests.support.verdicts import assert_matches, assert_sees

pytestmark = pytest.mark.oracle

R = 20
RARE = 1e-4


def pushing(n: int, push: Data, until: str = "100s", **sessions: object) -> Data:
    """``n`` connections that are there all the time, and posts that take none."""
    session = {"population": n, "connect_over": "1us", "until": until, **sessions}
    rate = {"arrivals": "uniform"} if "rate" in push else {}
    pushes = {"p": {"by": "s", **rate, **push}}
    sender = {"s": {"call_time": 0, "parallelism": 10_000}}
    return chat(session, source={"pushes": pushes}, senders=sender)


def audiences(served: Served) -> NDArray[np.int64]:
    """Posts of each push that had any."""
    posts = of_source(served, "users.p")
    assert (posts["answer"] == Answer.SENT).all()
    return np.unique(posts["arrival_ns"], return_counts=True)[1]


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_a_share_is_binomial_push_by_push(share: float) -> None:
    """A thousand connections, a thousand pushes: mean, variance, and the whole law."""
    program = lowered(pushing(1000, {"rate": "10/s", "to": {"share": f"{share:.0%}"}}))
    law = stats.binom(1000, share)
    counts = audiences(rows_of(program))
    counts = np.concatenate([counts, np.zeros(1000 - len(counts), np.int64)])
    inner = law.ppf(np.linspace(0, 1, 11)[1:-1]).astype(int)
    edges = [-1, *np.unique(inner).tolist(), 1000]
    seen = [int(((counts > low) & (counts <= high)).sum()) for low, high in pairwise(edges)]
    wanted = 1000 * np.diff(law.cdf(edges))
    assert stats.chisquare(seen, wanted).pvalue > RARE
    wrong = 1000 * np.diff(stats.binom(1000, 1.03 * share).cdf(edges))
    if share == 0.3:  # 3 % more are seen
        assert stats.chisquare(seen, wrong).pvalue < RARE
    spread = counts.var(ddof=1) / law.var()
    assert 0.8 < spread < 1.25  # of 1,000: five standard deviations


def test_everybody_and_nobody_are_shares_too() -> None:
    everybody = audiences(rows_of(lowered(pushing(40, {"rate": "1/s", "to": {"share": "100%"}}))))
    assert everybody.tolist() == [40] * 100
    nobody = rows_of(lowered(pushing(40, {"rate": "1/s", "to": {"share": "0%"}})))
    assert len(of_source(nobody, "users.p")) == 0


ZIPF = {"zipf": 1.1, "of": 1000}


def probabilities() -> NDArray[np.float64]:
    weights = np.arange(1, 1001) ** -1.1
    return weights / weights.sum()


def test_a_push_about_a_topic_meets_its_subscribers() -> None:
    n, p = 300, probabilities()
    program = lowered(pushing(n, {"rate": "20/s", "to": "topic"}, topics=ZIPF))
    means, empty = [], []
    for number in range(R):
        served = rows_of(program, number)
        arose = int(served[0].recorder.pushes.sums[0]["arose"])
        counts = audiences(served)
        assert arose == 2000
        assert counts.sum() == served[0].recorder.pushes.sums[0]["audience"]
        means.append(counts.sum() / arose)
        empty.append(1 - len(counts) / arose)
    assert_matches(means, n * (p**2).sum())
    assert_sees(means, 0.9 * n * (p**2).sum(), 1.1 * n * (p**2).sum(), n / 1000)
    assert_matches(empty, (p * (1 - p) ** n).sum())
    assert_sees(empty, (p * (1 - p) ** (1.2 * n)).sum(), (p * (1 - p) ** (0.8 * n)).sum())


def test_a_message_goes_to_its_sender_and_those_who_follow_the_same() -> None:
    n, p = 300, probabilities()
    push = {"on": "say", "to": "topic"}
    program = lowered(pushing(n, push, topics=ZIPF, messages="2/min"))
    means = []
    for number in range(200):
        sums = run(program, number).recorder.pushes.sums[0]
        means.append(sums["audience"] / sums["arose"])
        assert sums["delivered"] == sums["audience"]
    expected = 1 + (n - 1) * (p**2).sum()
    assert_matches(means, expected)
    assert_sees(means, expected - 1, 0.93 * expected, 1.07 * expected)


def test_one_is_one_whoever_it_is() -> None:
    done: Replication = run(lowered(pushing(40, {"rate": "5/s", "to": "one"})))
    sums = done.recorder.pushes.sums[0]
    assert (sums["arose"], sums["audience"], sums["delivered"]) == (500, 500, 500)


def directory(n: int, known: set[int], gone: set[int]) -> Sockets:
    """``n`` connections in a list, of which the application knows some; some of those have gone."""
    sockets = new_sockets(1, 1 << 14)
    for at in range(n):
        assert open_socket(sockets, at, 0, -1, 1) == at
    for at in range(n):
        if at not in known:
            strike_out(sockets, at)
        if at in gone:
            close_socket(sockets, at)
    return sockets


def targets(sockets: Sockets, n_broadcasts: int, to: int, share: float = 1.0) -> NDArray[np.int64]:
    """How often each connection is posted to, of so many pushes of one sender."""
    pushes = np.zeros(1, PUSH_DTYPE)
    pushes["to"], pushes["share"] = to, share
    specs = np.zeros(1, SENDER_SPEC_DTYPE)
    specs["parallelism"] = 1
    keys = np.array([[stream_key(7, 0, purpose, "pushes") for purpose in Purpose]], np.uint64)
    senders: Senders = new_senders(1, 1)
    counts = np.zeros(len(sockets.rows), np.int64)
    for number in range(n_broadcasts):
        assert begin_broadcast(senders, sockets, pushes, specs, keys, 0, 0, -1, number) == number
        while (at := take_target(senders, sockets, pushes, keys, 0)) >= 0:
            counts[at] += 1
            let_go(sockets, at)
    return counts


@pytest.mark.parametrize(
    ("n", "known", "gone"),
    [
        (200, set(range(40, 160)), set(range(100, 130))),
        (200, {0, 199}, {199}),
        # Of so few among so many none is found at random: then the list is counted along.
        (10_000, {17, 4_000, 9_999}, set(range(10_000)) - {4_000}),
    ],
    ids=["some", "two", "few"],
)
def test_one_of_those_whom_the_application_knows_is_any_of_them(
    n: int, known: set[int], gone: set[int]
) -> None:
    """Those too that have gone without its knowing: a push to them is a 410."""
    sockets = directory(n, known, gone)
    n_pushes = 12_000
    counts = targets(sockets, n_pushes, TO_ONE)
    assert set(np.flatnonzero(counts).tolist()) == known
    mine = counts[sorted(known)]
    assert mine.sum() == n_pushes
    assert stats.chisquare(mine).pvalue > RARE
    favoured = np.ones(len(mine))
    favoured[: len(mine) // 2] = 1.3  # this would be seen
    assert stats.chisquare(mine, favoured / favoured.sum() * n_pushes).pvalue < RARE


def test_a_share_takes_each_connection_equally_often() -> None:
    known = set(range(50, 150))
    counts = targets(directory(200, known, set()), 2_000, TO_SHARE, 0.2)
    assert set(np.flatnonzero(counts).tolist()) == known
    mine = counts[sorted(known)]
    z = (mine - 400) / np.sqrt(2_000 * 0.2 * 0.8)
    assert stats.kstest(z, "norm").pvalue > RARE
    assert abs(z).max() < 5


def test_a_share_that_is_cut_off_is_binomial_and_each_cut_is_another() -> None:
    """Half of those who are left, twice: a quarter of 400 stays, with the variance of 400 coins.

    Were the second cut's coins the first one's of other connections, they would go by pairs, and
    the variance be twice as large. Limits of the variance: four of its standard errors.
    """
    cuts = [{"at": f"{at}s", "disconnect": "chat/prod", "share": "50%"} for at in (10, 20)]
    session = {"population": 400, "connect_over": "1us", "until": "30s", "reconnect": "never"}
    program = lowered(chat(session, timeline=cuts))
    counts = np.array(
        [run(program, number).recorder.connections.closes[0] for number in range(200)]
    )
    assert (counts.sum(axis=1) == 400).all()
    left = counts[:, 0]
    assert_matches(left, 100)
    assert_sees(left, 103, 97)
    assert 0.6 < left.var(ddof=1) / (400 * 0.25 * 0.75) < 1.4
