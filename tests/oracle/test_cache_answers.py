"""Wrong, stale and replaced answers, and the queue before the cache, against what must come out.

Closed forms for calls that are independent of each other, and a cache in plain Python that is told
only when which call came and whether it was an invalidation.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from apisim.engine.flags import FLAG_INVALIDATION, FLAG_STALE, FLAG_WARNED, FLAG_WRONG
from apisim.engine.program import Program
from apisim.engine.recorder import CACHE_HIT, CACHE_MISS, CACHE_NONE
from apisim.engine.run import Replication
from apisim.gateway.status import Answer
from tests.support.caches import zipf
from tests.support.experiments import (
    MOCK,
    Data,
    answered,
    mean_latency_s,
    means,
    one_source,
    prepare,
    rows_of,
    run,
    scenario,
)
from tests.support.logs import LogRow, replay, write_log
from tests.support.queues import m_g_1_wait
from tests.support.verdicts import assert_matches, assert_sees

pytestmark = pytest.mark.oracle

R = 20
NS = 1_000_000_000


def cached(keys: list[str], ttl: str, route: Data, settings: Data, **load: Any) -> Data:
    """One cached route whose integration takes no time."""
    route = {**MOCK, "cache": {"ttl": ttl, "keys": keys, **route.pop("cache", {})}, **route}
    stage = {"cache_cluster_size": "0.5"}
    rate, duration = load.pop("rate"), load.pop("duration")
    return scenario(
        apis={"api": {"type": "rest", "stage": stage, "routes": {"GET /{id}": route}}},
        traffic=one_source(rate, duration, mix={"GET /{id}": 1}, **load),
        settings=settings,
    )


def share(field: str) -> Any:
    """Share of the hits that are counted in a field."""

    def statistic(done: Replication) -> float:
        cells = done.recorder.cells
        return int(cells[field].sum()) / int(cells["cache_hits"].sum())

    return statistic


# ----------------------------------------------------------------------------------- wrong answers


@pytest.mark.parametrize(
    ("ttl", "duration", "replications"), [("1s", "300s", R), ("3600s", "10s", 400)]
)
def test_one_entry_for_all_is_wrong_as_often_as_two_calls_differ(
    ttl: str, duration: str, replications: int
) -> None:
    """Entry and hit are two independent calls: 1 - sum p^2, renewed often or never."""
    p = zipf(1.0, 10)
    values = {"path.id": {"zipf": 1.0, "of": 10}}
    route = {"depends_on": ["path.id"]}
    program = prepare(cached([], ttl, route, {}, rate="20/s", duration=duration, values=values))
    wrong = means(program, replications, share("wrong_answers"))
    assert_matches(wrong, 1 - float(p @ p))
    uneven = zipf(1.2, 10)
    assert_sees(wrong, 1 - float(uneven @ uneven), 1 - float(p[0]), 0.9)


def test_a_key_without_one_parameter_is_wrong_as_often_as_two_of_its_values_differ() -> None:
    """The keys of the path are told apart, those of include are not: 2 * 3/4 * 1/4 of the hits."""
    values = {"path.id": {"uniform": 5}, "querystring.include": {"details": 3, "basic": 1}}
    route = {"depends_on": ["path.id", "querystring.include"]}
    load = {"rate": "50/s", "duration": "300s", "values": values}
    wrong = means(prepare(cached(["path.id"], "2s", route, {}, **load)), R, share("wrong_answers"))
    assert_matches(wrong, 3 / 8)
    assert_sees(wrong, 1 / 4, 7 / 16)
    right = prepare(cached(["path.id", "querystring.include"], "2s", route, {}, **load))
    assert share("wrong_answers")(run(right)) == 0
    whole = prepare(cached(["path.id", "querystring"], "2s", route, {}, **load))
    assert share("wrong_answers")(run(whole)) == 0


def test_the_chapters_profile_has_the_path_in_every_key() -> None:
    values = {"path.id": {"uniform": 5}}
    data = cached([], "2s", {"depends_on": ["path.id"]}, {}, rate=50, duration="20s", values=values)
    assert share("wrong_answers")(run(prepare(data))) > 0.5
    assert share("wrong_answers")(run(prepare({**data, "profile": "chapter"}))) == 0


# ----------------------------------------------------------------------------------- stale answers


@pytest.mark.parametrize(("ttl_s", "updates_per_min"), [(1, 40), (3, 6), (0.5, 300)])
def test_hits_are_stale_as_often_as_an_update_came_first(
    ttl_s: float, updates_per_min: int
) -> None:
    """Hits of a Poisson key come at ages uniform over the time to live: 1 - (1 - e^-mT) / (mT)."""
    mean_updates = updates_per_min / 60 * ttl_s
    truth = 1 - (1 - math.exp(-mean_updates)) / mean_updates
    route = {"updates": f"{updates_per_min}/min"}
    values = {"path.id": {"uniform": 3}}
    load = {"rate": "60/s", "duration": f"{round(400 * ttl_s)}s", "values": values}
    data = cached(["path.id"], f"{round(ttl_s * 1000)}ms", route, {}, **load)
    stale = means(prepare(data), R, share("stale_answers"))
    assert_matches(stale, truth)
    assert_sees(stale, 1 - math.exp(-mean_updates), truth * 1.1)


def test_what_is_stale_stays_so_until_it_is_fetched_again() -> None:
    """The changes are a process, not a coin for each hit."""
    route = {"updates": "40/min"}
    values = {"path.id": {"only": 1}}
    load = {"rate": "50/s", "duration": "200s", "values": values}
    _, rows = rows_of(prepare(cached(["path.id"], "1s", route, {}, **load)))
    was_stale, changes = False, 0
    for cache, flags in zip(rows["cache"], rows["flags"], strict=True):
        if cache == CACHE_MISS:
            was_stale = False
        else:
            is_stale = bool(flags & FLAG_STALE)
            assert is_stale >= was_stale
            changes += is_stale and not was_stale
            was_stale = is_stale
    assert 50 < changes < 150  # of 196 entries, 1 - e^(-2/3) on average


def test_a_hit_comes_in_a_hits_own_time_and_waits_for_its_turn() -> None:
    """An M/D/1 queue before the cache: lookups of 1 ms each, at 80 % of what it takes."""
    load = {"rate": "800/s", "duration": "100s", "values": {"path.id": {"only": 1}}}
    settings = {"cache_throughput": "1000/s", "hit_time": "5ms"}
    data = cached(["path.id"], "3600s", {}, settings, **load)
    latency = means(prepare(data), R, mean_latency_s)
    wait = m_g_1_wait(800, 0.001, 0.0)
    assert wait == pytest.approx(0.002)
    assert_matches(latency, wait + 0.001 + 0.005)
    assert_sees(latency, wait + 0.005, m_g_1_wait(800, 0.001, 1.0) + 0.006)


# ------------------------------------------------------------- a cache in plain Python, by the call

FLUSH_NS, RESIZE_NS, CREATE_NS, TTL_NS = 3 * NS, 6 * NS, NS // 2, NS


class PlainCache:
    """A dictionary and a clock."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[int, str]] = {}
        self.flushed = self.resized = False

    def ask(self, now: int, key: str, about: str, *, invalidates: bool) -> tuple[int, bool]:
        """How the cache comes out of a call, and whether the answer is somebody else's."""
        if now >= FLUSH_NS and not self.flushed:
            self.entries, self.flushed = {}, True
        if now >= RESIZE_NS and not self.resized:
            self.entries, self.resized = {}, True
        if RESIZE_NS <= now < RESIZE_NS + CREATE_NS:
            return CACHE_NONE, False
        stored, made_for = self.entries.get(key, (-TTL_NS, ""))
        if now - stored < TTL_NS and not invalidates:
            return CACHE_HIT, made_for != about
        self.entries[key] = now, about
        return CACHE_MISS, False


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[LogRow]]:
    """10,000 calls in ten seconds, a few of them just when something happens: numpy's draws."""
    draws = np.random.default_rng(19)
    times = np.sort(draws.integers(0, 10_000, 10_000)).tolist()
    rows = [
        LogRow(time * 1_000_000, f"/{key}?include={include}")
        for time, key, include in zip(
            times, draws.zipf(1.5, 10_000) % 40, draws.integers(0, 2, 10_000), strict=True
        )
    ]
    return write_log(tmp_path_factory.mktemp("log") / "requests.csv", rows), rows


