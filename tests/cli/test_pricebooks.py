"""``apisim pricebooks``: list, show, check, schema."""

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

import apisim.pricing
from apisim.pricing import available_books, load_book
from tests.cli.conftest import Cli
from tests.unit.test_pricing_books import ABROAD, BOOK
from tests.unit.test_pricing_overlays import OURS

PACKAGED = Path(apisim.pricing.__file__).parent / "books"


def test_list_names_every_book_that_can_be_asked_for(cli: Cli) -> None:
    code, out, err = cli("pricebooks", "list")
    assert (code, err) == (0, "")
    words = out.split()
    for name in available_books():
        head, slash, region = name.partition("/")
        assert head in words
        assert slash + region in {"", *words}
    for word in ("2026.09.11", "2026-09-11", "us-east-1", "USD", "regions"):
        assert word in words
    assert "64 of 64" in out
    assert max(map(len, out.splitlines())) <= 80


def test_list_as_data(cli: Cli) -> None:
    read = json.loads(cli("pricebooks", "list", "--json").out)
    books = {book["book"]: book for book in read["books"]}
    assert tuple(books) == available_books()
    assert books["aws-us-east-1"] == {
        "book": "aws-us-east-1",
        "version": "2026.09.11",
        "as_of": "2026-09-11",
        "region": "us-east-1",
        "region_name": "US East (N. Virginia)",
        "currency": "USD",
        "meters": 64,
        "priced": 64,
        "bases": [],
    }
    assert books["seed-chapter"]["as_of"] is None
    assert books["aws-apigateway-regions/eu-west-2"]["priced"] == 14


@pytest.mark.parametrize(
    "book", ["aws-us-east-1", "seed-chapter", "aws-apigateway-regions/eu-west-2"]
)
def test_show_has_every_price_with_its_tiers_unit_source_and_status(book: str, cli: Cli) -> None:
    code, out, err = cli("pricebooks", "show", book)
    assert (code, err) == (0, "")
    found = load_book(book)
    for meter in found.meters.values():
        assert meter.name in out
        if meter.is_priced:
            block = out[out.index(f"{meter.name} (") :].partition("\n\n")[0]
            assert meter.unit in block
            assert block.count("$") >= len(meter.tiers)
            assert all(source in block for source in meter.sources)
            assert meter.status in block
    assert all(len(line) <= 80 or "/" in line for line in out.splitlines())


def test_show_one_meter_or_the_beginning_of_some(cli: Cli) -> None:
    out = cli("pricebooks", "show", "aws-us-east-1", "apigateway.rest.requests").out
    assert "to 333,000,000     $3.50 per million" in out
    assert "free: 1,000,000 a month with legacy-12-month" in out
    assert "INFRACOST: Infracost golden files" in out
    assert "lambda" not in out.partition("Sources")[0]
    caches = cli("pricebooks", "show", "aws-us-east-1", "apigateway.cache", "--json").out
    assert len(json.loads(caches)["meters"]) == 8


def test_show_as_data_has_exact_prices_and_where_each_is_from(cli: Cli, here: Path) -> None:
    (here / "ours.yaml").write_text(OURS, encoding="utf-8")
    read = json.loads(cli("pricebooks", "show", "ours.yaml", "--json").out)
    meters = {meter["meter"]: meter for meter in read["meters"]}
    rest = meters["apigateway.rest.requests"]
    assert rest["tiers"] == [
        {"from": "0", "up_to": "1000000", "price_per_unit": "0.000003"},
        {"from": "1000000", "up_to": None, "price_per_unit": "0.000001"},
    ]
    assert (rest["priced_by"], rest["sources"]) == ("ours.yaml@7", ["CONTRACT"])
    assert meters["apigateway.http.requests"]["priced_by"] == "aws-us-east-1@2026.09.11"
    assert read["sources"]["CONTRACT"] == {"title": "our contract", "locator": "drawer 7"}
    assert read["bases"] == ["aws-us-east-1@2026.09.11"]
    text = cli("pricebooks", "show", "ours.yaml").out
    assert "priced by: ours.yaml@7" in text
    assert "priced by: aws-us-east-1@2026.09.11" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOOK, "ok: mine.prices: book 3, 2 prices in 3 tiers, USD\n"),
        (
            OURS,
            "ok: mine.prices: overlay 7, 2 prices in 3 tiers, 62 kept of "
            "aws-us-east-1@2026.09.11, USD\n",
        ),
        (
            ABROAD.replace("extends: mine.yaml", "extends: base.yaml"),
            "ok: mine.prices: regional book 4, 2 prices in 2 tiers, 2 regions, over base.yaml@3, "
            "USD\n",
        ),
    ],
)
def test_check_says_what_is_there_if_it_is_right(
    text: str, said: str, cli: Cli, here: Path
) -> None:
    (here / "base.yaml").write_text(BOOK, encoding="utf-8")
    (here / "mine.prices").write_text(text, encoding="utf-8")
    code, out, err = cli("pricebooks", "check", "mine.prices")
    assert (code, out) == (0, said)
    assert all(line.startswith("note: ") for line in err.splitlines())
    assert cli("pricebooks", "check", "mine.prices", "--quiet").err == ""
    assert json.loads(cli("pricebooks", "check", "mine.prices", "--json").out)["ok"] is True


def test_check_notes_what_a_reader_will_miss(cli: Cli, here: Path) -> None:
    (here / "mine.yaml").write_text(BOOK.replace('as_of: "2026-01-31"\n', ""), encoding="utf-8")
    err = cli("pricebooks", "check", "mine.yaml").err
    assert "note: as_of is missing" in err
    assert "note: no status (verified, secondary or assumed): apigateway.rest.requests" in err


def test_check_says_what_is_wrong_as_data_too(cli: Cli, here: Path) -> None:
    (here / "mine.yaml").write_text(BOOK.replace("    sources: [CONTRACT]\n  lambda", "  lambda"))
    code, out, err = cli("pricebooks", "check", "mine.yaml", "--json")
    assert code == 2
    (error,) = json.loads(out)["errors"]
    assert (error["file"], error["line"], error["column"]) == ("mine.yaml", 15, 3)
    assert "mine.yaml:15:3: meters.apigateway.rest.requests.sources: is missing" in err


def test_the_packaged_books_are_right(cli: Cli) -> None:
    for file in PACKAGED.glob("*.yaml"):
        assert cli("pricebooks", "check", str(file)).code == 0


def test_schema_accepts_the_packaged_books(cli: Cli, here: Path) -> None:
    code, out, err = cli("pricebooks", "schema")
    assert (code, err) == (0, "")
    schema = json.loads(out)
    validator = jsonschema.validators.validator_for(schema)(schema)
    validator.check_schema(schema)
    for file in PACKAGED.glob("*.yaml"):
        assert list(validator.iter_errors(YAML(typ="safe").load(file.read_text("utf-8")))) == []
    assert cli("pricebooks", "schema", "--out", "s.json") == (0, "", "wrote s.json\n")
    assert (here / "s.json").read_text("utf-8") == out
