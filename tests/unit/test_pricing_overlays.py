"""Overlays: a base book with some prices changed, and where each price of it comes from."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from apisim.pricing import BookError, PriceBook, load_book, rate
from apisim.pricing.library import read_book_text
from apisim.scenario.problems import PricingError

REST = "apigateway.rest.requests"
HTTP = "apigateway.http.requests"
LAMBDA = "lambda.requests"
OUT = "datatransfer.out.internet"
VIRGINIA = load_book("aws-us-east-1")

HEAD = """\
schema: apisim/pricebook/v1
id: ours
version: "7"
base: aws-us-east-1
sources:
  CONTRACT: {title: our contract, locator: drawer 7}
"""
OURS = (
    HEAD
    + f"""\
meters:
  {REST}:
    tiers:
      - {{up_to: "1000000", price_per_unit: "0.000003"}}
      - {{up_to: null, price_per_unit: "0.000001"}}
    sources: [CONTRACT]
    status: verified
    note: until the end of the year
  {LAMBDA}: {{off: 12.5%, sources: [CONTRACT]}}
"""
)


def read(text: str, folder: Path | None = None) -> PriceBook:
    return read_book_text("ours.yaml", text, base=folder)


def test_what_an_overlay_does_not_name_is_its_bases() -> None:
    ours = read(OURS)
    changed = {REST, LAMBDA}
    assert {k: m for k, m in ours.meters.items() if k not in changed} == {
        k: m for k, m in VIRGINIA.meters.items() if k not in changed
    }
    assert list(ours.meters) == list(VIRGINIA.meters)
    assert ours.charge_rules == VIRGINIA.charge_rules
    assert ours.conventions == VIRGINIA.conventions
    assert ours.plans == VIRGINIA.plans


def test_a_meter_with_tiers_of_its_own_keeps_what_it_is() -> None:
    rest, before = read(OURS).meters[REST], VIRGINIA.meters[REST]
    assert [tier.price_per_unit for tier in rest.tiers] == [
        Decimal("0.000003"),
        Decimal("0.000001"),
    ]
    assert (rest.unit, rest.usage_type, rest.free) == (
        before.unit,
        before.usage_type,
        before.free,
    )
    assert (rest.sources, rest.status, rest.note) == (
        ("CONTRACT",),
        "verified",
        "until the end of the year",
    )


def test_so_much_off_is_exact_and_keeps_tiers_and_sources() -> None:
    ours = read(OURS.replace(f"{LAMBDA}: {{off: 12.5%", f"{HTTP}: {{off: 12.3456789012%"))
    for reduced, listed in zip(ours.meters[HTTP].tiers, VIRGINIA.meters[HTTP].tiers, strict=True):
        rest = 1 - Fraction("12.3456789012") / 100
        assert Fraction(reduced.price_per_unit) == Fraction(listed.price_per_unit) * rest
        assert reduced.up_to == listed.up_to
    assert ours.meters[HTTP].sources == (*VIRGINIA.meters[HTTP].sources, "CONTRACT")
    assert ours.meters[HTTP].note == "12.3456789012% off aws-us-east-1@2026.09.11"


def test_off_every_meter_leaves_those_with_a_price_of_their_own() -> None:
    ours = read(OURS + "every_meter: {off: 10%, sources: [CONTRACT]}\n")
    bill = rate(ours, {REST: 1_000_000, LAMBDA: 1_000_000, OUT: 100})
    assert bill.line(REST).amount == 3  # type: ignore[union-attr]
    assert bill.line(LAMBDA).amount == Fraction("0.175")  # type: ignore[union-attr]
    assert bill.line(OUT).amount == Fraction("8.1")  # type: ignore[union-attr]
    assert f"{OUT}: 10% off aws-us-east-1@2026.09.11" in bill.notes


def test_every_price_names_the_book_it_is_of() -> None:
    ours = read(OURS)
    assert ours.reference == "ours.yaml@7"
    assert ours.bases == ("aws-us-east-1@2026.09.11",)
    assert ours.meters[REST].priced_by == ours.meters[LAMBDA].priced_by == "ours.yaml@7"
    assert ours.meters[HTTP].priced_by == "aws-us-east-1@2026.09.11"
    assert set(ours.sources) == {*VIRGINIA.sources, "CONTRACT"}


def test_an_overlay_on_an_overlay_takes_off_what_is_left(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(OURS, encoding="utf-8")
    again = HEAD.replace("aws-us-east-1", "ours.yaml") + (
        "every_meter: {off: 50%, sources: [CONTRACT]}\n"
    )
    (tmp_path / "again.yaml").write_text(again, encoding="utf-8")
    book = load_book("again.yaml", base=tmp_path)
    assert book.meters[LAMBDA].tiers[0].price_per_unit == Decimal("0.0000000875")
    assert book.meters[LAMBDA].note == ("50% off ours.yaml@7; 12.5% off aws-us-east-1@2026.09.11")
    assert book.bases == ("ours.yaml@7", "aws-us-east-1@2026.09.11")


def test_an_overlay_may_lie_over_a_region(tmp_path: Path) -> None:
    text = HEAD.replace("aws-us-east-1", "aws-apigateway-regions/eu-west-2") + (
        "every_meter: {off: 50%, sources: [CONTRACT]}\n"
    )
    ours, london = read(text), load_book("aws-apigateway-regions/eu-west-2")
    assert ours.region == "eu-west-2"
    assert rate(ours, {HTTP: 10**6}).exact_total * 2 == rate(london, {HTTP: 10**6}).exact_total
    assert not ours.meters[LAMBDA].is_priced


def test_in_another_region_nothing_is_taken_over_silently() -> None:
    text = OURS.replace(f"  {LAMBDA}: {{off: 12.5%, sources: [CONTRACT]}}\n", "")
    text += f"region: eu-west-3\nusage_type_prefix: EUW3\nsame_as_base: [{LAMBDA}]\n"
    paris = read(text)
    assert paris.region == "eu-west-3"
    assert {key for key, meter in paris.meters.items() if meter.is_priced} == {REST, LAMBDA}
    assert paris.meters[REST].usage_type == "EUW3-ApiGatewayRequest"
    assert paris.meters[LAMBDA].note == "priced as in us-east-1, as the book says"
    bill = rate(paris, {HTTP: 5})
    assert bill.unpriced[0].note == "ours.yaml@7 has no price for it in eu-west-3"


@pytest.mark.parametrize(
    ("own", "day"),
    [
        ('as_of: "2026-10-01"\n', date(2026, 9, 11)),
        ('as_of: "2020-01-01"\n', date(2020, 1, 1)),
        ("", date(2026, 9, 11)),
    ],
)
def test_an_overlay_is_as_old_as_the_oldest_of_its_prices(own: str, day: date) -> None:
    assert read(OURS + own).as_of == day


def test_an_overlay_with_no_price_of_its_base_has_its_own_age() -> None:
    meters = "".join(f"  {key}: {{off: 1%, sources: [CONTRACT]}}\n" for key in VIRGINIA.meters)
    assert read(HEAD + 'as_of: "2027-01-01"\nmeters:\n' + meters).as_of == date(2027, 1, 1)


def test_extends_says_the_same_as_base_and_not_both() -> None:
    assert read(OURS.replace("base:", "extends:")) == read(OURS)
    with pytest.raises(BookError, match="extends: says the same as base"):
        read(OURS + "extends: aws-us-east-1\n")


def test_a_base_that_is_wrong_names_its_own_line(tmp_path: Path) -> None:
    (tmp_path / "below.yaml").write_text(OURS.replace("12.5%", "a lot"), encoding="utf-8")
    with pytest.raises(BookError, match=r"^below\.yaml:15:21: .*must be a share"):
        read(OURS.replace("base: aws-us-east-1", "base: below.yaml"), tmp_path)


def test_overlays_in_a_circle_are_refused(tmp_path: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        text = OURS.replace("base: aws-us-east-1", f"base: {other}.yaml")
        (tmp_path / f"{one}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BookError, match=r"base: price book a\.yaml is laid over itself"):
        load_book("a.yaml", base=tmp_path)


def test_a_tower_of_overlays_ends(tmp_path: Path) -> None:
    for number in range(30):
        text = OURS.replace("base: aws-us-east-1", f"base: {number + 1}.yaml")
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PricingError, match="that is too many"):
        load_book("0.yaml", base=tmp_path)


def test_a_meter_without_a_price_has_nothing_to_take_off() -> None:
    text = OURS.replace("base: aws-us-east-1", "base: aws-apigateway-regions/eu-west-2")
    with pytest.raises(BookError, match=r"has no price for lambda\.requests \(write tiers\)"):
        read(text)
