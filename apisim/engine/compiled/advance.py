"""A request's way through API Gateway in the compiled engine.

The same way as ``engine/simpy_model/gateway.py``, cut at its waits: :func:`advance` carries one
request from stage to stage until it has to wait, and puts the stage after the wait into the
calendar. Read the golden model first; here only the control flow is written again.
"""

from typing import Final

from apisim.arrays.jit import constant, part
from apisim.draws.purposes import Purpose
from apisim.engine.backend_tables import BACKEND_LINK, BACKEND_MOCK, BACKEND_SERVICE
from apisim.engine.compiled.bodies import ends_later, map_request, map_response
from apisim.engine.compiled.caching import ask_cache
from apisim.engine.compiled.calendar import (
    RANK_ANSWER,
    RANK_ARRIVAL,
    at_once,
    free_slot,
    schedule_slot,
)
from apisim.engine.compiled.clients import answer_client, leave_behind
from apisim.engine.compiled.events import end_event
from apisim.engine.compiled.finish import finish
from apisim.engine.compiled.gates import (
    apply_policy,
    authorize,
    cache_key_of,
    give_up_waiting,
    respond,
)
from apisim.engine.compiled.keys import admit_fully
from apisim.engine.compiled.link import go_through_link
from apisim.engine.compiled.nested import NOT_NESTED, calls_behind, serve_nested
from apisim.engine.compiled.preflights import await_permission
from apisim.engine.compiled.rare import pass_gates
from apisim.engine.compiled.sampling import draw_int
from apisim.engine.compiled.service import reach_service
from apisim.engine.compiled.settle import end_call
from apisim.engine.compiled.stages import (
    CALL_EVENT,
    CALL_INTEGRATION,
    RESULT_OK,
    STAGE_ANSWER,
    STAGE_AUTHORIZER,
    STAGE_CACHE,
    STAGE_CALL,
    STAGE_DEADLINE,
    STAGE_DELIVER,
    STAGE_DONE,
    STAGE_DOOR,
    STAGE_GO_ON,
    STAGE_HIT,
    STAGE_INTEGRATION,
    STAGE_MAPPED,
    STAGE_NO_ROUTE,
    STAGE_POLICY,
    STAGE_REFUSE,
    STAGE_RESPOND,
    STAGE_RESPONSE,
    STAGE_SEND_BACK,
    STAGE_SERVE,
    STAGE_THROTTLE,
    STAGE_VALIDATE,
    STAGE_WAIT,
    STAGE_WORK,
    STAGE_WORK_END,
)
from apisim.engine.compiled.work import end_work, guard, reach_backend, serve
from apisim.engine.recorder import CACHE_HIT, CACHE_MISS, note_end
from apisim.engine.tables import (
    GATE_FULL_THROTTLE,
    GATE_POST,
    GATE_VALIDATE,
    GATES_OF_SESSIONS,
)
from apisim.engine.world import World
from apisim.gateway.response_cache import cache_lookup
from apisim.gateway.status import Answer, level_answer
from apisim.gateway.throttle import NO_BUCKET, admit
from apisim.gateway.usage_plan import note_throttled

__all__ = ["advance"]

_TRANSPORT: Final = constant(Purpose.TRANSPORT)
_OVERHEAD: Final = constant(Purpose.OVERHEAD)
_HIT_TIME: Final = constant(Purpose.HIT_TIME)
_REFUSAL_TIME: Final = constant(Purpose.REFUSAL_TIME)
_WHOLE: Final = constant(0)
_ALL_OR_NONE: Final = constant(0)
_HIT: Final = constant(Answer.CACHE_HIT)
_SERVED: Final = constant(Answer.SERVED)
_QUOTA: Final = constant(Answer.QUOTA_EXCEEDED)
_NO_ROUTE: Final = constant(Answer.NO_ROUTE)
_PREFLIGHT: Final = constant(Answer.PREFLIGHT)


