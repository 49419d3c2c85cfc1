"""Exports for other programs, each read back by a reader that is not ours."""

import json
import math
import os
import re
import threading
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from apisim.results.atomic import OutputError
from apisim.results.result import Result
from apisim.scenario import loads
from apisim.studies import run

SCENARIO = """
apisim: 1
name: shop & "co"
seed: 7
start: 2026-11-02T12:00:00.250Z
apis:
  users:
    type: rest
    stage:
      tracing: {reservoir: 1/s, rate: 10%}
      access_log: '$context.requestTimeEpoch|$context.requestTime|$context.identity.sourceIp|"\
$context.httpMethod $context.resourcePath"|$context.status|$context.responseLength|\
$context.responseLatency|$context.integrationLatency|$context.requestId|$context.xrayTraceId|\
$context.error.responseType|$context.domainName|$context.apiId'
    routes:
      GET /users/{userId}:
        integration: {type: lambda_proxy, function: get-user}
        throttle: {rate_limit: 8, burst_limit: 20}
functions: {get-user: {duration: {p50: 40ms, p99: 300ms}, errors: 5%}}
traffic:
  api:
    phases: [{duration: 10s, rate: 20}]
    mix: {'users GET /users/{userId}': 1}
    network: {rtt: {p50: 20ms, p99: 120ms}}
pricing: {month: project, represents: steady}
thresholds:
  latency: ["p(95)<20ms", "p(99)<10s", "max<9s"]
"""
EPOCH_MS = int(datetime(2026, 11, 2, 12, tzinfo=UTC).timestamp() * 1000) + 250
FRAMES = ("series", "routes", "bill", "latency_series", "function_series", "alarms")
KINDS = {
    "access-log": ["a.log"],
    "xray": ["x.jsonl", "x.json"],
    "hgrm": ["l.hgrm"],
    "openmetrics": ["m.txt"],
    "junit": ["j.xml"],
    "github": ["g.txt"],
    "costs": ["c.txt", "c.md", "c.json"],
    "frame": [f"{name}.{ending}" for name in FRAMES for ending in ("parquet", "csv")],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Files of one run, and its result."""
    found = tmp_path_factory.mktemp("exports")
    exports = {kind: [found / name for name in names] for kind, names in KINDS.items()}
    return found, run(loads(SCENARIO), engine="simpy", requests=found / "r.csv", exports=exports)


@pytest.fixture(scope="module")
def directory(made: tuple[Path, Result]) -> Path:
    return made[0]


@pytest.fixture(scope="module")
def rows(directory: Path) -> pd.DataFrame:
    """Request rows in the order in which they reached the gateway."""
    found = pd.read_csv(directory / "r.csv")
    way_ns = (found.latency_ns - found.gateway_latency_ns).clip(lower=0) // 2
    found["reached_ns"] = found.arrival_ns + way_ns
    return found.sort_values("reached_ns", kind="stable").reset_index(drop=True)


@pytest.fixture(scope="module")
def log(directory: Path) -> pd.DataFrame:
    names = ["ms", "time", "ip", "request", "status", "bytes", "latency", "backend"]
    names += ["id", "trace", "type", "host", "api"]
    return pd.read_csv(directory / "a.log", sep="|", names=names, na_values="-", dtype={"ip": str})


@pytest.fixture(scope="module")
def segments(directory: Path) -> list[dict]:
    return [json.loads(line) for line in (directory / "x.jsonl").read_text().splitlines()]


def test_a_line_of_the_access_log_says_what_the_request_file_says(
    log: pd.DataFrame, rows: pd.DataFrame
) -> None:
    assert len(log) == len(rows) > 150
    assert log.ms.tolist() == (EPOCH_MS + rows.reached_ns // 1_000_000).tolist()
    assert log.status.tolist() == rows.status.tolist()
    assert log.bytes.tolist() == rows.response_bytes.tolist()
    assert log.latency.tolist() == (rows.gateway_latency_ns // 1_000_000).tolist()
    called = rows.integration_latency_ns.notna()
    assert log.backend.notna().tolist() == called.tolist()
    backend = rows.integration_latency_ns[called] // 1_000_000
    assert log.backend[called].tolist() == backend.tolist()
    assert set(log.request) == {"GET /users/{userId}"}
    assert set(log.type[log.status == 429]) == {"THROTTLED"}


def test_both_times_of_a_line_are_the_same_second(log: pd.DataFrame) -> None:
    times = [datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z") for text in log.time]
    assert [int(time.timestamp()) for time in times] == (log.ms // 1000).tolist()


def test_identities_look_like_those_of_aws(log: pd.DataFrame) -> None:
    uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert log.id.str.fullmatch(uuid).all()
    assert log.id.is_unique
    assert log.trace.str.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}").all()
    assert (log.host == log.api + ".execute-api.us-east-1.amazonaws.com").all()
    assert set(log.ip.str.len()) == {13}


def test_the_file_has_the_bytes_that_are_billed(made: tuple[Path, Result]) -> None:
    directory, result = made
    line = result.bill.run.line("cloudwatch_logs_ingestion")
    line = line or next(x for x in result.bill.run.lines if "Log bytes" in x.meter.description)
    text = (directory / "a.log").read_bytes()
    assert line.quantity * 1024**3 == len(text) - text.count(b"\n")


def test_segments_are_of_the_traced_requests(
    segments: list[dict], rows: pd.DataFrame, directory: Path
) -> None:
    traced = rows[rows.remarks.fillna("").str.contains("traced")]
    assert len(segments) == len(traced) > 10
    for segment, row in zip(segments, traced.itertuples(), strict=True):
        start_s = EPOCH_MS / 1000 + row.reached_ns / 1e9
        assert segment["start_time"] == pytest.approx(start_s, abs=2e-6)
        taken_s = segment["end_time"] - segment["start_time"]
        assert taken_s == pytest.approx(row.gateway_latency_ns / 1e9, abs=3e-6)
        assert segment["http"]["response"]["status"] == row.status
        assert segment.get("throttle", False) == (row.status == 429)
        assert segment.get("fault", False) == (row.status >= 500)
        parts = segment.get("subsegments", [])
        assert len(parts) == (not math.isnan(row.integration_latency_ns))
        for part in parts:
            assert (part["name"], part["namespace"]) == ("Lambda", "aws")
            assert segment["start_time"] <= part["start_time"] <= part["end_time"]
            assert part["end_time"] == segment["end_time"]
    assert json.loads((directory / "x.json").read_text()) == segments


def test_log_and_trace_can_be_joined(log: pd.DataFrame, segments: list[dict]) -> None:
    found = {segment["trace_id"]: segment for segment in segments}
    joined = log[log.trace.isin(found)]
    assert len(joined) == len(segments)
    for row in joined.itertuples():
        assert found[row.trace]["http"]["response"]["status"] == row.status
        # The time in a trace's id is that of its start, in whole seconds.
        assert int(row.trace[2:10], 16) == row.ms // 1000


def test_percentiles_are_those_of_the_requests(directory: Path, rows: pd.DataFrame) -> None:
    text = (directory / "l.hgrm").read_text()
    table = np.array(
        [line.split()[:3] for line in text.splitlines()[2:] if not line.startswith("#")], float
    )
    latency = np.sort(rows.latency_ns.to_numpy()) / 1e6
    for value, share, count in table:
        # HdrHistogram's rule: the least value that so many are not above, within its bin.
        rank = max(math.ceil(share * len(latency)), 1)
        assert latency[rank - 1] * 0.999 - 0.001 <= value <= latency[rank - 1] * 1.009 + 0.001
        assert count == np.sum(latency <= value + 0.0005)
    assert (table[-1][1], table[-1][2]) == (1.0, len(latency))
    mean = re.search(r"Mean\s+=\s+([\d.]+)", text)
    assert mean
    assert float(mean[1]) == pytest.approx(latency.mean(), abs=0.0006)


def test_percentiles_are_those_of_hdrhistogram(directory: Path, rows: pd.DataFrame) -> None:
    histogram = pytest.importorskip("hdrh.histogram").HdrHistogram(1, 10**12, 3)
    for value in rows.latency_ns:
        histogram.record_value(int(value))
    for line in (directory / "l.hgrm").read_text().splitlines()[2:]:
        if not line.startswith("#"):
            value, share = (float(word) for word in line.split()[:2])
            # Its percentile output takes the first value at which that share is reached.
            reached = next(
                item.value_iterated_to
                for item in histogram.get_recorded_iterator()
                if item.total_count_to_this_value >= share * len(rows)
            )
            assert value == pytest.approx(reached / 1e6, rel=0.009)


def test_openmetrics_is_parsed_by_prometheus(directory: Path, rows: pd.DataFrame) -> None:
    families = text_string_to_metric_families((directory / "m.txt").read_text())
    found = {family.name: family for family in families}
    counts = {
        int(sample.labels["status"]): sample.value for sample in found["apisim_requests"].samples
    }
    assert counts == rows.status.value_counts().to_dict()
    buckets = {
        float(sample.labels["le"]): sample.value
        for sample in found["apisim_latency_seconds"].samples
        if sample.name.endswith("_bucket")
    }
    for limit, count in buckets.items():
        below, above = (np.sum(rows.latency_ns <= limit * 1e9 * x) for x in (0.992, 1))
        assert below <= count <= above
    assert buckets[math.inf] == len(rows)
    (number,) = found["apisim_replications"].samples
    assert number.value == 1
    (run_info,) = found["apisim_run"].samples
    assert run_info.labels["scenario"] == 'shop & "co"'


def test_junit_has_a_case_for_each_threshold(made: tuple[Path, Result]) -> None:
    directory, result = made
    suite = ET.parse(directory / "j.xml").getroot()[0]
    cases = suite.findall("testcase")
    assert suite.get("name") == 'shop & "co"'
    assert int(suite.get("tests", 0)) == len(cases) == len(result.thresholds)
    failed = [case.find("failure") is not None for case in cases]
    assert failed == [not verdict.ok for verdict in result.thresholds] == [True, False, False]
    assert int(suite.get("failures", 0)) == 1
    assert cases[0].get("name") == "latency: p(95)<20ms"


def test_a_strict_run_fails_what_is_inconclusive(tmp_path: Path) -> None:
    exports = {"junit": tmp_path / "j.xml", "github": tmp_path / "g.txt"}
    # One replication has no interval: nothing is conclusive.
    run(loads(SCENARIO), engine="simpy", strict=True, exports=exports)
    suite = ET.parse(tmp_path / "j.xml").getroot()[0]
    assert [suite.get(name) for name in ("tests", "failures", "skipped")] == ["3", "3", "0"]
    assert len(suite.findall("testcase/failure")) == 3
    assert (tmp_path / "g.txt").read_text().count("::error ") == 3


def test_openmetrics_sums_counts_over_replications_and_not_the_cost(tmp_path: Path) -> None:
    file = tmp_path / "m.txt"
    text = SCENARIO.replace('name: shop & "co"\n', "replications: 3\n")
    result = run(loads(text), engine="simpy", exports={"openmetrics": file})
    families = list(text_string_to_metric_families(file.read_text()))
    found = {family.name: sum(one.value for one in family.samples) for family in families}
    assert found["apisim_replications"] == 3
    assert found["apisim_requests"] == result.requests.total
    assert found["apisim_cost_run"] == pytest.approx(float(result.bill.run.total))
    (info,) = next(family for family in families if family.name == "apisim_run").samples
    assert info.labels["scenario"] == "<string>"


def test_annotations_are_at_the_line_of_the_condition(directory: Path) -> None:
    lines = (directory / "g.txt").read_text().splitlines()
    assert len(lines) == 3
    form = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")
    text = SCENARIO.splitlines()
    for line, word, condition in zip(
        lines, ("error", "notice", "notice"), ("p(95)<20ms", "p(99)<10s", "max<9s"), strict=True
    ):
        match = form.fullmatch(line)
        assert match
        assert match[1] == word
        properties = dict(pair.split("=", 1) for pair in match[2].split(","))
        if "line" in properties:
            at, column = int(properties["line"]) - 1, int(properties["col"]) - 1
            assert text[at][column:].strip('"').startswith(condition)
        assert condition in properties["title"]


def test_costs_add_up_to_the_bill(made: tuple[Path, Result]) -> None:
    directory, result = made
    document = json.loads((directory / "c.json").read_text())
    (project,) = document["projects"]
    assert result.bill.month is not None
    assert Decimal(document["totalMonthlyCost"]) == result.bill.month.total
    parts = [
        component
        for resource in project["breakdown"]["resources"]
        for component in resource["costComponents"]
    ]
    total = sum(Decimal(part["monthlyCost"]) for part in parts)
    assert float(total) == pytest.approx(float(result.bill.month.total), rel=1e-12)
    for part in parts:
        amount = Decimal(part["monthlyQuantity"]) * Decimal(part["price"])
        assert float(part["monthlyCost"]) == pytest.approx(float(amount), rel=1e-9)
    lines = (directory / "c.md").read_text().splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {6}
    said = f"${result.bill.month.total:.2f}"
    assert said in table[-1].replace("\\", "")
    assert said in (directory / "c.txt").read_text()


@pytest.mark.parametrize("name", FRAMES)
def test_frames_are_read_back(made: tuple[Path, Result], name: str) -> None:
    directory, result = made
    frame = result.frame(name)
    assert len(frame) or name == "alarms"  # one without rows has its columns
    read = pd.read_parquet(directory / f"{name}.parquet")
    # Parquet has no dictionary without words: names of no rows come back as plain ones.
    if len(frame):
        pd.testing.assert_frame_equal(read, frame)
    else:
        assert (list(read), len(read)) == (list(frame), 0)
    table = pd.read_csv(directory / f"{name}.csv", keep_default_na=False, na_values=[""])
    assert list(table) == list(frame)
    for column in frame.select_dtypes("number"):
        # Text of a float has all the digits that it needs.
        assert table[column].tolist() == pytest.approx(frame[column].tolist(), rel=0, nan_ok=True)


def test_a_frame_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no frame .serie. .*did you mean series"):
        run(loads(SCENARIO), engine="simpy", exports={"frame": tmp_path / "serie.parquet"})


@pytest.mark.parametrize(
    ("kind", "name", "change", "said"),
    [
        ("access-log", "a.log", ("access_log", "description"), "access log"),
        ("xray", "x.json", ("tracing: {reservoir: 1/s, rate: 10%}", ""), "no stage is traced"),
        ("costs", "c.json", ("month: project, represents: steady", "month: run"), "projected"),
    ],
)
def test_what_cannot_be_written_is_told_before_the_run(
    kind: str, name: str, change: tuple[str, str], said: str, tmp_path: Path
) -> None:
    text = SCENARIO.replace(*change)
    if kind == "access-log":
        text = re.sub(r"      description: .*?'\n", "", text, flags=re.DOTALL)
    scenario = loads(text)
    with pytest.raises(OutputError, match=said):
        run(scenario, engine="simpy", exports={kind: tmp_path / name})
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Files of a run that was interrupted, and its result."""

    def interrupt(progress: object) -> None:
        raise KeyboardInterrupt

    folder = tmp_path_factory.mktemp("cut")
    names = {"junit": "j.xml", "github": "g.txt", "costs": ["c.md", "c.json"], "hgrm": "l.hgrm"}
    names |= {"openmetrics": "m.txt", "cloudwatch": "w.json"}
    exports = {
        kind: [folder / name for name in ([one] if isinstance(one, str) else one)]
        for kind, one in names.items()
    }
    long = SCENARIO.replace("duration: 10s", "duration: 9h")
    result = run(loads(long), engine="simpy", exports=exports, progress=interrupt)
    assert not result.completed
    return folder, result


def test_a_run_that_was_interrupted_is_an_error_where_builds_look(cut: tuple[Path, Result]) -> None:
    folder, result = cut
    suite = ET.parse(folder / "j.xml").getroot()[0]
    assert (suite.get("errors"), suite.get("tests")) == ("1", str(1 + len(result.thresholds)))
    (error,) = suite.findall("testcase/error")
    assert "interrupted" in error.get("message", "")
    first = (folder / "g.txt").read_text().splitlines()[0]
    assert first.startswith("::error title=run::the run was interrupted")


def test_other_files_of_a_part_say_so_as_well(cut: tuple[Path, Result]) -> None:
    folder, result = cut
    said = "the run was interrupted: all numbers are of a part of it"
    assert said in (folder / "c.md").read_text().splitlines()[0]
    (project,) = json.loads((folder / "c.json").read_text())["projects"]
    assert project["metadata"]["errors"] == [{"message": said}]
    assert f"#[{said}]" in (folder / "l.hgrm").read_text().splitlines()
    families = text_string_to_metric_families((folder / "m.txt").read_text())
    found = {one.name: [x.value for x in one.samples] for one in families}
    assert found["apisim_completed"] == [0]
    document = json.loads((folder / "w.json").read_text())
    assert document["Messages"] == [{"Code": "PartialData", "Value": said}]
    assert {one["StatusCode"] for one in document["MetricDataResults"]} == {"PartialData"}
    assert "the files of --export are of the part that was simulated" in result.notes


def test_what_was_not_measured_is_no_value(tmp_path: Path) -> None:
    text = SCENARIO.replace("rate: 20}", "rate: 0.0001}")
    run(loads(text), engine="simpy", exports={"junit": tmp_path / "j.xml"})
    failures = list(ET.parse(tmp_path / "j.xml").getroot().iter("failure"))
    assert len(failures) == 3
    said = "nothing was measured for latency: p(95)<20ms does not hold"
    assert failures[0].get("message") == said


def test_a_link_stays_a_link_and_a_pipe_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "real.xml").write_text("old")
    (tmp_path / "link.xml").symlink_to(tmp_path / "real.xml")
    os.mkfifo(tmp_path / "pipe.txt")
    exports = {"junit": tmp_path / "link.xml", "github": tmp_path / "pipe.txt"}
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe.txt").read_text()))
    reader.start()
    run(loads(SCENARIO), engine="simpy", exports=exports)
    reader.join(timeout=60)
    assert (tmp_path / "link.xml").is_symlink()
    assert ET.parse(tmp_path / "real.xml").getroot().tag == "testsuites"
    assert read[0].count("::notice ") == 2
    assert (tmp_path / "pipe.txt").is_fifo()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.xml", "pipe.txt", "real.xml"]


def test_a_full_device_is_an_error(tmp_path: Path) -> None:
    full = tmp_path / "full.xml"
    full.symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space left"):
        run(loads(SCENARIO), engine="simpy", exports={"junit": full})
