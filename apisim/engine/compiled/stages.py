"""Stages of a request's way through the compiled engine, by number.

Those that stand in the calendar come with the rank they wait under; the first two are not stages of
a request but events that bring one into being.
"""

from typing import Final

from apisim.arrays.jit import constant
from apisim.engine.tables import (
    GATE_AUTH,
    GATE_CANARY,
    GATE_CREDENTIALS,
    GATE_EARLY_THROTTLE,
    GATE_KEY,
    GATE_LIMITS,
    GATE_MESSAGE,
    GATE_POST,
    GATE_RESOURCE,
    GATE_SIGN_IN,
    GATE_TLS,
    GATE_TRACE,
    GATE_UNMAPPED,
    GATE_UPGRADE,
    GATE_WAF,
    GATES_OF_SESSIONS,
)

__all__ = [
    "CALL_AUTHORIZER",
    "CALL_EVENT",
    "CALL_INTEGRATION",
    "RESULT_OK",
    "STAGE_ANSWER",
    "STAGE_AUTH",
    "STAGE_AUTHORIZER",
    "STAGE_CACHE",
    "STAGE_CALL",
    "STAGE_CANARY",
    "STAGE_CERTIFICATE",
    "STAGE_CLIENT",
    "STAGE_CUT",
    "STAGE_DEADLINE",
    "STAGE_DELIVER",
    "STAGE_DONE",
    "STAGE_DOOR",
    "STAGE_EARLY_THROTTLE",
    "STAGE_EVENT",
    "STAGE_GONE",
    "STAGE_GO_ON",
    "STAGE_HIT",
    "STAGE_INTEGRATION",
    "STAGE_JUDGE",
    "STAGE_KEY",
    "STAGE_KEY_SET",
    "STAGE_LEAVE",
    "STAGE_LIMITS",
    "STAGE_LOOKUP",
    "STAGE_MAPPED",
    "STAGE_MESSAGE",
    "STAGE_NESTED_END",
    "STAGE_NOTICE",
    "STAGE_NO_ROUTE",
    "STAGE_PASSED",
    "STAGE_POLICY",
    "STAGE_POST",
    "STAGE_POSTED",
    "STAGE_PUSH",
    "STAGE_REFUSE",
    "STAGE_REPOST",
    "STAGE_RESOURCE",
    "STAGE_RESPOND",
    "STAGE_RESPONSE",
    "STAGE_RETRY",
    "STAGE_ROUTE",
    "STAGE_SEND",
    "STAGE_SEND_BACK",
    "STAGE_SERVE",
    "STAGE_SESSION",
    "STAGE_SIGN_IN",
    "STAGE_SOURCE",
    "STAGE_START",
    "STAGE_THROTTLE",
    "STAGE_TIMELINE",
    "STAGE_TLS",
    "STAGE_UPGRADE",
    "STAGE_USER",
    "STAGE_USER_COMES",
    "STAGE_VALIDATE",
    "STAGE_WAF",
    "STAGE_WAF_VERDICT",
    "STAGE_WAIT",
    "STAGE_WATCH",
    "STAGE_WORK",
    "STAGE_WORK_END",
    "after_access",
    "first_gate",
]

