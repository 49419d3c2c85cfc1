"""AWS Lambda: concurrency, how fast it may be used and grow, and the warm pool.

Facts (Lambda developer guide): an execution environment serves one request at a time; a request
that finds no idle one starts a new one (a cold start) if the concurrency limit allows, else it is
throttled. The account's concurrency (1,000 per Region by default) is shared by all functions;
reserved concurrency is taken out of it, and caps its function. Provisioned concurrency is taken
out of either; its environments are always ready, and what finds none of them free goes on as on
demand. Whatever its concurrency, an account takes ten synchronous requests a second for each unit
of it, and so does a reserve or a provision ("Understanding concurrency and requests per second"). A
function may add 1,000 environments in 10 s; that is refilled continuously and never exceeds 1,000
("Lambda scaling behavior"). Billed time is rounded up to 1 ms and has included the INIT phase since
1 August 2025.

How the quota of requests is counted is not documented: here it is a bucket that holds one second's.

AWS does not document which idle environment is reused nor when one is given up. Here the most
recently used is reused and one that has been idle for ``idle_expiry`` (10 min by default) is gone:
the model that fits published measurements best (oldest- or newest-created first agree within 0.5 %;
random reuse is far off).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.deques import ring_first, ring_pop_first, ring_pop_last, ring_push
from apisim.arrays.jit import inline, kernel, part

__all__ = [
    "ANSWER_BYTES",
    "COLD",
    "GROUP_DTYPE",
    "NO_PROVISION",
    "POOL_DTYPE",
    "PROVISIONED",
    "REQUEST_BYTES",
    "SCALING_WINDOW_NS",
    "THROTTLED",
    "UNLIMITED",
    "WARM",
    "billed_ms",
    "change_expiry",
    "change_group",
    "close_pool",
    "fill_group",
    "invoke",
    "release",
]

#: Largest event of a synchronous invocation, and largest result [bytes]: "6 MB each" (Lambda
#: quotas), to the byte as Lambda's own messages have them ("Request must be smaller than 6291456
#: bytes", "exceeded maximum allowed payload size (6291556 bytes)").
REQUEST_BYTES: Final = 6 * 1024 * 1024
ANSWER_BYTES: Final = 6 * 1024 * 1024 + 100

THROTTLED: Final = -1
WARM: Final = 0
COLD: Final = 1
PROVISIONED: Final = 2  # warm, and billed at another price

#: A rate that is no limit.
UNLIMITED: Final = -1
#: A function without provisioned concurrency.
NO_PROVISION: Final = -1
#: The account's quota of requests stands in the first group, which all functions ask.
_ACCOUNT: Final = 0
_SECOND_NS: Final = 1_000_000_000
#: A function's scaling rate is so many environments in this time.
SCALING_WINDOW_NS: Final = 10_000_000_000

#: One limit on concurrent executions: the account's unreserved share, one function's reserve, or
#: what is provisioned for it; and the requests a second that go with it.
GROUP_DTYPE: Final = np.dtype(
    [
        ("limit", "i8"),
        ("busy", "i8"),
        ("rate", "i8"),  # [1/s]; of the first group the whole account's
        ("level", "i8"),  # of its bucket [1e-9 requests]
        ("filled_ns", "i8"),
    ],
    align=True,
)

POOL_DTYPE: Final = np.dtype(
    [
        ("group", "i8"),
        ("provision", "i8"),  # group of its provisioned environments, or NO_PROVISION
        ("idle_expiry_ns", "i8"),
        ("scaling", "i8"),  # environments it may add in 10 s, or UNLIMITED
        ("level", "i8"),  # of them [1e-10 environments]
        ("filled_ns", "i8"),
        ("busy", "i8"),
        ("max_busy", "i8"),
        ("peak_busy", "i8"),  # since somebody last asked
        ("invocations", "i8"),  # executions started: what Lambda bills
        ("cold_starts", "i8"),
        ("throttles", "i8"),  # for any reason
        ("rate_throttles", "i8"),  # ... because of the quota of requests a second
        ("scaling_throttles", "i8"),  # ... because it may not grow so fast
        ("provisioned", "i8"),  # executions on provisioned concurrency
        ("errors", "i8"),
        ("timeouts", "i8"),
        ("events", "i8"),  # that were accepted
        ("event_retries", "i8"),  # executions that followed an error of the same event
        ("events_dropped", "i8"),  # too old, or failed too often
        ("busy_ns", "i8"),  # integral of busy environments over time
        ("alive_ns", "i8"),  # integral of busy and idle ones, modulo 2**64 while the run lasts
    ],
    align=True,
)


def fill_group(group: np.void, limit: int, rate: int) -> None:
    """Make ``group`` an unused limit with a full bucket."""
    group["limit"], group["rate"] = limit, rate
    group["level"] = max(rate, 0) * _SECOND_NS


@part
def _refill(record: np.void, n: int, window_ns: int, now_ns: int) -> None:
    """Fill a bucket that holds ``n`` and gains as many in a window; its level is in n * ns."""
    waited_ns = now_ns - record["filled_ns"]
    if waited_ns > 0:
        level = n * window_ns
        if waited_ns < window_ns:
            level = min(level, record["level"] + n * waited_ns)
        record["level"] = level
        record["filled_ns"] = now_ns


@part
def _may_take_one_more(group: np.void, now_ns: int) -> bool:
    """Whether the quota of requests a second lets one more by; refills its bucket."""
    rate = group["rate"]
    if rate < 0:
        return True
    _refill(group, rate, _SECOND_NS, now_ns)
    return group["level"] >= _SECOND_NS  # type: ignore[no-any-return]


@part
def _may_grow(pool: np.void, now_ns: int) -> bool:
    """Whether the scaling rate lets a function add an environment; refills what it may add."""
    scaling = pool["scaling"]
    if scaling < 0:
        return True
    _refill(pool, scaling, SCALING_WINDOW_NS, now_ns)
    return pool["level"] >= SCALING_WINDOW_NS  # type: ignore[no-any-return]


@part
def _expire_idle(pool: np.void, idle: np.void, idle_since: NDArray[np.int64], now_ns: int) -> None:
    # The ring is ordered by time of release, so the longest idle ones are at its front.
    expiry_ns = pool["idle_expiry_ns"]
    while idle["size"] > 0 and now_ns - ring_first(idle, idle_since) >= expiry_ns:
        pool["alive_ns"] += ring_pop_first(idle, idle_since) + expiry_ns


@inline
def invoke(
    pools: NDArray[np.void],
    groups: NDArray[np.void],
    idle: NDArray[np.void],
    idle_since: NDArray[np.int64],
    function: int,
    now_ns: int,
    is_event: bool,
) -> int:
    """A request reaches a function.

    Parameters
    ----------
    pools : POOL_DTYPE[n_functions]
    groups : GROUP_DTYPE[n_groups]
    idle : RING_DTYPE[n_functions]
        Idle environments of each function, by the time they became idle.
    idle_since : int64[...]
        The values of those rings [ns].
    function : int
        Index of the function.
    now_ns : int
        Time [ns].
    is_event : bool
        Whether it comes from the function's own queue: no quota of requests a second counts it.

    Returns
    -------
    int
        ``PROVISIONED``, ``WARM`` or ``COLD``: the request runs, and :func:`release` must follow at
        its end; ``THROTTLED``: all concurrency is in use, or it is used or grows too fast. A
        request that is refused counts for no limit.
    """
    pool = pools[function]
    started = THROTTLED
    of = pool["provision"]
    is_free = of >= 0 and groups[of]["busy"] < groups[of]["limit"]
    if is_free and (is_event or _may_take_one_more(groups[of], now_ns)):
        started = PROVISIONED
    if started == THROTTLED:
        of = pool["group"]
        if groups[of]["busy"] >= groups[of]["limit"]:
            pool["throttles"] += 1
            return THROTTLED
        started = WARM
        _expire_idle(pool, idle[function], idle_since, now_ns)
        if idle[function]["size"] == 0:
            started = COLD
            if not _may_grow(pool, now_ns):
                pool["throttles"] += 1
                pool["scaling_throttles"] += 1
                return THROTTLED
    if not is_event:
        if not (
            _may_take_one_more(groups[_ACCOUNT], now_ns)
            and (of == _ACCOUNT or _may_take_one_more(groups[of], now_ns))
        ):
            pool["throttles"] += 1
            pool["rate_throttles"] += 1
            return THROTTLED
        groups[_ACCOUNT]["level"] -= _SECOND_NS
        if of != _ACCOUNT:
            groups[of]["level"] -= _SECOND_NS
    groups[of]["busy"] += 1
    pool["busy"] += 1
    pool["invocations"] += 1
    pool["max_busy"] = max(pool["max_busy"], pool["busy"])
    if pool["busy"] > pool["peak_busy"]:
        pool["peak_busy"] = pool["busy"]
    pool["busy_ns"] -= now_ns
    if started == WARM:
        ring_pop_last(idle[function], idle_since)
    elif started == COLD:
        pool["cold_starts"] += 1
        pool["level"] -= SCALING_WINDOW_NS
        pool["alive_ns"] -= now_ns
    else:
        pool["provisioned"] += 1
    return started


@inline
def release(
    pools: NDArray[np.void],
    groups: NDArray[np.void],
    idle: NDArray[np.void],
    idle_since: NDArray[np.int64],
    function: int,
    started: int,
    now_ns: int,
) -> None:
    """A request that ran is over: its environment, that it ``started`` in, becomes idle."""
    pool = pools[function]
    pool["busy"] -= 1
    pool["busy_ns"] += now_ns
    if started == PROVISIONED:
        groups[pool["provision"]]["busy"] -= 1
        return
    groups[pool["group"]]["busy"] -= 1
    _expire_idle(pool, idle[function], idle_since, now_ns)
    ring_push(idle[function], idle_since, now_ns)


@inline
def change_group(groups: NDArray[np.void], group: int, limit: int, rate: int, now_ns: int) -> None:
    """Give a share of the concurrency another limit, and another number of requests a second.

    What has not been spent is kept, up to what a second's worth is from now on.
    """
    row = groups[group]
    full = rate * _SECOND_NS
    if row["rate"] < 0:
        row["level"] = full
    else:
        _may_take_one_more(row, now_ns)  # what came in until now came in at the rate before
        row["level"] = min(row["level"], full)
    row["limit"], row["rate"], row["filled_ns"] = limit, rate, now_ns


@kernel
def change_expiry(
    pools: NDArray[np.void],
    idle: NDArray[np.void],
    idle_since: NDArray[np.int64],
    function: int,
    idle_expiry_ns: int,
    now_ns: int,
) -> None:
    """Idle environments are given up after another time; those idle for longer are gone now."""
    pool = pools[function]
    _expire_idle(pool, idle[function], idle_since, now_ns)
    pool["idle_expiry_ns"] = idle_expiry_ns
    while (
        idle[function]["size"] > 0
        and now_ns - ring_first(idle[function], idle_since) >= idle_expiry_ns
    ):
        ring_pop_first(idle[function], idle_since)
        pool["alive_ns"] += now_ns


@kernel
def close_pool(
    pools: NDArray[np.void],
    groups: NDArray[np.void],
    idle: NDArray[np.void],
    idle_since: NDArray[np.int64],
    function: int,
    end_ns: int,
) -> None:
    """End the integrals at ``end_ns``, the end of the run."""
    pool = pools[function]
    _expire_idle(pool, idle[function], idle_since, end_ns)
    alive = idle[function]["size"] + pool["busy"]
    if pool["provision"] >= 0:
        provision = groups[pool["provision"]]
        alive += provision["limit"] - provision["busy"]  # busy or not, they are there
    pool["alive_ns"] += end_ns * alive
    pool["busy_ns"] += end_ns * pool["busy"]


@inline
def billed_ms(busy_ns: int) -> int:
    """Billed duration [ms] of one execution, its INIT phase included: rounded up, at least 1."""
    return max((busy_ns + 999_999) // 1_000_000, 1)
