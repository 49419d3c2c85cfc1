"""Rating by hand: tiers, month to date, free tiers, what has no price, and exact numbers."""

from datetime import date
from decimal import Context, Decimal, localcontext
from fractions import Fraction

import pytest

from apisim.pricing import SettingError, TierRow, load_book, rate
from apisim.pricing.exact import as_decimal, as_fraction, plain, rounded

REST = "apigateway.rest.requests"
HTTP = "apigateway.http.requests"
OUT = "datatransfer.out.internet"
BOOK = load_book("aws-us-east-1")


def row(tier: int, quantity: int | str, price: str) -> TierRow:
    return TierRow(tier=tier, quantity=Fraction(quantity), price_per_unit=Decimal(price))


def test_a_quantity_is_cut_at_the_tiers_ends() -> None:
    line = rate(BOOK, {REST: 1_500_000_000}).line(REST)
    assert line is not None
    assert line.rows == (
        row(0, 333_000_000, "0.0000035000"),
        row(1, 667_000_000, "0.0000028000"),
        row(2, 500_000_000, "0.0000023800"),
    )


def test_the_end_of_a_tier_belongs_to_the_tier() -> None:
    at_the_end = rate(BOOK, {HTTP: 300_000_000})
    one_more = rate(BOOK, {HTTP: 300_000_001})
    assert at_the_end.total == Decimal(300)
    assert one_more.total - at_the_end.total == Decimal("0.0000009")


def test_what_was_used_before_fills_the_tiers_first() -> None:
    bill = rate(BOOK, {HTTP: 200_000_000}, month_to_date={HTTP: Decimal(200_000_000)})
    assert bill.total == Decimal(100) + Decimal(90)


def test_an_unused_meter_of_month_to_date_gives_no_line() -> None:
    bill = rate(BOOK, {HTTP: 1}, month_to_date={REST: Decimal(5)})
    assert [line.meter.name for line in bill.lines] == [HTTP]


# free tier


@pytest.mark.parametrize(
    ("before", "quantity", "total"),
    [(0, 1_000_000, "0"), (0, 1_000_001, "0.0000035"), (999_999, 2, "0.0000035"), (2**30, 1, "0")],
)
def test_a_free_tier_grants_the_first_units_of_the_month(
    before: int, quantity: int, total: str
) -> None:
    bill = rate(BOOK, {REST: quantity}, month_to_date={REST: before}, free_tier="legacy-12-month")
    price_after_333_m = Decimal("0.0000023800")
    assert bill.total == (Decimal(total) if before < 2**30 else price_after_333_m)


def test_free_units_use_up_the_first_tier() -> None:
    granted = rate(BOOK, {HTTP: 300_000_001}, free_tier="legacy-12-month")
    assert granted.total == Decimal(299) + Decimal("0.0000009")


def test_cognitos_bands_begin_after_its_free_users() -> None:
    users = "cognito.mau.lite"
    assert rate(BOOK, {users: 100_000}, free_tier="always-free").total == Decimal(495)
    assert rate(BOOK, {users: 100_001}, free_tier="always-free").total == Decimal("495.0046")
    later = rate(BOOK, {users: 1}, month_to_date={users: 100_000}, free_tier="always-free")
    assert later.total == Decimal("0.0046")


def test_a_free_tier_is_only_applied_by_name() -> None:
    assert rate(BOOK, {REST: 10}).total == Decimal("0.000035")
    assert rate(BOOK, {REST: 10}, free_tier="always-free").total == Decimal("0.000035")
    assert rate(BOOK, {REST: 10}, free_tier="legacy-12-month").total == 0


def test_two_plans_can_be_asked_for_together() -> None:
    bill = rate(
        BOOK, {REST: 10, "lambda.requests": 10}, free_tier=("legacy-12-month", "always-free")
    )
    assert bill.total == 0
    assert [r.free_tier for line in bill.lines for r in line.rows] == [
        "legacy-12-month",
        "always-free",
    ]


def test_an_unknown_free_tier_is_a_problem_of_that_setting() -> None:
    with pytest.raises(SettingError) as caught:
        rate(BOOK, {}, free_tier="forever")
    assert caught.value.path == ("pricing", "free_tier")
    assert str(caught.value) == (
        "pricing.free_tier: price book aws-us-east-1@2026.09.11 has no free tier 'forever' "
        "(it has: none, always-free, legacy-12-month)"
    )


def test_an_unknown_meter_of_month_to_date_is_a_problem_of_that_setting() -> None:
    with pytest.raises(SettingError, match=r"did you mean apigateway\.rest\.requests") as caught:
        rate(BOOK, {}, month_to_date={"apigateway.rest.request": 1})
    assert caught.value.path == ("pricing", "month_to_date", "apigateway.rest.request")


# what has no price


def test_a_meter_without_a_price_is_reported_and_not_charged() -> None:
    bill = rate(load_book("aws-apigateway-regions/eu-west-2"), {REST: 10, OUT: Decimal("1.5")})
    assert bill.total == Decimal("0.000035")
    (unpriced,) = bill.unpriced
    assert (unpriced.meter, unpriced.quantity, unpriced.unit) == (OUT, Fraction(3, 2), "GB")
    assert "no price for it in eu-west-2" in unpriced.note


