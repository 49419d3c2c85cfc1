"""Ranges of a bill: every other reading, simulated, lies in what is said of it."""

import json
import re
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from apisim.pricing.ranges import Range
from apisim.results.result import Result
from apisim.results.text import summary
from apisim.scenario import loads
from apisim.studies import run

BASES = ("request_payload", "response_payload", "larger", "sum")


def evenly(rate: str, mix: dict[str, int], **more: Any) -> dict[str, Any]:
    phases = [{"duration": "10s", "rate": rate}]
    return {"arrivals": "uniform", "offset": 0, "phases": phases, "mix": mix, **more}


def simulated(**parts: Any) -> Result:
    return run(loads(json.dumps({"apisim": 1, "profile": "ideal", **parts})), engine="simpy")


def uploads(basis: str, request: Any, response: Any, **more: Any) -> Result:
    route = {"integration": {"type": "http_proxy", "endpoint": "store"}}
    route |= {"request_size": request, "response_size": response}
    return simulated(
        settings={"http_metering_basis": basis},
        apis={"a": {"type": "http", "routes": {"POST /u": route}}},
        endpoints={"store": {"servers": 100, "service_time": "1ms"}},
        traffic={"web": evenly("10", {"POST /u": 1})},
        **more,
    )


def of_case(result: Result, case: str) -> Range:
    (found,) = (one for one in result.bill.run_ranges if one.case == case)
    return found


def cases(result: Result) -> list[str]:
    return [one.case for one in result.bill.run_ranges]


@pytest.mark.parametrize(
    ("request_size", "response_size"),
    [
        ({"uniform": ["100KB", "2MB"]}, {"uniform": ["1KB", "3MB"]}),
        ({"exponential": "600KB"}, "5KB"),
        ("700KB", {"uniform": ["0B", "600KB"]}),
    ],
)
def test_every_basis_lies_in_the_range_of_every_other(
    request_size: Any, response_size: Any
) -> None:
    runs = {basis: uploads(basis, request_size, response_size) for basis in BASES}
    totals = [result.bill.run.exact_total for result in runs.values()]
    assert len(set(totals)) > 1
    for result in runs.values():
        found = of_case(result, "http_metering_basis")
        assert found.total_low <= min(totals)
        assert found.total_high >= max(totals)
        assert not found.is_exact


def test_sizes_that_do_not_vary_are_metered_exactly() -> None:
    runs = {basis: uploads(basis, "600KB", "1200KB") for basis in BASES}
    totals = [result.bill.run.exact_total for result in runs.values()]
    for result in runs.values():
        found = of_case(result, "http_metering_basis")
        assert (found.total_low, found.total_high) == (min(totals), max(totals))
        assert found.is_exact


def test_small_calls_are_one_unit_by_any_basis() -> None:
    assert cases(uploads("request_payload", "12KB", "46KB")) == []


def test_a_month_has_its_own_range() -> None:
    month = {"month": "project", "represents": "steady"}
    result = uploads("request_payload", "600KB", "3KB", pricing=month)
    (run_range,), (month_range,) = result.bill.run_ranges, result.bill.month_ranges
    assert month_range.low == run_range.low * 730 * 360
    assert result.bill.month is not None
    assert month_range.total_high == result.bill.month.exact_total


def test_the_summary_and_the_object_say_it() -> None:
    result = uploads("request_payload", "600KB", "3KB")
    assert result.to_dict()["bill"]["run"]["ranges"] == [
        {
            "case": "http_metering_basis",
            "setting": "settings.http_metering_basis",
            "low": "-0.0001",
            "high": "0",
            "total_low": "0.00012574920654296875",
            "total_high": "0.00022574920654296875",
            "kind": "exact",
            "why": "what the 512 KB of an HTTP API are measured on is not documented",
        }
    ]
    text = " ".join(summary(result).split())
    assert "total between $0.0001257 and $0.0002257: what the 512 KB of an HTTP API" in text


def chat(rounding: str) -> Result:
    return simulated(
        settings={"connection_minutes": rounding},
        apis={"chat": {"type": "websocket", "routes": {"say": {"integration": {"type": "mock"}}}}},
        traffic={
            "people": {
                "mix": {"say": 1},
                "sessions": {"population": 40, "length": {"uniform": ["61s", "5m"]},
                             "messages": "1/min", "until": "5m"},
            }
        },
    )  # fmt: skip


def test_every_way_to_round_minutes_lies_in_the_range_of_every_other() -> None:
    runs = {rounding: chat(rounding) for rounding in ("up", "exact", "nearest")}
    totals = [result.bill.run.exact_total for result in runs.values()]
    assert len(set(totals)) == 3
    for result in runs.values():
        found = of_case(result, "connection_minutes")
        assert found.total_low <= min(totals)
        assert found.total_high >= max(totals)


def test_upgrades_may_be_messages() -> None:
    found = of_case(chat("up"), "websocket_connect_disconnect")
    upgrades = found.high / Fraction(1, 1_000_000)
    assert upgrades >= 40
    assert found.low == 0


def read_otherwise(tmp_path: Path, rule: str, charge: str) -> str:
    """The packaged book with one charge rule the other way round."""
    text = files("apisim.pricing").joinpath("books/aws-us-east-1.yaml").read_text()
    other, n = re.subn(rf"({rule}:\s+\{{charge: )(true|false)", rf"\g<1>{charge}", text)
    assert n == 1
    file = tmp_path / "otherwise.yaml"
    file.write_text(other)
    return str(file)


def shop(type_: str, book: str = "aws-us-east-1") -> Result:
    """Requests that are served, not valid, or blocked by a web ACL."""
    stage: dict[str, Any] = {}
    route: dict[str, Any] = {"integration": {"type": "http_proxy", "endpoint": "store"}}
    if type_ == "rest":
        stage = {"waf": {"block": "30%"}}
        route = {"integration": {"type": "mock"}, "validate": {"reject": "20%"}}
    return simulated(
        apis={"a": {"type": type_, "stage": stage, "routes": {"GET /i": route}}},
        endpoints={"store": {"servers": 100, "service_time": "1ms"}},
        traffic={"web": evenly("20", {"GET /i": 1})},
        pricing={"book": book},
    )


@pytest.mark.parametrize(
    ("rule", "charge"),
    [("waf_blocked", "true"), ("request_validation_failure", "false")],
)
def test_an_open_charge_rule_read_otherwise_is_the_end_of_its_range(
    rule: str, charge: str, tmp_path: Path
) -> None:
    found = of_case(shop("rest"), rule)
    otherwise = shop("rest", read_otherwise(tmp_path, rule, charge)).bill.run.exact_total
    ends = {found.total_low, found.total_high}
    assert ends == {shop("rest").bill.run.exact_total, otherwise}
    assert found.is_exact
    assert rule in found.setting


def test_answers_of_mock_integrations_may_be_free() -> None:
    result = shop("rest")
    found = of_case(result, "mock_integration")
    served = result.requests.by_outcome["served"]
    assert (found.low, found.high) == (-served * Fraction(35, 10_000_000), 0)
    assert found.setting == ""


def test_an_official_rule_is_not_in_doubt() -> None:
    assert cases(shop("http")) == []
    assert "integration_response" not in cases(shop("rest"))


def test_a_book_without_rules_has_no_doubt_about_them() -> None:
    assert cases(shop("rest", "seed-chapter")) == []
