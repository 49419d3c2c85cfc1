"""The summary on terminals of several widths, with colours and without, and in a pipe.

The pages are in ``tests/golden/terminal``; ``APISIM_UPDATE_GOLDEN=1`` writes them anew. Read them
before they are committed.
"""

import contextlib
import os
import re
import shlex
from collections import Counter
from pathlib import Path

import pytest

from apisim import run
from apisim.results.page_tables import PageTable, column_widths
from apisim.results.section import section
from apisim.results.text import plain_text
from tests.cli.conftest import SMALL, Attach, Cli, Start
from tests.cli.test_streams import COLOUR

PAGES = Path(__file__).parents[1] / "golden" / "terminal"
SCENARIO = SMALL.replace('latency: ["p(99)<20s"]', 'latency: ["p(99)<20s", "p(50)<1ms"]')
COMMAND = ("run", "small.yaml", "--engine", "simpy", "--quiet")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
TIMED = re.compile(r"simulated\s+in\s+.*?set-up\s+\S+\s+\S+", re.DOTALL)


def page_on_a_terminal(start: Start, columns: int, **environment: str) -> str:
    """What the command draws on a terminal; how long it took is left out."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    with contextlib.closing(os.fdopen(theirs, "wb")) as stream:
        process = start(*COMMAND, stdout=stream, env={"COLUMNS": str(columns), **environment})
    drawn = b""
    with contextlib.suppress(OSError):  # what Linux says when the other end is closed
        while block := os.read(ours, 65536):
            drawn += block
    os.close(ours)
    process.communicate()
    assert process.returncode == 99
    return TIMED.sub("simulated", drawn.decode().replace("\r\n", "\n"))


def check(page: str, name: str) -> None:
    golden = PAGES / name
    if os.environ.get("APISIM_UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(page, encoding="utf-8")
    assert page == golden.read_text(encoding="utf-8")


@pytest.fixture
def failing(here: Path) -> None:
    """A scenario with a threshold that fails."""
    (here / "small.yaml").write_text(SCENARIO, encoding="utf-8")


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_page_in_a_pipe(columns: int, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm-256color")
    code, out, err = cli(*COMMAND)
    page = TIMED.sub("simulated", out)
    assert code == 99
    assert "\x1b" not in page
    assert max(len(line) for line in page.splitlines()) <= min(columns, 120)
    assert not any(line.endswith(" ") for line in page.splitlines())
    assert err == "threshold failed: latency p(50)<1ms\n"
    check(page, f"{columns}.txt")


@pytest.mark.usefixtures("failing")
def test_a_terminal_gets_the_same_page_with_colours(start: Start) -> None:
    drawn = page_on_a_terminal(start, 80, TERM="xterm-256color")
    # Spaces before the end of a line may have a style, and are there on a terminal.
    lines = [ESCAPES.sub("", line).rstrip() for line in drawn.splitlines()]
    assert "\n".join(lines) + "\n" == (PAGES / "80.txt").read_text(encoding="utf-8")
    (failed,) = [line for line in drawn.splitlines() if "FAILED" in line]
    assert failed.startswith("\x1b[1;31mFAILED")
    passed = [line for line in drawn.splitlines() if line.startswith("\x1b[32mok ")]
    assert len(passed) == 2
    (total,) = [line for line in drawn.splitlines() if "Total, USD" in line]
    assert total.startswith("\x1b[1mTotal, USD")


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_a_terminal_without_colours_loses_no_word(
    environment: dict[str, str], cli: Cli, attach: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = attach("stdout")
    for name, value in {"COLUMNS": "60", **environment}.items():
        monkeypatch.setenv(name, value)
    cli(*COMMAND)
    drawn = TIMED.sub("simulated", terminal.getvalue())
    assert not COLOUR.search(drawn)
    assert ("\x1b" in drawn) is ("NO_COLOR" in environment)  # bold is no colour
    lines = [ESCAPES.sub("", line).rstrip() for line in drawn.splitlines()]
    assert "\n".join(lines) + "\n" == (PAGES / "60.txt").read_text(encoding="utf-8")


WORDY = section(
    "Routes",
    "Route|Traffic|>Requests|>Longest queue|>Most at|>p99",
    [
        ("GET /orders/{orderId}/items/{itemId}", "web", "12,345,678", "7", "3 at 2m 05.0s", "1 ms"),
        ("POST /orders", "a-source-with-a-long-name", "9", "1,000,000", "-", "12.34 min"),
        ("Aggregated", "", "12,345,687", "1,000,000", "-", "12.34 min"),
    ],
    marks={2: "total"},
    remarks=("a remark",),
)


@pytest.mark.parametrize("columns", range(60, 122, 3))
def test_no_number_is_ever_cut_and_no_text_lost(columns: int) -> None:
    assert WORDY is not None
    page = plain_text([PageTable(WORDY)], width=columns)
    assert max(map(len, page.splitlines())) <= columns
    for row in WORDY.rows:
        for cell in row[2:]:
            assert re.search(rf"(?<![\d,.]){re.escape(cell)}(?![\d,.])", page), (cell, page)
    for word in ("POST", "Requests", "p99"):
        assert word in page
    # Broken texts are whole again when their column is read downwards.
    letters = Counter("".join(page.split()))
    for row in WORDY.rows:
        assert not Counter("".join("".join(row).split())) - letters


COSTLY = section(
    "Cost",
    "Item|>Quantity|>Price|>Amount",
    [
        ("apigateway.websocket.connection_minutes", "1,234,567 minutes", "$0.25/million", "$0.31"),
        ("GET /customers/{customerId}/wishlist-items", "12 GB-s", "$0.0000166667/GB-s", "$1.00"),
    ],
)


@pytest.mark.parametrize("columns", range(60, 122, 3))
def test_names_are_broken_at_their_joints_only(columns: int) -> None:
    assert COSTLY is not None
    page = plain_text([PageTable(COSTLY)], width=columns)
    assert max(map(len, page.splitlines())) <= columns
    for part in ("apigateway.", "websocket.", "connection_", "minutes", "/customers/"):
        assert part in page, page
    for part in ("{customerId}/", "wishlist-", "items"):
        assert part in page, page


@pytest.mark.usefixtures("failing")
def test_a_narrower_terminal_gets_the_page_of_60_columns(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    _, out, _ = cli(*COMMAND)
    assert TIMED.sub("simulated", out) == (PAGES / "60.txt").read_text(encoding="utf-8")


def test_a_table_gives_way_step_by_step() -> None:
    assert WORDY is not None

    def head(columns: int) -> str:
        return plain_text([PageTable(WORDY)], width=columns).splitlines()[1]

    assert column_widths(WORDY, 120) == [36, 25, 10, 13, 13, 9]
    assert head(120).split()[:2] == ["Route", "Traffic"]
    words, headings, inside = (column_widths(WORDY, columns) for columns in (113, 109, 85))
    assert words is not None
    assert words[2:] == [10, 13, 13, 9]  # numbers as wide as their headings
    assert headings is not None
    assert headings[:2] == [32, 25]  # nothing broken inside a word
    assert headings[3] == len("1,000,000") + 1
    assert inside is not None
    assert min(inside[:2]) >= 8
    assert column_widths(WORDY, 60) is None
    assert head(60) == "GET /orders/{orderId}/items/{itemId}  web"


def test_a_command_to_be_copied_is_never_broken(tmp_path: Path) -> None:
    name = "-".join(["a-long-name"] * 5) + ".yaml"
    (tmp_path / name).write_text(SMALL, encoding="utf-8")
    summary = run(tmp_path / name, engine="simpy", replications=1).summary(width=60)
    command = summary.split(" by\n")[1].split("\nnote:")[0]
    words = shlex.split(command.replace("\\\n", ""))
    assert words[:3] == ["apisim", "run", str(tmp_path / name)]
    assert words[3] == "--seed"
