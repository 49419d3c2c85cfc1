"""Usage by day where the days that are kept do not reach back to the start of the period."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from apisim.gateway.quota import CLOCK_DTYPE, DAY_NS, QUOTA_DTYPE
from apisim.results.customers import Customers

_MONDAY = 4  # 1970-01-05


def _left(start: int, days: int, kept: dict[int, int]) -> list[int | None]:
    """What is said to be left of 100 a week on each day, with four days kept."""
    ring = np.zeros((1, 4), [("day", "i8"), ("used", "i8"), ("remaining", "i8")])
    for at, (day, left) in enumerate(kept.items()):
        ring[0, at] = (day, 1, left)
    tables = SimpleNamespace(
        quota_clock=np.array([(start, 0, 0)], CLOCK_DTYPE),
        quotas=np.array([(100, 1, 0, 0, 0)], QUOTA_DTYPE),
    )
    names = SimpleNamespace(customers=["c"], plans=["p"])
    subscriptions = np.zeros(1, [("plan", "i8"), ("customer", "i8")])
    totals: Any = SimpleNamespace(days=ring, subscriptions=subscriptions, end_ns=days * DAY_NS)
    program: Any = SimpleNamespace(tables=tables, names=names)
    return [day.remaining for day in Customers(program, totals).usage()]


@pytest.mark.parametrize(
    ("start", "days", "kept", "left"),
    [
        (_MONDAY, 6, {_MONDAY + 4: 7}, [None, None, 7, 7]),  # Wednesday to Saturday
        (_MONDAY, 9, {_MONDAY + 8: 99}, [None, 100, 99]),
        (_MONDAY + 2, 3, {_MONDAY + 3: 60}, [100, 60, 60]),  # the run began in the week
    ],
)
def test_what_was_left_is_said_only_where_it_is_known(
    start: int, days: int, kept: dict[int, int], left: list[int | None]
) -> None:
    assert _left(start, days, kept)[-3 if days == 9 else 0 :] == left
