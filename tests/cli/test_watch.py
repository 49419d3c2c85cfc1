"""``apisim run --watch``: what is shown while a run goes on, to whom, and what it says."""

import contextlib
import json
import math
import os
import re
import signal
import time
from decimal import Decimal
from pathlib import Path

import pytest

from apisim import studies
from apisim.cli.watching import watching
from apisim.engine.run import Replication, run_replication
from apisim.scenario import loads
from apisim.studies import Figures, Live
from apisim.studies.live import Onlooker
from apisim.studies.preparation import prepare
from tests.cli.conftest import SMALL, Attach, Cli, Start
from tests.cli.test_interrupts import LONG
from tests.cli.test_streams import COLOUR, REPORT

QUICK = ("run", "small.yaml", "--engine", "simpy")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

SO_FAR = Figures(
    requests=12_345_678,
    requests_per_s=1_900.4,
    refused_by={"account": 300_000, "method": 20_000, "usage_plan": 1_000, "quota": 5},
    throttled=0.026,
    errors_4xx=0.0,
    errors_5xx=0.00012,
    p99_ms=95.62,
    cost=Decimal("7.189"),
    cost_per_h=25.9,
)
LATELY = Figures(
    requests=0,
    requests_per_s=float("nan"),
    refused_by={},
    throttled=float("nan"),
    errors_4xx=float("nan"),
    errors_5xx=float("nan"),
    p99_ms=float("nan"),
    cost=Decimal(0),
    cost_per_h=float("nan"),
)
LIVE = Live(number=2, simulated_s=6496.0, so_far=SO_FAR, lately=LATELY)


