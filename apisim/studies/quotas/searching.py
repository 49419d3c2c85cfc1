"""Where each limit refuses first: bisection over the multiple of the traffic.

One simulation of a multiple tells of every limit at once whether it refused, so probes are shared.
All probes have the same draws, and up to the first refusal more traffic is the same traffic closer
together; a limit that refuses at one multiple then refuses at every larger one. Where something
stands in front of it (another limit that refuses first, customers that give up) this need not hold:
the answer is the least multiple at which a refusal was seen, and a larger one without is noted.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from apisim.studies.quotas.observing import Wall

__all__ = ["Bracket", "first_refusals", "least"]

#: Digits of a multiple that is tried.
_DIGITS: Final = 5
#: Below this multiple of its traffic a scenario is no longer itself.
_LEAST: Final = Fraction(1, 1024)


@dataclass(frozen=True, slots=True)
class Bracket:
    """Where a limit refuses first.

    Attributes
    ----------
    without : float or None
        Largest multiple below ``refused`` that was simulated without a refusal; 0 where all that
        were had one.
    refused : float or None
        Least multiple at which it refused in a replication; None where it refused at none, up to
        ``without``.
    is_monotone : bool
        False if a larger multiple than ``refused`` was without refusals.
    """

    without: float
    refused: float | None
    is_monotone: bool = True


@dataclass
class _Probes:
    """What was simulated."""

    probe: Callable[[Fraction], frozenset[Wall]]
    seen: dict[Fraction, frozenset[Wall]] = field(default_factory=dict)

    def at(self, multiple: Fraction) -> frozenset[Wall]:
        if multiple not in self.seen:
            self.seen[multiple] = self.probe(multiple)
        return self.seen[multiple]

    def walls(self) -> list[Wall]:
        return sorted({wall for walls in self.seen.values() for wall in walls})

    def ends(self, wall: Wall) -> tuple[Fraction, Fraction | None]:
        """Bracket of a limit so far: largest without below the least with a refusal."""
        refused = min((m for m, walls in self.seen.items() if wall in walls), default=None)
        below = [m for m in self.seen if refused is None or m < refused]
        return max(below, default=Fraction(0)), refused


def first_refusals(
    probe: Callable[[Fraction], frozenset[Wall]],
    *,
    up_to: Fraction,
    precision: Fraction,
    known: Mapping[Fraction, frozenset[Wall]] | None = None,
) -> Mapping[Wall, Bracket]:
    """Bracket of every limit that refuses somewhere up to a multiple.

    Parameters
    ----------
    probe : callable
        Limits that refused at a multiple, in any replication.
    up_to : Fraction
        Largest multiple that is tried, above 0.
    precision : Fraction
        A bracket is narrow enough when its ends differ by at most this part of the lower one.
    known : mapping, optional
        What is known of some multiples.

    Returns
    -------
    mapping of Wall to Bracket
        Those that refused nowhere are left out.
    """
    probes = _Probes(probe, dict(known or {}))
    multiple = min(Fraction(1), up_to)
    while True:
        probes.at(multiple)
        if multiple >= up_to:
            break
        multiple = min(multiple * 2, up_to)
    multiple = min(probes.seen)
    while probes.at(multiple) and multiple > _LEAST:
        multiple /= 2
    for wall in probes.walls():
        _narrow(probes, wall, precision)
    return {wall: _bracket(probes, wall) for wall in probes.walls()}


def _narrow(probes: _Probes, wall: Wall, precision: Fraction) -> None:
    while True:
        low, high = probes.ends(wall)
        if high is None or low == 0 or high <= low * (1 + precision):
            return
        middle = _rounded((low + high) / 2)
        if not low < middle < high:
            return
        probes.at(middle)


def _rounded(multiple: Fraction) -> Fraction:
    """A few digits, so that rates stay short decimals."""
    return Fraction(f"{float(multiple):.{_DIGITS}g}")


def _bracket(probes: _Probes, wall: Wall) -> Bracket:
    low, high = probes.ends(wall)
    is_monotone = high is None or all(
        wall in walls for multiple, walls in probes.seen.items() if multiple > high
    )
    return Bracket(float(low), None if high is None else float(high), is_monotone)


def least(low: int, high: int, refuses: Callable[[int], bool]) -> int:
    """Least number at which something does not refuse.

    Up to its first refusal a run with a smaller limit is the run without any, so that what refuses
    at one number refuses at all below.

    Parameters
    ----------
    low, high : int
        The answer is above ``low`` and at most ``high``, which is not tried.
    refuses : callable
        Whether a number refuses.

    Examples
    --------
    >>> least(0, 100, lambda n: n < 42)
    42
    """
    return bisect_left(range(high), 1, low + 1, key=lambda number: not refuses(number))
