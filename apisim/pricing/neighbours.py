"""What a run used of API Gateway's neighbours: services, load balancers, endpoints, user pools.

As in :mod:`apisim.pricing.usage`, everything is kept in the integers it was counted in, and what
lies between an event and a unit (64 KB of a message, 100 ms of an execution) is in the units of the
service's own price list. How much of what a load balancer carries makes a capacity unit is data of
the book.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from apisim.pricing.book import PriceBook
from apisim.pricing.counting import NS_PER_HOUR, check_counted, check_known

__all__ = [
    "BalancerUsage",
    "RouteMetricsUsage",
    "ServiceUsage",
    "UserPoolUsage",
    "VpcEndpointUsage",
]

_MS_PER_S: Final = 1_000
_S_PER_HOUR: Final = 3_600
_BYTES_PER_MB: Final = 1 << 20
#: Express executions are billed in steps of 100 ms and 64 MB (Step Functions pricing).
_STEP_MS: Final = 100
_STEP_MB: Final = 64
#: Records of a stream on demand are billed in whole KB (Kinesis Data Streams pricing) [bytes].
_RECORD_STEP: Final = 1 << 10

_SERVICES: Final = ("dynamodb", "sqs", "sns", "step_functions", "kinesis", "eventbridge")
#: Detailed metrics of a route that is called, by API type (developer guide, "Amazon API Gateway
#: dimensions and metrics", "Working with metrics for HTTP APIs", "Monitor WebSocket APIs").
_ROUTE_METRICS: Final = {"rest": 7, "http": 6, "websocket": 6}
_HOURS_PER_MONTH: Final = 730
_TIERS: Final = ("lite", "essentials", "plus")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceUsage:
    """What one AWS service was asked for.

    Attributes
    ----------
    name, type : str
        Name in the scenario, and which service.
    fifo, express : bool
        A FIFO queue or topic; an Express workflow.
    requests : int
        Requests that it took; of Step Functions executions.
    half_reads : int
        Halves of DynamoDB's read units.
    units : int
        DynamoDB's write units, payload units of 25 KB (Kinesis), chunks of 64 KB (SQS, SNS,
        EventBridge).
    is_provisioned : bool
        Whether it is paid by time: a table with capacity units, a stream.
    read_capacity, capacity : int
        What is held: read units of a table; its write units, shards, or the one stream on demand.
    provisioned_ns : int
        How long [ns].
    record_bytes : int or None
        Size of each record of a Kinesis stream on demand [bytes].
    transitions : int or None
        State transitions of one standard execution; None: nobody said.
    execution_ms, memory_mb : int or None
        Duration [ms] and memory [MB] of one Express execution; None: nobody said.
    is_shared_out : bool
        Whether its counts are those of the run, of which this is a share.
    """

    name: str
    type: str
    fifo: bool = False
    express: bool = False
    requests: int = 0
    half_reads: int = 0
    units: int = 0
    is_provisioned: bool = False
    read_capacity: int = 0
    capacity: int = 0
    provisioned_ns: int = 0
    record_bytes: int | None = None
    transitions: int | None = None
    execution_ms: int | None = None
    memory_mb: int | None = None
    is_shared_out: bool = False

    def __post_init__(self) -> None:
        check_known("type", self.type, _SERVICES)
        for name in (
            "requests", "half_reads", "units", "read_capacity", "capacity", "provisioned_ns",
        ):  # fmt: skip
            check_counted(name, getattr(self, name))

    def quantities(self, book: PriceBook) -> Iterator[tuple[str, Fraction]]:
        """Meters and quantities in their units."""
        if self.type == "dynamodb":
            yield from self._of_table()
        elif self.type == "kinesis":
            yield from self._of_stream(book)
        elif self.type == "step_functions":
            yield from self._of_workflow(book)
        elif self.type == "sqs":
            kind = "fifo" if self.fifo else "standard"
            yield f"sqs.{kind}.requests", Fraction(self.units)
        elif self.type == "sns":
            yield "sns.fifo.publishes" if self.fifo else "sns.publishes", Fraction(self.units)
        else:
            yield "eventbridge.custom_events", Fraction(self.units)

    def _of_table(self) -> Iterator[tuple[str, Fraction]]:
        if self.is_provisioned:
            hours = Fraction(self.provisioned_ns, NS_PER_HOUR)
            yield "dynamodb.provisioned.write_hours", self.capacity * hours
            yield "dynamodb.provisioned.read_hours", self.read_capacity * hours
        else:
            yield "dynamodb.on_demand.writes", Fraction(self.units)
            yield "dynamodb.on_demand.reads", Fraction(self.half_reads, 2)

    def _of_stream(self, book: PriceBook) -> Iterator[tuple[str, Fraction]]:
        held = Fraction(self.capacity * self.provisioned_ns, NS_PER_HOUR)
        if self.record_bytes is None:
            yield "kinesis.provisioned.shard_hours", held
            yield "kinesis.provisioned.put_units", Fraction(self.units)
        else:
            written = self.requests * max(_up_to(self.record_bytes, _RECORD_STEP), _RECORD_STEP)
            yield "kinesis.on_demand.stream_hours", held
            yield "kinesis.on_demand.data_in", Fraction(written, book.conventions.gigabyte_bytes)

    def _of_workflow(self, book: PriceBook) -> Iterator[tuple[str, Fraction]]:
        if not self.express:
            if self.transitions is not None:
                moved = Fraction(self.requests * self.transitions)
                yield "stepfunctions.standard.transitions", moved
            return
        yield "stepfunctions.express.requests", Fraction(self.requests)
        if self.execution_ms is not None and self.memory_mb is not None:
            ms = _up_to(self.execution_ms, _STEP_MS)
            memory_mb = _up_to(self.memory_mb, _STEP_MB)
            megabytes = book.conventions.gigabyte_bytes // _BYTES_PER_MB
            memory_time = Fraction(self.requests * ms * memory_mb, megabytes * _MS_PER_S)
            yield "stepfunctions.express.duration", memory_time

    @property
    def notes(self) -> Iterator[str]:
        """What is not counted, or not exactly."""
        if self.type == "step_functions" and not self.express and self.transitions is None:
            yield (
                f"workflow {self.name}: state transitions are not counted (transitions: says how "
                "many one execution makes)"
            )
        if self.type == "step_functions" and self.express and self.execution_ms is None:
            yield (
                f"workflow {self.name}: GB-seconds are not counted (execution_duration: says how "
                "long one execution takes)"
            )
        if self.is_shared_out and self.requests:
            yield (
                f"service {self.name}: what it took is known for the whole run, and shared among "
                "warm-up and phases by the calls that lead to it"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancerUsage:
    """What one load balancer behind a VPC link carried.

    Attributes
    ----------
    name : str
        Name of its endpoint in the scenario.
    kind : str
        ``nlb`` or ``alb``.
    provisioned_ns : int
        How long it was there [ns].
    requests : int
        Requests that the gateway sent to it.
    bytes : int
        Bytes of those requests and of their answers.
    active_ns : int
        Time that they took, added up [ns]: connections in use, integrated over time.
    requests_per_connection : int or None
        Requests that come over one connection; None: nobody said, and new ones are not counted.
    rule_evaluations : int
        Rules that an ALB evaluates for one request, without those that are free.
    """

    name: str
    kind: str
    provisioned_ns: int = 0
    requests: int = 0
    bytes: int = 0
    active_ns: int = 0
    requests_per_connection: int | None = None
    rule_evaluations: int = 0

    def __post_init__(self) -> None:
        check_known("kind", self.kind, ("nlb", "alb"))
        for name in ("provisioned_ns", "requests", "bytes", "active_ns", "rule_evaluations"):
            check_counted(name, getattr(self, name))

    def quantities(self, book: PriceBook) -> Iterator[tuple[str, Fraction]]:
        """Meters and quantities in their units.

        The largest of the dimensions counts. It is taken once for all the time, where AWS takes it
        hour by hour: the sum over hours in which different dimensions are the largest is more.
        """
        yield f"elb.{self.kind}.hours", Fraction(self.provisioned_ns, NS_PER_HOUR)
        units = "nlcu" if self.kind == "nlb" else "lcu"
        meter = book.meters.get(f"elb.{self.kind}.{units}_hours")
        if meter is None:
            return
        evaluated = Fraction(self.requests * self.rule_evaluations, _S_PER_HOUR)
        opened = Fraction(0)
        if self.requests_per_connection is not None:
            opened = Fraction(self.requests, self.requests_per_connection * _S_PER_HOUR)
        used = {
            "new_connections_per_second": opened,
            "gb_per_hour": Fraction(self.bytes, book.conventions.gigabyte_bytes),
            "active_connections": Fraction(self.active_ns, NS_PER_HOUR),
            "rule_evaluations_per_second": evaluated,
        }
        dimensions = [used[name] / Fraction(of_unit) for name, of_unit in meter.dimensions]
        yield meter.name, max(dimensions, default=Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcEndpointUsage:
    """How long one interface endpoint was there.

    Attributes
    ----------
    name : str
        Name in the scenario.
    zones : int or None
        Availability Zones it is in; None: nobody said.
    provisioned_ns : int
        How long it was there [ns].
    """

    name: str
    zones: int | None = None
    provisioned_ns: int = 0

    def __post_init__(self) -> None:
        check_counted("provisioned_ns", self.provisioned_ns)

    def quantities(self) -> Iterator[tuple[str, Fraction]]:
        """Meters and quantities in their units: a begun hour is a whole one."""
        hours = -(-self.provisioned_ns // NS_PER_HOUR)
        yield "privatelink.endpoint_hours", Fraction((self.zones or 0) * hours)

    @property
    def notes(self) -> Iterator[str]:
        """What is not counted."""
        if self.zones is None:
            yield (
                f"VPC endpoint {self.name}: hours are not counted (zones: says in how many "
                "Availability Zones it is: privatelink.endpoint_hours, one for each and hour)"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPoolUsage:
    """Users of one Cognito user pool who were active.

    Attributes
    ----------
    name : str
        Name of the population in the scenario.
    tier : str
        ``lite``, ``essentials`` or ``plus``.
    users : int
        Different users who signed in.
    population : int
        All users there are.
    """

    name: str
    tier: str
    users: int = 0
    population: int = 0

    def __post_init__(self) -> None:
        check_known("tier", self.tier, _TIERS)
        for name in ("users", "population"):
            check_counted(name, getattr(self, name))

    def quantities(self) -> Iterator[tuple[str, Fraction]]:
        """Meters and quantities in their units."""
        yield f"cognito.mau.{self.tier}", Fraction(self.users)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteMetricsUsage:
    """Detailed metrics of one route that was called.

    Attributes
    ----------
    api, route : str
        Whose they are.
    type : str
        ``rest``, ``http`` or ``websocket``.
    provisioned_ns : int
        Time in which it was called [ns].
    """

    api: str
    route: str
    type: str
    provisioned_ns: int = 0

    def __post_init__(self) -> None:
        check_known("type", self.type, tuple(_ROUTE_METRICS))
        check_counted("provisioned_ns", self.provisioned_ns)

    @property
    def metrics(self) -> int:
        """How many metrics these are."""
        return _ROUTE_METRICS[self.type]

    def quantities(self) -> Iterator[tuple[str, Fraction]]:
        """Meters and quantities in their units: prorated by the hour, a begun one is whole."""
        hours = -(-self.provisioned_ns // NS_PER_HOUR)
        yield "cloudwatch.metrics", Fraction(self.metrics * hours, _HOURS_PER_MONTH)


def _up_to(value: int, step: int) -> int:
    return -(-value // step) * step
