"""A user gets its token before it calls."""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.draws.purposes import Purpose
from apisim.engine.callers import token_shown
from apisim.engine.compiled.calendar import RANK_ARRIVAL, schedule_slot
from apisim.engine.compiled.sampling import draw_int
from apisim.engine.compiled.stages import (
    STAGE_DONE,
    STAGE_LIMITS,
    STAGE_SIGN_IN,
    STAGE_TLS,
    STAGE_UPGRADE,
    STAGE_WAIT,
)
from apisim.engine.tables import GATE_TLS, GATE_UPGRADE
from apisim.engine.world import World
from apisim.gateway.sign_in import ISSUED, REFUSED, get_token
from apisim.gateway.status import Answer

__all__ = ["pass_sign_in"]

_SIGN_IN: Final = constant(Purpose.SIGN_IN)
_REFUSED: Final = constant(Answer.SIGN_IN_THROTTLED)


@gate
def pass_sign_in(world: World, at: int, now_ns: int) -> int:
    """See to it that the caller in slot ``at`` has its token; the next stage.

    A caller who has to wait for its token comes here once more and then has it.
    """
    tables, calendar, _, state, _ = world
    slot = calendar.slots[at]
    caller = tables.callers[tables.sources[slot["source"]]["caller"]]
    pool = caller["sign_in"]
    number = token_shown(caller, slot["person"], slot["arrival_ns"])
    got = get_token(
        state.sign_in_buckets[pool],
        state.sign_ins[pool],
        state.held,
        slot["person"],
        number,
        now_ns,
    )
    if got == REFUSED:
        slot["answer"] = _REFUSED
        return STAGE_DONE
    if got == ISSUED:
        takes_ns = draw_int(world, slot, tables.rules[0]["sign_in_time"], _SIGN_IN)
        if takes_ns > 0:
            schedule_slot(calendar, now_ns + takes_ns, RANK_ARRIVAL, STAGE_SIGN_IN, at)
            return STAGE_WAIT
    slot["door_ns"] = now_ns
    gates = tables.bindings[slot["binding"]]["gates"]
    if gates & GATE_UPGRADE:
        return STAGE_UPGRADE
    return STAGE_TLS if gates & GATE_TLS else STAGE_LIMITS
