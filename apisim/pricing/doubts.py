"""What else a run might have used, where AWS does not say how something is metered.

A doubt is a difference to what is counted, from the least to the most that another reading allows.
:mod:`apisim.pricing.ranges` turns it into money.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

__all__ = ["CONNECTION_MINUTES", "HTTP_BASIS", "Doubt", "added"]

#: Cases that are no charge rules of a book.
HTTP_BASIS: Final = "http_metering_basis"
CONNECTION_MINUTES: Final = "connection_minutes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One case and one meter.

    Attributes
    ----------
    case : str
        Name of a charge rule, :data:`HTTP_BASIS` or :data:`CONNECTION_MINUTES`.
    meter : str
        What would be used more or less.
    low, high : Fraction
        Differences to what is counted, in the meter's unit; ``low`` <= 0 <= ``high``.
    is_exact : bool
        Whether these are what the other readings come to; otherwise they are bounds, because sizes
        and times of single events are not kept.
    setting : str
        Key of the scenario that chooses the reading; empty where only a price book does.
    """

    case: str
    meter: str
    low: Fraction
    high: Fraction
    is_exact: bool = True
    setting: str = ""

    def times(self, factor: Fraction) -> "Doubt":
        """The same, so many times."""
        return replace(self, low=self.low * factor, high=self.high * factor)


def added(doubts: Iterable[Doubt]) -> tuple[Doubt, ...]:
    """Doubts by case and meter."""
    found: dict[tuple[str, str], Doubt] = {}
    for doubt in doubts:
        key = doubt.case, doubt.meter
        known = found.get(key)
        if known is None:
            found[key] = doubt
        else:
            found[key] = replace(
                known,
                low=known.low + doubt.low,
                high=known.high + doubt.high,
                is_exact=known.is_exact and doubt.is_exact,
            )
    return tuple(found.values())
