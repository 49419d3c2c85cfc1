"""Drives the compiled kernel: first events, more room when it asks, and looks at the clock."""

import time

import numpy as np

from apisim.arrays.expiring_lru import grow_store
from apisim.arrays.heap import EVENT_DTYPE, heap_push
from apisim.arrays.jit import room_to_compile
from apisim.draws.purposes import Purpose
from apisim.engine.compiled.calendar import RANK_ARRIVAL, RANK_TIMELINE, major_word, minor_word
from apisim.engine.compiled.kernel import (
    DONE,
    NEED_BROADCASTS,
    NEED_ENTRIES,
    NEED_EVENTS,
    NEED_ROWS,
    NEED_SESSIONS,
    NEED_SLOTS,
    NEED_SOCKETS,
    run,
)
from apisim.engine.compiled.rare import is_needed
from apisim.engine.compiled.stages import (
    STAGE_PUSH,
    STAGE_SOURCE,
    STAGE_TIMELINE,
    STAGE_USER,
    STAGE_USER_COMES,
)
from apisim.engine.senders import grow_senders
from apisim.engine.session_tables import grow_sessions
from apisim.engine.state import PATIENCE_DTYPE, SLOT_DTYPE
from apisim.engine.tables import OPEN, PUSHES, SESSIONS, TRACE
from apisim.engine.world import Flush, Progress, World
from apisim.gateway.sockets import grow_sockets
from apisim.traffic.arrivals import NEVER, next_arrival

__all__ = ["compile_for", "run_compiled"]

_LOOK_EVERY_S = 0.2
#: Of sources whose arrivals are no calls.
_FIRST_STAGES = {SESSIONS: STAGE_USER_COMES, PUSHES: STAGE_PUSH}
_FIRST_BUDGET = 1 << 16
_NEEDS = (
    NEED_SLOTS,
    NEED_EVENTS,
    NEED_ENTRIES,
    NEED_SOCKETS,
    NEED_SESSIONS,
    NEED_BROADCASTS,
)


def compile_for(world: World) -> None:
    """Compile the kernel that this world needs, if that has not been done yet; no event happens."""
    with room_to_compile():
        run(world, 0, _rare(world))


def _rare(world: World) -> int | None:
    return 1 if is_needed(world.tables) else None


def run_compiled(
    world: World, *, flush: Flush | None = None, progress: Progress | None = None
) -> tuple[World, bool]:
    """Run one replication to its end.

    Parameters
    ----------
    world : World
        As :func:`apisim.engine.program.new_world` makes it; updated in place where arrays suffice.
    flush : callable, optional
        Takes full rows and the arrival time below which no more will come.
    progress : callable, optional
        Called about five times a second.

    Returns
    -------
    tuple of World and bool
        The same world with arrays that have grown, and whether the run came to its end (a
        KeyboardInterrupt between two looks at the clock ends it early).
    """
    world = _first_events(world)
    rare = _rare(world)
    budget = _FIRST_BUDGET
    completed = True
    try:
        while True:
            started = time.perf_counter()
            with room_to_compile():  # where nobody has compiled it before
                status = run(world, budget, rare)
            spent = time.perf_counter() - started
            if status == DONE:
                break
            if status == NEED_ROWS:
                _flush(world, flush, _watermark_ns(world))
            elif status in _NEEDS:
                world = _grow(world, status)
            elif spent > 0:
                budget = int(min(max(budget * _LOOK_EVERY_S / spent, 1024), 1 << 30))
            if progress is not None:
                clock = world.calendar.clock[0]
                progress(int(clock["now_ns"]), int(world.recorder.total["requests"][0]))
    except KeyboardInterrupt:
        completed = False
    _flush(world, flush, NEVER)
    return world, completed


def _watermark_ns(world: World) -> int:
    """Arrival time [ns] below which every request has been written down."""
    slots = world.calendar.slots
    live = np.ones(len(slots), np.bool_)
    at = int(world.calendar.clock["free"][0])
    while at < len(slots):
        live[at] = False
        at = int(slots["entity"][at])
    now_ns = int(world.calendar.clock["now_ns"][0])
    return min(now_ns, int(slots["arrival_ns"][live].min(initial=now_ns)))


def _flush(world: World, flush: Flush | None, watermark_ns: int) -> None:
    total = world.recorder.total
    n_rows = int(total["rows"][0])
    total["rows"] = 0
    if flush is not None:
        flush(world.recorder.rows[:n_rows], watermark_ns)


def _first_events(world: World) -> World:
    tables, calendar, _, state, _ = world
    events: list[tuple[int, int, int, int]] = []
    for at, source in enumerate(tables.sources):
        due_ns = NEVER
        if source["kind"] == TRACE and source["trace_start"] < source["trace_end"]:
            due_ns = int(tables.trace_ns[source["trace_start"]])
        elif source["kind"] in (OPEN, SESSIONS, PUSHES):
            keys = tables.draw_keys[at]
            due_ns = next_arrival(
                state.flows, tables.pieces, at, keys[Purpose.ARRIVAL], keys[Purpose.SOJOURN]
            )
        if due_ns != NEVER:
            major = major_word(RANK_ARRIVAL, at, 0)
            stage = _FIRST_STAGES.get(int(source["kind"]), STAGE_SOURCE)
            events.append((due_ns, major, minor_word(0, 0), stage << 56 | at))
    for at, job in enumerate(tables.jobs):
        # A user's other active times follow from its answers, see ``finish``.
        if at > 0 and all(job[name] == tables.jobs[at - 1][name] for name in ("source", "user")):
            continue
        major = major_word(RANK_ARRIVAL, int(job["source"]), int(job["user"]))
        events.append((int(job["start_ns"]), major, minor_word(0, 0), STAGE_USER << 56 | at))
    for at, action in enumerate(tables.timeline):
        major, minor = major_word(RANK_TIMELINE, 0, 0), minor_word(at, 0)
        events.append((int(action["at_ns"]), major, minor, STAGE_TIMELINE << 56 | at))
    heap = np.zeros(max(len(calendar.heap), 2 * len(events) + 64), EVENT_DTYPE)
    size = 0
    for event in events:
        size = heap_push(heap, size, *event)
    calendar.clock["pending"] = size
    return world._replace(calendar=calendar._replace(heap=heap))


def _grow(world: World, status: int) -> World:
    calendar = world.calendar
    if status == NEED_EVENTS:
        heap = np.concatenate([calendar.heap, np.zeros_like(calendar.heap)])
        return world._replace(calendar=calendar._replace(heap=heap))
    if status == NEED_ENTRIES:
        return world._replace(store=grow_store(world.store))
    state = world.state
    if status == NEED_SOCKETS:
        return world._replace(state=state._replace(sockets=grow_sockets(state.sockets)))
    if status == NEED_SESSIONS:
        return world._replace(state=state._replace(sessions=grow_sessions(state.sessions)))
    if status == NEED_BROADCASTS:
        return world._replace(state=state._replace(senders=grow_senders(state.senders)))
    size = len(calendar.slots)
    slots = np.concatenate([calendar.slots, np.zeros(size, SLOT_DTYPE)])
    slots["entity"][size:] = np.arange(size + 1, 2 * size + 1)
    # The old chain ends at `size`, which is now the first of the new slots.
    calendar.clock["n_free"] += size
    patience = np.concatenate([calendar.patience, np.zeros(size, PATIENCE_DTYPE)])
    following = np.concatenate([world.state.following, np.zeros(size, np.int64)])
    return world._replace(
        calendar=calendar._replace(slots=slots, patience=patience),
        state=world.state._replace(following=following),
    )
