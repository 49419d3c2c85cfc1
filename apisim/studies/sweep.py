"""Many points: one scenario with some of its values varied, ``apisim sweep``.

All points share their seed, so that two of them differ by what was varied and by nothing else. A
point that fails is told with its seed, and does not stop the rest.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from apisim.scenario import Scenario, ScenarioError
from apisim.scenario.problems import ApisimError
from apisim.studies.executors import Where
from apisim.studies.many import Steps, simulate_points
from apisim.studies.over import Design, Over, parse_over, points_of
from apisim.studies.points import Row, Task
from apisim.studies.preparation import Options
from apisim.studies.store import Store
from apisim.studies.swept import Failure, Sweep

__all__ = ["sweep"]


def sweep(
    scenario: Scenario | str | Path,
    over: Mapping[str, Sequence[object]] | Sequence[str],
    *,
    design: Design = "grid",
    n_points: int = 0,
    overrides: Sequence[str] = (),
    profile: str | None = None,
    seed: int | None = None,
    replications: int | None = None,
    duration: str | int | None = None,
    engine: Literal["auto", "compiled", "simpy"] = "auto",
    executor: Where = None,
    out: str | Path | None = None,
    fail_fast: bool = False,
    progress: Callable[[Steps], None] | None = None,
) -> Sweep:
    """Simulate a scenario with some of its values varied.

    Parameters
    ----------
    scenario : Scenario, str or pathlib.Path
        A scenario, or the file of one.
    over : mapping of str to sequence, or sequence of str
        ``{"traffic.web.phases.0.rate": [100, 200]}``, or texts as ``--over`` takes them.
    design : {"grid", "zip", "lhs", "sobol", "saltelli"}
        All combinations; the first values together, then the second; points of a Latin hypercube
        or of a Sobol sequence; the points that Sobol indices need.
    n_points : int
        Of ``lhs`` and ``sobol``; for ``saltelli`` a power of two, n (paths + 2) are simulated.
    overrides, profile, seed, replications, duration, engine
        As :func:`apisim.run`; for all points.
    executor : None, int, Executor or str
        Where to work: here; so many processes; an executor of one's own; the address of a Dask
        scheduler. Never changes a number.
    out : str or pathlib.Path, optional
        Folder in which points that are done are kept; those that are there are not simulated again.
    fail_fast : bool
        Stop at the first point that fails.
    progress : callable, optional
        Told :class:`Steps` whenever a point is done.

    Returns
    -------
    Sweep

    Raises
    ------
    ScenarioError
        If the scenario or the design is wrong, or every point is refused for what it says.
    OutputError, VersionError, ClusterError
        If the folder or the workers cannot be used.
    """
    options = Options(
        overrides=overrides,
        profile=profile,
        seed=seed,
        replications=replications,
        duration=duration,
    )
    base = options.apply(scenario)
    varied = tuple(_varied(over))
    points = tuple(points_of(varied, design, n_points=n_points, seed=base.seed))
    tasks, refusals = [], []
    failures: dict[int, Failure] = {}
    for at, point in enumerate(points):
        values = dict(zip((one.path for one in varied), point, strict=True))
        try:
            changed = base.with_(*(f"{path}={value}" for path, value in values.items()))
        except ScenarioError as error:
            refusals.append(error)
            failures[at] = Failure(point=at, values=values, seed=base.seed, message=_first(error))
            if fail_fast:
                break
            continue
        tasks.append((at, values, Task.of(changed, engine=engine)))
    if refusals and len(refusals) == len(points):
        raise refusals[0]
    store = None if out is None else Store(Path(out))
    stopped = fail_fast and bool(failures)
    rows: dict[int, Sequence[Row]] = {}
    if not stopped:
        for at, outcome in simulate_points(
            {at: (values, task) for at, values, task in tasks}, executor, store, progress
        ):
            if not isinstance(outcome, Exception):
                rows[at] = outcome
                continue
            values = dict(zip((one.path for one in varied), points[at], strict=True))
            failures[at] = Failure(point=at, values=values, seed=base.seed, message=_first(outcome))
            if fail_fast:
                stopped = True
                break
    result = Sweep(
        scenario=base,
        over=varied,
        design=design,
        points=points,
        rows=rows,
        failures=tuple(failures[at] for at in sorted(failures)),
        completed=len(rows) + len(failures) == len(points) and not stopped,
    )
    if out is not None:
        result.write(Path(out))
    return result


def _varied(over: Mapping[str, Sequence[object]] | Sequence[str]) -> list[Over]:
    if not isinstance(over, Mapping):
        return [parse_over(text) for text in over]
    return [
        Over(path=path, values=tuple(_as_text(value) for value in values))
        for path, values in over.items()
    ]


def _as_text(value: object) -> str:
    """A value of Python's as ``--set`` takes it."""
    if isinstance(value, str):
        return value
    return json.dumps(value)


def _first(error: Exception) -> str:
    if isinstance(error, ScenarioError):
        problem = error.problems[0]
        return f"{problem.path}: {problem.message}" if problem.path else problem.message
    if isinstance(error, ApisimError):
        return str(error)
    return f"{type(error).__name__}: {error}"
