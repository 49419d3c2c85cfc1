"""Where studies are worked on: processes that die, executors that break, a real Dask cluster."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from pandas.testing import assert_frame_equal

from apisim import __version__
from apisim.results.result import Result
from apisim.scenario import loads
from apisim.studies import run, sweep
from apisim.studies.executors import ClusterError, WorkerDiedError, work
from apisim.studies.points import Task, VersionError, simulate

ROOT = Path(__file__).parents[2]
TEXT = """
apisim: 1
name: small
replications: 2
apis: {shop: {type: rest, routes: {GET /: {integration: {type: lambda_proxy, function: f}}}}}
functions: {f: {duration: {p50: 20ms, p99: 100ms}}}
traffic: {web: {phases: [{duration: 2s, rate: 30}], mix: {GET /: 1}}}
"""
RATE = "traffic.web.phases.0.rate"
OTHER = "0.0.9"


def _marked(argument: tuple[str, int]) -> int:
    """Square of a number, with a mark for each time that it was begun; some kill their worker."""
    folder, number = argument
    with (Path(folder) / f"{number}").open("a") as marks:
        marks.write("x")
    n_begun = (Path(folder) / f"{number}").stat().st_size
    if number == 2 or (number == 5 and n_begun == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def test_a_worker_that_dies_costs_the_task_it_was_at_and_nothing_else(tmp_path: Path) -> None:
    tasks = [(str(tmp_path), number) for number in range(9)]
    found = dict(work(_marked, tasks, 2))
    killer = found.pop(2)
    assert isinstance(killer, WorkerDiedError)
    assert "3 workers died" in str(killer)
    assert found == {number: number * number for number in range(9) if number != 2}
    begun = {number: (tmp_path / f"{number}").stat().st_size for number in range(9)}
    assert begun == {**dict.fromkeys(range(9), 1), 2: 3, 5: 2}


def _dies(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_an_executor_of_ones_own_that_breaks_is_an_error() -> None:
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(ClusterError, match="the executor is broken"),
    ):
        list(work(_dies, [1, 2], pool))
    with pytest.raises(ClusterError, match="takes no more tasks"):
        list(work(_dies, [1], pool))


_ASLEEP = """
import os, sys, time
from pathlib import Path
from apisim.studies.executors import work
def sleep(folder):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(600)
if __name__ == "__main__":
    list(work(sleep, [sys.argv[1]] * 2, 2))
"""


def test_workers_end_when_whoever_started_them_is_killed(tmp_path: Path) -> None:
    script, marks = tmp_path / "asleep.py", tmp_path / "marks"
    script.write_text(_ASLEEP)
    marks.mkdir()
    with subprocess.Popen([sys.executable, str(script), str(marks)]) as process:
        pids = _eventually(lambda: len(list(marks.iterdir())) == 2 and list(marks.iterdir()))
        process.kill()
    for pid in pids:
        _eventually(lambda pid=pid: not _is_alive(int(pid.name)))


def test_a_script_without_its_guard_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "bare.py"
    script.write_text("from apisim.studies.executors import work\nprint(list(work(abs, [1], 2)))\n")
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 1
    assert "ClusterError: worker processes do not start" in done.stderr


def _timeless(result: Result) -> dict[str, Any]:
    """A result less what differs between two runs of the same."""
    numbers = result.to_dict()
    for name in ("setup_s", "wall_s", "requests_per_s"):
        del numbers["run"][name]
    return numbers


@pytest.mark.parametrize("replications", ["5", "{until: {metric: latency mean, half_width: 20%}}"])
def test_a_run_on_an_executor_is_the_run_here(replications: str) -> None:
    text = TEXT.replace("replications: 2", f"replications: {replications}")
    expected = run(loads(text), engine="simpy")
    with ThreadPoolExecutor(3) as pool:
        found = run(loads(text), engine="simpy", executor=pool)
    assert _timeless(found) == _timeless(expected)
    assert expected.run_info.replications >= 5


def test_a_run_on_an_executor_that_is_stopped_keeps_what_had_come() -> None:
    def stop(progress: Any) -> None:
        if progress.finished >= 3:
            raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as pool:
        found = run(
            loads(TEXT), replications=40, engine="simpy", executor=pool, progress=stop
        )  # fmt: skip
    assert not found.completed
    assert 3 <= found.run_info.replications < 40
    n = found.run_info.replications
    assert found.run_info.digest == run(loads(TEXT), replications=n, engine="simpy").run_info.digest


def test_rows_of_requests_are_not_written_elsewhere(tmp_path: Path) -> None:
    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(ValueError, match="rows of requests are written in this process only"),
    ):
        run(loads(TEXT), executor=pool, requests=tmp_path / "rows.csv")
    assert not list(tmp_path.iterdir())


def test_another_version_is_refused_with_both_names() -> None:
    task = Task(scenario=TEXT, version=OTHER)
    with pytest.raises(VersionError, match=rf"apisim {__version__}, this is apisim 0\.0\.9"):
        simulate(task)
    with pytest.raises(VersionError):
        list(work(simulate, [task], 2))


class Cluster:
    """A Dask scheduler and workers, each a process of its own, as on machines of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._all = folder, list[subprocess.Popen[bytes]]()
        file = folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file)
        )
        self.address = _eventually(
            lambda: file.exists() and _word_of(file.read_text(), '"address": "')
        )

    def worker(self, **environment: str) -> "subprocess.Popen[bytes]":
        """Start a worker that has this apisim, or another."""
        return self._start(
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
            "--local-directory", str(self._folder), **environment,
        )  # fmt: skip

    def end(self) -> None:
        """Kill everything."""
        for process in self._all:
            process.kill()
            process.wait()

    def _start(self, what: str, *options: str, **environment: str) -> "subprocess.Popen[bytes]":
        dashboard = ("--no-dashboard",) if what == "scheduler" else ()
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + what, *options, *dashboard],
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            cwd=self._folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self._all.append(process)
        return process


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed")
    started = Cluster(tmp_path)
    yield started
    started.end()


