"""Load balancers behind VPC links as arrays: targets, zones, and when which target is down."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from apisim.backends.targets import LINK_DTYPE, OUTAGE_DTYPE
from apisim.scenario.endpoints import HttpEndpoint

__all__ = ["Links"]


@dataclass(slots=True)
class Links:
    """Links under construction, by the name of their endpoint."""

    names: list[str] = field(default_factory=list)
    rows: list[tuple[int, ...]] = field(default_factory=list)
    outages: list[tuple[int, ...]] = field(default_factory=list)

    def add(self, name: str, endpoint: HttpEndpoint, first: int) -> None:
        """One balancer, whose targets begin at ``first`` among the endpoints."""
        self.names.append(name)
        self.rows.append(
            (
                first,
                endpoint.targets,
                endpoint.zones,
                int(endpoint.cross_zone),
                len(self.outages),
                len(endpoint.outages),
                int(endpoint.behind == "alb"),
            )
        )
        check = endpoint.health_check
        for outage in endpoint.outages:
            end = outage.at + outage.lasts
            noticed = check.interval * check.unhealthy_threshold
            # What is over before it is noticed never took a target out.
            out = outage.at + noticed if noticed < outage.lasts else end
            back = end + check.interval * check.healthy_threshold if out < end else end
            self.outages.append((outage.targets, outage.at, out, end, back))

    def table(self) -> NDArray[np.void]:
        """``LINK_DTYPE[n]``, at least one row."""
        return np.array(self.rows, LINK_DTYPE) if self.rows else np.zeros(1, LINK_DTYPE)

    def outage_table(self) -> NDArray[np.void]:
        """``OUTAGE_DTYPE[n]``, at least one row."""
        return np.array(self.outages, OUTAGE_DTYPE) if self.outages else np.zeros(1, OUTAGE_DTYPE)
