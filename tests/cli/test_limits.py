"""``apisim limits``: the sheet as a page, as data and as files."""

import csv
import io
import json
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Start

FAST = ("--up-to", "2", "--precision", "20%", "--duration", "5s")


def test_the_page_has_the_limits_what_to_ask_for_and_the_envelope(cli: Cli) -> None:
    small = ("--set", "account.throttle.rate_limit=20", "--set", "account.throttle.burst_limit=60")
    code, out, err = cli("limits", "small.yaml", *FAST, *small, "--quiet")
    assert (code, err) == (0, "")
    for words in ("Throttle rate", "not on request", "L-8A5B8E43", "Ask for", "Launch envelope"):
        assert words in out
    assert max(map(len, out.splitlines())) <= 80


def test_json_and_files_say_the_same(cli: Cli, here: Path) -> None:
    code, out, err = cli("limits", "small.yaml", *FAST, "--json", "--out", "there")
    assert code == 0
    assert "limits.json, limits.csv, envelope.csv, scenario.yaml" in err
    read = json.loads(out)
    assert json.loads((here / "there" / "limits.json").read_text(encoding="utf-8")) == read
    rows = list(csv.DictReader(io.StringIO((here / "there" / "limits.csv").read_text())))
    assert [row["quota"] for row in rows] == [row["quota"] for row in read["limits"]]
    rate = next(row for row in read["limits"] if row["kind"] == "account_rate")
    assert (rate["service"], rate["code"]) == ("apigateway", "L-8A5B8E43")
    assert (rate["limit"], rate["origin"], rate["requestable"]) == (10_000, "default", True)
    cells = list(csv.DictReader(io.StringIO((here / "there" / "envelope.csv").read_text())))
    assert len(cells) == len(read["envelope"]) > 0


@pytest.mark.parametrize(
    "options",
    [
        ("--multiple", "0"),
        ("--multiple", "many"),
        ("--multiple", "1000000"),
        ("--up-to", "-1"),
        ("--precision", "0%"),
        ("--precision", "2"),
        ("--reserve", "120%"),
        ("--hit-ratio", "0.9"),
        ("--workers", "0"),
        ("--out", "small.yaml"),
    ],
)
def test_bad_options_are_told(cli: Cli, options: tuple[str, str]) -> None:
    code, out, err = cli("limits", "small.yaml", *options)
    assert (code, out) == (2, "")
    assert options[0] in err or options[1] in err
    assert "Traceback" not in err


#: Thousands of searches of a moment each, so that Ctrl-C meets all that there is between them.
ENDLESS = """\
apisim: 1
name: endless
replications: 9999
apis:
  site: {type: rest, routes: {GET /: {integration: {type: mock}}}}
traffic:
  web: {phases: [{duration: 100s, rate: 10}], mix: {GET /: 1}}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as on Unix")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_search_that_is_stopped_answers_nothing(start: Start, here: Path, workers: str) -> None:
    (here / "endless.yaml").write_text(ENDLESS, encoding="utf-8")
    once = ("--engine", "simpy", "--replications", "1", "--up-to", "1", "--precision", "100%")
    # Compiling, which is not interrupted, is over before the clock starts.
    assert start("limits", "endless.yaml", "--quiet", *once).wait(timeout=400) == 0
    options = ("--engine", "simpy", "--workers", workers, "--out", "o")
    process = start("limits", "endless.yaml", "--json", *options)
    time.sleep(5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    assert err.decode().endswith("interrupted\n")
    assert not (here / "o").exists()
