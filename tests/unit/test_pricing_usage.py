"""What a run used, what of it is charged, and in which units."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from apisim.pricing import (
    ApiUsage,
    CacheUsage,
    FunctionUsage,
    Usage,
    WafUsage,
    billable_units,
    charge_table,
    load_book,
    metering_increment,
    rate,
)
from apisim.pricing.library import read_book_text
from apisim.scenario.problems import PricingError

BOOK = load_book("aws-us-east-1")
SEED = load_book("seed-chapter")


# usage


def test_adding_usage_adds_entry_by_entry() -> None:
    one = Usage(
        apis=(ApiUsage(name="a", requests_charged=1, bytes_out=2, bytes_in=3),),
        functions=(FunctionUsage(name="f", memory_mb=128, invocations=4, billed_ms=5),),
        caches=(CacheUsage(api="a", stage="prod", size="0.5", provisioned_ns=6),),
    )
    two = Usage(apis=(ApiUsage(name="b", type="http", requests_charged=7),))
    assert one + two + one == Usage(
        apis=(
            ApiUsage(name="a", requests_charged=2, bytes_out=4, bytes_in=6),
            ApiUsage(name="b", type="http", requests_charged=7),
        ),
        functions=(FunctionUsage(name="f", memory_mb=128, invocations=8, billed_ms=10),),
        caches=(CacheUsage(api="a", stage="prod", size="0.5", provisioned_ns=12),),
    )


def test_a_resized_cache_is_two_clusters() -> None:
    small, large = (
        Usage(caches=(CacheUsage(api="a", stage="prod", size=size, provisioned_ns=1),))
        for size in ("0.5", "1.6")
    )
    assert len((small + large).caches) == 2


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"apis": (ApiUsage(name="a"),)}, {"apis": (ApiUsage(name="a", type="http"),)}),
        (
            {"functions": (FunctionUsage(name="f", memory_mb=128),)},
            {"functions": (FunctionUsage(name="f", memory_mb=256),)},
        ),
    ],
)
def test_two_different_things_of_one_name_cannot_be_added(
    one: dict[str, Any], two: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="two different things"):
        Usage(**one) + Usage(**two)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ApiUsage(name="a", type="soap"),
        lambda: ApiUsage(name="a", endpoint="global"),
        lambda: ApiUsage(name="a", requests_charged=-1),
        lambda: ApiUsage(name="a", bytes_out=1.5),
        lambda: FunctionUsage(name="f", memory_mb=128, architecture="sparc"),
        lambda: FunctionUsage(name="f", memory_mb=128, invocations=True),
        lambda: CacheUsage(api="a", stage="prod", size="0.5", provisioned_ns=-1),
    ],
)
def test_usage_is_counted_in_whole_numbers_of_known_things(make: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        make()


def test_hours_of_a_cache_are_exact_where_no_decimal_is() -> None:
    cache = CacheUsage(api="a", stage="prod", size="1.6", provisioned_ns=780 * 10**9)
    assert Usage(caches=(cache,)).quantities(BOOK) == {"apigateway.cache.1.6": Fraction(13, 60)}


def test_gb_seconds_are_billed_milliseconds_times_memory() -> None:
    functions = (
        FunctionUsage(name="f", memory_mb=1769, invocations=3, billed_ms=7),
        FunctionUsage(name="g", memory_mb=128, architecture="arm64", invocations=2, billed_ms=1),
    )
    assert Usage(functions=functions).quantities(BOOK) == {
        "lambda.requests": 5,
        "lambda.duration.x86": Fraction(7 * 1769, 1024 * 1000),
        "lambda.duration.arm64": Fraction(128, 1024 * 1000),
    }


def test_what_was_not_used_has_no_quantity() -> None:
    nothing = Usage(apis=(ApiUsage(name="a"),), functions=(FunctionUsage(name="f", memory_mb=128),))
    assert nothing.quantities(BOOK) == {}


def test_meters_the_book_does_not_price_are_counted_all_the_same() -> None:
    function = FunctionUsage(name="f", memory_mb=512, invocations=1, billed_ms=2000)
    assert Usage(functions=(function,)).quantities(SEED)["lambda.duration.x86"] == 1


def test_a_private_api_says_which_of_its_costs_are_not_counted() -> None:
    (note,) = Usage(apis=(ApiUsage(name="inner", endpoint="private"),)).notes
    assert "inner" in note
    assert "privatelink.endpoint_hours" in note
    assert Usage(apis=(ApiUsage(name="outer"),)).notes == ()


# charge rules


def test_aws_charges_what_reaches_the_integration_and_not_what_it_refuses() -> None:
    assert charge_table(BOOK) == {
        "served": True,
        "cache_hit": True,
        "mock": True,
        "preflight": True,
        "throttled": False,
        "quota": False,
        "unauthorized": False,
        "forbidden": False,
        "authorizer_failed": True,
        "no_key": False,
        "blocked": False,
        "invalid": True,
        "not_found": True,
        "timeout": True,
        "backend_error": True,
        "backend_throttled": True,
        "cors_blocked": True,
        "sent": True,
        "connected": False,
        "no_token": False,
        "gone": False,
        "unavailable": False,
    }


def test_the_chapter_names_no_exemption_so_everything_is_charged() -> None:
    charged = charge_table(SEED)
    assert {outcome for outcome, is_charged in charged.items() if not is_charged} == {
        "no_token", "gone", "unavailable", "connected",
    }  # fmt: skip


def test_a_book_can_be_free_by_default() -> None:
    text = """\
