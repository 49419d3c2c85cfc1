"""Sweeps: one frame whatever works on the points, however often the work is killed."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import apisim
from apisim.scenario import ScenarioError, loads
from apisim.studies import points as points_module
from apisim.studies import sweep
from apisim.studies.many import _parts
from apisim.studies.points import Row, Task
from apisim.studies.store import Store

TEXT = """
apisim: 1
name: small
replications: 2
apis:
  shop:
    type: rest
    stage: {throttle: {rate_limit: 20, burst_limit: 5}}
    routes: {GET /: {integration: {type: lambda_proxy, function: f}}}
functions: {f: {duration: {p50: 20ms, p99: 100ms}}}
traffic: {web: {phases: [{duration: 2s, rate: 30}], mix: {GET /: 1}}}
"""
RATE = "traffic.web.phases.0.rate"


def test_points_have_the_rows_of_runs_of_their_own() -> None:
    found = sweep(loads(TEXT), [f"{RATE}=10,40"], engine="simpy")
    frame = found.frame()
    assert list(frame[RATE]) == [10, 10, 40, 40]
    assert list(frame["replication"]) == [0, 1, 0, 1]
    for rate in (10, 40):
        alone = apisim.run(loads(TEXT, overrides=[f"{RATE}={rate}"]), engine="simpy")
        rows = frame[frame[RATE] == rate]
        assert rows["requests count"].sum() == alone.requests.total
        assert sum(int(one, 16) for one in rows["digest"]) % 2**64 == int(alone.run_info.digest, 16)
        assert rows["cost_run value"].mean() == pytest.approx(float(alone.bill.run.total))
        share = alone.intervals["throttled rate"].mean  # of all requests, not of replications
        refused = (rows["throttled rate"] * rows["requests count"]).sum()
        assert refused / rows["requests count"].sum() == pytest.approx(share)


def test_the_frame_is_the_same_here_in_threads_and_in_processes(tmp_path: Path) -> None:
    over = [f"{RATE}=10:60:10"]
    here = sweep(loads(TEXT), over, engine="simpy", out=tmp_path / "here")
    processes = sweep(loads(TEXT), over, engine="simpy", executor=2, out=tmp_path / "two")
    with ThreadPoolExecutor(3) as pool:
        threads = sweep(loads(TEXT), over, engine="simpy", executor=pool)
    assert_frame_equal(here.frame(), processes.frame())
    assert_frame_equal(here.frame(), threads.frame())
    csv = (tmp_path / "here" / "sweep.csv").read_bytes()
    assert csv == (tmp_path / "two" / "sweep.csv").read_bytes()
    assert len(csv.splitlines()) == 13


def test_a_failing_point_is_told_with_its_seed_and_stops_nobody() -> None:
    found = sweep(loads(TEXT), ["functions.f.memory=128MB,1MB,256MB"], seed=9, engine="simpy")
    (failure,) = found.failures
    assert (failure.point, failure.seed) == (1, 9)
    assert "--seed 9" in failure.text
    assert "memory" in failure.text
    assert sorted(found.rows) == [0, 2]
    assert "failed" in found.summary()
    stopped = sweep(loads(TEXT), ["functions.f.memory=1MB,128MB"], engine="simpy", fail_fast=True)
    assert not stopped.completed
    assert not stopped.rows


def test_a_sweep_of_nothing_but_wrong_values_is_an_error() -> None:
    with pytest.raises(ScenarioError, match="unknown path"):
        sweep(loads(TEXT), ["functions.nobody.memory=128MB,256MB"])


def test_points_that_are_done_are_not_simulated_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sweep(loads(TEXT), [f"{RATE}=10,20"], engine="simpy", out=tmp_path)
    begun: list[str] = []
    original = points_module.whole_replication

    def counted(*args: Any, **kwargs: Any) -> Any:
        begun.append("replication")
        return original(*args, **kwargs)

    monkeypatch.setattr(points_module, "whole_replication", counted)
    again = sweep(loads(TEXT), [f"{RATE}=10,20,30"], engine="simpy", out=tmp_path)
    assert len(begun) == 2  # of the third point
    frame = again.frame()
    assert_frame_equal(frame[frame["point"] < 2], first.frame())
    # Another seed is another point.
    sweep(loads(TEXT), [f"{RATE}=10"], engine="simpy", out=tmp_path, seed=5)
    assert len(begun) == 4


def test_a_log_that_has_changed_makes_its_points_anew(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("timestamp_s,client,method,path,status,bytes\n0.0,a,GET,/,200,1\n")
    text = TEXT.partition("traffic:")[0] + f"traffic: {{web: {{trace: {{file: {log}}}}}}}\n"
    over = ["functions.f.memory=128MB"]
    out = tmp_path / "out"
    assert sweep(loads(text), over, engine="simpy", out=out).frame()["requests count"][0] == 1
    with log.open("a") as rows:
        rows.write("0.5,a,GET,/,200,1\n")
    assert sweep(loads(text), over, engine="simpy", out=out).frame()["requests count"][0] == 2


def test_a_damaged_point_is_simulated_again(tmp_path: Path) -> None:
    first = sweep(loads(TEXT), [f"{RATE}=10"], engine="simpy", out=tmp_path)
    (file,) = (tmp_path / "points").glob("*.json")
    file.write_text(file.read_text()[:40])
    again = sweep(loads(TEXT), [f"{RATE}=10"], engine="simpy", out=tmp_path)
    assert_frame_equal(again.frame(), first.frame())


def test_a_claim_of_a_process_that_lives_is_respected_and_of_one_that_is_gone_is_not(
    tmp_path: Path,
) -> None:
    task = Task.of(loads(TEXT))
    mine, other = Store(tmp_path), Store(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as living:
        claim = mine.folder / f"{mine.key(task)}.claim"
        stat = Path(f"/proc/{living.pid}/stat").read_text()
        began = stat.rpartition(")")[2].split()[19]
        claim.write_text(f"{os.uname().nodename} {living.pid} {began}\n")
        assert not other.claim(task)
        claim.write_text(f"{os.uname().nodename} {living.pid} 1\n")  # its number was another's
        assert other.claim(task)
        other.give_up(task)
        claim.write_text(f"{os.uname().nodename} {living.pid} {began}\n")
        living.kill()
        living.wait()
        assert other.claim(task)


_SWEEP = """
import sys
from apisim.scenario import loads
from apisim.studies import sweep
from apisim.studies.many import _parts
sweep(loads(sys.argv[1]), [sys.argv[2]], engine="simpy", out=sys.argv[3], executor=int(sys.argv[4]))
"""


def _is_begun(folder: Path, pid: int) -> bool:
    """Whether a process has claimed a point."""
    for claim in (folder / "points").glob("*.claim"):
        with contextlib.suppress(OSError):  # given up meanwhile
            if claim.read_text().split()[1:2] == [str(pid)]:
                return True
    return False


def _killed_sweep(
    folder: Path, over: str, n_kills: int, longest_s: float, workers: int
) -> tuple[list[int], dict[str, int]]:
    """Kill a sweep time and again; how many points were done at each kill, and their inodes."""
    chance = random.Random(7)
    done, inodes = [], {}
    for _ in range(n_kills):
        with subprocess.Popen(
            [sys.executable, "-c", _SWEEP, TEXT, over, str(folder), str(workers)],
            start_new_session=True, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            while process.poll() is None and not _is_begun(folder, process.pid):
                time.sleep(0.02)
            time.sleep(chance.random() * longest_s)
            with contextlib.suppress(ProcessLookupError):  # it has come to its end
                os.killpg(process.pid, signal.SIGKILL)
        finished = {one.name: one.stat().st_ino for one in (folder / "points").glob("*.json")}
        for name, inode in inodes.items():
            assert finished[name] == inode, "a finished point was written again"
        inodes = finished
        done.append(len(finished))
    return done, inodes


def _checked(folder: Path, over: str, n_points: int, n_kills: int, longest_s: float) -> None:
    done, inodes = _killed_sweep(folder, over, n_kills, longest_s, workers=1)
    assert done == sorted(done)
    assert done[-1] > 0
    resumed = sweep(loads(TEXT), [over], engine="simpy", out=folder)
    undisturbed = sweep(loads(TEXT), [over], engine="simpy")
    assert_frame_equal(resumed.frame(), undisturbed.frame())
    assert resumed.frame()["point"].nunique() == n_points
    for name, inode in inodes.items():
        assert (folder / "points" / name).stat().st_ino == inode
    assert not list((folder / "points").glob("*.claim"))
    assert json.loads(next((folder / "points").glob("*.json")).read_text())["rows"]


def test_a_sweep_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    _checked(tmp_path, f"{RATE}=1:40:1", n_points=40, n_kills=4, longest_s=4.0)


@pytest.mark.slow
def test_a_sweep_of_200_points_that_is_killed_20_times_has_the_frame_of_one_that_was_not(
    tmp_path: Path,
) -> None:
    _checked(tmp_path, f"{RATE}=1:200:1", n_points=200, n_kills=20, longest_s=3.0)


def test_two_processes_share_a_folder(tmp_path: Path) -> None:
    """Each point is simulated by one of them; both end with all of it."""
    over = f"{RATE}=1:16:1"
    arguments = [sys.executable, "-c", _SWEEP, TEXT, over, str(tmp_path), "1"]
    both = [subprocess.Popen(arguments) for _ in range(2)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    assert len(list((tmp_path / "points").glob("*.json"))) == 16
    frame = pd.read_csv(tmp_path / "sweep.csv")
    expected = sweep(loads(TEXT), [over], engine="simpy").frame()
    assert list(frame["digest"]) == list(expected["digest"])


def test_a_point_that_was_finished_meanwhile_cannot_be_claimed(tmp_path: Path) -> None:
    task = Task.of(loads(TEXT))
    mine, other = Store(tmp_path), Store(tmp_path)
    assert mine.claim(task)
    assert not other.claim(task)
    mine.save(task, [Row(replication=0, digest="0")], {})
    assert not other.claim(task)
    assert not list(mine.folder.glob("*.claim"))


def test_points_that_are_alike_are_simulated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []
    original = points_module.whole_replication
    monkeypatch.setattr(
        points_module, "whole_replication", lambda *a, **k: begun.append(1) or original(*a, **k)
    )
    frame = sweep(loads(TEXT), [f"{RATE}=10,20,10"], engine="simpy").frame()
    assert len(begun) == 4
    rows = frame.drop(columns="point")
    assert_frame_equal(rows[:2], rows[4:].reset_index(drop=True))


def test_replications_of_a_point_are_divided_among_many_workers() -> None:
    scenario = loads(TEXT, overrides=["replications=5"])
    expected = sweep(scenario, [f"{RATE}=10,20"], engine="simpy").frame()
    with ThreadPoolExecutor(8) as pool:
        found = sweep(scenario, [f"{RATE}=10,20"], engine="simpy", executor=pool).frame()
    assert_frame_equal(found, expected)
    task = Task.of(scenario, first=7)
    spans = [[(part.first, part.count) for part in _parts(task, width, 2)] for width in (1, 2, 99)]
    assert spans == [[(7, 5)], [(7, 2), (9, 3)], [(at, 1) for at in range(7, 12)]]
