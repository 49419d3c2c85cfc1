"""The response cache beyond the plain one: each decision alone, by hand-worked examples."""

from fractions import Fraction

import numpy as np
import pytest

from apisim.arrays.bits import mix64
from apisim.arrays.expiring_lru import (
    CACHE_DTYPE,
    LINE_DTYPE,
    UNBOUNDED,
    Store,
    flush_all,
    lru_drop,
    lru_find,
    lru_store,
    new_cache,
    new_store,
    room,
)
from apisim.gateway.cache_cluster import (
    ASSUMED_RATES,
    CLUSTER_DTYPE,
    flush_cluster,
    is_available,
    lookup_time_ns,
    resize_cluster,
    take_turn,
)
from apisim.gateway.cache_control import (
    IGNORED,
    INVALIDATES,
    POLICIES,
    REFUSED,
    WARNED,
    answer_to_max_age,
)
from apisim.gateway.cache_entries import UNKNOWN, is_stale, is_wrong, stored_bytes
from apisim.gateway.response_cache import CACHE_SIZES_BYTES, cache_keep

TTL = 100


def two_caches() -> Store:
    """Two caches without bounds, the first with two lines."""
    caches = np.zeros(2, CACHE_DTYPE)
    for cache in caches:
        new_cache(cache, max_weight=UNBOUNDED, max_entries=UNBOUNDED)
    lines = np.zeros(3, LINE_DTYPE)
    lines["ttl_ns"], lines["cache"] = TTL, [0, 0, 1]
    return new_store(caches, lines, 64)


def key(number: int) -> np.uint64:
    return np.uint64(mix64(np.uint64(number)))


def test_a_flush_empties_one_cache_and_leaves_the_others() -> None:
    store = two_caches()
    for number in range(20):
        lru_store(store, number % 3, key(number), 10, number, 0)
    flush_all(store, 0)
    assert store.caches[0]["entries"] == store.caches[0]["weight"] == 0
    assert [number for number in range(20) if lru_find(store, key(number), 1) >= 0] == [
        number for number in range(20) if number % 3 == 2
    ]
    assert room(store) == 64 - 6
    assert store.caches[0]["evictions"] == store.caches[0]["expirations"] == 0
    assert lru_store(store, 0, key(0), 10, 7, 2)  # and it can be filled again
    assert store.entries[lru_find(store, key(0), 3)]["value"] == 7


def test_a_flush_of_nothing_and_a_drop_of_what_is_not_there_change_nothing() -> None:
    store = two_caches()
    flush_all(store, 1)
    assert not lru_drop(store, key(1))
    assert room(store) == 64


def test_what_is_dropped_is_gone_alone() -> None:
    store = two_caches()
    for number in range(5):
        lru_store(store, 0, key(number), 10, number, 0)
    assert lru_drop(store, key(3))
    assert [lru_find(store, key(number), 1) >= 0 for number in range(5)] == [1, 1, 1, 0, 1]
    assert store.caches[0]["weight"] == 40


@pytest.mark.parametrize("replaces", [False, True])
def test_an_answer_for_a_live_key_counts_only_after_an_invalidation(replaces: bool) -> None:
    store = two_caches()
    first, second = np.uint64(11), np.uint64(22)
    assert cache_keep(store, 0, key(1), 500, 505, 1_000, 200, first, False, 0)
    assert cache_keep(store, 0, key(1), 600, 606, 1_000, 200, second, replaces, 60) is replaces
    entry = store.entries[lru_find(store, key(1), 99)]
    assert (entry["value"], entry["about"]) == ((600, 22) if replaces else (500, 11))
    # The new entry lives as long as any.
    assert (lru_find(store, key(1), 120) >= 0) is replaces


