"""The machine behind a stage's response cache: when it is there, how fast it is, what empties it.

Facts (developer guide, "Enabling API caching"): a stage has one dedicated instance; making one
takes up to four minutes; another size is another instance, and all that was cached is lost; a flush
empties it. A larger size is faster, but AWS publishes no figure and asks for a load test. So
the instance is a server with one queue that takes every lookup for the same time, and only where a
scenario says so (``settings.cache_throughput``); the figures of :data:`ASSUMED_RATES` are invented.

While there is no instance, calls go to the integration as if there were no cache, and nothing is
stored.
"""

from fractions import Fraction
from typing import Final

import numpy as np

from apisim.arrays.expiring_lru import Store, flush_all
from apisim.arrays.jit import inline, kernel

__all__ = [
    "ASSUMED_RATES",
    "CLUSTER_DTYPE",
    "flush_cluster",
    "is_available",
    "lookup_time_ns",
    "resize_cluster",
    "take_turn",
]

CLUSTER_DTYPE: Final = np.dtype(
    [
        ("available_ns", "i8"),  # when the instance is there
        ("lookup_ns", "i8"),  # time of one lookup; 0: no limit
        ("free_ns", "i8"),  # when the last lookup that was let in ends
        ("max_wait_ns", "i8"),
        ("flushes", "i8"),
    ],
    align=True,
)

#: Lookups a second by size. Invented: AWS says that larger is faster, not by how much.
ASSUMED_RATES: Final = {
    "0.5": 2_000,
    "1.6": 4_000,
    "6.1": 8_000,
    "13.5": 16_000,
    "28.4": 32_000,
    "58.2": 64_000,
    "118": 128_000,
    "237": 256_000,
}


def lookup_time_ns(rate: Fraction | int) -> int:
    """Time of one lookup at a rate [1/s], to the nanosecond."""
    return round(1_000_000_000 / rate)


@inline
def is_available(cluster: np.void, now_ns: int) -> bool:
    """Whether the instance is there."""
    return now_ns >= cluster["available_ns"]  # type: ignore[no-any-return]


@kernel
def take_turn(cluster: np.void, now_ns: int) -> int:
    """A lookup joins the queue; the time [ns] at which it has been served.

    First in, first out at one server, so what is ahead of a lookup is known when it comes.
    """
    start_ns = max(now_ns, cluster["free_ns"])
    cluster["max_wait_ns"] = max(cluster["max_wait_ns"], start_ns - now_ns)
    cluster["free_ns"] = start_ns + cluster["lookup_ns"]
    return cluster["free_ns"]  # type: ignore[no-any-return]


@kernel
def flush_cluster(store: Store, cluster: np.void, cache: int) -> None:
    """Empty a stage's cache (``FlushStageCache``)."""
    flush_all(store, cache)
    cluster["flushes"] += 1


@kernel
def resize_cluster(
    store: Store,
    cluster: np.void,
    cache: int,
    max_weight: int,
    lookup_ns: int,
    available_ns: int,
) -> None:
    """Another instance takes the place of this one: empty, and there from ``available_ns`` on."""
    flush_all(store, cache)
    store.caches[cache]["max_weight"] = max_weight
    cluster["lookup_ns"] = lookup_ns
    cluster["free_ns"] = available_ns
    cluster["available_ns"] = available_ns
