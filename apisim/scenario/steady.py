"""Whether the traffic of a scenario is the same from beginning to end.

A transient can only be told from the traffic, and one stretch of a run only taken for another,
where the traffic stays the same: ``warm_up: auto`` and batch means ask for it.
"""

from apisim.scenario.formats import format_duration
from apisim.scenario.phases import ClosedPhase, OpenPhase
from apisim.scenario.problems import Path
from apisim.scenario.scenario import Scenario

__all__ = ["unsteady"]


def unsteady(scenario: Scenario) -> tuple[Path, str] | None:
    """What is not the same from beginning to end, and why; None where all is."""
    if scenario.timeline:
        return ("timeline",), "changes something while it runs"
    until_ns = scenario.run_length_ns
    for name, source in scenario.traffic.items():
        at: Path = ("traffic", name)
        if source.trace is not None:
            return at, "replays a log"
        if source.sessions is not None:
            return at, "has sessions, which begin with nobody connected"
        levels: set[tuple[type, object]] = set()
        for phase in source.phases:
            if not isinstance(phase, OpenPhase | ClosedPhase):
                what = "pauses" if hasattr(phase, "pause") else "follows published counts"
                return (*at, "phases", phase.name), what
            level = phase.rate if isinstance(phase, OpenPhase) else phase.users
            if phase.ramp_to is not None and phase.ramp_to != level:
                return (*at, "phases", phase.name), "is a ramp"
            levels.add((type(phase), level))
        if len(levels) > 1:
            return at, "has phases of different rates"
        length_ns = source.length_ns or 0
        if until_ns is not None and length_ns < until_ns:
            return at, f"ends after {format_duration(length_ns)}, before the run"
    return None
