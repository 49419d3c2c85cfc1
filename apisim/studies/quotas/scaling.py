"""More of the same traffic: a scenario with each source multiplied.

Rates and counts are multiplied, closed users and the population of sessions too; a log is replayed
so much faster, which makes it shorter. What belongs to a customer stays: there are as many
customers, keys and tokens, and each of them calls more often. The rest of the account
(``account.background``) and what is pushed stay as they are. The draws are the same (common random
numbers), so that two multiples differ only by the traffic.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any, Final

from apisim.scenario import Scenario
from apisim.scenario.phases import MAX_USERS, ClosedPhase, CountsPhase, OpenPhase
from apisim.scenario.sessions import MAX_POPULATION
from apisim.scenario.traffic import Source
from apisim.scenario.units import MAX_DECIMALS

__all__ = ["largest_multiple", "scaled"]

#: Highest rate a phase takes [1/s].
_MAX_RATE: Final = 10_000_000
_MAX_SPEED: Final = 1_000_000
_STEP: Final = Decimal(1).scaleb(-MAX_DECIMALS)


def scaled(scenario: Scenario, multiple: Fraction) -> Scenario:
    """The scenario with so many times its traffic.

    Parameters
    ----------
    scenario : Scenario
    multiple : Fraction
        Above 0; 1 gives the scenario itself.

    Raises
    ------
    ScenarioError
        If a rate or a number of users would be larger than a scenario takes.

    Examples
    --------
    >>> from apisim.scenario import loads
    >>> text = '''
    ... apisim: 1
    ... apis: {a: {type: rest, routes: {GET /: {integration: {type: mock}}}}}
    ... traffic: {web: {phases: [{duration: 1m, rate: 40}], mix: {GET /: 1}}}
    ... '''
    >>> scaled(loads(text), Fraction(5, 2)).traffic["web"].phases[0].rate
    Fraction(100, 1)
    """
    if multiple == 1:
        return scenario
    values: dict[str, Any] = {}
    for name, source in scenario.traffic.items():
        values |= _of_source(f"traffic.{name}", source, multiple)
    return scenario.with_(**values)


def _of_source(at: str, source: Source, multiple: Fraction) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if source.trace is not None:
        values[f"{at}.trace.speed"] = _decimal(source.trace.speed * multiple)
        return values
    if source.sessions is not None and source.sessions.population is not None:
        # Its phases are made of the population.
        values[f"{at}.sessions.population"] = _whole(source.sessions.population, multiple)
        return values
    for index, phase in enumerate(source.phases):
        place = f"{at}.phases.{index}"
        if isinstance(phase, OpenPhase):
            values[f"{place}.rate"] = _decimal(phase.rate * multiple)
            if phase.ramp_to is not None:
                values[f"{place}.ramp_to"] = _decimal(phase.ramp_to * multiple)
        elif isinstance(phase, ClosedPhase):
            values[f"{place}.users"] = _whole(phase.users, multiple)
            if phase.ramp_to is not None:
                values[f"{place}.ramp_to"] = _whole(phase.ramp_to, multiple)
        elif isinstance(phase, CountsPhase):
            if phase.counts_from is not None:
                values[f"{place}.counts_from"] = None
            values[f"{place}.counts"] = _counts(phase.counts, multiple)
    return values


def _decimal(rate: Fraction) -> Decimal:
    """As many places as a scenario takes."""
    exact = Decimal(rate.numerator) / Decimal(rate.denominator)
    return exact.quantize(_STEP, ROUND_HALF_EVEN).normalize()


def _whole(count: int, multiple: Fraction) -> int:
    return max(round(count * multiple), 1) if count else 0


def _counts(counts: tuple[int, ...], multiple: Fraction) -> list[int]:
    """Whole counts whose sums are right at every period, not only on average."""
    found, before, total = [], 0, 0
    for count in counts:
        total += count
        now = int(total * multiple)
        found.append(now - before)
        before = now
    return found


def largest_multiple(scenario: Scenario) -> Fraction:
    """Largest multiple of the traffic that can be written in a scenario."""
    bounds = [Fraction(_MAX_SPEED)]
    for source in scenario.traffic.values():
        if source.trace is not None:
            bounds.append(Fraction(_MAX_SPEED) / source.trace.speed)
        if source.sessions is not None and source.sessions.population is not None:
            bounds.append(Fraction(MAX_POPULATION, source.sessions.population))
            continue
        for phase in source.phases:
            if isinstance(phase, OpenPhase) and (most := max(phase.rate, phase.ramp_to or 0)):
                bounds.append(_MAX_RATE / Fraction(most))
            elif isinstance(phase, ClosedPhase) and (users := max(phase.users, phase.ramp_to or 0)):
                bounds.append(Fraction(MAX_USERS, users))
    return min(bounds)
