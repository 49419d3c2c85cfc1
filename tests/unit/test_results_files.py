"""What leaves the house: JSON, tables, frames, files, text and HTML."""

import csv
import io
import json
import shlex
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from apisim.results.atomic import OutputError, write_text
from apisim.results.files import to_json, write_files
from apisim.results.result import Result
from apisim.results.tables import TABLES, columns_of, rows_of
from apisim.results.text import render
from apisim.scenario import load, loads
from apisim.studies import run

SCENARIO = """
apisim: 1
name: "shop <b>launch</b>"
seed: 11
replications: 2
apis:
  users:
    type: rest
    stage: {cache_cluster_size: "0.5", waf: {rules: 1}}
    routes:
      GET /users/{userId}:
        integration: {type: lambda_proxy, function: get-user}
        authorizer: tokens
        throttle: {rate_limit: 20, burst_limit: 5}
        cache: {ttl: 5m, keys: [path.userId]}
      GET /inventory:
        integration: {type: http_proxy, endpoint: inventory}
        api_key_required: true
usage_plans: {basic: {quota: {limit: 10000, period: day}, api_stages: {users: {}}}}
populations: {customers: {count: 3, plans: {basic: 100%}, sign_in_quota: 120/s}}
authorizers: {tokens: {type: token, function: get-user, ttl: 5s}}
functions: {get-user: {duration: {p50: 40ms, p99: 300ms}, init: 250ms}}
endpoints: {inventory: {servers: 1, queue_limit: 2, service_time: 15ms}}
services: {queue: {type: sqs}}
traffic:
  pages:
    browser: {origin: "https://other.example.com"}
    client: {retries: {max: 1, on: [5xx]}}
    phases: [{name: calm, duration: 5s, rate: 1}]
    mix: {GET /inventory: 1}
  web:
    of: customers
    phases: [{name: calm, duration: 5s, rate: 20}, {name: spike, duration: 5s, rate: 100}]
    mix: {'GET /users/{userId}': 8, GET /inventory: 1}
    values: {path.userId: {uniform: 50}, header.authorization: {uniform: 40}}
pricing: {month: project, represents: steady}
thresholds:
  latency: ["p(95)<100h"]
  availability: ["rate>99.9%"]
"""
#: Tables of what happened inside; the scenario above has something for each.
OVER_TIME = [
    "latency_series", "bucket_series", "function_series", "endpoint_series", "cache_series",
]  # fmt: skip
QUIET = """
apisim: 1
apis: {a: {type: rest, routes: {GET /x: {integration: {type: mock}}}}}
traffic: {web: {phases: [{duration: 1s, rate: 0}], mix: {GET /x: 1}}}
"""


@pytest.fixture(scope="module")
def result():
    return run(loads(SCENARIO))


@pytest.fixture(scope="module")
def quiet():
    """A run to which nobody came."""
    return run(loads(QUIET))


def test_the_json_has_the_keys_of_the_design(result):
    told = json.loads(to_json(result))
    fixed = {
        "apisim", "scenario", "run", "requests", "latency_ms", "cache", "authorizers", "functions",
        "routes", "traffic", "phases", "customers", "bill", "intervals", "thresholds", "alarms",
    }  # fmt: skip
    assert fixed <= set(told)
    assert set(told["scenario"]) == {"name", "file", "sha256"}
    assert {
        "engine", "seed", "replications", "simulated_s", "setup_s", "wall_s", "requests_per_s",
        "digest",
    } <= set(told["run"])  # fmt: skip
    assert (told["run"]["engine"], told["run"]["seed"]) == ("compiled", 11)
    assert told["run"]["simulated_s"] == 10.0
    assert int(told["run"]["digest"], 16) < 2**64
    assert {"total", "by_status", "by_outcome", "refused_by"} <= set(told["requests"])
    assert list(told["latency_ms"]) == ["mean", "p50", "p90", "p95", "p99", "p99.9", "max"]
    assert {
        "hits", "misses", "hit_ratio", "evictions", "entries", "bytes", "wrong_answers",
    } <= set(told["cache"]["users"])  # fmt: skip
    assert {"hits", "invocations"} <= set(told["authorizers"]["tokens"])
    assert {
        "invocations", "cold_starts", "throttles", "max_concurrency", "utilization",
    } <= set(told["functions"]["get-user"])  # fmt: skip
    assert {"currency", "book", "run", "month"} == set(told["bill"])
    assert {"total", "lines"} <= set(told["bill"]["run"])
    for line in told["bill"]["month"]["lines"]:
        assert {"meter", "quantity", "unit", "amount", "tiers"} <= set(line)
    assert set(told["intervals"]["latency p(99)"]) >= {"mean", "low", "high", "confidence"}
    for verdict in told["thresholds"]:
        assert {"metric", "expression", "value", "ok", "conclusive"} <= set(verdict)


