"""What few functions have: answers that are none, and a second version behind their alias."""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.draws.purposes import Purpose
from apisim.engine.compiled.sampling import happens
from apisim.engine.world import World

__all__ = ["is_malformed", "pick_version"]

_MALFORMED: Final = (constant(Purpose.AUTH_MALFORMED), constant(Purpose.MALFORMED))
_VERSION: Final = (constant(Purpose.AUTH_VERSION), constant(Purpose.VERSION))


@gate
def is_malformed(world: World, at: int) -> bool:
    """Whether what the function called by slot ``at`` returns is no answer."""
    slot = world.calendar.slots[at]
    share = world.tables.functions[slot["index"]]["malformed"]
    return happens(world, slot, share, _MALFORMED[slot["call"]])


@gate
def pick_version(world: World, at: int) -> int:
    """Version that slot ``at`` runs on; its row, which is also noted in the slot."""
    slot = world.calendar.slots[at]
    function = world.tables.functions[slot["index"]]
    if happens(world, slot, function["other_share"], _VERSION[slot["call"]]):
        slot["index"] = function["other"]
    return slot["index"]  # type: ignore[no-any-return]
