"""A price book's YAML, checked key by key, as a :class:`~apisim.pricing.book.PriceBook`.

All problems are reported at once with file, line and column.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from apisim.pricing.book import ChargeRule, Conventions, Meter, PriceBook, Source
from apisim.pricing.charges import RULE_NAMES
from apisim.pricing.document import BookDocument
from apisim.pricing.reading_meters import read_cited, read_meter
from apisim.scenario.problems import Path

__all__ = [
    "BOOK_KEYS",
    "BOOK_SCHEMA",
    "CONVENTION_KEYS",
    "CURRENCY",
    "RULES_KEYS",
    "RULE_KEYS",
    "read_as_of",
    "read_book",
    "read_currency",
    "read_schema",
    "read_sources",
]

BOOK_SCHEMA: Final = "apisim/pricebook/v1"

#: The one currency of the package: amounts of two currencies cannot be added.
CURRENCY: Final = "USD"

BOOK_KEYS: Final = (
    "schema", "id", "version", "as_of", "provider", "region", "region_name", "usage_type_prefix",
    "currency", "description", "conventions", "sources", "meters", "charge_rules", "unpriced",
)  # fmt: skip
CONVENTION_KEYS: Final = (
    "kilobyte_bytes", "gigabyte_bytes", "terabyte_gigabytes", "privatelink_petabyte_gigabytes",
    "hours_per_month", "line_item_precision", "invoice_rounding",
)  # fmt: skip

RULES_KEYS: Final = ("applies_to", "default", "outcomes", "note")
RULE_KEYS: Final = ("charge", "evidence", "sources", "note")


def read_book(document: BookDocument, name: str) -> PriceBook:
    """The price book in ``document``.

    Parameters
    ----------
    document : BookDocument
        Read from the file.
    name : str
        Name the book was asked for by.

    Raises
    ------
    BookError
        With every problem of the file.
    """
    entries = document.mapping(document.entries, (), BOOK_KEYS)
    read_schema(document, BOOK_SCHEMA)
    read_currency(document)
    sources = read_sources(document)
    conventions = document.required(entries, "conventions", (), _conventions(document))
    meters = document.required(entries, "meters", (), _meters(document, sources))
    rules = document.optional(entries, "charge_rules", (), _charge_rules(document, sources))
    unpriced = document.optional(entries, "unpriced", (), _unpriced(document))
    document.required(entries, "id", (), document.text)
    version = document.required(entries, "version", (), document.text)
    region = document.required(entries, "region", (), document.text)
    words = document.words(entries, ("region_name", "usage_type_prefix", "description"), ())
    as_of = read_as_of(document)
    if document.is_wrong:
        raise document.error()
    assert conventions is not None
    assert meters is not None
    charges, is_charged_by_default = rules or ({}, True)
    priced_by = f"{name}@{version}"
    return PriceBook(
        name=name,
        version=version or "",
        region=region or "",
        currency=CURRENCY,
        conventions=conventions,
        sources=sources,
        meters={key: replace(meter, priced_by=priced_by) for key, meter in meters.items()},
        as_of=as_of,
        region_name=words["region_name"],
        usage_type_prefix=words["usage_type_prefix"],
        description=words["description"],
        charge_rules=charges,
        is_charged_by_default=is_charged_by_default,
        unpriced=unpriced or {},
    )


def read_schema(document: BookDocument, schema: str) -> None:
    """Report a file that is no price book of this kind."""
    known = document.choice((schema,), "schema of price books")
    document.required(document.entries, "schema", (), known)


def read_currency(document: BookDocument) -> None:
    """Report a book in a currency other than the package's."""
    currency = document.required(document.entries, "currency", (), document.text)
    if currency is not None and currency != CURRENCY:
        document.add(
            ("currency",),
            f"must be {CURRENCY}, got {currency}",
            "convert the prices and say so in the sources",
        )


def read_as_of(document: BookDocument) -> date | None:
    """Day of publication, None where the book leaves it open."""
    day = document.optional(document.entries, "as_of", (), document.text)
    if day is None:
        return None
    try:
        return date.fromisoformat(day)
    except ValueError:
        document.add(("as_of",), f"must be a day like 2026-09-11, got {day}")
        return None


