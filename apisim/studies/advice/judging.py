"""Which differences are worth a change: by size, by what they worsen, and beyond chance.

What matters is asked for in this order: wrong answers, failures, dollars, slow answers. The first
in which a change makes a difference of some size decides whether it is for the better. All
differences of all candidates are tested together: p-values of paired t tests, by Holm's step-down
procedure (:func:`apisim.results.statistics.holm`), so that the chance of any false claim is 5 %.
"""

from dataclasses import dataclass
from typing import Final

from apisim.studies.paired import Difference

__all__ = ["ALPHA", "Effect"]

#: Chance of one false claim or more, over all candidates and measures.
ALPHA: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a change does to one measure.

    Attributes
    ----------
    difference : Difference
    p : float
        Of a difference as large by chance, alone.
    adjusted : float
        Holm's, among all that were tested.
    least : float
        Difference below which nobody would change anything.
    """

    difference: Difference
    p: float
    adjusted: float
    least: float

    @property
    def is_significant(self) -> bool:
        """Whether there is a difference, beyond chance."""
        return self.adjusted < ALPHA

    @property
    def is_better(self) -> bool:
        """Significantly less, and by enough."""
        return self.is_significant and self.difference.mean <= -self.least

    @property
    def is_worse(self) -> bool:
        """Significantly more, and by enough."""
        return self.is_significant and self.difference.mean >= self.least
