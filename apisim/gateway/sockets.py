"""Connections of WebSocket APIs: how long each may live, and which of them an application knows.

A connection ends when it is two hours old, or when ten minutes have passed without a frame (quotas
of WebSocket APIs; neither can be raised). A frame that comes after exactly that time is in time:
the gateway closes behind everything else of the instant.

An application that pushes messages keeps a directory of connections: ``$connect`` writes one down,
``$disconnect`` strikes it out. ``$disconnect`` is delivered with best effort only, so that some
stay in the directory which have gone; a push to one of those is answered with 410, and struck out
then. Rows of the directory stand in the order of their upgrades, in one list for all connections of
a source and in one for each topic. Whoever walks along a list holds the row where it stands, which
stays until it has gone on.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import constant, kernel

__all__ = [
    "FRAME_BYTES",
    "MESSAGE_BYTES",
    "NO_SOCKET",
    "SOCKET_DTYPE",
    "Sockets",
    "close_socket",
    "due_ns",
    "first_on",
    "grow_sockets",
    "has_room",
    "hold",
    "is_same",
    "let_go",
    "new_sockets",
    "next_on",
    "open_socket",
    "strike_out",
    "touch",
]

#: Largest message and largest frame (quotas of WebSocket APIs); what is larger closes with 1009.
MESSAGE_BYTES: Final = 128 * 1024
FRAME_BYTES: Final = 32 * 1024

NO_SOCKET: Final = constant(-1)
_NEVER: Final = 1 << 62
_ROOM: Final = 4

#: One connection: from its upgrade until it has gone, is struck out, and nobody holds it.
SOCKET_DTYPE: Final = np.dtype(
    [
        ("serial", "i8"),  # number of its upgrade, from 1: a row that is used again has another one
        ("source", "i8"),
        ("user", "i8"),  # address of the upgrade
        ("ordinal", "i8"),
        ("entity", "i8"),  # index of the upgrade's draws
        ("phase", "i8"),
        ("uses", "i8"),  # of this row so far
        ("session", "i8"),  # whose it is, in the compiled engine
        ("generation", "i8"),  # ... which had this one then
        ("opened_ns", "i8"),
        ("last_ns", "i8"),  # of the last frame either way
        ("there_ns", "i8"),  # from the client to the gateway
        ("back_ns", "i8"),
        ("open", "i8"),
        ("listed", "i8"),  # 1: the application knows it
        ("held", "i8"),  # by so many that stand here or send to it
        ("list", "i8"),  # of its source
        ("next", "i8"),
        ("previous", "i8"),
        ("topic", "i8"),  # list of its topic; NO_SOCKET: none
        ("next_on_topic", "i8"),
        ("previous_on_topic", "i8"),
    ],
    align=True,
)
LIST_DTYPE: Final = np.dtype([("first", "i8"), ("last", "i8"), ("known", "i8")], align=True)
CLOCK_DTYPE: Final = np.dtype(
    [("free", "i8"), ("n_free", "i8"), ("used", "i8"), ("serial", "i8")], align=True
)


class Sockets(NamedTuple):
    """All connections of one replication."""

    rows: NDArray[np.void]  # SOCKET_DTYPE[room]
    lists: NDArray[np.void]  # LIST_DTYPE[n_lists]
    clock: NDArray[np.void]  # CLOCK_DTYPE[1]


def new_sockets(n_lists: int, room: int = 1 << 10) -> Sockets:
    """No connections yet; of one row where ``n_lists`` is 0."""
    room = room if n_lists else 1
    lists = np.zeros(max(1, n_lists), LIST_DTYPE)
    lists["first"] = lists["last"] = NO_SOCKET
    clock = np.zeros(1, CLOCK_DTYPE)
    clock["n_free"] = room
    rows = np.zeros(room, SOCKET_DTYPE)
    rows["next"] = np.arange(1, room + 1)  # of a free row: the next free one
    return Sockets(rows, lists, clock)


def grow_sockets(sockets: Sockets) -> Sockets:
    """The same with twice the room."""
    size = len(sockets.rows)
    rows = np.concatenate([sockets.rows, np.zeros(size, SOCKET_DTYPE)])
    rows["next"][size:] = np.arange(size + 1, 2 * size + 1)
    sockets.clock["n_free"] += size
    return sockets._replace(rows=rows)


@kernel
def has_room(sockets: Sockets) -> bool:
    """Whether the upgrades of one event fit."""
    return sockets.clock[0]["n_free"] >= _ROOM  # type: ignore[no-any-return]


@kernel
def open_socket(
    sockets: Sockets, now_ns: int, of_source: int, of_topic: int, is_listed: int
) -> int:
    """A new connection; returns its row, in which the caller says whose it is.

    Parameters
    ----------
    sockets : Sockets
        With room.
    now_ns : int
        Time of the upgrade [ns].
    of_source, of_topic : int
        Lists; the latter may be ``NO_SOCKET``.
    is_listed : int
        1 where the application writes its connections down.
    """
    clock = sockets.clock[0]
    at = clock["free"]
    clock["free"] = sockets.rows[at]["next"]
    clock["n_free"] -= 1
    clock["used"] = max(clock["used"], at + 1)
    clock["serial"] += 1
    row = sockets.rows[at]
    row["serial"] = clock["serial"]
    row["uses"] += 1
    row["opened_ns"] = now_ns
    row["last_ns"] = now_ns
    row["open"] = 1
    row["listed"] = is_listed
    row["held"] = 0
    row["list"] = of_source
    row["topic"] = of_topic
    _append(sockets, at)
    return at  # type: ignore[no-any-return]


@kernel
def _append(sockets: Sockets, at: int) -> None:
    row = sockets.rows[at]
    whole = sockets.lists[row["list"]]
    row["previous"] = whole["last"]
    row["next"] = NO_SOCKET
    if whole["last"] >= 0:
        sockets.rows[whole["last"]]["next"] = at
    else:
        whole["first"] = at
    whole["last"] = at
    whole["known"] += row["listed"]
    if row["topic"] < 0:
        return
    topic = sockets.lists[row["topic"]]
    row["previous_on_topic"] = topic["last"]
    row["next_on_topic"] = NO_SOCKET
    if topic["last"] >= 0:
        sockets.rows[topic["last"]]["next_on_topic"] = at
    else:
        topic["first"] = at
    topic["last"] = at
    topic["known"] += row["listed"]


@kernel
def _remove_unless_needed(sockets: Sockets, at: int) -> None:
    """Free the row of a connection that has gone, is in no directory and held by nobody."""
    row = sockets.rows[at]
    if row["open"] == 1 or row["listed"] == 1 or row["held"] > 0:
        return
    whole = sockets.lists[row["list"]]
    if row["previous"] >= 0:
        sockets.rows[row["previous"]]["next"] = row["next"]
    else:
        whole["first"] = row["next"]
    if row["next"] >= 0:
        sockets.rows[row["next"]]["previous"] = row["previous"]
    else:
        whole["last"] = row["previous"]
    if row["topic"] >= 0:
        topic = sockets.lists[row["topic"]]
        if row["previous_on_topic"] >= 0:
            sockets.rows[row["previous_on_topic"]]["next_on_topic"] = row["next_on_topic"]
        else:
            topic["first"] = row["next_on_topic"]
        if row["next_on_topic"] >= 0:
            sockets.rows[row["next_on_topic"]]["previous_on_topic"] = row["previous_on_topic"]
        else:
            topic["last"] = row["previous_on_topic"]
    row["serial"] = 0
    clock = sockets.clock[0]
    row["next"] = clock["free"]
    clock["free"] = at
    clock["n_free"] += 1


@kernel
def is_same(sockets: Sockets, at: int, serial: int) -> bool:
    """Whether a row still is the connection of that number, and open."""
    row = sockets.rows[at]
    return row["serial"] == serial and row["open"] == 1  # type: ignore[no-any-return]


@kernel
def close_socket(sockets: Sockets, at: int) -> None:
    """The connection is no more; the application does not know yet."""
    sockets.rows[at]["open"] = 0
    _remove_unless_needed(sockets, at)


@kernel
def strike_out(sockets: Sockets, at: int) -> None:
    """The application learns that a connection has gone."""
    row = sockets.rows[at]
    if row["listed"] == 1:
        row["listed"] = 0
        sockets.lists[row["list"]]["known"] -= 1
        if row["topic"] >= 0:
            sockets.lists[row["topic"]]["known"] -= 1
    _remove_unless_needed(sockets, at)


@kernel
def hold(sockets: Sockets, at: int) -> None:
    """Keep a row that somebody needs again."""
    if at >= 0:
        sockets.rows[at]["held"] += 1


@kernel
def let_go(sockets: Sockets, at: int) -> None:
    """The opposite of :func:`hold`."""
    if at >= 0:
        sockets.rows[at]["held"] -= 1
        _remove_unless_needed(sockets, at)


@kernel
def first_on(sockets: Sockets, which: int) -> int:
    """First row of a list, or ``NO_SOCKET``."""
    return sockets.lists[which]["first"]  # type: ignore[no-any-return]


@kernel
def next_on(sockets: Sockets, which: int, at: int) -> int:
    """The row behind ``at`` on the list of its source or on that of its topic."""
    row = sockets.rows[at]
    if which == row["list"]:
        return row["next"]  # type: ignore[no-any-return]
    return row["next_on_topic"]  # type: ignore[no-any-return]


@kernel
def touch(sockets: Sockets, at: int, now_ns: int) -> None:
    """A frame has come or gone."""
    sockets.rows[at]["last_ns"] = now_ns


@kernel
def due_ns(row: np.void, now_ns: int, idle_ns: int, max_age_ns: int, pings_ns: int) -> int:
    """When a connection ends by itself unless something happens first [ns].

    Parameters
    ----------
    row : SOCKET_DTYPE record
    now_ns : int
        Time [ns].
    idle_ns, max_age_ns : int
        The two limits [ns].
    pings_ns : int
        How often its client pings, where pings count as frames; 0: never.
    """
    last_ns = row["last_ns"]
    if pings_ns > 0:
        if pings_ns <= idle_ns:
            return row["opened_ns"] + max_age_ns  # type: ignore[no-any-return]
        n_pings = (now_ns - row["opened_ns"]) // pings_ns
        last_ns = max(last_ns, row["opened_ns"] + n_pings * pings_ns)
    return min(row["opened_ns"] + max_age_ns, last_ns + idle_ns)  # type: ignore[no-any-return]
