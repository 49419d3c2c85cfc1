"""The end of a call of a WebSocket API in the compiled engine: what comes of it, and of whom."""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.engine.compiled.calendar import free_slot
from apisim.engine.compiled.nested import NOT_NESTED
from apisim.engine.compiled.pushes import arise, await_post
from apisim.engine.compiled.sessions import hear_of_answer
from apisim.engine.compiled.sockets import answer_message, end_disconnect, let_in, message_size
from apisim.engine.compiled.stages import STAGE_WAIT
from apisim.engine.frames import units_of
from apisim.engine.tables import (
    GATE_DISCONNECT,
    GATE_MESSAGE,
    GATE_POST,
    GATE_UPGRADE,
)
from apisim.engine.world import World
from apisim.gateway.status import Answer

__all__ = ["end_call", "meter", "settle"]

_SERVED: Final = constant(Answer.SERVED)


@gate
def settle(world: World, at: int) -> bool:
    """The gateway has done with a call; whether what goes back for it has been decided here."""
    slot, mine = world.calendar.slots[at], world.calendar.patience[at]
    binding = world.tables.bindings[slot["binding"]]
    gates = binding["gates"]
    now_ns = world.calendar.clock[0]["now_ns"]
    mine["replied"] = 0
    if gates & GATE_UPGRADE:
        let_in(world, at, now_ns)
        return False
    if gates & GATE_MESSAGE:
        mine["replied"] = 1 if answer_message(world, at, now_ns) else 0
        if slot["answer"] == _SERVED and binding["push"] >= 0:
            arise(world, binding["push"], at, now_ns)
        return True
    if gates & GATE_DISCONNECT:
        end_disconnect(world, at)
        return True
    return False


@gate
def meter(world: World, at: int) -> None:
    """Size and billed units of a call."""
    tables = world.tables
    slot, mine = world.calendar.slots[at], world.calendar.patience[at]
    gates = tables.bindings[slot["binding"]]["gates"]
    if gates & (GATE_MESSAGE | GATE_POST):
        slot["request_bytes"] = message_size(world, at)
    of_route = tables.routes[slot["route"]]["meter"] if slot["route"] >= 0 else slot["api"]
    slot["units"] = units_of(
        gates,
        tables.charged[of_route],
        slot["answer"],
        tables.meters[of_route]["increment_bytes"],
        slot["request_bytes"],
        slot["response_bytes"],
        mine["replied"] == 1,
    )


@gate
def end_call(world: World, at: int, answered_ns: int, now_ns: int) -> int:
    """A call has been written down: who is told of it; the next stage."""
    calendar = world.calendar
    slot = calendar.slots[at]
    gates = world.tables.bindings[slot["binding"]]["gates"]
    if gates & GATE_POST:
        return await_post(world, at, answered_ns, now_ns)
    if gates & GATE_UPGRADE:
        hear_of_answer(world, at, answered_ns + slot["back_ns"], now_ns)
    if slot["working"] == 0 and calendar.patience[at]["nested"] == NOT_NESTED:
        free_slot(calendar, at)
    return STAGE_WAIT
