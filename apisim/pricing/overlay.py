"""An overlay: a base book with some prices changed, as a contract or another region changes them.

In the base's region what the overlay does not name costs what it costs there. In another region
nothing is taken over silently: what the overlay neither prices nor lists under ``same_as_base`` is
unpriced. The base may itself be an overlay, or one region of a regional book.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from apisim.pricing.book import Meter, PriceBook, Source
from apisim.pricing.changes import BASE_KEYS, Changes, base_name, renamed_usage_type
from apisim.pricing.document import BookDocument
from apisim.pricing.reading import BOOK_SCHEMA, read_as_of, read_schema, read_sources
from apisim.pricing.reading_meters import read_cited
from apisim.scenario.problems import Path

__all__ = ["EVERY_METER_KEYS", "OVERLAY_KEYS", "is_overlay", "overlay_base", "read_overlay"]

OVERLAY_KEYS: Final = (
    "schema", "id", "version", "as_of", *BASE_KEYS, "provider", "region", "region_name",
    "usage_type_prefix", "currency", "description", "sources", "every_meter", "meters",
    "same_as_base", "same_as_base_note",
)  # fmt: skip
EVERY_METER_KEYS: Final = ("off", "sources")


def is_overlay(document: BookDocument) -> bool:
    """Whether the file changes another book instead of being one."""
    return any(key in document.entries for key in BASE_KEYS)


def overlay_base(document: BookDocument) -> str:
    """Name of the book an overlay changes.

    Raises
    ------
    BookError
        If the file does not name one.
    """
    document.mapping(document.entries, (), OVERLAY_KEYS)
    read_schema(document, BOOK_SCHEMA)
    return base_name(document)


def read_overlay(document: BookDocument, base: PriceBook, name: str) -> PriceBook:
    """The base book with the overlay's changes.

    Parameters
    ----------
    document : BookDocument
        The overlay.
    base : PriceBook
        The book it names.
    name : str
        Name the book was asked for by.

    Raises
    ------
    BookError
        With every problem of the file.
    """
    entries = document.entries
    document.required(entries, "id", (), document.text)
    version = document.required(entries, "version", (), document.text) or ""
    as_of = read_as_of(document)
    _check_currency(document, base)
    sources = _sources(document, base)
    words = document.words(
        entries,
        ("region", "region_name", "usage_type_prefix", "description", "same_as_base_note"),
        (),
    )
    region = words["region"] or base.region
    is_there = region == base.region
    changes = Changes(document, base, sources, reference=f"{name}@{version}")
    same = changes.same_as_base(words["same_as_base_note"])
    kept: Mapping[str, Meter] = base.meters if is_there else {}
    kept = {**kept, **(document.optional(entries, "same_as_base", (), same) or {})}
    off = document.optional(entries, "every_meter", (), _off(document, changes, sources))
    if off is not None:
        share, cited = off
        kept = {
            meter: changes.reduced(found, share, cited) if found.is_priced else found
            for meter, found in kept.items()
        }
    own = document.optional(entries, "meters", (), changes.own) or {}
    if is_there:
        own = {meter: _beside_list(changed, base.meters[meter]) for meter, changed in own.items()}
    if not {"meters", "every_meter", "same_as_base"} & entries.keys():
        document.add((), "changes nothing", "write meters: or every_meter:")
    if document.is_wrong:
        raise document.error()
    prefix = words["usage_type_prefix"]
    if is_there:
        prefix = prefix or base.usage_type_prefix
    return replace(
        base,
        name=name,
        version=version,
        region=region,
        region_name=words["region_name"] or (base.region_name if is_there else region),
        usage_type_prefix=prefix,
        as_of=_oldest(as_of, base.as_of, has_kept=bool(kept.keys() - own.keys())),
        sources=sources,
        description=words["description"] or f"Changes to {base.reference}.",
        meters={
            meter: replace(
                own.get(meter) or kept.get(meter) or inherited.without_price(),
                usage_type=renamed_usage_type(inherited.usage_type, base.usage_type_prefix, prefix),
            )
            for meter, inherited in base.meters.items()
        },
        bases=(base.reference, *base.bases),
    )


def _beside_list(changed: Meter, inherited: Meter) -> Meter:
    """A meter with a price of its own, beside what it costs by the list of the same region."""
    return replace(changed, list_tiers=inherited.list_tiers or inherited.tiers)


def _check_currency(document: BookDocument, base: PriceBook) -> None:
    currency = document.optional(document.entries, "currency", (), document.text)
    if currency is not None and currency != base.currency:
        document.add(
            ("currency",),
            f"must be {base.currency}, the currency of {base.reference}, got {currency}",
            "convert the prices and say so in the sources",
        )


def _sources(document: BookDocument, base: PriceBook) -> dict[str, Source]:
    """The base's sources and the overlay's own; one key cannot stand for two of them."""
    own = read_sources(document)
    for key, source in own.items():
        known = base.sources.get(key)
        if known is not None and known != source:
            message = f"is another source in {base.reference}: {known.title}"
            document.add(("sources", key), message, "give it another key")
    return {**base.sources, **own}


def _off(
    document: BookDocument, changes: Changes, sources: Mapping[str, Source]
) -> Callable[[Any, Path], tuple[Decimal, tuple[str, ...]] | None]:
    def read(value: Any, path: Path) -> tuple[Decimal, tuple[str, ...]] | None:
        facts = document.mapping(value, path, EVERY_METER_KEYS)
        share = document.required(facts, "off", path, changes.share)
        cited = read_cited(document, facts, path, sources)
        return None if share is None else (share, cited)

    return read


def _oldest(own: date | None, base: date | None, *, has_kept: bool) -> date | None:
    """Day of the oldest prices of an overlay: its age is theirs."""
    if own is None or base is None:
        return own or base
    return min(own, base) if has_kept else own
