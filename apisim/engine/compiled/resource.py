"""The resource policy of an API: before authentication, and together with it."""

from typing import Final

import numpy as np

from apisim.arrays.jit import constant, gate
from apisim.engine.compiled.stages import STAGE_PASSED, STAGE_REFUSE
from apisim.engine.tables import GATE_AUTH, GATE_CREDENTIALS
from apisim.engine.world import World
from apisim.gateway.resource_policy import (
    POLICY_ALLOWS,
    POLICY_DENIES,
    decide_before,
    effect_on,
)
from apisim.gateway.status import Answer

__all__ = ["pass_resource", "policy_of"]

_DENIED: Final = constant(Answer.POLICY_DENIED)
_SILENT: Final = constant(Answer.POLICY_SILENT)
_PRIVATE: Final = constant(Answer.PRIVATE_REFUSED)


@gate
def policy_of(world: World, slot: np.void) -> int:
    """What the API's resource policy says of a request; for the authorizers."""
    tables = world.tables
    return effect_on(
        tables.policies,
        tables.policy_starts,
        tables.policy_effects,
        tables.bindings[slot["binding"]]["policy"],
        slot["ip"],
    )


@gate
def pass_resource(world: World, at: int, now_ns: int) -> int:  # noqa: ARG001
    """Let the request in slot ``at`` pass, or refuse it; ``STAGE_PASSED`` or the next stage."""
    tables = world.tables
    slot = world.calendar.slots[at]
    binding = tables.bindings[slot["binding"]]
    if binding["outside"] == 1:
        slot["answer"] = _PRIVATE
        return STAGE_REFUSE
    policies, starts, effects = tables.policies, tables.policy_starts, tables.policy_effects
    decision = decide_before(
        effect_on(policies, starts, effects, binding["endpoint_policy"], slot["ip"]),
        policy_of(world, slot),
        binding["policy_table"],
        binding["gates"] & (GATE_AUTH | GATE_CREDENTIALS),
    )
    if decision == POLICY_ALLOWS:
        return STAGE_PASSED
    slot["answer"] = _DENIED if decision == POLICY_DENIES else _SILENT
    return STAGE_REFUSE
