"""What the timeline does to tables and mechanisms; both engines call it when an action is due."""

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.expiring_lru import Store, change_ttl
from apisim.arrays.fifo import NOBODY
from apisim.arrays.jit import kernel
from apisim.backends.http import take_in
from apisim.backends.lambda_ import change_expiry, change_group
from apisim.engine.actions import (
    CHANGE,
    FLUSH,
    PATCH_BUCKET,
    PATCH_ENDPOINT,
    PATCH_GROUP,
    PATCH_LINE,
    PATCH_PLAN_BUCKET,
    PATCH_POOL,
    PATCH_QUOTA,
    PATCH_SERVICE_LIMIT,
    PATCH_SIGN_IN_BUCKET,
    PATCH_WORD,
    RESIZE,
)
from apisim.engine.state import State
from apisim.gateway.cache_cluster import flush_cluster, resize_cluster
from apisim.gateway.quota import change_allowance
from apisim.gateway.throttle import change_bucket, note_least

__all__ = ["act", "change"]


@kernel
def act(
    action: np.void,
    store: Store,
    clusters: NDArray[np.void],
    endpoints: NDArray[np.void],
    following: NDArray[np.int64],
    now_ns: int,
) -> int:
    """Carry out one action that is not a change of numbers.

    Parameters
    ----------
    action : ACTION_DTYPE record
    store : Store
    clusters : CLUSTER_DTYPE[n_caches]
    endpoints : ENDPOINT_DTYPE[n_endpoints]
    following : int64[room for tickets]
    now_ns : int
        Time [ns].

    Returns
    -------
    int
        Ticket of a request that a server takes now, after which the action goes on; else
        ``NOBODY``.
    """
    cache = action["cache"]
    if action["kind"] == FLUSH:
        flush_cluster(store, clusters[cache], cache)
    elif action["kind"] == RESIZE:
        resize_cluster(
            store,
            clusters[cache],
            cache,
            action["max_weight"],
            action["lookup_ns"],
            now_ns + action["create_ns"],
        )
    elif action["kind"] != CHANGE:
        return take_in(endpoints, following, action["endpoint"], now_ns)
    return NOBODY


@kernel
def change(
    patches: NDArray[np.void],
    words: NDArray[np.int64],
    quotas: NDArray[np.void],
    state: State,
    store: Store,
    now_ns: int,
) -> None:
    """Give tables and mechanisms their new numbers.

    Parameters
    ----------
    patches : PATCH_DTYPE[n]
        What changes now.
    words : int64[n_words]
        The tables that change, in one piece.
    quotas : QUOTA_DTYPE[n_plans]
    state : State
        Records of the mechanisms.
    store : Store
    now_ns : int
        Time [ns].
    """
    for at in range(patches.shape[0]):
        patch = patches[at]
        kind = patch["kind"]
        index = patch["index"]
        if kind == PATCH_WORD:
            words[index] = patch["a"]
        elif kind == PATCH_BUCKET:
            change_bucket(state.buckets[index], patch["a"], patch["b"], patch["c"], now_ns)
            note_least(state.buckets[index])
        elif kind == PATCH_PLAN_BUCKET:
            change_bucket(state.plan_buckets[index], patch["a"], patch["b"], patch["c"], now_ns)
        elif kind == PATCH_SIGN_IN_BUCKET:
            change_bucket(state.sign_in_buckets[index], patch["a"], patch["b"], patch["c"], now_ns)
        elif kind == PATCH_SERVICE_LIMIT:
            limit = state.service_limits[index]
            change_bucket(limit, patch["a"], patch["b"], patch["c"], now_ns)
        elif kind == PATCH_GROUP:
            # Nobody is stopped: what runs beyond a lower limit only keeps others from starting.
            change_group(state.groups, index, patch["a"], patch["b"], now_ns)
        elif kind == PATCH_POOL:
            change_expiry(state.pools, state.idle, state.idle_since, index, patch["a"], now_ns)
        elif kind == PATCH_ENDPOINT:
            state.endpoints[index]["servers"] = patch["a"]
            state.endpoints[index]["queue_limit"] = patch["b"]
        elif kind == PATCH_QUOTA:
            for holder in range(state.subscriptions.shape[0]):
                if state.subscriptions[holder]["plan"] == index:
                    first_end = quotas[index]["first_end"]
                    change_allowance(state.subscriptions[holder], patch["a"], patch["b"], first_end)
        elif kind == PATCH_LINE:
            change_ttl(store, index, patch["a"], now_ns)
