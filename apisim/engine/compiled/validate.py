"""Request validation, between the gateway's overhead and the response cache."""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.draws.purposes import Purpose
from apisim.engine.calls import validate_call
from apisim.engine.compiled.stages import STAGE_PASSED, STAGE_REFUSE
from apisim.engine.world import World
from apisim.gateway.validation import VALID

__all__ = ["pass_validation"]

_VALIDATION: Final = constant(Purpose.VALIDATION)


@gate
def pass_validation(world: World, at: int, now_ns: int) -> int:  # noqa: ARG001
    """Let the request in slot ``at`` pass, or refuse it; ``STAGE_PASSED`` or the next stage."""
    tables = world.tables
    slot = world.calendar.slots[at]
    answer = validate_call(
        tables.validations[tables.bindings[slot["binding"]]["validation"]],
        tables.draw_keys[slot["source"], _VALIDATION],
        slot["entity"],
    )
    if answer == VALID:
        return STAGE_PASSED
    slot["answer"] = answer
    return STAGE_REFUSE
