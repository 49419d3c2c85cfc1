"""A plain HTTP backend: c servers, one first-in first-out queue, and a limit on its length.

A request that finds all servers busy waits; one that finds the queue full is answered 503 at once.
This is the G/G/c/c+K queue of the textbooks.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.fifo import FIFO_FIELDS, NOBODY, fifo_join, fifo_leave
from apisim.arrays.jit import kernel

__all__ = [
    "ENDPOINT_DTYPE",
    "FULL",
    "QUEUED",
    "STARTED",
    "arrive",
    "depart",
    "open_endpoint",
    "take_in",
]

STARTED: Final = 0
QUEUED: Final = 1
FULL: Final = 2

ENDPOINT_DTYPE: Final = np.dtype(
    [
        ("servers", "i8"),
        ("queue_limit", "i8"),
        ("busy", "i8"),
        ("served", "i8"),
        ("refused", "i8"),
        ("errors", "i8"),
        ("max_waiting", "i8"),
        ("peak_waiting", "i8"),  # since somebody last asked
        ("busy_ns", "i8"),  # integral of busy servers over time
        ("waiting_ns", "i8"),  # ... of waiting requests, modulo 2**64 while the run lasts
        ("abandoned", "i8"),  # calls whose function was ended before they were done
        *FIFO_FIELDS,
    ],
    align=True,
)


def open_endpoint(row: np.void, *, servers: int, queue_limit: int) -> None:
    """Make ``row`` an idle endpoint."""
    row["servers"], row["queue_limit"] = servers, queue_limit
    row["first"] = row["last"] = NOBODY


@kernel
def arrive(
    endpoints: NDArray[np.void],
    following: NDArray[np.int64],
    endpoint: int,
    ticket: int,
    now_ns: int,
) -> int:
    """A request reaches an endpoint.

    Returns
    -------
    int
        ``STARTED``: a server took it; ``QUEUED``: it waits under ``ticket``; ``FULL``: refused.
    """
    row = endpoints[endpoint]
    if row["busy"] < row["servers"]:
        row["busy"] += 1
        row["busy_ns"] -= now_ns
        return STARTED
    if row["waiting"] >= row["queue_limit"]:
        row["refused"] += 1
        return FULL
    fifo_join(row, following, ticket)
    row["waiting_ns"] -= now_ns
    row["max_waiting"] = max(row["max_waiting"], row["waiting"])
    row["peak_waiting"] = max(row["peak_waiting"], row["waiting"])
    return QUEUED


@kernel
def depart(
    endpoints: NDArray[np.void], following: NDArray[np.int64], endpoint: int, now_ns: int
) -> int:
    """A request has been served: its server takes the next one.

    Returns
    -------
    int
        Ticket of the request that starts now, or ``NOBODY``.
    """
    row = endpoints[endpoint]
    row["served"] += 1
    # Where servers were taken away, the last to work on are not replaced.
    if row["waiting"] > 0 and row["busy"] <= row["servers"]:
        row["waiting_ns"] += now_ns
        return fifo_leave(row, following)
    row["busy"] -= 1
    row["busy_ns"] += now_ns
    return NOBODY


@kernel
def take_in(
    endpoints: NDArray[np.void], following: NDArray[np.int64], endpoint: int, now_ns: int
) -> int:
    """A server that was added takes a request that waits.

    Returns
    -------
    int
        Ticket of the request that starts now; ``NOBODY`` when no more can start.
    """
    row = endpoints[endpoint]
    if row["waiting"] == 0 or row["busy"] >= row["servers"]:
        return NOBODY
    row["busy"] += 1
    row["busy_ns"] -= now_ns
    row["waiting_ns"] += now_ns
    return fifo_leave(row, following)
