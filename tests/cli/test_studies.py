"""``apisim compare`` and ``apisim sweep``: pages, data, files and exit codes."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

RATE = "traffic.web.phases.0.rate"
FAST = ("--engine", "simpy", "--duration", "2s", "--quiet")


def test_a_comparison_says_what_differs_and_then_what_that_does(cli: Cli, here: Path) -> None:
    limit = "apis.shop.stage.throttle.rate_limit=10"
    code, out, err = cli("compare", "small.yaml", "--with", limit, *FAST, "--out", "there")
    assert (code, err) == (0, "")
    assert out.index("What differs") < out.index("20 -> 10") < out.index("What it does")
    assert max(map(len, out.splitlines())) <= 80
    code, out, _ = cli("compare", "small.yaml", "--with", limit, *FAST, "--json")
    assert code == 0
    (variant,) = json.loads(out)["variants"]
    assert variant["changes"] == [
        {"path": "apis.shop.stage.throttle.rate_limit", "base": "20", "value": "10"}
    ]
    rows = list(csv.DictReader(io.StringIO((here / "there" / "compare.csv").read_text())))
    assert [row["measure"] for row in rows] == [one["measure"] for one in variant["measures"]]
    by_name = {one["measure"]: one for one in variant["measures"]}
    assert by_name["throttled rate"]["difference"] > 0
    assert by_name["requests count"]["verdict"] == "equal"
    assert by_name["requests count"]["interval"]["low"] == 0


def test_files_are_compared_with_the_first(cli: Cli, here: Path) -> None:
    text = (here / "small.yaml").read_text().replace("name: small", "name: slow")
    (here / "slow.yaml").write_text(text.replace("p50: 40ms", "p50: 90ms"))
    code, out, _ = cli("compare", "small.yaml", "slow.yaml", *FAST)
    assert code == 0
    assert "What differs: slow" in out
    assert "40ms -> 90ms" in out


def test_a_sweep_shows_its_values_and_goes_on_where_it_was(cli: Cli, here: Path) -> None:
    options = ("--over", f"{RATE}=10:30:10", *FAST, "--out", "there")
    code, out, err = cli("sweep", "small.yaml", *options)
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines() if line[:2] in ("10", "20", "30")][:3] == [
        "10", "20", "30",
    ]  # fmt: skip
    assert max(map(len, out.splitlines())) <= 80
    written = (here / "there" / "sweep.csv").read_bytes()
    points = {one.name: one.stat().st_mtime_ns for one in (here / "there" / "points").iterdir()}
    assert cli("sweep", "small.yaml", *options) == (0, out, "")
    assert (here / "there" / "sweep.csv").read_bytes() == written
    for name, time_ns in points.items():
        assert (here / "there" / "points" / name).stat().st_mtime_ns == time_ns or name == ".lock"


def test_a_point_that_fails_is_told_and_the_exit_code_says_so(cli: Cli) -> None:
    over = ("--over", "functions.get-item.memory=1MB,256MB")
    code, out, err = cli("sweep", "small.yaml", *over, *FAST)
    assert code == 2
    assert "1 of 2 points" in out
    assert "point 0 failed: functions.get-item.memory" in err
    assert "--seed 1" in err
    code, out, _ = cli("sweep", "small.yaml", *over, *FAST, "--json")
    assert code == 2
    assert json.loads(out)["failures"][0]["values"] == {"functions.get-item.memory": "1MB"}


def test_indices_are_shown_and_printed_as_data(cli: Cli, here: Path) -> None:
    over = ("--over", f"{RATE}=5..40", "--over", "functions.get-item.memory=128MB,1024MB")
    code, out, _ = cli("sweep", "small.yaml", *over, "--sobol", "4", *FAST, "--out", "there")
    assert code == 0
    assert "16 of 16 points" in out
    assert "Shares of the variance of cost_run value" in out
    rows = list(csv.DictReader(io.StringIO((here / "there" / "sensitivity.csv").read_text())))
    assert {row["path"] for row in rows} == {RATE, "functions.get-item.memory"}
    code, out, _ = cli("sweep", "small.yaml", *over, "--sobol", "4", *FAST, "--json")
    assert len(json.loads(out)["sensitivity"]) == len(rows)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("compare", "small.yaml"), "nothing to compare with"),
        (("compare", "small.yaml", "small.yaml", "--replications", "1"), "--replications"),
        (("compare", "small.yaml", "--with", "nowhere=1"), "nowhere"),
        (("sweep", "small.yaml", "--over", RATE), "no path=values"),
        (("sweep", "small.yaml", "--over", f"{RATE}=1..9"), "is a range"),
        (("sweep", "small.yaml", "--over", f"{RATE}=1:9:0"), "in steps of 0"),
        (("sweep", "small.yaml", "--over", f"{RATE}=1..9", "--sobol", "3"), "power of two"),
        (
            ("sweep", "small.yaml", "--over", f"{RATE}=1..9", "--sobol", "4", "--lhs", "4"),
            "exclude each other",
        ),
        (("sweep", "small.yaml", "--over", f"{RATE}=1,2", "--workers", "0"), "--workers"),
        (
            ("sweep", "small.yaml", "--over", f"{RATE}=1,2", "--scheduler", "tcp://nowhere.invalid:1"),
            "no Dask scheduler",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_told(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
