"""Endpoints behind the load balancer of a VPC link, in the compiled engine."""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.backends.targets import crosses_zones, is_down, pick_target
from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.engine.backend_tables import BACKEND_ENDPOINT
from apisim.engine.calls import DRAWS_PER_ATTEMPT, share_at
from apisim.engine.compiled.sampling import draw_int
from apisim.engine.world import World
from apisim.gateway.status import Answer

__all__ = ["go_through_link"]

_ZONE: Final = constant(Purpose.ZONE)
_TARGET: Final = constant(Purpose.TARGET)
_LINK: Final = constant(Purpose.LINK)
_CROSS_ZONE: Final = constant(Purpose.CROSS_ZONE)
_DOWN: Final = constant(Answer.TARGET_DOWN)
_UNREACHABLE: Final = constant(Answer.TARGET_UNREACHABLE)
_FIRST: Final = constant(0)


@gate
def go_through_link(world: World, at: int, now_ns: int) -> None:
    """A call leaves the gateway for a load balancer, which picks its target.

    The slot keeps ``BACKEND_LINK`` where that target is down.
    """
    tables = world.tables
    slot = world.calendar.slots[at]
    link = tables.links[slot["index"]]
    keys = tables.draw_keys[slot["source"]]
    draw = slot["attempt"] * DRAWS_PER_ATTEMPT
    zone = _FIRST
    if link["zones"] > 1:
        zone = share_at(uniform(keys[_ZONE], slot["entity"], draw), link["zones"])
    u = 0.0
    if link["targets"] > 1:
        u = uniform(keys[_TARGET], slot["entity"], draw)
    target = pick_target(link, tables.outages, zone, u, now_ns)
    rules = tables.rules[0]
    slot["transport_back_ns"] += draw_int(world, slot, rules["vpc_link_time"], _LINK)
    if crosses_zones(link, zone, target):
        slot["transport_back_ns"] += draw_int(world, slot, rules["cross_zone_time"], _CROSS_ZONE)
    if is_down(link, tables.outages, target, now_ns):
        slot["result"] = _DOWN if link["application"] == 1 else _UNREACHABLE
        return
    slot["backend"] = BACKEND_ENDPOINT
    slot["index"] = link["first"] + target
