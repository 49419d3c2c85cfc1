"""Connections that the timeline cuts off: one after the other, however many there are."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.bits import mix64, mix_in
from apisim.arrays.jit import constant, kernel
from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.engine.calls import index_of
from apisim.gateway.sockets import NO_SOCKET, Sockets, first_on, hold, let_go, next_on

__all__ = ["DROP_DTYPE", "next_dropped"]

#: How far one cut has come.
DROP_DTYPE: Final = np.dtype(
    [
        ("sessions", "i8"),  # row of the sessions whose connections are next, from 1; 0: none yet
        ("cursor", "i8"),
        ("last_serial", "i8"),  # connections that were open when it began
    ],
    align=True,
)
_DROP: Final = constant(Purpose.DROP)
_FIRST: Final = constant(0)


@kernel
def next_dropped(
    drop: np.void,
    action: np.void,
    sessions: NDArray[np.void],
    sockets: Sockets,
    draw_keys: NDArray[np.uint64],
) -> int:
    """The next connection to cut, ``NO_SOCKET`` behind the last.

    Parameters
    ----------
    drop : DROP_DTYPE record
        Updated in place.
    action : ACTION_DTYPE record
    sessions : SESSIONS_DTYPE[n]
    sockets : Sockets
    draw_keys : uint64[n_sources, n_purposes]
    """
    if drop["sessions"] == 0:
        drop["last_serial"] = sockets.clock[0]["serial"]
        drop["cursor"] = NO_SOCKET
    while True:
        if drop["cursor"] < 0:
            if drop["sessions"] == sessions.shape[0]:
                return NO_SOCKET
            mine = sessions[drop["sessions"]]
            drop["sessions"] += 1
            if mine["api"] == action["api"]:
                drop["cursor"] = first_on(sockets, mine["list"])
                hold(sockets, drop["cursor"])
            continue
        at = drop["cursor"]
        row = sockets.rows[at]
        behind = next_on(sockets, row["list"], at)
        if row["serial"] > drop["last_serial"]:
            behind = NO_SOCKET
        hold(sockets, behind)
        drop["cursor"] = behind
        is_cut = row["open"] == 1 and row["serial"] <= drop["last_serial"]
        if is_cut and action["share"] < 1.0:
            about = mix_in(mix64(np.uint64(action["cut"])), np.uint64(row["serial"]))
            key = draw_keys[row["source"], _DROP]
            is_cut = uniform(key, index_of(about), _FIRST) < action["share"]
        let_go(sockets, at)  # an open connection stays
        if is_cut:
            return at  # type: ignore[no-any-return]
