"""The JSON Schema of price books accepts what loads, and knows every key that the readers know."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from apisim.pricing import load_book
from apisim.pricing.library import read_book_text
from apisim.pricing.schema import book_schema
from apisim.scenario.positions import read_yaml
from apisim.scenario.problems import PricingError
from tests.unit.test_pricing_books import ABROAD, BOOK
from tests.unit.test_pricing_overlays import OURS

SCHEMA = book_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
BOOKS = sorted(
    (Path(__file__).resolve().parents[2] / "apisim" / "pricing" / "books").glob("*.yaml")
)
BROKEN = Path(__file__).resolve().parents[1] / "golden" / "broken_books"


def data(text: str) -> Any:
    return read_yaml(text, "book.yaml").data


def faults(document: Any) -> list[str]:
    return [f"{list(e.absolute_path)}: {e.message}" for e in VALIDATOR.iter_errors(document)]


def test_it_is_a_schema_with_its_version() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == "apisim/pricebook/v1"
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("file", BOOKS, ids=lambda path: path.stem)
def test_the_packaged_books_are_valid(file: Path) -> None:
    assert faults(data(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("text", [BOOK, ABROAD, OURS], ids=["book", "regional", "overlay"])
def test_a_users_books_are_valid(text: str) -> None:
    assert faults(data(text)) == []


@pytest.mark.parametrize(
    "name", ["book_all_at_once", "book_overlay_slips", "book_that_changes_nothing"]
)
def test_wrong_books_are_not(name: str) -> None:
    assert faults(data((BROKEN / f"{name}.yaml").read_text(encoding="utf-8")))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


@pytest.mark.parametrize("kind", ["book", "regional", "overlay"])
def test_what_loads_is_valid_whatever_was_changed(tmp_path: Path, kind: str) -> None:
    (tmp_path / "mine.yaml").write_text(BOOK, encoding="utf-8")
    text = {"book": BOOK, "regional": ABROAD, "overlay": OURS}[kind]
    region = "eu-west-1" if kind == "regional" else ""
    whole = json.loads(json.dumps(data(text), default=str))
    n_loaded = n_refused = 0
    for path in places(whole):
        if path == ("regions",) or path[:2] == ("regions", "eu-west-2"):
            continue  # loading one region reads no other
        for wrong in (None, [], {}, [None], {"x": 1}, "x", "-1", "1e9", "5%", 0, -3, 2.5, True):
            changed: Any = copy.deepcopy(whole)
            at = changed
            for key in path[:-1]:
                at = at[key]
            if path:
                at[path[-1]] = wrong
            else:
                changed = wrong
            written = json.dumps(changed)
            try:
                read_book_text("x.json", written, region=region, base=tmp_path)
            except PricingError:
                n_refused += bool(faults(data(written)))
            else:
                n_loaded += 1
                assert faults(data(written)) == [], (path, wrong)
    assert n_loaded > 20
    assert n_refused > 200


def test_every_packaged_book_is_looked_at() -> None:
    assert {file.stem for file in BOOKS} >= {"aws-us-east-1", "seed-chapter"}
    assert load_book("seed-chapter").meters
