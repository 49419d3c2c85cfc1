"""Price books: finding them, what they say, and what is wrong with a user's own."""

import copy
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from apisim.pricing import BookError, available_books, load_book
from apisim.pricing.book import UNITS
from apisim.pricing.library import read_book_text
from apisim.scenario.problems import PricingError, ScenarioError
from apisim.scenario.regions import REGIONS, default_book

BOOK = """\
schema: apisim/pricebook/v1
id: mine
version: "3"
as_of: "2026-01-31"
region: us-east-1
usage_type_prefix: USE1
currency: USD
conventions:
  gigabyte_bytes: "1073741824"
  line_item_precision: "0.0000000001"
  invoice_rounding: {to: "0.01", mode: half_up}
sources:
  CONTRACT: {title: our contract, locator: drawer 7}
meters:
  apigateway.rest.requests:
    unit: Requests
    usage_type: USE1-ApiGatewayRequest
    tiers:
      - {up_to: "1000", price_per_unit: "0.50"}
      - {up_to: null, price_per_unit: 0.0000035}
    free_tier:
      - {plan: trial, quantity: "10", per: month}
    sources: [CONTRACT]
  lambda.requests:
    unit: Requests
    usage_type: Request
    tiers: [{up_to: null, price_per_unit: 1}]
    sources: [CONTRACT]
charge_rules:
  default: charged
  outcomes:
    cache_hit: {charge: false}
"""