@part
def advance(world: World, at: int, stage: int, now_ns: int, rare: int | None) -> None:
    """Carry the request in slot ``at`` on from ``stage`` until it waits or is gone."""
    tables, calendar, store, state, recorder = world
    slot = calendar.slots[at]
    answered_ns = now_ns  # when the gateway has the answer that STAGE_DONE sends back
    while stage != STAGE_WAIT:
        if stage == STAGE_DOOR:
            slot["door_ns"] = now_ns
            # Where a request's first gate is stands in its binding.
            stage = tables.bindings[slot["binding"]]["first_gate"]
        elif stage == STAGE_AUTHORIZER:
            stage = authorize(world, slot, now_ns, rare)
        elif stage == STAGE_THROTTLE:
            gates = tables.bindings[slot["binding"]]["gates"]
            refusal = _SERVED
            if rare is not None and gates & GATE_FULL_THROTTLE:
                refusal = admit_fully(world, at, now_ns)
            else:
                levels = tables.route_levels[slot["route"]]
                refused_by = admit(state.buckets, levels, now_ns, _WHOLE, _ALL_OR_NONE)
                if refused_by != NO_BUCKET:
                    refusal = level_answer(state.buckets[refused_by]["kind"])
            if refusal != _SERVED:
                slot["answer"] = refusal
                stage = STAGE_REFUSE
                if rare is not None and slot["customer"] >= 0 and refusal != _QUOTA:
                    note_throttled(state.customers[slot["customer"]], now_ns)
            else:
                overhead_ns = draw_int(world, slot, tables.apis[slot["api"]]["overhead"], _OVERHEAD)
                stage = STAGE_CACHE
                if rare is not None and gates & GATE_VALIDATE:
                    stage = STAGE_VALIDATE
                elif rare is not None and gates & GATE_POST:
                    stage = STAGE_DELIVER
                if overhead_ns > 0:
                    schedule_slot(calendar, now_ns + overhead_ns, RANK_ARRIVAL, stage, at)
                    stage = STAGE_WAIT
        elif stage == STAGE_CACHE:
            stage = STAGE_INTEGRATION
            binding = tables.bindings[slot["binding"]]
            if binding["cache_line"] >= 0:
                slot["cache_key"] = cache_key_of(world, slot, binding)
                if rare is not None and binding["caching"] >= 0:
                    stage = ask_cache(world, at, now_ns)
                else:
                    found = cache_lookup(store, slot["cache_key"], now_ns)
                    slot["cache"] = CACHE_MISS
                    if found >= 0:
                        slot["cache"] = CACHE_HIT
                        slot["answer"] = _HIT
                        slot["response_bytes"] = found
                        stage = STAGE_HIT
        elif stage == STAGE_HIT:
            hit_ns = draw_int(world, slot, tables.rules[0]["hit_time"], _HIT_TIME)
            answered_ns = now_ns + hit_ns
            stage = STAGE_DONE
        elif stage == STAGE_INTEGRATION or (rare is not None and stage == STAGE_MAPPED):
            route = tables.routes[slot["route"]]
            if rare is not None and stage == STAGE_INTEGRATION and route["request_time"] >= 0:
                stage = map_request(world, at, now_ns)
            else:
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
                        world, slot, route["transport"], _TRANSPORT
                    )
                    stage = STAGE_CALL
                    if rare is not None and route["backend"] == BACKEND_LINK:
                        go_through_link(world, at, now_ns)
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
            if rare is not None and slot["backend"] == BACKEND_SERVICE:
                stage = reach_service(world, at, now_ns)
            elif rare is not None and slot["backend"] == BACKEND_LINK:
                stage = STAGE_SEND_BACK  # nobody there
            else:
                stage = reach_backend(world, at, now_ns, rare)
        elif stage == STAGE_SERVE:
            if rare is not None and calendar.patience[at]["nested"] != NOT_NESTED:
                stage = serve_nested(world, at, now_ns)
            else:
                stage = serve(world, at, now_ns)
        elif stage == STAGE_WORK_END:
            if rare is not None and calls_behind(world, slot):
                stage = STAGE_GO_ON
            elif rare is not None and slot["backend"] == BACKEND_SERVICE:
                note_end(recorder.total, now_ns)
                stage = STAGE_SEND_BACK
            else:
                end_work(world, slot, now_ns, rare)
                stage = STAGE_SEND_BACK
        elif stage == STAGE_SEND_BACK:
            back_ns = now_ns + slot["transport_back_ns"]
            if rare is not None and slot["call"] == CALL_EVENT:
                stage = end_event(world, at, now_ns)
            elif slot["waiting"] == 0:
                stage = STAGE_WAIT
                if rare is not None and calendar.patience[at]["nested"] != NOT_NESTED:
                    slot["working"] = 0  # what it had called has the slot for itself
                else:
                    free_slot(calendar, at)
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
            stage = apply_policy(world, slot, now_ns, rare)
        elif stage == STAGE_RESPONSE or (rare is not None and stage == STAGE_RESPOND):
            if rare is not None and stage == STAGE_RESPOND:
                slot["waiting"] = 0
            else:
                slot["integration_ns"] = now_ns - slot["call_start_ns"]
            if (
                rare is not None
                and stage == STAGE_RESPONSE
                and ends_later(tables.routes[slot["route"]])
            ):
                stage = map_response(world, at, now_ns)
            else:
                respond(world, slot, now_ns, rare)
                answered_ns = now_ns
                stage = STAGE_DONE
        elif stage == STAGE_DEADLINE:
            stage = give_up_waiting(slot, now_ns)
        elif stage == STAGE_NO_ROUTE:
            slot["answer"] = _NO_ROUTE
            stage = STAGE_REFUSE
        elif stage == STAGE_REFUSE:
            answered_ns = now_ns + draw_int(
                world, slot, tables.rules[0]["refusal_time"], _REFUSAL_TIME
            )
            stage = STAGE_DONE
        elif rare is not None and stage > STAGE_WAIT:
            stage = pass_gates(world, at, stage, now_ns)
        else:
            finish(world, at, slot, answered_ns, rare)
            stage = STAGE_WAIT
            is_of_session = False
            if rare is not None:
                gates = tables.bindings[slot["binding"]]["gates"]
                is_of_session = gates & GATES_OF_SESSIONS != 0
            if rare is not None and slot["answer"] == _PREFLIGHT:
                at = leave_behind(world, at)
                slot = calendar.slots[at]
            if rare is not None and is_of_session:
                stage = end_call(world, at, answered_ns, now_ns)
            elif rare is not None and tables.sources[slot["source"]]["client"] >= 0:
                stage = answer_client(world, at, answered_ns, now_ns)
            elif rare is not None and slot["answer"] == _PREFLIGHT:
                stage = await_permission(world, at, answered_ns, now_ns)
            elif slot["working"] == 0 and (
                rare is None or calendar.patience[at]["nested"] == NOT_NESTED
            ):
                free_slot(calendar, at)
