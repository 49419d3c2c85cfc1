"""Backends at work in the compiled engine: functions, endpoints, and the gateway's patience."""

from typing import Final

import numpy as np

from apisim.arrays.fifo import NOBODY
from apisim.arrays.jit import constant, gate, part
from apisim.backends.function_log import invocation_log_bytes
from apisim.backends.http import FULL as ENDPOINT_IS_FULL
from apisim.backends.http import QUEUED, arrive, depart
from apisim.backends.lambda_ import COLD, PROVISIONED, THROTTLED, billed_ms, invoke, release
from apisim.draws.purposes import Purpose
from apisim.engine.backend_tables import BACKEND_FUNCTION
from apisim.engine.compiled.bodies import is_answer_too_large, is_request_too_large
from apisim.engine.compiled.calendar import RANK_DEADLINE, RANK_END_OF_WORK, at_once, schedule_slot
from apisim.engine.compiled.event_slots import accept_event
from apisim.engine.compiled.functions import is_malformed, pick_version
from apisim.engine.compiled.sampling import draw_int, happens
from apisim.engine.compiled.stages import (
    CALL_INTEGRATION,
    RESULT_OK,
    STAGE_DEADLINE,
    STAGE_SEND_BACK,
    STAGE_SERVE,
    STAGE_WAIT,
    STAGE_WORK_END,
)
from apisim.engine.executions import record_execution, record_log
from apisim.engine.recorder import note_end
from apisim.engine.world import World
from apisim.gateway.limits import UNLIMITED
from apisim.gateway.status import Answer

__all__ = ["end_work", "guard", "reach_backend", "serve", "work_until"]

_SERVICE: Final = (constant(Purpose.AUTH_SERVICE), constant(Purpose.SERVICE))
_SETUP: Final = (constant(Purpose.AUTH_SETUP), constant(Purpose.SETUP))
_INIT: Final = (constant(Purpose.AUTH_INIT), constant(Purpose.INIT))
_ERROR: Final = (constant(Purpose.AUTH_ERROR), constant(Purpose.ERROR))
_ENDPOINT_SERVICE: Final = constant(Purpose.SERVICE)
_ENDPOINT_FAILS: Final = constant(Purpose.ERROR)
_NOTHING: Final = constant(0)
_FUNCTION_ERROR: Final = constant(Answer.FUNCTION_ERROR)
_FUNCTION_MALFORMED: Final = constant(Answer.FUNCTION_MALFORMED)
_FUNCTION_THROTTLED: Final = constant(Answer.FUNCTION_THROTTLED)
_REQUEST_TOO_LARGE: Final = constant(Answer.FUNCTION_REQUEST_TOO_LARGE)
_ANSWER_TOO_LARGE: Final = constant(Answer.FUNCTION_ANSWER_TOO_LARGE)
_EVENT_ACCEPTED: Final = constant(Answer.EVENT_ACCEPTED)
_UNLIMITED: Final = constant(UNLIMITED)
_ENDPOINT_ERROR: Final = constant(Answer.ENDPOINT_ERROR)
_ENDPOINT_FULL: Final = constant(Answer.ENDPOINT_FULL)


@part
def guard(world: World, at: int) -> None:
    """Have the gateway wake up at the deadline of the call under way."""
    slot = world.calendar.slots[at]
    if slot["guarded"] == 0:
        slot["guarded"] = 1
        schedule_slot(world.calendar, slot["deadline_ns"], RANK_DEADLINE, STAGE_DEADLINE, at)


