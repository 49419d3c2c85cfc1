"""The request file: order, completeness, and a recount that knows nothing of the recorder."""

import os
import signal
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisim.engine.recorder import REQUEST_DTYPE
from apisim.results.atomic import OutputError
from apisim.results.request_columns import COLUMNS, OPTIONAL_COLUMNS
from apisim.results.request_sinks import CsvSink
from apisim.results.requests import RequestOrder
from apisim.scenario import loads
from apisim.studies import progress as progress_module
from apisim.studies import run

SCENARIO = """
apisim: 1
seed: 7
replications: 2
warm_up: 2s
apis:
  users:
    type: rest
    stage: {cache_cluster_size: "0.5"}
    routes:
      GET /users/{userId}:
        integration: {type: lambda_proxy, function: get-user}
        authorizer: tokens
        throttle: {rate_limit: 60, burst_limit: 20}
        cache: {ttl: 5m, keys: [path.userId]}
        response_size: {p50: 2KB, p99: 20KB}
      POST /users: {integration: {type: lambda_proxy, function: create-user}}
      GET /inventory: {integration: {type: http_proxy, endpoint: inventory}}
authorizers: {tokens: {type: token, function: check-token, ttl: 5s, deny_identities: 5%}}
functions:
  get-user: {duration: {p50: 40ms, p99: 300ms}, init: {p50: 250ms, p99: 900ms}}
  create-user: {duration: {p50: 80ms, p99: 600ms}, reserved_concurrency: 2, errors: 1%}
  check-token: {duration: {p50: 20ms, p99: 90ms}}
endpoints: {inventory: {servers: 1, queue_limit: 2, service_time: {p50: 15ms, p99: 80ms}}}
traffic:
  web:
    phases:
      - {name: ramp, duration: 4s, rate: 0, ramp_to: 100}
      - {name: steady, duration: 6s, rate: 150}
    mix: {'GET /users/{userId}': 8, POST /users: 1, GET /inventory: 1}
    values: {path.userId: {zipf: 1.1, of: 500}, header.authorization: {uniform: 40}}
  even:
    arrivals: uniform
    offset: 0
    phases: [{duration: 10s, rate: 20}]
    mix: {POST /users: 1, GET /inventory: 1}
  office:
    phases: [{name: office, duration: 10s, users: 20, think_time: {exponential: 1s}}]
    mix: {'GET /users/{userId}': 1}
    values: {path.userId: {uniform: 10}}
    network: {rtt: {p50: 20ms, p99: 120ms}}
"""


def read(path: Path) -> pd.DataFrame:
    times = {name: [""] for name in OPTIONAL_COLUMNS}
    return pd.read_csv(path, keep_default_na=False, na_values=times)


@pytest.fixture(scope="module")
def scenario():
    return loads(SCENARIO)


@pytest.fixture(scope="module")
def finished(scenario, tmp_path_factory):
    path = tmp_path_factory.mktemp("requests") / "requests.csv"
    return run(scenario, requests=path), path


def test_the_columns_are_those_of_the_design_and_then_more(finished):
    header = finished[1].read_bytes().split(b"\n", 1)[0].decode()
    assert header == ",".join(COLUMNS)
    assert header.startswith(
        "request_id,replication,arrival_ns,api,route,client,phase,attempt,status,outcome,"
        "refused_by,cache,latency_ns,integration_latency_ns,request_bytes,response_bytes,"
        "billed_units"
    )
    assert b"\r" not in finished[1].read_bytes()


def test_rows_are_ordered_by_replication_arrival_and_address(finished):
    rows = read(finished[1])
    address = rows["request_id"].str.split("/", expand=True)
    order = pd.DataFrame(
        {
            "replication": rows["replication"],
            "arrival": rows["arrival_ns"],
            "source": address[0].map({"web": 0, "even": 1, "office": 2}),
            "user": address[1].astype(int),
            "ordinal": address[2].astype(int),
            "attempt": address[3].astype(int),
        }
    )
    keys = list(order.itertuples(index=False, name=None))
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    assert rows["attempt"].equals(order["attempt"])