def replayed(
    log: tuple[Path, list[LogRow]], invalidation: Data, authorized: str
) -> tuple[Program, NDArray[np.void]]:
    cache = {"ttl": "1s", "keys": ["path.id"], "invalidation": invalidation}
    depends = ["path.id", "querystring.include"]
    route = {**MOCK, "cache": cache, "depends_on": depends}
    stage = {"cache_cluster_size": "0.5"}
    traffic = replay(log[0])
    traffic["replayed"]["invalidate"] = {"share": "5%", "authorized": authorized}
    data = scenario(
        apis={"api": {"type": "rest", "stage": stage, "routes": {"GET /{id}": route}}},
        traffic=traffic,
        settings={"cache_create_time": "500ms"},
        timeline=[
            {"at": "3s", "flush_cache": "api/prod"},
            {"at": "6s", "resize_cache": {"api/prod": "1.6"}},
        ],
    )
    program = prepare(data)
    return program, rows_of(program)[1]


def by_hand(rows: NDArray[np.void], log: list[LogRow], cache: PlainCache) -> None:
    """Every call of a replay is as the plain cache says; refused ones never asked it."""
    for row, call in zip(rows, log, strict=True):
        assert row["arrival_ns"] == call.time_ns - log[0].time_ns
        if row["answer"] == Answer.INVALIDATION_REFUSED:
            assert row["cache"] == CACHE_NONE
            continue
        path, _, query = call.path.partition("?")
        invalidates = bool(row["flags"] & FLAG_INVALIDATION)
        came_out = cache.ask(int(row["arrival_ns"]), path, query, invalidates=invalidates)
        assert (row["cache"], bool(row["flags"] & FLAG_WRONG)) == came_out


