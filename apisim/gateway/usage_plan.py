"""API keys and usage plans: which plan a call is under, and whether it lets the call by.

A route that needs a key is open to keys that are enabled and in a plan attached to its stage; all
others are refused alike (403, gateway response ``INVALID_API_KEY``). A plan's throttle is a bucket
for each key, over all stages of the plan; a throttle that the plan gives one route is another. All
buckets of a request and the quota are looked at, most specific first and the quota last; then all
are charged or none, and the first that refused is the one that is named.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import inline, kernel, part
from apisim.gateway.quota import (
    NO_QUOTA,
    QUOTA_DTYPE,
    STATE_FIELDS,
    day_at,
    has_quota,
    open_window,
    spend,
    turn_away,
)
from apisim.gateway.throttle import NO_BUCKET, charge, look

__all__ = [
    "ADMITTED",
    "CUSTOMER_DTYPE",
    "DAY_DTYPE",
    "KEY_DTYPE",
    "NOT_ATTACHED",
    "NO_SUBSCRIPTION",
    "PLAN_LEVELS",
    "QUOTA_DTYPE",
    "REFUSED_BY_LEVEL",
    "REFUSED_BY_PLAN",
    "REFUSED_BY_QUOTA",
    "SUBSCRIPTION_DTYPE",
    "admit_key",
    "find_subscription",
    "note_throttled",
]

NO_SUBSCRIPTION: Final = -1
#: In ``plan_routes``: the plan is not attached to the route's stage.
NOT_ATTACHED: Final = -2
#: Buckets of a plan that a request passes: the route's own, the plan's.
PLAN_LEVELS: Final = 2

#: What :func:`admit_key` says; ``REFUSED_BY_LEVEL + kind`` names the level of the other buckets.
ADMITTED: Final = 0
REFUSED_BY_PLAN: Final = 1
REFUSED_BY_QUOTA: Final = 2
REFUSED_BY_LEVEL: Final = 3

_MINUTE_NS: Final = 60_000_000_000

KEY_DTYPE: Final = np.dtype(
    [
        ("enabled", "i8"),
        ("first", "i8"),  # its subscriptions: one for each plan it is in
        ("count", "i8"),
    ],
    align=True,
)
#: A key in a plan.
SUBSCRIPTION_DTYPE: Final = np.dtype(
    [
        ("plan", "i8"),
        ("customer", "i8"),  # whose key it is
        ("first_bucket", "i8"),
        *STATE_FIELDS,
    ],
    align=True,
)
#: What a key has used on one day, and what was left at its end; a ring over the last days.
DAY_DTYPE: Final = np.dtype([("day", "i8"), ("used", "i8"), ("remaining", "i8")], align=True)
#: What throttles have done to a customer.
CUSTOMER_DTYPE: Final = np.dtype(
    [
        ("minute", "i8"),  # the minute of the run that `in_minute` counts
        ("in_minute", "i8"),
        ("worst_minute", "i8"),
        ("worst_throttled", "i8"),
    ],
    align=True,
)


@kernel
def find_subscription(
    keys: NDArray[np.void],
    subscriptions: NDArray[np.void],
    plan_routes: NDArray[np.int64],
    key: int,
    route: int,
) -> int:
    """The subscription by which a key opens a route, or ``NO_SUBSCRIPTION``.

    Parameters
    ----------
    keys : KEY_DTYPE[n_keys]
    subscriptions : SUBSCRIPTION_DTYPE[n]
    plan_routes : int64[n_plans, n_routes, PLAN_LEVELS]
        Buckets of each plan for each route, from the subscription's first; ``NO_BUCKET`` where
        there is none, ``NOT_ATTACHED`` first where the plan does not open the route's stage.
    key : int
        Row of the key; -1 where none is sent.
    route : int
    """
    if key < 0 or keys[key]["enabled"] == 0:
        return NO_SUBSCRIPTION
    first = keys[key]["first"]
    # A key has at most one plan for each stage: the first that fits is the only one.
    for at in range(first, first + keys[key]["count"]):
        if plan_routes[subscriptions[at]["plan"], route, 0] != NOT_ATTACHED:
            return at
    return NO_SUBSCRIPTION


@inline
def admit_key(
    subscription: np.void,
    quota: np.void,
    clock: np.void,
    plan_buckets: NDArray[np.void],
    plan_levels: NDArray[np.int64],
    buckets: NDArray[np.void],
    levels: NDArray[np.int64],
    days: NDArray[np.void],
    now_ns: int,
    part: int,
    in_order: int,
) -> int:
    """Let one request with a key past all its buckets and its quota, or past none.

    Parameters
    ----------
    subscription : SUBSCRIPTION_DTYPE record
        Updated in place.
    quota : QUOTA_DTYPE record
        Of the subscription's plan.
    clock : CLOCK_DTYPE record
    plan_buckets : BUCKET_DTYPE[n]
        Buckets of all subscriptions, updated in place.
    plan_levels : int64[PLAN_LEVELS]
        The plan's buckets for this route, from the subscription's first.
    buckets : BUCKET_DTYPE[n_buckets]
        Of methods, stages and the account, updated in place.
    levels : int64[MAX_LEVELS]
        The route's, most specific first.
    days : DAY_DTYPE[n_days]
        What the subscription used by day, updated in place.
    now_ns : int
        Time of the request [ns].
    part, in_order : int
        As in ``throttle.admit``.

    Returns
    -------
    int
        ``ADMITTED``, ``REFUSED_BY_PLAN``, ``REFUSED_BY_QUOTA``, or ``REFUSED_BY_LEVEL`` and the
        kind of the bucket.
    """
    day = day_at(clock, now_ns)
    limited = quota["limit"] != NO_QUOTA
    has_left = True
    if limited:
        open_window(quota, subscription, clock, day)
        has_left = has_quota(subscription)
        if quota["counts_refused"] == 1:
            spend(subscription, now_ns)
    said = ADMITTED
    own_buckets = plan_buckets[subscription["first_bucket"] :]
    if look(own_buckets, plan_levels, now_ns, part, in_order) != NO_BUCKET:
        said = REFUSED_BY_PLAN
    else:
        refused_by = look(buckets, levels, now_ns, part, in_order)
        if refused_by != NO_BUCKET:
            said = REFUSED_BY_LEVEL + buckets[refused_by]["kind"]
        elif not has_left:
            turn_away(subscription, now_ns)
            said = REFUSED_BY_QUOTA
    if said == ADMITTED:
        if in_order == 0:
            charge(own_buckets, plan_levels, part)
            charge(buckets, levels, part)
        if limited and quota["counts_refused"] == 0:
            spend(subscription, now_ns)
    if said == ADMITTED or (limited and quota["counts_refused"] == 1):
        _note_day(subscription, days, day)
    return said


@part
def _note_day(subscription: np.void, days: NDArray[np.void], day: int) -> None:
    of_day = days[day % days.shape[0]]
    if of_day["day"] != day:
        of_day["day"] = day
        of_day["used"] = 0
    of_day["used"] += 1
    of_day["remaining"] = max(subscription["allowed"] - subscription["used"], 0)


@inline
def note_throttled(customer: np.void, now_ns: int) -> None:
    """Write down that a throttle refused a customer's request: the worst minute of the run."""
    minute = now_ns // _MINUTE_NS
    if minute != customer["minute"]:
        customer["minute"] = minute
        customer["in_minute"] = 0
    customer["in_minute"] += 1
    if customer["in_minute"] > customer["worst_throttled"]:
        customer["worst_throttled"] = customer["in_minute"]
        customer["worst_minute"] = minute
