"""What is known of pushes: how many arose, and how long each took to its client.

Every call of ``POST @connections`` is a request with a row of its own. What no row tells is kept
here, by source of pushes: the time from the event to the client, queueing at the sender included,
and what was never sent because something newer came.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.histogram import BIN_DTYPE, N_BINS, hist_add
from apisim.arrays.jit import kernel

__all__ = [
    "PushRecords",
    "new_push_records",
    "record_broadcast",
    "record_coalesced",
    "record_delivery",
]

_SECOND: Final = 1_000_000_000

#: One source of pushes, after the warm-up.
_PUSH_DTYPE: Final = np.dtype(
    [
        ("arose", "i8"),
        ("audience", "i8"),  # connections on its list, when it arose
        ("coalesced", "i8"),  # replaced by a newer one before they were sent
        ("delivered", "i8"),
        ("delivery_s", "i8"),  # from arising to the client: whole seconds, and what they leave
        ("delivery_rest_ns", "i8"),
        ("delivery_max_ns", "i8"),
    ],
    align=True,
)
_HEAD_DTYPE: Final = np.dtype([("warm_up_ns", "i8")], align=True)


class PushRecords(NamedTuple):
    """Pushes by source; of one row where there are none."""

    head: NDArray[np.void]  # _HEAD_DTYPE[1]
    sums: NDArray[np.void]  # _PUSH_DTYPE[n_pushes]
    deliveries: NDArray[np.void]  # BIN_DTYPE[n_pushes, N_BINS]


def new_push_records(n_pushes: int, *, warm_up_ns: int = 0) -> PushRecords:
    """Empty records of so many sources of pushes."""
    head = np.zeros(1, _HEAD_DTYPE)
    head["warm_up_ns"] = warm_up_ns
    n_rows = max(n_pushes, 1)
    return PushRecords(head, np.zeros(n_rows, _PUSH_DTYPE), np.zeros((n_rows, N_BINS), BIN_DTYPE))


@kernel
def record_broadcast(records: PushRecords, push: int, now_ns: int, audience: int) -> None:
    """Count a push that arose, to a list of so many; ``push`` is the place of its source."""
    if now_ns >= records.head[0]["warm_up_ns"]:
        records.sums[push]["arose"] += 1
        records.sums[push]["audience"] += audience


@kernel
def record_coalesced(records: PushRecords, push: int, now_ns: int) -> None:
    """Count a push that a newer one of the same name has replaced before it was sent."""
    if now_ns >= records.head[0]["warm_up_ns"]:
        records.sums[push]["coalesced"] += 1


@kernel
def record_delivery(records: PushRecords, push: int, arose_ns: int, delivered_ns: int) -> None:
    """Count a message of a push that a client has got.

    Parameters
    ----------
    records : PushRecords
        Updated in place.
    push : int
        Place of its source among the sources of pushes.
    arose_ns, delivered_ns : int
        When the push arose, and when the client had it [ns]. Those that arose before the end of
        the warm-up are not counted.
    """
    if arose_ns < records.head[0]["warm_up_ns"]:
        return
    sums = records.sums[push]
    elapsed_ns = delivered_ns - arose_ns
    rest_ns = sums["delivery_rest_ns"] + elapsed_ns % _SECOND
    sums["delivered"] += 1
    sums["delivery_s"] += elapsed_ns // _SECOND + rest_ns // _SECOND
    sums["delivery_rest_ns"] = rest_ns % _SECOND
    sums["delivery_max_ns"] = max(sums["delivery_max_ns"], elapsed_ns)
    hist_add(records.deliveries[push], elapsed_ns)
