"""The API key of a call, and what its usage plan lets by."""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.draws.purposes import Purpose
from apisim.engine.calls import part_of
from apisim.engine.compiled.stages import STAGE_PASSED, STAGE_REFUSE
from apisim.engine.tables import GATE_KEY, NONE
from apisim.engine.world import World
from apisim.gateway.status import Answer, level_answer
from apisim.gateway.throttle import NO_BUCKET, admit
from apisim.gateway.usage_plan import (
    ADMITTED,
    REFUSED_BY_LEVEL,
    REFUSED_BY_PLAN,
    REFUSED_BY_QUOTA,
    admit_key,
    find_subscription,
)

__all__ = ["admit_fully", "pass_key"]

_NO_KEY: Final = constant(Answer.NO_KEY)
_SERVED: Final = constant(Answer.SERVED)
_BY_PLAN: Final = constant(Answer.THROTTLED_PLAN)
_BY_QUOTA: Final = constant(Answer.QUOTA_EXCEEDED)
_LIMIT_PART: Final = constant(Purpose.LIMIT_PART)
_WHOLE: Final = constant(0)


@gate
def pass_key(world: World, at: int, now_ns: int) -> int:  # noqa: ARG001
    """Let the request in slot ``at`` pass, or refuse it; ``STAGE_PASSED`` or the next stage."""
    tables, calendar, _, state, _ = world
    slot = calendar.slots[at]
    key = slot["key"]
    if tables.bindings[slot["binding"]]["key_unread"] == 1:
        key = NONE
    found = find_subscription(
        tables.keys, state.subscriptions, tables.plan_routes, key, slot["route"]
    )
    if found < 0:
        slot["answer"] = _NO_KEY
        return STAGE_REFUSE
    slot["subscription"] = found
    return STAGE_PASSED


@gate
def admit_fully(world: World, at: int, now_ns: int) -> int:
    """Let a request past its throttles in every way they can be set; the answer if refused."""
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
    levels = tables.route_levels[slot["route"]]
    in_order = rules["charges_in_order"]
    if tables.bindings[slot["binding"]]["gates"] & GATE_KEY == 0:
        refused_by = admit(state.buckets, levels, now_ns, limit_part, in_order)
        if refused_by == NO_BUCKET:
            return _SERVED
        return level_answer(state.buckets[refused_by]["kind"])
    subscription = state.subscriptions[slot["subscription"]]
    plan = subscription["plan"]
    said = admit_key(
        subscription,
        tables.quotas[plan],
        tables.quota_clock[0],
        state.plan_buckets,
        tables.plan_routes[plan, slot["route"]],
        state.buckets,
        levels,
        state.plan_days[slot["subscription"]],
        now_ns,
        limit_part,
        in_order,
    )
    if said == ADMITTED:
        return _SERVED
    if said == REFUSED_BY_PLAN:
        return _BY_PLAN
    if said == REFUSED_BY_QUOTA:
        return _BY_QUOTA
    return level_answer(said - REFUSED_BY_LEVEL)
