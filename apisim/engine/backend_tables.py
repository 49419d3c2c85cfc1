"""The arrays of what stands behind routes: functions, endpoints, services, and who calls whom."""

from typing import Final

import numpy as np

__all__ = [
    "BACKEND_ENDPOINT",
    "BACKEND_FUNCTION",
    "BACKEND_LINK",
    "BACKEND_MOCK",
    "BACKEND_SERVICE",
    "CALL_DTYPE",
    "ENDPOINT_SPEC_DTYPE",
    "FUNCTION_DTYPE",
    "SERVICE_SPEC_DTYPE",
]

BACKEND_MOCK: Final = 0
BACKEND_FUNCTION: Final = 1
BACKEND_ENDPOINT: Final = 2
BACKEND_SERVICE: Final = 3
BACKEND_LINK: Final = 4  # endpoints behind a load balancer

FUNCTION_DTYPE: Final = np.dtype(
    [
        ("duration", "i8"),
        ("init", "i8"),
        ("timeout_ns", "i8"),
        ("errors", "f8"),
        ("init_unbilled", "i8"),  # 1: the INIT phase is not in the bill
        ("malformed", "f8"),
        ("other", "i8"),  # row of the alias's additional version; NONE: it has none
        ("other_share", "f8"),
        ("first_call", "i8"),  # of `n_calls` rows of the calls
        ("n_calls", "i8"),
        ("max_retries", "i8"),  # of an event after an error
        ("max_age_ns", "i8"),  # of an event
        ("log_warm", "i8"),  # [bytes] of an invocation's log but for its times; 0: none is kept
        ("log_cold", "i8"),  # [bytes] more at a cold start
    ],
    align=True,
)
#: What functions call while they run, a function's in their order.
CALL_DTYPE: Final = np.dtype(
    [
        ("kind", "i8"),  # BACKEND_...
        ("index", "i8"),
        ("fails", "i8"),  # 1: an error of the call is one of the function
        ("action", "i8"),  # of a service: row of the action costs
    ],
    align=True,
)
SERVICE_SPEC_DTYPE: Final = np.dtype(
    [
        ("latency", "i8"),
        ("item_size", "i8"),
        ("errors", "f8"),
        ("first_limit", "i8"),  # of the first shard
        ("shards", "i8"),
    ],
    align=True,
)
ENDPOINT_SPEC_DTYPE: Final = np.dtype([("service_time", "i8"), ("errors", "f8")], align=True)
