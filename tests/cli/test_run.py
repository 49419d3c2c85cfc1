"""``apisim run``: what is printed, which files are written, and the exit code."""

import csv
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import numba
import pytest

from apisim.results.exporting import EXPORT_KINDS
from apisim.scenario import load
from tests.cli.conftest import Cli, Start

#: The golden model needs no compiling to speak of; both engines give the same numbers.
QUICK = ("run", "small.yaml", "--engine", "simpy")

#: Keys that are fixed; there may be more.
KEYS = {
    "": "apisim scenario run requests latency_ms cache authorizers functions routes traffic phases "
    "customers bill intervals thresholds alarms",
    "scenario": "name file sha256",
    "run": "engine seed replications simulated_s setup_s wall_s requests_per_s digest",
    "requests": "total by_status by_outcome refused_by",
    "latency_ms": "mean p50 p90 p95 p99 p99.9 max",
    "cache.shop": "hits misses hit_ratio evictions entries bytes wrong_answers",
    "authorizers.tokens": "hits invocations",
    "functions.get-item": "invocations cold_starts throttles max_concurrency utilization",
    "bill": "currency book run",
    "bill.run": "total lines",
    "bill.run.lines.0": "meter quantity unit amount tiers",
    "intervals.latency p(99)": "mean low high confidence",
    "thresholds.0": "metric expression value ok conclusive",
}


def at(document: Any, path: str) -> Any:
    """What stands at a path; the dot inside ``p(99.9)`` does not occur."""
    for part in path.split(".") if path else ():
        document = document[int(part) if part.isdigit() else part]
    return document


@pytest.fixture
def document(cli: Cli) -> dict[str, Any]:
    """What ``--json`` prints of the small scenario."""
    code, out, err = cli(*QUICK, "--json", "--quiet")
    assert (code, err) == (0, "")
    read = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert isinstance(read, dict)
    return read


@pytest.mark.parametrize("path", KEYS)
def test_the_json_object_has_its_fixed_keys(path: str, document: dict[str, Any]) -> None:
    assert set(KEYS[path].split()) <= set(at(document, path))


def test_the_json_object_adds_up(document: dict[str, Any]) -> None:
    requests = document["requests"]
    for part in ("by_status", "by_outcome"):
        assert sum(requests[part].values()) == requests["total"]
    # One cell a request: a throttled one is refused by exactly one level.
    assert sum(requests["refused_by"].values()) == requests["by_outcome"]["throttled"]
    assert document["run"]["replications"] == 2
    assert document["run"]["completed"] is True
    assert document["scenario"]["file"] == "small.yaml"
    assert isinstance(document["bill"]["run"]["total"], str)


def test_options_replace_what_the_file_says(cli: Cli) -> None:
    options = ["--seed", "7", "--replications", "3", "--duration", "2s", "--profile", "ideal"]
    out = cli(*QUICK, *options, "--set", "name=changed", "--json", "-q").out
    read = json.loads(out)
    assert read["scenario"]["name"] == "changed"
    assert (read["run"]["seed"], read["run"]["replications"]) == (7, 3)
    assert read["run"]["simulated_s"] == 2


def test_results_go_to_stdout_and_notes_to_stderr(cli: Cli) -> None:
    code, out, err = cli(*QUICK)
    assert code == 0
    assert out.startswith("small\n")
    assert "digest" in out
    assert "note:" not in out
    assert err
    assert all(line.startswith("note: ") for line in err.splitlines())


def test_quiet_silences_notes_and_never_results(cli: Cli) -> None:
    loud, quiet = cli(*QUICK), cli(*QUICK, "--quiet")
    assert quiet.err == ""
    # Wall times differ from run to run.
    assert quiet.out.splitlines()[:-5] == loud.out.splitlines()[:-5]


