"""Frames have the columns, the order, the dtypes and the units that their schema says."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from apisim import read_requests
from apisim.results.frame_columns import KINDS, Column, columns_of_frame
from apisim.results.frame_tables import FRAMES
from apisim.results.request_columns import COLUMNS, NAME_COLUMNS, OPTIONAL_COLUMNS
from apisim.results.result import Result
from apisim.results.tables import TABLES
from apisim.scenario import loads
from apisim.studies import run

SHOP = """\
apisim: 1
name: shop
warm_up: 2s
account: {throttle: {rate_limit: 60, burst_limit: 30}}
apis:
  shop:
    type: rest
    cors: {allow_origins: ["https://shop.example"], allow_methods: [GET, POST]}
    stage:
      name: prod
      cache_cluster_size: "0.5"
      waf: {rules: 1, block: 2%}
      canary: {percent_traffic: 20, functions: {get-item: get-item-v2}}
    routes:
      GET /items/{itemId}:
        integration: {type: lambda_proxy, function: get-item}
        authorizer: tokens
        cache: {ttl: 5m, keys: [path.itemId]}
      POST /orders:
        integration: {type: http_proxy, endpoint: orders}
        api_key_required: true
      GET /stock: {integration: {type: aws_service, service: stock}}
  NA:
    type: http
    routes: {GET /: {integration: {type: lambda_proxy, function: get-item}}}
authorizers: {tokens: {type: token, function: check, ttl: 1m}}
functions:
  get-item: {duration: {p50: 40ms, p99: 300ms}, init: 200ms, errors: 2%}
  get-item-v2: {duration: 30ms}
  check: {duration: 10ms}
services: {stock: {type: dynamodb, latency: 5ms}}
endpoints: {orders: {servers: 2, service_time: 5ms}}
usage_plans:
  free:
    throttle: {rate_limit: 5, burst_limit: 5}
    quota: {limit: 1000, period: day}
    price: 9/month
    api_stages: {shop/prod: {}}
populations: {people: {count: 3, plans: {free: 100%}, key_each: true, sign_in_quota: 100/s}}
traffic:
  web:
    of: people
    phases: [{name: calm, duration: 5s, rate: 20}, {name: rush, duration: 5s, rate: 60}]
    mix:
      {"shop GET /items/{itemId}": 3, "shop POST /orders": 1, "shop GET /stock": 1, "NA GET /": 1}
    values: {path.itemId: {zipf: 1.0, of: 100}, header.authorization: {uniform: 5}}
  page:
    phases: [{name: calm, duration: 5s, rate: 5}]
    mix: {"shop GET /items/{itemId}": 1}
    values: {path.itemId: {uniform: 100}, header.authorization: {uniform: 5}}
    browser: {origin: "https://other.example"}
thresholds:
  latency: ["p(99)<20s"]
  cost_run: ["value<5"]
alarms:
  throttling:
    {metric: errors_4xx, api: shop, statistic: sum, period: 1m, above: 1, datapoints: 1 of 1}
"""

CHAT = """\
apisim: 1
name: chat
apis:
  chat:
    type: websocket
    routes:
      $connect: {integration: {type: mock}}
      $default: {integration: {type: lambda_proxy, function: say}}
functions: {say: {duration: 10ms}}
traffic:
  people:
    sessions:
      {population: 20, connect_over: 2s, length: 10s, messages: 30/min, size: 300B, until: 15s}
    mix: {say: 1}
    pushes: {news: {rate: 1/s, to: {share: 50%}, size: 100B, by: fanout}}
