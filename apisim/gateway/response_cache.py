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

from apisim.arrays.expiring_lru import Store, lru_drop, lru_find, lru_newest_in_line, lru_store
from apisim.arrays.jit import inline, kernel

__all__ = ["CACHE_SIZES_BYTES", "cache_keep", "cache_lookup", "cache_store"]

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


@kernel
def cache_keep(
    store: Store,
    line: int,
    key: np.uint64,
    value: int,
    stored_bytes: int,
    max_object_bytes: int,
    overhead_bytes: int,
    about: np.uint64,
    replaces: bool,
    now_ns: int,
) -> bool:
    """Store an answer whose entry says more than its size; see :func:`cache_store`.

    Parameters
    ----------
    store, line, key
        As for :func:`apisim.arrays.expiring_lru.lru_store`.
    value : int
        What the entry says: a body's size [bytes], or an answer below zero.
    stored_bytes : int
        Size as it is stored [bytes].
    max_object_bytes, overhead_bytes : int
        Largest size that is stored, and what an entry weighs beyond it [bytes].
    about : uint64
        Hash of what the answer depends on.
    replaces : bool
        Whether a valid entry gives way: the call was an invalidation.
    now_ns : int
        Time [ns].
    """
    if replaces:
        lru_drop(store, key)
    if stored_bytes > max_object_bytes:
        return False
    if not lru_store(store, line, key, stored_bytes + overhead_bytes, value, now_ns):
        return False
    store.entries[lru_newest_in_line(store, line)]["about"] = about
    return True
