"""A bill in the columns of FOCUS 1.2, the FinOps Open Cost and Usage Specification.

One row for each tier of a line, as AWS's own exports have it; where an overlay changes a price, one
for each list price within the tier, so that ``ListCost`` is ``ListUnitPrice`` times
``PricingQuantity`` exactly. Numbers are decimals as text, never rounded but where no decimal holds
them (hours of a cache): such a quantity has the book's decimals, its costs are products of what is
written, and what that makes in the total is a row of its own (``Adjustment``), so that the sum of
``BilledCost`` is the total of the bill to the last digit. What has no price is in no row.

What the simulation cannot know is null (resource, tags, rate code) or, where the specification does
not allow that, ``simulated`` (``BillingAccountId``).
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any, Final

from apisim.pricing.bill import FREE, Bill, Line, TierRow, price_text, quantity_text
from apisim.pricing.book import Meter, PriceBook
from apisim.pricing.exact import as_decimal, plain
from apisim.scenario.positions import read_yaml

__all__ = ["FOCUS_COLUMNS", "Charges", "Period", "focus_rows", "to_focus_csv"]

#: Columns in the order of the specification (by name), then ours: an x before the underscore.
FOCUS_COLUMNS: Final = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency",
    "ChargePeriodEnd", "ChargePeriodStart", "ConsumedQuantity", "ConsumedUnit", "ContractedCost",
    "ContractedUnitPrice", "EffectiveCost", "InvoiceIssuerName", "ListCost", "ListUnitPrice",
    "PricingCategory", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName",
    "RegionId", "RegionName", "ResourceId", "ServiceCategory", "ServiceName", "ServiceSubcategory",
    "SkuId", "SkuPriceId", "Tags", "x_FreeTier", "x_Meter", "x_Operation", "x_PriceBook",
    "x_ServiceCode", "x_UsageType",
)  # fmt: skip

Row = dict[str, str | None]

_FILE: Final = "focus_services.yaml"
_ACCOUNT: Final = "simulated"
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Time that is billed.

    Attributes
    ----------
    start, end : datetime.datetime
        Of the charges; the end is exclusive. Without a time zone they are taken as UTC.
    """

    start: datetime
    end: datetime

    @classmethod
    def month_of(cls, moment: datetime) -> "Period":
        """The calendar month (UTC) of a time."""
        start = _utc(moment).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        year, month = divmod(start.year * 12 + start.month, 12)
        return cls(start=start, end=start.replace(year=year, month=month + 1))

    @property
    def billing(self) -> "Period":
        """The calendar month in which it begins."""
        return Period.month_of(self.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """What is written down of one bill.

    Attributes
    ----------
    bill, book : Bill, PriceBook
        The bill, and the book it was made by.
    period : Period
        When it was used.
    events : mapping of str to Fraction
        By meter, the events behind its units where metering cuts large ones into several.
    credits : tuple of (str, Fraction)
        What credits pay of it, >= 0, with their names.
    """

    bill: Bill
    book: PriceBook
    period: Period
    events: Mapping[str, Fraction] = field(default_factory=dict)
    credits: tuple[tuple[str, Fraction], ...] = ()


def focus_rows(charges: Charges) -> list[Row]:
    """Rows of one bill; the sum of ``BilledCost`` is its total less the credits, exactly.

    Parameters
    ----------
    charges : Charges

    Returns
    -------
    list of dict
        Keys are :data:`FOCUS_COLUMNS`; values are text, or None for null.
    """
    bill = charges.bill
    step = bill.conventions.line_step
    rows = [row for line in bill.lines for row in _line_rows(charges, line)]
    billed = sum((Fraction(row["BilledCost"] or 0) for row in rows), Fraction(0))
    rest = Fraction(bill.total) - billed
    if rest:
        what = "Rounding of quantities that no decimal number holds"
        rows.append(_other_row(charges, "Adjustment", what, as_decimal(rest, step)))
    for name, paid in charges.credits:
        rows.append(_other_row(charges, "Credit", f"Credit: {name}", -as_decimal(paid, step)))
    return rows


def to_focus_csv(rows: list[Row]) -> str:
    """The rows as CSV: a header, line feeds, nothing for null."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FOCUS_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _line_rows(charges: Charges, line: Line) -> Iterator[Row]:
    bill, meter = charges.bill, line.meter
    step = bill.conventions.line_step
    events = charges.events.get(meter.name)
    for tier in line.rows:
        for list_price, quantity in _parts(tier):
            units = as_decimal(quantity, step)
            contracted = _product(units, tier.price_per_unit)
            consumed = quantity if events is None else events * quantity / line.quantity
            yield {
                **_common(charges),
                **_service(meter),
                "BilledCost": contracted,
                "EffectiveCost": contracted,
                "ContractedCost": contracted,
                "ContractedUnitPrice": plain(tier.price_per_unit),
                "ListCost": _product(units, list_price),
                "ListUnitPrice": plain(list_price),
                "PricingCategory": "Standard",
                "PricingQuantity": plain(units),
                "PricingUnit": meter.unit,
                "ConsumedQuantity": plain(as_decimal(consumed, step)),
                "ConsumedUnit": meter.unit,
                "ChargeCategory": "Usage",
                "ChargeFrequency": "Usage-Based",
                "ChargeDescription": _description(meter, tier),
                "RegionId": charges.book.region,
                "RegionName": charges.book.region_name or None,
                "SkuId": meter.sku or None,
                "x_FreeTier": tier.free_tier or None,
                "x_Meter": meter.name,
                "x_Operation": meter.operation or None,
                "x_ServiceCode": meter.service or None,
                "x_UsageType": meter.usage_type or None,
            }


def _parts(tier: TierRow) -> Iterator[tuple[Decimal, Fraction]]:
    """The row cut by list price; what has none is taken to cost by list what it costs."""
    yield from tier.listed
    rest = tier.quantity - sum((quantity for _, quantity in tier.listed), Fraction(0))
    if rest:
        yield tier.price_per_unit, rest


def _product(units: Decimal, price: Decimal) -> str:
    # Both are finite, so is their product: the step is never used.
    return plain(as_decimal(Fraction(units) * Fraction(price), Decimal(1)))


def _other_row(charges: Charges, category: str, what: str, amount: Decimal) -> Row:
    """A row that is about the whole bill: no quantity, no price, nothing by list."""
    return {
        **_common(charges),
        "BilledCost": plain(amount),
        "EffectiveCost": plain(amount),
        "ContractedCost": "0",
        "ListCost": "0",
        "ChargeCategory": category,
        "ChargeFrequency": "Recurring" if category == "Credit" else "One-Time",
        "ChargeDescription": what,
        "ServiceName": {"Credit": "Credits"}.get(category, "Rounding"),
        "ServiceCategory": "Other",
        "ServiceSubcategory": "Other (Other)",
    }


def _common(charges: Charges) -> Row:
    period, names = charges.period, _names()
    row: Row = dict.fromkeys(FOCUS_COLUMNS)
    row |= {
        "BillingAccountId": _ACCOUNT,
        "BillingCurrency": charges.bill.currency,
        "BillingPeriodStart": _text(period.billing.start),
        "BillingPeriodEnd": _text(period.billing.end),
        "ChargePeriodStart": _text(period.start),
        "ChargePeriodEnd": _text(period.end),
        "InvoiceIssuerName": names["invoice_issuer"],
        "ProviderName": names["provider"],
        "PublisherName": names["publisher"],
        "x_PriceBook": charges.bill.book,
    }
    return row


def _service(meter: Meter) -> Row:
    code = meter.billed_under or meter.service
    known = _names()["services"].get(code)
    if known is None:
        name = code or meter.name
        known = {"name": name, "category": "Other", "subcategory": "Other (Other)"}
    return {
        "ServiceName": known["name"],
        "ServiceCategory": known["category"],
        "ServiceSubcategory": known["subcategory"],
    }


def _description(meter: Meter, tier: TierRow) -> str:
    words = meter.description or meter.name
    if tier.tier == FREE:
        return f"$0.00 per {meter.unit} - free tier {tier.free_tier} - {words}"
    text = price_text(tier.price_per_unit, meter.unit)
    if len(meter.tiers) > 1:
        end = meter.tiers[tier.tier].up_to
        below = meter.tiers[tier.tier - 1].up_to if tier.tier else None
        from_ = quantity_text(Fraction(below or 0))
        span = f"over {from_}" if end is None else f"{from_} to {quantity_text(Fraction(end))}"
        words = f"{span} {meter.unit} a month - {words}"
    return f"{text} - {words}"


def _text(moment: datetime) -> str:
    return _utc(moment).strftime(_TIME)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


@cache
def _names() -> dict[str, Any]:
    text = files("apisim.pricing").joinpath(_FILE).read_bytes()
    data: dict[str, Any] = read_yaml(text, _FILE).data
    return data
