"""One meter of a price book: unit, tier table, free allowances, metering and sources.

Keys that say how a quantity comes about (portal products included, surcharges) are for readers of
the book: rating takes quantities as they are.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from apisim.pricing.book import (
    NO_FREE_TIER,
    UNITS,
    FreeAllowance,
    Meter,
    Source,
    Tier,
    usage_unit,
)
from apisim.pricing.document import BookDocument
from apisim.scenario.problems import Path, did_you_mean

__all__ = [
    "FREE_KEYS",
    "METERING_KEYS",
    "METER_KEYS",
    "STATUSES",
    "STREAMING_KEYS",
    "TIER_SCOPES",
    "is_partial",
    "read_cited",
    "read_meter",
    "read_tiers",
]

METER_KEYS: Final = (
    "service", "billed_under", "description", "usage_type", "usage_type_status", "operation",
    "product_family", "sku", "applies_to", "unit", "counts", "metering", "metering_when_streaming",
    "tier_scope", "tiers", "tiers_apply_after_free_tier", "first_tier_only", "partial", "minimum",
    "included", "includes_init", "dimensions_per_lcu", "surcharges_per_request", "free_tier",
    "sources", "status", "note", "differs",
)  # fmt: skip
METERING_KEYS: Final = (
    "metering_increment_bytes", "basis", "basis_status", "max_payload_bytes", "rounding",
    "rounding_status", "gb_megabytes", "memory_increment_megabytes", "status",
)  # fmt: skip
STREAMING_KEYS: Final = ("metering_increment_bytes", "basis", "sources")
FREE_KEYS: Final = ("plan", "quantity", "per", "months", "scope", "status", "note")
_WORDS: Final = (
    "description", "service", "billed_under", "usage_type", "operation", "product_family", "sku",
    "note",
)  # fmt: skip
_DIMENSIONS: Final = (
    "new_connections_per_second", "active_connections", "gb_per_hour",
    "rule_evaluations_per_second",
)  # fmt: skip
TIER_SCOPES: Final = (
    "none", "account-month", "account-region-month", "account-region-architecture-month",
)  # fmt: skip
STATUSES: Final = ("verified", "secondary", "assumed")


def read_meter(
    document: BookDocument,
    name: str,
    value: Any,
    path: Path,
    sources: Mapping[str, Source],
    position: int,
) -> Meter:
    """The meter ``name``; adds what is wrong with it to the document's problems."""
    facts = document.mapping(value, path, METER_KEYS)
    unit = document.required(facts, "unit", path, document.choice(UNITS, "unit of a price list"))
    expected = usage_unit(name)
    if unit is not None and expected and unit != expected:
        document.add((*path, "unit"), f"must be {expected}, in which a run counts it, got {unit}")
    words = document.words(facts, _WORDS, path)
    words["billed_under"] = words["billed_under"] or words["service"]
    document.optional(facts, "tier_scope", path, document.choice(TIER_SCOPES, "tier scope"))
    status = document.optional(facts, "status", path, document.choice(STATUSES, "status"))
    after_free = document.optional(facts, "tiers_apply_after_free_tier", path, document.flag)
    metering = document.optional(facts, "metering", path, _metering(document))
    increment_bytes, basis, gb_megabytes = metering or (None, "", None)
    streaming = document.optional(facts, "metering_when_streaming", path, _streaming(document))
    return Meter(
        name=name,
        unit=unit or "",
        position=position,
        **words,
        tiers=read_tiers(document, facts, path),
        free=document.optional(facts, "free_tier", path, _free(document)) or (),
        tiers_after_free=bool(after_free),
        increment_bytes=increment_bytes,
        stream_increment_bytes=streaming,
        basis=basis,
        gb_megabytes=gb_megabytes,
        dimensions=document.optional(facts, "dimensions_per_lcu", path, _dimensions(document))
        or (),
        sources=read_cited(document, facts, path, sources),
        status=status or "",
        list_tiers=(),  # it is the list
    )


def _metering(
    document: BookDocument,
) -> Callable[[Any, Path], tuple[int | None, str, int | None]]:
    def read(value: Any, path: Path) -> tuple[int | None, str, int | None]:
        rules = document.mapping(value, path, METERING_KEYS)
        return (
            document.optional(rules, "metering_increment_bytes", path, document.whole),
            document.optional(rules, "basis", path, document.text) or "",
            document.optional(rules, "gb_megabytes", path, document.whole),
        )

    return read