ABROAD = """\
schema: apisim/pricebook-regions/v1
id: mine-abroad
version: "4"
extends: mine.yaml
currency: USD
sources:
  LETTER: {title: a letter, locator: drawer 8}
regions:
  eu-west-1:
    usage_type_prefix: EU
    meters:
      apigateway.rest.requests:
        first_tier_only: true
        tiers: [{up_to: "1000", price_per_unit: "0.75"}]
    sources: [LETTER]
  eu-west-2:
    same_as_base: [lambda.requests]
    sources: [CONTRACT]
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(BookError) as caught:
        read_book_text("mine.yaml", text)
    return [str(problem) for problem in caught.value.problems]


def with_line(old: str, new: str) -> str:
    assert BOOK.count(old) == 1
    return BOOK.replace(old, new)


# what the package has


def test_the_package_has_the_real_book_the_chapters_and_regions() -> None:
    names = available_books()
    assert "aws-us-east-1" in names
    assert "seed-chapter" in names
    assert len([name for name in names if name.startswith("aws-apigateway-regions/")]) == 21


@pytest.mark.parametrize("name", available_books())
def test_every_packaged_book_loads_and_names_its_sources(name: str) -> None:
    book = load_book(name)
    assert book.name == name
    for meter in book.meters.values():
        assert set(meter.sources) <= set(book.sources)
        assert bool(meter.sources) == meter.is_priced


def test_a_book_knows_its_version_date_and_free_tiers() -> None:
    book = load_book("aws-us-east-1")
    assert book.reference == "aws-us-east-1@2026.09.11"
    assert book.as_of == date(2026, 9, 11)
    assert book.plans == ("none", "always-free", "legacy-12-month")
    assert book.conventions.gigabyte_bytes == 2**30


def test_loading_twice_gives_the_same_book() -> None:
    assert load_book("aws-us-east-1") is load_book("aws-us-east-1")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("aws-us-east-2", "did you mean aws-us-east-1?"),
        ("aws-apigateway-regions", "needs a region"),
        ("aws-apigateway-regions/eu-west-9", "did you mean eu-west"),
        ("aws-apigateway-regions/nowhere-1", "there is no region 'nowhere-1'"),
        ("aws-us-east-1/eu-west-1", "has no regions"),
        ("nowhere.yaml", "no such file"),
        ("../secrets", "there is no price book"),
    ],
)
def test_a_book_that_does_not_exist_is_an_error_with_a_hint(name: str, message: str) -> None:
    with pytest.raises(PricingError, match="price book") as caught:
        load_book(name)
    assert message in str(caught.value)


# regions never fall back silently


def test_a_region_prices_only_what_was_read_for_it() -> None:
    london = load_book("aws-apigateway-regions/eu-west-2")
    rest = london.meters["apigateway.rest.requests"]
    assert [tier.price_per_unit for tier in rest.tiers] == [
        Decimal(price) for price in ("0.0000035", "0.00000333", "0.00000283", "0.0000018")
    ]
    assert rest.usage_type == "EUW2-ApiGatewayRequest"
    assert london.meters["datatransfer.out.internet"].tiers == ()
    assert london.meters["lambda.duration.x86"].tiers == ()
    assert london.meters["lambda.duration.x86"].usage_type == "Lambda-GB-Second"


def test_a_region_inherits_units_increments_and_charge_rules() -> None:
    seoul, virginia = load_book("aws-apigateway-regions/ap-northeast-2"), load_book("aws-us-east-1")
    assert seoul.meters["apigateway.http.requests"].increment_bytes == 512 * 1024
    assert seoul.charge_rules == virginia.charge_rules
    assert seoul.reference == "aws-apigateway-regions/ap-northeast-2@2026.09.06"


def test_the_base_books_own_region_is_the_base_book() -> None:
    here = load_book("aws-apigateway-regions/us-east-1")
    assert here.meters == load_book("aws-us-east-1").meters


def test_a_price_taken_over_from_the_base_region_says_so() -> None:
    ohio = load_book("aws-apigateway-regions/us-east-2")
    virginia = load_book("aws-us-east-1")
    meter = "apigateway.rest.requests"
    assert ohio.meters[meter].tiers == virginia.meters[meter].tiers
    assert "us-east-1" in ohio.meters[meter].note


def test_a_region_nobody_read_prices_of_has_a_book_without_prices() -> None:
    cape_town = load_book("aws-apigateway-regions/af-south-1")
    assert not any(meter.is_priced for meter in cape_town.meters.values())
    assert cape_town.meters["apigateway.rest.requests"].usage_type == ""
    assert cape_town.meters["apigateway.http.requests"].increment_bytes == 512 * 1024
    assert "aws-apigateway-regions/af-south-1" not in available_books()


def test_every_region_a_scenario_may_name_has_a_default_book() -> None:
    for region in REGIONS:
        for profile in ("aws", "chapter"):
            load_book(default_book(profile, region))


# a user's own book


def test_a_users_book_is_read_from_the_scenarios_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(BOOK, encoding="utf-8")
    book = load_book("mine.yaml", base=tmp_path)
    assert book.reference == "mine.yaml@3"
    # A price keeps the decimal as written, in quotes or not.
    assert book.meters["apigateway.rest.requests"].tiers[1].price_per_unit == Decimal("0.0000035")
    assert load_book(tmp_path / "mine.yaml").meters == book.meters


def test_a_users_regional_book_extends_a_book_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(BOOK, encoding="utf-8")
    (tmp_path / "abroad.yaml").write_text(ABROAD, encoding="utf-8")
    ireland = load_book("abroad.yaml/eu-west-1", base=tmp_path)
    rest = ireland.meters["apigateway.rest.requests"]
    assert rest.tiers[0].price_per_unit == Decimal("0.75")
    assert rest.sources == ("LETTER",)
    assert rest.usage_type == "EU-ApiGatewayRequest"
    assert not ireland.meters["lambda.requests"].is_priced
    london = load_book("abroad.yaml/eu-west-2", base=tmp_path)
    assert london.meters["lambda.requests"].note == "priced as in us-east-1, as the book says"


def test_a_book_error_is_a_scenario_error_too() -> None:
    assert issubclass(BookError, ScenarioError)
    assert issubclass(BookError, PricingError)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "      - {up_to: null, price_per_unit: 0.0000035}\n",
            "",
            "mine.yaml:18:5: meters.apigateway.rest.requests.tiers: leave a gap: nothing prices "
            "what is above 1000 (end with up_to: null, or say partial: and why)",
        ),
        (
            "{up_to: null, price_per_unit: 0.0000035}",
            '{up_to: "1000", price_per_unit: "1"}',
            "mine.yaml:20:10: meters.apigateway.rest.requests.tiers.1.up_to: overlaps the tier "
            "before it: 1000 is not above 1000 (up_to is the cumulative quantity at which a tier "
            "ends)",
        ),
        (
            '{up_to: "1000", price_per_unit: "0.50"}',
            '{up_to: null, price_per_unit: "0.50"}',
            "mine.yaml:20:9: meters.apigateway.rest.requests.tiers.1: is never reached: the tier "
            "before it has no end",
        ),
        (
            '{up_to: "1000", price_per_unit: "0.50"}',
            '{price_per_unit: "0.50"}',
            "mine.yaml:19:9: meters.apigateway.rest.requests.tiers.0.up_to: is missing; null "
            "means: and above",
        ),
        (
            '"0.50"',
            '"-0.50"',
            "mine.yaml:19:25: meters.apigateway.rest.requests.tiers.0.price_per_unit: must not be "
            "negative, got -0.50",
        ),
        (
            '"0.50"',
            "half a dollar",
            "mine.yaml:19:25: meters.apigateway.rest.requests.tiers.0.price_per_unit: must be a "
            "decimal number, got 'half a dollar' (plain digits like \"0.0000035\", at most 15 "
            "before and 20 after the point)",
        ),
        (
            '"0.50"',
            '"1e300"',
            "mine.yaml:19:25: meters.apigateway.rest.requests.tiers.0.price_per_unit: must be a "
            "decimal number, got '1e300' (plain digits like \"0.0000035\", at most 15 "
            "before and 20 after the point)",
        ),
        (
            "    unit: Requests\n    usage_type: USE1",
            "    unit: Furlongs\n    usage_type: USE1",
            "mine.yaml:16:5: meters.apigateway.rest.requests.unit: 'Furlongs' is no unit of a "
            f"price list (known here: {', '.join(sorted(UNITS))})",
        ),
        (
            "    unit: Requests\n    usage_type: USE1",
            "    unit: GB\n    usage_type: USE1",
            "mine.yaml:16:5: meters.apigateway.rest.requests.unit: must be Requests, in which a "
            "run counts it, got GB",
        ),
        (
            "    sources: [CONTRACT]\n  lambda",
            "  lambda",
            "mine.yaml:15:3: meters.apigateway.rest.requests.sources: is missing",
        ),
        (
            "    sources: [CONTRACT]\n  lambda",
            "    sources: []\n  lambda",
            "mine.yaml:23:5: meters.apigateway.rest.requests.sources: is empty: a price needs a "
            "source",
        ),
        (
            "    sources: [CONTRACT]\n  lambda",
            "    sources: [CONTRAC]\n  lambda",
            "mine.yaml:23:15: meters.apigateway.rest.requests.sources.0: 'CONTRAC' is not among "
            "the sources (did you mean CONTRACT?)",
        ),
        (
            "currency: USD",
            "currency: EUR",
            "mine.yaml:7:1: currency: must be USD, got EUR (convert the prices and say so in the "
            "sources)",
        ),
        (
            "    cache_hit: {charge: false}",
            "    cache_hits: {charge: false}",
            "mine.yaml:32:5: charge_rules.outcomes.cache_hits: is not known here (did you mean "
            "cache_hit?)",
        ),
        (
            "    cache_hit: {charge: false}",
            "    cache_hit: {charge: maybe}",
            "mine.yaml:32:17: charge_rules.outcomes.cache_hit.charge: must be true or false, got "
            "'maybe'",
        ),
        (
            'quantity: "10", per: month',
            'quantity: "10", per: year',
            "mine.yaml:22:39: meters.apigateway.rest.requests.free_tier.0.per: 'year' is no period "
            "of a free tier (known here: month)",
        ),
        (
            "{plan: trial, quantity",
            "{plan: none, quantity",
            "mine.yaml:22:10: meters.apigateway.rest.requests.free_tier.0.plan: none means that "
            "nothing is granted",
        ),
        (
            'as_of: "2026-01-31"',
            'as_of: "2026-02-30"',
            "mine.yaml:4:1: as_of: must be a day like 2026-09-11, got 2026-02-30",
        ),
        (
            'line_item_precision: "0.0000000001"',
            'line_item_precision: "0.02"',
            "mine.yaml:10:3: conventions.line_item_precision: must be a power of ten like 0.01, "
            "got 0.02",
        ),
        (
            'gigabyte_bytes: "1073741824"',
            'gigabyte_bytes: "1.5"',
            "mine.yaml:9:3: conventions.gigabyte_bytes: must be a whole number, got 1.5",
        ),
        (
            "region: us-east-1",
            "regiun: us-east-1",
            "mine.yaml:5:1: regiun: is not known here (did you mean region?)",
        ),
    ],
)
def test_a_wrong_book_names_file_line_and_column(old: str, new: str, expected: str) -> None:
    assert expected in problems_of(with_line(old, new))


def test_all_problems_are_reported_at_once() -> None:
    text = with_line("currency: USD", "currency: EUR").replace('"0.50"', '"-1"')
    assert len(problems_of(text)) == 2


@pytest.mark.parametrize(
    "text",
    ["", "- a list\n", "just words", "meters: [", "a: 1\na: 2\n", "a: !!python/name:os.system x"],
)
def test_what_is_no_book_is_refused_without_a_traceback_of_ours(text: str) -> None:
    assert problems_of(text)


def test_a_book_of_another_schema_is_refused() -> None:
    text = with_line("schema: apisim/pricebook/v1", "schema: apisim/pricebook/v9")
    assert "'apisim/pricebook/v9' is no schema of price books" in problems_of(text)[0]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[lambda.requests]", "[lambda.request]", "did you mean lambda.requests?"),
        ("sources: [LETTER]", "sources: [LETTERS]", "'LETTERS' is not among the sources"),
        ("extends: mine.yaml\n", "", "extends: is missing"),
        ("      apigateway.rest.requests:", "      apigateway.rest.request:", "did you mean"),
        ("        first_tier_only: true\n", "", "leave a gap"),
    ],
)
def test_a_wrong_regional_book_is_refused(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    (tmp_path / "mine.yaml").write_text(BOOK, encoding="utf-8")
    (tmp_path / "abroad.yaml").write_text(ABROAD.replace(old, new), encoding="utf-8")
    for_region = "eu-west-2" if "lambda" in old else "eu-west-1"
    with pytest.raises(BookError, match=r"abroad.yaml:\d+:\d+: ") as caught:
        load_book(f"abroad.yaml/{for_region}", base=tmp_path)
    assert expected in str(caught.value)


def test_a_regional_book_cannot_extend_a_region(tmp_path: Path) -> None:
    text = ABROAD.replace("extends: mine.yaml", "extends: abroad.yaml/eu-west-1")
    (tmp_path / "abroad.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PricingError, match="a region cannot be extended"):
        load_book("abroad.yaml/eu-west-1", base=tmp_path)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


@pytest.mark.parametrize("kind", ["ordinary", "regional"])
def test_no_value_anywhere_in_a_book_is_a_traceback(tmp_path: Path, kind: str) -> None:
    (tmp_path / "mine.yaml").write_text(BOOK, encoding="utf-8")
    text, region = (BOOK, "") if kind == "ordinary" else (ABROAD, "eu-west-1")
    data = YAML(typ="safe", pure=True).load(text)
    n_refused = 0
    for path in places(data):
        for wrong in (None, [], {}, [None], {"x": 1}, "x", "-1", "1e9", 0, -3, 2.5, True):
            changed: Any = copy.deepcopy(data)
            at = changed
            for key in path[:-1]:
                at = at[key]
            if path:
                at[path[-1]] = wrong
            else:
                changed = wrong
            try:
                read_book_text("x.json", json.dumps(changed), region=region, base=tmp_path)
            except PricingError as error:
                n_refused += bool(str(error))
    assert n_refused > 100


def test_a_book_larger_than_any_book_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("#" * (11 * 1024 * 1024), encoding="utf-8")
    with pytest.raises(BookError, match="larger than"):
        load_book("mine.yaml", base=tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "sources:\n  CONTRACT: {title: our contract, locator: drawer 7}",
            "sources: [1]",
            "mapping",
        ),
        ("sources: [CONTRACT]\ncharge", "sources: CONTRACT\ncharge", "must be a list"),
        ("id: mine", "id: 7", "must be a text, got 7 (put it in quotes)"),
        ("meters:", "meters: {}\nunpriced:", "is empty; a bill needs at least one meter"),
        ('{up_to: "1000", price', '{up_to: "0", price', "up_to: must be above 0"),
        (
            'quantity: "10", per: month}',
            'quantity: "10", per: month}\n      - {plan: trial, quantity: "5", per: month}',
            "trial grants this meter twice",
        ),
        ("price_per_unit: 1}", "price_per_unit: true}", "must be a decimal number, got True"),
        ("price_per_unit: 1}", "price_per_unit: 1e-30}", "must be a decimal number, got 1E-30"),
        ("price_per_unit: 1}", "price_per_unit: .nan}", "must be a decimal number, got nan"),
        ("price_per_unit: 1}", "price_per_unit: [1]}", "must be a decimal number, got a list"),
        ("price_per_unit: 1}", "price_per_unit: {a: 1}}", "got a mapping"),
        ("price_per_unit: 1}", "price_per_unit: null}", "price_per_unit: is missing"),
        (
            "usage_type: Request\n",
            "usage_type: " + "x" * 60 + "\n    counts: 1\n    status: x\n",
            "'x' is no status",
        ),
    ],
)
def test_values_of_a_wrong_kind_are_refused(old: str, new: str, expected: str) -> None:
    assert expected in "\n".join(problems_of(with_line(old, new)))


def test_long_values_are_shortened_in_messages() -> None:
    (problem,) = problems_of(with_line('"0.50"', "x" * 100))
    assert "x" * 36 + "..." in problem
    assert "x" * 37 not in problem


def test_a_book_names_what_it_has_no_price_for(tmp_path: Path) -> None:
    as_list = read_book_text("mine.yaml", BOOK + "unpriced: [vpc_link]\n")
    as_mapping = read_book_text("mine.yaml", BOOK + "unpriced: {vpc_link: not asked}\n")
    assert as_list.unpriced == {"vpc_link": "the book names no price"}
    assert as_mapping.unpriced == {"vpc_link": "not asked"}


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "mine.yaml").write_text(BOOK, encoding="utf-8")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PricingError, match=r"mine\.yaml cannot be read: not yours"):
        load_book("mine.yaml", base=tmp_path)


def test_a_folder_is_no_book(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").mkdir()
    with pytest.raises(PricingError, match="no such file"):
        load_book("mine.yaml", base=tmp_path)