schema: apisim/pricebook/v1
id: mine
version: "1"
region: here
currency: USD
conventions:
  gigabyte_bytes: "1000"
  line_item_precision: "0.01"
  invoice_rounding: {to: "0.01", mode: half_even}
sources: {S: {title: s, locator: s}}
meters:
  waf.requests: {unit: Requests, tiers: [{up_to: null, price_per_unit: "1"}], sources: [S]}
charge_rules:
  default: free
  outcomes: {cache_hit: {charge: true}, websocket_connect_disconnect: {charge: true}}
"""
    charged = charge_table(read_book_text("mine.yaml", text))
    found = [outcome for outcome, is_charged in charged.items() if is_charged]
    assert found == ["cache_hit", "connected"]


# units


@pytest.mark.parametrize(
    ("size_bytes", "units"), [(0, 1), (1, 1), (524_288, 1), (524_289, 2), (10 * 2**20, 20)]
)
def test_an_http_api_is_metered_in_512_kb(size_bytes: int, units: int) -> None:
    assert billable_units(BOOK, "apigateway.http.requests", size_bytes) == units


def test_a_rest_call_is_one_unit_whatever_its_size() -> None:
    assert billable_units(BOOK, "apigateway.rest.requests", 10 * 2**20) == 1
    assert billable_units(SEED, "apigateway.http.requests", 10 * 2**20) == 1


@pytest.mark.parametrize(("size_bytes", "units"), [(32_768, 1), (33 * 1024, 2), (131_072, 4)])
def test_a_websocket_message_is_metered_in_32_kb(size_bytes: int, units: int) -> None:
    assert billable_units(BOOK, "apigateway.websocket.messages", size_bytes) == units


def test_the_engine_is_told_the_increment_of_each_api_type() -> None:
    increments = [metering_increment(BOOK, kind) for kind in ("rest", "http", "websocket")]
    assert increments == [None, 524_288, 32_768]
    assert metering_increment(SEED, "http") is None


def test_units_of_an_unknown_meter_or_size_are_refused() -> None:
    with pytest.raises(PricingError, match=r"has no meter 'apigateway.htp.requests' \(did you"):
        billable_units(BOOK, "apigateway.htp.requests", 1)
    with pytest.raises(ValueError, match="size_bytes >= 0"):
        billable_units(BOOK, "apigateway.http.requests", -1)


# web ACLs


def test_a_web_acl_costs_its_rules_its_time_and_what_it_looks_at() -> None:
    waf = WafUsage(
        api="a", stage="prod", rules=3, provisioned_ns=73 * 3_600_000_000_000, requests=10**6
    )
    quantities = (Usage(wafs=(waf,)) + Usage(wafs=(waf,))).quantities(BOOK)
    assert quantities == {
        "waf.web_acls": Fraction(1, 5),
        "waf.rules": Fraction(3, 5),
        "waf.requests": 2 * 10**6,
    }
    # 5 a month, 1 a rule and month, 0.60 a million requests.
    amounts = {line.meter.name: line.amount for line in rate(BOOK, quantities).lines}
    assert amounts == {
        "waf.web_acls": Decimal(1),
        "waf.rules": Decimal("0.6"),
        "waf.requests": Decimal("1.2"),
    }
