"""The Lambda authorizer's cache of decisions.

Facts (developer guide, "Use API Gateway Lambda authorizers"): the returned policy is kept for the
authorizer's TTL (0 to 3,600 s, 300 s by default on REST), keyed by all identity sources together,
per authorizer and stage and therefore shared by all methods. A missing identity source answers 401
without invoking the function. Our decisions where AWS is silent: Allow *and* Deny policies are
kept, failures are not; concurrent misses each invoke the function; a policy that arrives for an
identity that already has a live one changes nothing; the cache has no size limit.
"""

from typing import Final

import numpy as np

from apisim.arrays.expiring_lru import Store, lru_find, lru_store
from apisim.arrays.jit import constant, inline

__all__ = ["ALLOW", "DENY", "SILENT", "UNKNOWN", "cached_decision", "keep_decision"]

UNKNOWN: Final = -1
#: What a policy says of a route; numbered as what a resource policy says.
SILENT: Final = 0
ALLOW: Final = 1
DENY: Final = 2
_WEIGHTLESS: Final = constant(0)


@inline
def cached_decision(
    store: Store,
    identity: np.uint64,
    now_ns: int,
) -> int:
    """``ALLOW``, ``SILENT`` or ``DENY`` of the policy kept for this identity, else ``UNKNOWN``."""
    at = lru_find(store, identity, now_ns)
    if at < 0:
        return UNKNOWN
    return store.entries[at]["value"]  # type: ignore[no-any-return]


@inline
def keep_decision(
    store: Store,
    line: int,
    identity: np.uint64,
    decision: int,
    now_ns: int,
) -> bool:
    """Keep a policy the function has just returned; a policy weighs nothing."""
    return lru_store(store, line, identity, _WEIGHTLESS, decision, now_ns)
