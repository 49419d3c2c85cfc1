"""Paired differences: what two scenarios differ in, replication by replication."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from apisim.results.statistics import Interval, spread, t_interval
from apisim.studies.points import Row

__all__ = ["Difference", "differences_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One measure of a variant against the first scenario's.

    Attributes
    ----------
    measure : str
        Its label.
    base, value : float
        Means over replications; NaN where nothing was measured.
    differences : tuple of float
        Variant minus base, replication by replication.
    interval : Interval or None
        Of the mean difference; None where a replication has no value.
    gain : float
        Variance of the difference of two independent means over that of the paired one: so many
        times fewer replications are needed. NaN where that says nothing, infinite where the paired
        difference does not vary at all.
    """

    measure: str
    base: float
    value: float
    differences: tuple[float, ...]
    interval: Interval | None
    gain: float

    @property
    def mean(self) -> float:
        """Mean difference."""
        return math.fsum(self.differences) / len(self.differences)

    @property
    def is_equal(self) -> bool:
        """Whether there is no difference in any replication."""
        return all(one == 0 for one in self.differences)

    @property
    def is_shown(self) -> bool:
        """Whether the interval lies on one side of no difference."""
        return self.interval is not None and not self.interval.low <= 0 <= self.interval.high

    @property
    def verdict(self) -> str:
        """``equal``, ``lower``, ``higher``, ``not shown`` or ``not measured``."""
        if self.interval is None:
            return "not measured"
        if self.is_equal:
            return "equal"
        if not self.is_shown:
            return "not shown"
        return "lower" if self.mean < 0 else "higher"


def differences_of(base: Sequence[Row], other: Sequence[Row]) -> tuple[Difference, ...]:
    """Paired differences in the measures that both have, replication by replication."""
    return tuple(
        _difference(
            label, [row.values[label] for row in base], [row.values[label] for row in other]
        )
        for label in base[0].values
        if label in other[0].values
    )


def _difference(label: str, base: Sequence[float], other: Sequence[float]) -> Difference:
    differences = tuple(two - one for one, two in zip(base, other, strict=True))
    (first, alone), (second, more) = spread(base), spread(other)
    _, paired = spread(differences)
    alone += more
    gain = alone / paired if paired > 0 else (math.inf if alone > 0 else math.nan)
    return Difference(
        measure=label,
        base=first,
        value=second,
        differences=differences,
        interval=t_interval(differences),
        gain=gain,
    )
