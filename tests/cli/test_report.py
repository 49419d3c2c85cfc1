"""``apisim report``: what is written where, and what is refused."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli

QUICK = ("report", "small.yaml", "--engine", "simpy")


def test_a_scenario_is_run_and_its_report_written_beside_where_one_is(cli: Cli) -> None:
    code, out, err = cli(*QUICK)
    assert (code, out) == (0, "small.html\n")
    assert "note: " in err
    assert Path("small.html").read_text().startswith("<!doctype html>")


def test_options_of_a_run_and_a_file_of_ones_own(cli: Cli) -> None:
    code, out, err = cli(*QUICK, "--seed", "7", "--out", "seven.html", "--quiet")
    assert (code, out, err) == (0, "seven.html\n", "")
    assert "--seed 7" in Path("seven.html").read_text()
    assert not Path("small.html").exists()


def test_a_failed_threshold_is_the_reports_answer_and_no_failure_of_the_report(cli: Cli) -> None:
    code, _, err = cli(*QUICK, "--set", "thresholds.latency=[p(99)<1us]")
    assert code == 0
    assert "note: No: " in err
    assert "No: " in Path("small.html").read_text()


def test_the_folder_of_a_run_gets_its_report(cli: Cli) -> None:
    assert cli("run", "small.yaml", "--engine", "simpy", "--seed", "9", "--out", "done")[0] == 0
    code, out, _ = cli("report", "done")
    assert (code, out) == (0, "done/report.html\n")
    assert "--seed 9" in Path("done/report.html").read_text()
    # Another run there removes what this one wrote, and not the report.
    assert cli("run", "small.yaml", "--engine", "simpy", "--out", "done")[0] == 0
    assert Path("done/report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("report", "missing.yaml"), "missing.yaml"),
        (("report", "."), "result.json cannot be read"),
        ((*QUICK, "--out", "small.yaml"), "small.yaml"),
        ((*QUICK, "--out", "small.yaml/page.html"), "is not a directory"),
        (("report", ".", "--seed", "3"), "is a folder of one run"),
    ],
)
def test_what_cannot_be_reported_is_said(
    cli: Cli, arguments: tuple[str, ...], message: str
) -> None:
    before = Path("small.yaml").read_text()
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert Path("small.yaml").read_text() == before