STAGE_SOURCE: Final = constant(0)  # an open source or a trace calls (rank 5)
STAGE_USER: Final = constant(1)  # a closed user calls (rank 5)
STAGE_DEADLINE: Final = constant(2)  # the gateway has waited long enough (rank 4)
STAGE_DOOR: Final = constant(3)  # the request reaches the gateway (rank 5)
STAGE_AUTHORIZER: Final = constant(4)
STAGE_THROTTLE: Final = constant(5)
STAGE_CACHE: Final = constant(6)  # after the gateway's overhead (rank 5)
STAGE_INTEGRATION: Final = constant(7)
STAGE_CALL: Final = constant(8)  # the gateway calls a backend
STAGE_WORK: Final = constant(9)  # the call reaches the backend (rank 5)
STAGE_SERVE: Final = constant(10)  # a server takes it
STAGE_WORK_END: Final = constant(11)  # the backend is done (rank 2)
STAGE_SEND_BACK: Final = constant(12)
STAGE_ANSWER: Final = constant(13)  # the answer reaches the gateway (rank 3)
STAGE_POLICY: Final = constant(14)  # ... of the authorizer's function
STAGE_RESPONSE: Final = constant(15)  # ... of the integration
STAGE_REFUSE: Final = constant(16)
STAGE_DONE: Final = constant(17)
STAGE_HIT: Final = constant(18)
STAGE_NO_ROUTE: Final = constant(19)
STAGE_WAIT: Final = constant(20)  # nothing more to do now
# Stages beyond are those of engine/compiled/rare.py: gates that few scenarios use.
STAGE_PASSED: Final = constant(21)  # what a gate says when a request may go on; never waited under
STAGE_LIMITS: Final = constant(22)  # each asks its bit first
STAGE_ROUTE: Final = constant(23)
STAGE_WAF: Final = constant(24)
STAGE_RESOURCE: Final = constant(25)
STAGE_AUTH: Final = constant(26)
STAGE_KEY: Final = constant(27)
STAGE_VALIDATE: Final = constant(28)
STAGE_SIGN_IN: Final = constant(29)  # a user gets its token (rank 5)
STAGE_EARLY_THROTTLE: Final = constant(30)
STAGE_KEY_SET: Final = constant(31)  # an issuer's keys have come, or not in time (ranks 3 and 4)
STAGE_JUDGE: Final = constant(32)  # a token or signature has been looked at (rank 5)
STAGE_TIMELINE: Final = constant(33)  # an action of the timeline, no stage of a request (rank 1)
STAGE_LOOKUP: Final = constant(34)  # its turn at the cache's instance (rank 5)
STAGE_TLS: Final = constant(35)
STAGE_CERTIFICATE: Final = constant(36)  # after the handshake (rank 5)
STAGE_WAF_VERDICT: Final = constant(37)  # after the web ACL's time (rank 5)
STAGE_SEND: Final = constant(38)  # a browser may send what it has asked for (rank 5)
STAGE_GONE: Final = constant(39)  # a client has waited long enough (rank 6)
STAGE_CLIENT: Final = constant(40)  # ... or has its answer, and decides (ranks 5 and 6)
STAGE_RETRY: Final = constant(41)  # it tries again (rank 5)
STAGE_CANARY: Final = constant(42)
STAGE_GO_ON: Final = constant(43)  # a function's own time is over, or a call of it has come back
STAGE_NESTED_END: Final = constant(44)  # a call behind a function has been served (rank 2)
STAGE_CUT: Final = constant(45)  # a function's time limit (rank 2)
STAGE_MAPPED: Final = constant(46)  # a request has been mapped for its integration (rank 5)
STAGE_RESPOND: Final = constant(47)  # ... and what it answered (rank 5)
STAGE_EVENT: Final = constant(48)  # an event comes to its function, no stage of a request (rank 5)

STAGE_UPGRADE: Final = constant(49)  # an upgrade at the door
STAGE_MESSAGE: Final = constant(50)  # a message at the door
STAGE_POST: Final = constant(51)  # what an application pushes at the door
STAGE_DELIVER: Final = constant(52)  # ... behind the gateway's overhead (rank 5)
STAGE_POSTED: Final = constant(53)  # its worker has the answer (rank 5)
STAGE_REPOST: Final = constant(54)  # ... and tries again (rank 5)
# Beyond are events that are no stages of a call.
STAGE_USER_COMES: Final = constant(55)  # a user of a WebSocket API for the first time (rank 5)
STAGE_SESSION: Final = constant(56)  # a session's next step (rank 5)
STAGE_NOTICE: Final = constant(57)  # a client hears of the end of its connection (rank 5)
STAGE_LEAVE: Final = constant(58)  # the gateway hears that a client has left (rank 5)
STAGE_WATCH: Final = constant(59)  # a connection may be too old or idle (rank 6)
STAGE_PUSH: Final = constant(60)  # something is to be pushed (rank 5)
STAGE_START: Final = constant(61)  # a sender's next worker starts (rank 5)

CALL_AUTHORIZER: Final = constant(0)
CALL_INTEGRATION: Final = constant(1)
CALL_EVENT: Final = constant(2)  # nobody waits

RESULT_OK: Final = constant(0)


def first_gate(gates: int, route: int) -> int:
    """Stage at which a request that stands at the door begins: its first gate."""
    if gates & GATES_OF_SESSIONS:
        return _first_of_sessions(gates)
    if gates & GATE_SIGN_IN:
        return int(STAGE_SIGN_IN)
    if gates & GATE_TLS:
        return int(STAGE_TLS)
    if gates & GATE_LIMITS:
        return int(STAGE_LIMITS)
    if gates & (GATE_TRACE | GATE_CANARY):
        return int(STAGE_CANARY)
    if gates & GATE_UNMAPPED:
        return int(STAGE_ROUTE)
    if route < 0:
        return int(STAGE_NO_ROUTE)
    if gates & GATE_WAF:
        return int(STAGE_WAF)
    if gates & GATE_EARLY_THROTTLE:
        return int(STAGE_EARLY_THROTTLE)
    if gates & GATE_RESOURCE:
        return int(STAGE_RESOURCE)
    if gates & GATE_AUTH:
        return int(STAGE_AUTHORIZER)
    if gates & GATE_CREDENTIALS:
        return int(STAGE_AUTH)
    return after_access(gates)


def _first_of_sessions(gates: int) -> int:
    if gates & GATE_UPGRADE:
        return int(STAGE_SIGN_IN if gates & GATE_SIGN_IN else STAGE_UPGRADE)
    if gates & GATE_MESSAGE:
        return int(STAGE_MESSAGE)
    return int(STAGE_POST if gates & GATE_POST else STAGE_INTEGRATION)


def after_access(gates: int) -> int:
    """Stage of a request that an authorizer has let by."""
    return int(STAGE_KEY if gates & GATE_KEY else STAGE_THROTTLE)
