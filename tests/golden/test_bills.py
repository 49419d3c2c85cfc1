"""Published bills, to the last digit: AWS's pricing page, Infracost's golden files, the chapter."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from apisim.pricing import (
    ApiUsage,
    CacheUsage,
    FunctionUsage,
    Usage,
    billable_units,
    load_book,
    rate,
)

HOUR_NS = 3_600_000_000_000
GIGABYTE = 1 << 30


@pytest.fixture(scope="session")
def examples(shared: Path) -> dict[str, dict[str, Any]]:
    file = shared / "aws" / "pricing-examples.yaml"
    if not file.is_file():
        pytest.skip(f"no worked pricing examples: {file} is missing")
    read = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    return {example["id"]: example for example in read["examples"]}


def billed(book: str, quantities: dict[str, Any]) -> Decimal:
    return rate(load_book(book), quantities).total


@pytest.mark.real
def test_every_published_example_is_rated_to_the_exact_total(
    examples: dict[str, dict[str, Any]],
) -> None:
    assert len(examples) >= 26
    for name, example in examples.items():
        if not example["line_items"]:
            continue
        bill = rate(
            load_book(example["pricebook"]),
            {item["meter"]: Decimal(item["quantity"]) for item in example["line_items"]},
            free_tier=example["free_tier"],
        )
        assert bill.total == Decimal(example["total"]["exact"]), name
        assert bill.invoice_total == Decimal(example["total"]["rounded"]), name
        assert not bill.unpriced, name
        for item in example["line_items"]:
            line = bill.line(item["meter"])
            assert line is not None, name
            assert line.amount == Fraction(item["amount"]), name
            tiers = item.get("tiers") or [item]
            assert [row.quantity for row in line.rows] == [Fraction(t["quantity"]) for t in tiers]
            assert [row.price_per_unit for row in line.rows] == [
                Decimal(tier["price_per_unit"]) for tier in tiers
            ]


@pytest.mark.real
def test_the_chapters_saving_by_a_cache_is_a_loss(examples: dict[str, dict[str, Any]]) -> None:
    saving = examples["seed-caching-savings"]
    totals = [
        billed(
            "seed-chapter",
            {item["meter"]: Decimal(item["quantity"]) for item in examples[name]["line_items"]},
        )
        for name in (saving["inputs"]["without"], saving["inputs"]["with"])
    ]
    assert totals[0] - totals[1] == Decimal(saving["total"]["exact"]) == Decimal("-0.732")


@pytest.mark.parametrize(
    ("book", "quantities", "total"),
    [
        ("aws-us-east-1", {"apigateway.rest.requests": 21_000_000_000}, "49763.10"),
        ("aws-us-east-1", {"apigateway.rest.requests": 500_000_000}, "1633.10"),
        ("aws-us-east-1", {"apigateway.http.requests": 1_000_000_000}, "930.00"),
        (
            "aws-us-east-1",
            {
                "apigateway.websocket.messages": 1_500_000_000,
                "apigateway.websocket.connection_minutes": 10_000_000,
            },
            "1402.50",
        ),
        ("aws-us-east-1", {"apigateway.cache.237": 730}, "2774.00"),
        ("seed-chapter", {"apigateway.cache.237": 730}, "2920.00"),
        ("aws-us-east-1", {"apigateway.cache.0.5": 730}, "14.60"),
        ("seed-chapter", {"apigateway.rest.requests": 100_000_000}, "350"),
        ("seed-chapter", {"apigateway.http.requests": 100_000_000}, "100"),
        (
            "seed-chapter",
            {
                "apigateway.websocket.connection_minutes": 60_000,
                "apigateway.websocket.messages": 100_000,
            },
            "0.115",
        ),
    ],
)
def test_oracle_bills(book: str, quantities: dict[str, Any], total: str) -> None:
    assert billed(book, quantities) == Decimal(total)


def test_tiers_apply_to_the_accounts_total_not_to_each_api() -> None:
    book = load_book("aws-us-east-1")
    one = Usage(apis=(ApiUsage(name="a", type="http", requests_charged=200_000_000),))
    other = Usage(apis=(ApiUsage(name="b", type="http", requests_charged=200_000_000),))
    assert rate(book, (one + other).quantities(book)).total == Decimal(390)
    assert rate(book, one.quantities(book)).total * 2 == Decimal(400)


@pytest.mark.parametrize(
    ("memory_mb", "duration_ms", "without", "with_cache"),
    [(128, 100, "3.91", "4.45"), (1024, 500, "12.03", "5.27")],
)
def test_the_sign_of_a_caches_worth_depends_on_the_function(
    memory_mb: int, duration_ms: int, without: str, with_cache: str
) -> None:
    """The chapter's day of 1 M calls, 90 % hits and a 1.6 GB cache, with real prices."""
    book = load_book("aws-us-east-1")

    def day(invocations: int, cache_hours: int) -> Decimal:
        usage = Usage(
            apis=(ApiUsage(name="shop", requests_charged=1_000_000),),
            functions=(
                FunctionUsage(
                    name="f",
                    memory_mb=memory_mb,
                    invocations=invocations,
                    billed_ms=invocations * duration_ms,
                ),
            ),
            caches=(
                CacheUsage(
                    api="shop", stage="prod", size="1.6", provisioned_ns=cache_hours * HOUR_NS
                ),
            ),
        )
        return rate(book, usage.quantities(book)).invoice_total

    assert day(1_000_000, 0) == Decimal(without)
    assert day(100_000, 24) == Decimal(with_cache)


