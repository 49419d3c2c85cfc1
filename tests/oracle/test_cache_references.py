"""The cache hits where other programs' caches hit, request for request, on the same requests.

libcachesim (C) and cachetools (Python) were written by others; Mattson's stack and the greedy cover
are no caches at all. Identities P5 and P6 of the oracle list.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import cachetools
import libcachesim  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisim.arrays.bits import mix64
from apisim.arrays.expiring_lru import (
    CACHE_DTYPE,
    LINE_DTYPE,
    UNBOUNDED,
    Store,
    expire_all,
    lru_find,
    lru_store,
    new_cache,
    new_store,
)
from apisim.engine.recorder import CACHE_HIT
from tests.support.caches import covered, stack_distances
from tests.support.experiments import MOCK, prepare, rows_of, scenario
from tests.support.logs import LogRow, replay, write_log

pytestmark = pytest.mark.oracle


def store_of(ttl: int, max_weight: int, max_entries: int) -> Store:
    caches = np.zeros(1, CACHE_DTYPE)
    new_cache(caches[0], max_weight=max_weight, max_entries=max_entries)
    lines = np.zeros(1, LINE_DTYPE)
    lines["ttl_ns"], lines["cache"] = ttl, 0
    return new_store(caches, lines, 64)


def hits_of(store: Store, requests: Iterable[tuple[int, int, int]]) -> list[bool]:
    """Hits of (time, key, size); what is not there is stored at once."""
    hits = []
    for time, key, size in requests:
        scrambled = np.uint64(mix64(np.uint64(key + 1)))
        found = lru_find(store, scrambled, time) >= 0
        hits.append(bool(found))
        if not found:
            lru_store(store, 0, scrambled, size, size, time)
    return hits


class Reference:
    """cachetools with a clock of our own."""

    def __init__(self, ttl: int, capacity: int, size_of: dict[int, int]) -> None:
        self.now = 0
        self.cache: cachetools.TTLCache[int, int] = cachetools.TTLCache(
            capacity, ttl, timer=lambda: self.now, getsizeof=size_of.__getitem__
        )

    def hits(self, requests: Iterable[tuple[int, int, int]]) -> list[bool]:
        hits = []
        for time, key, size in requests:
            self.now = time
            hits.append(key in self.cache)
            if hits[-1]:
                assert self.cache[key] == key  # makes it the most recently used
            elif size <= self.cache.maxsize:
                self.cache[key] = key
        return hits


sizes = st.lists(st.integers(1, 12), min_size=10, max_size=10)
steps = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), min_size=1, max_size=120)


def timed(steps: Sequence[tuple[int, int]], sizes: Sequence[int]) -> list[tuple[int, int, int]]:
    times = np.cumsum([gap for gap, _ in steps]).tolist()
    return [(time, key, sizes[key]) for time, (_, key) in zip(times, steps, strict=True)]


@given(steps, sizes, st.integers(1, 40), st.integers(1, 60))
def test_bytes_and_times_to_live_are_kept_as_cachetools_keeps_them(
    steps: list[tuple[int, int]], sizes: list[int], capacity: int, ttl: int
) -> None:
    requests = timed(steps, sizes)
    reference = Reference(ttl, capacity, dict(enumerate(sizes)))
    store = store_of(ttl, capacity, UNBOUNDED)
    assert hits_of(store, requests) == reference.hits(requests)
    now = requests[-1][0]
    expire_all(store, 0, now)
    reference.cache.expire()
    assert store.caches["entries"][0] == len(reference.cache)
    assert store.caches["weight"][0] == reference.cache.currsize <= capacity


@given(steps, st.integers(1, 11), st.integers(1, 60))
def test_entries_and_times_to_live_are_kept_as_cachetools_keeps_them(
    steps: list[tuple[int, int]], capacity: int, ttl: int
) -> None:
    requests = timed(steps, [1] * 10)
    reference = Reference(ttl, capacity, dict.fromkeys(range(10), 1))
    assert hits_of(store_of(ttl, UNBOUNDED, capacity), requests) == reference.hits(requests)


@given(steps)
def test_a_cache_of_any_capacity_hits_below_its_stack_distance(
    steps: list[tuple[int, int]],
) -> None:
    """P5: one pass of Mattson's stack knows all capacities, so a larger one hits no less."""
    requests = timed(steps, [1] * 10)
    distances = stack_distances([key for _, key, _ in requests])
    for capacity in range(1, 12):
        hits = hits_of(store_of(UNBOUNDED, UNBOUNDED, capacity), requests)
        assert hits == [distance is not None and distance < capacity for distance in distances]


