"""Phases of a source cut into pieces of straight rate, and closed users' active times."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from apisim.scenario.phases import ClosedPhase, CountsPhase, OpenPhase, Phase
from apisim.traffic.arrivals import MAX_ARRIVALS, ONE, PIECE_DTYPE

__all__ = ["ActiveTime", "active_times", "open_pieces", "phase_bounds"]

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ActiveTime:
    """One stretch of time in which a closed user calls."""

    user: int
    start_ns: int
    end_ns: int


def phase_bounds(phases: Sequence[Phase], limit_ns: int | None) -> list[tuple[int, int]]:
    """Start and end of each phase [ns], cut at ``limit_ns`` (then possibly empty)."""
    bounds = []
    start_ns = 0
    for phase in phases:
        end_ns = start_ns + phase.length_ns
        cut = (start_ns, end_ns)
        if limit_ns is not None:
            cut = (min(start_ns, limit_ns), min(end_ns, limit_ns))
        bounds.append(cut)
        start_ns = end_ns
    return bounds


def open_pieces(
    phases: Sequence[Phase], first_phase: int, limit_ns: int | None
) -> NDArray[np.void]:
    """Pieces of an open source's rate.

    Parameters
    ----------
    phases : sequence of Phase
        With ``rate`` and perhaps ``ramp_to``, ``pause``, or published counts a period (then the
        rate of each period is its count divided by its length).
    first_phase : int
        Index of the first of these phases among all phases.
    limit_ns : int or None
        Arrivals from this time on are cut off.

    Returns
    -------
    PIECE_DTYPE[n_pieces]
        In order of time, without gaps; ``mass`` is the exact integral of the rate.

    Raises
    ------
    OverflowError
        If as many calls as ``MAX_ARRIVALS`` are expected.
    """
    rows = []
    start_ns = 0
    for at, phase in enumerate(phases):
        for length_ns, low, high in _stretches(phase):
            end_ns = start_ns + length_ns
            last_ns = end_ns if limit_ns is None else min(end_ns, limit_ns)
            if last_ns > start_ns:
                part = Fraction(last_ns - start_ns, length_ns)
                top = low + (high - low) * part
                mass = (low + top) / 2 * Fraction(last_ns - start_ns, _SECOND_NS)
                rows.append(
                    (start_ns, last_ns, float(low), float(top), round(mass * ONE), first_phase + at)
                )
            start_ns = end_ns
    expected = sum(mass for *_, mass, _ in rows)
    if expected >= MAX_ARRIVALS * ONE:
        raise OverflowError(
            f"{expected // ONE:,} calls are expected of one source; {MAX_ARRIVALS:,} are too many"
        )
    return np.array(rows, PIECE_DTYPE)


def _stretches(phase: Phase) -> Iterator[tuple[int, Fraction, Fraction]]:
    if isinstance(phase, CountsPhase):
        for count in phase.counts:
            rate = Fraction(count * _SECOND_NS, phase.per)
            yield phase.per, rate, rate
    elif isinstance(phase, OpenPhase):
        high = phase.rate if phase.ramp_to is None else phase.ramp_to
        yield phase.length_ns, phase.rate, high
    else:
        yield phase.length_ns, Fraction(0), Fraction(0)


def active_times(phases: Sequence[Phase], limit_ns: int | None) -> list[ActiveTime]:
    """When each user of a closed source is active.

    A phase has ``users`` users, or a number that goes linearly to ``ramp_to``: user u (from 0) is
    active while the number is at least u + 1. Stretches that touch are one.
    """
    stretches: dict[int, list[list[int]]] = {}
    for phase, (start_ns, end_ns) in zip(phases, phase_bounds(phases, None), strict=True):
        if not isinstance(phase, ClosedPhase):
            continue
        before = phase.users
        after = before if phase.ramp_to is None else phase.ramp_to
        for user in range(max(before, after)):
            first_ns, last_ns = start_ns, end_ns
            if user >= before:
                first_ns += round(
                    Fraction((end_ns - start_ns) * (user + 1 - before), after - before)
                )
            elif user >= after:
                last_ns = start_ns + round(
                    Fraction((end_ns - start_ns) * (before - user - 1), before - after)
                )
            if limit_ns is not None:
                first_ns, last_ns = min(first_ns, limit_ns), min(last_ns, limit_ns)
            if last_ns <= first_ns:
                continue
            times = stretches.setdefault(user, [])
            if times and times[-1][1] == first_ns:
                times[-1][1] = last_ns
            else:
                times.append([first_ns, last_ns])
    return [
        ActiveTime(user, first_ns, last_ns)
        for user, times in stretches.items()
        for first_ns, last_ns in times
    ]
