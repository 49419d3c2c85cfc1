"""What a function calls while it runs, in the compiled engine.

The call behind a function lives in the slot of its request, which is kept until both are done: one
call is under way at a time, and one that its function no longer waits for is the last.
"""

from typing import Final

import numpy as np

from apisim.arrays.fifo import NOBODY
from apisim.arrays.jit import constant, gate, part
from apisim.backends.http import FULL, QUEUED, arrive, depart
from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.draws.sampling import sample_int
from apisim.engine.backend_tables import BACKEND_ENDPOINT, BACKEND_FUNCTION, BACKEND_SERVICE
from apisim.engine.calls import DRAWS_PER_ATTEMPT, index_behind
from apisim.engine.compiled.calendar import RANK_END_OF_WORK, at_once, free_slot, schedule_slot
from apisim.engine.compiled.service import admit_to_service
from apisim.engine.compiled.stages import (
    CALL_EVENT,
    STAGE_CUT,
    STAGE_GO_ON,
    STAGE_NESTED_END,
    STAGE_SEND_BACK,
    STAGE_SERVE,
    STAGE_WAIT,
)
from apisim.engine.compiled.work import end_work, guard
from apisim.engine.recorder import note_end
from apisim.engine.world import World
from apisim.gateway.status import Answer

__all__ = ["NOT_NESTED", "calls_behind", "cut_off", "end_nested", "make_calls", "serve_nested"]

_SERVICE: Final = (
    constant(Purpose.AUTH_CALLED_SERVICE),
    constant(Purpose.CALLED_SERVICE),
    constant(Purpose.EVENT_CALLED_SERVICE),
)
_ERROR: Final = (
    constant(Purpose.AUTH_CALLED_ERROR),
    constant(Purpose.CALLED_ERROR),
    constant(Purpose.EVENT_CALLED_ERROR),
)
_ITEM_SIZE: Final = (
    constant(Purpose.AUTH_CALLED_ITEM_SIZE),
    constant(Purpose.CALLED_ITEM_SIZE),
    constant(Purpose.EVENT_CALLED_ITEM_SIZE),
)
_SHARD: Final = (
    constant(Purpose.AUTH_CALLED_SHARD),
    constant(Purpose.CALLED_SHARD),
    constant(Purpose.EVENT_CALLED_SHARD),
)
#: What is here is only asked where something rare may happen.
_RARE: Final = constant(1)
_FUNCTION_ERROR: Final = constant(Answer.FUNCTION_ERROR)
_ANSWER_TOO_LARGE: Final = constant(Answer.FUNCTION_ANSWER_TOO_LARGE)
_QUEUES: Final = constant(-1)

#: States of the call behind a function; what its function waits for may fail.
NOT_NESTED: Final = constant(0)
_UNDER_WAY: Final = constant(1)
_FAILING: Final = constant(2)
_ABANDONED: Final = constant(3)


@part
def _draw_of(slot: np.void, mine: np.void) -> int:
    """Draw of an attempt; an event has one for each time it runs."""
    draw = slot["attempt"] * DRAWS_PER_ATTEMPT
    if slot["call"] == CALL_EVENT:
        draw += mine["runs"]
    return draw  # type: ignore[no-any-return]


@part
def calls_behind(world: World, slot: np.void) -> bool:
    """Whether the backend that is done is a function that calls others."""
    if slot["backend"] != BACKEND_FUNCTION:
        return False
    return world.tables.functions[slot["index"]]["n_calls"] > 0  # type: ignore[no-any-return]


@gate
def make_calls(world: World, at: int, now_ns: int) -> int:
    """The function in slot ``at`` makes its next call, or is done; the next stage."""
    tables, calendar, _, state, _ = world
    slot, mine = calendar.slots[at], calendar.patience[at]
    function = tables.functions[slot["index"]]
    if mine["calls"] >= function["n_calls"]:
        end_work(world, slot, now_ns, _RARE)
        return STAGE_SEND_BACK
    if slot["waiting"] == 1:
        guard(world, at)  # nobody knows how long it will take
    behind = tables.calls[function["first_call"] + mine["calls"]]
    mine["nested_end_ns"] = _QUEUES
    if behind["kind"] == BACKEND_SERVICE:
        return _call_service(world, at, now_ns)
    arrived = arrive(state.endpoints, state.following, behind["index"], at, now_ns)
    if arrived == FULL:
        _fail(world, at)
        return _come_back(world, at)
    mine["nested"] = _UNDER_WAY
    if arrived == QUEUED:
        _watch(world, at)
        return STAGE_WAIT
    return serve_nested(world, at, now_ns)


@gate
def _call_service(world: World, at: int, now_ns: int) -> int:
    """The function in slot ``at`` calls a service; the next stage."""
    tables = world.tables
    slot = world.calendar.slots[at]
    mine = world.calendar.patience[at]
    behind = tables.calls[tables.functions[slot["index"]]["first_call"] + mine["calls"]]
    service = tables.services[behind["index"]]
    keys = tables.draw_keys[slot["source"]]
    index = index_behind(slot["entity"], mine["calls"])
    draw = _draw_of(slot, mine)
    by = slot["call"]
    size = sample_int(
        tables.dists, tables.dist_values, service["item_size"], keys[_ITEM_SIZE[by]], index, draw
    )
    admitted = admit_to_service(
        world, behind["index"], behind["action"], size, keys[_SHARD[by]], index, draw, now_ns
    )
    if not admitted:
        _fail(world, at)
        return _come_back(world, at)
    mine["nested"] = _UNDER_WAY
    if service["errors"] > 0.0 and uniform(keys[_ERROR[by]], index, draw) < service["errors"]:
        world.state.services[behind["index"]]["errors"] += 1
        mine["nested"] = _FAILING
    return _take_time(world, at, service["latency"], now_ns)