def test_metering_is_per_request_then_summed() -> None:
    book = load_book("aws-us-east-1")
    small, large = (
        billable_units(book, "apigateway.http.requests", size * 1024) for size in (10, 600)
    )
    mean_size = (9 * 10 + 600) * 1024 // 10
    assert Fraction(9 * small + large, 10) == Fraction(11, 10)
    assert billable_units(book, "apigateway.http.requests", mean_size) == 1


class TestQuantitiesOfPublishedExamples:
    """From the inputs of the examples to the quantities on their lines."""

    book = load_book("aws-us-east-1")

    def quantities(self, **parts: Any) -> dict[str, Fraction]:
        return Usage(**parts).quantities(self.book)

    def line(self, examples: dict[str, dict[str, Any]], name: str, meter: str) -> Fraction:
        items = {item["meter"]: item["quantity"] for item in examples[name]["line_items"]}
        return Fraction(items[meter])

    @pytest.mark.real
    @pytest.mark.parametrize(
        ("name", "calls"),
        [
            ("aws-http-page-loads", 10_000 * 60 * 24 * 30),
            ("aws-http-document-uploads", 25 * 60 * 24 * 30),
            ("infracost-http-1b", 1_000_000_000),
        ],
    )
    def test_http_units(self, examples: dict[str, dict[str, Any]], name: str, calls: int) -> None:
        meter = "apigateway.http.requests"
        units = billable_units(self.book, meter, int(examples[name]["inputs"]["request_bytes"]))
        api = ApiUsage(name="a", type="http", requests_charged=calls * units)
        assert self.quantities(apis=(api,))[meter] == self.line(examples, name, meter)

    @pytest.mark.real
    def test_transfer_out_of_a_regional_api(self, examples: dict[str, dict[str, Any]]) -> None:
        api = ApiUsage(name="a", requests_charged=5_000_000, bytes_out=5_000_000 * 3072)
        found = self.quantities(apis=(api,))
        for meter in ("apigateway.rest.requests", "datatransfer.out.internet"):
            assert found[meter] == self.line(examples, "aws-rest-5m-3kb", meter)

    @pytest.mark.real
    def test_a_private_api_pays_for_both_directions_and_no_transfer_out(
        self, examples: dict[str, dict[str, Any]]
    ) -> None:
        api = ApiUsage(
            name="a",
            endpoint="private",
            requests_charged=5_000_000,
            bytes_in=5_000_000 * 3072 // 10,
            bytes_out=5_000_000 * 3072,
        )
        found = self.quantities(apis=(api,))
        meter = "privatelink.data_processed"
        assert found[meter] == self.line(examples, "aws-private-rest-5m", meter)
        assert "datatransfer.out.internet" not in found

    @pytest.mark.real
    def test_websocket_messages_and_minutes(self, examples: dict[str, dict[str, Any]]) -> None:
        meter = "apigateway.websocket.messages"
        api = ApiUsage(
            name="chat",
            type="websocket",
            requests_charged=600 * 1_000 * 30 * billable_units(self.book, meter, 3072),
            connection_ns=1_000 * 12 * 60 * 30 * 60_000_000_000,
        )
        found = self.quantities(apis=(api,))
        for meter in found:
            assert found[meter] == self.line(examples, "aws-websocket-chat", meter)

    @pytest.mark.real
    @pytest.mark.parametrize("name", ["infracost-lambda-512mb", "blog-lambda-128mb"])
    def test_lambda_requests_and_gb_seconds(
        self, examples: dict[str, dict[str, Any]], name: str
    ) -> None:
        inputs = examples[name]["inputs"]
        invocations = int(inputs["invocations"])
        function = FunctionUsage(
            name="f",
            memory_mb=int(inputs["memory_mb"]),
            architecture=inputs["architecture"],
            invocations=invocations,
            billed_ms=invocations * int(inputs["duration_ms"]),
        )
        found = self.quantities(functions=(function,))
        for meter in ("lambda.requests", "lambda.duration.x86"):
            assert found[meter] == self.line(examples, name, meter)

    @pytest.mark.real
    def test_a_days_cache_hours(self, examples: dict[str, dict[str, Any]]) -> None:
        cache = CacheUsage(api="a", stage="prod", size="1.6", provisioned_ns=24 * HOUR_NS)
        found = self.quantities(caches=(cache,))
        meter = "apigateway.cache.1.6"
        assert found == {meter: self.line(examples, "aws-cache-1.6gb-day", meter)}

    @pytest.mark.real
    def test_sqs_units(self, examples: dict[str, dict[str, Any]]) -> None:
        inputs = examples["infracost-sqs"]["inputs"]
        units = billable_units(self.book, "sqs.standard.requests", int(inputs["message_bytes"]))
        assert int(inputs["requests"]) * units == self.line(
            examples, "infracost-sqs", "sqs.standard.requests"
        )

    def test_a_byte_more_than_512_kb_doubles_the_price(self) -> None:
        meter = "apigateway.http.requests"
        assert billable_units(self.book, meter, 524_288) == 1
        assert billable_units(self.book, meter, 524_289) == 2

    def test_a_gigabyte_is_two_to_the_thirty_bytes(self) -> None:
        found = self.quantities(apis=(ApiUsage(name="a", bytes_out=GIGABYTE),))
        assert found == {"datatransfer.out.internet": 1}


