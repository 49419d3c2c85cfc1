"""Ctrl-C and its like: what was simulated so far is reported, and no half file is left."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apisim.cli.signals import interruptible
from tests.cli.conftest import Start

#: Hours of work for either engine.
LONG = """\
apisim: 1
name: long
replications: 3
apis:
  site: {type: rest, routes: {GET /: {integration: {type: mock}}}}
traffic:
  web: {phases: [{duration: 10d, rate: 5000}], mix: {GET /: 1}}
"""
PATIENCE_S = 120

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as on Unix")


def wait_for(what: Callable[[], bool], process: subprocess.Popen[Any]) -> None:
    """Wait until ``what`` holds, at most as long as a compilation on a slow machine takes."""
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("engine", "workers", "number"),
    [
        ("simpy", 1, signal.SIGINT),
        ("compiled", 1, signal.SIGINT),
        ("compiled", 2, signal.SIGINT),
        ("simpy", 1, signal.SIGTERM),
        ("simpy", 2, signal.SIGHUP),
    ],
)
def test_a_run_that_is_stopped_reports_what_it_has(
    engine: str, workers: int, number: int, start: Start, here: Path
) -> None:
    (here / "long.yaml").write_text(LONG, encoding="utf-8")
    options = ["--engine", engine, "--workers", str(workers), "--requests", "r.csv", "--out", "o"]
    process = start("run", "long.yaml", "--json", *options)
    # The file is opened before the first event, and rows are written thousands at a time.
    wait_for(lambda: bool(list(here.glob(".r.csv.*"))), process)
    time.sleep(0.5)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    read = json.loads(out)
    assert read["run"]["completed"] is False
    assert read["requests"]["total"] > 0
    assert err.decode().endswith("interrupted\n")
    assert b"Traceback" not in err
    # Files are whole, if they are there at all; nothing unfinished lies about.
    left = {path.relative_to(here).as_posix() for path in here.rglob("*") if path.is_file()}
    names = ("series", "routes", "bill", "costs", "bucket_series", "latency_series")
    tables = {f"o/{name}.csv" for name in names}
    files = {"o/result.json", "o/scenario.yaml", "o/focus.csv", *tables}
    assert left == {"long.yaml", "small.yaml", "r.csv", *files}
    written = json.loads((here / "o/result.json").read_text("utf-8"))
    assert {f"o/{name}" for name in written.pop("files")} == files
    assert written == read
    header, *rows = (here / "r.csv").read_text("utf-8").splitlines()
    assert {row.count(",") for row in rows} <= {header.count(",")}


def test_the_summary_says_that_it_is_of_a_part(start: Start, here: Path) -> None:
    (here / "long.yaml").write_text(LONG, encoding="utf-8")
    process = start("run", "long.yaml", "--engine", "simpy", "--quiet", "--requests", "r.csv")
    wait_for(lambda: bool(list(here.glob(".r.csv.*"))), process)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "INTERRUPTED" in out.decode()
    assert "(of a part)" in out.decode()
    assert "\nrun it whole by\n" in out.decode()
    assert "reproduce by" not in out.decode()
    assert err == b"interrupted\n"


def test_ctrl_c_before_the_first_event_is_quick_and_quiet(start: Start, here: Path) -> None:
    os.mkfifo(here / "pipe.yaml")
    process = start("run", "pipe.yaml", "--out", "o")
    with (here / "pipe.yaml").open("wb"):  # waits for the reader, who then waits for a scenario
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert (out, err) == (b"", b"interrupted\n")
    assert sorted(path.name for path in here.iterdir()) == ["pipe.yaml", "small.yaml"]


class _Callback:
    """Something a library calls, which cannot pass an exception on."""

    def __del__(self) -> None:
        raise KeyboardInterrupt


def test_a_ctrl_c_that_a_library_swallows_is_not_lost() -> None:
    def compile_something() -> None:
        _Callback()
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            time.sleep(0.01)

    with interruptible(), pytest.raises(KeyboardInterrupt):
        compile_something()


def test_other_errors_that_are_swallowed_are_shown_as_ever(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Careless:
        def __del__(self) -> None:
            raise RuntimeError("careless")

    with interruptible():
        Careless()
    assert "careless" in capsys.readouterr().err


def test_signals_are_given_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    with interruptible():
        assert signal.getsignal(signal.SIGTERM) is not before[0]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)] == before


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