@pytest.mark.parametrize("columns", ["80", "100", "20", "1000", "x"])
def test_a_page_is_no_wider_than_the_terminal(
    columns: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    out = cli(*QUICK, "-q").out
    width = min(max(int(columns), 60), 120) if columns.isdigit() else 80
    assert max(len(line) for line in out.splitlines()) <= width
    assert not any(line.endswith(" ") for line in out.splitlines())


def test_a_failed_threshold_is_exit_code_99(cli: Cli) -> None:
    code, out, err = cli(*QUICK, "-q", "--set", "thresholds.latency=['p(50)<1ms']")
    assert code == 99
    assert "FAILED" in out
    assert err == "threshold failed: latency p(50)<1ms\n"


def test_strict_fails_what_is_inconclusive(cli: Cli) -> None:
    # One replication has no interval, so nobody knows.
    once = (*QUICK, "-q", "--replications", "1")
    assert cli(*once).code == 0
    code, _, err = cli(*once, "--strict")
    assert code == 99
    assert err.count("threshold inconclusive: ") == 2
    assert err.count(" (--strict): one replication has no interval\n") == 2
    assert cli(*QUICK, "-q", "--strict").code == 0
    assert cli(*once, "--strict", "--set", "thresholds={}").code == 0


def test_out_writes_files_that_agree_with_the_json(
    cli: Cli, here: Path, document: dict[str, Any]
) -> None:
    code, _, err = cli(*QUICK, "--out", "made/of/it")
    folder = here / "made/of/it"
    assert code == 0
    assert "made/of/it" in err
    assert sorted(path.name for path in folder.iterdir()) == [
        "bill.csv",
        "bucket_series.csv",
        "cache_series.csv",
        "costs.csv",
        "endpoint_series.csv",
        "focus.csv",
        "function_series.csv",
        "latency_series.csv",
        "result.json",
        "routes.csv",
        "scenario.yaml",
        "series.csv",
    ]
    read = json.loads((folder / "result.json").read_text("utf-8"))
    assert sorted(read.pop("files")) == sorted(path.name for path in folder.iterdir())
    for both in (read, document):
        for wall in ("setup_s", "wall_s", "requests_per_s"):
            del both["run"][wall]
    assert read == document
    with (folder / "routes.csv").open(encoding="utf-8", newline="") as stream:
        routes = list(csv.DictReader(stream))
    assert sum(int(row["requests"]) for row in routes) == document["requests"]["total"]
    for name in ("series", "bill", "latency_series", "bucket_series"):
        header, *rows = (folder / f"{name}.csv").read_text("utf-8").splitlines()
        assert len(rows) > 0
        assert {row.count(",") for row in rows} == {header.count(",")}


def test_the_resolved_scenario_gives_the_same_run(
    cli: Cli, here: Path, document: dict[str, Any]
) -> None:
    cli(*QUICK, "--set", "traffic.web.phases.0.rate=40", "--out", "made")
    first = json.loads((here / "made/result.json").read_text("utf-8"))
    again = json.loads(cli("run", "made/scenario.yaml", "--engine", "simpy", "--json").out)
    assert again["run"]["digest"] == first["run"]["digest"] != document["run"]["digest"]
    assert load(here / "made/scenario.yaml").traffic["web"].phases[0].name == "steady"


def test_both_engines_write_the_same_request_file(cli: Cli, here: Path) -> None:
    for engine, workers in (("simpy", "1"), ("compiled", "1"), ("compiled", "2"), ("auto", "1")):
        options = ["--engine", engine, "--workers", workers, "--requests", f"{engine}{workers}.csv"]
        assert cli("run", "small.yaml", "-q", *options).code == 0
    written = {path.name: path.read_bytes() for path in here.glob("*.csv")}
    assert len(written) == 4
    assert len(set(written.values())) == 1
    with (here / "simpy1.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["replication"] for row in rows] == sorted(row["replication"] for row in rows)
    total = json.loads(cli(*QUICK, "--json").out)["requests"]["total"]
    assert len(rows) == total
    assert sorted(path.name for path in here.iterdir() if path.name.endswith(".tmp")) == []


def test_parquet_holds_what_csv_holds(cli: Cli, here: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    for suffix in ("csv", "parquet"):
        assert cli(*QUICK, "-q", "--requests", f"r.{suffix}").code == 0
    with (here / "r.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    table = parquet.read_table(here / "r.parquet").to_pylist()
    texts = [{key: "" if v is None else str(v) for key, v in row.items()} for row in table]
    assert texts == rows


def test_parquet_without_pyarrow_says_what_to_install(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    code, out, err = cli(*QUICK, "--requests", "r.parquet")
    assert (code, out) == (2, "")
    assert "apisim[parquet]" in err
    assert sorted(path.name for path in here.iterdir()) == ["small.yaml"]


def test_bad_rows_are_left_out_and_counted_when_asked(cli: Cli, here: Path) -> None:
    rows = "timestamp_s,client,method,path\n0,a,GET,/\nx,a,GET,/\n1,b,GET,/\n2,c\n"
    (here / "log.csv").write_text(rows, encoding="utf-8")
    (here / "replay.yaml").write_text(
        "apisim: 1\n"
        "apis: {site: {type: rest, routes: {GET /: {integration: {type: mock}}}}}\n"
        "traffic: {replayed: {trace: {file: log.csv}}}\n",
        encoding="utf-8",
    )
    assert cli("run", "replay.yaml", "--engine", "simpy").code == 2
    code, out, err = cli("run", "replay.yaml", "--engine", "simpy", "--skip-bad-rows", "--json")
    assert code == 0
    assert json.loads(out)["requests"]["total"] == 2
    assert "2 rows" in err


def test_errors_are_json_too_when_json_is_asked_for(cli: Cli) -> None:
    code, out, err = cli(*QUICK, "--json", "--set", "seed=-1", "--set", "x=1")
    assert code == 2
    assert "2 problems" in err
    read = json.loads(out)
    assert set(read) == {"apisim", "errors"}
    for entry in read["errors"]:
        assert set(entry) == {"file", "line", "column", "path", "message", "hint"}
    assert read["errors"][0]["file"] == "--set"


def test_errors_without_a_place_are_json_too(cli: Cli) -> None:
    code, out, _ = cli(*QUICK, "--json", "--out", "small.yaml")
    assert code == 2
    (entry,) = json.loads(out)["errors"]
    assert entry["file"] is entry["line"] is None
    assert "small.yaml" in entry["message"]


def test_an_export_is_written_and_an_input_is_never_written_over(cli: Cli, here: Path) -> None:
    code, out, err = cli(*QUICK, "-q", "--export", "cloudwatch=m.csv", "--export=cloudwatch=m.json")
    assert (code, err) == (0, "")
    with (here / "m.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["ApiName"] for row in rows} == {"shop"}
    assert len(json.loads((here / "m.json").read_text())["MetricDataResults"]) > 0
    (here / "small.csv").write_text((here / "small.yaml").read_text())
    code, out, err = cli("run", "small.csv", *QUICK[2:], "--export", "cloudwatch=small.csv")
    assert (code, out) == (2, "")
    assert "small.csv cannot be written: this run reads it" in err


def test_exports_of_all_kinds_are_told_before_anything_runs(cli: Cli, here: Path) -> None:
    good = ["junit=j.xml", "github=g.txt", "hgrm=l.hgrm", "openmetrics=m.txt", "costs=c.md"]
    options = [f"--export={text}" for text in good]
    code, _, err = cli(*QUICK, "-q", *options)
    assert (code, err) == (0, "")
    assert all((here / text.partition("=")[2]).is_file() for text in good)
    for bad, said in (
        ("junit=a.txt", "junit is written to a file ending in .xml"),
        ("jnit=a.xml", "did you mean junit?"),
        ("access-log=a.log", "no stage that is called has an access log"),
        ("xray=a.json", "no stage is traced"),
    ):
        code, out, err = cli(*QUICK, "--export", bad)
        assert (code, out) == (2, "")
        assert said in err
        assert not (here / bad.partition("=")[2]).exists()
    # The option's help cannot ask the registry: that would load the simulation.
    listed = re.search(r"Kinds: ([^.]*)\.", " ".join(cli("run", "--help")[1].split()))
    assert listed
    assert listed[1].split(", ") == [*EXPORT_KINDS]


def test_a_full_disk_is_told_and_leaves_no_half_file(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    for option, name in (
        ("--requests", "r.csv"),
        ("--export", "cloudwatch=m.csv"),
        ("--out", "made"),
    ):
        code, _, err = cli(*QUICK, "-q", option, name)
        assert code == 2
        assert name.rpartition("=")[2] in err
        assert os.strerror(28) in err
    left = [path.name for path in here.rglob("*") if path.is_file()]
    assert left == ["small.yaml"]
    # The results were known before the files could not be written: stdout has them, once.
    assert json.loads(cli(*QUICK, "--json", "--out", "made").out)["run"]["completed"] is True


def test_a_directory_without_permission_is_told_before_the_run(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "locked").mkdir()
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "locked")
    code, out, err = cli(*QUICK, "--out", "locked/results")
    assert (code, out) == (2, "")
    assert "no permission to write to locked" in err


def test_a_second_run_compiles_nothing(cli: Cli, start: Start) -> None:
    from apisim.arrays.jit import cache_directory

    def compiled() -> dict[Path, int]:
        files = [path for path in cache_directory().rglob("*") if path.is_file()]
        return {path: path.stat().st_mtime_ns for path in files}

    assert cli("run", "small.yaml", "--engine", "compiled", "-q").code == 0
    first = compiled()
    assert first
    # In a process of its own, because this one keeps what it has compiled in memory.
    process = start("run", "small.yaml")
    _, err = process.communicate()
    assert process.returncode == 0
    assert compiled() == first
    assert b"compiling" not in err


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
@pytest.mark.parametrize(
    ("options", "n_times"), [((), 1), (("--quiet",), 0), (("--json",), 0), (("--json", "-q"), 0)]
)
def test_compiling_is_said_once_on_stderr(
    options: tuple[str, ...], n_times: int, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apisim.studies import preparation

    def compile_two(world: object) -> None:
        numba.njit(lambda: 1)()
        numba.njit(lambda: 2)()

    # The engine itself takes a minute to compile; two small functions are as new to numba.
    monkeypatch.setattr(preparation, "compile_for", compile_two)
    code, out, err = cli("run", "small.yaml", "--engine", "compiled", *options)
    assert code == 0
    said = "compiling the engine, which may take a minute; later runs start at once\n"
    assert err.count(said) == n_times
    assert "compiling" not in out
    if options == ("--quiet",):
        assert err == ""
    # What comes from the cache, or from memory, is not compiled.
    monkeypatch.setattr(preparation, "compile_for", lambda world: None)
    assert "compiling" not in cli("run", "small.yaml", "--engine", "compiled").err
    assert "compiling" not in cli("run", "small.yaml", "--engine", "simpy").err
