"""Hits of plain LRU caches on real logs, as two other programs counted them, by whole studies."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.experiments import MOCK, Data, scenario
from tests.support.logs import (
    LogRow,
    a_millisecond_apart,
    nanoseconds,
    read_rows,
    replay,
    write_log,
)
from tests.support.studies import request_columns, request_columns_of_command

pytestmark = pytest.mark.real

NASA = "nasa_19950801_a.csv.gz"
APACHE = "apache_semicomplete_2015_a.csv.gz"
SHOP = "keys_cache2k_web07.csv.gz"
UNBOUNDED = 1_000_000_000

ENTRIES = [(trace, entries) for trace in (NASA, APACHE) for entries in (8, 32, 128, 512, 2048)]
ENTRIES += [(SHOP, entries) for entries in (8, 32, 128, 512, 2048, 8192)]
BYTES = [(NASA, size << 18) for size in (1, 4, 16, 64)]
BYTES += [(APACHE, size << 20) for size in (1, 16, 128)]
TTLS = [(ttl, entries) for ttl in (60, 300, 3600) for entries in (32, 128, 512, "unbounded")]


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, Any]:
    file = shared / "data" / "cache_reference" / "lru_reference.json"
    traces: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["traces"]
    return traces


def log_rows(file: Path) -> list[LogRow]:
    rows = read_rows(file)
    if "key" in rows[0]:
        return [LogRow(0, f"/products/{row['key']}") for row in rows]
    return [
        LogRow(
            nanoseconds(row["timestamp_s"]),
            row["path"],
            row["method"],
            int(row["bytes"] or 0),
            row["client"],
        )
        for row in rows
    ]


@pytest.fixture(scope="module")
def stamped(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Whole logs in file order, 1 ms apart: one has no clock, one a clock that steps back."""
    folder = tmp_path_factory.mktemp("stamped")
    return {
        name: write_log(
            folder / name.removesuffix(".gz"),
            a_millisecond_apart(log_rows(shared / "data/traces" / name)),
        )
        for name in (NASA, APACHE, SHOP)
    }


def cached(log: Path, keys: list[str], ttl: str = "1h", **stage: object) -> Data:
    """One cache for all paths; the root is no path of {proxy+}, so it has a route of its own."""

    def route(keys: list[str]) -> Data:
        return {**MOCK, "cache": {"ttl": ttl, "keys": keys}}

    root = [key for key in keys if not key.startswith("path.")]
    routes = {"ANY /{proxy+}": route(keys), "ANY /": route(root)}
    apis = {"api": {"type": "rest", "stage": stage, "routes": routes}}
    # Objects of any size; profile ideal lets entries weigh their bodies alone.
    settings = {"cache_max_object": "1GB"}
    return scenario(apis=apis, traffic=replay(log), settings=settings)


WITH_QUERY = ["path.proxy", "querystring"]


def test_no_capacity_is_left_out(reference: dict[str, Any]) -> None:
    by_entries = [
        (name, row["capacity_items"]) for name, trace in reference.items() for row in trace["lru"]
    ]
    assert by_entries == ENTRIES
    by_bytes = [
        (name, row["capacity_bytes"])
        for name, trace in reference.items()
        for row in trace.get("bytes", {"lru": []})["lru"]
    ]
    assert by_bytes == BYTES
    ttls = [
        (row["ttl_s"], row["capacity_items"])
        for row in reference[NASA]["ttl"]
        if row.get("age_rule", "<") != "hit if age <= ttl"
    ]
    assert ttls == TTLS


@pytest.mark.parametrize(("trace", "entries"), ENTRIES)
def test_hits_by_entries(
    reference: dict[str, Any], stamped: dict[str, Path], tmp_path: Path, trace: str, entries: int
) -> None:
    """GET rows of the whole log, any status, keyed by path and query; other methods go past it."""
    expected = {row["capacity_items"]: row for row in reference[trace]["lru"]}[entries]
    data = cached(stamped[trace], WITH_QUERY, cache_max_entries=entries)
    column = request_columns(data, tmp_path)["cache"]
    assert column.count("hit") == expected["hits"]
    assert column.count("hit") + column.count("miss") == reference[trace]["requests"]


