"""A request's way through API Gateway in the compiled engine.

The same way as ``engine/simpy_model/gateway.py``, cut at its waits: :func:`advance` carries one
request from stage to stage until it has to wait, and puts the stage after the wait into the
calendar. Read the golden model first; here only the control flow is written again.
"""

from typing import Final

import numpy as np

from apisim.arrays.fifo import NOBODY
from apisim.arrays.jit import part
from apisim.backends.http import FULL as ENDPOINT_IS_FULL
from apisim.backends.http import QUEUED, arrive, depart
from apisim.backends.lambda_ import COLD, THROTTLED, billed_ms, invoke, release
from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.draws.sampling import sample_int
from apisim.engine.calls import (
    DRAWS_PER_ATTEMPT,
    compose_key,
    is_denied,
    keyed_size,
    lacks_identity,
)
from apisim.engine.compiled.calendar import (
    RANK_ANSWER,
    RANK_ARRIVAL,
    RANK_DEADLINE,
    RANK_END_OF_WORK,
    at_once,
    free_slot,
    major_word,
    minor_word,
    schedule,
    schedule_slot,
)
from apisim.engine.recorder import CACHE_HIT, CACHE_MISS, record, record_execution
from apisim.engine.tables import BACKEND_FUNCTION, BACKEND_MOCK
from apisim.engine.world import World
from apisim.gateway.authorizer import ALLOW, DENY, cached_decision, keep_decision
from apisim.gateway.metering import metered_units
from apisim.gateway.response_cache import cache_lookup, cache_store
from apisim.gateway.status import Answer
from apisim.gateway.throttle import NO_BUCKET, admit

__all__ = ["STAGE_DEADLINE", "STAGE_DOOR", "STAGE_SOURCE", "STAGE_USER", "advance"]

# Constants are numpy integers: numba compiles a function anew for each plain integer it is given.

# Stages of a request. Those that stand in the calendar come with the rank they wait under.
STAGE_SOURCE: Final = np.int64(
    0
)  # an open source or a trace calls (rank 5); not a stage of a request
STAGE_USER: Final = np.int64(1)  # a closed user calls (rank 5); likewise
STAGE_DEADLINE: Final = np.int64(2)  # the gateway has waited long enough (rank 4)
STAGE_DOOR: Final = np.int64(3)  # the request reaches the gateway (rank 5)
STAGE_AUTHORIZER: Final = np.int64(4)
STAGE_THROTTLE: Final = np.int64(5)
STAGE_CACHE: Final = np.int64(6)  # after the gateway's overhead (rank 5)
STAGE_INTEGRATION: Final = np.int64(7)
STAGE_CALL: Final = np.int64(8)  # the gateway calls a backend
STAGE_WORK: Final = np.int64(9)  # the call reaches the backend (rank 5)
STAGE_SERVE: Final = np.int64(10)  # a server takes it
STAGE_WORK_END: Final = np.int64(11)  # the backend is done (rank 2)
STAGE_SEND_BACK: Final = np.int64(12)
STAGE_ANSWER: Final = np.int64(13)  # the answer reaches the gateway (rank 3)
STAGE_POLICY: Final = np.int64(14)  # ... of the authorizer's function
STAGE_RESPONSE: Final = np.int64(15)  # ... of the integration
STAGE_REFUSE: Final = np.int64(16)
STAGE_DONE: Final = np.int64(17)
STAGE_WAIT: Final = np.int64(18)  # nothing more to do now

CALL_AUTHORIZER: Final = np.int64(0)
CALL_INTEGRATION: Final = np.int64(1)

RESULT_OK: Final = np.int64(0)

_SERVICE: Final = (np.int64(Purpose.AUTH_SERVICE), np.int64(Purpose.SERVICE))
_INIT: Final = (np.int64(Purpose.AUTH_INIT), np.int64(Purpose.INIT))
_ERROR: Final = (np.int64(Purpose.AUTH_ERROR), np.int64(Purpose.ERROR))
_TRANSPORT: Final = (np.int64(Purpose.AUTH_TRANSPORT), np.int64(Purpose.TRANSPORT))
_OVERHEAD: Final = np.int64(Purpose.OVERHEAD)
_HIT_TIME: Final = np.int64(Purpose.HIT_TIME)
_REFUSAL_TIME: Final = np.int64(Purpose.REFUSAL_TIME)
_REQUEST_SIZE: Final = np.int64(Purpose.REQUEST_SIZE)
_RESPONSE_SIZE: Final = np.int64(Purpose.RESPONSE_SIZE)
_THINK: Final = np.int64(Purpose.THINK)

