"""An interval: an estimate and how well it is known."""

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["CONFIDENCE", "Interval", "t_quantile"]

CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate over replications and how well it is known.

    Attributes
    ----------
    mean, low, high : float
        In the metric's unit; ``mean`` is what is reported: a mean, a share or a quantile of all
        replications together.
    confidence : float
        Share of such intervals that contain the expected value.
    method : str
        How it was made: ``t``, ``ratio``, ``sections``, ``events``, ``jackknife``
        or ``batch means``.
    events : int or None
        Events that it is about, where they are fewer than ten: it is inconclusive then, unless
        there was none. None otherwise.
    """

    mean: float
    low: float
    high: float
    confidence: float = CONFIDENCE
    method: str = "t"
    events: int | None = None

    @property
    def half_width(self) -> float:
        """Half of its width; intervals of few events are not symmetric."""
        return (self.high - self.low) / 2

    @property
    def is_conclusive(self) -> bool:
        """Whether it may decide anything: not with so few events that chance made it."""
        return not self.events

    def within(self, least: float, most: float) -> "Interval":
        """The same interval, without what lies outside ``[least, most]``."""
        low, high = max(self.low, least), min(self.high, most)
        return Interval(self.mean, low, high, self.confidence, self.method, self.events)

    def scaled(self, factor: float) -> "Interval":
        """The same in another unit."""
        mean, low, high = self.mean * factor, self.low * factor, self.high * factor
        return Interval(mean, low, high, self.confidence, self.method, self.events)

    def to_dict(self) -> dict[str, Any]:
        """The interval as ``--json`` prints it."""
        return {
            "mean": self.mean,
            "low": self.low,
            "high": self.high,
            "confidence": self.confidence,
            "method": self.method,
            "events": self.events,
        }


def t_quantile(degrees: float, confidence: float = CONFIDENCE) -> float:
    """Two-sided quantile of Student's t; degrees of freedom need not be whole."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + confidence) / 2))
