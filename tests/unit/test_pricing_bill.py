"""The bill as it is read: JSON, printed rows, means."""

from decimal import Decimal
from fractions import Fraction

import pytest

from apisim.pricing import Bill, bill_section, dollars, load_book, mean_bill, rate

BOOK = load_book("aws-us-east-1")
CACHE = "apigateway.cache.1.6"
REST = "apigateway.rest.requests"


def test_the_json_of_a_bill() -> None:
    bill = rate(BOOK, {REST: 333_000_001}, free_tier="legacy-12-month")
    assert bill_section(run=bill) == {
        "currency": "USD",
        "book": "aws-us-east-1@2026.09.11",
        "run": {
            "total": "1162.0000028",
            "lines": [
                {
                    "meter": REST,
                    "description": BOOK.meters[REST].description,
                    "quantity": "333000001",
                    "unit": "Requests",
                    "amount": "1162.0000028",
                    "tiers": [
                        {
                            "quantity": "1000000",
                            "price_per_unit": "0",
                            "amount": "0",
                            "free_tier": "legacy-12-month",
                        },
                        {
                            "quantity": "332000000",
                            "price_per_unit": "0.0000035",
                            "amount": "1162",
                        },
                        {"quantity": "1", "price_per_unit": "0.0000028", "amount": "0.0000028"},
                    ],
                }
            ],
            "unpriced": [],
            "notes": [],
        },
    }


def test_the_json_of_a_month_stands_beside_the_runs() -> None:
    run, month = rate(BOOK, {REST: 1}), rate(BOOK, {REST: 2})
    assert bill_section(run=run, month=month)["month"] == month.to_dict()


def test_an_hour_that_no_decimal_can_hold_is_shown_to_the_books_precision() -> None:
    bill = rate(BOOK, {CACHE: Fraction(13, 60)})
    (line,) = bill.to_dict()["lines"]
    assert line["quantity"] == "0.2166666667"
    assert line["amount"] == bill.to_dict()["total"] == "0.0082333333"
    assert bill.exact_total == Fraction(13, 60) * Fraction("0.038")


def test_a_total_is_not_the_sum_of_rounded_lines() -> None:
    bill = rate(BOOK, {"elb.nlb.hours": 730, "elb.alb.hours": 730})
    assert [row.amount for row in bill.rows()] == ["$16.43", "$16.43"]
    assert bill.total == bill.invoice_total == Decimal("32.85")


def test_the_rows_of_the_printed_table() -> None:
    bill = rate(
        load_book("aws-apigateway-regions/eu-west-2"),
        {REST: 333_000_001, CACHE: Fraction(13, 60), "lambda.requests": 1_000},
        free_tier="legacy-12-month",
    )
    assert [tuple(row) for row in bill.rows()] == [
        (REST, "1,000,000", "Requests", "legacy-12-month", "$0.00"),
        ("", "332,000,000", "Requests", "$3.50 per million", "$1,162.00"),
        ("", "1", "Requests", "$3.33 per million", "$0.00000333"),
        (CACHE, "0.216667", "Hrs", "$0.038 per Hrs", "$0.008233"),
        ("lambda.requests", "1,000", "Requests", "unpriced", ""),
    ]


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("1234567.895", "$1,234,567.90"),
        ("1", "$1.00"),
        ("0.5", "$0.50"),
        ("0.123456", "$0.1235"),
        ("0.99999", "$1.00"),
        ("0.0000035", "$0.0000035"),
        ("-0.732", "-$0.732"),
        ("-21.96", "-$21.96"),
    ],
)
def test_amounts_are_printed_to_the_cent_or_to_four_digits(amount: str, text: str) -> None:
    assert dollars(Decimal(amount)) == text


# means of replications


def test_each_replication_is_rated_before_the_mean_is_taken() -> None:
    bills = [rate(BOOK, {REST: quantity}) for quantity in (0, 666_000_000)]
    mean = mean_bill(bills)
    assert mean.exact_total == sum(bill.exact_total for bill in bills) / 2
    assert mean.total < rate(BOOK, {REST: 333_000_000}).total
    (line,) = mean.lines
    assert [(row.tier, row.quantity) for row in line.rows] == [(0, 166_500_000), (1, 166_500_000)]


def test_the_mean_of_three_bills_is_exact_until_it_is_shown() -> None:
    mean = mean_bill([rate(BOOK, {REST: quantity}) for quantity in (1, 0, 0)])
    assert mean.exact_total == Fraction(35, 3 * 10**7)
    assert mean.total == Decimal("0.0000011667")


def test_the_mean_keeps_what_has_no_price_and_each_note_once() -> None:
    book = load_book("aws-apigateway-regions/us-west-2")
    bills = [rate(book, {REST: 1, "lambda.requests": quantity}) for quantity in (1, 2)]
    mean = mean_bill(bills)
    assert [(item.meter, item.quantity) for item in mean.unpriced] == [
        ("lambda.requests", Fraction(3, 2))
    ]
    assert mean.notes == bills[0].notes


def test_a_mean_needs_bills_by_one_book() -> None:
    with pytest.raises(ValueError, match="at least one bill"):
        mean_bill([])
    with pytest.raises(ValueError, match="different books"):
        mean_bill([rate(BOOK, {}), rate(load_book("seed-chapter"), {})])


def test_the_mean_of_one_bill_is_that_bill() -> None:
    bill: Bill = rate(BOOK, {REST: 400_000_000, CACHE: 2}, free_tier="legacy-12-month")
    assert mean_bill([bill]) == bill