def test_what_lies_above_the_last_known_tier_is_reported_and_not_charged() -> None:
    bill = rate(load_book("aws-apigateway-regions/eu-central-1"), {REST: 333_000_001})
    assert bill.total == Decimal("1232.1")
    (unpriced,) = bill.unpriced
    assert (unpriced.meter, unpriced.quantity) == (REST, 1)
    assert "only the price of the first tier is known" in unpriced.note


def test_nothing_is_said_about_tiers_that_are_not_reached() -> None:
    bill = rate(load_book("aws-apigateway-regions/eu-central-1"), {REST: 1})
    assert bill.unpriced == ()
    assert bill.notes == ()


def test_usage_wholly_above_the_last_known_tier_gives_no_line() -> None:
    book = load_book("aws-apigateway-regions/eu-central-1")
    bill = rate(book, {REST: 5}, month_to_date={REST: 333_000_000})
    assert bill.lines == ()
    assert bill.unpriced[0].quantity == 5


def test_a_price_taken_over_from_another_region_is_noted() -> None:
    bill = rate(load_book("aws-apigateway-regions/us-west-2"), {REST: 1})
    assert bill.notes[0].startswith("apigateway.rest.requests: AWS's examples give one price")


def test_the_chapters_reason_for_leaving_out_lambda_duration_is_given() -> None:
    bill = rate(load_book("seed-chapter"), {"lambda.duration.x86": 1})
    assert "leaves out Lambda duration" in bill.unpriced[0].note
    assert bill.unpriced[0].unit == "Lambda-GB-Second"


# age of the book


@pytest.mark.parametrize(
    ("today", "is_old"),
    [
        (None, False),
        (date(2026, 1, 1), False),
        (date(2027, 9, 11), False),
        (date(2027, 9, 12), True),
    ],
)
def test_a_book_older_than_a_year_is_named(today: date | None, is_old: bool) -> None:
    notes = rate(BOOK, {REST: 1}, today=today).notes
    assert bool(notes) == is_old
    if is_old:
        assert "are of 2026-09-11, 366 days before 2027-09-12" in notes[0]


def test_a_book_without_a_date_has_no_age() -> None:
    assert rate(load_book("seed-chapter"), {REST: 1}, today=date(2099, 1, 1)).notes == ()


# numbers


@pytest.mark.parametrize("quantity", [0.5, True, "10", None])
def test_a_binary_float_is_no_quantity(quantity: object) -> None:
    with pytest.raises(TypeError, match="need an int, a Decimal or a Fraction"):
        rate(BOOK, {REST: quantity})  # type: ignore[dict-item]


@pytest.mark.parametrize("quantity", [-1, Decimal("-0.1"), Decimal("NaN"), Decimal("Infinity")])
def test_a_quantity_is_finite_and_not_negative(quantity: Decimal) -> None:
    with pytest.raises(ValueError, match=r"at least 0|finite"):
        rate(BOOK, {REST: quantity})


def test_a_finite_decimal_is_exact_whatever_the_callers_context() -> None:
    with localcontext(Context(prec=3)):
        bill = rate(BOOK, {OUT: Decimal("123456789.123456789")})
        assert as_decimal(Fraction(1, 2**20), Decimal(1)) == Decimal("0.00000095367431640625")
        total = bill.total
    assert Fraction(total) == bill.exact_total


@pytest.mark.parametrize(
    ("value", "step", "expected"),
    [
        (Fraction(1, 3), "0.01", "0.33"),
        (Fraction(2, 3), "0.0000000001", "0.6666666667"),
        (Fraction(1, 2**10), "1", "0.0009765625"),
        (Fraction(-5, 3), "0.1", "-1.7"),
        (Fraction(7), "0.01", "7"),
    ],
)
def test_only_what_is_not_finite_in_decimal_is_rounded(
    value: Fraction, step: str, expected: str
) -> None:
    assert as_decimal(value, Decimal(step)) == Decimal(expected)


@pytest.mark.parametrize(
    ("value", "mode", "expected"),
    [
        ("0.125", "ROUND_HALF_UP", "0.13"),
        ("-0.125", "ROUND_HALF_UP", "-0.13"),
        ("0.125", "ROUND_HALF_EVEN", "0.12"),
        ("0.135", "ROUND_HALF_EVEN", "0.14"),
        ("0.1249", "ROUND_HALF_UP", "0.12"),
    ],
)
def test_rounding_agrees_with_decimals_own(value: str, mode: str, expected: str) -> None:
    cent = Decimal("0.01")
    assert rounded(Fraction(value), cent, mode) == Decimal(expected)
    assert Decimal(value).quantize(cent, rounding=mode) == Decimal(expected)


@pytest.mark.parametrize(
    ("value", "text"),
    [("1E+9", "1000000000"), ("0E-10", "0"), ("100", "100"), ("-0.50", "-0.5"), ("-0", "0")],
)
def test_files_get_digits_only(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


def test_every_kind_of_exact_number_is_a_quantity() -> None:
    assert as_fraction(3) == as_fraction(Decimal("3.0")) == as_fraction(Fraction(3))
