"""A request's way through API Gateway in the compiled engine.

The same way as ``engine/simpy_model/gateway.py``, cut at its waits: :func:`advance` carries one
request from stage to stage until it has to wait, and puts the stage after the wait into the
calendar. Read the golden model first; here only the control flow is written again.
"""

from typing import Final

from apisim.arrays.jit import constant, part
from apisim.draws.purposes import Purpose
from apisim.engine.calls import part_of
from apisim.engine.compiled.access import get_keys, judge, pass_access
from apisim.engine.compiled.caching import ask_cache, look_up
from apisim.engine.compiled.calendar import (
    RANK_ANSWER,
    RANK_ARRIVAL,
    at_once,
    free_slot,
    schedule_slot,
)
from apisim.engine.compiled.early import pass_early_throttle
from apisim.engine.compiled.finish import finish
from apisim.engine.compiled.gates import (
    apply_policy,
    authorize,
    cache_key_of,
    give_up_waiting,
    respond,
)
from apisim.engine.compiled.keys import admit_with_key, pass_key
from apisim.engine.compiled.limits import pass_limits
from apisim.engine.compiled.mutual_tls import check_certificate, shake_hands
from apisim.engine.compiled.resource import pass_resource
from apisim.engine.compiled.sampling import draw_int
from apisim.engine.compiled.sign_in import pass_sign_in
from apisim.engine.compiled.stages import (
    CALL_INTEGRATION,
    RESULT_OK,
    STAGE_ANSWER,
    STAGE_AUTH,
    STAGE_AUTHORIZER,
    STAGE_CACHE,
    STAGE_CALL,
    STAGE_CERTIFICATE,
    STAGE_DEADLINE,
    STAGE_DONE,
    STAGE_DOOR,
    STAGE_EARLY_THROTTLE,
    STAGE_HIT,
    STAGE_INTEGRATION,
    STAGE_JUDGE,
    STAGE_KEY,
    STAGE_KEY_SET,
    STAGE_LIMITS,
    STAGE_LOOKUP,
    STAGE_PASSED,
    STAGE_POLICY,
    STAGE_REFUSE,
    STAGE_RESOURCE,
    STAGE_RESPONSE,
    STAGE_ROUTE,
    STAGE_SEND_BACK,
    STAGE_SERVE,
    STAGE_SIGN_IN,
    STAGE_THROTTLE,
    STAGE_TLS,
    STAGE_VALIDATE,
    STAGE_WAF,
    STAGE_WAF_VERDICT,
    STAGE_WAIT,
    STAGE_WORK,
    STAGE_WORK_END,
)
from apisim.engine.compiled.validate import pass_validation
from apisim.engine.compiled.waf import give_verdict, pass_waf
from apisim.engine.compiled.work import end_work, guard, reach_backend, serve
from apisim.engine.recorder import CACHE_HIT, CACHE_MISS
from apisim.engine.tables import (
    BACKEND_MOCK,
    GATE_AUTH,
    GATE_CREDENTIALS,
    GATE_EARLY_THROTTLE,
    GATE_KEY,
    GATE_LIMITS,
    GATE_RESOURCE,
    GATE_VALIDATE,
    GATE_WAF,
)
from apisim.engine.world import World
from apisim.gateway.response_cache import cache_lookup
from apisim.gateway.status import Answer
from apisim.gateway.throttle import NO_BUCKET, admit
from apisim.gateway.usage_plan import note_throttled

__all__ = ["advance"]

_TRANSPORT: Final = (constant(Purpose.AUTH_TRANSPORT), constant(Purpose.TRANSPORT))
_OVERHEAD: Final = constant(Purpose.OVERHEAD)
_HIT_TIME: Final = constant(Purpose.HIT_TIME)
_REFUSAL_TIME: Final = constant(Purpose.REFUSAL_TIME)
_LIMIT_PART: Final = constant(Purpose.LIMIT_PART)
_WHOLE: Final = constant(0)
_HIT: Final = constant(Answer.CACHE_HIT)
_FIRST_LEVEL: Final = constant(Answer.THROTTLED_METHOD)
_SERVED: Final = constant(Answer.SERVED)
_QUOTA: Final = constant(Answer.QUOTA_EXCEEDED)
_NO_ROUTE: Final = constant(Answer.NO_ROUTE)


