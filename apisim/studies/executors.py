"""Where the tasks of a study are worked on: here, in processes, or on a Dask cluster.

Whatever works on them, results are handed on with the position of their task, and are the same for
any number of workers and any order. A worker that dies costs the task it was working on: that is
begun again elsewhere, three times at most.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from apisim import __version__
from apisim.studies.points import VersionError
from apisim.studies.processes import MOST_DEATHS, ClusterError, WorkerDiedError, in_processes

__all__ = ["ClusterError", "Where", "WorkerDiedError", "width_of", "work"]

#: Where to work: None, here, one after the other; a number of processes; an executor of one's own;
#: the address of a Dask scheduler.
Where = None | int | Executor | str

_T = TypeVar("_T")
_R = TypeVar("_R")
#: How often the main thread looks up while it waits, for Ctrl-C [s].
_WAIT_S: Final = 0.2
#: Tasks that an executor or a cluster is given at a time.
_AT_MOST: Final = 256
#: Workers of an executor that does not tell how many it has.
_WIDTH: Final = 32


def width_of(where: Where) -> int:
    """About how many tasks are worked on at a time.

    Examples
    --------
    >>> width_of(None), width_of(4)
    (1, 4)
    """
    if where is None:
        return 1
    if isinstance(where, int):
        return where
    return int(getattr(where, "_max_workers", _WIDTH))


def work(
    function: Callable[[_T], _R],
    tasks: Sequence[_T],
    where: Where = None,
    *,
    begun: Callable[[int], bool] | None = None,
    stopped: Callable[[], bool] = lambda: False,
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
    stopped : callable, optional
        Asked after each outcome, and on executors and clusters several times a second: whether the
        rest is not wanted any more.

    Yields
    ------
    int, result or exception
        Position of a task and what came of it, in any order; :class:`WorkerDiedError` where it took
        its workers with it.

    Raises
    ------
    VersionError
        If a worker has another version of apisim.
    ClusterError
        If there is no such cluster, or its workers cannot work at all.
    ValueError
        If the number of processes is below 1.
    """
    for at, outcome in _worked_on(function, tasks, where, begun or (lambda _: True), stopped):
        if isinstance(outcome, VersionError):
            raise outcome
        yield at, outcome
        if stopped():
            return


def _worked_on(
    function: Callable[[_T], _R],
    tasks: Sequence[_T],
    where: Where,
    wanted: Callable[[int], bool],
    stopped: Callable[[], bool],
) -> Iterator[tuple[int, _R | Exception]]:
    if where is None or where == 1:
        for at, task in enumerate(tasks):
            if wanted(at):
                yield at, _outcome(function, task)
    elif isinstance(where, int):
        if where < 1:
            raise ValueError(f"workers must be at least 1, got {where}")
        yield from in_processes(function, tasks, where, wanted)
    elif isinstance(where, str):
        with _cluster(where) as executor:
            yield from _submitted(function, tasks, executor, wanted, stopped)
    else:
        yield from _submitted(function, tasks, where, wanted, stopped)


def _outcome(function: Callable[[_T], _R], task: _T) -> _R | Exception:
    try:
        return function(task)
    except Exception as error:  # noqa: BLE001 - one task may fail; the caller decides about it
        return error


def _submitted(
    function: Callable[[_T], _R],
    tasks: Sequence[_T],
    executor: Executor,
    wanted: Callable[[int], bool],
    stopped: Callable[[], bool],
) -> Iterator[tuple[int, _R | Exception]]:
    """Outcomes of tasks that an executor is given, so many at a time."""
    left = deque(range(len(tasks)))
    pending: dict[Future[_R], int] = {}
    try:
        while True:
            while left and len(pending) < _AT_MOST:
                at = left.popleft()
                if wanted(at):
                    pending[_submit(executor, function, tasks[at])] = at
            if not pending or stopped():
                return
            over, _ = wait(pending, timeout=_WAIT_S, return_when=FIRST_COMPLETED)
            for future in over:
                at = pending.pop(future)
                outcome: _R | Exception = _result(future)
                yield at, outcome
    finally:
        for future in pending:
            future.cancel()


def _submit(executor: Executor, function: Callable[[_T], _R], task: _T) -> "Future[_R]":
    try:
        return executor.submit(function, task)
    except RuntimeError as error:  # broken, or shut down
        raise ClusterError(f"the executor takes no more tasks: {error}") from error


def _result(future: "Future[_R]") -> _R | Exception:
    try:
        error = future.exception()
    except CancelledError:
        raise ClusterError("the executor has given a task back: is the cluster gone?") from None
    if error is None:
        return future.result()
    if type(error).__name__ == "KilledWorker":  # of distributed, which need not be there
        return WorkerDiedError(MOST_DEATHS)
    if type(error).__name__ == "FutureCancelledError":
        raise ClusterError(f"the cluster has given a task back: {error}") from error
    if isinstance(error, BrokenExecutor):
        raise ClusterError(
            f"the executor is broken: {error}; with executor=N, processes that die are replaced"
        ) from error
    if not isinstance(error, Exception):
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
        for version in client.run(_version_asker()).values():
            if version != __version__:
                raise VersionError(__version__, str(version))
        yield client.get_executor(pure=False)
    finally:
        client.close()


def _version_asker() -> Callable[[], str]:
    """A function that Dask sends by value, so that it asks whatever apisim is there, or none."""

    def version() -> str:
        try:
            import apisim
        except ImportError:
            return "none"
        return str(apisim.__version__)

    return version