@gate
def serve_nested(world: World, at: int, now_ns: int) -> int:
    """A server takes the call of the function in slot ``at``; the next stage."""
    tables, calendar, _, state, _ = world
    slot = calendar.slots[at]
    mine = calendar.patience[at]
    behind = tables.calls[tables.functions[slot["index"]]["first_call"] + mine["calls"]]
    endpoint = tables.endpoints[behind["index"]]
    index = index_behind(slot["entity"], mine["calls"])
    draw = _draw_of(slot, mine)
    if endpoint["errors"] > 0.0:
        key = tables.draw_keys[slot["source"], _ERROR[slot["call"]]]
        if uniform(key, index, draw) < endpoint["errors"]:
            state.endpoints[behind["index"]]["errors"] += 1
            if mine["nested"] == _UNDER_WAY:
                mine["nested"] = _FAILING
    return _take_time(world, at, endpoint["service_time"], now_ns)


@gate
def _take_time(world: World, at: int, dist: int, now_ns: int) -> int:
    """What is behind the function in slot ``at`` works for it; the next stage."""
    tables = world.tables
    slot = world.calendar.slots[at]
    mine = world.calendar.patience[at]
    service_ns = sample_int(
        tables.dists,
        tables.dist_values,
        dist,
        tables.draw_keys[slot["source"], _SERVICE[slot["call"]]],
        index_behind(slot["entity"], mine["calls"]),
        _draw_of(slot, mine),
    )
    mine["nested_end_ns"] = now_ns + service_ns
    if service_ns == 0:
        return end_nested(world, at, now_ns)
    schedule_slot(world.calendar, mine["nested_end_ns"], RANK_END_OF_WORK, STAGE_NESTED_END, at)
    if mine["nested"] != _ABANDONED and mine["nested_end_ns"] > mine["cut_ns"]:
        _watch(world, at)
    return STAGE_WAIT


@gate
def end_nested(world: World, at: int, now_ns: int) -> int:
    """The call of the function in slot ``at`` has been served; the next stage."""
    tables, calendar, _, state, recorder = world
    slot = calendar.slots[at]
    mine = calendar.patience[at]
    behind = tables.calls[tables.functions[slot["index"]]["first_call"] + mine["calls"]]
    note_end(recorder.total, now_ns)
    if behind["kind"] == BACKEND_ENDPOINT:
        following = depart(state.endpoints, state.following, behind["index"], now_ns)
        if following != NOBODY:
            at_once(calendar, STAGE_SERVE, following)
    was = mine["nested"]
    mine["nested"] = NOT_NESTED
    if was == _ABANDONED:
        if slot["waiting"] == 0:
            free_slot(calendar, at)
        return STAGE_WAIT
    if was == _FAILING:
        _fail(world, at)
    else:
        mine["calls"] += 1
    return _come_back(world, at)


@gate
def cut_off(world: World, at: int, now_ns: int) -> int:
    """The time limit of the function in slot ``at``; an answer of just now is in time."""
    slot = world.calendar.slots[at]
    mine = world.calendar.patience[at]
    is_waiting = mine["nested"] == _UNDER_WAY or mine["nested"] == _FAILING
    if not is_waiting or mine["cut_ns"] != now_ns or mine["nested_end_ns"] == now_ns:
        return STAGE_WAIT
    mine["nested"] = _ABANDONED
    tables = world.tables
    behind = tables.calls[tables.functions[slot["index"]]["first_call"] + mine["calls"]]
    if behind["kind"] == BACKEND_ENDPOINT:
        world.state.endpoints[behind["index"]]["abandoned"] += 1
    slot["result"] = _FUNCTION_ERROR
    world.state.pools[slot["index"]]["timeouts"] += 1
    end_work(world, slot, now_ns, _RARE)
    return STAGE_SEND_BACK


@part
def _watch(world: World, at: int) -> None:
    cut_ns = world.calendar.patience[at]["cut_ns"]
    schedule_slot(world.calendar, cut_ns, RANK_END_OF_WORK, STAGE_CUT, at)


@part
def _fail(world: World, at: int) -> None:
    """A call has failed: its function fails too, or goes on to the next."""
    slot, mine = world.calendar.slots[at], world.calendar.patience[at]
    function = world.tables.functions[slot["index"]]
    if world.tables.calls[function["first_call"] + mine["calls"]]["fails"] == 0:
        mine["calls"] += 1
        return
    if slot["result"] != _FUNCTION_ERROR and slot["result"] != _ANSWER_TOO_LARGE:
        world.state.pools[slot["index"]]["errors"] += 1
    slot["result"] = _FUNCTION_ERROR
    mine["calls"] = function["n_calls"]


@part
def _come_back(world: World, at: int) -> int:
    """The function goes on, after the steps that arose before."""
    if world.calendar.clock[0]["steps"] > 0:
        at_once(world.calendar, STAGE_GO_ON, at)
        return STAGE_WAIT
    return STAGE_GO_ON
