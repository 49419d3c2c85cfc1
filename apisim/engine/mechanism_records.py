"""Where it is written down how the mechanisms stood at the end of each period.

Each mechanism counts for itself, in its own record; here those figures are kept as they were
whenever a period was over, so that a difference of two of them is what happened in between. See
:mod:`apisim.engine.stock` for when that is. Periods are of one second at first and joined two by
two when there are ``ROOM`` of them; in the end they are at most ``MOST_PERIODS``. Only half of the
room is used in the end because an engine may look at a clock once more that nobody waits for any
longer, and the length of a period shall not depend on that.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.engine.periods import FIRST_PERIOD_NS

__all__ = ["MOST_PERIODS", "ROOM", "MechanismRecords", "new_mechanism_records"]

MOST_PERIODS: Final = 512
ROOM: Final = 2 * MOST_PERIODS

_HEAD_DTYPE: Final = np.dtype(
    [
        ("due_ns", "i8"),  # when the period under way is over
        ("period_ns", "i8"),
        ("period", "i8"),  # the one under way: as many are over
    ],
    align=True,
)
# Integrals are modulo 2**64. No two of these may begin alike: numba takes a record for another one
# that begins as it does, and warns.
_FUNCTION_DTYPE: Final = np.dtype(
    [
        ("invocations", "i8"),  # so far, like the next three
        ("cold_starts", "i8"),
        ("throttles", "i8"),
        ("busy_ns", "i8"),
        ("peak", "i8"),  # in the period
        ("limit", "i8"),  # at its end: shared with others unless it is reserved
    ],
    align=True,
)
_ENDPOINT_DTYPE: Final = np.dtype(
    [
        ("served", "i8"),  # so far, like the next three
        ("refused", "i8"),
        ("busy_ns", "i8"),
        ("waiting_ns", "i8"),
        ("peak", "i8"),  # of the queue, in the period
    ],
    align=True,
)
_BUCKET_DTYPE: Final = np.dtype(
    [
        ("admitted", "i8"),  # so far, like the next
        ("refused", "i8"),
        ("least", "i8"),  # whole tokens, in the period
    ],
    align=True,
)
_CACHE_DTYPE: Final = np.dtype(
    [
        ("evictions", "i8"),  # so far
        ("entries", "i8"),  # valid ones at the end of the period
        ("bytes", "i8"),
    ],
    align=True,
)


class MechanismRecords(NamedTuple):
    """The mechanisms of a program, by period."""

    head: NDArray[np.void]  # _HEAD_DTYPE[1]
    functions: NDArray[np.void]  # _FUNCTION_DTYPE[n_functions, ROOM]
    endpoints: NDArray[np.void]  # _ENDPOINT_DTYPE[n_endpoints, ROOM]
    buckets: NDArray[np.void]  # _BUCKET_DTYPE[n_buckets, ROOM]
    caches: NDArray[np.void]  # _CACHE_DTYPE[n_caches, ROOM]


def new_mechanism_records(
    *, n_functions: int, n_endpoints: int, n_buckets: int, n_caches: int
) -> MechanismRecords:
    """Empty records."""
    head = np.zeros(1, _HEAD_DTYPE)
    head["due_ns"] = head["period_ns"] = FIRST_PERIOD_NS
    return MechanismRecords(
        head=head,
        functions=np.zeros((n_functions, ROOM), _FUNCTION_DTYPE),
        endpoints=np.zeros((n_endpoints, ROOM), _ENDPOINT_DTYPE),
        buckets=np.zeros((n_buckets, ROOM), _BUCKET_DTYPE),
        caches=np.zeros((n_caches, ROOM), _CACHE_DTYPE),
    )
