"""How long each phase was measured: what rates per second are divided by.

Pushes have the phases of the source of their sessions. A population that nobody sends home
(sessions without ``until``) is there to the end of the run, and its last phase with it.
"""

from collections.abc import Iterable, Sequence

from apisim.engine.program import Program
from apisim.scenario import Scenario
from apisim.traffic.phases import phase_bounds

__all__ = [
    "Span",
    "length_ns",
    "measured_ns",
    "open_ended",
    "phase_spans",
    "traffic_until_ns",
    "union",
]

#: Start and end of a stretch of simulated time [ns].
Span = tuple[int, int]


def open_ended(scenario: Scenario) -> list[str]:
    """Sources whose traffic ends when the last user has left by itself."""
    return [
        name
        for name, source in scenario.traffic.items()
        if source.sessions is not None and source.sessions.is_endless
    ]


def traffic_until_ns(program: Program, end_ns: int) -> int:
    """End of a replication's traffic, of one that came to its end at ``end_ns`` [ns]."""
    return end_ns if open_ended(program.scenario) else min(end_ns, program.horizon_ns)


def phase_spans(program: Program, end_ns: int = 0) -> dict[tuple[str, str], Span]:
    """When each phase of each source is, cut by ``--duration``; a log is one phase.

    ``end_ns`` is the end of the run, for those that last until then.
    """
    scenario = program.scenario
    spans: dict[tuple[str, str], Span] = {}
    for name, source in scenario.traffic.items():
        if source.trace is not None:
            mine = [phase for owner, phase in program.names.phases if owner == name]
            spans |= {(name, phase): (0, program.horizon_ns) for phase in mine}
        else:
            bounds = list(phase_bounds(source.phases, scenario.duration_limit_ns))
            if name in open_ended(scenario):
                bounds[-1] = (bounds[-1][0], max(bounds[-1][1], end_ns))
            for phase, bound in zip(source.phases, bounds, strict=True):
                spans[name, phase.name] = bound
                spans |= {(f"{name}.{push}", phase.name): bound for push in source.pushes}
    return spans


def measured_ns(
    program: Program,
    ends_ns: Sequence[int],
    *,
    traffic: str | None = None,
    phase: str | None = None,
) -> int:
    """Simulated time of some phases after the warm-up, summed over replications [ns].

    Parameters
    ----------
    program : Program
    ends_ns : sequence of int
        End of each replication [ns]; matters where one was interrupted.
    traffic, phase : str, optional
        Source and phase; phases of several sources that overlap count once. Without either it is
        the whole run, from the end of the warm-up to the end of the traffic.
    """
    warm_up_ns, total_ns = program.scenario.warm_up, 0
    for end_ns in ends_ns:
        until_ns = traffic_until_ns(program, end_ns)
        spans: Iterable[Span] = [(0, until_ns)]
        if traffic is not None or phase is not None:
            spans = [
                span
                for (owner, name), span in phase_spans(program, end_ns).items()
                if traffic in (None, owner) and phase in (None, name)
            ]
        total_ns += length_ns(union(spans), warm_up_ns, until_ns)
    return total_ns


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time as stretches that do not overlap, in order."""
    joined: list[Span] = []
    for start_ns, end_ns in sorted(spans):
        if joined and start_ns <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end_ns))
        else:
            joined.append((start_ns, end_ns))
    return joined


def length_ns(spans: Iterable[Span], from_ns: int, until_ns: int) -> int:
    """Time of stretches that do not overlap, inside ``from_ns`` to ``until_ns`` [ns]."""
    return sum(max(0, min(end_ns, until_ns) - max(start_ns, from_ns)) for start_ns, end_ns in spans)
