"""Regional price books: an overlay that prices what was read for a region, and only that.

A region inherits from the book it extends what a meter *is* (unit, metering, operation, free
allowance, charge rules) and replaces what it costs (tiers, SKU) and the prefix of its usage types.
Prices of other regions are no constant factor of the base region's and not even in the same order
across tiers, so nothing is scaled: a meter the overlay has no price for stays unpriced.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from apisim.pricing.book import Meter, PriceBook, Source
from apisim.pricing.document import BookDocument
from apisim.pricing.reading import read_as_of, read_currency, read_schema, read_sources
from apisim.pricing.reading_meters import is_partial, read_cited, read_tiers
from apisim.scenario.problems import Path, PricingError, did_you_mean
from apisim.scenario.regions import REGIONS

__all__ = ["REGIONS_SCHEMA", "base_name", "read_region", "region_names"]

REGIONS_SCHEMA: Final = "apisim/pricebook-regions/v1"

_KEYS: Final = (
    "schema", "id", "version", "as_of", "extends", "currency", "sources", "regions",
)  # fmt: skip
_REGION_KEYS: Final = (
    "region_name", "usage_type_prefix", "effective_date", "meters", "same_as_base",
    "same_as_base_note", "sources", "note",
)  # fmt: skip
_METER_KEYS: Final = ("sku", "tiers", "first_tier_only", "partial", "note", "sources")


def region_names(document: BookDocument) -> tuple[str, ...]:
    """Regions for which the file has a price, sorted."""
    return tuple(sorted(_listed(document)))


def _listed(document: BookDocument) -> Mapping[str, Any]:
    return document.required(document.entries, "regions", (), document.mapping) or {}


def base_name(document: BookDocument) -> str:
    """Name of the book the file extends.

    Raises
    ------
    BookError
        If the file does not name one.
    """
    document.mapping(document.entries, (), _KEYS)
    read_schema(document, REGIONS_SCHEMA)
    name = document.required(document.entries, "extends", (), document.text)
    if document.is_wrong:
        raise document.error()
    return name or ""


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
    version = document.required(document.entries, "version", (), document.text)
    as_of = read_as_of(document)
    sources = {**base.sources, **read_sources(document)}
    path: Path = ("regions", region)
    facts = document.mapping(_listed(document).get(region, {}), path, _REGION_KEYS)
    words = document.words(
        facts, ("region_name", "usage_type_prefix", "note", "same_as_base_note"), path
    )
    cited = read_cited(document, facts, path, sources) if region in known else ()
    same = _same_as_base(document, base, cited, words["same_as_base_note"])
    own = _own_meters(document, base, cited, sources)
    priced = {
        **(document.optional(facts, "same_as_base", path, same) or {}),
        **(document.optional(facts, "meters", path, own) or {}),
    }
    if document.is_wrong:
        raise document.error()
    region_name = words["region_name"] or region
    prefix = words["usage_type_prefix"]
    return replace(
        base,
        name=name,
        version=version or "",
        region=region,
        region_name=region_name,
        usage_type_prefix=prefix,
        as_of=as_of,
        sources=sources,
        description=f"Prices read for {region_name}; the rest is unpriced. {words['note']}".strip(),
        meters={
            meter: replace(
                priced.get(meter, replace(inherited, tiers=(), sku="", sources=(), status="")),
                usage_type=_renamed(inherited.usage_type, base.usage_type_prefix, prefix),
            )
            for meter, inherited in base.meters.items()
        },
    )


def _renamed(usage_type: str, base_prefix: str, prefix: str) -> str:
    # Prefixes are not uniform: Lambda, SQS and load balancers write none in us-east-1.
    if not (base_prefix and usage_type.startswith(f"{base_prefix}-")):
        return usage_type
    return prefix + usage_type.removeprefix(base_prefix) if prefix else ""


def _same_as_base(
    document: BookDocument, base: PriceBook, cited: tuple[str, ...], note: str
) -> Callable[[Any, Path], dict[str, Meter]]:
    """Reader of the meters that cost what they cost in the base book's region."""
    known = document.choice(base.meters, f"meter of {base.reference}")
    reason = note or f"priced as in {base.region}, as the book says"

    def read(value: Any, path: Path) -> dict[str, Meter]:
        names = (known(item, at) for item, at in document.items(value, path))
        return {
            name: replace(base.meters[name], sku="", sources=cited, note=reason)
            for name in names
            if name is not None
        }

    return read


def _own_meters(
    document: BookDocument,
    base: PriceBook,
    cited: tuple[str, ...],
    sources: Mapping[str, Source],
) -> Callable[[Any, Path], dict[str, Meter]]:
    """Reader of the meters with a price of their own."""

    def meter(inherited: Meter, value: Any, path: Path) -> Meter:
        terms = document.mapping(value, path, _METER_KEYS)
        words = document.words(terms, ("sku", "note", "partial"), path)
        if is_partial(document, terms, path):
            first = "only the price of the first tier is known for this region"
            words["note"] = words["partial"] or first
        return replace(
            inherited,
            tiers=read_tiers(document, terms, path),
            sku=words["sku"],
            sources=read_cited(document, terms, path, sources) if "sources" in terms else cited,
            note=words["note"],
        )

    def read(value: Any, path: Path) -> dict[str, Meter]:
        return {
            name: meter(base.meters[name], item, (*path, name))
            for name, item in document.mapping(value, path, base.meters).items()
            if name in base.meters
        }

    return read
