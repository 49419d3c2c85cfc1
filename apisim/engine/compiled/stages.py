"""Stages of a request's way through the compiled engine, by number.

Those that stand in the calendar come with the rank they wait under; the first two are not stages of
a request but events that bring one into being.
"""

from typing import Final

from apisim.arrays.jit import constant

__all__ = [
    "CALL_AUTHORIZER",
    "CALL_INTEGRATION",
    "RESULT_OK",
    "STAGE_ANSWER",
    "STAGE_AUTHORIZER",
    "STAGE_CACHE",
    "STAGE_CALL",
    "STAGE_DEADLINE",
    "STAGE_DONE",
    "STAGE_DOOR",
    "STAGE_INTEGRATION",
    "STAGE_POLICY",
    "STAGE_REFUSE",
    "STAGE_RESPONSE",
    "STAGE_SEND_BACK",
    "STAGE_SERVE",
    "STAGE_SOURCE",
    "STAGE_THROTTLE",
    "STAGE_USER",
    "STAGE_WAIT",
    "STAGE_WORK",
    "STAGE_WORK_END",
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
STAGE_WAIT: Final = constant(18)  # nothing more to do now

CALL_AUTHORIZER: Final = constant(0)
CALL_INTEGRATION: Final = constant(1)

RESULT_OK: Final = constant(0)
