"""Processes of this machine that work on the tasks of a study.

Each has a pool of its own, so one that dies costs the one task it was working on, and it is known
which that was: it is begun again, and given up only when it has taken several processes with it.
"""

import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Any, Final, Generic, TypeVar

from apisim.scenario.problems import ApisimError

__all__ = ["MOST_DEATHS", "ClusterError", "WorkerDiedError", "in_processes"]

_T = TypeVar("_T")
_R = TypeVar("_R")
#: So many workers may die of one task.
MOST_DEATHS: Final = 3
#: How often the main thread looks up while it waits, for Ctrl-C [s].
_WAIT_S: Final = 0.2
#: Tasks a process is given at a time: the next one waits there while the last one is handed on.
_DEPTH: Final = 2


class ClusterError(ApisimError):
    """Workers that cannot be used."""


class WorkerDiedError(ApisimError):
    """A task that its workers died of, time and again."""

    def __init__(self, deaths: int = MOST_DEATHS) -> None:
        super().__init__(
            f"{deaths} workers died while they worked on it; perhaps they had too little memory"
        )


class _Lane(Generic[_R]):
    """One process, and what it was given, in order."""

    def __init__(self) -> None:
        self.given: deque[tuple[Future[_R], int]] = deque()
        self.begin()

    def begin(self) -> None:
        """Start the process, or another in its place."""
        self.pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_prepare)
        self.ready: Future[bool] | None = self.pool.submit(_is_there)

    @property
    def pending(self) -> "list[Future[Any]]":
        """What has not been over yet."""
        first = [] if self.ready is None else [self.ready]
        return [*first, *(future for future, _ in self.given)]

    def end(self) -> None:
        """Wait for nothing: what the process is working on is nobody's any more."""
        processes = dict(getattr(self.pool, "_processes", None) or {})
        self.pool.shutdown(wait=False, cancel_futures=True)
        for process in processes.values():
            process.terminate()


def in_processes(
    function: Callable[[_T], _R], tasks: Sequence[_T], n: int, wanted: Callable[[int], bool]
) -> Iterator[tuple[int, _R | Exception]]:
    """Work on tasks in ``n`` processes.

    Parameters
    ----------
    function : callable
        Of a module.
    tasks : sequence
    n : int
        At least 1.
    wanted : callable
        Asked with the position of a task when it is about to be handed to a process for the first
        time; where it says no, the task is left out.

    Yields
    ------
    int, result or exception
        Position of a task and what came of it, in any order; :class:`WorkerDiedError` if its
        workers died.

    Raises
    ------
    ClusterError
        If the processes do not even start.
    """
    left = deque(range(len(tasks)))
    begun: set[int] = set()
    deaths = Counter[int]()
    n_stillborn, is_well = 0, False
    lanes: list[_Lane[_R]] = [_Lane() for _ in range(min(n, len(tasks)))]

    def give(lane: _Lane[_R]) -> bool:
        """Hand the lane a task, if there is one."""
        while left:
            at = left.popleft()
            if at in begun or wanted(at):
                begun.add(at)
                try:
                    lane.given.append((lane.pool.submit(function, tasks[at]), at))
                except BrokenProcessPool:  # it died over nothing
                    left.appendleft(at)
                    if not lane.pending:
                        lane.begin()
                    return False
                return True
        return False

    try:
        while True:
            for depth in range(1, _DEPTH + 1):
                for lane in lanes:
                    while len(lane.given) < depth and give(lane):
                        pass
            pending = [future for lane in lanes for future in lane.pending]
            if not pending and not left:
                break
            wait(pending, timeout=_WAIT_S, return_when=FIRST_COMPLETED)
            for lane in lanes:
                if lane.ready is not None and lane.ready.done():
                    if isinstance(lane.ready.exception(), BrokenProcessPool):
                        n_stillborn += 1
                        if n_stillborn >= MOST_DEATHS * (len(lanes) if is_well else 1):
                            raise ClusterError(
                                "worker processes do not start; a script that starts some needs "
                                "its own work under: if __name__ == '__main__'"
                            )
                        left.extendleft(at for _, at in reversed(lane.given))
                        lane.given.clear()
                        lane.begin()
                        continue
                    lane.ready, is_well, n_stillborn = None, True, 0
                while lane.given and lane.given[0][0].done():
                    future, at = lane.given.popleft()
                    error = future.exception()
                    if not isinstance(error, BrokenProcessPool):
                        outcome: _R | Exception = _outcome(future)
                        yield at, outcome
                        continue
                    # Of what it was given it worked on the first; the rest waited.
                    left.extendleft(waiting for _, waiting in reversed(lane.given))
                    lane.given.clear()
                    lane.begin()
                    deaths[at] += 1
                    if deaths[at] < MOST_DEATHS:
                        left.appendleft(at)
                    else:
                        yield at, WorkerDiedError()
    except BaseException:
        for lane in lanes:
            lane.end()
        raise
    for lane in lanes:
        lane.pool.shutdown()


def _outcome(future: "Future[_R]") -> _R | Exception:
    error = future.exception()
    if error is None:
        return future.result()
    if not isinstance(error, Exception):
        raise error
    return error


def _is_there() -> bool:
    """What a process says when it has started."""
    return True


def _prepare() -> None:
    """Begin as a worker.

    Ctrl-C reaches all processes of a terminal: the first decides what becomes of the others. One
    that is killed tells nobody, and its workers would wait for it forever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
