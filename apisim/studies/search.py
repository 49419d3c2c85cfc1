"""The smallest, largest or cheapest setting that meets conditions: ``apisim search``.

One path whose own value is the objective is bisected: the answer is a bracket. Any other objective
is a measure (``cost_month``): all values of a grid are tried, then finer ones around the best. What
wins is confirmed on replications that took no part in choosing it; what cannot be told from the
winner is named as a tie.
"""

import contextlib
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Final, Literal

from apisim.results.metrics import Measure
from apisim.scenario import Scenario
from apisim.scenario.problems import Problem, ScenarioError
from apisim.scenario.thresholds import METRICS, parse_condition
from apisim.scenario.units import UnitError
from apisim.studies.bisect import bisect, is_monotone
from apisim.studies.conditions import Verdict, parse_conditions
from apisim.studies.executors import Where
from apisim.studies.found import Found
from apisim.studies.over import Over, parse_over
from apisim.studies.paired import differences_of
from apisim.studies.preparation import Options
from apisim.studies.trials import Trial, Trials

__all__ = ["search"]

#: Replications of a setting where neither the scenario nor the caller says so.
REPLICATIONS: Final = 10
#: Values of a range that a grid begins with, and how often it is refined.
_VALUES: Final = 5
_ROUNDS: Final = 3
_MOST_SETTINGS: Final = 10_000


def search(
    scenario: Scenario | str | Path,
    over: Sequence[str],
    *,
    subject_to: Sequence[str],
    minimize: str | None = None,
    maximize: str | None = None,
    delta: str | None = None,
    most_replications: int = 80,
    overrides: Sequence[str] = (),
    profile: str | None = None,
    seed: int | None = None,
    replications: int | None = None,
    duration: str | int | None = None,
    engine: Literal["auto", "compiled", "simpy"] = "auto",
    executor: Where = None,
    progress: Callable[[str], None] | None = None,
) -> Found:
    """Find a setting.

    Parameters
    ----------
    scenario : Scenario, str or pathlib.Path
        A scenario, or the file of one.
    over : sequence of str
        What may be set, as ``--over`` takes it: ``path=low..high``, or values.
    subject_to : sequence of str
        What must hold: ``"latency p(99)<300ms"``.
    minimize, maximize : str, optional
        One of them: the path of ``over`` (bisection), or a measure such as ``cost_month`` or
        ``latency p(99)``.
    delta : str, optional
        How near the ends of a bracket shall be, in the path's unit: 1 for whole numbers, a
        hundredth of the range for others.
    most_replications : int
        A setting that is unclear is simulated up to so often.
    overrides, profile, seed, replications, duration, engine, executor
        As :func:`apisim.sweep`. The first settings have the scenario's replications, 10 if it has
        one.
    progress : callable, optional
        Told each setting that was tried, in words.

    Returns
    -------
    Found

    Raises
    ------
    ScenarioError
        If the question cannot be read, or a setting is refused.
    ValueError
        If there is not exactly one objective.
    """
    if (minimize is None) == (maximize is None):
        raise ValueError("say one objective: minimize or maximize")
    options = Options(
        overrides=overrides, profile=profile, seed=seed, replications=replications,
        duration=duration,
    )  # fmt: skip
    base = options.apply(scenario)
    if base.replications < 2:
        base = base.with_(replications=REPLICATIONS)
    varied, conditions = [parse_over(text) for text in over], parse_conditions(subject_to)
    objective = minimize if maximize is None else maximize
    assert objective is not None
    if any(one.path == objective for one in varied):
        if len(varied) > 1:
            raise _refused(objective, "is bisected alone", "vary nothing else, or name a measure")
        if not conditions:
            raise _refused(objective, "has no end without a condition", "write --subject-to")
        trials = Trials(base, conditions, (), engine, executor, progress)
        return _bisected(trials, varied[0], maximize is not None, delta, most_replications)
    measure = _measure(objective)
    trials = Trials(base, conditions, (measure,), engine, executor, progress)
    sign = 1 if maximize is None else -1
    return _refined(trials, varied, measure, sign, most_replications)


