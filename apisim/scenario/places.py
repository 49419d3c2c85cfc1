"""Where callers are: round trips between them, the nearest edge location and a Region.

Between two Regions the round trip is the measured one, where there is one; else it is estimated
from the distance. Callers are at home near a Region or in a city: they have a line of their own to
what is next to them, an edge location or the network of AWS, and from there it is as far as
between Regions. Sources and dates stand in ``round_trips.yaml``; how well the estimate fits stands
in docs/calibration.md.
"""

import math
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Final, NamedTuple

from apisim.draws.distributions import Constant, Distribution, Quantiles
from apisim.scenario.positions import read_yaml

__all__ = ["PER_KM_MS", "START_MS", "Places", "RoundTrip", "moved", "places"]

#: Least squares of the relative error over all measured pairs of Regions (docs/calibration.md).
START_MS: Final = 6.0
PER_KM_MS: Final = 0.01626
_MS: Final = 1_000_000
_EARTH_KM: Final = 6_371.0
#: Where the quantiles of a moved line lie, in percent.
_ENDS: Final = (0.01, 0.1, 0.5)
_PERCENTS: Final = (*_ENDS, *range(1, 100), 99.5, 99.8, 99.9, 99.95, 99.99)


class RoundTrip(NamedTuple):
    """A round trip, and whether it was measured."""

    time_ns: int
    is_measured: bool


@dataclass(frozen=True)
class Places:
    """Places and what lies between them.

    Attributes
    ----------
    where : mapping
        Degrees north and east, by Region or city.
    aliases : mapping
        Region of a city's name.
    measured_ms : mapping
        Round trips between two Regions, whose names are in order.
    """

    where: dict[str, tuple[float, float]]
    aliases: dict[str, str]
    measured_ms: dict[tuple[str, str], int]

    def names(self) -> list[str]:
        """All that ``location`` may say."""
        return sorted({*self.where, *self.aliases})

    def distance_km(self, one: str, other: str) -> float:
        """Length of the great circle between two places.

        Examples
        --------
        >>> round(places().distance_km("london", "new-york"))
        5573
        """
        lat, lon, to_lat, to_lon = map(math.radians, (*self.where_is(one), *self.where_is(other)))
        half = math.sin((to_lat - lat) / 2) ** 2
        half += math.cos(lat) * math.cos(to_lat) * math.sin((to_lon - lon) / 2) ** 2
        return 2 * _EARTH_KM * math.asin(math.sqrt(half))

    def where_is(self, place: str) -> tuple[float, float]:
        """Degrees north and east."""
        return self.where[self.aliases.get(place, place)]

    def between(self, place: str, region: str) -> RoundTrip:
        """Round trip between a place and a Region, without the callers' own lines.

        Examples
        --------
        >>> places().between("frankfurt", "us-east-1")
        RoundTrip(time_ns=93000000, is_measured=True)
        >>> places().between("lagos", "eu-west-1")
        RoundTrip(time_ns=92000000, is_measured=False)
        """
        one, other = sorted((self.aliases.get(place, place), region))
        known_ms = self.measured_ms.get((one, other))
        if known_ms is not None:
            return RoundTrip(known_ms * _MS, is_measured=True)
        estimate_ms = round(START_MS + PER_KM_MS * self.distance_km(one, other))
        return RoundTrip(estimate_ms * _MS, is_measured=False)


@cache
def places() -> Places:
    """What the package knows about places."""
    text = resources.files("apisim.scenario").joinpath("round_trips.yaml").read_bytes()
    data = read_yaml(text, "round_trips.yaml").data
    regions = list(data["milliseconds"])
    assert all(one < other for one, other in pairwise(regions))
    return Places(
        where={
            name: (float(north), float(east)) for name, (north, east, *_) in data["places"].items()
        },
        aliases={city: name for name, (_, _, *cities) in data["places"].items() for city in cities},
        measured_ms={
            (regions[at], region): time_ms
            for region, times_ms in data["milliseconds"].items()
            for at, time_ms in enumerate(times_ms)
        },
    )


def moved(line: Distribution, by_ns: int) -> Distribution:
    """A caller's own line, whatever its law, and a way that always takes as long.

    Drawn through its quantiles: linear between whole percents, the ends cut at 0.01 and 99.99 %.

    Examples
    --------
    >>> from apisim.draws.distributions import LogNormal
    >>> far = moved(LogNormal(12e6, 80e6), 70_000_000)
    >>> [round(far.quantile(share) / 1e6, 1) for share in (0.0001, 0.5, 0.99)]
    [70.6, 82.0, 150.0]
    """
    if isinstance(line, Constant):
        return Constant(line.value + by_ns)
    return Quantiles(
        tuple((percent, line.quantile(percent / 100) + by_ns) for percent in _PERCENTS)
    )
