"""The API key of a call, and what its usage plan lets by."""

from typing import TYPE_CHECKING

from apisim.engine.simpy_model.call import Call, Refused
from apisim.engine.simpy_model.environment import Process
from apisim.gateway.status import LEVEL_ANSWERS, Answer
from apisim.gateway.usage_plan import (
    ADMITTED,
    NO_SUBSCRIPTION,
    REFUSED_BY_LEVEL,
    REFUSED_BY_PLAN,
    REFUSED_BY_QUOTA,
    admit_key,
    find_subscription,
)

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway

__all__ = ["admit_with_key", "pass_key"]


def pass_key(gateway: "Gateway", call: Call) -> Process:
    """Let a call pass whose key is in a plan for this stage."""
    tables, binding = gateway.tables, gateway.model.bindings[call.binding]
    key = -1 if binding.key_unread else call.key
    call.subscription = int(
        find_subscription(
            tables.keys,
            gateway.model.state.subscriptions,
            tables.plan_routes,
            key,
            binding.route,
        )
    )
    if call.subscription == NO_SUBSCRIPTION:
        raise Refused(Answer.NO_KEY)
    yield from ()


def admit_with_key(gateway: "Gateway", call: Call, part: int) -> None:
    """Charge the buckets of the plan and of the route, and the quota, or none of them."""
    tables, state = gateway.tables, gateway.model.state
    subscription = state.subscriptions[call.subscription]
    route = gateway.model.bindings[call.binding].route
    said = int(
        admit_key(
            subscription,
            tables.quotas[subscription["plan"]],
            tables.quota_clock[0],
            state.plan_buckets,
            tables.plan_routes[subscription["plan"], route],
            state.buckets,
            tables.route_levels[route],
            state.plan_days[call.subscription],
            gateway.model.now,
            part,
            gateway.model.rules.charges_in_order,
        )
    )
    if said == REFUSED_BY_PLAN:
        raise Refused(Answer.THROTTLED_PLAN)
    if said == REFUSED_BY_QUOTA:
        raise Refused(Answer.QUOTA_EXCEEDED)
    if said != ADMITTED:
        raise Refused(LEVEL_ANSWERS[said - REFUSED_BY_LEVEL])
