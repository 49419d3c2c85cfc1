"""Maps whose entries expire by age and leave, least recently used first, when space runs out.

Many *caches* share one hash table and one pool of entries; each cache has its own order of use and
its own bounds (weight and number of entries). Every entry belongs to a *line*: entries of a line
share one time to live, so the order in which they were stored is the order in which they expire,
and expiry costs no timers.

Rules, all decided here once:

* an entry is valid while ``age < ttl``: what is exactly as old as its limit is gone;
* storing under a key that is still valid changes nothing;
* expired entries leave before any valid one is evicted for space;
* an entry heavier than its cache is not kept.

The pool never grows by itself: callers keep ``room(store) > 0`` before each store.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.aligned import aligned_zeros
from apisim.arrays.jit import inline, kernel, part

__all__ = [
    "CACHE_DTYPE",
    "ENTRY_DTYPE",
    "LINE_DTYPE",
    "META_DTYPE",
    "UNBOUNDED",
    "Store",
    "change_ttl",
    "expire_all",
    "flush_all",
    "grow_store",
    "lru_drop",
    "lru_find",
    "lru_newest_in_line",
    "lru_store",
    "new_cache",
    "new_store",
    "room",
]

NOWHERE: Final = -1
UNBOUNDED: Final = 1 << 62
_ENTRY: Final = (1 << 31) - 1
_HALF: Final = np.uint64(0xFFFFFFFF)

ENTRY_DTYPE: Final = np.dtype(
    [
        ("key", "u8"),
        ("stored_ns", "i8"),
        ("weight", "i8"),
        ("value", "i8"),
        ("line", "i4"),
        ("newer", "i4"),  # order of use within the cache
        ("older", "i4"),
        ("after", "i4"),  # order of storing within the line; also chains the free entries
        ("before", "i4"),
        ("about", "u8"),  # what else its owner knows of it; 0 when stored
    ],
    align=True,
)
CACHE_DTYPE: Final = np.dtype(
    [
        ("max_weight", "i8"),
        ("max_entries", "i8"),
        ("weight", "i8"),
        ("entries", "i8"),
        ("evictions", "i8"),
        ("expirations", "i8"),
        ("newest", "i4"),
        ("oldest", "i4"),
        ("is_bounded", "i8"),
    ],
    align=True,
)
LINE_DTYPE: Final = np.dtype(
    [("ttl_ns", "i8"), ("cache", "i4"), ("first", "i4"), ("last", "i4")], align=True
)
META_DTYPE: Final = np.dtype([("free", "i4"), ("n_free", "i4")], align=True)


class Store(NamedTuple):
    """Caches, the lines their entries belong to, and the pool of entries they share."""

    caches: NDArray[np.void]  # CACHE_DTYPE[n_caches]
    lines: NDArray[np.void]  # LINE_DTYPE[n_lines]
    entries: NDArray[np.void]  # ENTRY_DTYPE[room]
    table: NDArray[np.int64]  # [2 * room] open addressing: half a key and where its entry is
    meta: NDArray[np.void]  # META_DTYPE[1]


def new_store(caches: NDArray[np.void], lines: NDArray[np.void], capacity: int) -> Store:
    """Empty caches with room for ``capacity`` entries (a power of two)."""
    lines["first"] = lines["last"] = NOWHERE
    entries = aligned_zeros(capacity, ENTRY_DTYPE)
    entries["after"] = np.arange(1, capacity + 1, dtype=np.int32)
    entries["after"][-1] = NOWHERE
    meta = np.zeros(1, META_DTYPE)
    meta["n_free"] = capacity
    return Store(caches, lines, entries, np.full(2 * capacity, NOWHERE, np.int64), meta)


def new_cache(row: np.void, *, max_weight: int, max_entries: int) -> None:
    """Make ``row`` an empty cache."""
    row["max_weight"], row["max_entries"] = max_weight, max_entries
    row["newest"] = row["oldest"] = NOWHERE
    row["is_bounded"] = int(max_weight < UNBOUNDED or max_entries < UNBOUNDED)


def grow_store(store: Store) -> Store:
    """The same caches and entries, with room for twice as many."""
    capacity = len(store.entries)
    first, last = store.lines["first"].copy(), store.lines["last"].copy()
    larger = new_store(store.caches, store.lines, 2 * capacity)
    store.lines["first"], store.lines["last"] = first, last
    larger.entries[:capacity] = store.entries
    live = np.ones(capacity, np.bool_)
    at = int(store.meta["free"][0])
    while at != NOWHERE:
        live[at] = False
        at = int(store.entries["after"][at])
    free = np.concatenate([np.flatnonzero(~live), np.arange(capacity, 2 * capacity)])
    larger.entries["after"][free[:-1]] = free[1:]
    larger.entries["after"][free[-1]] = NOWHERE
    larger.meta["free"], larger.meta["n_free"] = free[0], len(free)
    _fill_table(larger.entries, larger.table, np.flatnonzero(live))
    return larger


@kernel
def _fill_table(
    entries: NDArray[np.void], table: NDArray[np.int64], live: NDArray[np.int64]
) -> None:
    for entry in live:
        key = entries[entry]["key"]
        table[_seek(entries, table, key)] = _cell(key, entry)


@inline
def room(store: Store) -> int:
    """How many more entries the pool takes."""
    return store.meta[0]["n_free"]  # type: ignore[no-any-return]


@part
def _cell(key: np.uint64, entry: int) -> int:
    # Half of the key stands in the table itself: most probes need not look at an entry, which is
    # somewhere else in memory.
    return (np.int64(key & _HALF) << 31) | entry  # type: ignore[return-value]


@part
def _entry_of(cell: int) -> int:
    return cell & _ENTRY


@part
def _seek(entries: NDArray[np.void], table: NDArray[np.int64], key: np.uint64) -> int:
    """Place of ``key`` in the table, or of the gap where it would go."""
    # Keys arrive scrambled (arrays.bits), so their low bits are as good as any.
    half = np.int64(key & _HALF)
    mask = table.shape[0] - 1
    at = half & mask
    while table[at] != NOWHERE:
        if table[at] >> 31 == half and entries[_entry_of(table[at])]["key"] == key:
            break
        at = (at + 1) & mask
    return at  # type: ignore[no-any-return]


@part
def _unlink_use(cache: np.void, entries: NDArray[np.void], at: int) -> None:
    entry = entries[at]
    newer, older = entry["newer"], entry["older"]
    if newer == NOWHERE:
        cache["newest"] = older
    else:
        entries[newer]["older"] = older
    if older == NOWHERE:
        cache["oldest"] = newer
    else:
        entries[older]["newer"] = newer


@part
def _use_now(cache: np.void, entries: NDArray[np.void], at: int) -> None:
    entry = entries[at]
    entry["newer"] = NOWHERE
    entry["older"] = cache["newest"]
    if cache["newest"] == NOWHERE:
        cache["oldest"] = at
    else:
        entries[cache["newest"]]["newer"] = at
    cache["newest"] = at


@kernel
def _remove(
    store: Store,
    at: int,
) -> None:
    caches, lines, entries, table, meta = store
    entry = entries[at]
    line = lines[entry["line"]]
    cache = caches[line["cache"]]
    _unlink_use(cache, entries, at)
    before, after = entry["before"], entry["after"]
    if before == NOWHERE:
        line["first"] = after
    else:
        entries[before]["after"] = after
    if after == NOWHERE:
        line["last"] = before
    else:
        entries[after]["before"] = before
    cache["weight"] -= entry["weight"]
    cache["entries"] -= 1
    # Linear probing without tombstones: what comes behind moves up into the gap if it may.
    mask = table.shape[0] - 1
    gap = _seek(entries, table, entry["key"])
    probe = gap
    while True:
        probe = (probe + 1) & mask
        if table[probe] == NOWHERE:
            break
        home = (table[probe] >> 31) & mask
        if ((probe - home) & mask) >= ((probe - gap) & mask):
            table[gap] = table[probe]
            gap = probe
    table[gap] = NOWHERE
    entry["after"] = meta[0]["free"]
    meta[0]["free"] = at
    meta[0]["n_free"] += 1


@part
def _expire_line(
    store: Store,
    at_line: int,
    now_ns: int,
) -> None:
    caches, lines, entries = store.caches, store.lines, store.entries
    line = lines[at_line]
    while (
        line["first"] != NOWHERE and now_ns - entries[line["first"]]["stored_ns"] >= line["ttl_ns"]
    ):
        caches[line["cache"]]["expirations"] += 1
        _remove(store, line["first"])


@kernel
def expire_all(
    store: Store,
    at_cache: int,
    now_ns: int,
) -> None:
    """Let everything that is too old leave one cache."""
    for at_line in range(store.lines.shape[0]):
        if store.lines[at_line]["cache"] == at_cache:
            _expire_line(store, at_line, now_ns)


@kernel
def change_ttl(store: Store, at_line: int, ttl_ns: int, now_ns: int) -> None:
    """Give a line another time to live, for what it holds too; what is too old is gone first."""
    _expire_line(store, at_line, now_ns)
    store.lines[at_line]["ttl_ns"] = ttl_ns


@kernel
def flush_all(store: Store, at_cache: int) -> None:
    """Remove everything from one cache, valid or not; nothing is counted.

    It takes as long as there are entries, each of which was stored once before.
    """
    cache = store.caches[at_cache]
    while cache["newest"] != NOWHERE:
        _remove(store, cache["newest"])


@kernel
def lru_drop(store: Store, key: np.uint64) -> bool:
    """Remove one entry, valid or not; whether it was there."""
    cell = store.table[_seek(store.entries, store.table, key)]
    if cell == NOWHERE:
        return False
    _remove(store, _entry_of(cell))
    return True


@inline
def lru_newest_in_line(store: Store, at_line: int) -> int:
    """Index of the entry that was stored in a line last, or -1."""
    return store.lines[at_line]["last"]  # type: ignore[no-any-return]


@inline
def lru_find(
    store: Store,
    key: np.uint64,
    now_ns: int,
) -> int:
    """Look a key up.

    Returns
    -------
    int
        Index of the valid entry, now the most recently used of its cache, or -1. An expired entry
        found on the way is removed.
    """
    caches, lines, entries, table, _ = store
    cell = table[_seek(entries, table, key)]
    if cell == NOWHERE:
        return NOWHERE
    at = _entry_of(cell)
    entry = entries[at]
    line = lines[entry["line"]]
    if now_ns - entry["stored_ns"] >= line["ttl_ns"]:
        caches[line["cache"]]["expirations"] += 1
        _remove(store, at)
        return NOWHERE
    cache = caches[line["cache"]]
    # A cache without bounds never evicts, so nobody asks in which order it was used.
    if cache["newest"] != at and cache["is_bounded"] == 1:
        _unlink_use(cache, entries, at)
        _use_now(cache, entries, at)
    return at


@kernel
def lru_store(
    store: Store,
    at_line: int,
    key: np.uint64,
    weight: int,
    value: int,
    now_ns: int,
) -> bool:
    """Store an entry in a line; the caller knows that the pool has room.

    Returns
    -------
    bool
        Whether it was stored: not when the key is already valid, the line's time to live is zero
        or the entry is heavier than the whole cache.
    """
    caches, lines, entries, table, meta = store
    line = lines[at_line]
    cache = caches[line["cache"]]
    if line["ttl_ns"] <= 0 or weight > cache["max_weight"] or cache["max_entries"] <= 0:
        return False
    cell = table[_seek(entries, table, key)]
    if cell != NOWHERE:
        found = _entry_of(cell)
        if now_ns - entries[found]["stored_ns"] < lines[entries[found]["line"]]["ttl_ns"]:
            return False
        cache["expirations"] += 1
        _remove(store, found)
    _expire_line(store, at_line, now_ns)
    if (
        cache["weight"] + weight > cache["max_weight"]
        or cache["entries"] + 1 > cache["max_entries"]
    ):
        expire_all(store, line["cache"], now_ns)
        while (
            cache["weight"] + weight > cache["max_weight"]
            or cache["entries"] + 1 > cache["max_entries"]
        ):
            cache["evictions"] += 1
            _remove(store, cache["oldest"])
    at = meta[0]["free"]
    entry = entries[at]
    meta[0]["free"] = entry["after"]
    meta[0]["n_free"] -= 1
    entry["key"] = key
    entry["stored_ns"] = now_ns
    entry["weight"] = weight
    entry["value"] = value
    entry["line"] = at_line
    entry["about"] = 0
    table[_seek(entries, table, key)] = _cell(key, at)
    _use_now(cache, entries, at)
    entry["after"] = NOWHERE
    entry["before"] = line["last"]
    if line["last"] == NOWHERE:
        line["first"] = at
    else:
        entries[line["last"]]["after"] = at
    line["last"] = at
    cache["weight"] += weight
    cache["entries"] += 1
    return True
