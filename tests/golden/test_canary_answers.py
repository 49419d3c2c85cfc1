"""What the canary's scenario says it answers, each number also by a formula."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from apisim.scenario import load
from tests.equivalence.engines import lowered, run
from tests.support.shipped import CANARY, dollars, file_of, percent, result, says

PERCENT = "apis.users.stage.canary.percent_traffic"
_MINUTE_NS = 60_000_000_000
#: Requests of a user in the run and in five minutes, and the canary's share.
EACH, EACH_AT_FIRST, SHARE = 100 * 1_800 / 2_000, 100 * 300 / 2_000, 0.05
HUNG_NS = 1_500_000_000


def rows() -> tuple[NDArray[np.void], NDArray[np.bool_]]:
    """All rows, and which of them the canary answered."""
    program = lowered(load(file_of(CANARY)))
    found = run(program, "compiled").rows
    variants = np.array([cell.variant for cell in program.names.cells])
    return found, variants[found["cell"]] == "canary"


def users(of: NDArray[np.void]) -> int:
    return len(np.unique(of["customer"]))


def met(requests_each: float) -> float:
    """Share of users with at least one request of the canary: each of theirs is drawn by itself."""
    return 1 - math.exp(-SHARE * requests_each)


@pytest.mark.oracle
@pytest.mark.parametrize(("requests_each", "minutes"), [(EACH, 30), (EACH_AT_FIRST, 5)])
def test_random_by_request_reaches_nearly_every_user(requests_each: float, minutes: int) -> None:
    found, is_canary = rows()
    reached = users(found[is_canary & (found["arrival_ns"] < minutes * _MINUTE_NS)])
    p = met(requests_each)
    assert abs(reached - 2_000 * p) < 4 * math.sqrt(2_000 * p * (1 - p))
    # Had users stayed with one deployment, it would have been about a hundred of them.
    assert reached > 500


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("percent_traffic", "shows"), [(5, False), (20, False), (30, True), (50, True)]
)
def test_p99_shows_it_from_a_quarter_of_the_requests_on(percent_traffic: int, shows: bool) -> None:
    # Four in a hundred of the canary's requests hang: one in a hundred of all at 25 %.
    found = result(CANARY, f"{PERCENT}={percent_traffic}")
    assert (found.latency_ms.p99 > 1_000) is shows
    assert found.variants[1].latency.p99 > 2_000


def test_the_answer_of_canary_slow_release() -> None:
    found, without, half = (
        result(CANARY),
        result(CANARY, f"{PERCENT}=0"),
        result(CANARY, f"{PERCENT}=50"),
    )
    table, is_canary = rows()
    theirs = table[is_canary]
    hung = theirs[theirs["latency_ns"] > HUNG_NS]
    early = theirs[theirs["arrival_ns"] < 5 * _MINUTE_NS]
    minutes = theirs["arrival_ns"] // _MINUTE_NS
    worst: Any = [np.quantile(theirs["latency_ns"][minutes == at], 0.99) for at in range(30)]
    stable, canary = found.variants
    assert (stable.requests + canary.requests, canary.requests) == (len(table), len(theirs))
    says(
        CANARY,
        f"answers {canary.requests:,} of {found.requests.total:,} requests "
        f"({percent(canary.requests / found.requests.total)})",
        f"{users(theirs):,} of the 2,000 users met it",
        f"{users(early):,} of them in the first five minutes",
        f"= {percent(met(EACH))}",
        f"= {percent(met(EACH_AT_FIRST))}",
        f"{len(hung)} calls hung, of {users(hung)} users, the first after "
        f"{hung['arrival_ns'].min() / 1e9:.1f} s.",
        f"p99 of the canary alone is {canary.latency.p99 / 1000:.2f} s, and above 600 ms in "
        f"each of the {sum(one > 600_000_000 for one in worst)} minutes",
        f"p99 of all requests is {found.latency_ms.p99:.0f} ms in place of "
        f"{without.latency_ms.p99:.0f} ms",
        f"at 50 % it is {half.latency_ms.p99 / 1000:.2f} s",
        f"{dollars(found)} in place of {dollars(without)}",
    )