@pytest.mark.parametrize(("trace", "capacity"), BYTES)
def test_hits_by_bytes(
    reference: dict[str, Any], shared: Path, tmp_path: Path, trace: str, capacity: int
) -> None:
    """Answers of status 200 with a body; a key's size is that of its first request."""
    spec = reference[trace]["bytes"]
    (expected,) = [row for row in spec["lru"] if row["capacity_bytes"] == capacity]
    file = shared / "data/traces" / trace
    kept = [
        log
        for row, log in zip(read_rows(file), log_rows(file), strict=True)
        if row["status"] == "200" and log.method == "GET" and log.size > 0
    ]
    sizes: dict[str, int] = {}
    kept = [log._replace(size=sizes.setdefault(log.path, log.size)) for log in kept]
    assert (len(kept), len(sizes)) == (spec["requests"], spec["distinct"])
    log = write_log(tmp_path / "sizes.csv", a_millisecond_apart(kept))
    data = cached(log, WITH_QUERY, cache_capacity=f"{capacity}B")
    columns = request_columns(data, tmp_path)
    assert columns["cache"].count("hit") == expected["hits_cachetools"]
    assert expected["hits_cachetools"] == expected["hits_libcachesim"]
    # A hit is answered with what was stored.
    assert columns["response_bytes"] == [str(log.size) for log in kept]


@pytest.fixture(scope="module")
def clocked(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The NASA log with its own clock of whole seconds."""
    folder = tmp_path_factory.mktemp("clocked")
    return write_log(folder / "nasa.csv", log_rows(shared / "data/traces" / NASA))


@pytest.mark.parametrize(("ttl", "entries"), TTLS)
def test_hits_with_a_time_to_live(
    reference: dict[str, Any], clocked: Path, tmp_path: Path, ttl: int, entries: int | str
) -> None:
    """Ages of exactly the limit happen, and are too old; a hit does not renew."""
    wanted = [
        row
        for row in reference[NASA]["ttl"]
        if (row["ttl_s"], row["capacity_items"]) == (ttl, entries)
    ]
    bound = UNBOUNDED if entries == "unbounded" else entries
    data = cached(clocked, WITH_QUERY, f"{ttl}s", cache_max_entries=bound)
    hits = request_columns(data, tmp_path)["cache"].count("hit")
    assert hits == wanted[0]["hits"]
    if ttl < 3600 and entries == "unbounded":
        assert wanted[1]["age_rule"] == "hit if age <= ttl"
        assert hits < wanted[1]["hits"]


def escaped(row: LogRow) -> LogRow:
    return row._replace(path=row.path.replace("?", "%3F"))


@pytest.mark.parametrize("trace", [NASA, APACHE])
def test_a_query_string_in_the_key_is_a_query_string_in_the_path(
    shared: Path, stamped: dict[str, Path], tmp_path: Path, trace: str
) -> None:
    """Row by row the same, whether the query is a key of its own or escaped into the path."""
    rows = a_millisecond_apart(map(escaped, log_rows(shared / "data/traces" / trace)))
    in_path = write_log(tmp_path / "escaped.csv", rows)
    columns = [
        request_columns(cached(log, keys, cache_max_entries=128), tmp_path)["cache"]
        for log, keys in ((stamped[trace], WITH_QUERY), (in_path, ["path.proxy"]))
    ]
    assert columns[0] == columns[1]
    # And it matters: without the query in the key there are more hits.
    paths_alone = cached(stamped[trace], ["path.proxy"], cache_max_entries=128)
    more = request_columns(paths_alone, tmp_path)["cache"]
    assert more.count("hit") > columns[0].count("hit")


def test_the_command_counts_the_same_hits(
    reference: dict[str, Any], stamped: dict[str, Path], tmp_path: Path
) -> None:
    (expected,) = [row for row in reference[APACHE]["lru"] if row["capacity_items"] == 128]
    data = cached(stamped[APACHE], WITH_QUERY, cache_max_entries=128)
    columns, told = request_columns_of_command(data, tmp_path)
    assert columns["cache"].count("hit") == expected["hits"]
    cache = told["cache"]["api"]
    assert cache["hits"] == expected["hits"]
    assert cache["hits"] + cache["misses"] == reference[APACHE]["requests"]
    assert cache["hit_ratio"] == pytest.approx(expected["hit_ratio"], abs=1e-8)
