"""A bill as FOCUS rows, read back by programs that are not ours."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

from apisim.pricing import Bill, PriceBook, load_book, mean_bill, rate
from apisim.pricing.focus import FOCUS_COLUMNS, Charges, Period, focus_rows, to_focus_csv

REST, HTTP, CACHE = "apigateway.rest.requests", "apigateway.http.requests", "apigateway.cache.1.6"
CONTRACT = Path(__file__).resolve().parents[2] / "docs" / "prices" / "contract-prices.yaml"
LIST = load_book("aws-us-east-1")
#: Columns that FOCUS 1.2 does not allow to be null, of those that every row has.
NEVER_NULL = (
    "BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost", "EffectiveCost",
    "InvoiceIssuerName", "ListCost", "ProviderName", "PublisherName", "ServiceCategory",
    "ServiceName", "ServiceSubcategory",
)  # fmt: skip
USED = {
    REST: 21_000_000_000,
    HTTP: 9_720_000,
    CACHE: Fraction(1, 9),
    "datatransfer.out.internet": Decimal("20000.125"),
    "lambda.requests": 5,
    "waf.requests": 7,
    "elb.nlb.hours": 730,
}


def rows_of(
    bill: Bill, book: PriceBook = LIST, paid: Sequence[tuple[str, Fraction]] = (), **more: object
) -> list[dict[str, str]]:
    """Rows as another program reads them: every field is text."""
    period = Period.month_of(datetime(2026, 12, 5, 13, tzinfo=UTC))
    charges = Charges(bill=bill, book=book, period=period, credits=tuple(paid), **more)  # type: ignore[arg-type]
    return list(csv.DictReader(io.StringIO(to_focus_csv(focus_rows(charges)))))


def total(rows: list[dict[str, str]], column: str) -> Fraction:
    return sum((Fraction(row[column]) for row in rows), Fraction(0))


@pytest.mark.parametrize("book", [LIST, load_book(str(CONTRACT))], ids=lambda book: book.name)
def test_the_rules_of_the_specification_hold(book: PriceBook) -> None:
    bill = rate(book, USED, free_tier="always-free")
    rows = rows_of(bill, book, [("new account", Fraction(200))])
    assert list(rows[0]) == list(FOCUS_COLUMNS)
    for row in rows:
        assert all(row[column] for column in NEVER_NULL), row
        assert bool(row["ConsumedUnit"]) == bool(row["ConsumedQuantity"])
        if row["ChargeCategory"] == "Usage":
            quantity = Fraction(row["PricingQuantity"])
            assert Fraction(row["ListCost"]) == Fraction(row["ListUnitPrice"]) * quantity
            contracted = Fraction(row["ContractedUnitPrice"]) * quantity
            assert Fraction(row["ContractedCost"]) == contracted
            assert row["PricingCategory"] == "Standard"
            assert row["PricingUnit"]
    assert total(rows, "BilledCost") == Fraction(bill.total) - 200
    assert {row["ChargeCategory"] for row in rows} == {"Usage", "Adjustment", "Credit"}


def test_a_row_for_each_tier_has_awss_names_and_the_month() -> None:
    rows = rows_of(rate(LIST, {REST: 21_000_000_000}))
    assert [row["BilledCost"] for row in rows] == ["1165.5", "1867.6", "45220", "1510"]
    last = rows[-1]
    assert last["ServiceName"] == "Amazon API Gateway"
    assert (last["ServiceCategory"], last["ServiceSubcategory"]) == (
        "Integration",
        "API Management",
    )
    assert (last["x_UsageType"], last["x_Operation"]) == (
        "USE1-ApiGatewayRequest",
        "ApiGatewayRequest",
    )
    assert (last["SkuId"], last["RegionId"]) == ("KKDZ3TFSXUSMCZ3A", "us-east-1")
    assert last["ChargeDescription"].startswith("$1.51 per million - over 20,000,000,000 Requests")
    assert (last["BillingPeriodStart"], last["BillingPeriodEnd"]) == (
        "2026-12-01T00:00:00Z",
        "2027-01-01T00:00:00Z",
    )


def test_transfer_is_a_line_of_the_service_that_sends() -> None:
    (row,) = rows_of(rate(LIST, {"datatransfer.out.internet": 1}))
    assert (row["ServiceName"], row["x_ServiceCode"]) == ("Amazon API Gateway", "AWSDataTransfer")


def test_the_list_cost_of_a_contract_is_the_list_books() -> None:
    """Tiers of the contract and of the list end at different places: rows end at both."""
    book = load_book(str(CONTRACT))
    used = {REST: 600_000_000, "lambda.requests": 43_200_000, "waf.requests": 10}
    rows = rows_of(rate(book, used), book)
    assert total(rows, "ListCost") == rate(LIST, used).exact_total
    assert total(rows, "ContractedCost") == rate(book, used).exact_total
    of_rest = [row for row in rows if row["x_Meter"] == REST]
    assert [(row["PricingQuantity"], row["ListUnitPrice"]) for row in of_rest] == [
        ("333000000", "0.0000035"),
        ("167000000", "0.0000028"),
        ("100000000", "0.0000028"),
    ]


def test_the_mean_of_replications_keeps_its_list_cost() -> None:
    book = load_book(str(CONTRACT))
    used = [{REST: 400_000_000}, {REST: 600_000_000}]
    rows = rows_of(mean_bill([rate(book, one) for one in used]), book)
    by_list = sum((rate(LIST, one).exact_total for one in used), Fraction(0)) / 2
    assert total(rows, "ListCost") == by_list


def test_another_regions_prices_are_its_list_prices() -> None:
    book = load_book("aws-apigateway-regions/eu-west-2")
    (row,) = rows_of(rate(book, {REST: 1_000_000}), book)
    assert row["ListCost"] == row["ContractedCost"] == "3.5"
    assert (row["RegionId"], row["x_UsageType"]) == ("eu-west-2", "EUW2-ApiGatewayRequest")


def test_calls_are_consumed_and_units_priced() -> None:
    rows = rows_of(rate(LIST, {HTTP: 2_000}), events={HTTP: Fraction(1_000)})
    assert [(row["ConsumedQuantity"], row["PricingQuantity"]) for row in rows] == [("1000", "2000")]


def test_what_has_no_price_is_in_no_row() -> None:
    assert rows_of(rate(LIST, {"sns.fifo.publishes": 3})) == []


def test_pandas_reads_the_numbers() -> None:
    bill = rate(LIST, USED)
    period = Period.month_of(datetime(2026, 12, 5, tzinfo=UTC))
    text = to_focus_csv(focus_rows(Charges(bill=bill, book=LIST, period=period)))
    frame = pd.read_csv(io.StringIO(text), parse_dates=["ChargePeriodStart", "ChargePeriodEnd"])
    assert frame["BilledCost"].sum() == pytest.approx(float(bill.total))
    assert (frame["ChargePeriodEnd"] - frame["ChargePeriodStart"]).dt.days.unique() == [31]
    assert set(frame["ProviderName"]) == {"AWS"}
