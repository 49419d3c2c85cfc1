"""What advice comes to: every candidate with its evidence, and those that are worth it, ranked."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from apisim.results.section import Section
from apisim.scenario import Scenario
from apisim.scenario.lints import Lint
from apisim.studies.advice.candidates import Candidate
from apisim.studies.advice.choosing import Option
from apisim.studies.advice.judging import Effect
from apisim.studies.frames import study_frame
from apisim.studies.points import Row
from apisim.studies.shown import Sheet, Shown
from apisim.studies.wording import difference_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["WORDS", "Advice", "Advised"]

#: What is judged, in the order in which it matters.
WORDS: Final = {
    "wrong_answers rate": "wrong answers",
    "failed rate": "failed",
    "cost_month value": "USD a month",
    "cost_run value": "USD a run",
    "latency p(99)": "p99",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One candidate with its evidence.

    Attributes
    ----------
    candidate : Candidate
    effects : dict of str to Effect
        By measure, in the order in which they matter; only what was measured.
    rows : tuple of Row
        Its replications.
    is_confirmed : bool or None
        Whether fresh replications say so, too; None of what is not advised.
    is_tied : bool
        Whether it cannot be told from the one before it.
    """

    candidate: Candidate
    effects: dict[str, Effect]
    rows: tuple[Row, ...]
    is_confirmed: bool | None = None
    is_tied: bool = False

    @property
    def decides(self) -> str:
        """Measure that decides about it: the first that it changes; "" if it changes none."""
        for measure, effect in self.effects.items():
            if effect.is_better or effect.is_worse:
                return measure
        return ""

    @property
    def is_advised(self) -> bool:
        """Whether it is for the better."""
        return bool(self.decides) and self.effects[self.decides].is_better

    @property
    def verdict(self) -> str:
        """``worth it``, ``at a price`` (something else gets worse), ``worse`` or ``no effect``."""
        if not self.decides:
            return "no effect"
        if not self.is_advised:
            return "worse"
        return "at a price" if any(e.is_worse for e in self.effects.values()) else "worth it"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Advised(Shown):
    """All advice on a scenario.

    Attributes
    ----------
    scenario : Scenario
    base : tuple of Row
        Replications of the scenario as it is.
    advice : tuple of Advice
        Those that are worth it first, the best before the others.
    lints : tuple of Lint
        What needs no simulation.
    options : tuple of Option
        Of the choices that were asked about.
    """

    scenario: Scenario
    base: tuple[Row, ...]
    advice: tuple[Advice, ...]
    lints: tuple[Lint, ...] = ()
    options: tuple[Option, ...] = ()

    @property
    def worth_it(self) -> list[Advice]:
        """What is worth changing, the best first."""
        return [one for one in self.advice if one.is_advised]

    def table(self) -> list[dict[str, Any]]:
        """One row for each candidate and measure."""
        return [
            {
                "candidate": one.candidate.name,
                "measure": measure,
                "base": effect.difference.base,
                "value": effect.difference.value,
                "difference": effect.difference.mean,
                "low": math.nan
                if effect.difference.interval is None
                else effect.difference.interval.low,
                "high": math.nan
                if effect.difference.interval is None
                else effect.difference.interval.high,
                "p": effect.p,
                "p_holm": effect.adjusted,
                "verdict": one.verdict,
            }
            for one in self.advice
            for measure, effect in one.effects.items()
        ]

    def frame(self) -> "pd.DataFrame":
        """A tidy frame: one row for each candidate and measure."""
        return study_frame("advise", self.table())

    def plot(self, measure: str | None = None, ax: "Axes | None" = None) -> "Axes":
        """Draw what each change does to a measure, dollars by default: ``apisim.plot_advice``."""
        from apisim import plot_advice

        return plot_advice(self, measure, ax=ax)

    def sheet(self) -> Sheet:
        """What is worth changing, then all that was tried, then what needs no simulation."""
        name = self.scenario.name or self.scenario.source.file
        head = [f"Advice on {name}"]
        n = len(self.advice)
        head.append(
            f"{n} candidate{'' if n == 1 else 's'}, {len(self.base)} replications each, seed "
            f"{self.scenario.seed}: common random numbers, Holm's correction over all"
        )
        if self.worth_it:
            head.append(f"worth it first: {self.worth_it[0].candidate.name}")
        else:
            head.append("nothing is worth changing")
        sections = [self._candidates()] if self.advice else []
        if self.options:
            sections.append(self._options())
        return Sheet(head=head, sections=sections, notes=[str(lint) for lint in self.lints])

    def to_dict(self) -> dict[str, Any]:
        """The advice as ``--json`` prints it."""
        return {
            "scenario": {"name": self.scenario.name, "file": self.scenario.source.file},
            "seed": self.scenario.seed,
            "replications": len(self.base),
            "advice": [
                {
                    "name": one.candidate.name,
                    "set": list(one.candidate.overrides),
                    "source": one.candidate.why,
                    "verdict": one.verdict,
                    "advised": one.is_advised,
                    "decided_by": one.decides or None,
                    "confirmed": one.is_confirmed,
                    "tied_with_previous": one.is_tied,
                    "effects": {
                        measure: {
                            "difference": effect.difference.mean,
                            "interval": None
                            if effect.difference.interval is None
                            else effect.difference.interval.to_dict(),
                            "p": effect.p,
                            "p_holm": effect.adjusted,
                        }
                        for measure, effect in one.effects.items()
                    },
                }
                for one in self.advice
            ],
            "options": [
                {
                    "choice": one.choice,
                    "of": one.of,
                    "option": one.option,
                    "current": one.is_current,
                    "feasible": one.is_feasible,
                    "blocked_by": one.key or None,
                    "message": one.message or None,
                }
                for one in self.options
            ],
            "lints": [
                {
                    "code": one.code, "file": one.file, "line": one.line, "column": one.column,
                    "path": one.path, "message": one.message, "hint": one.hint,
                    "source": one.source,
                }
                for one in self.lints
            ],
        }  # fmt: skip

    def _candidates(self) -> Section:
        rows: list[tuple[str, ...]] = []
        for one in self.advice:
            verdict = one.verdict
            if one.is_advised:
                verdict += ", confirmed" if one.is_confirmed else ", NOT confirmed"
                verdict += ", tied" if one.is_tied else ""
            lines = [_line(measure, effect) for measure, effect in one.effects.items()]
            lines = [line for line in lines if line] or [("nothing changes", "", "")]
            for at, line in enumerate(lines):
                rows.append((one.candidate.name, *line, verdict) if at == 0 else ("", *line, ""))
        remarks = [
            "* beyond chance, after Holm's correction over all candidates and measures",
            *(
                f"{one.candidate.name}: {one.candidate.why}"
                for one in self.worth_it
                if one.candidate.why
            ),
            *(
                f"--set '{override}'"
                for one in self.worth_it[:1]
                for override in one.candidate.overrides
            ),
        ]
        return Section(
            title="Candidates",
            columns=("Change", "Of", ">Difference", ">95% interval", "Verdict"),
            rows=tuple(rows),
            marks={},
            remarks=tuple(remarks),
        )

    def _options(self) -> Section:
        rows = []
        for one in self.options:
            state = "as it is" if one.is_current else "feasible" if one.is_feasible else "no"
            why = f"{one.key}: {one.message}" if one.key else one.message
            rows.append((one.choice, one.of, one.option, state, why))
        return Section(
            title="Options",
            columns=("Choice", "Of", "Option", "Feasible", "Blocked by"),
            rows=tuple(rows),
            marks={},
        )


def _line(measure: str, effect: Effect) -> tuple[str, ...]:
    """What a change does to a measure; empty where it does nothing to it."""
    difference = effect.difference
    if difference.interval is None or difference.is_equal:
        return ()
    ends = (difference.interval.low, difference.interval.high)
    low, high = (difference_text(measure, end) for end in ends)
    star = "*" if effect.is_significant else ""
    return WORDS[measure], f"{difference_text(measure, difference.mean)}{star}", f"{low} to {high}"
