"""One line of the sheet, and how large a value to ask for."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from apisim.results.statistics import Interval, t_interval
from apisim.studies.quotas.catalogue import OURS, Quota
from apisim.studies.quotas.searching import Bracket

__all__ = ["LimitRow", "row_of", "to_request"]

#: Significant digits of a value to request.
_DIGITS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """One limit that the scenario touches.

    Attributes
    ----------
    quota : str
        Its name, as the quota tables have it; of a limit of your own, the key it is written at.
    service, code : str or None
        Service and quota codes of Service Quotas; None where it is no quota of AWS's, and where no
        source at hand names the code.
    kind, of : str
        What kind of limit it is, and what it limits: an API, a route, a function, ``account``.
    unit : str
        Of ``limit``, ``used`` and ``request``.
    limit : float or None
        The limit; None where it is not known.
    origin : {"default", "scenario", "fixed"}
        Whether AWS's default (of the region) holds, or the scenario says otherwise, or nobody can.
    used : float or None
        Most that was used, mean over replications; None where that is not measured.
    most_used : float or None
        Most in any replication.
    used_interval : Interval or None
        Of ``used``; None with one replication, and for what does not vary.
    refused : int
        Refusals at this traffic, summed over replications.
    first_refusal : Bracket or None
        At which multiple of the scenario's traffic it refuses first; None where it refused at no
        multiple that was tried, or does not depend on traffic.
    grows : bool
        Whether its use depends on how much traffic there is.
    request : float or None
        Value to ask for; None where what there is will do, or nobody takes a request.
    requestable : bool
        Whether AWS takes a request for more.
    decided_by : str
        Who decides about it.
    """

    quota: str
    service: str | None
    code: str | None
    kind: str
    of: str
    unit: str
    limit: float | None
    origin: str
    used: float | None
    most_used: float | None = None
    used_interval: Interval | None = None
    refused: int = 0
    first_refusal: Bracket | None = None
    grows: bool = True
    request: float | None = None
    requestable: bool = False
    decided_by: str = OURS

    @property
    def headroom(self) -> float | None:
        """Part of the limit that is left at the peak; below 0 where more was asked for."""
        if self.used is None or self.limit is None or self.limit == 0:
            return None
        return 1 - self.used / self.limit

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        found = asdict(self)
        found["headroom"] = self.headroom
        found["used_interval"] = (
            None if self.used_interval is None else self.used_interval.to_dict()
        )
        return found


def row_of(
    quota: Quota | str,
    *,
    kind: str,
    of: str,
    limit: float | None,
    used: Sequence[float] | None,
    origin: str,
    unit: str = "",
    grows: bool = True,
) -> LimitRow:
    """A line, with what each replication used.

    Parameters
    ----------
    quota : Quota or str
        A quota of AWS's, or the key of a limit of the scenario's own.
    kind, of, limit, origin, unit, grows
        As in :class:`LimitRow`.
    used : sequence of float or None
        One for each replication, or a single one for what does not vary.
    """
    name, service, code, decided_by, requestable = (
        (quota, None, None, OURS, False)
        if isinstance(quota, str)
        else (quota.name, quota.service, quota.code, quota.decided_by, quota.is_requestable)
    )
    return LimitRow(
        quota=name,
        service=service,
        code=code,
        kind=kind,
        of=of,
        unit=unit if isinstance(quota, str) else quota.unit,
        limit=limit,
        origin=origin,
        used=None if not used else math.fsum(used) / len(used),
        most_used=None if not used else max(used),
        used_interval=None if not used else t_interval(used),
        grows=grows,
        requestable=requestable,
        decided_by=decided_by,
    )


def to_request(needed: float, reserve: float) -> int:
    """A round value that leaves a reserve above what is needed.

    Parameters
    ----------
    needed : float
        What has to fit.
    reserve : float
        Part of it that is to be left above it, >= 0.

    Examples
    --------
    >>> to_request(2565, 0.2), to_request(10, 0.0), to_request(1001, 0.0)
    (3100, 10, 1100)
    """
    value = needed * (1 + reserve)
    if value <= 0:
        return 0
    step = int(10 ** max(math.floor(math.log10(value)) - (_DIGITS - 1), 0))
    return math.ceil(round(value / step, 9)) * step
