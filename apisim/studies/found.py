"""What a search has found, and what it has tried for it."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apisim.results.metrics import Measure
from apisim.results.section import FAILED, Section
from apisim.results.statistics import Interval, t_interval
from apisim.scenario import Scenario
from apisim.studies.conditions import Condition, Verdict
from apisim.studies.frames import study_frame
from apisim.studies.shown import Sheet, Shown
from apisim.studies.trials import Trial
from apisim.studies.wording import measure_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Found"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Found(Shown):
    """The answer of a search.

    Attributes
    ----------
    scenario : Scenario
        What was searched.
    objective : str
        Path or measure.
    wants_most : bool
        Whether the most of it is wanted.
    conditions : tuple of Condition
    tried : tuple of Trial
        Every setting that was simulated.
    answer : Trial or None
        The best that is conclusively feasible; None if there is none.
    infeasible : Trial or None
        Of a bisection: the last that is conclusively infeasible, the bracket's other end.
    confirmed : Trial or None
        The answer on fresh replications.
    delta : str
        Of a bisection: how near the ends of the bracket were to be.
    is_monotone : bool
        Whether nothing that was tried contradicts that the question has one answer.
    measure : Measure or None
        The objective, where it is one.
    ties : tuple of Trial
        Feasible settings that cannot be told from the answer.
    """

    scenario: Scenario
    objective: str
    wants_most: bool
    conditions: tuple[Condition, ...]
    tried: tuple[Trial, ...]
    answer: Trial | None
    infeasible: Trial | None = None
    confirmed: Trial | None = None
    delta: str = ""
    is_monotone: bool = True
    measure: Measure | None = None
    ties: tuple[Trial, ...] = ()

    @property
    def is_feasible(self) -> bool:
        """Whether a setting meets the conditions conclusively."""
        return self.answer is not None

    @property
    def is_confirmed(self) -> bool:
        """Whether it does so on fresh replications as well."""
        return self.confirmed is not None and self.confirmed.verdict is Verdict.FEASIBLE

    def table(self) -> list[dict[str, Any]]:
        """One row for each setting that was tried."""
        rows = []
        for trial in self.tried:
            row: dict[str, Any] = {**dict(trial.settings), "replications": len(trial.rows)}
            for label, interval in self._figures(trial):
                row |= {label: interval.mean, f"{label} low": interval.low,
                        f"{label} high": interval.high}  # fmt: skip
            rows.append(row | {"verdict": trial.verdict.value})
        return rows

    def frame(self) -> "pd.DataFrame":
        """A tidy frame: one row for each setting that was tried, with intervals at 95 %."""
        # Where all replications agree a figure has no interval.
        labels = dict.fromkeys(label for one in self.tried for label, _ in self._figures(one))
        paths = dict.fromkeys(path for one in self.tried for path, _ in one.settings)
        return study_frame("search", self.table(), paths=list(paths), measures=list(labels))

    def sheet(self) -> Sheet:
        """The answer, then what was tried."""
        what = "largest" if self.wants_most else "smallest"
        head = [f"{what.capitalize()} {self.objective}"]
        if self.conditions:
            head[0] += f" with {' and '.join(one.text for one in self.conditions)}"
        head += self._answer()
        return Sheet(head=head, sections=[self._tried()], notes=self._notes())

    def to_dict(self) -> dict[str, Any]:
        """The answer as ``--json`` prints it."""
        return {
            "scenario": {"name": self.scenario.name, "file": self.scenario.source.file},
            "objective": self.objective,
            "subject_to": [one.text for one in self.conditions],
            "feasible": self.is_feasible,
            "confirmed": self.is_confirmed,
            "answer": None if self.answer is None else dict(self.answer.settings),
            "last_infeasible": None if self.infeasible is None else dict(self.infeasible.settings),
            "delta": self.delta,
            "is_monotone": self.is_monotone,
            "ties": [dict(one.settings) for one in self.ties],
            "tried": [{name: _json(value) for name, value in row.items()} for row in self.table()],
        }

    def _answer(self) -> list[str]:
        if self.answer is None:
            told = "infeasible: no setting that was tried meets the conditions conclusively"
            if not any(one.verdict is Verdict.UNCLEAR for one in self.tried):
                told = "infeasible: no setting in the range meets the conditions"
            return [told]
        lines = [self.answer.text]
        if self.infeasible is not None:
            lines.append(
                f"between {self.infeasible.settings[0][1]} (conclusively infeasible) and "
                f"{self.answer.settings[0][1]} (conclusively feasible), asked for: {self.delta}"
            )
        elif self.measure is None and self.delta:
            lines.append("the whole range is feasible, or its first part is unclear")
        fresh = "confirmed" if self.is_confirmed else "NOT confirmed"
        assert self.confirmed is not None
        lines.append(f"{fresh} on {len(self.confirmed.rows)} fresh replications")
        return lines

    def _tried(self) -> Section:
        paths = [path for path, _ in self.tried[0].settings]
        labels = [label for label, _ in self._figures(self.tried[0])]
        rows, marks = [], {}
        order = sorted(self.tried, key=lambda one: [_order(value) for _, value in one.settings])
        for at, trial in enumerate(order):
            if trial.verdict is Verdict.INFEASIBLE:
                marks[at] = FAILED
            figures = dict(self._figures(trial))
            cells = []
            for label in labels:
                interval = figures.get(label)
                cells.append(
                    "-" if interval is None
                    else measure_text(label, interval.mean, interval.high - interval.mean)
                )  # fmt: skip
            values = (value for _, value in trial.settings)
            rows.append((*values, *cells, f"{len(trial.rows)}", trial.verdict.value))
        return Section(
            title="What was tried",
            columns=(*paths, *(f">{label}" for label in labels), ">Replications", "Verdict"),
            rows=tuple(rows),
            marks=marks,
            remarks=("± half the 95% interval, to its upper end",),
        )

    def _notes(self) -> list[str]:
        notes = []
        if not self.is_monotone:
            notes.append(
                "not monotone: beyond a feasible setting one is infeasible, so the bracket is one "
                "of several; sweep the range to see them all"
            )
        if self.ties:
            notes.append(f"cannot be told from it: {'; '.join(one.text for one in self.ties[:10])}")
        return notes

    def _figures(self, trial: Trial) -> list[tuple[str, Interval]]:
        found: dict[str, Interval] = {}
        for condition in self.conditions:
            interval = condition.judge(trial.rows)[1]
            if interval is not None:
                found[condition.measure.label] = interval
        if self.measure is not None:
            values = [row.values[self.measure.label] for row in trial.rows]
            interval = t_interval(values)
            if interval is not None:
                found[self.measure.label] = interval
        return list(found.items())


def _order(value: str) -> tuple[int, float, str]:
    number = value.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ%/µ ")
    try:
        return 0, float(number), value
    except ValueError:
        return 1, 0.0, value


def _json(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
