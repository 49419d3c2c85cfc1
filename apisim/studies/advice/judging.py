"""Which differences are worth a change: by size, by what they worsen, and beyond chance.

What matters is asked for in this order: wrong answers, failures, dollars, slow answers. The first
in which a change makes a difference of some size decides whether it is for the better. All
differences of all candidates are tested together: p-values of paired t tests, by Holm's step-down
procedure (*Scandinavian Journal of Statistics* 6, 1979), so that the chance of any false claim is
5 %.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from apisim.studies.paired import Difference

__all__ = ["ALPHA", "Effect", "holm", "p_value"]

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


def p_value(differences: Sequence[float]) -> float:
    """Chance of a mean at least so far from 0: paired t test, two-sided.

    Differences that do not vary are certain: 1 if they are 0, else 0.

    Examples
    --------
    >>> round(p_value([0.4, 0.5, 0.2, 0.5, 0.3]), 5)
    0.00286
    """
    n = len(differences)
    if any(math.isnan(one) for one in differences) or n < 2:
        return 1.0
    mean = math.fsum(differences) / n
    variance = math.fsum((one - mean) ** 2 for one in differences) / (n - 1)
    if variance == 0:
        return 1.0 if mean == 0 else 0.0
    from scipy.special import stdtr

    return float(2 * stdtr(n - 1, -abs(mean) / math.sqrt(variance / n)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values by Holm's step-down procedure, in the order given.

    Examples
    --------
    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03, 0.005])]
    [0.03, 0.06, 0.06, 0.02]
    """
    n = len(p_values)
    adjusted = [1.0] * n
    largest = 0.0
    for rank, at in enumerate(sorted(range(n), key=lambda at: p_values[at])):
        largest = max(largest, min(1.0, (n - rank) * p_values[at]))
        adjusted[at] = largest
    return adjusted