def read_sources(document: BookDocument) -> dict[str, Source]:
    """The book's sources by key."""

    def read(value: Any, path: Path) -> dict[str, Source]:
        sources: dict[str, Source] = {}
        for key, item in document.mapping(value, path).items():
            at = (*path, key)
            facts = document.mapping(item, at, ("title", "locator"))
            title = document.required(facts, "title", at, document.text)
            locator = document.required(facts, "locator", at, document.text)
            # A source that is wrong is still a source: citing it is no second problem.
            sources[key] = Source(key=key, title=title or "", locator=locator or "")
        return sources

    return document.required(document.entries, "sources", (), read) or {}


def _conventions(document: BookDocument) -> Callable[[Any, Path], Conventions | None]:
    def step(value: Any, path: Path) -> Decimal | None:
        number = document.positive(value, path)
        if number is not None and number.normalize().as_tuple().digits != (1,):
            document.add(path, f"must be a power of ten like 0.01, got {number:f}")
            return None
        return None if number is None else number.normalize()

    def rounding(value: Any, path: Path) -> tuple[Decimal | None, str | None]:
        facts = document.mapping(value, path, ("to", "mode", "at"))
        modes = document.choice(("half_up", "half_even"), "way of rounding")
        return (
            document.required(facts, "to", path, step),
            document.required(facts, "mode", path, modes),
        )

    def read(value: Any, path: Path) -> Conventions | None:
        facts = document.mapping(value, path, CONVENTION_KEYS)
        gigabyte_bytes = document.required(facts, "gigabyte_bytes", path, document.whole)
        line_step = document.required(facts, "line_item_precision", path, step)
        invoice = document.required(facts, "invoice_rounding", path, rounding)
        invoice_step, mode = invoice or (None, None)
        if gigabyte_bytes is None or line_step is None or invoice_step is None or mode is None:
            return None
        return Conventions(
            gigabyte_bytes=gigabyte_bytes,
            line_step=line_step,
            invoice_step=invoice_step,
            invoice_mode=mode,
        )

    return read


def _meters(
    document: BookDocument, sources: Mapping[str, Source]
) -> Callable[[Any, Path], dict[str, Meter]]:
    def read(value: Any, path: Path) -> dict[str, Meter]:
        meters = {
            name: read_meter(document, name, item, (*path, name), sources, position)
            for position, (name, item) in enumerate(document.mapping(value, path).items())
        }
        if not meters and isinstance(value, dict):
            document.add(path, "is empty; a bill needs at least one meter")
        return meters

    return read


def _charge_rules(
    document: BookDocument, sources: Mapping[str, Source]
) -> Callable[[Any, Path], tuple[dict[str, ChargeRule], bool]]:
    def rule(outcome: str, value: Any, path: Path) -> ChargeRule:
        facts = document.mapping(value, path, RULE_KEYS)
        if "sources" in facts:
            read_cited(document, facts, path, sources)
        return ChargeRule(
            outcome=outcome,
            is_charged=bool(document.required(facts, "charge", path, document.flag)),
            **document.words(facts, ("evidence", "note"), path),
        )

    def outcomes(value: Any, path: Path) -> dict[str, ChargeRule]:
        return {
            outcome: rule(outcome, item, (*path, outcome))
            for outcome, item in document.mapping(value, path, RULE_NAMES).items()
        }

    def read(value: Any, path: Path) -> tuple[dict[str, ChargeRule], bool]:
        facts = document.mapping(value, path, RULES_KEYS)
        words = document.choice(("charged", "free"), "default")
        default = document.required(facts, "default", path, words)
        rules = document.required(facts, "outcomes", path, outcomes)
        return rules or {}, default == "charged"

    return read


def _unpriced(document: BookDocument) -> Callable[[Any, Path], dict[str, str]]:
    def read(value: Any, path: Path) -> dict[str, str]:
        if isinstance(value, list):
            names = (document.text(item, at) for item, at in document.items(value, path))
            return {name: "the book names no price" for name in names if name is not None}
        return {
            name: document.text(reason, (*path, name)) or ""
            for name, reason in document.mapping(value, path).items()
        }

    return read
