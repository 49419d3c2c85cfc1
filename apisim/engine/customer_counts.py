"""What is counted of each customer of a usage plan: requests by what became of them."""

from typing import Final

import numpy as np

from apisim.arrays.jit import constant, gate
from apisim.gateway.status import LEVEL_ANSWERS, Answer

__all__ = ["CUSTOMER_COUNT_DTYPE", "add_to_customer"]

#: Requests of each customer after the warm-up; those that are neither were refused or failed.
CUSTOMER_COUNT_DTYPE: Final = np.dtype(
    [
        ("offered", "i8"),
        ("served", "i8"),  # from the integration or the cache
        ("throttled", "i8"),  # by a plan, a method, a stage or the account
        ("quota_refused", "i8"),
    ],
    align=True,
)
_PREFLIGHT: Final = constant(Answer.PREFLIGHT)
_SERVED: Final = constant(Answer.SERVED)
_EVENT_ACCEPTED: Final = constant(Answer.EVENT_ACCEPTED)
_CACHE_HIT: Final = constant(Answer.CACHE_HIT)
_CONNECTED: Final = constant(Answer.CONNECTED)
_FIRST_LEVEL: Final = constant(LEVEL_ANSWERS[0])
_LAST_LEVEL: Final = constant(LEVEL_ANSWERS[2])
_BY_CONNECTIONS: Final = constant(LEVEL_ANSWERS[3])
_BY_PLAN: Final = constant(Answer.THROTTLED_PLAN)
_BY_QUOTA: Final = constant(Answer.QUOTA_EXCEEDED)


@gate
def add_to_customer(counts: np.void, answer: int) -> None:
    """Count one request of a customer's.

    Parameters
    ----------
    counts : CUSTOMER_COUNT_DTYPE record
        Updated in place.
    answer : int
        How it ended.
    """
    if answer == _PREFLIGHT:
        return  # no call of the customer's: the request it was for follows
    counts["offered"] += 1
    if answer in (_SERVED, _CACHE_HIT, _EVENT_ACCEPTED, _CONNECTED):
        counts["served"] += 1
    elif _FIRST_LEVEL <= answer <= _LAST_LEVEL or answer in (_BY_PLAN, _BY_CONNECTIONS):
        counts["throttled"] += 1
    elif answer == _BY_QUOTA:
        counts["quota_refused"] += 1