def test_a_recount_of_the_rows_gives_the_summary(finished):
    result, path = finished
    rows = read(path)
    measured = rows[rows["arrival_ns"] >= 2_000_000_000]
    assert result.requests.total == len(measured)
    assert result.requests.warm_up == len(rows) - len(measured)
    assert dict(result.requests.by_status) == measured["status"].value_counts().to_dict()
    assert dict(result.requests.by_outcome) == measured["outcome"].value_counts().to_dict()
    refused = measured[measured["refused_by"] != ""]["refused_by"]
    assert dict(result.requests.refused_by) == refused.value_counts().to_dict()
    assert result.cache["users"].hits == (measured["cache"] == "hit").sum()
    assert result.cache["users"].misses == (measured["cache"] == "miss").sum()
    authorized = measured[measured["route"] == "GET /users/{userId}"]
    called = authorized["authorizer_latency_ns"].notna().sum()
    assert result.authorizers["tokens"].invocations == called
    unknown = (authorized["outcome"] == "unauthorized").sum()
    assert unknown > 0
    assert result.authorizers["tokens"].hits == len(authorized) - called - unknown
    assert result.routes[0].cold_starts == authorized["cold_start"].sum()
    for row in result.traffic[:-1]:
        mine = measured[
            (measured["source"] == row.labels["traffic"])
            & (measured["phase"] == row.labels["phase"])
        ]
        assert row.requests == len(mine)
        assert row.throttled == (mine["outcome"] == "throttled").sum()
        assert row.errors_5xx == (mine["status"] >= 500).sum()
        assert row.response_bytes == mine["response_bytes"].sum()
    assert result.traffic[-1].requests == len(measured)


def test_charged_units_and_bytes_of_the_bill_are_those_of_the_rows(finished):
    result, path = finished
    rows = read(path)
    requests = result.bill.run.line("apigateway.rest.requests")
    assert requests.quantity == rows["billed_units"].sum() / 2
    transfer = result.bill.run.line("datatransfer.out.internet")
    assert transfer.quantity * 2**30 == rows["response_bytes"].sum() / 2


@pytest.mark.parametrize("column", ["latency", "integration_latency", "gateway_latency"])
def test_means_are_exact_and_quantiles_within_a_bin_of_numpy(finished, column):
    result, path = finished
    rows = read(path)
    times = rows[rows["arrival_ns"] >= 2_000_000_000][f"{column}_ns"].dropna().to_numpy(np.int64)
    stats = getattr(result, f"{column}_ms")
    assert stats.count == len(times)
    assert stats.mean == round(sum(times.tolist()) / len(times) / 1e6, 6)
    assert stats.max == times.max() / 1e6
    for percent in (50, 90, 95, 99, 99.9):
        truth = np.percentile(times, percent) / 1e6
        name = f"p{percent}".replace(".", "_")
        assert getattr(stats, name) == pytest.approx(truth, rel=1 / 128)


def test_both_engines_and_any_number_of_workers_write_the_same_bytes(finished, scenario, tmp_path):
    result, path = finished
    golden = run(scenario, engine="simpy", requests=tmp_path / "golden.csv")
    parallel = run(scenario, workers=2, requests=tmp_path / "parallel.csv")
    assert golden.run_info.digest == parallel.run_info.digest == result.run_info.digest
    assert (tmp_path / "golden.csv").read_bytes() == path.read_bytes()
    assert (tmp_path / "parallel.csv").read_bytes() == path.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["golden.csv", "parallel.csv"]


def test_parquet_has_the_same_rows(finished, scenario, tmp_path):
    pytest.importorskip("pyarrow")
    run(scenario, requests=tmp_path / "requests.parquet")
    parquet = pd.read_parquet(tmp_path / "requests.parquet", dtype_backend="numpy_nullable")
    rows = read(finished[1])
    assert list(parquet.columns) == list(COLUMNS)
    for name in COLUMNS:
        if name in OPTIONAL_COLUMNS:
            assert parquet[name].isna().tolist() == rows[name].isna().tolist()
            assert parquet[name].dropna().tolist() == rows[name].dropna().tolist()
        else:
            assert parquet[name].tolist() == rows[name].tolist(), name


