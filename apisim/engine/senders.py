"""Applications that push: senders, the broadcasts that wait for them, and whom each goes to next.

A sender is a pool of workers with one first-in first-out queue of broadcasts. A worker posts to one
connection at a time and takes the next one when it has its answer; when a broadcast has nobody
left, workers begin the next one while its last posts are under way. A broadcast goes to those whom
the directory (``gateway/sockets.py``) holds when it arises. Where a sender coalesces, a broadcast
that still waits gives its place to a newer one of the same push to the same list.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.bits import mix64, mix_in
from apisim.arrays.fifo import FIFO_FIELDS, NOBODY, fifo_join, fifo_leave
from apisim.arrays.jit import constant, kernel
from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.engine.calls import index_of
from apisim.gateway.sockets import NO_SOCKET, Sockets, first_on, hold, let_go, next_on

__all__ = [
    "BROADCAST_DTYPE",
    "PUSH_DTYPE",
    "SENDER_DTYPE",
    "SENDER_SPEC_DTYPE",
    "TO_ALL",
    "TO_ONE",
    "TO_SENDER",
    "TO_SHARE",
    "TO_TOPIC",
    "Senders",
    "begin_broadcast",
    "can_start",
    "grow_senders",
    "has_room_for_broadcasts",
    "new_senders",
    "take_target",
]

#: Whom a push goes to.
TO_ALL: Final = 0
TO_ONE: Final = 1
TO_TOPIC: Final = 2
TO_SENDER: Final = 3
TO_SHARE: Final = 4

PUSH_DTYPE: Final = np.dtype(
    [
        ("source", "i8"),  # of its posts
        ("sessions", "i8"),  # row of the sessions it goes to
        ("sender", "i8"),
        ("to", "i8"),
        ("share", "f8"),
    ],
    align=True,
)
SENDER_SPEC_DTYPE: Final = np.dtype(
    [
        ("parallelism", "i8"),
        ("coalesces", "i8"),
        ("call_time", "i8"),  # distribution [ns] of the way to the API and back
        ("client", "i8"),  # row of the clients: what it does about a 429; NONE: it gives up
    ],
    align=True,
)
SENDER_DTYPE: Final = np.dtype(
    [*FIFO_FIELDS, ("busy", "i8"), ("current", "i8")],  # broadcast that is being sent
    align=True,
)
BROADCAST_DTYPE: Final = np.dtype(
    [
        ("push", "i8"),
        ("number", "i8"),  # of its push: index of its draws
        ("arose_ns", "i8"),
        ("list", "i8"),
        ("cursor", "i8"),  # next row to look at; NO_SOCKET: none is left
        ("last_serial", "i8"),  # of those that the directory held
        ("is_one", "i8"),  # 1: it goes to the row at the cursor and to no other
    ],
    align=True,
)
_CLOCK_DTYPE: Final = np.dtype([("free", "i8"), ("n_free", "i8")], align=True)
_SHARE: Final = constant(Purpose.PUSH_SHARE)
_ONE: Final = constant(Purpose.PUSH_ONE)
_FIRST: Final = constant(0)
#: Rows looked at at random before the list is walked along.
_TRIES: Final = 256


class Senders(NamedTuple):
    """Senders of one replication and what waits for them."""

    rows: NDArray[np.void]  # SENDER_DTYPE[n_senders]
    broadcasts: NDArray[np.void]  # BROADCAST_DTYPE[room]
    following: NDArray[np.int64]  # [room] in a sender's queue, or among the free
    clock: NDArray[np.void]
    counts: NDArray[np.int64]  # [n_pushes] broadcasts so far


def new_senders(n_senders: int, n_pushes: int, room: int = 64) -> Senders:
    """Senders that have nothing to do."""
    rows = np.zeros(max(1, n_senders), SENDER_DTYPE)
    rows["first"] = rows["last"] = NOBODY
    rows["current"] = NOBODY
    clock = np.zeros(1, _CLOCK_DTYPE)
    clock["n_free"] = room
    return Senders(
        rows,
        np.zeros(room, BROADCAST_DTYPE),
        np.arange(1, room + 1),
        clock,
        np.zeros(max(1, n_pushes), np.int64),
    )


def grow_senders(senders: Senders) -> Senders:
    """The same with room for twice as many broadcasts."""
    size = len(senders.broadcasts)
    senders.clock["n_free"] += size
    return senders._replace(
        broadcasts=np.concatenate([senders.broadcasts, np.zeros(size, BROADCAST_DTYPE)]),
        following=np.concatenate([senders.following, np.arange(size + 1, 2 * size + 1)]),
    )


@kernel
def has_room_for_broadcasts(senders: Senders) -> bool:
    """Whether the pushes of one event fit."""
    return senders.clock[0]["n_free"] >= 4  # type: ignore[no-any-return]


@kernel
def begin_broadcast(
    senders: Senders,
    sockets: Sockets,
    pushes: NDArray[np.void],
    specs: NDArray[np.void],
    draw_keys: NDArray[np.uint64],
    which: int,
    on: int,
    of: int,
    now_ns: int,
) -> int:
    """A push arises.

    Parameters
    ----------
    senders, sockets
        Updated in place.
    pushes : PUSH_DTYPE[n_pushes]
    specs : SENDER_SPEC_DTYPE[n_senders]
    draw_keys : uint64[n_sources, n_purposes]
    which : int
        Row of the push.
    on : int
        List it goes to.
    of : int
        Connection whose message it follows; ``NO_SOCKET`` where it follows none.
    now_ns : int
        Time [ns].

    Returns
    -------
    int
        Number of the broadcast, from 0; -1 where it took the place of one that waited.
    """
    push = pushes[which]
    number = senders.counts[which]
    senders.counts[which] += 1
    sender = senders.rows[push["sender"]]
    cursor = first_on(sockets, on)
    is_one = 0
    if push["to"] == TO_ONE:
        cursor = _any_known(sockets, on, draw_keys[push["source"], _ONE], number)
        is_one = 1
    elif push["to"] == TO_SENDER:
        cursor = of
        is_one = 1
    hold(sockets, cursor)
    at = NOBODY
    # Each of the other audiences is another one.
    is_same_again = push["to"] == TO_ALL or push["to"] == TO_TOPIC
    if specs[push["sender"]]["coalesces"] == 1 and is_same_again:
        at = _waiting(senders, sender, which, on)
    is_new = at == NOBODY
    if is_new:
        clock = senders.clock[0]
        at = clock["free"]
        clock["free"] = senders.following[at]
        clock["n_free"] -= 1
        fifo_join(sender, senders.following, at)
    else:
        let_go(sockets, senders.broadcasts[at]["cursor"])
    row = senders.broadcasts[at]
    row["push"] = which
    row["number"] = number
    row["arose_ns"] = now_ns
    row["list"] = on
    row["cursor"] = cursor
    row["last_serial"] = sockets.clock[0]["serial"]
    row["is_one"] = is_one
    return number if is_new else np.int64(-1)  # type: ignore[return-value]


@kernel
def _waiting(senders: Senders, sender: np.void, which: int, on: int) -> int:
    """A broadcast of the same push to the same list that still waits, or ``NOBODY``."""
    at = sender["first"]
    for _ in range(sender["waiting"]):
        row = senders.broadcasts[at]
        if row["push"] == which and row["list"] == on:
            return at  # type: ignore[no-any-return]
        at = senders.following[at]
    return np.int64(NOBODY)  # type: ignore[return-value]


@kernel
def _any_known(sockets: Sockets, on: int, key: np.uint64, number: int) -> int:
    """A connection of the directory, each as likely as the others; ``NO_SOCKET`` if it is empty."""
    known = sockets.lists[on]["known"]
    if known == 0:
        return NO_SOCKET
    used = sockets.clock[0]["used"]
    for draw in range(_TRIES):
        at = int(uniform(key, number, draw) * used)
        row = sockets.rows[at]
        is_on = row["list"] == on or row["topic"] == on
        if row["serial"] > 0 and row["listed"] == 1 and is_on:
            return at
    left = int(uniform(key, number, _TRIES) * known)
    at = first_on(sockets, on)
    while sockets.rows[at]["listed"] == 0 or left > 0:
        left -= sockets.rows[at]["listed"]
        at = next_on(sockets, on, at)
    return at


@kernel
def can_start(senders: Senders, specs: NDArray[np.void], which: int) -> bool:
    """Whether a sender has a worker to spare and something for it to do."""
    sender = senders.rows[which]
    is_idle = sender["busy"] < specs[which]["parallelism"]
    return is_idle and (sender["current"] != NOBODY or sender["waiting"] > 0)  # type: ignore[no-any-return]


@kernel
def take_target(
    senders: Senders,
    sockets: Sockets,
    pushes: NDArray[np.void],
    draw_keys: NDArray[np.uint64],
    which: int,
) -> int:
    """Whom a worker of a sender posts to next.

    Returns
    -------
    int
        Row of a connection, held for the worker, of the broadcast that is the sender's ``current``
        one; ``NO_SOCKET`` where nothing is left to do.
    """
    sender = senders.rows[which]
    while True:
        if sender["current"] == NOBODY:
            if sender["waiting"] == 0:
                return NO_SOCKET
            sender["current"] = fifo_leave(sender, senders.following)
        at = sender["current"]
        found = _next_target(senders.broadcasts[at], sockets, pushes, draw_keys)
        if found >= 0:
            return found
        sender["current"] = NOBODY
        clock = senders.clock[0]
        senders.following[at] = clock["free"]
        clock["free"] = at
        clock["n_free"] += 1


@kernel
def _next_target(
    row: np.void, sockets: Sockets, pushes: NDArray[np.void], draw_keys: NDArray[np.uint64]
) -> int:
    push = pushes[row["push"]]
    share_key = draw_keys[push["source"], _SHARE]
    while row["cursor"] >= 0:
        at = row["cursor"]
        socket = sockets.rows[at]
        if row["is_one"] == 1:
            row["cursor"] = NO_SOCKET
            return at  # type: ignore[no-any-return]  # held since it arose
        is_chosen = False
        behind = NO_SOCKET
        if socket["serial"] <= row["last_serial"]:
            behind = next_on(sockets, row["list"], at)
            is_chosen = socket["listed"] == 1
            if is_chosen and push["to"] == TO_SHARE:
                about = mix_in(mix64(np.uint64(row["number"])), np.uint64(socket["serial"]))
                is_chosen = uniform(share_key, index_of(about), _FIRST) < push["share"]
        hold(sockets, behind)
        row["cursor"] = behind
        if is_chosen:
            return at  # type: ignore[no-any-return]  # what held the cursor holds it for the worker
        let_go(sockets, at)
    return NO_SOCKET
