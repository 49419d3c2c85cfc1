"""``apisim limits``: the sheet as a page, as data and as files."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

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
