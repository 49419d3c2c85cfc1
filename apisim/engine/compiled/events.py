"""Asynchronous invocations in the compiled engine.

Read ``engine/simpy_model/events.py`` first. An event that is tried again after an error has a slot
of its own each time, since what the function had called may still be at work in the one before.
"""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.backends.events import NO_RETRY, error_wait_ns, throttle_wait_ns
from apisim.backends.lambda_ import COLD, THROTTLED, invoke
from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.draws.sampling import sample_int
from apisim.engine.calls import DRAWS_PER_ATTEMPT
from apisim.engine.compiled.calendar import RANK_ARRIVAL, free_slot, schedule_slot
from apisim.engine.compiled.event_slots import await_turn
from apisim.engine.compiled.nested import NOT_NESTED
from apisim.engine.compiled.stages import RESULT_OK, STAGE_EVENT, STAGE_WAIT
from apisim.engine.compiled.work import work_until
from apisim.engine.world import World
from apisim.gateway.status import Answer

__all__ = ["end_event", "run_event"]

_SERVICE: Final = constant(Purpose.EVENT_SERVICE)
_INIT: Final = constant(Purpose.EVENT_INIT)
_SETUP: Final = constant(Purpose.EVENT_SETUP)
_ERROR: Final = constant(Purpose.EVENT_ERROR)
_VERSION: Final = constant(Purpose.EVENT_VERSION)
_FUNCTION_ERROR: Final = constant(Answer.FUNCTION_ERROR)
_NOTHING: Final = constant(0)


@gate
def run_event(world: World, at: int, now_ns: int) -> int:
    """The event in slot ``at`` comes to its function; the next stage."""
    tables, calendar, _, state, _ = world
    slot, mine = calendar.slots[at], calendar.patience[at]
    index = mine["function"]
    alias = tables.functions[index]
    entity, draw = slot["entity"], slot["attempt"] * DRAWS_PER_ATTEMPT + mine["runs"]
    keys = tables.draw_keys[slot["source"]]
    if alias["other"] >= 0 and uniform(keys[_VERSION], entity, draw) < alias["other_share"]:
        index = alias["other"]
    slot["index"] = index
    started = invoke(state.pools, state.groups, state.idle, state.idle_since, index, now_ns, True)
    if started == THROTTLED:
        mine["throttles"] += 1
        age_ns = now_ns - mine["accepted_ns"]
        wait_ns = throttle_wait_ns(mine["throttles"], age_ns, alias["max_age_ns"])
        if wait_ns == NO_RETRY:
            state.pools[mine["function"]]["events_dropped"] += 1
            free_slot(calendar, at)
        else:
            schedule_slot(calendar, now_ns + wait_ns, RANK_ARRIVAL, STAGE_EVENT, at)
        return STAGE_WAIT
    if mine["runs"] > 0:
        state.pools[mine["function"]]["event_retries"] += 1
    function = tables.functions[index]
    dists, values = tables.dists, tables.dist_values
    busy_ns = sample_int(dists, values, function["duration"], keys[_SERVICE], entity, draw)
    slot["result"] = RESULT_OK
    if function["errors"] > 0.0 and uniform(keys[_ERROR], entity, draw) < function["errors"]:
        slot["result"] = _FUNCTION_ERROR
        state.pools[index]["errors"] += 1
    is_cut = busy_ns > function["timeout_ns"]
    if is_cut:
        busy_ns = function["timeout_ns"]
        slot["result"] = _FUNCTION_ERROR
        state.pools[index]["timeouts"] += 1
    slot["environment"] = started
    unbilled_ns = start_ns = _NOTHING
    if started == COLD:
        setup = tables.rules[0]["environment_setup"]
        unbilled_ns = sample_int(dists, values, setup, keys[_SETUP], entity, draw)
        init_ns = sample_int(dists, values, function["init"], keys[_INIT], entity, draw)
        start_ns = unbilled_ns + init_ns
        if function["init_unbilled"] == 1:
            unbilled_ns += init_ns
    slot["work_start_ns"] = now_ns + unbilled_ns
    slot["working"] = 1
    mine["calls"] = function["n_calls"] if is_cut else _NOTHING
    mine["cut_ns"] = now_ns + start_ns + function["timeout_ns"]
    return work_until(world, at, now_ns, now_ns + start_ns + busy_ns)


@gate
def end_event(world: World, at: int, now_ns: int) -> int:
    """The function has run for the event in slot ``at``; the next stage."""
    calendar, pools = world.calendar, world.state.pools
    slot, mine = calendar.slots[at], calendar.patience[at]
    mine["runs"] += 1
    if slot["result"] == _FUNCTION_ERROR:
        function = world.tables.functions[mine["function"]]
        age_ns = now_ns - mine["accepted_ns"]
        wait_ns = error_wait_ns(
            mine["runs"], function["max_retries"], age_ns, function["max_age_ns"]
        )
        if wait_ns == NO_RETRY:
            pools[mine["function"]]["events_dropped"] += 1
        else:
            await_turn(world, at, now_ns + wait_ns)
    slot["working"] = 0
    if mine["nested"] == NOT_NESTED:
        free_slot(calendar, at)
    return STAGE_WAIT
