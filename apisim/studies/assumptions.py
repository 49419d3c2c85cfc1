"""Which assumptions matter for a verdict: each is replaced by what it might as well be.

One at a time, under common random numbers, so that what changes is due to it. What turns a
threshold's verdict stands first, then whatever moves one of its figures most.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from apisim.results.metrics import Measure
from apisim.results.section import FAILED, Section
from apisim.scenario import Scenario, ScenarioError
from apisim.studies.assuming import Assumption, assumptions_of
from apisim.studies.compare import Comparison, compare
from apisim.studies.executors import Where
from apisim.studies.frames import study_frame
from apisim.studies.many import Steps
from apisim.studies.paired import Difference
from apisim.studies.preparation import Options
from apisim.studies.shown import Sheet, Shown
from apisim.studies.wording import measure_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Assumptions", "Effect", "assumptions"]

#: Looked at where a scenario has no thresholds.
_MEASURES: Final = ("latency p(99)", "throttled rate", "failed rate", "cost_run value")
#: Replications of each alternative: the differences are paired.
_REPLICATIONS: Final = 3
#: Below this part of a figure a change is not worth a line.
_LEAST: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one other value of an assumption does to one figure.

    Attributes
    ----------
    assumption : Assumption
    alternative : str
        The other value.
    measure : str
        Label of the figure.
    base, value : float
        As assumed and otherwise, mean of the replications, in the shown unit.
    change : float
        Part of ``base`` by which it changes; the change itself where that is 0.
    flips : tuple of str
        Conditions of thresholds on it whose verdict is another one then.
    """

    assumption: Assumption
    alternative: str
    measure: str
    base: float
    value: float
    change: float
    flips: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Assumptions(Shown):
    """Assumptions of a scenario by what depends on them.

    Attributes
    ----------
    scenario : Scenario
    effects : tuple of Effect
        The largest of each assumption and measure, most important first.
    tried : int
        Other values that were simulated.
    without_effect : tuple of str
        Assumptions that change none of the figures by 1 % or more.
    limit : int
        Assumptions that are shown.
    """

    scenario: Scenario
    effects: tuple[Effect, ...]
    tried: int
    without_effect: tuple[str, ...]
    limit: int

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row for each effect, most important first."""
        return [
            {
                "assumption": one.assumption.name,
                "is_input": one.assumption.is_ours,
                "assumed": one.assumption.value,
                "alternative": one.alternative,
                "measure": one.measure,
                "base": one.base,
                "value": one.value,
                "change": one.change,
                "flips": ", ".join(one.flips),
            }
            for one in self.effects
        ]

    def frame(self) -> "pd.DataFrame":
        """A tidy frame: one row for each assumption, other value and figure that it changes."""
        return study_frame("assumptions", self.rows)

    @property
    def flipping(self) -> tuple[str, ...]:
        """Assumptions with a value that would turn a verdict."""
        return tuple(dict.fromkeys(one.assumption.name for one in self.effects if one.flips))

    def section(self) -> Section | None:
        """The table of the most important ones; None where nothing depends on any."""
        names = list(dict.fromkeys(one.assumption.name for one in self.effects))[: self.limit]
        chosen = [one for one in self.effects if one.assumption.name in names]
        rows, marks = [], {}
        for at, one in enumerate(chosen):
            if one.flips:
                marks[at] = FAILED
            rows.append(
                (
                    one.assumption.name,
                    one.alternative,
                    one.measure,
                    measure_text(one.measure, one.base),
                    measure_text(one.measure, one.value),
                    "turns: " + ", ".join(one.flips) if one.flips else "",
                )
            )
        if not rows:
            return None
        left = len({one.assumption.name for one in self.effects}) - len(names)
        remarks = [f"{self.tried} other values were simulated, one at a time"]
        if left:
            remarks.append(f"{left} more assumptions change a figure by 1 % or more")
        if self.without_effect:
            remarks.append(f"{len(self.without_effect)} assumptions change none of them so much")
        return Section(
            title="Assumptions that matter",
            columns=("Assumption", "If it were", "Figure", ">Now", ">Then", "Verdict"),
            rows=tuple(rows),
            marks=marks,
            remarks=tuple(remarks),
        )

    def sheet(self) -> Sheet:
        """What the verdict rests on."""
        name = self.scenario.name or self.scenario.source.file
        if self.flipping:
            words = f"the verdict rests on: {', '.join(self.flipping)}"
        else:
            words = "no other value of any single assumption turns a verdict"
        table = self.section()
        return Sheet(
            head=[f"Assumptions of {name}", words], sections=() if table is None else (table,)
        )


def assumptions(
    scenario: Scenario | str | Path,
    *,
    overrides: Sequence[str] = (),
    profile: str | None = None,
    seed: int | None = None,
    replications: int | None = None,
    duration: str | int | None = None,
    limit: int = 8,
    engine: Literal["auto", "compiled", "simpy"] = "auto",
    executor: Where = None,
    progress: Callable[[Steps], None] | None = None,
) -> Assumptions:
    """Find the assumptions that the figures of a scenario depend on.

    Parameters
    ----------
    scenario, overrides, profile, seed, duration, engine
        As :func:`apisim.run`.
    replications : int, optional
        Of each alternative, at least 2; 3 by default.
    limit : int
        Assumptions that the table shows.
    executor, progress
        As :func:`apisim.compare`.

    Returns
    -------
    Assumptions

    Raises
    ------
    ScenarioError, PricingError, ValueError
        As :func:`apisim.compare`.
    """
    options = Options(overrides=overrides, profile=profile, seed=seed, duration=duration)
    base = options.apply(scenario)
    found = assumptions_of(base)
    variants = {
        f"{one.name}={value}": texts
        for one in found
        for value, texts in zip(one.alternatives, one.overrides, strict=True)
        if _is_possible(base, texts)
    }
    compared = compare(
        base,
        variants=variants,
        replications=replications or _REPLICATIONS,
        engine=engine,
        executor=executor,
        progress=progress,
    )
    effects = sorted(_effects(base, found, compared), key=_importance)
    touched = {one.assumption.name for one in effects}
    return Assumptions(
        scenario=base,
        effects=tuple(effects),
        tried=len(variants),
        without_effect=tuple(one.name for one in found if one.name not in touched),
        limit=limit,
    )


def _is_possible(scenario: Scenario, overrides: Sequence[str]) -> bool:
    try:
        return scenario.with_(*overrides) != scenario
    except ScenarioError:
        return False


def _effects(
    scenario: Scenario, found: Sequence[Assumption], compared: Comparison
) -> Iterator[Effect]:
    wanted = [Measure.of(one).label for one in scenario.thresholds] or list(_MEASURES)
    by_name = {variant.name: variant for variant in compared.variants}
    for assumption in found:
        for alternative in assumption.alternatives:
            variant = by_name.get(f"{assumption.name}={alternative}")
            for one in () if variant is None else variant.differences:
                if one.measure not in wanted or one.is_equal:
                    continue
                change = _change(one)
                flips = tuple(_flips(scenario, one))
                if abs(change) >= _LEAST or flips:
                    yield Effect(
                        assumption=assumption,
                        alternative=alternative,
                        measure=one.measure,
                        base=one.base,
                        value=one.value,
                        change=change,
                        flips=flips,
                    )


def _change(one: Difference) -> float:
    if math.isnan(one.base) or math.isnan(one.value):
        return 0.0
    return (one.value - one.base) / abs(one.base) if one.base else one.value


def _flips(scenario: Scenario, one: Difference) -> Iterator[str]:
    for threshold in scenario.thresholds:
        measure = Measure.of(threshold)
        if measure.label == one.measure:
            per_unit = measure.shown_unit[1]
            if threshold.holds(one.base * per_unit) != threshold.holds(one.value * per_unit):
                yield threshold.expression


def _importance(one: Effect) -> tuple[bool, float]:
    return (not one.flips, -abs(one.change))
