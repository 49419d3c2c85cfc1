"""Files of a run's bills for other programs, read back by other programs."""

import csv
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from apisim.results.files import write_files
from apisim.results.result import Result
from apisim.scenario import loads
from apisim.studies import run

HOUR_S = 3600
MONTH_S = 730 * HOUR_S


def evenly(rate: str, mix: dict[str, int]) -> dict[str, Any]:
    phases = [{"duration": "10s", "rate": rate}]
    return {"arrivals": "uniform", "offset": 0, "phases": phases, "mix": mix}


@pytest.fixture(scope="module")
def result() -> Result:
    """100 uploads of 600 KB, 50 reads of a table and 20 calls of a REST API in ten seconds."""
    upload: dict[str, Any] = {"integration": {"type": "lambda_proxy", "function": "keep-it"}}
    upload |= {"request_size": "600KB", "response_size": "1KB"}
    read = {"integration": {"type": "aws_service", "service": "items", "action": "GetItem"}}
    return run(
        loads(
            json.dumps(
                {
                    "apisim": 1,
                    "profile": "ideal",
                    "start": "2026-12-31T23:59:55Z",
                    "apis": {
                        "uploads": {"type": "http", "routes": {"POST /u": upload}},
                        "9shop": {"type": "rest", "routes": {"GET /i": read}},
                    },
                    "functions": {"keep-it": {"memory": "512MB", "duration": "40ms"}},
                    "services": {"items": {"type": "dynamodb", "latency": 0, "item_size": "7KB"}},
                    "traffic": {
                        "web": evenly("10", {"uploads POST /u": 1}),
                        "readers": evenly("5", {"9shop GET /i": 1}),
                    },
                    "pricing": {"month": "project", "represents": "steady"},
                }
            )
        ),
        engine="simpy",
    )


def read_focus(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_focus_rows_add_up_to_the_bills(result: Result, tmp_path: Path) -> None:
    names = [file.name for file in write_files(result, tmp_path)]
    assert {"focus.csv", "focus-month.csv", "infracost-usage.yml", "bill.csv"} <= set(names)
    assert result.bill.month is not None
    for name, bill in (("focus", result.bill.run), ("focus-month", result.bill.month)):
        rows = read_focus(tmp_path / f"{name}.csv")
        assert sum(Decimal(row["BilledCost"]) for row in rows) == bill.total
        (uploads,) = (row for row in rows if row["x_Meter"] == "apigateway.http.requests")
        # An upload of 600 KB is one call and two units.
        assert 2 * Decimal(uploads["ConsumedQuantity"]) == Decimal(uploads["PricingQuantity"])


def test_a_run_is_charged_when_it_was_and_a_month_in_its_month(
    result: Result, tmp_path: Path
) -> None:
    write_files(result, tmp_path)
    row, month = (read_focus(tmp_path / f"{name}.csv")[0] for name in ("focus", "focus-month"))
    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == (
        "2026-12-31T23:59:55Z",
        "2027-01-01T00:00:05Z",
    )
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == (
        month["ChargePeriodStart"],
        month["ChargePeriodEnd"],
    )
    assert month["ChargePeriodStart"] == "2026-12-01T00:00:00Z"


def test_infracost_is_told_the_months_units(result: Result, tmp_path: Path) -> None:
    write_files(result, tmp_path)
    read = YAML(typ="safe", pure=True).load(tmp_path / "infracost-usage.yml")
    times = MONTH_S // 10
    assert read["version"] == 0.1
    gigabytes = Fraction(100 * 1024 * times, 1 << 30)
    usage = read["resource_usage"]
    out = usage.pop("aws_data_transfer.us-east-1")
    assert usage == {
        "aws_apigatewayv2_api.uploads": {
            "monthly_requests": 200 * times,
            "request_size_kb": 512,
        },
        "aws_api_gateway_rest_api._9shop": {"monthly_requests": 50 * times},
        "aws_lambda_function.keep-it": {
            "monthly_requests": 100 * times,
            "request_duration_ms": 40,
        },
        "aws_dynamodb_table.items": {
            "monthly_read_request_units": 50 * times,
            "monthly_write_request_units": 0,
        },
    }
    assert out["region"] == "us-east-1"
    assert out["monthly_outbound_internet_gb"] >= gigabytes