def _bisected(trials: Trials, over: Over, wants_most: bool, delta: str | None, most: int) -> Found:
    numbers = _numbers(over)
    low, high, unit = numbers[0], numbers[-1], over.unit if over.is_range else _unit(over)
    near = _delta(over, low, high, delta)

    def settings(value: Decimal) -> dict[str, str]:
        return {over.path: f"{value.normalize():f}{unit}"}

    def judge(value: Decimal) -> Verdict:
        return _surely(trials, settings(value), most).verdict

    def between(one: Decimal, other: Decimal) -> Decimal | None:
        if not over.is_range:
            first, last = sorted((numbers.index(one), numbers.index(other)))
            return None if last - first <= 1 else numbers[(first + last) // 2]
        if abs(other - one) <= near:
            return None
        middle = (one + other) / 2
        if not over.is_whole:
            return middle
        whole = Decimal(int(middle))
        return None if whole in (one, other) else whole

    bad, good = (high, low) if wants_most else (low, high)
    bracket = bisect(judge, bad, good, between)
    tried = trials.tried
    answer = None
    if bracket.feasible is not None:
        answer = trials.at(settings(bracket.feasible))
    pairs = [(_value(one.settings[0][1], unit), one.verdict) for one in tried]
    return Found(
        scenario=trials.base,
        objective=over.path,
        wants_most=wants_most,
        conditions=tuple(trials.conditions),
        tried=tuple(tried),
        answer=answer,
        infeasible=None if bracket.infeasible is None else trials.at(settings(bracket.infeasible)),
        confirmed=None if answer is None else trials.confirm(answer),
        delta=f"{near.normalize():f}{unit}" if over.is_range else "one value",
        is_monotone=is_monotone(pairs, upwards=not wants_most),
    )


def _surely(trials: Trials, settings: dict[str, str], most: int) -> Trial:
    """A setting, simulated until it is clear or was simulated often enough."""
    trial = trials.at(settings)
    while trial.verdict is Verdict.UNCLEAR and len(trial.rows) < most:
        trial = trials.at(settings, min(2 * len(trial.rows), most))
    return trial


def _refined(trials: Trials, over: Sequence[Over], measure: Measure, sign: int, most: int) -> Found:
    grids = [_first_values(one) for one in over]
    best: Trial | None = None
    for round_ in range(_ROUNDS + 1):
        if math.prod(map(len, grids)) > _MOST_SETTINGS:
            raise _refused(over[0].path, "has too many values", f"at most {_MOST_SETTINGS:,}")
        names = [one.path for one in over]
        wanted = [dict(zip(names, values, strict=True)) for values in product(*grids)]
        for trial in trials.all(wanted):
            if trial.verdict is Verdict.UNCLEAR and (
                best is None or sign * _mean(trial, measure) < sign * _mean(best, measure)
            ):
                trial = _surely(trials, dict(trial.settings), most)
            if trial.verdict is Verdict.FEASIBLE and (
                best is None or sign * _mean(trial, measure) < sign * _mean(best, measure)
            ):
                best = trial
        if best is None or not any(one.is_range for one in over):
            break
        chosen = dict(best.settings)
        grids = [_around(one, chosen[one.path], round_ + 1) for one in over]
    confirmed = None if best is None else trials.confirm(best)
    return Found(
        scenario=trials.base,
        objective=measure.label,
        wants_most=sign < 0,
        conditions=tuple(trials.conditions),
        tried=tuple(trials.tried),
        answer=best,
        confirmed=confirmed,
        measure=measure,
        ties=() if best is None else _ties(trials, best, measure),
    )


def _ties(trials: Trials, best: Trial, measure: Measure) -> tuple[Trial, ...]:
    """Feasible settings whose paired difference to the best is not shown."""
    ties = []
    for trial in trials.tried:
        if trial.verdict is not Verdict.FEASIBLE or trial.settings == best.settings:
            continue
        n = min(len(trial.rows), len(best.rows))
        pairs = differences_of(best.rows[:n], trial.rows[:n])
        difference = next(one for one in pairs if one.measure == measure.label)
        if not difference.is_shown:
            ties.append(trial)
    return tuple(ties)


def _mean(trial: Trial, measure: Measure) -> float:
    values = [row.values[measure.label] for row in trial.rows]
    return math.fsum(values) / len(values)


def _first_values(over: Over) -> list[str]:
    if not over.is_range:
        return list(over.values)
    return list(dict.fromkeys(_at(over, Decimal(at) / (_VALUES - 1)) for at in range(_VALUES)))


def _around(over: Over, value: str, round_: int) -> list[str]:
    """The value and its neighbours, half as far away as in the round before."""
    if not over.is_range:
        return list(over.values)
    width = over.high - over.low
    here = (_value(value, over.unit) - over.low) / width
    step = Decimal(1) / (_VALUES - 1) / 2**round_
    shares = [min(max(here + at * step, Decimal(0)), Decimal(1)) for at in (-1, 0, 1)]
    return list(dict.fromkeys([value, *(_at(over, share) for share in shares)]))


def _at(over: Over, share: Decimal) -> str:
    value = over.low + share * (over.high - over.low)
    if over.is_whole:
        value = Decimal(round(value))
    return f"{value.normalize():f}{over.unit}"


def _numbers(over: Over) -> list[Decimal]:
    """Ends of a range, or all values in order."""
    if over.is_range:
        return [over.low, over.high]
    unit = _unit(over)
    numbers = sorted(_value(value, unit) for value in over.values)
    if len(numbers) < 2:
        raise _refused(over.path, "has one value", "write path=low..high")
    return numbers


def _unit(over: Over) -> str:
    unit = over.values[0].lstrip("-+.0123456789_")
    if any(value.lstrip("-+.0123456789_") != unit for value in over.values):
        raise _refused(over.path, "has values that are no numbers of one unit", "name a measure")
    return unit


def _value(text: str, unit: str) -> Decimal:
    return Decimal(text.removesuffix(unit) if unit else text)


def _delta(over: Over, low: Decimal, high: Decimal, written: str | None) -> Decimal:
    if written is None:
        return Decimal(1) if over.is_whole else (high - low) / 100
    number = written.removesuffix(over.unit) if over.unit else written
    try:
        value = Decimal(number)
    except ArithmeticError:
        value = Decimal(0)
    if not value.is_finite() or value <= 0:
        problem = Problem("--delta", 1, 1, "", f"must be above 0, got {written}", "write e.g. 5")
        raise ScenarioError([problem])
    return value


def _measure(text: str) -> Measure:
    """An objective that is no path."""
    metric, _, statistic = text.strip().partition(" ")
    name = metric.partition("{")[0]
    if name in METRICS and not statistic and "value" in METRICS[name]:
        return Measure(name, "value")
    if name in METRICS and statistic:
        with contextlib.suppress(UnitError, KeyError):
            limit = _ANY[METRICS[name]["p" if statistic.startswith("p(") else statistic]]
            return Measure.of(parse_condition(f"{metric} {statistic}<{limit}"))
    hint = 'write a path of --over, cost_run, cost_month, or e.g. "latency p(99)"'
    raise _refused(text, "is neither a path that is varied nor a measure", hint)


#: Some limit in each unit: only what stands before it counts.
_ANY: Final = {
    "ns": "1s", "share": "1%", "count": "1", "per_second": "1/s", "bytes": "1KB", "money": "1",
}  # fmt: skip


def _refused(what: str, message: str, hint: str) -> ScenarioError:
    return ScenarioError([Problem("--over", 1, 1, what, message, hint)])