@part
def reach_backend(world: World, at: int, now_ns: int, rare: int | None) -> int:
    """The call arrives at a function or endpoint; the next stage."""
    tables, calendar, _, state, _ = world
    slot = calendar.slots[at]
    index = slot["index"]
    if slot["backend"] == BACKEND_FUNCTION:
        if (
            rare is not None
            and slot["call"] == CALL_INTEGRATION
            and tables.routes[slot["route"]]["max_request"] < _UNLIMITED
            and is_request_too_large(world, at)
        ):
            slot["result"] = _REQUEST_TOO_LARGE
            return STAGE_SEND_BACK
        if (
            rare is not None
            and slot["call"] == CALL_INTEGRATION
            and tables.routes[slot["route"]]["event"] == 1
        ):
            accept_event(world, at, now_ns)
            slot["result"] = _EVENT_ACCEPTED
            return STAGE_SEND_BACK
        if rare is not None and tables.functions[index]["other"] >= 0:
            index = pick_version(world, at)
        started = invoke(
            state.pools, state.groups, state.idle, state.idle_since, index, now_ns, False
        )
        if started == THROTTLED:
            slot["result"] = _FUNCTION_THROTTLED
            return STAGE_SEND_BACK
        function = tables.functions[index]
        call = slot["call"]
        busy_ns = draw_int(world, slot, function["duration"], _SERVICE[call])
        slot["result"] = RESULT_OK
        if happens(world, slot, function["errors"], _ERROR[call]):
            slot["result"] = _FUNCTION_ERROR
            state.pools[index]["errors"] += 1
        elif rare is not None and function["malformed"] > 0.0 and is_malformed(world, at):
            slot["result"] = _FUNCTION_MALFORMED
        is_cut = busy_ns > function["timeout_ns"]
        if is_cut:
            busy_ns = function["timeout_ns"]
            slot["result"] = _FUNCTION_ERROR
            state.pools[index]["timeouts"] += 1
        elif (
            rare is not None
            and call == CALL_INTEGRATION
            and slot["result"] == RESULT_OK
            and tables.routes[slot["route"]]["max_answer"] < _UNLIMITED
            and is_answer_too_large(world, at)
        ):
            slot["result"] = _ANSWER_TOO_LARGE
            state.pools[index]["errors"] += 1
        slot["environment"] = started
        unbilled_ns = start_ns = _NOTHING
        if started == COLD:
            # What comes before the INIT phase is nobody's bill.
            unbilled_ns = draw_int(world, slot, tables.rules[0]["environment_setup"], _SETUP[call])
            init_ns = draw_int(world, slot, function["init"], _INIT[call])
            start_ns = unbilled_ns + init_ns
            if function["init_unbilled"] == 1:
                unbilled_ns += init_ns
            if call == CALL_INTEGRATION:
                slot["cold"] = 1
        slot["work_start_ns"] = now_ns + unbilled_ns
        if rare is not None and function["n_calls"] > 0:
            behind = calendar.patience[at]
            behind["calls"] = function["n_calls"] if is_cut else _NOTHING
            behind["cut_ns"] = now_ns + start_ns + function["timeout_ns"]
        return work_until(world, at, now_ns, now_ns + start_ns + busy_ns)
    arrived = arrive(state.endpoints, state.following, index, at, now_ns)
    if arrived == ENDPOINT_IS_FULL:
        slot["result"] = _ENDPOINT_FULL
        return STAGE_SEND_BACK
    if arrived == QUEUED:
        guard(world, at)
        return STAGE_WAIT
    return STAGE_SERVE


@part
def serve(world: World, at: int, now_ns: int) -> int:
    """A server of an endpoint takes the call; the next stage."""
    slot = world.calendar.slots[at]
    endpoint = world.tables.endpoints[slot["index"]]
    slot["result"] = RESULT_OK
    if happens(world, slot, endpoint["errors"], _ENDPOINT_FAILS):
        slot["result"] = _ENDPOINT_ERROR
        world.state.endpoints[slot["index"]]["errors"] += 1
    service_ns = draw_int(world, slot, endpoint["service_time"], _ENDPOINT_SERVICE)
    return work_until(world, at, now_ns, now_ns + service_ns)


@part
def work_until(world: World, at: int, now_ns: int, end_ns: int) -> int:
    """The backend will be done at ``end_ns``; the next stage."""
    slot = world.calendar.slots[at]
    if end_ns == now_ns:
        return STAGE_WORK_END
    schedule_slot(world.calendar, end_ns, RANK_END_OF_WORK, STAGE_WORK_END, at)
    # Only a call whose answer will be late needs somebody to watch the clock.
    if slot["waiting"] == 1 and end_ns + slot["transport_back_ns"] > slot["deadline_ns"]:
        guard(world, at)
    return STAGE_WAIT


@gate
def keep_log(world: World, slot: np.void, now_ns: int, is_warm_up: int) -> None:
    """A function is done, and what it says of that is logged."""
    index = slot["index"]
    function = world.tables.functions[index]
    log_bytes = invocation_log_bytes(
        function["log_warm"],
        function["log_cold"],
        now_ns - slot["work_start_ns"],
        slot["environment"] == COLD,
    )
    record_log(world.recorder.executions, slot["phase"], index, is_warm_up, log_bytes)


@part
def end_work(world: World, slot: np.void, now_ns: int, rare: int | None) -> None:
    """The backend is done: what it used is free for the next."""
    tables, calendar, _, state, recorder = world
    index = slot["index"]
    note_end(recorder.total, now_ns)
    if slot["backend"] == BACKEND_FUNCTION:
        started = slot["environment"]
        release(state.pools, state.groups, state.idle, state.idle_since, index, started, now_ns)
        is_warm_up = 1 if slot["arrival_ns"] < recorder.total[0]["warm_up_ns"] else 0
        record_execution(
            recorder.executions,
            slot["phase"],
            index,
            is_warm_up,
            billed_ms(now_ns - slot["work_start_ns"]),
            started == PROVISIONED,
        )
        if rare is not None and tables.functions[index]["log_warm"] > 0:
            keep_log(world, slot, now_ns, is_warm_up)
    else:
        following = depart(state.endpoints, state.following, index, now_ns)
        if following != NOBODY:
            at_once(calendar, STAGE_SERVE, following)
