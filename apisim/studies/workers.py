"""Replications one after the other, or several at a time in threads.

The compiled engine releases the interpreter's lock, so threads use all cores and nothing is copied
between processes. Whichever replication ends first, they are handed on in order.
"""

import functools
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from apisim.engine.program import Program
from apisim.engine.run import Engine, Replication, run_replication
from apisim.results.exporter import RowPart
from apisim.studies.live import Onlooker
from apisim.studies.progress import Watch

__all__ = ["Job", "replications", "stopped_by_ctrl_c"]

#: How often the main thread looks up while it waits [s].
_WAIT_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Job:
    """What all replications of a run have in common.

    Attributes
    ----------
    program : Program
    engine : {"compiled", "simpy"}
    watch : Watch
        Told how far each is; ends them.
    part : callable or None
        Makes what takes the full rows of a replication, by its number; None where nobody does.
    services : dict of int to object
        A user's own services by function.
    onlooker : Onlooker or None
        Sees what each comes to; None where nobody wants to.
    """

    program: Program
    engine: Engine
    watch: Watch
    part: Callable[[int], RowPart] | None
    services: Mapping[int, Any]
    onlooker: Onlooker | None = None

    def run(self, number: int) -> Replication:
        """Simulate one replication."""
        replication = run_replication(
            self.program,
            number,
            engine=self.engine,
            flush=None if self.part is None else self.part(number),
            progress=functools.partial(self._look, number),
            begun=None if self.onlooker is None else self.onlooker.begin,
            services=self.services,
        )
        if self.onlooker is not None:
            self.onlooker.finish(replication)
        self.watch.finish(number, replication.end_ns, replication.n_requests)
        return replication

    def _look(self, number: int, simulated_ns: int, requests: int) -> None:
        if self.onlooker is not None:
            self.onlooker.look(number, simulated_ns)
        self.watch.look(number, simulated_ns, requests)


def replications(job: Job, wanted: range, workers: int) -> Iterator[Replication]:
    """Simulate the replications with these numbers, ``workers`` at a time.

    Yields
    ------
    Replication
        In order; after a stop those that had begun, and then no more.
    """
    if workers > 1:
        yield from _in_threads(job, wanted, workers)
        return
    for number in wanted:
        if number and job.watch.is_stopped:
            return
        yield job.run(number)


def _in_threads(job: Job, wanted: range, workers: int) -> Iterator[Replication]:
    pending: deque[Future[Replication]] = deque()
    numbers = iter(wanted)
    with ThreadPoolExecutor(workers, thread_name_prefix="apisim") as pool:
        try:
            while True:
                # Each finished replication waits with its histograms: not too many ahead.
                while len(pending) < 2 * workers and not job.watch.is_stopped:
                    number = next(numbers, None)
                    if number is None:
                        break
                    pending.append(pool.submit(job.run, number))
                if not pending:
                    return
                head = pending.popleft()
                while not wait([head], timeout=_WAIT_S).done:
                    pass  # the interpreter handles Ctrl-C here
                if job.watch.is_stopped:
                    _cancel_last(pending)
                yield head.result()
        except BaseException:
            # Something went wrong, or nobody asks for more: do not simulate the rest for nobody.
            job.watch.stop()
            raise
        finally:
            for future in pending:
                future.cancel()


def _cancel_last(pending: deque[Future[Replication]]) -> None:
    """Take back the replications that have not begun; the others end by themselves."""
    while pending and pending[-1].cancel():
        pending.pop()


@contextmanager
def stopped_by_ctrl_c(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C calls ``stop`` instead of interrupting whatever is being done at that moment.

    A second Ctrl-C is an ordinary KeyboardInterrupt. Outside the main thread, where nothing is
    interrupted, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def on_interrupt(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
