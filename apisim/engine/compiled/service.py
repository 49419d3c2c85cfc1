"""AWS services in the compiled engine."""

from typing import Final

import numpy as np

from apisim.arrays.jit import constant, gate
from apisim.backends.service import MAX_LIMITS, request_service
from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.engine.calls import DRAWS_PER_ATTEMPT, share_at
from apisim.engine.compiled.sampling import draw_int, happens
from apisim.engine.compiled.stages import RESULT_OK, STAGE_SEND_BACK
from apisim.engine.compiled.work import work_until
from apisim.engine.world import World
from apisim.gateway.status import Answer

__all__ = ["admit_to_service", "reach_service"]

_ITEM_SIZE: Final = constant(Purpose.ITEM_SIZE)
_SHARD: Final = constant(Purpose.SHARD)
_SERVICE: Final = constant(Purpose.SERVICE)
_ERROR: Final = constant(Purpose.ERROR)
_THROTTLED: Final = constant(Answer.SERVICE_THROTTLED)
_FAILED: Final = constant(Answer.SERVICE_ERROR)


@gate
def reach_service(world: World, at: int, now_ns: int) -> int:
    """The gateway's call arrives at a service; the next stage."""
    tables = world.tables
    slot = world.calendar.slots[at]
    service = tables.services[slot["index"]]
    size = draw_int(world, slot, service["item_size"], _ITEM_SIZE)
    admitted = admit_to_service(
        world,
        slot["index"],
        tables.routes[slot["route"]]["action"],
        size,
        tables.draw_keys[slot["source"], _SHARD],
        slot["entity"],
        slot["attempt"] * DRAWS_PER_ATTEMPT,
        now_ns,
    )
    if not admitted:
        slot["result"] = _THROTTLED
        return STAGE_SEND_BACK
    slot["result"] = RESULT_OK
    if happens(world, slot, service["errors"], _ERROR):
        slot["result"] = _FAILED
        world.state.services[slot["index"]]["errors"] += 1
    latency_ns = draw_int(world, slot, service["latency"], _SERVICE)
    return work_until(world, at, now_ns, now_ns + latency_ns)


@gate
def admit_to_service(
    world: World,
    index: int,
    action: int,
    size: int,
    shard_key: np.uint64,
    entity: int,
    draw: int,
    now_ns: int,
) -> bool:
    """Whether the limits of a service, or of one of its shards, take a request."""
    tables, _, _, state, _ = world
    service = tables.services[index]
    first = service["first_limit"]
    if service["shards"] > 1:
        first += MAX_LIMITS * share_at(uniform(shard_key, entity, draw), service["shards"])
    return request_service(
        state.services, state.service_limits, index, first, tables.actions[action], size, now_ns
    )
