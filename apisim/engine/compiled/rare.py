"""Gates that few scenarios use, in one place that the others never enter.

:func:`pass_gates` carries a request from gate to gate, each of which asks its bit first, until it
stands before a stage of ``advance`` or waits. It is called and not pasted: what stands here costs a
scenario without these gates no instruction.
"""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.engine.backend_tables import BACKEND_SERVICE
from apisim.engine.compiled.access import get_keys, judge, pass_access
from apisim.engine.compiled.caching import look_up
from apisim.engine.compiled.clients import decide, lose_patience
from apisim.engine.compiled.deployments import note_trace, pick_deployment
from apisim.engine.compiled.early import pass_early_throttle
from apisim.engine.compiled.events import run_event
from apisim.engine.compiled.issue import send_actual, send_again
from apisim.engine.compiled.keys import pass_key
from apisim.engine.compiled.limits import pass_limits
from apisim.engine.compiled.mutual_tls import check_certificate, shake_hands
from apisim.engine.compiled.nested import cut_off, end_nested, make_calls
from apisim.engine.compiled.pushes import (
    deliver,
    hear_of_post,
    receive_post,
    send_post_again,
)
from apisim.engine.compiled.resource import pass_resource
from apisim.engine.compiled.sign_in import pass_sign_in
from apisim.engine.compiled.sockets import pass_outage, receive
from apisim.engine.compiled.stages import (
    STAGE_AUTH,
    STAGE_AUTHORIZER,
    STAGE_CACHE,
    STAGE_CANARY,
    STAGE_CERTIFICATE,
    STAGE_CLIENT,
    STAGE_CUT,
    STAGE_DELIVER,
    STAGE_EARLY_THROTTLE,
    STAGE_EVENT,
    STAGE_GO_ON,
    STAGE_GONE,
    STAGE_JUDGE,
    STAGE_KEY,
    STAGE_KEY_SET,
    STAGE_LIMITS,
    STAGE_LOOKUP,
    STAGE_MESSAGE,
    STAGE_NESTED_END,
    STAGE_NO_ROUTE,
    STAGE_PASSED,
    STAGE_POST,
    STAGE_POSTED,
    STAGE_REFUSE,
    STAGE_REPOST,
    STAGE_RESOURCE,
    STAGE_RETRY,
    STAGE_ROUTE,
    STAGE_SEND,
    STAGE_SIGN_IN,
    STAGE_THROTTLE,
    STAGE_TLS,
    STAGE_UPGRADE,
    STAGE_VALIDATE,
    STAGE_WAF,
    STAGE_WAF_VERDICT,
    STAGE_WAIT,
)
from apisim.engine.compiled.validate import pass_validation
from apisim.engine.compiled.waf import give_verdict, pass_waf
from apisim.engine.tables import (
    GATE_AUTH,
    GATE_CANARY,
    GATE_CREDENTIALS,
    GATE_EARLY_THROTTLE,
    GATE_FULL_THROTTLE,
    GATE_KEY,
    GATE_LIMITS,
    GATE_RESOURCE,
    GATE_TRACE,
    GATE_UNMAPPED,
    GATE_VALIDATE,
    GATE_WAF,
    Tables,
)
from apisim.engine.world import World
from apisim.gateway.limits import UNLIMITED
from apisim.gateway.mapping import UNCHANGED_PPM
from apisim.gateway.status import Answer

__all__ = ["is_needed", "pass_gates"]

_NO_MAPPING: Final = constant(Answer.NO_MAPPING)


def is_needed(tables: Tables) -> bool:
    """Whether any request of these tables may need what few scenarios use.

    A kernel for the others is compiled without it (``rare`` of
    :func:`apisim.engine.compiled.kernel.run`): they pay nothing for it, in speed or in the time
    to compile.
    """
    bindings = tables.bindings
    return bool(
        (bindings["first_gate"] > STAGE_WAIT).any()
        or (bindings["after_access"] > STAGE_WAIT).any()
        or (bindings["gates"] & (GATE_FULL_THROTTLE | GATE_VALIDATE)).any()
        or (bindings["caching"] >= 0).any()
        or (bindings["cors"] >= 0).any()
        or (bindings["preflight"] >= 0).any()
        or (tables.sources["caller"] >= 0).any()
        or (tables.sources["client"] >= 0).any()
        or (tables.sources["way"] > 0).any()
        or tables.authorizers["careful"].any()
        or len(tables.timeline)
        or len(tables.log_lines)
        or tables.functions["log_warm"].any()
        or tables.functions["malformed"].any()
        or (tables.functions["other"] >= 0).any()
        or tables.routes["error_answer"].any()
        or (tables.apis["compress_from"] >= 0).any()
        or tables.functions["n_calls"].any()
        or (tables.routes["backend"] >= BACKEND_SERVICE).any()
        or (tables.routes["max_request"] < UNLIMITED).any()
        or (tables.routes["max_answer"] < UNLIMITED).any()
        or (tables.routes["request_time"] >= 0).any()
        or (tables.routes["response_time"] >= 0).any()
        or (tables.routes["response_ppm"] != UNCHANGED_PPM).any()
        or tables.routes["event"].any()
        or tables.routes["streams"].any()
        or len(tables.sessions)
    )