@part
def advance(world: World, at: int, stage: int, now_ns: int) -> None:
    """Carry the request in slot ``at`` on from ``stage`` until it waits or is gone."""
    tables, calendar, store, state, _ = world
    slot = calendar.slots[at]
    answered_ns = now_ns  # when the gateway has the answer that STAGE_DONE sends back
    while stage != STAGE_WAIT:
        if stage == STAGE_DOOR:
            slot["door_ns"] = now_ns
            # Where a request's first gate is stands in its binding.
            stage = tables.bindings[slot["binding"]]["first_gate"]
        elif stage == STAGE_LIMITS:
            stage = STAGE_ROUTE
            if tables.bindings[slot["binding"]]["gates"] & GATE_LIMITS:
                passed = pass_limits(world, at, now_ns)
                if passed != STAGE_PASSED:
                    stage = passed
        elif stage == STAGE_ROUTE:
            stage = STAGE_WAF
            if slot["route"] < 0:
                slot["answer"] = _NO_ROUTE
                stage = STAGE_REFUSE
        elif stage == STAGE_WAF:
            stage = STAGE_EARLY_THROTTLE
            if tables.bindings[slot["binding"]]["gates"] & GATE_WAF:
                passed = pass_waf(world, at, now_ns)
                if passed != STAGE_PASSED:
                    stage = passed
        elif stage == STAGE_EARLY_THROTTLE:
            stage = STAGE_RESOURCE
            if tables.bindings[slot["binding"]]["gates"] & GATE_EARLY_THROTTLE:
                passed = pass_early_throttle(world, at, now_ns)
                if passed != STAGE_PASSED:
                    stage = passed
        elif stage == STAGE_RESOURCE:
            stage = STAGE_AUTH
            if tables.bindings[slot["binding"]]["gates"] & GATE_RESOURCE:
                passed = pass_resource(world, at, now_ns)
                if passed != STAGE_PASSED:
                    stage = passed
        elif stage == STAGE_AUTH:
            stage = STAGE_KEY
            if tables.bindings[slot["binding"]]["gates"] & GATE_AUTH:
                stage = STAGE_AUTHORIZER
            elif tables.bindings[slot["binding"]]["gates"] & GATE_CREDENTIALS:
                passed = pass_access(world, at, now_ns)
                if passed != STAGE_PASSED:
                    stage = passed
        elif stage == STAGE_AUTHORIZER:
            stage = authorize(world, slot, now_ns)
        elif stage == STAGE_KEY:
            stage = STAGE_THROTTLE
            if tables.bindings[slot["binding"]]["gates"] & GATE_KEY:
                passed = pass_key(world, at, now_ns)
                if passed != STAGE_PASSED:
                    stage = passed
        elif stage == STAGE_THROTTLE:
            rules = tables.rules[0]
            limit_part = _WHOLE
            if rules["limit_parts"] > 1:
                limit_part = part_of(
                    tables.draw_keys[slot["source"], _LIMIT_PART],
                    slot["entity"],
                    slot["attempt"],
                    rules["limit_parts"],
                )
            refusal = _SERVED
            if tables.bindings[slot["binding"]]["gates"] & GATE_KEY:
                refusal = admit_with_key(world, at, now_ns, limit_part)
            else:
                refused_by = admit(
                    state.buckets,
                    tables.route_levels[slot["route"]],
                    now_ns,
                    limit_part,
                    rules["charges_in_order"],
                )
                if refused_by != NO_BUCKET:
                    refusal = _FIRST_LEVEL + state.buckets[refused_by]["kind"]
            if refusal != _SERVED:
                slot["answer"] = refusal
                stage = STAGE_REFUSE
                if slot["customer"] >= 0 and refusal != _QUOTA:
                    note_throttled(state.customers[slot["customer"]], now_ns)
            else:
                overhead_ns = draw_int(world, slot, tables.apis[slot["api"]]["overhead"], _OVERHEAD)
                stage = STAGE_CACHE
                if tables.bindings[slot["binding"]]["gates"] & GATE_VALIDATE:
                    stage = STAGE_VALIDATE
                if overhead_ns > 0:
                    schedule_slot(calendar, now_ns + overhead_ns, RANK_ARRIVAL, stage, at)
                    stage = STAGE_WAIT
        elif stage == STAGE_VALIDATE:
            stage = STAGE_CACHE
            passed = pass_validation(world, at, now_ns)
            if passed != STAGE_PASSED:
                stage = passed
        elif stage == STAGE_CACHE:
            stage = STAGE_INTEGRATION
            binding = tables.bindings[slot["binding"]]
            if binding["cache_line"] >= 0:
                slot["cache_key"] = cache_key_of(world, slot, binding)
                if binding["caching"] >= 0:
                    stage = ask_cache(world, at, now_ns)
                else:
                    found = cache_lookup(store, slot["cache_key"], now_ns)
                    slot["cache"] = CACHE_MISS
                    if found >= 0:
                        slot["cache"] = CACHE_HIT
                        slot["answer"] = _HIT
                        slot["response_bytes"] = found
                        stage = STAGE_HIT
        elif stage == STAGE_LOOKUP:
            stage = look_up(world, at, now_ns)
        elif stage == STAGE_HIT:
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
            stage = reach_backend(world, at, now_ns)
        elif stage == STAGE_SERVE:
            stage = serve(world, at, now_ns)
        elif stage == STAGE_WORK_END:
            end_work(world, slot, now_ns)
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
            stage = apply_policy(world, slot, now_ns)
        elif stage == STAGE_RESPONSE:
            slot["integration_ns"] = now_ns - slot["call_start_ns"]
            respond(world, slot, now_ns)
            answered_ns = now_ns
            stage = STAGE_DONE
        elif stage == STAGE_DEADLINE:
            stage = give_up_waiting(slot, now_ns)
        elif stage == STAGE_SIGN_IN:
            stage = pass_sign_in(world, at, now_ns)
        elif stage == STAGE_KEY_SET or stage == STAGE_JUDGE:
            passed = (
                get_keys(world, at, now_ns) if stage == STAGE_KEY_SET else judge(world, at, now_ns)
            )
            stage = STAGE_KEY if passed == STAGE_PASSED else passed
        elif stage == STAGE_WAF_VERDICT:
            stage = give_verdict(world, at, now_ns)
        elif stage == STAGE_TLS:
            stage = shake_hands(world, at, now_ns)
        elif stage == STAGE_CERTIFICATE:
            stage = check_certificate(world, at)
        elif stage == STAGE_REFUSE:
            answered_ns = now_ns + draw_int(
                world, slot, tables.rules[0]["refusal_time"], _REFUSAL_TIME
            )
            stage = STAGE_DONE
        else:
            finish(world, slot, answered_ns)
            if slot["working"] == 0:
                free_slot(calendar, at)
            stage = STAGE_WAIT
