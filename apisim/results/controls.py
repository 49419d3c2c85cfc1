"""Control variates of a run: what each replication drew that has a known mean.

``calls``
    Calls of the open sources with Poisson arrivals, beyond the integral of their rates. In a run of
    fixed length this is the mean inter-arrival gap as well: the more calls, the smaller the gap.
``service``
    Time that HTTP endpoints spent on what they served, beyond the mean of its law for each [ns].

Both have mean zero (the second by Wald's identity: everything that was begun is finished). They are
regressed out of the bill (calls) and of the mean latency (calls and service). Sources with clients
that try again, with browsers or with sessions have no control: how many requests they make depends
on the answers. Functions have none either: their time depends on which starts are cold.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from apisim.engine.program import Program
from apisim.engine.run import Replication
from apisim.results.metrics import Measure
from apisim.results.statistics import Interval, controlled_interval
from apisim.scenario.phases import ClosedPhase
from apisim.traffic.arrivals import ONE
from apisim.traffic.phases import open_pieces

__all__ = ["CONTROLLED", "ControlledFigure", "controlled_figures", "controls_of"]

#: Which controls each figure is regressed on.
CONTROLLED: Final[dict[Measure, tuple[str, ...]]] = {
    Measure("latency", "mean"): ("calls", "service"),
    Measure("cost_run", "value"): ("calls",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlledFigure:
    """A figure with what is known beforehand taken out of its noise.

    Attributes
    ----------
    interval : Interval
        In the shown unit; the mean of the replications' values, corrected.
    controls : tuple of str
        ``calls``, ``service`` or both.
    gain : float
        So many times fewer replications are needed; below 1 the controls do not pay, infinite where
        they explain everything.
    """

    interval: Interval
    controls: tuple[str, ...]
    gain: float

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` prints it; an infinite gain is null."""
        gain = self.gain if math.isfinite(self.gain) else None
        return {**self.interval.to_dict(), "controls": list(self.controls), "gain": gain}


def controls_of(replication: Replication) -> dict[str, float]:
    """Controls of one replication, each with mean zero; those that it has."""
    program = replication.program
    found = {}
    expected = {name: _expected(program, name) for name in program.scenario.traffic}
    known = {name: mean for name, mean in expected.items() if mean is not None}
    if known:
        chosen = [at for at, cell in enumerate(program.names.cells) if cell.source in known]
        cells = replication.recorder.cells[chosen]
        arrived = int(cells["requests"].sum() + cells["warm_up_requests"].sum())
        found["calls"] = arrived - math.fsum(known.values())
    if (beyond := _service(replication)) is not None:
        found["service"] = beyond
    return found


def _expected(program: Program, name: str) -> float | None:
    """Calls that an open source is expected to make; None where that is not known."""
    source = program.scenario.traffic[name]
    is_plain = (
        source.client is None
        and source.browser is None
        and source.sessions is None
        and source.trace is None
        and source.arrivals.process == "poisson"
        and not any(isinstance(phase, ClosedPhase) for phase in source.phases)
    )
    if not is_plain:
        return None
    pieces = open_pieces(source.phases, 0, program.scenario.duration_limit_ns)
    return sum(int(mass) for mass in pieces["mass"]) / ONE


def _service(replication: Replication) -> float | None:
    scenario = replication.program.scenario
    is_plain = all(endpoint.behind is None for endpoint in scenario.endpoints.values())
    if not scenario.endpoints or not is_plain or scenario.timeline:
        return None
    beyond = 0.0
    for row, endpoint in zip(replication.endpoints, scenario.endpoints.values(), strict=True):
        mean = endpoint.service_time.mean()
        if row["abandoned"] or not math.isfinite(mean):
            return None
        beyond += int(row["busy_ns"]) - int(row["served"]) * mean
    return beyond


def controlled_figures(
    values: Mapping[Measure, Sequence[float]], controls: Sequence[Mapping[str, float]]
) -> dict[str, ControlledFigure]:
    """Figures with their controls regressed out, by label.

    Parameters
    ----------
    values : mapping of Measure to sequence of float
        Of each replication that came to its end.
    controls : sequence of mapping of str to float
        Likewise.

    Returns
    -------
    dict of str to ControlledFigure
        Without what has no control that varies, and too few replications for one.
    """
    found = {}
    for wanted, names in CONTROLLED.items():
        has = tuple(
            name for name in names if len({one.get(name, math.nan) for one in controls}) > 1
        )
        drawn = [[one.get(name, math.nan) for one in controls] for name in has]
        outcome = controlled_interval(values[wanted], drawn, [0.0] * len(has))
        if outcome is not None and not math.isnan(outcome.gain):
            found[wanted.label] = ControlledFigure(
                interval=outcome.interval.scaled(1 / wanted.shown_unit[1]),
                controls=has,
                gain=outcome.gain,
            )
    return found