@given(steps, st.lists(st.integers(1, 80), min_size=2, max_size=5))
def test_misses_are_the_fewest_intervals_that_cover_the_requests(
    steps: list[tuple[int, int]], ttls: list[int]
) -> None:
    """P6: for each key, and so a longer time to live never misses more."""
    requests = timed(steps, [1] * 10)
    times: dict[int, list[int]] = {}
    for time, key, _ in requests:
        times.setdefault(key, []).append(time)
    before = len(requests)
    for ttl in sorted(ttls):
        misses = hits_of(store_of(ttl, UNBOUNDED, UNBOUNDED), requests).count(False)
        assert misses == sum(covered(points, ttl) for points in times.values())
        assert misses <= before
        before = misses


@pytest.fixture(scope="module")
def requests() -> list[tuple[int, int, int]]:
    """20,000 requests of 2,000 keys, 0 to 40 ms apart: numpy's draws, not ours."""
    generator = np.random.default_rng(2026)
    keys = np.minimum(generator.zipf(1.3, 20_000), 2_000) - 1
    sizes = generator.integers(1, 2_000, 2_000)
    times = np.cumsum(generator.integers(0, 41, keys.size))
    return list(zip(times.tolist(), keys.tolist(), sizes[keys].tolist(), strict=True))


@pytest.fixture(scope="module")
def log(requests: list[tuple[int, int, int]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [LogRow(time * 1_000_000, f"/{key}", size=size) for time, key, size in requests]
    return write_log(tmp_path_factory.mktemp("log") / "requests.csv", rows)


def simulated(log: Path, ttl: str, **stage: object) -> list[bool]:
    """Hits of a whole run of the log: REST API, mock integration."""
    route = {**MOCK, "cache": {"ttl": ttl, "keys": ["path.id"]}}
    apis = {"api": {"type": "rest", "stage": stage, "routes": {"GET /{id}": route}}}
    _, rows = rows_of(prepare(scenario(apis=apis, traffic=replay(log))))
    return [bool(hit) for hit in rows["cache"] == CACHE_HIT]


def c_simulated(requests: Sequence[tuple[int, int, int]], capacity: int) -> list[bool]:
    cache = libcachesim.LRU(cache_size=capacity)
    return [
        bool(cache.get(libcachesim.Request(obj_id=key, obj_size=size))) for _, key, size in requests
    ]


@pytest.mark.parametrize("capacity", [1, 7, 64, 500, 2_000])
def test_a_run_with_so_many_entries_hits_where_libcachesim_and_mattson_do(
    requests: list[tuple[int, int, int]], log: Path, capacity: int
) -> None:
    hits = simulated(log, "1h", cache_max_entries=capacity)
    assert hits == c_simulated([(time, key, 1) for time, key, _ in requests], capacity)
    distances = stack_distances([key for _, key, _ in requests])
    assert hits == [distance is not None and distance < capacity for distance in distances]


@pytest.mark.parametrize("capacity", [2_000, 30_000, 500_000])
def test_a_run_with_so_many_bytes_hits_where_libcachesim_and_cachetools_do(
    requests: list[tuple[int, int, int]], log: Path, capacity: int
) -> None:
    hits = simulated(log, "1h", cache_capacity=f"{capacity}B")
    assert hits == c_simulated(requests, capacity)
    size_of = {key: size for _, key, size in requests}
    assert hits == Reference(1 << 60, capacity, size_of).hits(requests)


@pytest.mark.parametrize("ttl_s", [1, 30])
@pytest.mark.parametrize("capacity", [20, 300, 10_000])
def test_a_run_with_expiry_hits_where_cachetools_does(
    requests: list[tuple[int, int, int]], log: Path, ttl_s: int, capacity: int
) -> None:
    hits = simulated(log, f"{ttl_s}s", cache_max_entries=capacity)
    size_of = dict.fromkeys((key for _, key, _ in requests), 1)
    unit = [(time, key, 1) for time, key, _ in requests]
    assert hits == Reference(ttl_s * 1_000, capacity, size_of).hits(unit)
    if capacity == 10_000:  # never full: each key is on its own
        times: dict[int, list[int]] = {}
        for time, key, _ in requests:
            times.setdefault(key, []).append(time)
        misses = sum(covered(points, ttl_s * 1_000) for points in times.values())
        assert hits.count(False) == misses
