"""Prices that replace those of a base book: what regional books and overlays have in common.

Either kind names its base (``base:``, or ``extends:``, which is the same), takes over from it what
a meter *is* (unit, metering, free allowance, charge rules) and changes what it costs: a tier table
of its own, or so much off the base's. Every meter keeps the name of the book that prices it, so
that a bill can be traced to a file and a source.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Context, Decimal, Inexact
from typing import Any, Final

from apisim.pricing.book import Meter, PriceBook, Source, Tier
from apisim.pricing.document import BookDocument
from apisim.pricing.exact import plain
from apisim.pricing.reading_meters import STATUSES, is_partial, read_cited, read_tiers
from apisim.scenario.problems import Path, did_you_mean

__all__ = [
    "BASE_KEYS",
    "CHANGE_KEYS",
    "Changes",
    "base_key",
    "base_name",
    "renamed_usage_type",
]

#: Keys that name the base; the second is the one regional books began with.
BASE_KEYS: Final = ("base", "extends")

#: What may be said of a meter that the base describes.
CHANGE_KEYS: Final = (
    "sku", "tiers", "off", "first_tier_only", "partial", "note", "sources", "status",
)  # fmt: skip

_SHARE: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,10})?) *%")
#: Digits enough for any price times the shares of as many overlays as may lie on each other.
_EXACT: Final = Context(prec=1_000, traps=[Inexact])


def base_key(document: BookDocument, usual: str = "base") -> str:
    """The key with which the file names its base; the usual one where it names none."""
    return next((key for key in BASE_KEYS if document.entries.get(key) is not None), usual)


def base_name(document: BookDocument, usual: str = "base") -> str:
    """Name of the book the file changes.

    Raises
    ------
    BookError
        If the file does not name one, or names two.
    """
    key = base_key(document, usual)
    name = document.required(document.entries, key, (), document.text)
    if all(document.entries.get(known) is not None for known in BASE_KEYS):
        document.add(("extends",), "says the same as base", "keep one of them")
    if name is None:
        raise document.error()
    return name


class Changes:
    """Reader of the changes a file makes to its base.

    Parameters
    ----------
    document : BookDocument
        The file.
    base : PriceBook
        What it changes.
    sources : mapping of str to Source
        The base's and the file's own.
    reference : str
        Name of the book being read, with its version.
    cited : tuple of str
        Sources of prices that name none; without them every price must name its own.
    """

    def __init__(
        self,
        document: BookDocument,
        base: PriceBook,
        sources: Mapping[str, Source],
        *,
        reference: str,
        cited: tuple[str, ...] = (),
    ) -> None:
        self._document = document
        self._base = base
        self._sources = sources
        self._reference = reference
        self._cited = cited

    def own(self, value: Any, path: Path) -> dict[str, Meter]:
        """The meters of ``meters:``, each with its new price."""
        entries = self._document.mapping(value, path)
        for name in entries:
            if name not in self._base.meters:
                message = f"is no meter of {self._base.reference}"
                hint = did_you_mean(name, self._base.meters)
                self._document.add((*path, name), message, hint)
        return {
            name: self.changed(self._base.meters[name], item, (*path, name))
            for name, item in entries.items()
            if name in self._base.meters
        }

    def same_as_base(self, note: str) -> Callable[[Any, Path], dict[str, Meter]]:
        """Reader of the meters that cost what they cost in the base's region."""
        base, document = self._base, self._document
        known = document.choice(base.meters, f"meter of {base.reference}")
        reason = note or f"priced as in {base.region}, as the book says"

        def read(value: Any, path: Path) -> dict[str, Meter]:
            names = (known(item, at) for item, at in document.items(value, path))
            return {
                name: replace(
                    base.meters[name],
                    sku="",
                    sources=self._cited or base.meters[name].sources,
                    note=reason,
                    priced_by=self._reference,
                )
                for name in names
                if name is not None
            }

        return read

    def changed(self, inherited: Meter, value: Any, path: Path) -> Meter:
        """One meter with its new tiers, or with so much off the old ones."""
        document = self._document
        terms = document.mapping(value, path, CHANGE_KEYS)
        words = document.words(terms, ("sku", "note", "partial"), path)
        status = document.optional(terms, "status", path, document.choice(STATUSES, "status"))
        cited = self._cited
        if "sources" in terms or not cited:
            cited = read_cited(document, terms, path, self._sources)
        if terms.get("off") is not None:
            meter = self._with_off(inherited, terms, path, cited)
            return replace(meter, note=words["note"] or meter.note, status=status or meter.status)
        if terms.get("tiers") is None:
            document.add((*path, "tiers"), "is missing", "write tiers, or off: 12%")
            return inherited
        if is_partial(document, terms, path):
            first = "only the price of the first tier is known for this region"
            words["note"] = words["partial"] or first
        return replace(
            inherited,
            tiers=read_tiers(document, terms, path),
            sku=words["sku"],
            sources=cited,
            note=words["note"],
            status=status or "",
            priced_by=self._reference,
        )

    def _with_off(
        self, inherited: Meter, terms: Mapping[str, Any], path: Path, cited: tuple[str, ...]
    ) -> Meter:
        document = self._document
        share = document.required(terms, "off", path, self.share)
        if terms.get("tiers") is not None:
            document.add((*path, "off"), "cannot stand beside tiers", "keep one of them")
        if not inherited.is_priced:
            reason = f"{self._base.reference} has no price for {inherited.name}"
            document.add((*path, "off"), reason, "write tiers")
        return inherited if share is None else self.reduced(inherited, share, cited)

    def reduced(self, meter: Meter, share: Decimal, cited: tuple[str, ...]) -> Meter:
        """The meter with ``share`` off each of its prices, exactly."""
        rest = 1 - share
        percent = plain(_EXACT.multiply(share, Decimal(100)))
        told = f"{percent}% off {meter.priced_by or self._base.reference}"
        return replace(
            meter,
            tiers=tuple(
                Tier(up_to=tier.up_to, price_per_unit=_EXACT.multiply(tier.price_per_unit, rest))
                for tier in meter.tiers
            ),
            list_tiers=meter.list_tiers or meter.tiers,
            sources=tuple(dict.fromkeys((*meter.sources, *cited))),
            note=f"{told}; {meter.note}" if meter.note else told,
            priced_by=self._reference,
        )

    def share(self, value: Any, path: Path) -> Decimal | None:
        """A share above 0 and at most 100 %."""
        document = self._document
        found = _SHARE.fullmatch(value.strip()) if isinstance(value, str) else None
        percent = None if found is None else Decimal(found[1])
        if percent is None or not 0 < percent <= 100:
            message = f"must be a share above 0% and at most 100%, got {value}"
            document.add(path, message, "write off: 12%")
            return None
        return percent.scaleb(-2)


def renamed_usage_type(usage_type: str, base_prefix: str, prefix: str) -> str:
    """AWS's usage type in another region; empty where its prefix is not known.

    Prefixes are not uniform: Lambda, SQS and load balancers write none in us-east-1.
    """
    if not (base_prefix and usage_type.startswith(f"{base_prefix}-")):
        return usage_type
    return prefix + usage_type.removeprefix(base_prefix) if prefix else ""
