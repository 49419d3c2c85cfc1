"""Replications of a run on an executor or a Dask cluster.

What a worker is sent is a text, what it sends back are the records that a replication left behind;
nothing of the machine it ran on is in them. They are handed on in order, so that a run there is the
run here, digest and all.
"""

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from apisim.engine.program import Program
from apisim.engine.run import Replication
from apisim.scenario import loads
from apisim.studies.executors import width_of, work
from apisim.studies.points import Task, check_version
from apisim.studies.preparation import prepare
from apisim.studies.progress import Watch
from apisim.studies.whole import whole_replication

__all__ = ["Elsewhere"]

#: Tasks for each worker: so many that none is left alone with a long rest.
_TASKS_EACH: Final = 2


@dataclass(frozen=True, slots=True)
class _Span:
    """Some replications of a run."""

    task: Task
    skip_bad_rows: bool


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where the replications of a run are simulated, if not in this process.

    Attributes
    ----------
    executor : concurrent.futures.Executor or str
        An executor, or the address of a Dask scheduler.
    program : Program
        What is run.
    task : Task
        The same, to be sent away.
    skip_bad_rows : bool
        As :func:`apisim.run`.
    """

    executor: Executor | str
    program: Program
    task: Task
    skip_bad_rows: bool

    def replications(self, numbers: range, watch: Watch) -> Iterator[Replication]:
        """Simulate replications.

        Parameters
        ----------
        numbers : range
        watch : Watch
            Told of each that has come; says when there is to be no more.

        Yields
        ------
        Replication
            In order. After a stop those that have come by then, up to the first that has not.

        Raises
        ------
        VersionError, ClusterError
            As :func:`apisim.studies.executors.work`.
        WorkerDiedError, ScenarioError, CapacityError
            What a worker met with.
        """
        spans = self._spans(numbers)
        waiting: dict[int, Replication] = {}
        following = numbers.start
        for _, outcome in work(_simulate, spans, self.executor, stopped=lambda: watch.is_stopped):
            if isinstance(outcome, Exception):
                raise outcome
            for kept in outcome:
                found = Replication(program=self.program, **kept)
                waiting[found.number] = found
                watch.finish(found.number, found.end_ns, found.n_requests)
            while following in waiting:
                yield waiting.pop(following)
                following += 1

    def _spans(self, numbers: range) -> list[_Span]:
        whole = replace(self.task, first=numbers.start, count=len(numbers))
        parts = whole.divided(_TASKS_EACH * width_of(self.executor))
        return [_Span(part, self.skip_bad_rows) for part in parts]


def _simulate(span: _Span) -> list[dict[str, Any]]:
    """Fields of replications, less the program, which whoever asks has already."""
    task = span.task
    check_version(task)
    preparation = prepare(
        loads(task.scenario, task.file, duration=task.duration_ns),
        engine=task.engine,
        skip_bad_rows=span.skip_bad_rows,
        extend=None,
    )
    found = []
    for number in range(task.first, task.first + task.count):
        replication = whole_replication(preparation.program, number, engine=preparation.engine)
        names = (one.name for one in fields(replication) if one.name != "program")
        found.append({name: getattr(replication, name) for name in names})
    return found
