"""Targets of a load balancer behind a VPC link: which one takes a request, and whether it is up.

A target that goes down is still sent requests until its health checks have failed often enough, and
one that is up again gets none until they have passed often enough (Elastic Load Balancing guide,
"Health checks"). If no target is healthy, requests go to all of them ("fail open"). Without
cross-zone balancing a request stays in the zone it came in by, unless that has no healthy target,
which takes the zone out of DNS. Among the targets that may take it, each is as likely as another.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import constant, kernel

__all__ = ["LINK_DTYPE", "OUTAGE_DTYPE", "crosses_zones", "is_down", "pick_target"]

_NOBODY: Final = constant(-1)
_ONE: Final = constant(1)

#: One load balancer with its targets.
LINK_DTYPE: Final = np.dtype(
    [
        ("first", "i8"),  # of its targets among the endpoints
        ("targets", "i8"),
        ("zones", "i8"),  # target t stands in zone t modulo these
        ("cross_zone", "i8"),
        ("first_outage", "i8"),
        ("outages", "i8"),
        ("application", "i8"),  # 1: an ALB, which answers for a target that is down
    ],
    align=True,
)
#: Targets below ``targets`` are down from ``start_ns`` on, and known to be from ``out_ns`` on.
OUTAGE_DTYPE: Final = np.dtype(
    [
        ("targets", "i8"),
        ("start_ns", "i8"),
        ("out_ns", "i8"),  # the balancer stops sending
        ("end_ns", "i8"),
        ("back_ns", "i8"),  # ... and begins again
    ],
    align=True,
)


@kernel
def is_down(link: np.void, outages: NDArray[np.void], target: int, now_ns: int) -> bool:
    """Whether a target does not answer."""
    for at in range(link["first_outage"], link["first_outage"] + link["outages"]):
        outage = outages[at]
        if target < outage["targets"] and outage["start_ns"] <= now_ns < outage["end_ns"]:
            return True
    return False


@kernel
def _is_out(link: np.void, outages: NDArray[np.void], target: int, now_ns: int) -> bool:
    """Whether the balancer holds a target to be unhealthy."""
    for at in range(link["first_outage"], link["first_outage"] + link["outages"]):
        outage = outages[at]
        if target < outage["targets"] and outage["out_ns"] <= now_ns < outage["back_ns"]:
            return True
    return False


@kernel
def crosses_zones(link: np.void, zone: int, target: int) -> bool:
    """Whether a request leaves the zone it came in by on its way to a target.

    Without cross-zone balancing none does: a zone without healthy targets is not in DNS, so that
    what would have come in there comes in elsewhere.
    """
    return link["cross_zone"] == 1 and target % link["zones"] != zone  # type: ignore[no-any-return]


@kernel
def pick_target(link: np.void, outages: NDArray[np.void], zone: int, u: float, now_ns: int) -> int:
    """The target that takes a request.

    Parameters
    ----------
    link : LINK_DTYPE record
    outages : OUTAGE_DTYPE[n]
    zone : int
        Where the request comes in.
    u : float
        Uniform draw.
    now_ns : int
        Time [ns].

    Returns
    -------
    int
        Number of the target among those of the link.
    """
    n_healthy = n_here = 0
    for target in range(link["targets"]):
        if not _is_out(link, outages, target, now_ns):
            n_healthy += 1
            if target % link["zones"] == zone:
                n_here += 1
    stays = link["cross_zone"] == 0 and n_here > 0
    n_open = n_healthy
    if stays:
        n_open = n_here
    elif n_healthy == 0:
        n_open = link["targets"]
    wanted = np.int64(u * n_open)
    last = _NOBODY
    for target in range(link["targets"]):
        if n_healthy > 0 and _is_out(link, outages, target, now_ns):
            continue
        if stays and target % link["zones"] != zone:
            continue
        if wanted == 0:
            return target
        wanted -= _ONE
        last = target
    return last  # the product was rounded up
