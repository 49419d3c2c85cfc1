"""Points of a study: scenarios that are simulated for a few numbers of each replication.

A task is a text and a few words, so that it can be handed to another process or another machine;
what comes back are rows of numbers. The rows of a task do not depend on where it was worked on.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal

from ruamel.yaml import YAML

from apisim import __version__
from apisim.engine.program import Program
from apisim.engine.run import Replication
from apisim.results.accounts import Accounts
from apisim.results.connections import ConnectionTotals
from apisim.results.metrics import Costs, Gauge, Measure
from apisim.results.tally import Measurements
from apisim.results.usage import run_usage, windows_of
from apisim.scenario import Scenario, loads
from apisim.scenario.problems import ApisimError
from apisim.studies.preparation import prepare
from apisim.studies.whole import whole_replication

__all__ = [
    "MEASURES",
    "Row",
    "Task",
    "VersionError",
    "check_version",
    "files_of",
    "measures_of",
    "simulate",
]

#: What every study asks of every replication; those that a scenario cannot have are left out.
MEASURES: Final = (
    Measure("requests", "count"),
    Measure("latency", "mean"),
    Measure("latency", "p", 50.0),
    Measure("latency", "p", 95.0),
    Measure("latency", "p", 99.0),
    Measure("throttled", "rate"),
    Measure("quota_refused", "rate"),
    Measure("failed", "rate"),
    Measure("errors_4xx", "rate"),
    Measure("errors_5xx", "rate"),
    Measure("availability", "rate"),
    Measure("goodput", "rate"),
    Measure("cache_hits", "rate"),
    Measure("cold_starts", "count"),
    Measure("cost_run", "value"),
    Measure("cost_month", "value"),
)


#: Where a text, plain or in quotes, begins with a slash.
_MAYBE_FILE: Final = re.compile(r"""^(?:[^\n]*[:-] +)?\s*['"]?/""", re.MULTILINE)


class VersionError(ApisimError):
    """A worker has another version of apisim than whoever asks."""

    def __init__(self, asked: str, worker: str) -> None:
        super().__init__(
            f"a worker has apisim {worker}, this is apisim {asked}: install the same version on all"
        )
        self.asked, self.worker = asked, worker

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.asked, self.worker)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A scenario to be simulated.

    Attributes
    ----------
    scenario : str
        As resolved (:meth:`Scenario.to_yaml`); its seed counts.
    file : str
        Name used in messages.
    engine : {"auto", "compiled", "simpy"}
    measures : tuple of Measure
        Asked of each replication besides :data:`MEASURES`.
    first, count : int
        Number of the first replication, and how many there are: others are fresh draws of the same
        scenario.
    duration_ns : int or None
        Time after which nothing more arrives [ns].
    version : str
        Of apisim, which must be that of the worker.
    """

    scenario: str
    file: str = "<scenario>"
    engine: Literal["auto", "compiled", "simpy"] = "auto"
    measures: tuple[Measure, ...] = ()
    first: int = 0
    count: int = 1
    duration_ns: int | None = None
    version: str = __version__

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        *,
        engine: Literal["auto", "compiled", "simpy"] = "auto",
        measures: Sequence[Measure] = (),
        first: int = 0,
    ) -> "Task":
        """Task of a scenario."""
        return cls(
            scenario=scenario.to_yaml(),
            file=scenario.source.file,
            engine=engine,
            measures=tuple(measures),
            first=first,
            count=scenario.replications,
            duration_ns=scenario.duration_limit_ns,
        )

    def divided(self, n: int) -> "list[Task]":
        """Its replications in ``n`` parts of nearly the same size, at most one for each."""
        n = max(1, min(n, self.count))
        ends = [self.first + self.count * part // n for part in range(n + 1)]
        return [replace(self, first=first, count=end - first) for first, end in pairwise(ends)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One replication of a point.

    Attributes
    ----------
    replication : int
    digest : str
        Of its requests; hexadecimal.
    values : dict of str to float
        By the label of each measure, in its shown unit (ms, share, count, money); NaN where
        nothing was measured.
    """

    replication: int
    digest: str
    values: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: what was not measured is null."""
        values = {name: None if math.isnan(one) else one for name, one in self.values.items()}
        return {"replication": self.replication, "digest": self.digest, "values": values}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> "Row":
        """The row that was written so."""
        return cls(
            replication=int(entry["replication"]),
            digest=str(entry["digest"]),
            values={
                name: math.nan if one is None else float(one)
                for name, one in entry["values"].items()
            },
        )


def measures_of(scenario: Scenario, asked: Sequence[Measure] = ()) -> list[Measure]:
    """What is asked of each replication of a scenario: as :data:`MEASURES`, and what is asked."""
    has_month = scenario.pricing.month == "project"
    known = [one for one in MEASURES if has_month or one.metric != "cost_month"]
    thresholds = [Measure.of(threshold) for threshold in scenario.thresholds]
    return list(dict.fromkeys([*known, *thresholds, *asked]))


def files_of(scenario: str) -> list[str]:
    """Absolute names of the files that a resolved scenario names, each once."""
    found: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, Mapping):
            for one in value.values():
                look(one)
        elif isinstance(value, list):
            for one in value:
                look(one)
        elif isinstance(value, str) and Path(value).is_absolute() and Path(value).is_file():
            found.append(value)

    if _MAYBE_FILE.search(scenario):  # reading all of it takes a while
        look(YAML(typ="safe").load(scenario))
    return list(dict.fromkeys(found))


def check_version(task: Task) -> None:
    """Refuse a task of another version of apisim.

    Raises
    ------
    VersionError
    """
    if task.version != __version__:
        raise VersionError(task.version, __version__)


def simulate(task: Task) -> list[Row]:
    """Simulate the replications of a task, here and now.

    Raises
    ------
    VersionError
        If this is another version of apisim than the task's.
    ScenarioError, PricingError, CapacityError
        As :func:`apisim.studies.run.run`.
    KeyboardInterrupt
        If it was interrupted.
    """
    check_version(task)
    preparation = prepare(
        loads(task.scenario, task.file, duration=task.duration_ns),
        engine=task.engine,
        skip_bad_rows=False,
        extend=None,
    )
    program = preparation.program
    measures = measures_of(program.scenario, task.measures)
    return [
        _row(
            program,
            preparation.accounts,
            whole_replication(program, number, engine=preparation.engine),
            measures,
        )
        for number in range(task.first, task.first + task.count)
    ]


def _row(
    program: Program, accounts: Accounts, replication: Replication, measures: Sequence[Measure]
) -> Row:
    month = None
    if accounts.projects_month:
        month = float(accounts.month([windows_of(replication)]).total)
    costs = Costs(run=float(accounts.run([run_usage(replication)]).total), month=month)
    recorder, connections = replication.recorder, None
    if len(program.tables.sessions):
        connections = ConnectionTotals.of(recorder.connections, recorder.pushes, replication.end_ns)
    gauge = Gauge(Measurements.of(program, recorder), [replication.end_ns], costs, connections)
    values = {}
    for wanted in measures:
        value, _ = gauge.read(wanted)
        values[wanted.label] = value / wanted.shown_unit[1]
    return Row(replication=replication.number, digest=f"{replication.digest:016x}", values=values)