_SERVED: Final = np.int64(Answer.SERVED)
_HIT: Final = np.int64(Answer.CACHE_HIT)
_FIRST_LEVEL: Final = np.int64(Answer.THROTTLED_METHOD)
_NO_IDENTITY: Final = np.int64(Answer.NO_IDENTITY)
_DENIED: Final = np.int64(Answer.DENIED)
_AUTHORIZER_FAILED: Final = np.int64(Answer.AUTHORIZER_FAILED)
_NO_ROUTE: Final = np.int64(Answer.NO_ROUTE)
_TIMEOUT: Final = np.int64(Answer.TIMEOUT)
_FUNCTION_ERROR: Final = np.int64(Answer.FUNCTION_ERROR)
_FUNCTION_THROTTLED: Final = np.int64(Answer.FUNCTION_THROTTLED)
_ENDPOINT_ERROR: Final = np.int64(Answer.ENDPOINT_ERROR)
_ENDPOINT_FULL: Final = np.int64(Answer.ENDPOINT_FULL)


@part
def draw_int(world: World, slot: np.void, dist: int, purpose: int) -> int:
    """A time or size of this attempt."""
    tables = world.tables
    return sample_int(  # type: ignore[no-any-return]
        tables.dists,
        tables.dist_values,
        dist,
        tables.draw_keys[slot["source"], purpose],
        slot["entity"],
        slot["attempt"] * DRAWS_PER_ATTEMPT,
    )


@part
def happens(world: World, slot: np.void, share: float, purpose: int) -> bool:
    """Whether something that befalls a share of attempts befalls this one."""
    if share <= 0.0:
        return False
    key = world.tables.draw_keys[slot["source"], purpose]
    return uniform(key, slot["entity"], slot["attempt"] * DRAWS_PER_ATTEMPT) < share  # type: ignore[no-any-return]


@part
def guard(world: World, at: int) -> None:
    """Have the gateway wake up at the deadline of the call under way."""
    slot = world.calendar.slots[at]
    if slot["guarded"] == 0:
        slot["guarded"] = 1
        schedule_slot(world.calendar, slot["deadline_ns"], RANK_DEADLINE, STAGE_DEADLINE, at)


