"""Load balancers behind VPC links as arrays: targets, zones, and when which target is down."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from apisim.backends.targets import LINK_DTYPE, OUTAGE_DTYPE
from apisim.scenario.endpoints import HealthCheck, HttpEndpoint, Outage

__all__ = ["Links"]


@dataclass(slots=True)
class Links:
    """Links under construction, by the name of their endpoint."""

    names: list[str] = field(default_factory=list)
    rows: list[tuple[int, ...]] = field(default_factory=list)
    outages: list[tuple[int, ...]] = field(default_factory=list)

    def add(self, name: str, endpoint: HttpEndpoint, first: int) -> None:
        """One balancer, whose targets begin at ``first`` among the endpoints."""
        found = [
            (targets, *times)
            for targets in sorted({outage.targets for outage in endpoint.outages})
            for times in _noticed(_down(endpoint.outages, targets), endpoint.health_check)
        ]
        self.names.append(name)
        self.rows.append(
            (
                first,
                endpoint.targets,
                endpoint.zones,
                int(endpoint.cross_zone),
                len(self.outages),
                len(found),
                int(endpoint.behind == "alb"),
            )
        )
        self.outages += found

    def table(self) -> NDArray[np.void]:
        """``LINK_DTYPE[n]``, at least one row."""
        return np.array(self.rows, LINK_DTYPE) if self.rows else np.zeros(1, LINK_DTYPE)

    def outage_table(self) -> NDArray[np.void]:
        """``OUTAGE_DTYPE[n]``, at least one row."""
        return np.array(self.outages, OUTAGE_DTYPE) if self.outages else np.zeros(1, OUTAGE_DTYPE)


def _down(outages: Sequence[Outage], targets: int) -> Iterator[tuple[int, int]]:
    """When at least so many targets are down [ns], without the seams between their outages."""
    spans = sorted((one.at, one.at + one.lasts) for one in outages if one.targets >= targets)
    start, end = spans[0]
    for following, until in spans[1:]:
        if following > end:
            yield start, end
            start = following
        end = max(end, until)
    yield start, end


def _noticed(
    spans: Iterator[tuple[int, int]], check: HealthCheck
) -> Iterator[tuple[int, int, int, int]]:
    """Start, moment at which the balancer stops sending, end, moment at which it begins again."""
    failing = check.interval * check.unhealthy_threshold
    passing = check.interval * check.healthy_threshold
    back = 0
    for start, end in spans:
        # Checks of a target that is still out have to pass in a row: one that fails, and they
        # begin anew. What is over before it is noticed never took a target out.
        out = start if start < back and end - start >= check.interval else start + failing
        if out < end:
            back = end + passing
            yield start, out, end, back
        else:
            yield start, end, end, end
