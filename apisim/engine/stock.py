"""Taking stock: how functions, endpoints, buckets and caches stood as each period ended.

A period is over before the first event at or after its end: both engines call :func:`take_stock`
then, and :func:`close_stock` when nothing more will happen. Means over time are exact that way: a
mechanism integrates on every change, and what has not changed since goes on up to the end of the
period. Peaks and least levels are kept by the mechanisms since they were last asked; a bucket has
least when a request has just been let by, or as a period begins.
"""

from typing import Final

from apisim.arrays.expiring_lru import Store
from apisim.arrays.jit import constant, gate, kernel
from apisim.arrays.lru_census import lru_census
from apisim.engine.mechanism_records import MOST_PERIODS, ROOM, MechanismRecords
from apisim.engine.state import State

__all__ = ["close_stock", "take_stock"]

_NOT_YET: Final = constant(0)


@gate
def _join(records: MechanismRecords) -> None:
    """Join the periods that are over two by two: the later one's figures, the higher peak."""
    head = records.head[0]
    head["period"] //= 2
    for period in range(head["period"]):
        first, second = 2 * period, 2 * period + 1
        for at in range(records.functions.shape[0]):
            peak = max(records.functions[at, first]["peak"], records.functions[at, second]["peak"])
            records.functions[at, period] = records.functions[at, second]
            records.functions[at, period]["peak"] = peak
        for at in range(records.endpoints.shape[0]):
            peak = max(records.endpoints[at, first]["peak"], records.endpoints[at, second]["peak"])
            records.endpoints[at, period] = records.endpoints[at, second]
            records.endpoints[at, period]["peak"] = peak
        for at in range(records.buckets.shape[0]):
            least = min(records.buckets[at, first]["least"], records.buckets[at, second]["least"])
            records.buckets[at, period] = records.buckets[at, second]
            records.buckets[at, period]["least"] = least
        for at in range(records.caches.shape[0]):
            records.caches[at, period] = records.caches[at, second]
    head["period_ns"] *= 2
    head["due_ns"] = (head["period"] + 1) * head["period_ns"]


@gate
def _write(
    records: MechanismRecords,
    state: State,
    store: Store,
    period: int,
    is_over: int,
    end_ns: int,
    census_ns: int,
) -> None:
    """Write one period down as it ends; one that was over already keeps its peaks."""
    for at in range(records.functions.shape[0]):
        pool = state.pools[at]
        into = records.functions[at, period]
        into["invocations"] = pool["invocations"]
        into["cold_starts"] = pool["cold_starts"]
        into["throttles"] = pool["throttles"]
        into["busy_ns"] = pool["busy_ns"] + end_ns * pool["busy"]
        into["peak"] = max(pool["peak_busy"], into["peak"]) if is_over == 1 else pool["peak_busy"]
        pool["peak_busy"] = pool["busy"]
        limit = state.groups[pool["group"]]["limit"]
        if pool["provision"] >= 0:
            limit += state.groups[pool["provision"]]["limit"]
        into["limit"] = limit
    for at in range(records.endpoints.shape[0]):
        endpoint = state.endpoints[at]
        of_endpoint = records.endpoints[at, period]
        peak = endpoint["peak_waiting"]
        of_endpoint["served"] = endpoint["served"]
        of_endpoint["refused"] = endpoint["refused"]
        of_endpoint["busy_ns"] = endpoint["busy_ns"] + end_ns * endpoint["busy"]
        of_endpoint["waiting_ns"] = endpoint["waiting_ns"] + end_ns * endpoint["waiting"]
        of_endpoint["peak"] = max(peak, of_endpoint["peak"]) if is_over == 1 else peak
        endpoint["peak_waiting"] = endpoint["waiting"]
    for at in range(records.buckets.shape[0]):
        bucket = state.buckets[at]
        of_bucket = records.buckets[at, period]
        least = bucket["least"] // bucket["parts_per_token"]
        of_bucket["admitted"] = bucket["admitted"]
        of_bucket["refused"] = bucket["refused"]
        of_bucket["least"] = min(least, of_bucket["least"]) if is_over == 1 else least
        # The next period begins with what has come in by then; the bucket itself is left alone.
        waited_ns = min(end_ns - bucket["last_ns"], bucket["to_full_ns"])
        level = bucket["level"] + waited_ns * bucket["parts_per_ns"]
        bucket["least"] = min(bucket["capacity"], level)
    for at in range(records.caches.shape[0]):
        of_cache = records.caches[at, period]
        entries, weight = lru_census(store, at, census_ns)
        of_cache["evictions"] = store.caches[at]["evictions"]
        of_cache["entries"] = entries
        of_cache["bytes"] = weight


@kernel
def take_stock(records: MechanismRecords, state: State, store: Store, now_ns: int) -> int:
    """Write down each period that is over.

    Parameters
    ----------
    records : MechanismRecords
        Updated in place.
    state : State
        Before anything has happened at ``now_ns``; only its peaks and least levels start afresh.
    store : Store
    now_ns : int
        Time [ns].

    Returns
    -------
    int
        When the next period is over [ns].
    """
    head = records.head[0]
    while now_ns >= head["due_ns"]:
        due_ns = head["due_ns"]
        _write(records, state, store, head["period"], _NOT_YET, due_ns, due_ns)
        head["period"] += 1
        head["due_ns"] = due_ns + head["period_ns"]
        if head["period"] == ROOM:
            _join(records)
    return head["due_ns"]  # type: ignore[no-any-return]


@kernel
def close_stock(records: MechanismRecords, state: State, store: Store, end_ns: int) -> None:
    """Write down the last period, in which a run ended, and forget any after it.

    Its integrals go up to the end of the period, by which everything is idle; what happened at its
    very end belongs to it. Afterwards the mechanisms' own peaks and least levels are 0.
    """
    take_stock(records, state, store, end_ns - 1)
    head = records.head[0]
    last = max(end_ns - 1, 0) // head["period_ns"]
    is_over = 1 if head["period"] > last else 0
    _write(records, state, store, last, is_over, (last + 1) * head["period_ns"], end_ns)
    head["period"] = last + 1
    while head["period"] > MOST_PERIODS:
        if head["period"] % 2 == 1:
            _repeat(records, head["period"])
            head["period"] += 1
        _join(records)
    for at in range(records.functions.shape[0]):
        state.pools[at]["peak_busy"] = 0
    for at in range(records.endpoints.shape[0]):
        state.endpoints[at]["peak_waiting"] = 0
    for at in range(records.buckets.shape[0]):
        state.buckets[at]["least"] = 0


@gate
def _repeat(records: MechanismRecords, period: int) -> None:
    """Nothing more happens in a period: it ends as the one before did."""
    for at in range(records.functions.shape[0]):
        records.functions[at, period] = records.functions[at, period - 1]
    for at in range(records.endpoints.shape[0]):
        records.endpoints[at, period] = records.endpoints[at, period - 1]
    for at in range(records.buckets.shape[0]):
        records.buckets[at, period] = records.buckets[at, period - 1]
    for at in range(records.caches.shape[0]):
        records.caches[at, period] = records.caches[at, period - 1]
