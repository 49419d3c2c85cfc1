"""Regional price books: an overlay that prices what was read for a region, and only that.

A region inherits from the book it extends what a meter *is* (unit, metering, operation, free
allowance, charge rules) and replaces what it costs (tiers, SKU) and the prefix of its usage types.
Prices of other regions are no constant factor of the base region's and not even in the same order
across tiers, so nothing is scaled: a meter the overlay has no price for stays unpriced.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from apisim.pricing.book import PriceBook
from apisim.pricing.changes import BASE_KEYS, Changes, base_name, renamed_usage_type
from apisim.pricing.document import BookDocument
from apisim.pricing.reading import read_as_of, read_currency, read_schema, read_sources
from apisim.pricing.reading_meters import read_cited
from apisim.scenario.problems import Path, PricingError, did_you_mean
from apisim.scenario.regions import REGIONS

__all__ = [
    "REGIONS_KEYS",
    "REGIONS_SCHEMA",
    "REGION_KEYS",
    "read_region",
    "region_names",
    "regional_base",
]

REGIONS_SCHEMA: Final = "apisim/pricebook-regions/v1"

REGIONS_KEYS: Final = (
    "schema", "id", "version", "as_of", *BASE_KEYS, "currency", "sources", "regions",
)  # fmt: skip
REGION_KEYS: Final = (
    "region_name", "usage_type_prefix", "effective_date", "meters", "same_as_base",
    "same_as_base_note", "sources", "note",
)  # fmt: skip


def region_names(document: BookDocument) -> tuple[str, ...]:
    """Regions for which the file has a price, sorted."""
    return tuple(sorted(_listed(document)))


def _listed(document: BookDocument) -> Mapping[str, Any]:
    return document.required(document.entries, "regions", (), document.mapping) or {}


def regional_base(document: BookDocument) -> str:
    """Name of the book the file extends.

    Raises
    ------
    BookError
        If the file does not name one.
    """
    document.mapping(document.entries, (), REGIONS_KEYS)
    read_schema(document, REGIONS_SCHEMA)
    return base_name(document, "extends")


def read_region(document: BookDocument, region: str, base: PriceBook, name: str) -> PriceBook:
    """The price book of one region.

    Parameters
    ----------
    document : BookDocument
        The overlay file.
    region : str
        For example ``eu-west-2``. In an AWS region that the file does not list nothing is priced.
    base : PriceBook
        The book the overlay extends; its own region is the base book itself.
    name : str
        Name the book was asked for by.

    Raises
    ------
    PricingError
        If there is no such region.
    BookError
        With every problem of the file's part for that region.
    """
    if region == base.region:
        return replace(base, name=name)
    known = region_names(document)
    if not document.is_wrong and region not in known and region not in REGIONS:
        hint = did_you_mean(region, known) or f"it has: {', '.join(known)}"
        raise PricingError(f"price book {name}: there is no region {region!r} ({hint})")
    read_currency(document)
    document.optional(document.entries, "id", (), document.text)
    version = document.required(document.entries, "version", (), document.text) or ""
    as_of = read_as_of(document)
    sources = {**base.sources, **read_sources(document)}
    path: Path = ("regions", region)
    facts = document.mapping(_listed(document).get(region, {}), path, REGION_KEYS)
    words = document.words(
        facts, ("region_name", "usage_type_prefix", "note", "same_as_base_note"), path
    )
    cited = read_cited(document, facts, path, sources) if region in known else ()
    changes = Changes(document, base, sources, reference=f"{name}@{version}", cited=cited)
    same = changes.same_as_base(words["same_as_base_note"])
    priced = {
        **(document.optional(facts, "same_as_base", path, same) or {}),
        **(document.optional(facts, "meters", path, changes.own) or {}),
    }
    if document.is_wrong:
        raise document.error()
    region_name = words["region_name"] or region
    prefix = words["usage_type_prefix"]
    return replace(
        base,
        name=name,
        version=version,
        region=region,
        region_name=region_name,
        usage_type_prefix=prefix,
        as_of=as_of,
        sources=sources,
        description=f"Prices read for {region_name}; the rest is unpriced. {words['note']}".strip(),
        meters={
            meter: replace(
                priced.get(meter, inherited.without_price()),
                usage_type=renamed_usage_type(inherited.usage_type, base.usage_type_prefix, prefix),
            )
            for meter, inherited in base.meters.items()
        },
        bases=(base.reference, *base.bases),
    )