def test_a_cluster_that_loses_a_worker_has_the_same_frame(cluster: Cluster) -> None:
    over = [f"{RATE}=5:60:5"]
    expected = sweep(loads(TEXT), over, engine="simpy").frame()
    workers = [cluster.worker(), cluster.worker()]

    def kill_one(steps: Any) -> None:
        if steps.finished >= 2:
            workers[0].kill()

    found = sweep(
        loads(TEXT), over, engine="simpy", executor=cluster.address, progress=kill_one
    )  # fmt: skip
    assert workers[0].wait() == -signal.SIGKILL
    assert workers[1].poll() is None
    assert_frame_equal(found.frame(), expected)


def test_a_run_on_a_cluster_that_loses_a_worker_is_the_run_here(cluster: Cluster) -> None:
    expected = run(loads(TEXT), replications=12, engine="simpy")
    workers = [cluster.worker(), cluster.worker()]

    def kill_one(progress: Any) -> None:
        if progress.finished >= 1:
            workers[0].kill()

    found = run(
        loads(TEXT), replications=12, engine="simpy", executor=cluster.address, progress=kill_one
    )  # fmt: skip
    assert workers[0].wait() == -signal.SIGKILL
    assert _timeless(found) == _timeless(expected)


def test_a_cluster_with_another_version_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    other = tmp_path / "other" / "apisim"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text(f'__version__ = "{OTHER}"\n')
    cluster.worker(PYTHONPATH=str(other.parent))
    _wait_for_worker(cluster)
    with pytest.raises(VersionError, match=rf"apisim 0\.0\.9, this is apisim {__version__}"):
        sweep(loads(TEXT), [f"{RATE}=5,10"], engine="simpy", executor=cluster.address)


def test_a_cluster_that_goes_away_is_an_error(cluster: Cluster) -> None:
    cluster.worker()
    _wait_for_worker(cluster)
    with pytest.raises(ClusterError):
        sweep(
            loads(TEXT), [f"{RATE}=5:200:5"], engine="simpy", executor=cluster.address,
            progress=lambda steps: steps.finished and cluster.end(),
        )  # fmt: skip


def test_no_cluster_is_an_error() -> None:
    pytest.importorskip("distributed")
    with pytest.raises(ClusterError, match="no Dask scheduler answers"):
        list(work(abs, [1], "tcp://127.0.0.1:9"))


def _wait_for_worker(cluster: Cluster) -> None:
    from distributed import Client

    with Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=60)


def _word_of(text: str, before: str) -> str:
    return text.partition(before)[2].partition('"')[0]


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # nobody may have asked yet what became of it


def _eventually(asked: Any, within_s: float = 60.0) -> Any:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if found := asked():
            return found
        time.sleep(0.05)
    raise AssertionError("it never came to be")
