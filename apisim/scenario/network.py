"""The way between callers and the API: round trips, connections and bandwidth."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, Self

from pydantic import model_validator

from apisim.draws.distributions import Constant, Distribution
from apisim.scenario.distributions import TimeDistribution
from apisim.scenario.fields import Reader, duration, share
from apisim.scenario.model import Context, Finding, Model, as_written, fail_all
from apisim.scenario.places import moved, places
from apisim.scenario.problems import did_you_mean
from apisim.scenario.units import UnitError, parse_bandwidth, shown

__all__ = ["Network"]

_KEEP_ALIVE: Final = duration("1ms", "1h")
_LOW_KBPS: Final = 1
_HIGH_KBPS: Final = 100_000_000
_TLS: Final = ("1.3", "1.2")


def _read_keep_alive(value: Any, context: Context) -> int:
    # `off` without quotes is a boolean to some readers of YAML.
    if value is False or value == "off":
        return 0
    if value is True or value == "on":
        raise UnitError("must be a duration or off", "write e.g. 60s")
    return int(_KEEP_ALIVE.read(value, context))


def _read_tls(value: Any, context: Context) -> str:
    if str(value) not in _TLS:
        raise UnitError(f"must be 1.3 or 1.2, got {shown(value)}")
    return str(value)


def _read_bandwidth(value: Any, context: Context) -> int:
    bits = parse_bandwidth(value)
    kbps = Fraction(bits, 1_000)
    if not _LOW_KBPS <= kbps <= _HIGH_KBPS:
        raise UnitError(f"{shown(value)} is out of range", "allowed: 1kbps to 100Gbps")
    if kbps.denominator != 1:
        raise UnitError(f"{shown(value)} is not a whole number of kbps")
    return int(kbps)


def _read_location(value: Any, context: Context) -> str:
    names = places().names()
    if not isinstance(value, str) or value not in names:
        hint = did_you_mean(value, names) if isinstance(value, str) else ""
        hint = hint or "write a Region, e.g. eu-west-1, or a city, e.g. lagos (docs/calibration.md)"
        raise UnitError(f"{shown(value)} is not a place that is known", hint)
    return value


class RoundTrips(NamedTuple):
    """What a source's callers are away: from the Region, from the edge, and the edge from it."""

    rtt: Distribution
    edge_rtt: Distribution
    origin_rtt: Distribution | None


class Network(Model):
    """How far away the callers are, and how they are connected.

    Attributes
    ----------
    location : str or None
        Region or city the callers are near, in place of ``rtt`` and ``origin_rtt``: they have a
        line of their own (``edge_rtt``) to what is next to them, and from there it is as far to
        the API's Region as measured between Regions, else as estimated from the distance.
    rtt : Distribution
        Round trip between caller and region [ns], default 0.
    edge_rtt : Distribution or None
        Round trip between caller and edge location [ns], for edge endpoints; None is the setting
        ``edge_rtt``.
    origin_rtt : Distribution or None
        Round trip between edge location and region [ns], for edge endpoints, besides the setting
        ``edge_hop``; the edge keeps its connections to the region open. None: no time.
    keep_alive : int or None
        Time an unused connection stays open [ns], 1 ms to 1 h; 0 (``off``): every call opens one.
        Each closed user, person of a population or client of a log has one connection to each API
        (whatever the stage), which carries several calls at a time (HTTP/2). None: see ``reuse``.
    reuse : float or None
        Share of the calls that come on an open connection, drawn by call, in place of
        ``keep_alive``. With neither, connections cost nothing.
    tls : {"1.3", "1.2"}
        Version of TLS, default 1.3: a new connection costs a round trip for TCP and one (1.3) or
        two (1.2) for TLS, and the time of the setting ``tls_time``.
    bandwidth : int or None
        Of a caller's line, each way and for each call [kbit/s], 1 kbps to 100 Gbps; None: bodies
        take no time.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"connections"})

    location: Annotated[str, Reader(_read_location, {"type": "string"})] | None = None
    rtt: TimeDistribution = as_written("0s")
    edge_rtt: TimeDistribution | None = None
    origin_rtt: TimeDistribution | None = None
    keep_alive: Annotated[int, Reader(_read_keep_alive, {"type": ["string", "boolean"]})] | None = (
        None
    )
    reuse: Annotated[float, share()] | None = None
    tls: Annotated[Literal["1.3", "1.2"], Reader(_read_tls, {"enum": [*_TLS, 1.3, 1.2]})] = "1.3"
    bandwidth: Annotated[int, Reader(_read_bandwidth, {"type": "string"})] | None = None

    @property
    def has_connections(self) -> bool:
        """Whether a new connection costs time."""
        return self.keep_alive is not None or self.reuse is not None

    @property
    def says_more(self) -> bool:
        """Whether a call's way takes more than one round trip."""
        more = (self.bandwidth, self.origin_rtt)
        return self.has_connections or any(one is not None for one in more)

    def round_trips(self, region: str, edge_rtt: Distribution) -> RoundTrips:
        """How far it is to an API in a Region.

        Parameters
        ----------
        region : str
            The Region of the API.
        edge_rtt : Distribution
            Round trip to the next edge location where nothing is said here (``settings``).
        """
        line = self.edge_rtt or edge_rtt
        if self.location is None:
            return RoundTrips(self.rtt, line, self.origin_rtt)
        way_ns = places().between(self.location, region).time_ns
        return RoundTrips(moved(line, way_ns), line, Constant(way_ns))

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        findings = list(self._findings())
        if findings:
            raise fail_all(findings)
        return self

    def _findings(self) -> Iterator[Finding]:
        if self.keep_alive is not None and self.reuse is not None:
            hint = "remove one of them"
            yield Finding(("reuse",), "keep_alive says already which calls open one", hint)
        if self.location is not None:
            for key in sorted({"rtt", "origin_rtt"} & self.model_fields_set):
                yield Finding((key,), "location says already how far it is", "remove one of them")
