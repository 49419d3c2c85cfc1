"""The resource policy of an API: before authentication, and together with it."""

from typing import TYPE_CHECKING

from apisim.engine.simpy_model.call import Call, Refused
from apisim.engine.simpy_model.environment import Process
from apisim.engine.tables import GATE_AUTH, GATE_CREDENTIALS
from apisim.gateway.resource_policy import (
    POLICY_ALLOWS,
    POLICY_DENIES,
    decide_before,
    effect_on,
)
from apisim.gateway.status import Answer

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway

__all__ = ["pass_resource", "policy_of"]


def pass_resource(gateway: "Gateway", call: Call) -> Process:
    """Let a call pass, or refuse it."""
    binding = gateway.binding(call)
    if binding.outside:
        raise Refused(Answer.PRIVATE_REFUSED)
    decision = decide_before(
        _effect(gateway, call, binding.endpoint_policy),
        policy_of(gateway, call),
        binding.policy_table,
        binding.gates & (GATE_AUTH | GATE_CREDENTIALS),
    )
    if decision == POLICY_DENIES:
        raise Refused(Answer.POLICY_DENIED)
    if decision != POLICY_ALLOWS:
        raise Refused(Answer.POLICY_SILENT)
    yield from ()


def policy_of(gateway: "Gateway", call: Call) -> int:
    """What the API's resource policy says of a call; for the authorizers."""
    return _effect(gateway, call, gateway.binding(call).policy)


def _effect(gateway: "Gateway", call: Call, policy: int) -> int:
    tables = gateway.tables
    return effect_on(tables.policies, tables.policy_starts, tables.policy_effects, policy, call.ip)