@part
def advance(world: World, at: int, stage: int, now_ns: int) -> None:
    """Carry the request in slot ``at`` on from ``stage`` until it waits or is gone."""
    tables, calendar, store, state, recorder = world
    slot = calendar.slots[at]
    answered_ns = now_ns  # when the gateway has the answer that STAGE_DONE sends back
    while stage != STAGE_WAIT:
        if stage == STAGE_DOOR:
            slot["door_ns"] = now_ns
            if slot["route"] < 0:
                slot["answer"] = _NO_ROUTE
                stage = STAGE_REFUSE
            elif tables.routes[slot["route"]]["authorizer"] >= 0:
                stage = STAGE_AUTHORIZER
            else:
                stage = STAGE_THROTTLE
        elif stage == STAGE_AUTHORIZER:
            stage = _authorize(world, slot, now_ns)
        elif stage == STAGE_THROTTLE:
            refused_by = admit(state.buckets, tables.route_levels[slot["route"]], now_ns)
            if refused_by != NO_BUCKET:
                slot["answer"] = _FIRST_LEVEL + state.buckets[refused_by]["kind"]
                stage = STAGE_REFUSE
            else:
                overhead_ns = draw_int(world, slot, tables.apis[slot["api"]]["overhead"], _OVERHEAD)
                stage = STAGE_CACHE
                if overhead_ns > 0:
                    schedule_slot(calendar, now_ns + overhead_ns, RANK_ARRIVAL, STAGE_CACHE, at)
                    stage = STAGE_WAIT
        elif stage == STAGE_CACHE:
            stage = STAGE_INTEGRATION
            binding = tables.bindings[slot["binding"]]
            if binding["cache_line"] >= 0:
                slot["cache_key"] = _cache_key(world, slot, binding)
                found = cache_lookup(store, slot["cache_key"], now_ns)
                slot["cache"] = CACHE_MISS
                if found >= 0:
                    slot["cache"] = CACHE_HIT
                    slot["answer"] = _HIT
                    slot["response_bytes"] = found
                    hit_ns = draw_int(world, slot, tables.rules[0]["hit_time"], _HIT_TIME)
                    answered_ns = now_ns + hit_ns
                    stage = STAGE_DONE
        elif stage == STAGE_INTEGRATION:
            route = tables.routes[slot["route"]]
            slot["call"] = CALL_INTEGRATION
            slot["backend"] = route["backend"]
            slot["index"] = route["index"]
            slot["call_start_ns"] = now_ns
            slot["deadline_ns"] = now_ns + route["timeout_ns"]
            if route["backend"] == BACKEND_MOCK:
                slot["result"] = RESULT_OK
                stage = STAGE_RESPONSE
            else:
                slot["transport_back_ns"] = draw_int(
                    world, slot, route["transport"], _TRANSPORT[CALL_INTEGRATION]
                )
                stage = STAGE_CALL
        elif stage == STAGE_CALL:
            slot["waiting"] = 1
            slot["working"] = 1
            slot["guarded"] = 0
            there_ns = slot["transport_back_ns"] // 2
            slot["transport_back_ns"] -= there_ns
            stage = STAGE_WORK
            if there_ns > 0:
                schedule_slot(calendar, now_ns + there_ns, RANK_ARRIVAL, STAGE_WORK, at)
                if now_ns + there_ns >= slot["deadline_ns"]:
                    guard(world, at)
                stage = STAGE_WAIT
        elif stage == STAGE_WORK:
            stage = _reach_backend(world, at, now_ns)
        elif stage == STAGE_SERVE:
            stage = _serve(world, at, now_ns)
        elif stage == STAGE_WORK_END:
            _end_work(world, slot, now_ns)
            stage = STAGE_SEND_BACK
        elif stage == STAGE_SEND_BACK:
            back_ns = now_ns + slot["transport_back_ns"]
            if slot["waiting"] == 0:
                free_slot(calendar, at)
                stage = STAGE_WAIT
            elif back_ns > slot["deadline_ns"]:
                guard(world, at)
                slot["working"] = 0
                stage = STAGE_WAIT
            elif slot["transport_back_ns"] > 0:
                schedule_slot(calendar, back_ns, RANK_ANSWER, STAGE_ANSWER, at)
                stage = STAGE_WAIT
            elif calendar.clock[0]["steps"] > 0:
                at_once(calendar, STAGE_ANSWER, at)
                stage = STAGE_WAIT
            else:
                stage = STAGE_ANSWER
        elif stage == STAGE_ANSWER:
            slot["waiting"] = 0
            slot["working"] = 0
            stage = STAGE_RESPONSE if slot["call"] == CALL_INTEGRATION else STAGE_POLICY
        elif stage == STAGE_POLICY:
            stage = _apply_policy(world, slot, now_ns)
        elif stage == STAGE_RESPONSE:
            slot["integration_ns"] = now_ns - slot["call_start_ns"]
            _respond(world, slot, now_ns)
            answered_ns = now_ns
            stage = STAGE_DONE
        elif stage == STAGE_DEADLINE:
            stage = _give_up_waiting(slot, now_ns)
        elif stage == STAGE_REFUSE:
            answered_ns = now_ns + draw_int(
                world, slot, tables.rules[0]["refusal_time"], _REFUSAL_TIME
            )
            stage = STAGE_DONE
        else:
            _finish(world, slot, answered_ns)
            if slot["working"] == 0:
                free_slot(calendar, at)
            stage = STAGE_WAIT


@part
def _give_up_waiting(slot: np.void, now_ns: int) -> int:
    """The deadline of a call has come; if its answer has not, the caller is answered now."""
    if slot["waiting"] == 0:
        return STAGE_WAIT
    slot["waiting"] = 0
    if slot["call"] == CALL_AUTHORIZER:
        slot["authorizer_ns"] = now_ns - slot["call_start_ns"]
        slot["answer"] = _AUTHORIZER_FAILED
        return STAGE_REFUSE
    slot["integration_ns"] = now_ns - slot["call_start_ns"]
    slot["answer"] = _TIMEOUT
    return STAGE_DONE