def test_clients_are_those_of_the_log_the_user_or_the_source(finished, tmp_path):
    rows = read(finished[1])
    assert set(rows[rows["source"] == "web"]["client"]) == {"web"}
    office = rows[rows["source"] == "office"]
    users = office["request_id"].str.split("/").str[1]
    assert office["client"].tolist() == [f"office/{user}" for user in users]
    (tmp_path / "log.csv").write_text(
        "timestamp_s,client,method,path,status,bytes\n"
        '0,"a,b",GET,/x,200,10\n'
        '1,"say ""hi""",GET,/x,200,20\n'
        "2,,GET,/x,200,30\n"
        "3,plain,GET,/nowhere,200,40\n"
    )
    text = """
apisim: 1
profile: ideal
apis: {a: {type: rest, routes: {GET /x: {integration: {type: mock}}}}}
traffic: {log: {trace: {file: log.csv}}}
"""
    result = run(loads(text, base=tmp_path), requests=tmp_path / "requests.csv")
    rows = read(tmp_path / "requests.csv")
    assert rows["client"].tolist() == ["a,b", 'say "hi"', "", "plain"]
    assert rows["route"].tolist() == ["GET /x"] * 3 + [""]
    assert rows["response_bytes"].tolist()[:3] == [10, 20, 30]
    assert rows["request_id"].tolist() == [f"log/0/{n}/0" for n in range(4)]
    assert rows["status"].tolist() == [200, 200, 200, 403]
    assert rows["outcome"].tolist()[-1] == "not_found"
    assert [row.labels["route"] for row in result.routes] == ["GET /x", ""]
    assert "1 request matched no route" in result.notes


@given(st.data())
def test_rows_come_out_in_order_whatever_the_order_in_which_requests_end(data):
    arrivals = data.draw(st.lists(st.integers(0, 20), min_size=1, max_size=60))
    rows = np.zeros(len(arrivals), REQUEST_DTYPE)
    rows["arrival_ns"] = arrivals
    rows["source"] = data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows)))
    rows["ordinal"] = np.arange(len(rows))
    ended = rows[data.draw(st.permutations(range(len(rows))))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=5)))
    order, taken = RequestOrder(), []
    for first, last in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        order.add(ended[first:last])
        watermark = int(ended["arrival_ns"][last:].min(initial=100))
        taken.append(order.take_before(watermark))
        assert (taken[-1]["arrival_ns"] < watermark).all()
    names = ["arrival_ns", "source", "user", "ordinal", "attempt"]
    expected = sorted(row for row in rows[names].tolist())
    assert np.concatenate(taken)[names].tolist() == expected


BUSY = """
apisim: 1
profile: ideal
account: {throttle: {rate_limit: 50000, burst_limit: 5000}}
apis: {a: {type: rest, routes: {GET /x: {integration: {type: lambda_proxy, function: f}}}}}
functions: {f: {duration: {exponential: 20ms}}}
traffic: {web: {phases: [{duration: 10s, rate: 20000}], mix: {GET /x: 1}}}
"""


def interrupt_with_exception():
    raise KeyboardInterrupt


def interrupt_with_signal():
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("interrupt", [interrupt_with_exception, interrupt_with_signal])
def test_an_interrupted_run_keeps_exactly_the_requests_before_a_moment(
    interrupt, tmp_path, monkeypatch
):
    monkeypatch.setattr(progress_module, "_REPORT_EVERY_S", 0.0)

    def stop(progress):
        if progress.requests > 60_000:
            interrupt()

    before = signal.getsignal(signal.SIGINT)
    scenario = loads(BUSY)
    run(scenario, requests=tmp_path / "whole.csv")
    result = run(scenario, requests=tmp_path / "part.csv", progress=stop)
    assert signal.getsignal(signal.SIGINT) is before
    assert not result.completed
    assert 60_000 < result.requests.total < 190_000
    assert 0 < result.run_info.simulated_s < 10
    part = (tmp_path / "part.csv").read_bytes()
    assert 50_000 < part.count(b"\n") <= result.requests.total + 1
    whole = (tmp_path / "whole.csv").read_bytes()
    assert whole.startswith(part)
    (note,) = [note for note in result.notes if "part.csv" in note]
    until_s = Decimal(note.split()[-2])
    rows, everything = read(tmp_path / "part.csv"), read(tmp_path / "whole.csv")
    assert len(rows) == (everything["arrival_ns"] < int(until_s * 10**9)).sum()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["part.csv", "whole.csv"]


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    scenario = loads(BUSY)
    (tmp_path / "requests.csv").write_text("what was there before\n")

    def full(self, rows, replication):
        raise OutputError("no space left on device")

    monkeypatch.setattr(CsvSink, "write", full)
    with pytest.raises(OutputError, match="no space left"):
        run(scenario, requests=tmp_path / "requests.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["requests.csv"]
    assert (tmp_path / "requests.csv").read_text() == "what was there before\n"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/requests.csv", "No such file or directory"),
        ("requests.txt", "a file ending in .csv or .parquet"),
        ("folder.csv", "is a directory"),
    ],
)
def test_a_file_name_that_cannot_be_used_is_refused_before_the_run(tmp_path, name, reason):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(OutputError, match=reason):
        run(loads(BUSY), requests=tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.csv"]
