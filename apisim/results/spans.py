"""How long each phase was measured: what rates per second are divided by."""

from collections.abc import Iterable, Sequence

from apisim.engine.program import Program
from apisim.traffic.phases import phase_bounds

__all__ = ["Span", "length_ns", "measured_ns", "phase_spans", "union"]

#: Start and end of a stretch of simulated time [ns].
Span = tuple[int, int]


def phase_spans(program: Program) -> dict[tuple[str, str], Span]:
    """When each phase of each source is, cut by ``--duration``; a log is one phase."""
    scenario = program.scenario
    spans: dict[tuple[str, str], Span] = {}
    for name, source in scenario.traffic.items():
        if source.trace is not None:
            mine = [phase for owner, phase in program.names.phases if owner == name]
            spans |= {(name, phase): (0, program.horizon_ns) for phase in mine}
        else:
            bounds = phase_bounds(source.phases, scenario.duration_limit_ns)
            for phase, bound in zip(source.phases, bounds, strict=True):
                spans[name, phase.name] = bound
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
    spans: Iterable[Span] = [(0, program.horizon_ns)]
    if traffic is not None or phase is not None:
        spans = [
            span
            for (owner, name), span in phase_spans(program).items()
            if traffic in (None, owner) and phase in (None, name)
        ]
    stretches = union(spans)
    warm_up_ns = program.scenario.warm_up
    return sum(
        length_ns(stretches, warm_up_ns, min(end_ns, program.horizon_ns)) for end_ns in ends_ns
    )


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