@part
def _authorize(world: World, slot: np.void, now_ns: int) -> int:
    tables, _, store, _, _ = world
    binding = tables.bindings[slot["binding"]]
    authorizer = tables.authorizers[tables.routes[slot["route"]]["authorizer"]]
    identity_hash = np.uint64(0)
    client_hash = np.uint64(0)
    if slot["target"] >= 0:
        identity_hash = tables.targets[slot["target"]]["identity_hash"]
        client_hash = tables.client_hashes[slot["client"]]
    if lacks_identity(binding["identity_missing"], client_hash):
        slot["answer"] = _NO_IDENTITY
        return STAGE_REFUSE
    slot["identity"] = compose_key(
        tables.parts,
        binding["identity_part"],
        binding["identity_parts"],
        binding["identity_salt"],
        tables.popularities,
        tables.popularity_cells,
        slot["entity"],
        identity_hash,
        client_hash,
    )
    if authorizer["line"] >= 0:
        decision = cached_decision(store, slot["identity"], now_ns)
        if decision == ALLOW:
            return STAGE_THROTTLE
        if decision == DENY:
            slot["answer"] = _DENIED
            return STAGE_REFUSE
    slot["call"] = CALL_AUTHORIZER
    slot["backend"] = BACKEND_FUNCTION
    slot["index"] = authorizer["function"]
    slot["call_start_ns"] = now_ns
    slot["deadline_ns"] = now_ns + authorizer["timeout_ns"]
    slot["transport_back_ns"] = draw_int(
        world, slot, authorizer["transport"], _TRANSPORT[CALL_AUTHORIZER]
    )
    return STAGE_CALL


@part
def _apply_policy(world: World, slot: np.void, now_ns: int) -> int:
    tables, _, store, _, _ = world
    slot["authorizer_ns"] = now_ns - slot["call_start_ns"]
    if slot["result"] != RESULT_OK:
        slot["answer"] = _AUTHORIZER_FAILED
        return STAGE_REFUSE
    authorizer = tables.authorizers[tables.routes[slot["route"]]["authorizer"]]
    denied = is_denied(authorizer["deny"], authorizer["deny_key"], slot["identity"])
    if authorizer["line"] >= 0:
        decision = DENY if denied else ALLOW
        keep_decision(store, authorizer["line"], slot["identity"], decision, now_ns)
    if denied:
        slot["answer"] = _DENIED
        return STAGE_REFUSE
    return STAGE_THROTTLE


@part
def _cache_key(world: World, slot: np.void, binding: np.void) -> np.uint64:
    tables = world.tables
    target_hash = np.uint64(0)
    client_hash = np.uint64(0)
    if slot["target"] >= 0:
        target_hash = tables.targets[slot["target"]]["cache_hash"]
        client_hash = tables.client_hashes[slot["client"]]
    return compose_key(  # type: ignore[no-any-return]
        tables.parts,
        binding["cache_part"],
        binding["cache_parts"],
        binding["cache_salt"],
        tables.popularities,
        tables.popularity_cells,
        slot["entity"],
        target_hash,
        client_hash,
    )


@part
def _reach_backend(world: World, at: int, now_ns: int) -> int:
    tables, calendar, _, state, _ = world
    slot = calendar.slots[at]
    index = slot["index"]
    if slot["backend"] == BACKEND_FUNCTION:
        started = invoke(state.pools, state.groups, state.idle, state.idle_since, index, now_ns)
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
        if busy_ns > function["timeout_ns"]:
            busy_ns = function["timeout_ns"]
            slot["result"] = _FUNCTION_ERROR
        if started == COLD:
            busy_ns += draw_int(world, slot, function["init"], _INIT[call])
            if call == CALL_INTEGRATION:
                slot["cold"] = 1
        return _work_until(world, at, now_ns, now_ns + busy_ns)
    arrived = arrive(state.endpoints, state.following, index, at, now_ns)
    if arrived == ENDPOINT_IS_FULL:
        slot["result"] = _ENDPOINT_FULL
        return STAGE_SEND_BACK
    if arrived == QUEUED:
        guard(world, at)
        return STAGE_WAIT
    return STAGE_SERVE


@part
def _serve(world: World, at: int, now_ns: int) -> int:
    slot = world.calendar.slots[at]
    endpoint = world.tables.endpoints[slot["index"]]
    slot["result"] = RESULT_OK
    if happens(world, slot, endpoint["errors"], _ERROR[CALL_INTEGRATION]):
        slot["result"] = _ENDPOINT_ERROR
        world.state.endpoints[slot["index"]]["errors"] += 1
    service_ns = draw_int(world, slot, endpoint["service_time"], _SERVICE[CALL_INTEGRATION])
    return _work_until(world, at, now_ns, now_ns + service_ns)


