"""The chapter's tips and pitfalls as advice with evidence: ``apisim advise``.

Every candidate is simulated beside the scenario as it is, under common random numbers. What is for
the better beyond chance, and by enough, is advice; the best is told first, after it was simulated
once more on replications that took no part in choosing it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from apisim.results.metrics import Measure
from apisim.results.statistics import holm, p_value
from apisim.scenario import Scenario
from apisim.scenario.lints import lint
from apisim.studies.advice.advised import WORDS, Advice, Advised
from apisim.studies.advice.candidates import Candidate, candidates_of
from apisim.studies.advice.choosing import options_of
from apisim.studies.advice.judging import ALPHA, Effect
from apisim.studies.executors import Where
from apisim.studies.many import Steps, simulate_points
from apisim.studies.paired import Difference, differences_of
from apisim.studies.points import Row, Task
from apisim.studies.preparation import Options
from apisim.studies.trials import FRESH

__all__ = ["advise"]

#: Replications where neither the scenario nor the caller says so.
REPLICATIONS: Final = 10

#: Least difference in a share, and in parts of the scenario's own dollars and 99th percentile.
_LEAST_SHARE: Final = 0.001
_LEAST_SAVING: Final = 0.01
_LEAST_LATENCY: Final = 0.05
_WRONG: Final = Measure("wrong_answers", "rate")


def advise(
    scenario: Scenario | str | Path,
    *,
    choose: Sequence[str] = (),
    candidates: Mapping[str, Scenario | Sequence[str]] | None = None,
    least_saving: float | None = None,
    overrides: Sequence[str] = (),
    profile: str | None = None,
    seed: int | None = None,
    replications: int | None = None,
    duration: str | int | None = None,
    engine: Literal["auto", "compiled", "simpy"] = "auto",
    executor: Where = None,
    progress: Callable[[Steps], None] | None = None,
) -> Advised:
    """Say what is worth changing about a scenario.

    Parameters
    ----------
    scenario : Scenario, str or pathlib.Path
        A scenario, or the file of one.
    choose : sequence of str
        Choices all of whose options are candidates: ``type``, ``integration``, ``auth``.
    candidates : mapping of str to Scenario or sequence of str, optional
        Changes to try in place of those the scenario suggests: overrides, or whole scenarios.
    least_saving : float, optional
        Dollars below which nobody would change anything; 1 % of the scenario's own by default.
    overrides, profile, seed, replications, duration, engine, executor
        As :func:`apisim.sweep`; 10 replications where the scenario has fewer than two.
    progress : callable, optional
        Told :class:`Steps` whenever a candidate is done.

    Returns
    -------
    Advised

    Raises
    ------
    ScenarioError
        If the scenario, a choice or a candidate of the caller's is wrong.
    """
    options = Options(
        overrides=overrides,
        profile=profile,
        seed=seed,
        replications=replications,
        duration=duration,
    )
    base = options.apply(scenario)
    if base.replications < 2:
        base = base.with_(replications=REPLICATIONS)
    asked = options_of(base, choose)
    tried = _tried(base, candidates, options)
    known = {candidate.overrides for candidate, _ in tried}
    for option in asked:
        one = option.candidate
        if option.is_feasible and not option.is_current and one.overrides not in known:
            tried.append((one, base.with_(*one.overrides)))
    rows = _simulated([base, *(other for _, other in tried)], 0, engine, executor, progress)
    ranked = _ranked(_judged([one for one, _ in tried], rows, base, least_saving))
    advised = [one for one in ranked if one.is_advised]
    if advised:
        by_name = {candidate.name: other for candidate, other in tried}
        others = [by_name[one.candidate.name] for one in advised]
        fresh = _simulated([base, *others], FRESH, engine, executor, None)
        ranked = [
            *(_confirmed(one, fresh[0], fresh[at]) for at, one in enumerate(advised, 1)),
            *(one for one in ranked if not one.is_advised),
        ]
    return Advised(
        scenario=base,
        base=tuple(rows[0]),
        advice=tuple(ranked),
        lints=tuple(lint(base)),
        options=tuple(asked),
    )


def _tried(
    base: Scenario, given: Mapping[str, Scenario | Sequence[str]] | None, options: Options
) -> list[tuple[Candidate, Scenario]]:
    if given is None:
        return candidates_of(base)
    common = {"seed": base.seed, "replications": base.replications}
    return [
        (Candidate(name=name, overrides=()), options.apply(change).with_(**common))
        if isinstance(change, Scenario)
        else (Candidate(name=name, overrides=tuple(change)), base.with_(*change))
        for name, change in given.items()
    ]


def _simulated(
    scenarios: Sequence[Scenario],
    first: int,
    engine: Literal["auto", "compiled", "simpy"],
    executor: Where,
    progress: Callable[[Steps], None] | None,
) -> list[Sequence[Row]]:
    nothing: Mapping[str, str] = {}
    tasks = {
        at: (nothing, Task.of(one, engine=engine, measures=(_WRONG,), first=first))
        for at, one in enumerate(scenarios)
    }
    found: dict[int, Sequence[Row]] = {}
    for at, outcome in simulate_points(tasks, executor, None, progress):
        if isinstance(outcome, Exception):
            raise outcome
        found[at] = outcome
    return [found[at] for at in range(len(scenarios))]


def _judged(
    candidates: Sequence[Candidate],
    rows: Sequence[Sequence[Row]],
    base: Scenario,
    least_saving: float | None,
) -> list[Advice]:
    measures = [
        name
        for name in WORDS
        if name != ("cost_run value" if base.pricing.month == "project" else "cost_month value")
    ]
    differences: list[dict[str, Difference]] = []
    for other in rows[1:]:
        known = {one.measure: one for one in differences_of(rows[0], other)}
        differences.append(
            {
                name: known[name]
                for name in measures
                if name in known and known[name].interval is not None
            }
        )
    tests = [(at, name) for at, of in enumerate(differences) for name in of]
    ps = [p_value(differences[at][name].differences) for at, name in tests]
    adjusted = dict(zip(tests, zip(ps, holm(ps), strict=True), strict=True))
    return [
        Advice(
            candidate=candidate,
            effects={
                name: Effect(
                    difference=one,
                    p=adjusted[at, name][0],
                    adjusted=adjusted[at, name][1],
                    least=_least(name, one.base, least_saving),
                )
                for name, one in differences[at].items()
            },
            rows=tuple(rows[at + 1]),
        )
        for at, candidate in enumerate(candidates)
    ]


def _least(measure: str, base: float, least_saving: float | None) -> float:
    """Difference below which a change is not worth the work."""
    if measure.startswith("cost_"):
        return _LEAST_SAVING * base if least_saving is None else least_saving
    if measure.startswith("latency"):
        return _LEAST_LATENCY * base
    return _LEAST_SHARE


def _ranked(advice: Sequence[Advice]) -> list[Advice]:
    """Those that are worth it first: by what matters most, then by how much of it."""
    order = list(WORDS)

    def place(one: Advice) -> tuple[float, ...]:
        if not one.is_advised:
            return (len(order) + 1, 0.0, 0.0)
        later = [one.effects[name].difference.mean for name in one.effects]
        return (order.index(one.decides), one.effects[one.decides].difference.mean, *later[-2:])

    ranked = sorted(advice, key=place)
    found: list[Advice] = []
    for one in ranked:
        before = found[-1] if found else None
        is_tied = (
            before is not None
            and one.is_advised
            and before.decides == one.decides
            and _cannot_be_told(before, one)
        )
        found.append(replace(one, is_tied=is_tied))
    return found


def _cannot_be_told(one: Advice, other: Advice) -> bool:
    return p_value(_pairs(one.decides, one.rows, other.rows)) >= ALPHA


def _confirmed(one: Advice, base: Sequence[Row], other: Sequence[Row]) -> Advice:
    """Whether the measure that decides is for the better on fresh replications, too."""
    pairs = _pairs(one.decides, base, other)
    return replace(one, is_confirmed=math.fsum(pairs) < 0 and p_value(pairs) < ALPHA)


def _pairs(measure: str, base: Sequence[Row], other: Sequence[Row]) -> list[float]:
    return [two.values[measure] - one.values[measure] for one, two in zip(base, other, strict=True)]
