"""A projected month as a usage file of Infracost, which prices Terraform by it.

Resources have the scenario's names; whoever has others in Terraform renames them. Requests and
messages are **billed units**, with the size of one unit, so that Infracost's line is ours: an
average size would lose what each call is rounded up by. What Terraform itself says (memory of a
function, size of a cache, rules of a web ACL, hours) is not usage and not in the file; Infracost's
prices are its own.

Keys: ``internal/resources/aws`` of github.com/infracost/infracost. It has none for active users of
user pools and for detailed metrics by route, and only whole numbers for most.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from apisim.pricing.book import PriceBook
from apisim.pricing.exact import plain, rounded
from apisim.pricing.neighbours import ServiceUsage
from apisim.pricing.usage import ApiUsage, FunctionUsage, Usage
from apisim.pricing.windows import Window

__all__ = ["infracost_usage"]

_KB: Final = 1024
_NS_PER_MINUTE: Final = 60_000_000_000
_NAME: Final = re.compile(r"[^A-Za-z0-9_-]")
_HEAD: Final = """\
# Usage of a month as apisim projects it: infracost breakdown --usage-file infracost-usage.yml
# Names are the scenario's; requests and messages are billed units of the size that is given.
version: 0.1
"""

Keys = dict[str, int | Fraction | str]


@dataclass(frozen=True, slots=True)
class _Month:
    """Windows of all replications, each with how much of it a month has."""

    parts: tuple[tuple[Fraction, Usage], ...]

    def of(self, kind: str, name: str) -> Iterator[tuple[Fraction, Any]]:
        """Entries of one name, each with its weight."""
        for weight, usage in self.parts:
            for entry in getattr(usage, kind):
                if entry.name == name:
                    yield weight, entry

    def sum(self, kind: str, name: str, count: Callable[[Any], int | Fraction]) -> Fraction:
        """How much of something a month has."""
        return sum((weight * count(entry) for weight, entry in self.of(kind, name)), Fraction(0))

    def all(self, kind: str) -> list[Any]:
        """One entry for each name, in order."""
        found: dict[str, Any] = {}
        for _, usage in self.parts:
            for entry in getattr(usage, kind):
                found.setdefault(entry.name, entry)
        return list(found.values())


def infracost_usage(
    replications: Sequence[Sequence[Window]],
    factors: Sequence[Sequence[Fraction]],
    book: PriceBook,
    region: str,
) -> str:
    """Text of ``infracost-usage.yml``.

    Parameters
    ----------
    replications : sequence of sequences of Window
        The windows of each replication.
    factors : sequence of sequences of Fraction
        How many times a month each of them happens.
    book : PriceBook
        Says how large metered units and a GB are.
    region : str
        Where data is transferred from.
    """
    n = len(replications)
    month = _Month(
        tuple(
            (factor / n, window.usage)
            for windows, times in zip(replications, factors, strict=True)
            for window, factor in zip(windows, times, strict=True)
        )
    )
    resources = [
        *(_api(month, api, book) for api in month.all("apis")),
        *(_function(month, function) for function in month.all("functions")),
        *(
            found
            for service in month.all("services")
            if (found := _service(month, service, book)) is not None
        ),
        *_web_acls(month),
        *_network(month, book, region),
    ]
    lines = []
    for resource, keys in resources:
        lines.append(f"  {resource}:")
        lines += [f"    {key}: {_written(value)}" for key, value in keys.items()]
    body = ["resource_usage:", *lines] if lines else ["resource_usage: {}"]
    return _HEAD + "\n".join(body) + "\n"


def _api(month: _Month, api: ApiUsage, book: PriceBook) -> tuple[str, Keys]:
    def total(count: Callable[[ApiUsage], int | Fraction]) -> Fraction:
        return month.sum("apis", api.name, count)

    units = _whole(total(lambda one: one.requests_charged))
    if api.type == "rest":
        return f"aws_api_gateway_rest_api.{_named(api.name)}", {"monthly_requests": units}
    resource = f"aws_apigatewayv2_api.{_named(api.name)}"
    if api.type == "http":
        size = _unit_kb(book, "apigateway.http.requests")
        return resource, {"monthly_requests": units, "request_size_kb": size}
    minutes = total(lambda one: Fraction(one.connection_ns, _NS_PER_MINUTE))
    return resource, {
        "monthly_messages": units,
        "message_size_kb": _unit_kb(book, "apigateway.websocket.messages"),
        "monthly_connection_mins": _whole(minutes),
    }


def _unit_kb(book: PriceBook, meter: str) -> int:
    """Size of a unit; where the book has none, one that Infracost does not cut up."""
    known = book.meters.get(meter)
    increment = None if known is None else known.increment_bytes
    return 1 if increment is None else increment // _KB


def _function(month: _Month, function: FunctionUsage) -> tuple[str, Keys]:
    invocations = month.sum("functions", function.name, lambda one: one.invocations)
    billed = month.sum("functions", function.name, lambda one: one.billed_ms + one.provisioned_ms)
    return f"aws_lambda_function.{_named(function.name)}", {
        "monthly_requests": _whole(invocations),
        "request_duration_ms": _whole(billed / invocations) if invocations else 0,
    }


def _service(month: _Month, service: ServiceUsage, book: PriceBook) -> tuple[str, Keys] | None:
    found: dict[str, Fraction] = {}
    for weight, one in month.of("services", service.name):
        for meter, quantity in one.quantities(book):
            found[meter] = found.get(meter, Fraction(0)) + weight * quantity
    name = _named(service.name)
    if service.type == "dynamodb":
        keys = {
            "monthly_write_request_units": "dynamodb.on_demand.writes",
            "monthly_read_request_units": "dynamodb.on_demand.reads",
        }
        resource = f"aws_dynamodb_table.{name}"
    elif service.type == "sqs":
        kind = "fifo" if service.fifo else "standard"
        keys = {"monthly_requests": f"sqs.{kind}.requests"}
        resource = f"aws_sqs_queue.{name}"
    elif service.type == "sns":
        keys = {"monthly_requests": "sns.fifo.publishes" if service.fifo else "sns.publishes"}
        resource = f"aws_sns_topic.{name}"
    elif service.type == "step_functions":
        keys = {
            "monthly_transitions": "stepfunctions.standard.transitions",
            "monthly_requests": "stepfunctions.express.requests",
        }
        resource = f"aws_sfn_state_machine.{name}"
    elif service.type == "kinesis":
        keys = {
            "monthly_provisioned_put_units": "kinesis.provisioned.put_units",
            "monthly_on_demand_data_in_gb": "kinesis.on_demand.data_in",
        }
        resource = f"aws_kinesis_stream.{name}"
    else:
        keys = {"monthly_custom_events": "eventbridge.custom_events"}
        resource = f"aws_cloudwatch_event_bus.{name}"
    used: Keys = {
        key: found[meter] if key.endswith("_gb") else _whole(found[meter])
        for key, meter in keys.items()
        if meter in found
    }
    if service.type == "step_functions" and service.express and used:
        if service.execution_ms is not None:
            used["workflow_duration_ms"] = service.execution_ms
        if service.memory_mb is not None:
            used["memory_mb"] = service.memory_mb
    return (resource, used) if used else None


def _web_acls(month: _Month) -> Iterator[tuple[str, Keys]]:
    looked_at: dict[str, Fraction] = {}
    for weight, usage in month.parts:
        for acl in usage.wafs:
            name = _named(f"{acl.api}-{acl.stage}")
            looked_at[name] = looked_at.get(name, Fraction(0)) + weight * acl.requests
    for name, requests in looked_at.items():
        yield f"aws_wafv2_web_acl.{name}", {"monthly_requests": _whole(requests)}


def _network(month: _Month, book: PriceBook, region: str) -> Iterator[tuple[str, Keys]]:
    gigabyte = book.conventions.gigabyte_bytes
    out, private = Fraction(0), Fraction(0)
    for weight, usage in month.parts:
        for api in usage.apis:
            if api.endpoint == "private":
                private += weight * Fraction(api.bytes_in + api.bytes_out, gigabyte)
            else:
                out += weight * Fraction(api.bytes_out, gigabyte)
    if out:
        yield f"aws_data_transfer.{region}", {"region": region, "monthly_outbound_internet_gb": out}
    if private:
        # The bytes of all endpoints together: which of them carried what is not counted.
        yield "aws_vpc_endpoint.execute-api", {"monthly_data_processed_gb": private}


def _whole(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def _written(value: int | Fraction | str) -> str:
    if isinstance(value, Fraction):
        return plain(rounded(value, Decimal("0.000001")))
    return str(value)


def _named(name: str) -> str:
    """A name as Terraform may have it."""
    name = _NAME.sub("_", name)
    return name if name[:1].isalpha() or name[:1] == "_" else f"_{name}"
