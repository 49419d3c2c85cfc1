"""The arrays that sessions of WebSocket APIs become, and what changes of them during a run."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ALWAYS",
    "SESSIONS_DTYPE",
    "SESSION_DTYPE",
    "Sessions",
    "grow_sessions",
    "new_sessions",
]

#: Instead of a number of messages: as many as there is time for.
ALWAYS: Final = 1 << 62

#: What the sessions of a source do.
SESSIONS_DTYPE: Final = np.dtype(
    [
        ("source", "i8"),
        ("api", "i8"),
        ("upgrade", "i8"),  # binding of ``$connect``
        ("disconnect", "i8"),  # ... of ``$disconnect``; NONE: nothing is called
        ("until_ns", "i8"),  # when everybody leaves; NEVER
        ("length", "i8"),  # distribution [ns]; NONE: until then
        ("away", "i8"),  # distribution [ns] until the next session; NONE: there is none
        ("gap", "i8"),  # distribution [ns] from one message to the next; NONE: none are sent
        ("even", "i8"),  # 1: the first message comes after a drawn part of a gap
        ("messages", "i8"),  # most messages of a session; ALWAYS
        ("pings_ns", "i8"),  # 0: none that count
        ("reconnect", "i8"),  # row of the clients; NONE: never
        ("binary", "f8"),  # share of the messages
        ("max_frame", "i8"),  # largest frame that clients send [bytes]
        ("list", "i8"),  # of all its connections
        ("topics", "i8"),  # popularity of the topics; NONE: there are none
        ("first_topic", "i8"),  # list of the first topic
        ("listed", "i8"),  # 1: a push goes to those that the application knows
    ],
    align=True,
)

#: One session that has not ended, in the compiled engine. The golden model has a process of each.
SESSION_DTYPE: Final = np.dtype(
    [
        ("generation", "i8"),  # changes with whatever makes its pending event stale
        ("source", "i8"),
        ("user", "i8"),  # number of its user, from 1
        ("ordinal", "i8"),  # of its next call
        ("state", "i8"),  # of engine/compiled/sessions.py; the next free row where it is free
        ("socket", "i8"),  # of its last upgrade; -1: it went wrong
        ("upgrade", "i8"),  # ordinal of that
        ("entity", "i8"),  # ... and index of its draws
        ("begun", "i8"),  # 1: it has been connected
        ("end_ns", "i8"),  # when its user wants to leave
        ("next_ns", "i8"),  # when its next message is due
        ("left", "i8"),  # messages
        ("tries", "i8"),  # in a row that have failed
        ("wait_ns", "i8"),  # before the last of them
    ],
    align=True,
)
_CLOCK_DTYPE: Final = np.dtype([("free", "i8"), ("n_free", "i8")], align=True)


class Sessions(NamedTuple):
    """Sessions under way."""

    rows: NDArray[np.void]  # SESSION_DTYPE[room]
    clock: NDArray[np.void]


def new_sessions(room: int) -> Sessions:
    """No session yet."""
    rows = np.zeros(room, SESSION_DTYPE)
    rows["state"] = np.arange(1, room + 1)
    clock = np.zeros(1, _CLOCK_DTYPE)
    clock["n_free"] = room
    return Sessions(rows, clock)


def grow_sessions(sessions: Sessions) -> Sessions:
    """The same with twice the room."""
    size = len(sessions.rows)
    rows = np.concatenate([sessions.rows, np.zeros(size, SESSION_DTYPE)])
    rows["state"][size:] = np.arange(size + 1, 2 * size + 1)
    sessions.clock["n_free"] += size
    return Sessions(rows, sessions.clock)