@part
def _work_until(world: World, at: int, now_ns: int, end_ns: int) -> int:
    slot = world.calendar.slots[at]
    slot["work_start_ns"] = now_ns
    if end_ns == now_ns:
        return STAGE_WORK_END
    schedule_slot(world.calendar, end_ns, RANK_END_OF_WORK, STAGE_WORK_END, at)
    # Only a call whose answer will be late needs somebody to watch the clock.
    if slot["waiting"] == 1 and end_ns + slot["transport_back_ns"] > slot["deadline_ns"]:
        guard(world, at)
    return STAGE_WAIT


@part
def _end_work(world: World, slot: np.void, now_ns: int) -> None:
    _, calendar, _, state, recorder = world
    index = slot["index"]
    if slot["backend"] == BACKEND_FUNCTION:
        release(state.pools, state.groups, state.idle, state.idle_since, index, now_ns)
        is_warm_up = 1 if slot["arrival_ns"] < recorder.total[0]["warm_up_ns"] else 0
        record_execution(
            recorder.executions,
            slot["phase"],
            index,
            is_warm_up,
            billed_ms(now_ns - slot["work_start_ns"]),
        )
    else:
        following = depart(state.endpoints, state.following, index, now_ns)
        if following != NOBODY:
            at_once(calendar, STAGE_SERVE, following)


@part
def _respond(world: World, slot: np.void, now_ns: int) -> None:
    """The integration has answered: keep the answer if it may be kept."""
    tables, _, store, _, _ = world
    if slot["result"] != RESULT_OK:
        slot["answer"] = slot["result"]
        return
    slot["answer"] = _SERVED
    route = tables.routes[slot["route"]]
    binding = tables.bindings[slot["binding"]]
    line = binding["cache_line"]
    if slot["trace_bytes"] >= 0:
        slot["response_bytes"] = slot["trace_bytes"]
    elif line >= 0:
        slot["response_bytes"] = keyed_size(
            tables.dists,
            tables.dist_values,
            route["response_size"],
            route["sizes_key"],
            slot["cache_key"],
        )
    else:
        slot["response_bytes"] = draw_int(world, slot, route["response_size"], _RESPONSE_SIZE)
    if line >= 0:
        rules = tables.rules[0]
        cache_store(
            store,
            line,
            slot["cache_key"],
            slot["response_bytes"],
            rules["cache_max_object"],
            rules["cache_entry_overhead"],
            now_ns,
        )


@part
def _finish(world: World, slot: np.void, answered_ns: int) -> None:
    """The answer leaves the gateway at ``answered_ns``: write the request down."""
    tables, calendar, _, state, recorder = world
    api = tables.apis[slot["api"]]
    answer = slot["answer"]
    slot["gateway_ns"] = answered_ns - slot["door_ns"]
    slot["latency_ns"] = answered_ns + slot["back_ns"] - slot["arrival_ns"]
    slot["status"] = tables.status[api["type"], answer]
    if answer > _HIT:
        slot["response_bytes"] = tables.body[api["type"], answer]
    if slot["route"] >= 0:
        size = tables.routes[slot["route"]]["request_size"]
        slot["request_bytes"] = draw_int(world, slot, size, _REQUEST_SIZE)
    slot["units"] = metered_units(
        tables.charged[slot["api"]],
        answer,
        api["increment_bytes"],
        api["basis"],
        slot["request_bytes"],
        slot["response_bytes"],
    )
    record(recorder, slot, tables.cell_hashes)
    calendar.clock[0]["in_flight"] -= 1
    if slot["job"] >= 0:
        _think(world, slot, answered_ns + slot["back_ns"])


@part
def _think(world: World, slot: np.void, answered_ns: int) -> None:
    """A closed user has its answer: it thinks, then calls again if it is still active."""
    tables, calendar, _, state, _ = world
    job = tables.jobs[slot["job"]]
    think_ns = draw_int(world, slot, tables.think[slot["phase"]], _THINK)
    next_ns = answered_ns + think_ns
    if next_ns < job["end_ns"]:
        user = tables.sources[slot["source"]]["first_user"] + slot["user"]
        schedule(
            calendar,
            next_ns,
            major_word(RANK_ARRIVAL, slot["source"], slot["user"]),
            minor_word(state.user_ordinals[user], 0),
            STAGE_USER,
            slot["job"],
            0,
        )
