"""Events of WebSocket APIs that are no stage of a call, in the compiled engine."""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.engine.compiled.pushes import push_arises, start_worker
from apisim.engine.compiled.sessions import go_on, hear_of_close, leave, user_comes
from apisim.engine.compiled.sockets import watch
from apisim.engine.compiled.stages import (
    STAGE_LEAVE,
    STAGE_NOTICE,
    STAGE_PUSH,
    STAGE_SESSION,
    STAGE_USER_COMES,
    STAGE_WATCH,
)
from apisim.engine.tables import NONE
from apisim.engine.world import World

__all__ = ["happen"]

_GENERATIONS: Final = (1 << 24) - 1
_NOTHING: Final = constant(NONE)


@gate
def happen(world: World, item: int, major: int, minor: int, now_ns: int) -> int:
    """Carry one event out; the slot of a call that stands at the door because of it, or ``NONE``.

    ``item``, ``major`` and ``minor`` are the event's words; it has been taken off the calendar.
    """
    stage = item >> 56
    at = item & 0xFFFFFFFF
    generation = (item >> 32) & _GENERATIONS
    state = world.state
    if stage == STAGE_USER_COMES:
        return user_comes(world, at, now_ns)
    if stage == STAGE_PUSH:
        push_arises(world, at, now_ns)
        return _NOTHING
    if stage == STAGE_SESSION or stage == STAGE_NOTICE:
        if state.sessions.rows[at]["generation"] & _GENERATIONS != generation:
            return _NOTHING
        if stage == STAGE_SESSION:
            return go_on(world, at, now_ns)
        hear_of_close(world, at, now_ns)
        return _NOTHING
    if stage == STAGE_LEAVE or stage == STAGE_WATCH:
        row = state.sockets.rows[at]
        if row["uses"] & _GENERATIONS != generation or row["open"] == 0:
            return _NOTHING
        if stage == STAGE_WATCH:
            watch(world, at, now_ns)
        else:
            leave(world, at, now_ns)
        return _NOTHING
    return start_worker(world, at, major, minor, now_ns)
