"""Latencies as they are shown: mean, quantiles and maximum in milliseconds."""

import math
from dataclasses import dataclass
from typing import Final

from apisim.results.tally import LatencyTally

__all__ = ["PERCENTS", "LatencyStats"]

#: Quantiles that are shown [%].
PERCENTS: Final = (50.0, 90.0, 95.0, 99.0, 99.9)
_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyStats:
    """Latency of some requests.

    Attributes
    ----------
    count : int
        Requests that have one.
    mean, p50, p90, p95, p99, p99_9, max : float
        In milliseconds, NaN without requests. Mean and maximum are exact; quantiles are those of
        numpy's default method, within the bin (at most 0.8 % wide) they fall into.
    """

    count: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    p99_9: float
    max: float

    @classmethod
    def of(cls, tally: LatencyTally) -> "LatencyStats":
        """Statistics of measured times."""
        p50, p90, p95, p99, p99_9 = (_ms(tally.quantile_ns(percent)) for percent in PERCENTS)
        return cls(
            count=tally.count,
            mean=_ms(tally.mean_ns),
            p50=p50,
            p90=p90,
            p95=p95,
            p99=p99,
            p99_9=p99_9,
            max=_ms(tally.max_ns),
        )

    def to_dict(self) -> dict[str, float | None]:
        """By name as ``--json`` prints it; None without requests."""
        names = ("mean", "p50", "p90", "p95", "p99", "p99_9", "max")
        values = {name: getattr(self, name) for name in names}
        return {
            name.replace("_", "."): None if math.isnan(value) else value
            for name, value in values.items()
        }


def _ms(value_ns: float) -> float:
    # Six decimals are one nanosecond: what is beyond is the division's noise.
    return round(value_ns / _NS_PER_MS, 6)
