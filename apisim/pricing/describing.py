"""A price book in words and as data: prices with their tiers, and where each of them comes from."""

import textwrap
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from apisim.pricing.bill import price_text, quantity_text
from apisim.pricing.book import Meter, PriceBook
from apisim.pricing.exact import plain
from apisim.scenario.problems import PricingError

__all__ = ["book_as_data", "book_in_words", "summary_of", "wanted_meters"]

_WIDTH = 80


def wanted_meters(book: PriceBook, name: str | None = None) -> tuple[Meter, ...]:
    """The meter of that name, or those below it (``apigateway.cache``); all without a name.

    Raises
    ------
    PricingError
        If there is none.
    """
    if name is None:
        return tuple(book.meters.values())
    if name in book.meters:
        return (book.meters[name],)
    below = tuple(meter for key, meter in book.meters.items() if key.startswith(f"{name}."))
    if below:
        return below
    reason = book.unpriced.get(name)
    if reason is not None:
        raise PricingError(f"price book {book.reference} has no price for {name}: {reason}")
    return (book.meter(name),)  # says that there is none, and which is near


def summary_of(book: PriceBook) -> dict[str, Any]:
    """What a list of books says of one."""
    return {
        "book": book.name,
        "version": book.version,
        "as_of": None if book.as_of is None else book.as_of.isoformat(),
        "region": book.region,
        "region_name": book.region_name,
        "currency": book.currency,
        "meters": len(book.meters),
        "priced": sum(meter.is_priced for meter in book.meters.values()),
        "bases": list(book.bases),
    }


def book_as_data(book: PriceBook, meters: Sequence[Meter]) -> dict[str, Any]:
    """The book, as ``apisim pricebooks show --json`` prints it; prices are exact decimals."""
    cited = {key for meter in meters for key in meter.sources}
    conventions = book.conventions
    return {
        **summary_of(book),
        "meters": [_meter_as_data(meter) for meter in meters],
        "description": book.description,
        "conventions": {
            "gigabyte_bytes": conventions.gigabyte_bytes,
            "line_item_precision": plain(conventions.line_step),
            "invoice_rounding": {
                "to": plain(conventions.invoice_step),
                "mode": conventions.invoice_mode,
            },
        },
        "free_tiers": list(book.plans),
        "charge_rules": {
            "default": "charged" if book.is_charged_by_default else "free",
            "outcomes": {
                name: {"charge": rule.is_charged, "evidence": rule.evidence}
                for name, rule in book.charge_rules.items()
            },
        },
        "unpriced": dict(book.unpriced),
        "sources": {
            key: {"title": source.title, "locator": source.locator}
            for key, source in book.sources.items()
            if key in cited
        },
    }


def _meter_as_data(meter: Meter) -> dict[str, Any]:
    starts = (Decimal(0), *(tier.up_to for tier in meter.tiers))
    return {
        "meter": meter.name,
        "description": meter.description,
        "unit": meter.unit,
        "status": meter.status or None,
        "priced_by": meter.priced_by or None,
        "sources": list(meter.sources),
        "note": meter.note,
        "usage_type": meter.usage_type,
        "sku": meter.sku,
        "metering": {
            "increment_bytes": meter.increment_bytes,
            "basis": meter.basis or None,
            "stream_increment_bytes": meter.stream_increment_bytes,
        },
        "tiers": [
            {
                "from": plain(start or Decimal(0)),
                "up_to": None if tier.up_to is None else plain(tier.up_to),
                "price_per_unit": plain(tier.price_per_unit),
            }
            for start, tier in zip(starts, meter.tiers, strict=False)
        ],
        "free_tier": [
            {
                "plan": free.plan,
                "quantity": plain(free.quantity),
                "per": "month",
                **({"months": free.months} if free.months else {}),
            }
            for free in meter.free
        ],
    }


def book_in_words(book: PriceBook, meters: Sequence[Meter]) -> str:
    """The book as text of 80 columns: its head, each meter, and the sources these name."""
    lines = [*_head(book), ""]
    for meter in meters:
        if meter.is_priced:
            lines += [*_meter(meter, with_book=bool(book.bases)), ""]
    without = [meter.name for meter in meters if not meter.is_priced]
    if without:
        lines += [*_wrapped(f"Without a price here: {', '.join(without)}"), ""]
    cited = dict.fromkeys(key for meter in meters for key in meter.sources)
    if cited:
        lines.append("Sources")
    for key in cited:
        source = book.sources[key]
        lines += _wrapped(f"{key}: {source.title}; {source.locator}", "  ", "      ")
    return "\n".join(lines).rstrip("\n") + "\n"


def _head(book: PriceBook) -> Iterator[str]:
    where = f"{book.region_name} ({book.region})" if book.region_name else book.region
    when = f"prices of {book.as_of}" if book.as_of is not None else "without a date"
    yield f"{book.reference}, {book.currency}"
    yield from _wrapped(f"{where}, {when}")
    if book.bases:
        yield from _wrapped(f"laid over {', '.join(book.bases)}")
    yield from _wrapped(book.description)


def _meter(meter: Meter, *, with_book: bool) -> Iterator[str]:
    status = f", {meter.status}" if meter.status else ""
    yield f"{meter.name} ({meter.unit}{status})"
    yield from _wrapped(meter.description, "    ")
    rows = [
        (
            "above" if tier.up_to is None else f"to {quantity_text(Fraction(tier.up_to))}",
            price_text(tier.price_per_unit, meter.unit),
        )
        for tier in meter.tiers
    ]
    if len(rows) == 1 and meter.tiers[0].up_to is None:
        rows = [("flat", rows[0][1])]
    width = max(len(end) for end, _ in rows)
    for end, price in rows:
        yield f"    {end:<{width}}  {price}"
    for free in meter.free:
        end = f", for {free.months} months" if free.months else ""
        yield f"    free: {quantity_text(Fraction(free.quantity))} a month with {free.plan}{end}"
    if meter.increment_bytes is not None:
        yield f"    one unit: {meter.increment_bytes:,} bytes of {meter.basis or 'what is metered'}"
    if meter.stream_increment_bytes is not None:
        yield f"    one unit of what is streamed: {meter.stream_increment_bytes:,} bytes"
    if with_book:
        yield f"    priced by: {meter.priced_by}"
    if meter.note:
        yield from _wrapped(f"note: {meter.note}", "    ", "      ")
    yield from _wrapped(f"sources: {', '.join(meter.sources)}", "    ", "      ")


def _wrapped(text: str, first: str = "", rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
