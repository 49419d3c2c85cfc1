"""The compiled engine's main loop.

The contract with Python: room is checked once per event, before anything changes; ``NEED_...``
asks Python for more of it and the kernel resumes; ``PAUSED`` comes after ``budget`` events, so that
Python can look at the clock and at Ctrl-C. No event has unbounded fan-out.
"""

from typing import Final

from apisim.arrays.expiring_lru import room
from apisim.arrays.jit import constant, gate, kernel
from apisim.engine.compiled.advance import advance
from apisim.engine.compiled.calendar import is_stale
from apisim.engine.compiled.happenings import happen
from apisim.engine.compiled.issue import issue_from_source, issue_from_user, take_event, travel
from apisim.engine.compiled.stages import (
    STAGE_CUT,
    STAGE_DEADLINE,
    STAGE_DOOR,
    STAGE_GONE,
    STAGE_SOURCE,
    STAGE_TIMELINE,
    STAGE_USER,
    STAGE_USER_COMES,
    STAGE_WAIT,
)
from apisim.engine.compiled.timeline import carry_out
from apisim.engine.senders import has_room_for_broadcasts
from apisim.engine.state import MAX_STEPS
from apisim.engine.stock import take_stock
from apisim.engine.world import World
from apisim.gateway.sockets import has_room

__all__ = [
    "DONE",
    "NEED_BROADCASTS",
    "NEED_ENTRIES",
    "NEED_EVENTS",
    "NEED_ROWS",
    "NEED_SESSIONS",
    "NEED_SLOTS",
    "NEED_SOCKETS",
    "PAUSED",
    "run",
]

DONE: Final = constant(0)
PAUSED: Final = constant(1)
NEED_SLOTS: Final = constant(2)
NEED_EVENTS: Final = constant(3)
NEED_ENTRIES: Final = constant(4)
NEED_ROWS: Final = constant(5)
NEED_SOCKETS: Final = constant(6)
NEED_SESSIONS: Final = constant(7)
NEED_BROADCASTS: Final = constant(8)

#: Most events, entries and rows that one event adds.
_MARGIN: Final = constant(6)
#: Most slots that one event takes: a call that is answered at once (or a page's, behind a preflight
#: that leaves its slot to others), its event, and its client.
_SLOTS: Final = constant(3)
#: No preflight has come the same way.
_FIRST: Final = constant(0)


@gate
def lacks_room(world: World) -> int:
    """What users of WebSocket APIs need more room for, or 0."""
    state = world.state
    if not has_room(state.sockets):
        return NEED_SOCKETS
    if state.sessions.clock[0]["n_free"] == 0:
        return NEED_SESSIONS
    return 0 if has_room_for_broadcasts(state.senders) else NEED_BROADCASTS


@kernel
def run(world: World, budget: int, rare: int | None) -> int:
    """Handle up to ``budget`` events.

    Parameters
    ----------
    world : World
        Updated in place; ``calendar.clock`` says where the run stands.
    budget : int
        Number of events after which to return ``PAUSED``.
    rare : int or None
        Given where :func:`apisim.engine.compiled.rare.is_needed` says so. For None the kernel is
        compiled without what few scenarios use: numba leaves out the branches of ``is not None``.

    Returns
    -------
    int
        ``DONE`` when nothing is left, ``PAUSED``, or what there must be more room for.
    """
    calendar = world.calendar
    clock = calendar.clock[0]
    heap_room = calendar.heap.shape[0] - _MARGIN
    row_room = world.recorder.rows.shape[0] - _MARGIN
    keep_rows = world.recorder.total[0]["keep_rows"] == 1
    due_ns = world.recorder.mechanisms.head[0]["due_ns"]
    for _ in range(budget):
        if clock["n_free"] < _SLOTS:
            return NEED_SLOTS
        if clock["pending"] > heap_room:
            return NEED_EVENTS
        if room(world.store) < _MARGIN:
            return NEED_ENTRIES
        if rare is not None and world.tables.sessions.shape[0] > 0:
            lacking = lacks_room(world)
            if lacking != 0:
                return lacking
        if keep_rows and world.recorder.total[0]["rows"] > row_room:
            return NEED_ROWS
        stage = STAGE_WAIT
        if clock["steps"] > 0:
            step = calendar.steps[clock["first_step"]]
            clock["first_step"] = (clock["first_step"] + 1) & (MAX_STEPS - 1)
            clock["steps"] -= 1
            at = step["slot"]
            stage = step["stage"]
            now_ns = clock["now_ns"]
        else:
            if clock["pending"] == 0:
                return DONE
            event = calendar.heap[0]
            now_ns = event["time"]
            clock["now_ns"] = now_ns
            if now_ns >= due_ns:
                due_ns = take_stock(world.recorder.mechanisms, world.state, world.store, now_ns)
            item = event["item"]
            major = event["major"]
            minor = event["minor"]
            stage = item >> 56
            at = item & 0xFFFFFFFF
            if stage == STAGE_SOURCE or stage == STAGE_USER:
                if stage == STAGE_SOURCE:
                    at = issue_from_source(world, at, now_ns, rare)
                else:
                    take_event(world)
                    at = issue_from_user(world, at, now_ns, rare)
                stage = STAGE_DOOR if travel(world, at, now_ns, _FIRST, rare) else STAGE_WAIT
            else:
                take_event(world)
                if stage == STAGE_DEADLINE and is_stale(calendar, item):
                    stage = STAGE_WAIT
                elif rare is not None and stage == STAGE_GONE and is_stale(calendar, item):
                    stage = STAGE_WAIT
                elif rare is not None and stage == STAGE_CUT and is_stale(calendar, item):
                    stage = STAGE_WAIT
                elif rare is not None and stage == STAGE_TIMELINE:
                    carry_out(world, at, now_ns)
                    at = 0
                    stage = STAGE_WAIT
                elif rare is not None and stage >= STAGE_USER_COMES:
                    at = happen(world, item, major, minor, now_ns)
                    stage = STAGE_DOOR
                    if at < 0:
                        at = 0
                        stage = STAGE_WAIT
        clock["n_events"] += 1
        advance(world, at, stage, now_ns, rare)
    return PAUSED
