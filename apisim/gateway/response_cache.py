"""The response cache of a REST API's stage.

Facts (developer guide, "Enabling API caching"): one dedicated instance per stage in eight sizes,
GET only unless a method says otherwise, TTL 0 to 3,600 s from insertion (300 s by default), answers
over 1,048,576 bytes served but not stored, keys made of the chosen parameters only. AWS documents
neither the eviction policy nor what an entry weighs; here: least recently used by bytes, an entry
weighs its body plus a named overhead, 2XX answers only, stored when the answer arrives, no
coalescing of concurrent misses, and an answer for a key already live changes nothing.
"""

from typing import Final

import numpy as np

from apisim.arrays.expiring_lru import Store, lru_find, lru_store
from apisim.arrays.jit import inline

__all__ = ["CACHE_SIZES_BYTES", "cache_lookup", "cache_store"]

_GB: Final = 1 << 30
#: Capacity of each ``cacheClusterSize`` [bytes]; the name is the size in GB.
CACHE_SIZES_BYTES: Final = {
    "0.5": _GB // 2,
    "1.6": 16 * _GB // 10,
    "6.1": 61 * _GB // 10,
    "13.5": 135 * _GB // 10,
    "28.4": 284 * _GB // 10,
    "58.2": 582 * _GB // 10,
    "118": 118 * _GB,
    "237": 237 * _GB,
}


@inline
def cache_lookup(
    store: Store,
    key: np.uint64,
    now_ns: int,
) -> int:
    """Body size [bytes] of the stored answer, or -1 for a miss."""
    at = lru_find(store, key, now_ns)
    if at < 0:
        return -1
    return store.entries[at]["value"]  # type: ignore[no-any-return]


@inline
def cache_store(
    store: Store,
    line: int,
    key: np.uint64,
    body_bytes: int,
    max_object_bytes: int,
    overhead_bytes: int,
    now_ns: int,
) -> bool:
    """Store a 2XX answer that has just arrived, unless it is too large."""
    if body_bytes > max_object_bytes:
        return False
    weight = body_bytes + overhead_bytes
    return lru_store(store, line, key, weight, body_bytes, now_ns)
