"""AWS services that API Gateway or a function calls: their request limits and what is counted.

A service takes any number of requests at a time; what it has is limits on requests and on what they
weigh. Each limit is a token bucket: a request costs tokens by its action and the size of its item,
and pays all of its limits or none. A refused request is answered without the service's latency.

=============== ============================================== ===================================
service         limits                                         metered
=============== ============================================== ===================================
dynamodb        read and write units a second, of which up     half read units of 4 KB and write
                to 300 s unused are kept                       units of 1 KB
kinesis         1 MiB and 1,000 records a second and shard     payload units of 25 KB
sqs, sns,       requests a second                              requests of 64 KB
eventbridge
step_functions  executions started a second                    executions
=============== ============================================== ===================================
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import constant, inline, kernel, part
from apisim.arrays.tokens import refill

__all__ = [
    "ACTION_COST_DTYPE",
    "LIMIT_DTYPE",
    "MAX_LIMITS",
    "SERVICE_DTYPE",
    "open_limit",
    "request_service",
    "units_of",
]

#: Limits that one request can meet.
MAX_LIMITS: Final = 2
_NOTHING: Final = constant(0)

SERVICE_DTYPE: Final = np.dtype(
    [
        ("requests", "i8"),
        ("throttled", "i8"),
        ("errors", "i8"),
        ("read_units", "i8"),  # metered; halves of a DynamoDB read unit
        ("units", "i8"),  # metered, all others
    ],
    align=True,
)
#: One limit, in parts of a token as in ``gateway/throttle``: whole parts, so that it never drifts.
LIMIT_DTYPE: Final = np.dtype(
    [
        ("level", "i8"),
        ("capacity", "i8"),
        ("parts_per_token", "i8"),
        ("parts_per_ns", "i8"),
        ("to_full_ns", "i8"),
        ("last_ns", "i8"),
        ("refused", "i8"),
    ],
    align=True,
)
#: What one action costs: ``tokens`` for each begun ``bytes`` of the item (0: whatever its size).
ACTION_COST_DTYPE: Final = np.dtype(
    [
        ("first_tokens", "i8"),  # 0: this limit does not count the action
        ("first_bytes", "i8"),
        ("second_tokens", "i8"),
        ("second_bytes", "i8"),
        ("meter_units", "i8"),
        ("meter_bytes", "i8"),
        ("is_read", "i8"),
    ],
    align=True,
)


def open_limit(row: np.void, bucket: np.void) -> None:
    """Make ``row`` the limit that a bucket of ``gateway/throttle`` says."""
    for name in ("level", "capacity", "parts_per_token", "parts_per_ns", "to_full_ns"):
        row[name] = bucket[name]


@inline
def units_of(size: int, units: int, unit_bytes: int) -> int:
    """Units of an item of ``size`` bytes: so many for each begun ``unit_bytes``, at least once.

    Examples
    --------
    >>> units_of(4_097, 1, 4_096), units_of(0, 2, 1_024), units_of(9_000, 1, 0)
    (2, 2, 1)
    """
    if unit_bytes == 0:
        return units
    return units * max((size + unit_bytes - 1) // unit_bytes, 1)


@part
def _has(limit: np.void, n_tokens: int, now_ns: int) -> bool:
    """Whether a limit, refilled until now, holds so many tokens."""
    if n_tokens == 0:
        return True
    refill(limit, now_ns)
    # Compared by division: the product could overflow for a huge item.
    if n_tokens <= limit["level"] // limit["parts_per_token"]:
        return True
    limit["refused"] += 1
    return False


@kernel
def request_service(
    services: NDArray[np.void],
    limits: NDArray[np.void],
    service: int,
    first_limit: int,
    cost: np.void,
    size: int,
    now_ns: int,
) -> bool:
    """A request reaches a service: it pays all its limits, or none of them.

    Parameters
    ----------
    services : SERVICE_DTYPE[n_services]
    limits : LIMIT_DTYPE[n]
    service : int
        Index of the service.
    first_limit : int
        First of ``MAX_LIMITS`` limits, those of the shard that is met.
    cost : ACTION_COST_DTYPE record
    size : int
        Size of the item [bytes].
    now_ns : int
        Time [ns].

    Returns
    -------
    bool
        False if a limit refused it. What costs more than a full bucket is always refused.
    """
    row = services[service]
    first, second = limits[first_limit], limits[first_limit + 1]
    of_first = of_second = _NOTHING
    if cost["first_tokens"] > 0:
        of_first = units_of(size, cost["first_tokens"], cost["first_bytes"])
    if cost["second_tokens"] > 0:
        of_second = units_of(size, cost["second_tokens"], cost["second_bytes"])
    if not (_has(first, of_first, now_ns) and _has(second, of_second, now_ns)):
        row["throttled"] += 1
        return False
    first["level"] -= of_first * first["parts_per_token"]
    second["level"] -= of_second * second["parts_per_token"]
    row["requests"] += 1
    metered = units_of(size, cost["meter_units"], cost["meter_bytes"])
    if cost["is_read"] == 1:
        row["read_units"] += metered
    else:
        row["units"] += metered
    return True