@pytest.mark.real
def test_regional_prices_are_those_that_were_read(shared: Path) -> None:
    """The package's overlay against the price list figures it was made from."""
    file = shared / "aws" / "pricebooks" / "aws-apigateway-regions.yaml"
    if not file.is_file():
        pytest.skip(f"no regional figures: {file} is missing")
    read = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    first = {
        "apigateway.http.requests": {
            region: terms["price_per_unit"] for region, terms in read["http_first_tier"].items()
        },
        "datatransfer.out.internet": read["data_transfer_out_first_10tb"],
    }
    assert len(first["apigateway.http.requests"]) == 22
    for meter, prices in first.items():
        for region, price in prices.items():
            book = load_book(f"aws-apigateway-regions/{region}")
            assert book.meters[meter].tiers[0].price_per_unit == Decimal(price), region
    for region, terms in read["regions"].items():
        book = load_book(f"aws-apigateway-regions/{region}")
        for meter, priced in terms["meters"].items():
            tiers = [(tier["up_to"], Decimal(tier["price_per_unit"])) for tier in priced["tiers"]]
            assert [
                (None if tier.up_to is None else str(tier.up_to), tier.price_per_unit)
                for tier in book.meters[meter].tiers
            ] == tiers, (region, meter)
            assert book.meters[meter].sku == priced.get("sku", book.meters[meter].sku)


@pytest.mark.real
def test_the_packages_books_price_what_the_sources_say(shared: Path) -> None:
    for name in ("aws-us-east-1", "seed-chapter"):
        file = shared / "aws" / "pricebooks" / f"{name}.yaml"
        if not file.is_file():
            pytest.skip(f"no price book to compare with: {file} is missing")
        source, ours = load_book(file), load_book(name)
        assert {meter: known.tiers for meter, known in ours.meters.items()} == {
            meter: known.tiers for meter, known in source.meters.items()
        }
        assert ours.charge_rules == source.charge_rules
        assert ours.reference.partition("@")[2] == source.reference.partition("@")[2]
