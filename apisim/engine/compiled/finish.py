"""The answer leaves the gateway: the request is written down, a closed user thinks."""

from typing import Final

import numpy as np

from apisim.arrays.jit import constant, part
from apisim.draws.purposes import Purpose
from apisim.engine.compiled.clients import mark_late
from apisim.engine.compiled.connecting import arrive_back
from apisim.engine.compiled.deployments import compress
from apisim.engine.compiled.preflights import look_as_browser
from apisim.engine.compiled.sampling import draw_int
from apisim.engine.compiled.settle import meter, settle
from apisim.engine.compiled.think import think
from apisim.engine.preflights import PREFLIGHT_ATTEMPT
from apisim.engine.recorder import record
from apisim.engine.tables import GATES_OF_SESSIONS
from apisim.engine.world import World
from apisim.gateway.metering import metered_units
from apisim.gateway.status import Answer

__all__ = ["finish"]

_REQUEST_SIZE: Final = constant(Purpose.REQUEST_SIZE)
_HIT: Final = constant(Answer.CACHE_HIT)
_PREFLIGHT: Final = constant(Answer.PREFLIGHT)


@part
def finish(world: World, at: int, slot: np.void, answered_ns: int, rare: int | None) -> None:
    """The answer leaves the gateway at ``answered_ns``: write the request down."""
    tables, calendar, _, _, recorder = world
    api = tables.apis[slot["api"]]
    is_settled = False
    if rare is not None and tables.bindings[slot["binding"]]["gates"] & GATES_OF_SESSIONS:
        is_settled = settle(world, at)
    answer = slot["answer"]
    slot["gateway_ns"] = answered_ns - slot["door_ns"]
    if not is_settled:
        if answer > _HIT:
            slot["response_bytes"] = tables.body[api["type"], answer]
        elif rare is not None and api["compress_from"] >= 0:
            compress(world, slot)
        if rare is not None and tables.sources[slot["source"]]["way"] == 1:
            arrive_back(world, at, answered_ns)
    slot["latency_ns"] = answered_ns + slot["back_ns"] - slot["arrival_ns"]
    if rare is not None and tables.bindings[slot["binding"]]["cors"] >= 0:
        look_as_browser(world, slot)
        answer = slot["answer"]
    slot["status"] = tables.status[api["type"], answer]
    if slot["route"] >= 0:
        size = tables.routes[slot["route"]]["request_size"]
        slot["request_bytes"] = draw_int(world, slot, size, _REQUEST_SIZE)
        of_route = tables.routes[slot["route"]]["meter"]
    else:
        of_route = slot["api"]
    slot["units"] = metered_units(
        tables.charged[of_route],
        answer,
        tables.meters[of_route]["increment_bytes"],
        tables.meters[of_route]["basis"],
        slot["request_bytes"],
        slot["response_bytes"],
    )
    if rare is not None and tables.bindings[slot["binding"]]["gates"] & GATES_OF_SESSIONS:
        meter(world, at)
    if rare is not None and tables.sources[slot["source"]]["client"] >= 0:
        mark_late(world, at)
    record(
        recorder,
        slot,
        tables.cell_hashes,
        tables.log_lines,
        tables.log_texts,
        tables.log_executions,
        rare,
    )
    calendar.clock[0]["in_flight"] -= 1
    if rare is not None and tables.sources[slot["source"]]["client"] >= 0:
        return  # what its user does is decided where it knows of the answer
    if slot["job"] >= 0 and answer != _PREFLIGHT:
        attempt = slot["attempt"]
        if rare is not None:
            slot["attempt"] &= PREFLIGHT_ATTEMPT - 1  # a user goes on after a preflight in vain
        think(world, slot, answered_ns + slot["back_ns"])
        slot["attempt"] = attempt  # what a function has called may still be under way for it
