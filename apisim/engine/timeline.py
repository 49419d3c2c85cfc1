"""What the timeline does to the mechanisms; both engines call it when an action is due."""

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.expiring_lru import Store
from apisim.arrays.jit import kernel
from apisim.engine.tables import FLUSH
from apisim.gateway.cache_cluster import flush_cluster, resize_cluster

__all__ = ["act"]


@kernel
def act(action: np.void, store: Store, clusters: NDArray[np.void], now_ns: int) -> None:
    """Carry out one action.

    Parameters
    ----------
    action : ACTION_DTYPE record
    store : Store
    clusters : CLUSTER_DTYPE[n_caches]
    now_ns : int
        Time [ns].
    """
    cache = action["cache"]
    if action["kind"] == FLUSH:
        flush_cluster(store, clusters[cache], cache)
    else:
        resize_cluster(
            store,
            clusters[cache],
            cache,
            action["max_weight"],
            action["lookup_ns"],
            now_ns + action["create_ns"],
        )