def test_maps_hold_what_occurred_and_add_up(result):
    requests = result.to_dict()["requests"]
    assert requests["total"] == sum(requests["by_status"].values())
    assert requests["total"] == sum(requests["by_outcome"].values())
    assert all(
        count > 0 for name in ("by_status", "refused_by") for count in requests[name].values()
    )
    assert set(requests["by_status"]) <= {"200", "403", "429", "503"}


def test_money_is_text_and_lines_add_up_to_the_total(result):
    bill = result.to_dict()["bill"]
    for section in (bill["run"], bill["month"]):
        amounts = [Decimal(line["amount"]) for line in section["lines"]]
        # Amounts that are not finite are shown with ten decimals.
        assert abs(sum(amounts) - Decimal(section["total"])) < Decimal("1e-8")
        for line in section["lines"]:
            assert isinstance(line["quantity"], str)
            assert sum(Decimal(tier["quantity"]) for tier in line["tiers"]) == pytest.approx(
                Decimal(line["quantity"]), abs=Decimal("1e-8")
            )


def test_a_run_without_requests_has_a_result(quiet):
    told = json.loads(to_json(quiet))
    assert told["requests"] == {
        "total": 0, "warm_up": 0, "by_status": {}, "by_outcome": {}, "refused_by": {},
        "new_connections": 0,
    }  # fmt: skip
    assert set(told["latency_ms"].values()) == {None}
    assert told["bill"]["run"]["total"] == "0"
    assert "0 requests" in quiet.summary()
    assert quiet.run_info.digest == "0" * 16


@pytest.mark.parametrize("name", TABLES)
def test_each_table_has_its_columns_with_and_without_rows(result, quiet, name):
    full, empty = rows_of(result, name), rows_of(quiet, name)
    columns = columns_of(name, full)
    assert columns == columns_of(name, [])[: len(columns)] or not columns_of(name, [])
    assert all(list(row) == columns for row in full)
    frame = result.frame(name)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == columns
    assert len(frame) == len(full)
    # There is neither an alarm nor a canary nor a WebSocket API here.
    assert full or name in {"alarms", "variants", "websockets", "pushes"}
    assert len(quiet.frame(name)) == len(empty)
    if columns_of(name, []):
        assert list(quiet.frame(name).columns) == columns


@pytest.mark.parametrize("name", ["routes", "traffic", "phases"])
def test_a_group_has_the_numbers_of_the_json_in_its_order(result, name):
    """All but counts by status, which are in ``outcomes``."""
    for row, told in zip(rows_of(result, name), result.to_dict()[name], strict=True):
        del told["by_status"]
        flat = {}
        for key, value in told.items():
            if key.endswith("latency_ms"):
                for statistic, time in value.items():
                    flat[f"{key}_{statistic.replace('.', '_')}"] = time
            else:
                flat[key] = value
        assert list(row) == list(flat)
        assert [None if value != value else value for value in row.values()] == list(flat.values())


def test_frames_agree_with_each_other(result):
    total = result.requests.total
    for name in ("routes", "phases", "outcomes", "series"):
        assert result.frame(name)["requests"].sum() == total
    traffic = result.frame("traffic")
    assert traffic["requests"].iloc[:-1].sum() == traffic["requests"].iloc[-1] == total
    by_status = result.frame("outcomes").groupby("status")["requests"].sum()
    assert by_status.to_dict() == dict(result.requests.by_status)
    bill = result.frame("bill")
    run_amount = bill[bill["bill"] == "run"]["amount"].sum()
    assert run_amount == pytest.approx(float(result.bill.run.total))
    series = result.frame("series")
    assert series["rps"].sum() == pytest.approx(total / 2)
    assert series["throttled_method"].sum() == result.requests.refused_by["method"]


