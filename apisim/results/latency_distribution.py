"""Which share of the requests took longer than what: the tail of each route's latencies."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from apisim.results.result import Result

__all__ = ["LATENCY_DISTRIBUTION", "latency_distribution_rows"]

_NS_PER_MS: Final = 1_000_000
#: Columns of the table.
LATENCY_DISTRIBUTION: Final = ("api", "route", "latency_ms", "share_above")


def latency_distribution_rows(result: "Result") -> list[dict[str, Any]]:
    """One row for each route and occupied bin of its histogram, in that order.

    ``latency_ms`` is the largest latency in the bin and ``share_above`` the share of the route's
    requests that took longer: exact at each row, 0 at the last. Between two rows the true curve
    is between theirs; bins are at most 0.8 % wide. Refusals are included, the warm-up is not.
    """
    rows = []
    for group in result.routes:
        bins = result.measurements.select(**group.labels).latency().bins
        used = bins[bins["count"] > 0]
        above = used["count"].sum() - np.cumsum(used["count"])
        shares = above / max(int(used["count"].sum()), 1)
        for high_ns, share in zip(used["high"].tolist(), shares.tolist(), strict=True):
            row = (group.labels["api"], group.labels["route"], high_ns / _NS_PER_MS, share)
            rows.append(dict(zip(LATENCY_DISTRIBUTION, row, strict=True)))
    return rows
