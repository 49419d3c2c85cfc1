"""AWS services that an API calls without a function, and functions call: ``services:``."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import model_validator

from apisim.draws.distributions import Constant
from apisim.scenario.actions import ACTIONS
from apisim.scenario.api import Throttle
from apisim.scenario.distributions import PayloadDistribution, TimeDistribution
from apisim.scenario.fields import choice, duration, flag, share, size, whole
from apisim.scenario.model import Context, Finding, Model, as_written, fail_all
from apisim.scenario.routes import METHODS

__all__ = ["ON_HTTP_APIS", "Service", "ServiceType", "action_of"]

ServiceType = Literal["dynamodb", "sqs", "sns", "step_functions", "kinesis", "eventbridge"]

#: Services with integrations of their own on HTTP APIs (developer guide, "Integration subtype
#: reference"); AppConfig, the fifth, is not modelled.
ON_HTTP_APIS: Final = ("eventbridge", "sqs", "kinesis", "step_functions")

#: Keys that only some services have.
_ONLY: Final[dict[str, tuple[str, ...]]] = {
    "read_capacity_units": ("dynamodb",),
    "write_capacity_units": ("dynamodb",),
    "max_read_request_units": ("dynamodb",),
    "max_write_request_units": ("dynamodb",),
    "consistency": ("dynamodb",),
    "shards": ("kinesis",),
    "mode": ("kinesis",),
    "fifo": ("sqs", "sns"),
    "express": ("step_functions",),
    "transitions": ("step_functions",),
    "execution_duration": ("step_functions",),
    "execution_memory": ("step_functions",),
    "limit": ("sqs", "sns", "step_functions", "eventbridge"),
}
#: Requests a second and burst of us-east-1, from each service's page of quotas, 2025.
_QUOTAS: Final[dict[tuple[str, bool], dict[str, int]]] = {
    ("sqs", True): {"rate_limit": 300, "burst_limit": 300},
    ("sns", False): {"rate_limit": 30_000, "burst_limit": 30_000},
    ("sns", True): {"rate_limit": 3_000, "burst_limit": 3_000},
    ("step_functions", False): {"rate_limit": 300, "burst_limit": 1_300},
    ("step_functions", True): {"rate_limit": 6_000, "burst_limit": 6_000},
    ("eventbridge", False): {"rate_limit": 10_000, "burst_limit": 10_000},
}
_MOST_UNITS: Final = 10_000_000


class Service(Model):
    """An AWS service: how long it takes, and how much it takes.

    Attributes
    ----------
    type : str
        Which service.
    latency : Distribution
        Time of one request at the service [ns]. DynamoDB: p50 4 ms, p99 15 ms; the others p50
        10 ms, p99 60 ms (assumed).
    item_size : Distribution
        Size of the item, message, record or event [bytes], default 1 KB.
    errors : float
        Share of admitted requests that fail (500), in [0, 1], default 0.
    read_capacity_units, write_capacity_units : int or None
        Provisioned capacity of a DynamoDB table [units/s], both or none. Up to 300 s of what is not
        used is kept (documented). None: on demand.
    max_read_request_units, max_write_request_units : int or None
        Limits of a table on demand [units/s]. Default 12,000 and 4,000, what a new table takes at
        once (documented); one that has grown takes more.
    consistency : {"eventual", "strong", "transactional"}
        Of DynamoDB's reads and writes; transactions cost twice as much.
    shards : int
        Shards of a Kinesis stream, each 1 MiB and 1,000 records a second (documented); a record
        goes to any of them. Default 1; on demand 4, what a new stream takes (documented): give what
        it has grown to.
    mode : {"provisioned", "on_demand"}
        Capacity mode of a Kinesis stream: paid by the shard and hour, or by the stream's hours and
        what is written, each record in whole KB: ``item_size`` is then one size.
    fifo, express : bool
        A FIFO queue or topic; an Express workflow.
    transitions : int or None
        State transitions that one execution of a standard workflow makes, retries included: what is
        billed. None: they are not on the bill.
    execution_duration : int or None
        How long one execution of an Express workflow takes [ns], as it is billed. None: its
        GB-seconds are not on the bill.
    execution_memory : int
        Memory that an execution of an Express workflow uses [bytes], default 64 MB, the least that
        is billed.
    limit : Throttle or None
        Requests a second of the account. Default: the quota of us-east-1; a standard queue has
        none.
    """

    type: Annotated[ServiceType, choice(*ACTIONS)]
    latency: TimeDistribution
    item_size: PayloadDistribution = as_written("1KB")
    errors: Annotated[float, share()] = as_written(0)
    read_capacity_units: Annotated[int, whole(1, _MOST_UNITS)] | None = None
    write_capacity_units: Annotated[int, whole(1, _MOST_UNITS)] | None = None
    max_read_request_units: Annotated[int, whole(1, _MOST_UNITS)] | None = None
    max_write_request_units: Annotated[int, whole(1, _MOST_UNITS)] | None = None
    consistency: Annotated[
        Literal["eventual", "strong", "transactional"],
        choice("eventual", "strong", "transactional"),
    ] = "eventual"
    shards: Annotated[int, whole(1, 10_000)] = 1
    mode: Annotated[Literal["provisioned", "on_demand"], choice("provisioned", "on_demand")] = (
        "provisioned"
    )
    fifo: Annotated[bool, flag()] = False
    express: Annotated[bool, flag()] = False
    transitions: Annotated[int, whole(1, 25_000, "Step Functions")] | None = None
    execution_duration: Annotated[int, duration("1ms", "5m", "Step Functions")] | None = None
    execution_memory: Annotated[int, size("1MB", "10GB", multiple="1MB")] = as_written("64MB")
    limit: Throttle | None = None

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """The service's own latency and quota."""
        kind = data.get("type")
        filled: dict[str, Any] = {"latency": {"p50": "10ms", "p99": "60ms"}}
        if kind == "dynamodb":
            filled["latency"] = {"p50": "4ms", "p99": "15ms"}
        if kind == "kinesis" and data.get("mode") == "on_demand":
            filled["shards"] = 4
        special = data.get("fifo") is True or data.get("express") is True
        if isinstance(kind, str) and (kind, special) in _QUOTAS:
            filled["limit"] = _QUOTAS[kind, special]
        return {**filled, **data}

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        findings = []
        for key, owners in _ONLY.items():
            if key in self.model_fields_set and self.type not in owners:
                message = f"{self.type} has no {key}"
                findings.append(Finding((key,), message, f"it is a key of {', '.join(owners)}"))
        for key, is_wrong, of in (
            ("transitions", self.express, "standard"),
            ("execution_duration", not self.express, "Express"),
            ("execution_memory", not self.express, "Express"),
        ):
            if self.type == "step_functions" and key in self.model_fields_set and is_wrong:
                hint = f"remove the key, or write express: {str(not self.express).lower()}"
                findings.append(Finding((key,), f"is billed of {of} workflows only", hint))
        if self.mode == "on_demand" and not isinstance(self.item_size, Constant):
            message = "must be one size where a stream is paid by what is written"
            findings.append(Finding(("item_size",), message, "write e.g. item_size: 2KB"))
        reads, writes = self.read_capacity_units, self.write_capacity_units
        if self.type == "dynamodb" and (reads is None) != (writes is None):
            missing = "write" if writes is None else "read"
            message = f"{missing}_capacity_units is required too"
            findings.append(Finding((), message, "leave both out for a table on demand"))
        if reads is not None:
            for key in ("max_read_request_units", "max_write_request_units"):
                if getattr(self, key) is not None:
                    message = "is a limit of a table on demand"
                    findings.append(Finding((key,), message, "remove it, or the capacity units"))
        if findings:
            raise fail_all(findings)
        return self


def action_of(service: Service, written: str | None, method: str) -> str | None:
    """What a request does: as written, or what its method says; None where that says nothing."""
    actions = ACTIONS[service.type]
    if written is not None or len(actions) == 1:
        return written or actions[0]
    if method not in METHODS:
        return None
    return actions[0] if method in ("GET", "HEAD") else actions[1]
