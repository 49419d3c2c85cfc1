"""Connections of callers: which calls find one open, and how long bodies are on the line.

A connection carries several calls at a time (HTTP/2). It stays open while one of them is answered,
and then until it has been unused for the keep-alive; a call that comes during the handshake waits
for it.
"""

from typing import Final

import numpy as np

from apisim.arrays.jit import kernel

__all__ = [
    "CONNECTION_DTYPE",
    "EACH_CALL",
    "FREE",
    "KEPT",
    "SHARE",
    "is_open",
    "leave",
    "open_connection",
    "transfer_ns",
    "use",
]

#: How a source's calls get a connection.
FREE: Final = 0  # connections cost nothing
KEPT: Final = 1  # each caller keeps one open
SHARE: Final = 2  # a share of the calls finds one open
EACH_CALL: Final = 3  # none does

CONNECTION_DTYPE: Final = np.dtype(
    [
        ("opened", "i8"),  # 1: there has been a handshake
        ("ready_ns", "i8"),  # when it was over
        ("calls", "i8"),  # on the way or being answered
        ("unused_ns", "i8"),  # end of the last answer so far
    ],
    align=True,
)


@kernel
def is_open(connection: np.void, keep_alive_ns: int, now_ns: int) -> bool:
    """Whether a call now finds the connection open."""
    if connection["opened"] == 0:
        return False
    return connection["calls"] > 0 or now_ns - connection["unused_ns"] < keep_alive_ns  # type: ignore[no-any-return]


@kernel
def open_connection(connection: np.void, now_ns: int, handshake_ns: int) -> None:
    """A call opens the connection: it can send when the handshake is over."""
    connection["opened"] = 1
    connection["ready_ns"] = now_ns + handshake_ns
    connection["calls"] = 1


@kernel
def use(connection: np.void, now_ns: int) -> int:
    """A call goes over the open connection; how long it waits for the handshake [ns]."""
    connection["calls"] += 1
    return max(0, connection["ready_ns"] - now_ns)  # type: ignore[no-any-return]


@kernel
def leave(connection: np.void, answered_ns: int) -> None:
    """A call has its answer at ``answered_ns``, which may be still to come."""
    connection["calls"] -= 1
    connection["unused_ns"] = max(connection["unused_ns"], answered_ns)


@kernel
def transfer_ns(size: int, kbps: int) -> int:
    """Time that bytes take on a line [ns], rounded down.

    Examples
    --------
    >>> transfer_ns(1_250_000, 20_000)  # 10 Mbit at 20 Mbit/s
    500000000
    """
    bits = 8 * size
    return bits // kbps * 1_000_000 + bits % kbps * 1_000_000 // kbps
