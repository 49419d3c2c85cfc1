"""Many points at a time: those that are done are found again, the others are simulated.

Points that are alike in everything are one. Where there are more workers than points, the
replications of a point are divided among them. Several processes may work on the points of one
folder: each takes what nobody has claimed, and waits for the others in the end.
"""

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from apisim.scenario import loads
from apisim.scenario.problems import ApisimError
from apisim.studies.executors import Where, width_of, work
from apisim.studies.points import Row, Task, simulate
from apisim.studies.preparation import prepare
from apisim.studies.store import Store

__all__ = ["Steps", "simulate_points"]

#: How often others' points are looked for [s].
_LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Steps:
    """How far a study is.

    Attributes
    ----------
    points, finished, found : int
        How many there are, how many are done, and how many of those were found done.
    elapsed_s : float
        Since the first was begun [s].
    """

    points: int
    finished: int
    found: int
    elapsed_s: float

    @property
    def left_s(self) -> float:
        """Time left at the same pace [s]; infinite before the first is done."""
        done = self.finished - self.found
        return self.elapsed_s * (self.points - self.finished) / done if done else inf


def simulate_points(
    tasks: Mapping[int, tuple[Mapping[str, str], Task]],
    executor: Where = None,
    store: Store | None = None,
    progress: Callable[[Steps], None] | None = None,
) -> Iterator[tuple[int, Sequence[Row] | Exception]]:
    """Rows of points, or what went wrong, in any order.

    Parameters
    ----------
    tasks : dict of int to (dict, Task)
        By position: what was varied, and what is to be simulated.
    executor, store, progress
        As :func:`sweep`.

    Yields
    ------
    int, sequence of Row or Exception
    """
    started = time.perf_counter()
    alike: dict[Task, list[int]] = defaultdict(list)
    for at, (_, task) in tasks.items():
        alike[task].append(at)
    left = {positions[0]: positions for positions in alike.values()}
    n_done = n_found = 0

    def tell() -> None:
        if progress is not None:
            progress(Steps(len(tasks), n_done, n_found, time.perf_counter() - started))

    def found() -> Iterator[tuple[int, list[Row]]]:
        nonlocal n_done, n_found
        for at in list(left) if store is not None else ():
            rows = None if store is None else store.load(tasks[at][1])
            if rows is not None:
                positions = left.pop(at)
                n_done += len(positions)
                n_found += len(positions)
                yield from ((position, rows) for position in positions)

    yield from found()
    tell()
    if left and isinstance(executor, int) and executor > 1:
        # Once, before there are workers who would all compile.
        first = tasks[next(iter(left))][1]
        with contextlib.suppress(ApisimError):  # told with its point
            prepare(loads(first.scenario), engine=first.engine, skip_bad_rows=False, extend=None)
    try:
        while left:
            for at, outcome in _simulated({at: tasks[at] for at in left}, executor, store):
                positions = left.pop(at)
                n_done += len(positions)
                tell()
                yield from ((position, outcome) for position in positions)
            yield from found()
            tell()
            if left:  # others are at them
                time.sleep(_LOOK_S)
    finally:
        if store is not None:
            store.give_up_all()


def _simulated(
    tasks: Mapping[int, tuple[Mapping[str, str], Task]], executor: Where, store: Store | None
) -> Iterator[tuple[int, list[Row] | Exception]]:
    """Outcomes of the points that nobody else is at, kept in the store."""
    parts = [
        (at, part)
        for at, (_, task) in tasks.items()
        for part in _parts(task, width_of(executor), len(tasks))
    ]
    is_ours: dict[int, bool] = {}
    over: set[int] = set()
    rows: dict[int, list[Row]] = defaultdict(list)

    def begun(position: int) -> bool:
        at = parts[position][0]
        if at not in is_ours:
            is_ours[at] = store is None or store.claim(tasks[at][1])
        return is_ours[at] and at not in over

    for position, outcome in work(simulate, [part for _, part in parts], executor, begun=begun):
        at = parts[position][0]
        values, task = tasks[at]
        if at in over:  # another part of it failed
            continue
        if isinstance(outcome, Exception):
            over.add(at)
            if store is not None:
                store.give_up(task)
            yield at, outcome
            continue
        rows[at] += outcome
        if len(rows[at]) == task.count:
            over.add(at)
            rows[at].sort(key=lambda row: row.replication)
            if store is not None:
                store.save(task, rows[at], dict(values))
            yield at, rows.pop(at)


def _parts(task: Task, width: int, n_points: int) -> list[Task]:
    """A task, divided so that about twice as many are there as there are workers."""
    return task.divided(-(-2 * width // n_points) if width > 1 else 1)
