"""How much of the beginning is left out: ``warm_up: auto``.

Five pilot replications are simulated and the latency of all their requests is averaged over time;
MSER-5 says where that settles. The truncation is never shorter than twice the longest time to live
of anything cached and twice the time after which idle functions go, because what expires that late
has not happened yet when the latency seems settled. One truncation is for all replications, and,
in a study, for all variants of a scenario.

A transient can only be told from the traffic where the traffic stays the same, so anything else is
refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.results.statistics import mser
from apisim.scenario import Scenario, ScenarioError
from apisim.scenario.formats import format_duration
from apisim.scenario.steady import unsteady

__all__ = ["WarmUp", "chosen_warm_up", "with_chosen_warm_up"]

#: Pilot replications: the same for any number of replications.
PILOTS: Final = 5
#: Observations of a run: as many as leave each this many requests on average, and one at least.
_GRIDS: Final = (1_000, 500, 200, 100, 50)
_REQUESTS_EACH: Final = 20
_MILLISECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """A truncation and how it was chosen.

    Attributes
    ----------
    warm_up_ns : int
        What is left out [ns]: the longer of the other two, to the millisecond.
    mser_ns : int
        What MSER-5 says [ns].
    least_ns : int
        Twice the longest time to live or idle time [ns].
    of : str
        Which key that is; "" where there is none.
    """

    warm_up_ns: int
    mser_ns: int
    least_ns: int
    of: str

    @property
    def note(self) -> str:
        """The choice in words."""
        said = f"MSER-5 of {PILOTS} pilot replications: {format_duration(self.mser_ns)}"
        if self.of:
            said += f"; twice {self.of}: {format_duration(self.least_ns)}"
        return f"warm_up: auto is {format_duration(self.warm_up_ns)} ({said}), for all replications"


def with_chosen_warm_up(scenario: Scenario) -> Scenario:
    """The scenario with its ``warm_up: auto`` chosen once; itself where it is a duration.

    Scenarios made from the result by :meth:`Scenario.with_` have the same warm-up, so that the
    variants of a study are truncated alike.

    Raises
    ------
    ScenarioError
        As :func:`chosen_warm_up`.
    """
    if not scenario.has_auto_warm_up:
        return scenario
    return scenario.with_(warm_up=format_duration(chosen_warm_up(scenario).warm_up_ns))


def chosen_warm_up(scenario: Scenario) -> WarmUp:
    """Truncation of a scenario with ``warm_up: auto``.

    Parameters
    ----------
    scenario : Scenario
        Its traffic is constant from beginning to end.

    Raises
    ------
    ScenarioError
        If the traffic is not constant, or the run is too short: where MSER-5 finds no end of the
        transient in its first half, or less than half of it would be left.
    """
    if (found := unsteady(scenario)) is not None:
        at, reason = found
        hint = "write a duration, e.g. warm_up: 30s"
        message = f"auto needs constant traffic: {'.'.join(map(str, at))} {reason}"
        raise ScenarioError([scenario.problem(("warm_up",), message, hint)])
    length_ns = scenario.run_length_ns or 0
    least_ns, of = max(_times(scenario), default=(0, ""))
    least_ns *= 2
    if 2 * least_ns > length_ns:
        message = (
            f"auto leaves out at least twice {of}, {format_duration(least_ns)}: more than half of "
            f"a run of {format_duration(length_ns)}"
        )
        hint = f"make the phases at least {format_duration(2 * least_ns)} long"
        raise ScenarioError([scenario.problem(("warm_up",), message, hint)])
    counts, sums = _pilots(scenario, length_ns)
    observations = _observations(counts, sums)
    if observations is None:
        message = "auto finds too few requests to see when they settle"
        hint = f"at least {_GRIDS[-1] * _REQUESTS_EACH} in {PILOTS} replications are needed"
        raise ScenarioError([scenario.problem(("warm_up",), message, hint)])
    truncation = mser(observations)
    mser_ns = -(-length_ns * truncation.observations // len(observations))
    if truncation.is_too_short:
        message = (
            f"auto finds no end of the transient in the first half of {format_duration(length_ns)}"
            ": the run is too short, or does not settle"
        )
        hint = "make the phases longer, or write a duration"
        raise ScenarioError([scenario.problem(("warm_up",), message, hint)])
    warm_up_ns = -(-max(mser_ns, least_ns) // _MILLISECOND) * _MILLISECOND
    return WarmUp(warm_up_ns=warm_up_ns, mser_ns=mser_ns, least_ns=least_ns, of=of)


def _times(scenario: Scenario) -> Iterator[tuple[int, str]]:
    """Times after which something goes [ns], and their keys."""
    for name, api in scenario.apis.items():
        for key, route in api.routes.items():
            if route.cache is not None and api.stage.has_cache:
                yield route.cache.ttl, f"apis.{name}.routes.{key}.cache.ttl"
            if route.authorizer in scenario.authorizers:
                authorizer = scenario.authorizers[route.authorizer]
                yield authorizer.ttl_on(api.type), f"authorizers.{route.authorizer}.ttl"
    if scenario.functions:
        yield scenario.settings.idle_expiry, "settings.idle_expiry"


def _pilots(scenario: Scenario, length_ns: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Requests and the sum of their latencies in each stretch of the finest grid, all pilots."""
    from apisim.studies.preparation import prepare
    from apisim.studies.whole import whole_replication

    pilot = scenario.model_copy(update={"warm_up": 0, "has_auto_warm_up": False})
    preparation = prepare(pilot, engine="auto", skip_bad_rows=False, extend=None)
    n = _GRIDS[0]
    counts, sums = np.zeros(n, np.int64), np.zeros(n)

    def note(rows: NDArray[np.void], _: int) -> None:
        # In floats: nanoseconds times a thousand could overflow in a run of a year.
        at = (rows["arrival_ns"] / length_ns * n).astype(np.int64)
        inside = (at >= 0) & (at < n)
        np.add.at(counts, at[inside], 1)
        np.add.at(sums, at[inside], rows["latency_ns"][inside].astype(np.float64))

    for number in range(PILOTS):
        whole_replication(preparation.program, number, engine=preparation.engine, flush=note)
    return counts, sums


def _observations(counts: NDArray[np.int64], sums: NDArray[np.float64]) -> list[float] | None:
    """Mean latency over time, in the finest grid whose stretches have requests enough."""
    for n in _GRIDS:
        of_each = counts.reshape(n, -1).sum(axis=1)
        if of_each.min() > 0 and of_each.mean() >= _REQUESTS_EACH:
            total = sums.reshape(n, -1).sum(axis=1)
            return [float(value) for value in total / of_each]
    return None
