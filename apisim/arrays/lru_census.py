"""How much of a cache is still valid at some moment, without changing anything.

Expired entries leave a cache when somebody looks for them or stores in their line, so the figures
that a cache keeps of itself may be too high in between.
"""

from apisim.arrays.expiring_lru import Store
from apisim.arrays.jit import kernel

__all__ = ["lru_census"]


@kernel
def lru_census(store: Store, at_cache: int, now_ns: int) -> tuple[int, int]:
    """Valid entries of one cache, and their weight.

    It takes as long as there are expired entries that have not left yet.

    Parameters
    ----------
    store : Store
        Not changed.
    at_cache : int
    now_ns : int
        Time [ns].
    """
    n_entries = store.caches[at_cache]["entries"]
    weight = store.caches[at_cache]["weight"]
    for at_line in range(store.lines.shape[0]):
        line = store.lines[at_line]
        if line["cache"] != at_cache:
            continue
        at = line["first"]
        while at >= 0 and now_ns - store.entries[at]["stored_ns"] >= line["ttl_ns"]:
            n_entries -= 1
            weight -= store.entries[at]["weight"]
            at = store.entries[at]["after"]
    return n_entries, weight