senders: {fanout: {parallelism: 1, call_time: 10ms}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("frames")


@pytest.fixture(scope="module")
def shop(folder: Path) -> Result:
    """Two replications, their rows in ``requests.csv``."""
    scenario = loads(SHOP).with_("replications=2")
    return run(scenario, engine="simpy", requests=folder / "requests.csv")


@pytest.fixture(scope="module")
def alone(folder: Path) -> Result:
    """One replication of a part, whose rows are in ``requests.parquet``."""
    return run(loads(SHOP), engine="simpy", requests=folder / "requests.parquet")


@pytest.fixture(scope="module")
def chat() -> Result:
    return run(loads(CHAT), engine="simpy")


def check(frame: pd.DataFrame, name: str) -> None:
    check_columns(frame, columns_of_frame(name))


def check_columns(frame: pd.DataFrame, expected: Sequence[Column]) -> None:
    """Columns, order and dtypes of a frame."""
    columns = {column.name: column for column in expected}
    always = [one.name for one in columns.values() if one.is_always and one.name != "*"]
    if "*" not in columns:
        assert [one for one in columns if one in frame] == list(frame)
    assert [one for one in frame if one in always] == always
    for column in frame:
        kind = columns.get(column, columns.get("*"))
        assert kind is not None
        dtype = str(frame[column].dtype)
        if kind.kind in ("text", "text or none"):
            assert pd.api.types.is_string_dtype(frame[column].dtype), column
        elif kind.kind == "as varied":
            assert dtype in ("int64", "float64", "str", "object"), column
        else:
            assert dtype == KINDS[kind.kind], column
        if kind.unit == "share":
            assert frame[column].dropna().between(0, 1).all()


def test_every_frame_has_a_schema_and_every_schema_a_frame() -> None:
    assert set(FRAMES) == {"requests", *TABLES}


@pytest.mark.parametrize("name", TABLES)
def test_a_frame_is_what_its_schema_says(
    name: str, shop: Result, alone: Result, chat: Result
) -> None:
    frames = [result.frame(name) for result in (shop, alone, chat)]
    for frame in frames:
        check(frame, name)
    assert max(map(len, frames)) > 0
    always = [one.name for one in columns_of_frame(name) if one.is_always and one.name != "*"]
    dtypes = [frame[always].dtypes.astype(str).to_dict() for frame in frames]
    assert dtypes[0] == dtypes[1] == dtypes[2]


def test_maybe_is_said_of_what_only_some_results_have(shop: Result, chat: Result) -> None:
    found = [
        (name, one.name) for name in FRAMES for one in columns_of_frame(name) if not one.is_always
    ]
    assert found
    for name, column in found:
        assert column not in shop.frame(name)
        assert column in chat.frame(name)


def test_the_rows_of_a_frame_are_in_the_scenario_s_order(shop: Result) -> None:
    series = shop.frame("series")
    assert list(series["api"].cat.categories) == ["shop", "NA"]
    assert series["api"].cat.codes.is_monotonic_increasing
    for _, rows in series.groupby("api", observed=True):
        assert rows["time_s"].is_monotonic_increasing
        assert rows["time_s"].diff().dropna().eq(rows["period_s"].iloc[1:]).all()
    routes = shop.frame("routes")
    named = [route for route in routes["route"] if not route.startswith("OPTIONS ")]
    assert named == ["GET /items/{itemId}", "POST /orders", "GET /stock", "GET /"]
    assert list(routes["api"].cat.categories) == ["shop", "NA"]


@pytest.fixture(scope="module")
def rows(shop: Result, folder: Path) -> pd.DataFrame:
    assert shop.completed
    return read_requests(folder / "requests.csv")


def test_the_schema_of_rows_is_that_of_the_request_file() -> None:
    columns = {one.name: one for one in columns_of_frame("requests")}
    assert tuple(columns) == COLUMNS
    names = {name for name, one in columns.items() if one.kind in ("name", "text")}
    assert names == NAME_COLUMNS | {"request_id"}
    absent = {name for name, one in columns.items() if one.kind == "whole or none"}
    assert absent == OPTIONAL_COLUMNS


def test_rows_are_read_with_their_dtypes(rows: pd.DataFrame, shop: Result) -> None:
    check(rows, "requests")
    assert len(rows) == shop.requests.total + shop.requests.warm_up
    assert set(rows["api"]) == {"shop", "NA"}  # the second API is called NA, and is not missing
    assert rows["integration_latency_ns"].isna().any()
    assert rows["cache"].isin(["hit", "miss", ""]).all()


def test_units_are_what_rows_come_to(rows: pd.DataFrame, shop: Result) -> None:
    """Each group made anew with pandas from the rows, whose whole numbers say their unit."""
    measured = rows[rows["arrival_ns"] >= 2_000_000_000]
    routes = shop.frame("routes").set_index(["api", "route"])
    for where, mine in measured.groupby(["api", "route"], observed=True):
        row = routes.loc[where]
        assert row["requests"] == len(mine)
        assert row["latency_ms_mean"] == pytest.approx(mine["latency_ns"].mean() / 1e6, rel=1e-6)
        assert row["latency_ms_max"] == pytest.approx(mine["latency_ns"].max() / 1e6, rel=1e-6)
        # Quantiles interpolate in bins of at most 0.8 %.
        p90 = np.quantile(mine["latency_ns"], 0.9) / 1e6
        assert row["latency_ms_p90"] == pytest.approx(p90, rel=0.01)
        assert row["response_bytes"] == mine["response_bytes"].sum()
        assert row["throttled"] == (mine["outcome"] == "throttled").sum()
        assert row["errors_5xx"] == (mine["status"] >= 500).sum()
        assert row["rps"] == pytest.approx(len(mine) / 2 / 8)  # two replications, 8 s each
    counted = shop.frame("outcomes").set_index(["traffic", "phase", "api", "route", "outcome"])
    keys = ["source", "phase", "api", "route", "outcome"]
    again = measured.groupby(keys, observed=True).size()
    assert counted["requests"].sum() == again.sum()
    for where, count in again.items():
        assert counted.loc[[where], "requests"].sum() == count


def test_parquet_is_read_as_csv_is(alone: Result, folder: Path) -> None:
    read = read_requests(folder / "requests.parquet")
    check(read, "requests")
    run(loads(SHOP), engine="simpy", requests=folder / "again.csv")
    pd.testing.assert_frame_equal(read, read_requests(folder / "again.csv"))
    assert len(read) == alone.requests.total + alone.requests.warm_up


NO_TABLES = {
    "rest.yaml": b"apisim: 1\napis:\n  a: {type: rest, b: 1, c: 2}\n",
    "empty.csv": b"",
    "picture.csv": b"\x89PNG\r\n\x1a\n\xff\xfe",
    "words.csv": b"request_id,status\nx,many\n",
    "text.parquet": b"no magic at all",
}


@pytest.mark.parametrize("name", NO_TABLES)
def test_what_is_no_table_is_no_request_file(name: str, tmp_path: Path) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(NO_TABLES[name])
    with pytest.raises(ValueError, match=r"is no request file: .+ --requests rows\.csv`"):
        read_requests(tmp_path / name)


def test_what_is_no_request_file_is_refused(folder: Path) -> None:
    (folder / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="no request file: it has no column 'request_id'"):
        read_requests(folder / "other.csv")
    with pytest.raises(FileNotFoundError):
        read_requests(folder / "not-there.csv")
