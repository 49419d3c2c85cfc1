"""Sign-ins against their quota, decided again in exact fractions from the rows of a run."""

from fractions import Fraction
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from apisim.engine.run import Replication
from apisim.gateway.status import Answer
from tests.support.experiments import MOCK, prepare, rows_of, scenario
from tests.support.token_buckets import RationalBucket

pytestmark = pytest.mark.oracle

_SECOND: Final = 1_000_000_000


def signed_in(
    population: dict[str, Any], rate: int = 200, **settings: Any
) -> tuple[Replication, NDArray[np.void]]:
    """A minute of calls of users that have to sign in."""
    data = scenario(
        apis={"api": {"type": "rest", "routes": {"GET /": {**MOCK, "authorizer": "pool"}}}},
        authorizers={"pool": {"type": "cognito"}},
        populations={"people": population},
        traffic={
            "open": {
                "of": "people",
                "phases": [{"duration": "60s", "rate": rate}],
                "mix": {"GET /": 1},
            }
        },
        settings=settings,
    )
    return rows_of(prepare(data))


def refused_by_hand(rows: NDArray[np.void], quota: Fraction, burst: int) -> list[bool]:
    """Which calls have no token: a first call needs one, and a user that was refused asks again."""
    bucket, has_token, refused = RationalBucket(quota, burst), set(), []
    for arrival_ns, user in zip(
        rows["arrival_ns"].tolist(), rows["customer"].tolist(), strict=True
    ):
        if user not in has_token and bucket.take(1, Fraction(arrival_ns, _SECOND)):
            has_token.add(user)
        refused.append(user not in has_token)
    return refused


@pytest.mark.parametrize(
    ("quota", "burst_time", "burst"),
    [("20/s", "1s", 20), ("7.3/s", "1s", 7), ("100/min", "30s", 50), ("0.5/s", "1s", 1)],
)
def test_exactly_the_sign_ins_above_the_quota_are_refused(
    quota: str, burst_time: str, burst: int
) -> None:
    population = {"count": 3000, "sign_in_quota": quota}
    done, rows = signed_in(population, sign_in_burst=burst_time)
    rate = {"100/min": Fraction(100, 60)}.get(quota) or Fraction(quota.removesuffix("/s"))
    refused = rows["answer"] == Answer.SIGN_IN_THROTTLED
    assert refused.tolist() == refused_by_hand(rows, rate, burst)
    # The test has power: a quota or a burst that is a little larger decides otherwise.
    assert refused.tolist() != refused_by_hand(rows, rate * Fraction(21, 20), burst)
    assert refused.tolist() != refused_by_hand(rows, rate, burst + 1)
    (counts,) = done.sign_ins
    assert counts["refused"] == refused.sum()
    assert counts["sign_ins"] == len(set(rows["customer"][~refused].tolist()))
    assert counts["refreshes"] == 0
    assert (rows["status"][refused] == 400).all()
    assert (rows["units"][refused] == rows["units"][~refused].max()).all()  # all outcomes charged


def test_each_user_refreshes_once_a_lifetime() -> None:
    done, rows = signed_in(
        {"count": 20, "token_lifetime": "10s", "sign_in_quota": "1000/s"}, rate=100
    )
    (counts,) = done.sign_ins
    assert counts["sign_ins"] == 20
    # Six ends of a lifetime in a minute for each user; the last may have no call after it.
    assert 20 * 5 <= counts["refreshes"] <= 20 * 6
    assert set(rows["status"].tolist()) == {200}


def test_a_sign_in_takes_its_time_before_the_call() -> None:
    _, rows = signed_in({"count": 50, "sign_in_quota": "1000/s"}, sign_in_time="2s")
    _, first = np.unique(rows["customer"], return_index=True)
    assert (rows["latency_ns"][first] == 2 * _SECOND).all()
    assert (rows["gateway_ns"] == 0).all()
    assert rows["latency_ns"].sum() == 50 * 2 * _SECOND