def test_a_frame_that_does_not_exist_is_refused_with_those_that_do(result):
    with pytest.raises(ValueError, match="there is no frame 'nonsense'; there are series, routes"):
        result.frame("nonsense")


@pytest.mark.parametrize(
    ("written", "meant"), [("thottles", "throttles"), ("Routes", "routes"), ("route", "routes")]
)
def test_a_slip_in_the_name_of_a_frame_is_told(result, written, meant):
    words = rf"no frame '{written}' \(did you mean {meant}\?\); there are series"
    with pytest.raises(ValueError, match=words):
        result.frame(written)


def test_the_files_of_a_run_can_be_read_again(result, tmp_path):
    files = write_files(result, tmp_path / "deep" / "out")
    tables = [
        "series.csv", "routes.csv", "bill.csv", "costs.csv", "customers.csv", "usage.csv",
        *(f"{name}.csv" for name in OVER_TIME),
    ]  # fmt: skip
    exports = ["focus.csv", "focus-month.csv", "infracost-usage.yml"]
    names = ["result.json", *tables, *exports, "scenario.yaml"]
    assert [file.name for file in files] == names
    assert sorted(file.name for file in (tmp_path / "deep" / "out").iterdir()) == sorted(names)
    told, series, routes, bill, costs, *_, scenario = files
    document = json.loads(told.read_text(encoding="utf-8"))
    assert document.pop("files") == names
    assert document == json.loads(to_json(result))
    assert load(scenario) == result.scenario
    assert pd.read_csv(series)["requests"].sum() == result.requests.total
    assert pd.read_csv(routes)["route"].tolist() == ["GET /users/{userId}", "GET /inventory"]
    rows = list(csv.DictReader(io.StringIO(bill.read_text())))
    total = sum(Decimal(row["amount"]) for row in rows if row["bill"] == "run")
    assert abs(total - result.bill.run.total) < Decimal("1e-8")
    rows = list(csv.DictReader(io.StringIO(costs.read_text())))
    shares = [row for row in rows if (row["bill"], row["by"]) == ("run", "route")]
    assert abs(sum(Decimal(row["cost"]) for row in shares) - total) < Decimal("1e-8")
    assert all(b"\r" not in file.read_bytes() for file in files)


@pytest.mark.parametrize("name", OVER_TIME)
def test_what_happened_inside_can_be_read_from_the_files(result, tmp_path, name):
    write_files(result, tmp_path)
    read = pd.read_csv(tmp_path / f"{name}.csv")
    frame = result.frame(name)
    names = frame.select_dtypes("category").columns
    assert len(names) > 0
    told = frame.astype(dict.fromkeys(names, "str"))
    pd.testing.assert_frame_equal(read, told, check_dtype=False)
    counted = {
        "latency_series": ("requests", result.requests.total),
        "bucket_series": ("refused", sum(stats.refused for stats in result.throttles)),
        "function_series": ("invocations", result.functions["get-user"].invocations),
        "endpoint_series": ("served", result.endpoints["inventory"].served),
        "cache_series": ("hits", result.cache["users"].hits),
    }
    column, total = counted[name]
    assert read[column].sum() == total > 0


def test_alarms_have_a_file_where_there_are_any(quiet, tmp_path):
    assert "alarms.csv" not in [file.name for file in write_files(quiet, tmp_path)]
    alarm = "{metric: requests, statistic: sum, below: 1, missing: breaching}"
    watched = run(loads(QUIET.replace("1s, rate: 0", "3m, rate: 0") + f"alarms: {{low: {alarm}}}"))
    assert "alarms.csv" in [file.name for file in write_files(watched, tmp_path)]
    (row,) = csv.DictReader((tmp_path / "alarms.csv").read_text().splitlines())
    assert row["alarm"] == "low"
    assert json.loads((tmp_path / "result.json").read_text())["files"][5] == "alarms.csv"
    write_files(quiet, tmp_path)
    assert not (tmp_path / "alarms.csv").exists()  # it was another run's


