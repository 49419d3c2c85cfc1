"""Replications until a figure is known well enough.

There are ``min`` of them at first, and five more at a time until the interval is narrow enough or
there are ``max``. The steps do not depend on who works on them, so that neither does the result.
Several scenarios that are paired replication by replication need the same number: for them
:func:`with_fixed_replications` finds out how many the first of them takes.
"""

from collections.abc import Callable, Iterator
from typing import Final

from apisim.results.collect import Collector
from apisim.results.metrics import Measure
from apisim.results.statistics import is_precise
from apisim.results.wording import share_text
from apisim.scenario import Scenario

__all__ = ["STEP", "batches", "is_enough", "note_on_until", "with_fixed_replications"]

#: Replications between two looks at the interval.
STEP: Final = 5


def batches(scenario: Scenario) -> Iterator[range]:
    """Numbers of the replications between two looks at the interval."""
    most = scenario.replications
    first = most if scenario.until is None else min(scenario.until.min, most)
    yield range(first)
    while first < most:
        yield range(first, first := min(first + STEP, most))


def is_enough(collector: Collector) -> bool:
    """Whether what was asked for is known; that many replications are then the whole run."""
    until = collector.program.scenario.until
    if until is None:
        return False
    interval = collector.interval_of(Measure.of(until.until.metric))
    if interval is None or not interval.is_conclusive or interval.events == 0:
        return False
    if not is_precise(interval, until.until.half_width):
        return False
    collector.planned = len(collector.summaries)
    return True


def note_on_until(collector: Collector) -> list[str]:
    """What was reached, or that it was not."""
    until = collector.program.scenario.until
    if until is None or not collector.summaries:
        return []
    wanted = Measure.of(until.until.metric)
    asked = f"{100 * until.until.half_width:g}%"
    interval = collector.interval_of(wanted)
    n = len(collector.summaries)
    if interval is None or interval.events is not None or not interval.mean:
        known = f"{wanted.label} has no interval to go by"
    else:
        relative = share_text(interval.half_width / abs(interval.mean))
        known = f"{wanted.label} is known to ±{relative} of its estimate"
    if n == collector.planned and is_enough(collector):
        return [f"{n} replications: {known}, a relative error of at most {asked}"]
    if n < collector.planned:
        return []  # interrupted, and said so
    return [
        f"{n} replications are the most allowed (max): {known}, not to a relative error of {asked}"
    ]


def with_fixed_replications(
    scenario: Scenario, *, progress: Callable[[str], None] | None = None
) -> Scenario:
    """The scenario with as many replications as its ``until`` takes; itself without one.

    Parameters
    ----------
    scenario : Scenario
    progress : callable, optional
        Told what was found, in words.

    Raises
    ------
    ScenarioError, PricingError
        As :func:`apisim.studies.run.run`.
    """
    if scenario.until is None:
        return scenario
    from apisim.studies.run import run

    result = run(scenario)
    if progress is not None:
        progress(f"{result.run_info.replications} replications for all")
    return scenario.with_(replications=result.run_info.replications)
