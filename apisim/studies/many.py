"""Many points at a time: those that are done are found again, the others are simulated.

Several processes may work on the points of one folder. Each takes what nobody has claimed, and
waits for the others in the end.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from apisim.scenario import loads
from apisim.scenario.problems import ApisimError
from apisim.studies.executors import Where, work
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
    n_done = n_found = 0

    def tell() -> None:
        if progress is not None:
            progress(Steps(len(tasks), n_done, n_found, time.perf_counter() - started))

    left = list(tasks)
    if store is not None:
        for at in list(left):
            if (rows := store.load(tasks[at][1])) is not None:
                left.remove(at)
                n_done += 1
                n_found += 1
                yield at, rows
    tell()
    if left and isinstance(executor, int) and executor > 1:
        # Once, before there are workers who would all compile.
        first = tasks[left[0]][1]
        with contextlib.suppress(ApisimError):  # told with its point
            prepare(loads(first.scenario), engine=first.engine, skip_bad_rows=False, extend=None)
    try:
        while left:
            given: set[int] = set()

            def begun(position: int, of: list[int] = left, given: set[int] = given) -> bool:
                is_ours = store is None or store.claim(tasks[of[position]][1])
                if is_ours:
                    given.add(position)
                return is_ours

            chosen = [tasks[at][1] for at in left]
            for position, outcome in work(simulate, chosen, executor, begun=begun):
                at = left[position]
                values, task = tasks[at]
                if store is not None:
                    if isinstance(outcome, Exception):
                        store.give_up(task)
                    else:
                        store.save(task, outcome, dict(values))
                n_done += 1
                tell()
                yield at, outcome
            left = [at for position, at in enumerate(left) if position not in given]
            if left and store is not None:
                time.sleep(_LOOK_S)
                for at in list(left):
                    if (rows := store.load(tasks[at][1])) is not None:
                        left.remove(at)
                        n_done += 1
                        n_found += 1
                        tell()
                        yield at, rows
    finally:
        if store is not None:
            store.give_up_all()
