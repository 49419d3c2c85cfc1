"""Settings that a search tries: simulated once, and again only as far as more is asked of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from apisim.results.metrics import Measure
from apisim.scenario import Scenario
from apisim.studies.conditions import Condition, Verdict, verdict_of
from apisim.studies.executors import Where, work
from apisim.studies.points import Row, Task, simulate

__all__ = ["FRESH", "Trial", "Trials"]

#: Number of the first replication that a winner is confirmed on: none that a search has seen.
FRESH: Final = 1_000_000

Settings = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One setting that was tried.

    Attributes
    ----------
    settings : tuple of (str, str)
        Value of each path.
    rows : tuple of Row
        Its replications.
    verdict : Verdict
        By all conditions.
    """

    settings: Settings
    rows: tuple[Row, ...]
    verdict: Verdict

    @property
    def text(self) -> str:
        """The settings in words."""
        return ", ".join(f"{path}={value}" for path, value in self.settings)


@dataclass(slots=True, eq=False)
class Trials:
    """All settings that were tried.

    Attributes
    ----------
    base : Scenario
        What they are settings of; its replications are those that a setting begins with.
    conditions : sequence of Condition
    measures : sequence of Measure
        Asked besides the conditions'.
    engine, executor
        As :func:`apisim.sweep`.
    progress : callable, optional
        Told each setting that was tried, in words.
    """

    base: Scenario
    conditions: Sequence[Condition]
    measures: Sequence[Measure] = ()
    engine: Literal["auto", "compiled", "simpy"] = "auto"
    executor: Where = None
    progress: Callable[[str], None] | None = None
    _known: dict[Settings, Trial] = field(default_factory=dict)

    @property
    def tried(self) -> list[Trial]:
        """Each setting, as it is known, in the order in which it was first tried."""
        return list(self._known.values())

    def at(self, settings: Mapping[str, str], replications: int | None = None) -> Trial:
        """A setting, with at least so many replications.

        Raises
        ------
        ScenarioError, PricingError
            If it cannot be simulated.
        """
        return self.all([settings], replications)[0]

    def all(
        self, wanted: Sequence[Mapping[str, str]], replications: int | None = None
    ) -> list[Trial]:
        """Several settings, side by side."""
        n = replications or self.base.replications
        keys = [tuple(settings.items()) for settings in wanted]
        missing = {
            key: len(self._known[key].rows) if key in self._known else 0
            for key in dict.fromkeys(keys)
            if key not in self._known or len(self._known[key].rows) < n
        }
        tasks = [self._task(key, first, n - first) for key, first in missing.items()]
        found: dict[int, list[Row]] = {}
        for at, outcome in work(simulate, tasks, self.executor):
            if isinstance(outcome, Exception):
                raise outcome
            found[at] = outcome
        for at, key in enumerate(missing):
            before = self._known[key].rows if key in self._known else ()
            rows = (*before, *found[at])
            self._known[key] = Trial(
                settings=key, rows=rows, verdict=verdict_of(self.conditions, rows)
            )
            if self.progress is not None:
                trial = self._known[key]
                self.progress(f"{trial.text}: {trial.verdict.value} ({len(rows)} replications)")
        return [self._known[key] for key in keys]

    def confirm(self, trial: Trial, replications: int | None = None) -> Trial:
        """The same setting on replications that no setting was chosen by."""
        n = replications or len(trial.rows)
        rows = tuple(simulate(self._task(trial.settings, FRESH, n)))
        return replace(trial, rows=rows, verdict=verdict_of(self.conditions, rows))

    def _task(self, settings: Settings, first: int, n: int) -> Task:
        changed = self.base.with_(*(f"{path}={value}" for path, value in settings))
        asked: list[Any] = [*self.measures]
        for condition in self.conditions:
            asked += condition.measures
        return Task.of(
            changed.with_(replications=n), engine=self.engine, measures=asked, first=first
        )