def test_the_same_run_writes_the_same_files_but_for_the_clock(result, tmp_path):
    again = run(loads(SCENARIO))
    first, second = write_files(result, tmp_path / "a"), write_files(again, tmp_path / "b")
    for one, other in zip(first[1:], second[1:], strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_a_text_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    write_text(path, "first\n")

    def fail(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        write_text(path, "second\n")
    assert path.read_text() == "first\n"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def test_a_directory_that_cannot_be_made_is_named(result, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        write_files(result, tmp_path / "file")


def test_the_summary_fits_in_80_columns_and_needs_no_colour(result):
    text = result.summary()
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert text.index("Thresholds") < text.index("Traffic") < text.index("Throttling")
    assert text.index("Throttling") < text.index("Cost of the run") < text.index("Expected month")
    assert "FAILED" in text
    assert "Aggregated" in text
    assert f"digest {result.run_info.digest}" in text
    assert "seed 11" in text
    assert str(result) == text
    assert max(map(len, result.summary(width=120).splitlines())) <= 120


def test_the_summary_ends_with_the_command_that_repeats_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my scenario.yaml").write_text(QUIET)
    text = run("my scenario.yaml").summary()
    assert "\nreproduce by\n  apisim run 'my scenario.yaml' --seed 1\n" in text
    options = {"seed": 5, "replications": 2, "profile": "ideal", "duration": "500ms"}
    scenario = load("my scenario.yaml", overrides=["name=it's"], **options).with_(warm_up=0)
    text = run(scenario).summary()
    command = text.split("\nreproduce by\n")[1].split("\nnote:")[0]
    assert max(map(len, command.splitlines())) <= 80
    assert shlex.split(command.replace("\\\n", "")) == [
        "apisim", "run", "my scenario.yaml", "--seed", "5", "--profile", "ideal",
        "--replications", "2", "--duration", "500ms",
        "--set", "name=it's", "--set", "warm_up=0",
    ]  # fmt: skip


def test_the_summary_says_when_a_bucket_began_to_refuse(result):
    stats = next(one for one in result.throttles if one.refused)
    (line,) = [line for line in result.summary().splitlines() if line.startswith("method ")]
    assert f"{stats.refused:,}" in line
    assert f"{stats.first_refused_s:.3f}".rstrip("0") in line
    assert "20/s, 5" in line


def test_a_name_is_never_taken_for_markup(result):
    assert "shop <b>launch</b>" in result.summary()
    html = result._repr_html_()
    assert "shop &lt;b&gt;launch&lt;/b&gt;" in html
    assert "<b>" not in html
    assert html.count("<table>") == html.count("</table>") >= 7
    tags = run(loads(QUIET.replace("apisim: 1", "apisim: 1\nname: '[bold red]x[/]'")))
    assert tags.summary().startswith("[bold red]x[/]\n")


def test_rich_prints_a_result(result):
    from rich.console import Console

    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="truecolor")
    console.print(result)
    assert "\x1b[" in console.file.getvalue()
    assert render(result) is not None


def test_a_run_never_writes_over_what_it_reads(tmp_path: Path) -> None:
    from apisim.results.atomic import OutputError, refuse_input
    from apisim.scenario import load

    file = tmp_path / "scenario.yaml"
    file.write_text((Path(__file__).parents[2] / "scenarios/chapter/burst-spike.yaml").read_text())
    with pytest.raises(OutputError, match="this run reads it"):
        refuse_input(file, load(file))
    refuse_input(tmp_path / "other.yaml", load(file))


def test_what_an_earlier_run_wrote_is_removed_and_what_another_did_is_not(
    result: Result, quiet: Result, tmp_path: Path
) -> None:
    """The second run has no customers and no projected month."""
    (tmp_path / "pushes.csv").write_text("mine\n")
    write_files(result, tmp_path)
    assert (tmp_path / "customers.csv").exists()
    assert (tmp_path / "focus-month.csv").exists()
    files = write_files(quiet, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "pushes.csv",
        *(file.name for file in files),
    }
    assert (tmp_path / "pushes.csv").read_text() == "mine\n"
