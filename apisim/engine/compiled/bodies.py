"""Bodies at an integration in the compiled engine: how large they are, may be and become.

Read ``engine/simpy_model/bodies.py`` first; a route whose bodies are small and passed on as they
are needs no more than :func:`answer_bytes`.
"""

from typing import Final

import numpy as np

from apisim.arrays.jit import constant, gate, part
from apisim.draws.purposes import Purpose
from apisim.engine.calls import keyed_size
from apisim.engine.compiled.calendar import RANK_ARRIVAL, schedule_slot
from apisim.engine.compiled.sampling import draw_int
from apisim.engine.compiled.stages import RESULT_OK, STAGE_MAPPED, STAGE_RESPOND, STAGE_WAIT
from apisim.engine.functions import mapped_answer
from apisim.engine.world import World
from apisim.gateway.limits import UNLIMITED
from apisim.gateway.mapping import TOO_LARGE, UNCHANGED_PPM, mapped_bytes, passed_on_bytes
from apisim.gateway.status import Answer
from apisim.gateway.streaming import streamed_ns

__all__ = [
    "answer_bytes",
    "ends_later",
    "is_answer_too_large",
    "is_limited",
    "is_request_too_large",
    "map_request",
    "map_response",
    "pass_on",
]

_REQUEST_SIZE: Final = constant(Purpose.REQUEST_SIZE)
_RESPONSE_SIZE: Final = constant(Purpose.RESPONSE_SIZE)
_REQUEST_MAPPING: Final = constant(Purpose.REQUEST_MAPPING)
_RESPONSE_MAPPING: Final = constant(Purpose.RESPONSE_MAPPING)
_ANSWER_TOO_LARGE: Final = constant(Answer.ANSWER_TOO_LARGE)
_UNLIMITED: Final = constant(UNLIMITED)
_UNCHANGED: Final = constant(UNCHANGED_PPM)
_REST: Final = constant(0)
#: While an answer is mapped nobody waits for the backend any more: no deadline is this one.
_NO_DEADLINE: Final = constant(-1)


@part
def is_limited(route: np.void) -> bool:
    """Whether answers of a route may be too large, or are not passed on as they are."""
    return route["max_answer"] < _UNLIMITED or route["response_ppm"] != _UNCHANGED  # type: ignore[no-any-return]


@part
def ends_later(route: np.void) -> bool:
    """Whether an answer is still on its way when the backend has made it."""
    return route["response_time"] >= 0 or route["streams"] == 1  # type: ignore[no-any-return]


@part
def answer_bytes(world: World, slot: np.void, route: np.void, line: int) -> int:
    """Size of the answer that the backend makes, by the request's route and line of the cache."""
    if slot["trace_bytes"] >= 0:
        size = slot["trace_bytes"]
    elif line >= 0:
        tables = world.tables
        size = keyed_size(
            tables.dists,
            tables.dist_values,
            route["response_size"],
            route["sizes_key"],
            slot["cache_key"],
        )
    else:
        size = draw_int(world, slot, route["response_size"], _RESPONSE_SIZE)
    return size  # type: ignore[no-any-return]


@gate
def is_request_too_large(world: World, at: int) -> bool:
    """Whether Lambda refuses what the integration of slot ``at`` sends."""
    slot = world.calendar.slots[at]
    route = world.tables.routes[slot["route"]]
    size = draw_int(world, slot, route["request_size"], _REQUEST_SIZE)
    return mapped_bytes(size, route["request_ppm"]) > route["max_request"]  # type: ignore[no-any-return]


@gate
def is_answer_too_large(world: World, at: int) -> bool:
    """Whether what the backend of slot ``at`` answers is more than is taken from it."""
    tables = world.tables
    slot = world.calendar.slots[at]
    route = tables.routes[slot["route"]]
    line = tables.bindings[slot["binding"]]["cache_line"]
    return answer_bytes(world, slot, route, line) > route["max_answer"]  # type: ignore[no-any-return]


@gate
def map_request(world: World, at: int, now_ns: int) -> int:
    """The template of the request in slot ``at`` runs; the next stage."""
    slot = world.calendar.slots[at]
    dist = world.tables.routes[slot["route"]]["request_time"]
    time_ns = draw_int(world, slot, dist, _REQUEST_MAPPING)
    if time_ns == 0:
        return STAGE_MAPPED
    schedule_slot(world.calendar, now_ns + time_ns, RANK_ARRIVAL, STAGE_MAPPED, at)
    return STAGE_WAIT


@gate
def map_response(world: World, at: int, now_ns: int) -> int:
    """The template of the answer in slot ``at`` runs, or its end is streamed; the next stage."""
    tables = world.tables
    slot = world.calendar.slots[at]
    route = tables.routes[slot["route"]]
    result = slot["result"]
    if route["error_answer"] != 0 and result != RESULT_OK:
        result = mapped_answer(result, route["error_answer"])
    if tables.body[_REST, result] > 0:
        return STAGE_RESPOND
    if result == RESULT_OK and is_limited(route) and is_answer_too_large(world, at):
        return STAGE_RESPOND
    if route["streams"] == 1:
        line = tables.bindings[slot["binding"]]["cache_line"]
        time_ns = streamed_ns(answer_bytes(world, slot, route, line))
    else:
        time_ns = draw_int(world, slot, route["response_time"], _RESPONSE_MAPPING)
    if time_ns == 0:
        return STAGE_RESPOND
    # The slot is in use, also if what its function had called comes to an end now.
    slot["waiting"] = 1
    slot["deadline_ns"] = _NO_DEADLINE
    schedule_slot(world.calendar, now_ns + time_ns, RANK_ARRIVAL, STAGE_RESPOND, at)
    return STAGE_WAIT


@gate
def pass_on(world: World, slot: np.void) -> None:
    """What callers get of an answer that was served, or that it is too large for them."""
    route = world.tables.routes[slot["route"]]
    ratio_ppm = route["response_ppm"]
    if slot["trace_bytes"] >= 0:
        ratio_ppm = _UNCHANGED  # the sizes of a log are those that its callers got
    if route["max_answer"] == _UNLIMITED and ratio_ppm == _UNCHANGED:
        return
    passed_on = passed_on_bytes(slot["response_bytes"], route["max_answer"], ratio_ppm)
    if passed_on == TOO_LARGE:
        slot["answer"] = _ANSWER_TOO_LARGE
    else:
        slot["response_bytes"] = passed_on
