"""Worked pricing examples: read in place, metered from their inputs, rated by ``apisim price``."""

import contextlib
import io
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from apisim.cli.main import command_line
from apisim.pricing import (
    ApiUsage,
    CacheUsage,
    FunctionUsage,
    PriceBook,
    Usage,
    billable_units,
    load_book,
)

__all__ = ["FILE", "Rated", "examples_in", "metered", "quantities_in", "rated"]

#: Where the examples are, below the folder of real material.
FILE: Final = Path("aws") / "pricing-examples.yaml"

_HOUR_NS: Final = 3_600_000_000_000
_MINUTE_NS: Final = 60_000_000_000
_MINUTES_PER_DAY: Final = 24 * 60
#: Inputs that are a meter's quantity as they stand, with their meter.
_DIRECT: Final = {
    "web_acls": "waf.web_acls",
    "transitions": "stepfunctions.standard.transitions",
    "write_units": "dynamodb.on_demand.writes",
    "read_units": "dynamodb.on_demand.reads",
    "gigabytes": "privatelink.data_processed",
    "lambda_invocations": "lambda.requests",
}
_RULES: Final = ("rules", "rule_groups", "managed_rule_groups")


@dataclass(frozen=True)
class Rated:
    """What ``apisim price --json`` says of an example.

    Parameters
    ----------
    total, invoice : Decimal
        In full, and as an invoice has it.
    lines : mapping
        Amount by meter.
    tiers : mapping
        Quantity, price and amount of each tier, by meter.
    """

    total: Decimal
    invoice: Decimal
    lines: Mapping[str, Decimal]
    tiers: Mapping[str, list[tuple[Decimal, Decimal, Decimal]]]


def examples_in(shared: Path) -> dict[str, dict[str, Any]]:
    """The examples by name."""
    text = (shared / FILE).read_text(encoding="utf-8")
    read = YAML(typ="safe", pure=True).load(text)
    return {example["id"]: example for example in read["examples"]}


def quantities_in(example: Mapping[str, Any]) -> dict[str, str]:
    """Quantities of an example's lines, as they are written."""
    return {line["meter"]: line["quantity"] for line in example["line_items"]}


def rated(book: str, quantities: Mapping[str, str], free_tier: str = "none") -> Rated:
    """The bill of ``apisim price`` in this process; the quantities are in a file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "quantities.yaml"
        file.write_text(json.dumps(quantities), encoding="utf-8")
        raw = io.BytesIO()
        with contextlib.redirect_stdout(io.TextIOWrapper(raw, encoding="utf-8")) as out:
            options = ("--json", "--free-tier", free_tier, "--date", "2026-11-01")
            code = command_line(
                ["price", "--book", book, "--quantities", os.fspath(file), *options]
            )
            out.flush()
            printed = raw.getvalue()
    assert code == 0, f"{book}: apisim price ends with {code}"
    bill = json.loads(printed)
    assert not bill["unpriced"], bill["unpriced"]
    return Rated(
        Decimal(bill["total"]),
        Decimal(bill["invoice_total"]),
        {line["meter"]: Decimal(line["amount"]) for line in bill["lines"]},
        {
            line["meter"]: [
                tuple(Decimal(tier[key]) for key in ("quantity", "price_per_unit", "amount"))
                for tier in line["tiers"]
            ]
            for line in bill["lines"]
        },
    )


def metered(example: Mapping[str, Any]) -> dict[str, Fraction]:
    """Quantities that an example's inputs come to, by the package's own metering.

    Only those of the meters it bills: AWS's page leaves out transfer where it is not the point.
    """
    inputs = example["inputs"]
    book = load_book(example["pricebook"])
    found = dict(_usage(inputs, book).quantities(book))
    hours = Fraction(inputs.get("hours", "0"))
    for key, meter in _DIRECT.items():
        if key in inputs:
            found[meter] = Fraction(inputs[key])
    if "rules" in inputs:
        found["waf.rules"] = sum((Fraction(inputs[key]) for key in _RULES), Fraction(0))
    if "endpoint_availability_zones" in inputs:
        found["privatelink.endpoint_hours"] = hours * int(inputs["endpoint_availability_zones"])
    if "processed_gigabytes" in inputs:
        found["elb.nlb.hours"] = hours
        found["elb.nlb.nlcu_hours"] = Fraction(inputs["processed_gigabytes"])  # 1 GB each
    if "message_bytes" in inputs and "api" not in inputs:
        meter = "sqs.standard.requests"
        units = billable_units(book, meter, int(inputs["message_bytes"]))
        found[meter] = Fraction(int(inputs["requests"]) * units)
    billed = {line["meter"] for line in example["line_items"]}
    return {meter: quantity for meter, quantity in found.items() if meter in billed}


def _usage(inputs: Mapping[str, Any], book: PriceBook) -> Usage:
    """What the API, its caches and its function used, in the integers a run counts in."""
    sizes = inputs.get("cache_cluster_sizes") or [inputs.get("cache_cluster_size")]
    cache_hours = int(inputs.get("cache_hours") or inputs.get("hours") or 0)
    caches = tuple(
        CacheUsage(api="a", stage="s", size=size, provisioned_ns=cache_hours * _HOUR_NS)
        for size in sizes
        if size
    )
    functions = ()
    if "invocations" in inputs:
        calls = int(inputs["invocations"])
        functions = (
            FunctionUsage(
                name="f",
                memory_mb=int(inputs["memory_mb"]),
                architecture=inputs["architecture"],
                invocations=calls,
                billed_ms=calls * int(inputs["duration_ms"]),
            ),
        )
    if "api" not in inputs:
        return Usage(functions=functions)
    api = _websocket(inputs, book) if inputs["api"] == "websocket" else _api(inputs, book)
    return Usage(apis=(api,), caches=caches, functions=functions)


def _api(inputs: Mapping[str, Any], book: PriceBook) -> ApiUsage:
    calls = int(inputs.get("requests") or 0)
    if "requests_per_minute" in inputs:
        calls = int(inputs["requests_per_minute"]) * _MINUTES_PER_DAY * int(inputs["days"])
    meter = f"apigateway.{inputs['api']}.requests"
    one_in = Fraction(inputs.get("request_bytes", "0"))
    return ApiUsage(
        name="a",
        type=inputs["api"],
        endpoint="private" if inputs.get("endpoint_type") == "private" else "regional",
        requests_charged=calls * billable_units(book, meter, int(one_in)),
        bytes_in=int(calls * one_in),
        bytes_out=int(calls * Fraction(inputs.get("response_bytes", "0"))),
    )


def _websocket(inputs: Mapping[str, Any], book: PriceBook) -> ApiUsage:
    users, days = int(inputs.get("users", 0)), int(inputs.get("days", 1))
    messages = int(inputs.get("messages") or 0)
    minutes = int(inputs.get("connection_minutes") or 0)
    if users:
        hours = int(inputs.get("hours_per_day") or inputs["hours"])
        minutes = users * days * hours * 60
        each = sum(
            int(inputs.get(key, 0))
            for key in (
                "messages_per_user", "messages_sent_per_user_day", "messages_received_per_user_day",
            )
        )  # fmt: skip
        messages = users * days * each
    size = int(inputs.get("message_bytes", 1))
    units = billable_units(book, "apigateway.websocket.messages", size)
    return ApiUsage(
        name="a",
        type="websocket",
        requests_charged=messages * units,
        connection_ns=minutes * _MINUTE_NS,
    )