@pytest.mark.parametrize(
    ("invalidation", "authorized", "honoured", "warned", "refused"),
    [
        ({}, "100%", 0.05, 0, 0),
        ({}, "40%", 0.02, 0.03, 0),
        ({"unauthorized": "succeed_without_header"}, "40%", 0.02, 0, 0),
        ({"unauthorized": "fail_with_403"}, "40%", 0.02, 0, 0.03),
        ({"require_authorization": False, "unauthorized": "fail_with_403"}, "0%", 0.05, 0, 0),
    ],
)
def test_a_replayed_log_meets_the_cache_as_a_dictionary_with_a_clock_would_have_it(
    log: tuple[Path, list[LogRow]],
    invalidation: Data,
    authorized: str,
    honoured: float,
    warned: float,
    refused: float,
) -> None:
    program, rows = replayed(log, invalidation, authorized)
    by_hand(rows, log[1], PlainCache())
    counts = {
        "honoured": int((rows["flags"] & FLAG_INVALIDATION != 0).sum()),
        "warned": int((rows["flags"] & FLAG_WARNED != 0).sum()),
        "refused": int((rows["answer"] == Answer.INVALIDATION_REFUSED).sum()),
    }
    for count, expected in zip(counts.values(), (honoured, warned, refused), strict=True):
        assert abs(count - 10_000 * expected) <= 4 * math.sqrt(10_000 * expected)
    done = run(program)
    assert answered(done, Answer.INVALIDATION_REFUSED) == counts["refused"]
    assert done.clusters[0]["flushes"] == 1
    for forgets in ("flushed", "resized"):
        forgetful = PlainCache()
        setattr(forgetful, forgets, True)
        with pytest.raises(AssertionError):
            by_hand(rows, log[1], forgetful)