@gate
def pass_gates(world: World, at: int, stage: int, now_ns: int) -> int:
    """Carry the request in slot ``at`` on from ``stage``; the stage where ``advance`` goes on."""
    slot = world.calendar.slots[at]
    gates = world.tables.bindings[slot["binding"]]["gates"]
    while stage > STAGE_WAIT:
        passed = STAGE_PASSED
        following = STAGE_WAIT
        if stage == STAGE_LIMITS:
            following = STAGE_CANARY
            if gates & GATE_LIMITS:
                passed = pass_limits(world, at, now_ns)
        elif stage == STAGE_CANARY:
            following = STAGE_ROUTE
            if gates & GATE_TRACE:
                note_trace(world, at, now_ns)
            if gates & GATE_CANARY:
                pick_deployment(world, at)
        elif stage == STAGE_ROUTE:
            following = STAGE_WAF
            if gates & GATE_UNMAPPED:
                slot["answer"] = _NO_MAPPING
                passed = STAGE_REFUSE
            elif slot["route"] < 0:
                passed = STAGE_NO_ROUTE
        elif stage == STAGE_WAF:
            following = STAGE_EARLY_THROTTLE
            if gates & GATE_WAF:
                passed = pass_waf(world, at, now_ns)
        elif stage == STAGE_EARLY_THROTTLE:
            following = STAGE_RESOURCE
            if gates & GATE_EARLY_THROTTLE:
                passed = pass_early_throttle(world, at, now_ns)
        elif stage == STAGE_RESOURCE:
            following = STAGE_AUTH
            if gates & GATE_RESOURCE:
                passed = pass_resource(world, at, now_ns)
        elif stage == STAGE_AUTH:
            following = STAGE_KEY
            if gates & GATE_AUTH:
                passed = STAGE_AUTHORIZER
            elif gates & GATE_CREDENTIALS:
                passed = pass_access(world, at, now_ns)
        elif stage == STAGE_KEY_SET:
            following = STAGE_KEY
            passed = get_keys(world, at, now_ns)
        elif stage == STAGE_JUDGE:
            following = STAGE_KEY
            passed = judge(world, at, now_ns)
        elif stage == STAGE_KEY:
            following = STAGE_THROTTLE
            if gates & GATE_KEY:
                passed = pass_key(world, at, now_ns)
        elif stage == STAGE_VALIDATE:
            following = STAGE_CACHE
            passed = pass_validation(world, at, now_ns)
        elif stage == STAGE_LOOKUP:
            passed = look_up(world, at, now_ns)
        elif stage == STAGE_SIGN_IN:
            passed = pass_sign_in(world, at, now_ns)
        elif stage == STAGE_WAF_VERDICT:
            passed = give_verdict(world, at, now_ns)
        elif stage == STAGE_TLS:
            passed = shake_hands(world, at, now_ns)
        elif stage == STAGE_CERTIFICATE:
            passed = check_certificate(world, at)
        elif stage == STAGE_SEND:
            passed = send_actual(world, at, now_ns)
        elif stage == STAGE_GONE:
            passed = lose_patience(world, at, now_ns)
        elif stage == STAGE_CLIENT:
            passed = decide(world, at, now_ns)
        elif stage == STAGE_RETRY:
            passed = send_again(world, at, now_ns)
        elif stage == STAGE_GO_ON:
            passed = make_calls(world, at, now_ns)
        elif stage == STAGE_NESTED_END:
            passed = end_nested(world, at, now_ns)
        elif stage == STAGE_EVENT:
            passed = run_event(world, at, now_ns)
        elif stage == STAGE_CUT:
            passed = cut_off(world, at, now_ns)
        elif stage == STAGE_UPGRADE:
            following = STAGE_LIMITS
            passed = pass_outage(world, at, now_ns)
        elif stage == STAGE_MESSAGE:
            passed = receive(world, at, now_ns)
        elif stage == STAGE_POST:
            passed = receive_post(world, at)
        elif stage == STAGE_DELIVER:
            passed = deliver(world, at, now_ns)
        elif stage == STAGE_POSTED:
            passed = hear_of_post(world, at, now_ns)
        elif stage == STAGE_REPOST:
            passed = send_post_again(world, at, now_ns)
        stage = following if passed == STAGE_PASSED else passed
    return stage