def lines_of(drawn: str) -> list[str]:
    """What stood on the terminal, line by line, all pages one below the other."""
    return [line.rstrip() for line in ESCAPES.sub("", drawn).replace("\r", "\n").split("\n")]


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_view_says_rates_refusals_latency_and_cost(
    columns: int, attach: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal = attach("stderr")
    with watching(is_wanted=True, is_quiet=False) as (progress, live):
        assert progress is not None
        assert live is not None
        progress(REPORT)
        live(LIVE)
    drawn = terminal.getvalue()
    lines = lines_of(drawn)
    assert max(map(len, lines)) <= min(columns, 100)
    page = "\n".join(lines)
    assert "1,234,568 requests/s" in page
    for row in (
        r"^requests +12,345,678 +0$",
        r"^arriving +1,900/s +- +in simulated time$",
        r"^throttled \(429\) +2\.6% +-$",
        r"^other 4xx +0% +-$",
        r"^5xx +0\.01% +-$",
        r"^not served +321,005 +0 ",
        r"^latency p99 +95\.6 ms +-$",
        r"^cost +\$7\.19 +\$0",
    ):
        assert re.search(row, page, re.MULTILINE), row
    if columns > 60:
        assert "because of: account 300,000" in page
    assert drawn.rstrip("\x1b[?25h\r").endswith("\x1b[2K")  # it is gone in the end


def test_colours_of_the_view_are_for_those_who_want_them(
    attach: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value, is_coloured in (("", True), ("1", False)):
        monkeypatch.setenv("NO_COLOR", value)
        terminal = attach("stderr")
        with watching(is_wanted=True, is_quiet=False) as (_, live):
            assert live is not None
            live(LIVE)
        assert bool(COLOUR.search(terminal.getvalue())) is is_coloured


def test_without_a_terminal_the_run_goes_on_with_a_note(cli: Cli) -> None:
    watched = cli(*QUICK, "--watch")
    assert watched.code == 0
    assert watched.err.startswith("note: --watch needs a terminal; the run goes on without it\n")
    assert "\x1b" not in watched.err
    assert re.search("digest [0-9a-f]{16}", watched.out)


def test_a_dumb_terminal_gets_the_note_and_the_quiet_get_nothing(
    attach: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = attach("stderr")
    with watching(is_wanted=True, is_quiet=True) as tellers:
        assert tellers == (None, None)
    assert terminal.getvalue() == ""
    monkeypatch.setenv("TERM", "dumb")
    with watching(is_wanted=True, is_quiet=False) as tellers:
        assert tellers == (None, None)
    assert terminal.getvalue().startswith("note: --watch needs a terminal")
    assert "\x1b" not in terminal.getvalue()


def test_a_cluster_cannot_be_watched(attach: Attach) -> None:
    terminal = attach("stderr")
    with watching(is_wanted=True, is_quiet=False, is_here=False) as (progress, live):
        assert progress is not None
        assert live is None
    assert "--watch sees nothing of what a cluster does" in terminal.getvalue()


@pytest.fixture
def every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look of the engine at the clock is told, however long that takes."""
    monkeypatch.setattr("apisim.studies.live._LOOK_EVERY_S", 0.0)
    monkeypatch.setattr("apisim.studies.live._SHARE", math.inf)
    monkeypatch.setattr("apisim.engine.simpy_model.runner._LOOK_EVERY_S", 0.0)


@pytest.mark.usefixtures("every_look")
def test_at_its_end_a_run_has_come_to_what_its_result_says() -> None:
    seen: list[Live] = []
    result = studies.run(loads(SMALL), replications=1, engine="simpy", live=seen.append)
    last = seen[-1].so_far
    assert last.requests == result.requests.total
    assert dict(last.refused_by) == dict(result.requests.refused_by)
    assert last.throttled == result.requests.by_status[429] / last.requests > 0
    assert last.errors_5xx == 0
    assert last.cost == result.bill.run.total > 0
    assert last.p99_ms == pytest.approx(result.latency_ms.p99, abs=1e-6)
    assert last.requests_per_s == last.requests / seen[-1].simulated_s
    assert last.cost_per_h == pytest.approx(float(last.cost) * 3600 / seen[-1].simulated_s)


@pytest.mark.usefixtures("every_look")
def test_what_came_lately_adds_up_and_the_warm_up_counts() -> None:
    # No request of the first five seconds is in the histograms; all are on the bill.
    scenario = loads(SMALL).with_("warm_up=5s", "traffic.web.phases.0.rate=200")
    seen: list[Live] = []
    result = studies.run(scenario, engine="simpy", live=seen.append)
    for number in (0, 1):
        looks = [live for live in seen if live.number == number]
        assert len(looks) > 2
        last = looks[-1].so_far
        assert sum(look.lately.requests for look in looks) == last.requests
        assert last.requests == result.replications[number].requests
        assert sum(look.lately.cost for look in looks) == last.cost
        assert math.isnan(looks[0].so_far.p99_ms)
        assert last.p99_ms > 0
    assert [live.number for live in seen] == sorted(live.number for live in seen)
    alone = studies.run(scenario, engine="simpy")
    assert alone.run_info.digest == result.run_info.digest


def test_looking_takes_its_share_of_the_time_and_no_more() -> None:
    ready = prepare(loads(SMALL), engine="simpy", skip_bad_rows=False, extend=None)
    told = 0

    def tell(_: Live) -> None:
        nonlocal told
        told += 1
        time.sleep(0.01)  # a slow terminal

    onlooker = Onlooker(ready.program, ready.accounts, tell, share=0.1)
    looked = 0

    def looks(replication: Replication) -> None:
        nonlocal looked
        onlooker.begin(replication)
        until = time.perf_counter() + 1.0
        while time.perf_counter() < until:
            onlooker.look(0, 1)
            looked += 1

    run_replication(ready.program, 0, engine="simpy", begun=looks)
    assert looked > 100 * told
    assert told > 1
    # The look that was last is paid for by the time after it.
    assert onlooker.spent_s * (told - 1) / told < 0.1


def test_on_a_terminal_the_view_is_drawn_and_ctrl_c_does_what_it_does(
    start: Start, here: Path
) -> None:
    pty = pytest.importorskip("pty")
    (here / "long.yaml").write_text(LONG, encoding="utf-8")
    ours, theirs = pty.openpty()
    options = ("--engine", "simpy", "--json", "--watch")
    process = start("run", "long.yaml", *options, stderr=theirs, env={"TERM": "xterm"})
    os.close(theirs)
    drawn, is_told = b"", False
    with contextlib.suppress(OSError):  # what Linux says when the other end is closed
        while block := os.read(ours, 65536):
            drawn += block
            if b"latency p99" in drawn and not is_told:
                is_told = True
                process.send_signal(signal.SIGINT)
    os.close(ours)
    out, _ = process.communicate()
    assert process.returncode == 130
    read = json.loads(out)
    assert read["run"]["completed"] is False
    assert read["requests"]["total"] > 0
    lines = lines_of(drawn.decode())
    assert any(re.match(r"arriving +[45],\d{3}/s", line) for line in lines)
    assert [line for line in lines if line][-1] == "interrupted"
    assert b"Traceback" not in drawn