def _streaming(document: BookDocument) -> Callable[[Any, Path], int | None]:
    def read(value: Any, path: Path) -> int | None:
        rules = document.mapping(value, path, STREAMING_KEYS)
        of_answer = document.choice(("response_payload",), "basis of what is streamed")
        document.required(rules, "basis", path, of_answer)
        return document.required(rules, "metering_increment_bytes", path, document.whole)

    return read


def _dimensions(
    document: BookDocument,
) -> Callable[[Any, Path], tuple[tuple[str, Decimal], ...]]:
    def read(value: Any, path: Path) -> tuple[tuple[str, Decimal], ...]:
        facts = document.mapping(value, path, _DIMENSIONS)
        found = [(name, document.optional(facts, name, path, document.positive)) for name in facts]
        return tuple((name, of_unit) for name, of_unit in found if of_unit is not None)

    return read


def is_partial(document: BookDocument, facts: Mapping[str, Any], path: Path) -> bool:
    """Whether the meter says that its tier table is known only in part."""
    if "partial" in facts:
        return True
    return bool(document.optional(facts, "first_tier_only", path, document.flag))


def read_tiers(document: BookDocument, facts: Mapping[str, Any], path: Path) -> tuple[Tier, ...]:
    """A meter's tier table, checked for gaps and overlaps.

    Tiers are cumulative, so a table has no gap exactly if each tier ends above the one before it
    and the last one has no end; a table known only in part says so by ``first_tier_only: true`` or
    ``partial:`` with the reason.
    """

    def read(value: Any, at: Path) -> tuple[Tier, ...]:
        if value == []:
            document.add(at, "are empty: a price needs a tier")
            return ()
        tiers: list[Tier] = []
        above: Decimal | None = Decimal(0)
        for item, place in document.items(value, at):
            steps = document.mapping(item, place, ("up_to", "price_per_unit"))
            price = document.required(steps, "price_per_unit", place, document.decimal)
            if above is None:
                document.add(place, "is never reached: the tier before it has no end")
                continue
            if "up_to" not in steps:
                document.add((*place, "up_to"), "is missing; null means: and above")
                return ()
            up_to = document.optional(steps, "up_to", place, document.positive)
            if up_to is None and steps["up_to"] is not None:
                return ()
            if up_to is not None and up_to <= above:
                document.add(
                    (*place, "up_to"),
                    f"overlaps the tier before it: {up_to} is not above {above}",
                    "up_to is the cumulative quantity at which a tier ends"
                    + ("; the smallest comes first" if up_to < above else ""),
                )
                return ()
            above = up_to
            tiers.append(Tier(up_to=up_to, price_per_unit=price or Decimal(0)))
        if above is not None and not is_partial(document, facts, path):
            document.add(
                at,
                f"leave a gap: nothing prices what is above {above}",
                "end with up_to: null, or say partial: and why",
            )
        return tuple(tiers)

    return document.required(facts, "tiers", path, read) or ()


def _free(document: BookDocument) -> Callable[[Any, Path], tuple[FreeAllowance, ...]]:
    def read(value: Any, path: Path) -> tuple[FreeAllowance, ...]:
        free: dict[str, FreeAllowance] = {}
        for item, at in document.items(value, path):
            grant = document.mapping(item, at, FREE_KEYS)
            plan = document.required(grant, "plan", at, document.text)
            quantity = document.required(grant, "quantity", at, document.positive)
            period = document.choice(("month",), "period of a free tier")
            document.required(grant, "per", at, period)
            months = document.optional(grant, "months", at, document.whole)
            if plan == NO_FREE_TIER:
                document.add((*at, "plan"), f"{plan} means that nothing is granted")
            elif plan in free:
                document.add((*at, "plan"), f"{plan} grants this meter twice")
            elif plan is not None and quantity is not None:
                free[plan] = FreeAllowance(plan=plan, quantity=quantity, months=months)
        return tuple(free.values())

    return read


def read_cited(
    document: BookDocument, facts: Mapping[str, Any], path: Path, sources: Mapping[str, Source]
) -> tuple[str, ...]:
    """Keys of the sources a meter or a region names: at least one, each known."""

    def read(value: Any, at: Path) -> tuple[str, ...]:
        keys = tuple(document.text(item, place) or "" for item, place in document.items(value, at))
        for position, key in enumerate(keys):
            if key and key not in sources:
                hint = did_you_mean(key, sources)
                document.add((*at, position), f"{key!r} is not among the sources", hint)
        if value == []:
            document.add(at, "is empty: a price needs a source")
        return keys

    return document.required(facts, "sources", path, read) or ()