def test_an_invalidation_by_too_large_an_answer_leaves_nothing() -> None:
    store = two_caches()
    cache_keep(store, 0, key(1), 500, 500, 1_000, 0, UNKNOWN, False, 0)
    assert not cache_keep(store, 0, key(1), 1_001, 1_001, 1_000, 0, UNKNOWN, True, 1)
    assert lru_find(store, key(1), 2) < 0


@pytest.mark.parametrize(
    ("needs", "has", "policy", "expected"),
    [
        # Who may, or need not, invalidates, whatever others are told.
        (1, True, "fail_with_403", INVALIDATES),
        (0, False, "fail_with_403", INVALIDATES),
        (0, True, "succeed_with_header", INVALIDATES),
        (1, False, "fail_with_403", REFUSED),
        (1, False, "succeed_with_header", WARNED),
        (1, False, "succeed_without_header", IGNORED),
    ],
)
def test_max_age_zero(needs: int, has: bool, policy: str, expected: int) -> None:
    assert answer_to_max_age(needs, has, POLICIES[policy]) == expected


def test_an_entry_that_is_stale_once_stays_so() -> None:
    ages = [is_stale(age, 0.5, 0.3) for age in range(0, 10**10, 10**8)]
    assert ages == sorted(ages)
    # -log(0.3) / 0.5 = 2.408 s
    assert ages.index(True) == 25


def test_the_share_of_stale_entries_is_exponential_in_their_age() -> None:
    draws = (np.arange(100_000) + 0.5) / 100_000
    for age_s, rate in ((10, 0.1), (1, 2.0), (3, 1 / 60)):
        share = np.mean([is_stale(round(age_s * 1e9), rate, u) for u in draws])
        assert share == pytest.approx(1 - np.exp(-rate * age_s), abs=2e-5)


def test_an_answer_is_wrong_only_if_both_sides_are_known() -> None:
    one, other = np.uint64(1), np.uint64(2)
    assert is_wrong(one, other)
    assert not is_wrong(one, one)
    assert not is_wrong(UNKNOWN, other)
    assert not is_wrong(one, UNKNOWN)


@pytest.mark.parametrize(
    ("body", "ppm", "expected"),
    [(1_000, 0, 1_000), (1_000, 10_000, 1_010), (1, 10_000, 2), (0, 10_000, 0), (99, 10_000, 100)],
)
def test_encryption_adds_whole_bytes(body: int, ppm: int, expected: int) -> None:
    assert stored_bytes(body, ppm) == expected


def test_lookups_queue_first_in_first_out() -> None:
    cluster = np.zeros(1, CLUSTER_DTYPE)[0]
    cluster["lookup_ns"] = 10
    # Alone; while that one is served; both at once; after all of them.
    assert [take_turn(cluster, now) for now in (0, 4, 4, 50)] == [10, 20, 30, 60]
    assert cluster["max_wait_ns"] == 16


def test_a_resized_instance_is_another_one() -> None:
    store = two_caches()
    lru_store(store, 0, key(1), 10, 0, 0)
    cluster = np.zeros(1, CLUSTER_DTYPE)[0]
    cluster["lookup_ns"] = 10
    take_turn(cluster, 0)
    resize_cluster(store, cluster, 0, 5, 3, 240)
    assert lru_find(store, key(1), 1) < 0
    assert [is_available(cluster, now) for now in (1, 239, 240)] == [False, False, True]
    assert not lru_store(store, 0, key(1), 6, 0, 240)  # heavier than all of it
    assert take_turn(cluster, 240) == 243
    flush_cluster(store, cluster, 0)
    assert cluster["flushes"] == 1


def test_every_size_has_an_assumed_rate_twice_that_of_the_one_before() -> None:
    assert list(ASSUMED_RATES) == list(CACHE_SIZES_BYTES)
    assert [rate // 2_000 for rate in ASSUMED_RATES.values()] == [2**step for step in range(8)]
    assert lookup_time_ns(ASSUMED_RATES["0.5"]) == 500_000
    assert lookup_time_ns(Fraction(3)) == 333_333_333
