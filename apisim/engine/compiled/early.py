"""Buckets of method, stage and account before authentication, where a setting says so."""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.draws.purposes import Purpose
from apisim.engine.calls import part_of
from apisim.engine.compiled.stages import STAGE_PASSED, STAGE_REFUSE
from apisim.engine.world import World
from apisim.gateway.status import level_answer
from apisim.gateway.throttle import NO_BUCKET, admit
from apisim.gateway.usage_plan import note_throttled

__all__ = ["pass_early_throttle"]

_WHOLE: Final = constant(0)
_LIMIT_PART: Final = constant(Purpose.LIMIT_PART)


@gate
def pass_early_throttle(world: World, at: int, now_ns: int) -> int:
    """Let the request in slot ``at`` pass its buckets, or refuse it."""
    tables, calendar, _, state, _ = world
    slot = calendar.slots[at]
    rules = tables.rules[0]
    limit_part = _WHOLE
    if rules["limit_parts"] > 1:
        limit_part = part_of(
            tables.draw_keys[slot["source"], _LIMIT_PART],
            slot["entity"],
            slot["attempt"],
            rules["limit_parts"],
        )
    refused_by = admit(
        state.buckets,
        tables.early_levels[slot["route"]],
        now_ns,
        limit_part,
        rules["charges_in_order"],
    )
    if refused_by == NO_BUCKET:
        return STAGE_PASSED
    if slot["customer"] >= 0:
        note_throttled(state.customers[slot["customer"]], now_ns)
    slot["answer"] = level_answer(state.buckets[refused_by]["kind"])
    return STAGE_REFUSE
