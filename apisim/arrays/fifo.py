"""First-in first-out queues of tickets as linked lists through one array.

A ticket stands in at most one queue at a time, so one ``following`` word a ticket is enough for any
number of queues, and a queue is bounded by the tickets that exist.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import inline

__all__ = ["FIFO_FIELDS", "NOBODY", "fifo_join", "fifo_leave"]

NOBODY: Final = -1

#: Fields a record needs to be the head of such a queue. Start with ``first = last = NOBODY``.
FIFO_FIELDS: Final = [("first", "i8"), ("last", "i8"), ("waiting", "i8")]


@inline
def fifo_join(queue: np.void, following: NDArray[np.int64], ticket: int) -> None:
    """Stand at the end of the queue."""
    following[ticket] = NOBODY
    if queue["waiting"] == 0:
        queue["first"] = ticket
    else:
        following[queue["last"]] = ticket
    queue["last"] = ticket
    queue["waiting"] += 1


@inline
def fifo_leave(queue: np.void, following: NDArray[np.int64]) -> int:
    """Take the ticket that has waited longest; the queue may not be empty."""
    ticket = queue["first"]
    queue["first"] = following[ticket]
    queue["waiting"] -= 1
    return ticket  # type: ignore[no-any-return]
