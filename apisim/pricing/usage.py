"""What a simulated run used, in the exact integers it was counted in.

The engine counts requests, bytes, milliseconds and nanoseconds; nothing is divided while it counts.
:meth:`Usage.quantities` turns the counts into the units of a price book, as fractions: a GB-second
is finite in decimal, an hour of a cache is not.

Counted here: requests (as units where the book has a metering increment), WebSocket connection
minutes, transfer out, PrivateLink bytes and endpoint hours of private APIs, cache hours, web ACLs
with their rules and what they look at, Lambda requests and duration, authorizers included, the
neighbours of :mod:`apisim.pricing.neighbours`, and the logs and traces of
:mod:`apisim.pricing.logs`. Not counted: what consumers do with what is sent to a queue, a topic or
a stream; storage; the new connections of a load balancer, unless the scenario says how many
requests come over one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from typing import Final, TypeVar

from apisim.pricing.book import PriceBook
from apisim.pricing.charges import API_METERS
from apisim.pricing.counting import NS_PER_HOUR, check_counted, check_known
from apisim.pricing.doubts import Doubt, added
from apisim.pricing.logs import LogUsage, TraceUsage
from apisim.pricing.neighbours import (
    BalancerUsage,
    RouteMetricsUsage,
    ServiceUsage,
    UserPoolUsage,
    VpcEndpointUsage,
)

__all__ = ["ApiUsage", "CacheUsage", "FunctionUsage", "Usage", "WafUsage"]

_HOURS_PER_MONTH: Final = 730
_MS_PER_S: Final = 1_000
_NS_PER_S: Final = 1_000_000_000
_NS_PER_MINUTE: Final = 60 * _NS_PER_S
_BYTES_PER_MB: Final = 1 << 20

_ENDPOINTS: Final = ("edge", "regional", "private")
_ARCHITECTURES: Final = ("x86", "arm64")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiUsage:
    """What one API used.

    Attributes
    ----------
    name : str
        Name of the API in the scenario.
    type : str
        ``rest``, ``http`` or ``websocket``.
    endpoint : str
        ``edge``, ``regional`` or ``private``.
    requests_charged : int
        Billed units: calls (REST), 512 KB units (HTTP), 32 KB units (WebSocket messages).
    bytes_out, bytes_in : int
        Response and request bytes on the wire [bytes]; of a private API, those that went through
        a VPC endpoint.
    connection_ns : int
        Time of WebSocket connections as it is billed [ns]: whole minutes, unless they are exact.
    events : int
        Calls behind the billed units of an HTTP API; not counted elsewhere.
    """

    name: str
    type: str = "rest"
    endpoint: str = "regional"
    requests_charged: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    connection_ns: int = 0
    events: int = 0

    def __post_init__(self) -> None:
        check_known("type", self.type, tuple(API_METERS))
        check_known("endpoint", self.endpoint, _ENDPOINTS)
        for counted in ("requests_charged", "bytes_out", "bytes_in", "connection_ns", "events"):
            check_counted(counted, getattr(self, counted))


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionUsage:
    """What one Lambda function used.

    Attributes
    ----------
    name : str
        Name of the function in the scenario.
    memory_mb : int
        Configured memory [MB], > 0.
    architecture : str
        ``x86`` or ``arm64``.
    invocations : int
        Billed invocations.
    billed_ms : int
        Sum over invocations on demand of the duration rounded up to 1 ms, initialisation included
        [ms].
    provisioned_concurrency : int
        Environments that are held ready.
    provisioned_ms : int
        As ``billed_ms``, of invocations that ran on provisioned concurrency.
    provisioned_ns : int
        Time they were held ready [ns].
    """

    name: str
    memory_mb: int
    architecture: str = "x86"
    invocations: int = 0
    billed_ms: int = 0
    provisioned_concurrency: int = 0
    provisioned_ms: int = 0
    provisioned_ns: int = 0

    def __post_init__(self) -> None:
        check_known("architecture", self.architecture, _ARCHITECTURES)
        for counted in (
            "memory_mb", "invocations", "billed_ms",
            "provisioned_concurrency", "provisioned_ms", "provisioned_ns",
        ):  # fmt: skip
            check_counted(counted, getattr(self, counted))


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheUsage:
    """How long one cache cluster existed.

    Attributes
    ----------
    api, stage : str
        Whose cache it is.
    size : str
        ``cacheClusterSize``, for example ``1.6``.
    provisioned_ns : int
        Time it was provisioned, hit or miss [ns].
    """

    api: str
    stage: str
    size: str
    provisioned_ns: int = 0

    def __post_init__(self) -> None:
        check_counted("provisioned_ns", self.provisioned_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class WafUsage:
    """What the web ACL of one stage used.

    Attributes
    ----------
    api, stage : str
        Whose web ACL it is.
    rules : int
        Rules and rule groups in it, rate-based ones included.
    provisioned_ns : int
        Time it was there [ns].
    requests : int
        Requests it looked at, blocked ones included.
    """

    api: str
    stage: str
    rules: int = 0
    provisioned_ns: int = 0
    requests: int = 0

    def __post_init__(self) -> None:
        for counted in ("rules", "provisioned_ns", "requests"):
            check_counted(counted, getattr(self, counted))


T = TypeVar(
    "T",
    ApiUsage,
    FunctionUsage,
    CacheUsage,
    WafUsage,
    ServiceUsage,
    BalancerUsage,
    VpcEndpointUsage,
    UserPoolUsage,
    RouteMetricsUsage,
    LogUsage,
    TraceUsage,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a run, or a part of one, used.

    Attributes
    ----------
    apis, functions, caches, wafs, services, balancers, vpc_endpoints, user_pools, route_metrics,
    logs, traces : tuples
        One entry for each; ``+`` adds entry by entry.
    doubts : tuple of Doubt
        What else it might be, by other readings of what is not documented.

    Examples
    --------
    >>> api = ApiUsage(name="shop", requests_charged=2)
    >>> (Usage(apis=(api,)) + Usage(apis=(api,))).apis[0].requests_charged
    4
    """

    apis: tuple[ApiUsage, ...] = ()
    functions: tuple[FunctionUsage, ...] = ()
    caches: tuple[CacheUsage, ...] = ()
    wafs: tuple[WafUsage, ...] = ()
    services: tuple[ServiceUsage, ...] = ()
    balancers: tuple[BalancerUsage, ...] = ()
    vpc_endpoints: tuple[VpcEndpointUsage, ...] = ()
    user_pools: tuple[UserPoolUsage, ...] = ()
    route_metrics: tuple[RouteMetricsUsage, ...] = ()
    logs: tuple[LogUsage, ...] = ()
    traces: tuple[TraceUsage, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    def __add__(self, other: "Usage") -> "Usage":
        """Usage of both, entry by entry.

        Raises
        ------
        ValueError
            If an API or a function of one name is described differently in the two.
        """
        return Usage(
            apis=_merged((*self.apis, *other.apis), lambda api: (api.name,)),
            functions=_merged((*self.functions, *other.functions), lambda one: (one.name,)),
            caches=_merged(
                (*self.caches, *other.caches), lambda cache: (cache.api, cache.stage, cache.size)
            ),
            wafs=_merged((*self.wafs, *other.wafs), lambda waf: (waf.api, waf.stage)),
            services=_merged((*self.services, *other.services), _kept_apart),
            balancers=_merged((*self.balancers, *other.balancers), lambda one: (one.name,)),
            vpc_endpoints=_merged(
                (*self.vpc_endpoints, *other.vpc_endpoints), lambda one: (one.name,)
            ),
            user_pools=_merged((*self.user_pools, *other.user_pools), lambda one: (one.name,)),
            route_metrics=_merged(
                (*self.route_metrics, *other.route_metrics), lambda one: (one.api, one.route)
            ),
            logs=_merged((*self.logs, *other.logs), lambda one: (one.name, one.kind)),
            traces=_merged((*self.traces, *other.traces), lambda one: (one.name,)),
            doubts=added((*self.doubts, *other.doubts)),
        )

    def quantities(self, book: PriceBook) -> dict[str, Fraction]:
        """Quantity of each meter in its book's unit, exact; meters without usage are left out.

        Parameters
        ----------
        book : PriceBook
            Says how large a GB is. Meters it does not price are counted all the same.
        """
        gigabyte = book.conventions.gigabyte_bytes
        found: dict[str, Fraction] = {}

        def add(meter: str, quantity: Fraction) -> None:
            if quantity:
                found[meter] = found.get(meter, Fraction(0)) + quantity

        for api in self.apis:
            add(API_METERS[api.type], Fraction(api.requests_charged))
            minutes = Fraction(api.connection_ns, _NS_PER_MINUTE)
            add("apigateway.websocket.connection_minutes", minutes)
            if api.endpoint == "private":
                # No transfer out: what a private API sends goes through its interface endpoint.
                both_ways = Fraction(api.bytes_in + api.bytes_out, gigabyte)
                add("privatelink.data_processed", both_ways)
            else:
                add("datatransfer.out.internet", Fraction(api.bytes_out, gigabyte))
        for cache in self.caches:
            add(f"apigateway.cache.{cache.size}", Fraction(cache.provisioned_ns, NS_PER_HOUR))
        for waf in self.wafs:
            # Prorated by the hour; an average month has 730.
            months = Fraction(waf.provisioned_ns, NS_PER_HOUR * _HOURS_PER_MONTH)
            add("waf.web_acls", months)
            add("waf.rules", waf.rules * months)
            add("waf.requests", Fraction(waf.requests))
        for function in self.functions:
            add("lambda.requests", Fraction(function.invocations))
            meter = f"lambda.duration.{function.architecture}"
            known = book.meters.get(meter)
            megabytes = gigabyte // _BYTES_PER_MB
            if known is not None and known.gb_megabytes is not None:
                megabytes = known.gb_megabytes
            memory_time = function.billed_ms * function.memory_mb
            add(meter, Fraction(memory_time, megabytes * _MS_PER_S))
            memory_time = function.provisioned_ms * function.memory_mb
            meter = f"lambda.provisioned_duration.{function.architecture}"
            add(meter, Fraction(memory_time, megabytes * _MS_PER_S))
            held = function.provisioned_concurrency * function.memory_mb
            meter = f"lambda.provisioned_concurrency.{function.architecture}"
            add(meter, Fraction(held * function.provisioned_ns, megabytes * _NS_PER_S))
        measured = [
            *(service.quantities(book) for service in self.services),
            *(balancer.quantities(book) for balancer in self.balancers),
            *(endpoint.quantities() for endpoint in self.vpc_endpoints),
            *(pool.quantities() for pool in self.user_pools),
            *(one.quantities() for one in self.route_metrics),
            *(one.quantities(book) for one in self.logs),
            *(one.quantities() for one in self.traces),
        ]
        for meter, quantity in chain.from_iterable(measured):
            add(meter, quantity)
        return found

    def events(self) -> dict[str, Fraction]:
        """By meter, the calls behind units that metering makes of them: those of HTTP APIs."""
        calls = sum(api.events for api in self.apis if api.type == "http")
        return {API_METERS["http"]: Fraction(calls)} if calls else {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What this usage costs beyond what is counted."""
        notes = [
            f"private API {api.name}: no vpc_endpoints, so no privatelink.endpoint_hours"
            for api in self.apis
            if api.endpoint == "private" and not self.vpc_endpoints
        ]
        notes += chain.from_iterable(service.notes for service in self.services)
        notes += chain.from_iterable(endpoint.notes for endpoint in self.vpc_endpoints)
        notes += chain.from_iterable(log.notes for log in self.logs)
        return tuple(dict.fromkeys(notes))


def _kept_apart(service: ServiceUsage) -> tuple[str, ...]:
    """A table whose capacity was changed has one entry for each."""
    return service.name, str(service.read_capacity), str(service.capacity)


def _merged(entries: Iterable[T], key: Callable[[T], tuple[str, ...]]) -> tuple[T, ...]:
    merged: dict[tuple[str, ...], T] = {}
    for entry in entries:
        known = merged.get(key(entry))
        merged[key(entry)] = entry if known is None else _sum(known, entry)
    return tuple(merged.values())


def _sum(one: T, other: T) -> T:
    totals = {
        name: getattr(one, name) + getattr(other, name)
        for name in (
            "requests_charged", "bytes_out", "bytes_in", "connection_ns",
            "invocations", "billed_ms", "provisioned_ms", "provisioned_ns", "requests",
            "half_reads", "units", "bytes", "active_ns", "users", "traces", "events",
        )
        if hasattr(one, name)
    }  # fmt: skip
    if isinstance(one, ServiceUsage):
        # Known only in part in one of two windows, it is known only in part in both together.
        totals["is_shared_out"] = one.is_shared_out or other.is_shared_out
    if replace(one, **totals) != replace(other, **totals):
        raise ValueError(f"cannot add usage of two different things: {one} and {other}")
    return replace(one, **totals)
