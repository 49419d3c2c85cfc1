"""What a price book says: meters with graduated tiers, free allowances, charge rules, sources.

A book is data: no price is written in code. A meter is one line of a bill, with one unit and one
tier table. A regional book prices only what was read for its region; the other meters of the book
it extends are kept without tiers, so that what they would have cost is reported as *unpriced*
instead of being charged at another region's price.

Books are read by :mod:`apisim.pricing.reading` and found by :mod:`apisim.pricing.library`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from apisim.pricing.errors import SettingError
from apisim.scenario.problems import PricingError, did_you_mean

__all__ = [
    "NO_FREE_TIER",
    "UNITS",
    "ChargeRule",
    "Conventions",
    "FreeAllowance",
    "Meter",
    "PriceBook",
    "Source",
    "Tier",
    "usage_unit",
]

#: The free tier every scenario starts with: none.
NO_FREE_TIER: Final = "none"

#: Units of AWS's price lists that a meter may have.
UNITS: Final = frozenset(
    {
        "64K-Chunks", "Alarms", "GB", "GB-Hrs", "GB-Mo", "GB-Seconds", "Hrs", "LCU-Hrs",
        "Lambda-GB-Second", "Messages", "Metrics", "Month", "Notifications",
        "PutRequestPayloadUnits", "ReadCapacityUnit-Hrs", "ReadRequestUnits", "Requests",
        "ShardHour", "StateTransitions", "StreamHour", "User-Month", "WriteCapacityUnit-Hrs",
        "WriteRequestUnits", "minutes", "traces",
    }
)  # fmt: skip

#: Units in which :class:`apisim.pricing.usage.Usage` counts; a book must price them in these.
_USAGE_UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "apigateway.rest.requests": "Requests",
        "apigateway.http.requests": "Requests",
        "apigateway.websocket.messages": "Messages",
        "apigateway.websocket.connection_minutes": "minutes",
        "datatransfer.out.internet": "GB",
        "privatelink.data_processed": "GB",
        "privatelink.endpoint_hours": "Hrs",
        "elb.nlb.hours": "Hrs",
        "elb.nlb.nlcu_hours": "LCU-Hrs",
        "elb.alb.hours": "Hrs",
        "elb.alb.lcu_hours": "LCU-Hrs",
        "lambda.requests": "Requests",
        "lambda.duration.x86": "Lambda-GB-Second",
        "lambda.duration.arm64": "Lambda-GB-Second",
        "waf.web_acls": "Month",
        "waf.rules": "Month",
        "waf.requests": "Requests",
        "cloudwatch.metrics": "Metrics",
        "cognito.mau.lite": "User-Month",
        "cognito.mau.essentials": "User-Month",
        "cognito.mau.plus": "User-Month",
        "dynamodb.on_demand.writes": "WriteRequestUnits",
        "dynamodb.on_demand.reads": "ReadRequestUnits",
        "dynamodb.provisioned.write_hours": "WriteCapacityUnit-Hrs",
        "dynamodb.provisioned.read_hours": "ReadCapacityUnit-Hrs",
        "sqs.standard.requests": "Requests",
        "sqs.fifo.requests": "Requests",
        "sns.publishes": "Requests",
        "sns.fifo.publishes": "Requests",
        "stepfunctions.standard.transitions": "StateTransitions",
        "stepfunctions.express.requests": "Requests",
        "stepfunctions.express.duration": "GB-Seconds",
        "kinesis.provisioned.shard_hours": "ShardHour",
        "kinesis.provisioned.put_units": "PutRequestPayloadUnits",
        "kinesis.on_demand.stream_hours": "StreamHour",
        "kinesis.on_demand.data_in": "GB",
        "eventbridge.custom_events": "64K-Chunks",
    }
)
_CACHE_METER: Final = re.compile(r"apigateway\.cache\.[0-9.]+")


def usage_unit(meter: str) -> str:
    """Unit in which a run counts ``meter``; empty for meters a run does not count.

    Examples
    --------
    >>> usage_unit("apigateway.cache.1.6"), usage_unit("cloudwatch.logs.ingest")
    ('Hrs', '')
    """
    return "Hrs" if _CACHE_METER.fullmatch(meter) else _USAGE_UNITS.get(meter, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a price was read.

    Attributes
    ----------
    key, title, locator : str
        Name used by the meters, what it is, and where it is found.
    """

    key: str
    title: str
    locator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One step of a graduated price.

    Attributes
    ----------
    up_to : Decimal or None
        Cumulative quantity of the month at which the tier ends, inclusive, in the meter's unit;
        None for "and above".
    price_per_unit : Decimal
        In the book's currency, >= 0.
    """

    up_to: Decimal | None
    price_per_unit: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeAllowance:
    """What a free-tier plan grants of one meter.

    Attributes
    ----------
    plan : str
        Name a scenario asks for.
    quantity : Decimal
        Granted each month, in the meter's unit, > 0.
    months : int or None
        Months of an account after which the plan ends; None where it does not.
    """

    plan: str
    quantity: Decimal
    months: int | None = None

    def is_over(self, account_month: int | None) -> bool:
        """Whether the plan has ended in that month of the account, from 1; None: nobody says."""
        return self.months is not None and account_month is not None and account_month > self.months


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """One line of a bill.

    Attributes
    ----------
    name, description, service, unit : str
        Name in apisim, words for the bill, AWS's service code and unit.
    billed_under : str
        Service under which the line appears on an AWS bill.
    usage_type, operation, product_family, sku : str
        AWS's own names, empty where the book does not have them.
    position : int
        Place in the order of the bill.
    tiers : tuple of Tier
        Ascending. Empty: the book has no price for this meter. If the last tier has an end, nothing
        is known above it.
    free : tuple of FreeAllowance
        At most one for each plan.
    tiers_after_free : bool
        Whether the tiers count from the end of the free allowance; otherwise free units use up the
        first tier.
    increment_bytes : int or None
        Size of one billable unit [bytes]; None where each event is one unit.
    stream_increment_bytes : int or None
        Likewise of answers that a REST API streams to its callers.
    basis : str
        What is measured against ``increment_bytes``, e.g. ``request_payload``.
    gb_megabytes : int or None
        Megabytes in a GB of memory, on meters of memory times duration.
    dimensions : tuple of (str, Decimal)
        What one capacity unit of a load balancer carries, by dimension.
    sources : tuple of str
        Keys of :attr:`PriceBook.sources`.
    status : str
        ``verified``, ``secondary``, ``assumed`` or empty.
    note : str
        What a reader of the bill should know.
    priced_by : str
        Name and version of the book whose file has the price; empty without one. Two meters are
        equal wherever their price stands.
    list_tiers : tuple of Tier
        What it costs by list, where an overlay has other prices in the same region; else empty.
    """

    name: str
    unit: str
    description: str = ""
    service: str = ""
    billed_under: str = ""
    usage_type: str = ""
    operation: str = ""
    product_family: str = ""
    sku: str = ""
    position: int = 0
    tiers: tuple[Tier, ...] = ()
    free: tuple[FreeAllowance, ...] = ()
    tiers_after_free: bool = False
    increment_bytes: int | None = None
    stream_increment_bytes: int | None = None
    basis: str = ""
    gb_megabytes: int | None = None
    dimensions: tuple[tuple[str, Decimal], ...] = ()
    sources: tuple[str, ...] = ()
    status: str = ""
    note: str = ""
    priced_by: str = field(default="", compare=False)
    list_tiers: tuple[Tier, ...] = ()

    @property
    def is_priced(self) -> bool:
        """Whether the book has a price for this meter."""
        return bool(self.tiers)

    def without_price(self) -> "Meter":
        """The same meter where nobody knows what it costs."""
        return replace(
            self, tiers=(), list_tiers=(), sku="", sources=(), status="", note="", priced_by=""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRule:
    """Whether requests with some outcome are charged.

    Attributes
    ----------
    outcome : str
        The book's name of the outcome.
    is_charged : bool
        Whether it reaches the request meter.
    evidence, note : str
        How this is known: official, staff, silence (no exemption is documented) or unknown.
    """

    outcome: str
    is_charged: bool
    evidence: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """How the book counts and rounds.

    Attributes
    ----------
    gigabyte_bytes : int
        Bytes in a GB of data.
    line_step : Decimal
        Power of ten to which a line without a finite decimal is rounded.
    invoice_step : Decimal
        Power of ten to which an invoice's total is rounded.
    invoice_mode : str
        ``half_up`` or ``half_even``.
    """

    gigabyte_bytes: int
    line_step: Decimal
    invoice_step: Decimal
    invoice_mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """Prices of one provider in one region at one date.

    Attributes
    ----------
    name : str
        Name to load it by, for example ``aws-apigateway-regions/eu-west-2``.
    version, region, region_name, usage_type_prefix, currency, description : str
        As the file has them.
    as_of : datetime.date or None
        Day the prices were published; None where the book does not say.
    conventions : Conventions
        Counting and rounding.
    sources : mapping of str to Source
        By key.
    meters : mapping of str to Meter
        By name, in the order of the bill; unpriced meters of a regional book have no tiers.
    charge_rules : mapping of str to ChargeRule
        By the book's outcome name; empty where the book does not say.
    is_charged_by_default : bool
        For outcomes without a rule.
    unpriced : mapping of str to str
        Things the book mentions without a price, with the reason.
    bases : tuple of str
        References of the books it is laid over, the nearest first.
    """

    name: str
    version: str
    region: str
    currency: str
    conventions: Conventions
    sources: Mapping[str, Source]
    meters: Mapping[str, Meter]
    as_of: date | None = None
    region_name: str = ""
    usage_type_prefix: str = ""
    description: str = ""
    charge_rules: Mapping[str, ChargeRule] = field(default_factory=dict)
    is_charged_by_default: bool = True
    unpriced: Mapping[str, str] = field(default_factory=dict)
    bases: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """Name and version, as results carry them: ``aws-us-east-1@2026.09.11``."""
        return f"{self.name}@{self.version}"

    @property
    def plans(self) -> tuple[str, ...]:
        """Names of the free-tier plans, ``none`` first."""
        names = {allowance.plan for meter in self.meters.values() for allowance in meter.free}
        return (NO_FREE_TIER, *sorted(names))

    def meter(self, name: str) -> Meter:
        """The meter of that name.

        Raises
        ------
        PricingError
            If the book does not know it.
        """
        found = self.meters.get(name)
        if found is None:
            hint = did_you_mean(name, self.meters)
            raise PricingError(
                f"price book {self.reference} has no meter {name!r}"
                + (f" ({hint})" if hint else "")
            )
        return found

    def unit_of(self, name: str) -> str:
        """Unit of a meter, also of one that only usage knows; empty if nobody does."""
        known = self.meters.get(name)
        return known.unit if known is not None else usage_unit(name)

    def checked_plans(self, free_tier: str | Sequence[str]) -> tuple[str, ...]:
        """The free-tier plans asked for, without ``none``.

        Raises
        ------
        SettingError
            If the book has no plan of that name.
        """
        asked = (free_tier,) if isinstance(free_tier, str) else tuple(free_tier)
        for plan in asked:
            if plan not in self.plans:
                raise SettingError(
                    ("pricing", "free_tier"),
                    f"price book {self.reference} has no free tier {plan!r}",
                    f"it has: {', '.join(self.plans)}",
                )
        return tuple(plan for plan in asked if plan != NO_FREE_TIER)
