"""Where the tasks of a study are worked on: here, in processes, or on a Dask cluster.

Whatever works on them, results are handed on with the position of their task, and are the same for
any number of workers and any order. A worker that dies costs the tasks it was working on: they are
worked on again, three times at most.
"""

import signal
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from typing import Any, Final, TypeVar

from apisim import __version__
from apisim.scenario.problems import ApisimError
from apisim.studies.points import VersionError

__all__ = ["ClusterError", "Where", "work"]

#: Where to work: None, here, one after the other; a number of processes; an executor of one's own;
#: the address of a Dask scheduler.
Where = None | int | Executor | str

_T = TypeVar("_T")
_R = TypeVar("_R")
_MOST_ATTEMPTS: Final = 3
#: How often the main thread looks up while it waits, for Ctrl-C [s].
_WAIT_S: Final = 0.2


class ClusterError(ApisimError):
    """A cluster that cannot be used."""


def work(
    function: Callable[[_T], _R],
    tasks: Sequence[_T],
    where: Where = None,
    *,
    begun: Callable[[int], bool] | None = None,
) -> Iterator[tuple[int, _R | Exception]]:
    """Work on tasks.

    Parameters
    ----------
    function : callable
        Of a module that the workers have, too.
    tasks : sequence
    where : None, int, Executor or str
        See :data:`Where`.
    begun : callable, optional
        Asked with the position of a task before it is handed to a worker; where it says no, the
        task is left out.

    Yields
    ------
    int, result or exception
        Position of a task and what came of it, in any order.

    Raises
    ------
    VersionError
        If a worker has another version of apisim.
    ClusterError
        If there is no such cluster, or the workers die time and again.
    ValueError
        If the number of processes is below 1.
    """
    wanted = begun or (lambda _: True)
    if where is None or where == 1:
        for at, task in enumerate(tasks):
            if wanted(at):
                yield at, _outcome(function, task)
    elif isinstance(where, int):
        if where < 1:
            raise ValueError(f"workers must be at least 1, got {where}")
        yield from _in_processes(function, tasks, where, wanted)
    elif isinstance(where, str):
        with _cluster(where) as executor:
            yield from _submitted(function, tasks, executor, wanted, deque(range(len(tasks))))
    else:
        yield from _submitted(function, tasks, where, wanted, deque(range(len(tasks))))


def _outcome(function: Callable[[_T], _R], task: _T) -> _R | Exception:
    try:
        return function(task)
    except VersionError:
        raise
    except Exception as error:  # noqa: BLE001 - one task may fail; the caller decides about it
        return error


def _in_processes(
    function: Callable[[_T], _R], tasks: Sequence[_T], n: int, wanted: Callable[[int], bool]
) -> Iterator[tuple[int, _R | Exception]]:
    left = deque(range(len(tasks)))
    attempts = Counter[int]()
    while left:
        pool = ProcessPoolExecutor(n, mp_context=get_context("spawn"), initializer=_leave_ctrl_c)
        broken = []
        try:
            for at, outcome in _submitted(function, tasks, pool, wanted, left, at_most=2 * n):
                if not isinstance(outcome, BrokenProcessPool):
                    yield at, outcome
                    continue
                attempts[at] += 1
                if attempts[at] == _MOST_ATTEMPTS:
                    message = f"workers die: task {at} was begun {_MOST_ATTEMPTS} times"
                    raise ClusterError(message)
                broken.append(at)
        except BaseException:
            _end(pool)
            raise
        pool.shutdown()
        # What was handed to a pool that broke, or was not any more, is the next one's.
        left.extendleft(sorted(broken, reverse=True))


def _leave_ctrl_c() -> None:
    """Ctrl-C reaches all processes of a terminal; the first decides what becomes of the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end(pool: ProcessPoolExecutor) -> None:
    """Wait for nobody: what its workers are working on is nobody's any more."""
    ours = set(getattr(pool, "_processes", None) or ())
    pool.shutdown(wait=False, cancel_futures=True)
    for child in active_children():
        if child.pid in ours:
            child.terminate()


def _submitted(
    function: Callable[[_T], _R],
    tasks: Sequence[_T],
    executor: Executor,
    wanted: Callable[[int], bool],
    left: deque[int],
    at_most: int = 256,
) -> Iterator[tuple[int, _R | Exception]]:
    """Outcomes of the tasks that are left; those that no worker could be given stay in ``left``."""
    pending: dict[Future[_R], int] = {}
    is_broken = False
    try:
        while True:
            while left and len(pending) < at_most and not is_broken:
                at = left.popleft()
                if not wanted(at):
                    continue
                try:
                    pending[executor.submit(function, tasks[at])] = at
                except BrokenProcessPool:
                    left.appendleft(at)
                    is_broken = True
            if not pending:
                return
            over, _ = wait(pending, timeout=_WAIT_S, return_when=FIRST_COMPLETED)
            for future in over:
                at = pending.pop(future)
                outcome: _R | Exception = _result(future)
                yield at, outcome
    finally:
        for future in pending:
            future.cancel()


def _result(future: "Future[_R]") -> _R | Exception:
    error = future.exception()
    if error is None:
        return future.result()
    if type(error).__name__ == "KilledWorker":  # of distributed, which need not be there
        raise ClusterError(f"workers of the cluster die time and again: {error}")
    if isinstance(error, VersionError) or not isinstance(error, Exception):
        raise error
    return error


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    """An executor on a Dask cluster, all of whose workers have this version."""
    try:
        from distributed import Client
    except ImportError:
        message = "a scheduler needs dask.distributed: pip install 'apisim[dask]'"
        raise ClusterError(message) from None
    try:
        client: Any = Client(address, timeout="10s", set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(f"no Dask scheduler answers at {address}: {error}") from None
    try:
        # Workers that come later are asked by each task, which carries its version.
        for version in client.run(worker_version).values():
            if version != __version__:
                raise VersionError(__version__, str(version))
        yield client.get_executor(pure=False, retries=_MOST_ATTEMPTS)
    finally:
        client.close()


def worker_version() -> str:
    """Version of apisim where this is called."""
    return __version__
