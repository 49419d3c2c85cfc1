"""Streams of every kind: no terminal, a dumb one, closed, full, or with nobody behind it."""

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from apisim.cli.progress import clock, progress_bar
from apisim.studies import Progress
from tests.cli.conftest import Attach, Cli, Start

QUICK = ("run", "small.yaml", "--engine", "simpy")
FAILING = (*QUICK, "--set", "thresholds={latency: [p(50)<1ms]}")
COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3|4|9|10)[0-9]")

REPORT = Progress(
    replications=5,
    finished=2,
    simulated_ns=1_000_000_000_000,
    total_ns=4_000_000_000_000,
    requests=12_345_678,
    elapsed_s=10.0,
)


def test_the_bar_knows_simulated_time_pace_and_time_left(attach: Attach) -> None:
    terminal = attach("stderr")
    with progress_bar(is_wanted=True) as show:
        assert show is not None
        show(REPORT)
    drawn = terminal.getvalue()
    assert "16:40 of 1:06:40 (2/5)" in drawn
    assert "1,234,568 requests/s, 0:30 left" in drawn
    assert drawn.endswith("\x1b[2K")  # it is gone in the end


def test_the_bar_fits_80_columns(attach: Attach, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = attach("stderr")
    monkeypatch.setenv("NO_COLOR", "1")
    with progress_bar(is_wanted=True) as show:
        assert show is not None
        show(REPORT)
    assert not COLOUR.search(terminal.getvalue())
    lines = [
        re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in terminal.getvalue().split("\r")
    ]
    assert max(len(line.rstrip("\n")) for line in lines) == 80
    assert not any("…" in line for line in lines)


def test_the_bar_starts_without_a_measure(attach: Attach) -> None:
    terminal = attach("stderr")
    start = Progress(1, 0, 0, 0, 0, 0.0)
    with progress_bar(is_wanted=True) as show:
        assert show is not None
        show(start)
    assert "0:00 of 0:00" in terminal.getvalue()
    assert "left" not in terminal.getvalue()


def test_there_is_no_bar_where_nobody_could_see_it(
    attach: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = attach("stderr")
    with progress_bar(is_wanted=False) as show:
        assert show is None
    monkeypatch.setenv("TERM", "dumb")
    with progress_bar(is_wanted=True) as show:
        assert show is None
    monkeypatch.setattr(sys, "stderr", None)
    with progress_bar(is_wanted=True) as show:
        assert show is None
    assert terminal.getvalue() == ""


def test_hours_are_shown_when_there_are_any() -> None:
    assert [clock(s) for s in (0, 59.4, 3599.6, 86_400)] == ["0:00", "0:59", "1:00:00", "24:00:00"]


@pytest.mark.parametrize(
    ("environment", "is_coloured"),
    [({"TERM": "xterm-256color"}, True), ({"TERM": "dumb"}, False), ({"NO_COLOR": "1"}, False)],
)
def test_colours_are_for_terminals_that_want_them(
    environment: dict[str, str],
    is_coloured: bool,
    cli: Cli,
    attach: Attach,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    terminal = attach("stdout")
    assert cli(*FAILING, "-q").code == 99
    page = terminal.getvalue()
    assert "FAILED" in page
    assert bool(COLOUR.search(page)) is is_coloured


def test_what_is_no_terminal_gets_no_escapes(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    code, out, err = cli(*QUICK)
    assert code == 0
    assert "\x1b" not in out + err


def test_a_terminal_gets_the_bar_and_stdout_stays_clean(start: Start) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = start(*QUICK, "--json", "--duration", "8s", stderr=theirs, env={"TERM": "xterm"})
    os.close(theirs)
    drawn = b""
    with contextlib.suppress(OSError):  # what Linux says when the other end is closed
        while block := os.read(ours, 65536):
            drawn += block
    os.close(ours)
    out, _ = process.communicate()
    assert process.returncode == 0
    assert b"requests/s" in drawn
    assert drawn.count(b"note: ") > 0
    assert json.loads(out)["run"]["completed"] is True


def test_a_reader_that_goes_away_changes_neither_quiet_nor_verdict(start: Start) -> None:
    assert ends_without_a_reader(start(*FAILING, "-q")) == (
        99,
        b"threshold failed: latency p(50)<1ms\n",
    )


@pytest.mark.parametrize("arguments", [["--help"], ["schema"], ["validate", "small.yaml", "-q"]])
def test_an_answer_to_nobody_is_no_error(arguments: list[str], start: Start) -> None:
    assert ends_without_a_reader(start(*arguments)) == (0, b"")


def ends_without_a_reader(process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    """Exit code and stderr of a process whose stdout is closed behind it, as ``| head`` does."""
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr as stream:
        err = stream.read()
    return process.wait(), err


def test_streams_may_be_closed(start: Start, here: Path) -> None:
    command = f"exec {sys.executable} -m apisim {' '.join(QUICK)} --out o <&- >&- 2>&-"
    ran = subprocess.run(["sh", "-c", command], check=False)
    assert ran.returncode == 0
    assert json.loads((here / "o/result.json").read_text("utf-8"))["run"]["completed"] is True


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("arguments", [QUICK, ("schema",), ("--version",)])
def test_a_full_stdout_is_told(arguments: tuple[str, ...], start: Start) -> None:
    with Path("/dev/full").open("wb") as full:
        process = start(*arguments, stdout=full)
        _, err = process.communicate()
    assert process.returncode == 2
    assert err.startswith(b"error: standard output cannot be written: ")
    assert err.count(b"\n") == 1


def test_a_terminal_that_knows_ascii_only_gets_ascii(start: Start) -> None:
    command, ascii_only = (
        ("validate", "small.yaml", "--set=name=größer"),
        {"PYTHONIOENCODING": "ascii"},
    )
    out, _ = start(*command, env=ascii_only).communicate()
    assert out.startswith(b"ok: gr\\xf6\\xdfer: 1 API")
    out, _ = start(*command, "--json", env=ascii_only).communicate()
    assert json.loads(out)["scenario"]["name"] == "größer"
