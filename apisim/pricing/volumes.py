"""A bill as a function of traffic: the same mix of usage, so many times.

What is used grows with the requests; what is paid for being there (clusters, web ACLs, provisioned
concurrency, load balancers, users) stays. Every point is rated through the book's tiers on its own
and exactly, so that the ends of tiers show where they are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from apisim.pricing.bill import Bill
from apisim.pricing.book import NO_FREE_TIER, PriceBook
from apisim.pricing.charges import API_METERS
from apisim.pricing.exact import as_decimal
from apisim.pricing.rating import rate

__all__ = ["VolumePoint", "over_volume", "tier_ends", "units_of_apis"]

#: Meters of what is paid for being there, or the beginnings of their names.
_HELD: Final = (
    "apigateway.cache.", "apigateway.portal.", "privatelink.endpoint_hours", "elb.nlb.hours",
    "elb.alb.hours", "lambda.provisioned_concurrency.", "cognito.mau.", "waf.web_acls", "waf.rules",
    "cloudwatch.metrics", "cloudwatch.alarms", "dynamodb.provisioned.", "dynamodb.storage",
    "kinesis.provisioned.shard_hours", "kinesis.on_demand.stream_hours",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class VolumePoint:
    """A bill at one volume.

    Attributes
    ----------
    units : Fraction
        Units of the APIs' own meters: requests (REST), 512 KB units (HTTP), messages (WebSocket).
    bill : Bill
    """

    units: Fraction
    bill: Bill

    @property
    def api_amount(self) -> Decimal:
        """What the APIs' own meters cost, in the bill's currency."""
        lines = [line for name in API_METERS.values() if (line := self.bill.line(name)) is not None]
        exact = sum((line.amount for line in lines), Fraction(0))
        return as_decimal(exact, self.bill.conventions.line_step)

    @property
    def per_million(self) -> Decimal:
        """The whole bill for each million units; 0 at no units."""
        if not self.units:
            return Decimal(0)
        exact = self.bill.exact_total / self.units * 1_000_000
        return as_decimal(exact, self.bill.conventions.line_step)


def units_of_apis(quantities: Mapping[str, Fraction]) -> Fraction:
    """Units of the APIs' own meters among some quantities.

    Examples
    --------
    >>> print(units_of_apis({"apigateway.rest.requests": Fraction(7), "lambda.requests": 3}))
    7
    """
    return sum((quantities.get(name, Fraction(0)) for name in API_METERS.values()), Fraction(0))


def over_volume(
    book: PriceBook,
    quantities: Mapping[str, Fraction],
    units: Iterable[Fraction | int],
    *,
    month_to_date: Mapping[str, Decimal] | None = None,
    free_tier: str | Sequence[str] = NO_FREE_TIER,
) -> list[VolumePoint]:
    """Bills of the same mix at other volumes.

    Parameters
    ----------
    book : PriceBook
        Prices and tiers.
    quantities : mapping of str to Fraction
        By meter, in its unit, of a month at some volume; the APIs' own must be among them.
    units : iterable of Fraction or int
        Volumes: units of the APIs' own meters, >= 0.
    month_to_date, free_tier
        As :func:`apisim.pricing.rating.rate`.

    Returns
    -------
    list of VolumePoint
        One for each volume, in the order given.

    Raises
    ------
    ValueError
        If there are no units of an API to scale.
    SettingError
        As :func:`apisim.pricing.rating.rate`.

    Examples
    --------
    >>> from apisim.pricing import load_book
    >>> used = {"apigateway.rest.requests": Fraction(1)}
    >>> points = over_volume(load_book("aws-us-east-1"), used, [333_000_000, 1_000_000_000])
    >>> [str(point.bill.total) for point in points]
    ['1165.5', '3033.1']
    """
    base = _base(quantities)
    found = []
    for wanted in units:
        scaled = {
            meter: quantity if meter.startswith(_HELD) else quantity * wanted / base
            for meter, quantity in quantities.items()
        }
        bill = rate(book, scaled, month_to_date=month_to_date, free_tier=free_tier)
        found.append(VolumePoint(Fraction(wanted), bill))
    return found


def tier_ends(
    book: PriceBook,
    quantities: Mapping[str, Fraction],
    *,
    month_to_date: Mapping[str, Decimal] | None = None,
) -> list[tuple[Fraction, Decimal]]:
    """Volumes at which a tier of the APIs' own meters ends, ascending, with the price from there.

    Free allowances use up the first tier; where a book counts tiers after them, they are not
    looked at.

    Parameters
    ----------
    book, quantities, month_to_date
        As :func:`over_volume`.

    Raises
    ------
    ValueError
        If there are no units of an API.

    Examples
    --------
    >>> from apisim.pricing import load_book
    >>> used = {"apigateway.http.requests": Fraction(1)}
    >>> [(int(end), str(price)) for end, price in tier_ends(load_book("aws-us-east-1"), used)]
    [(300000000, '9.000E-7')]
    """
    base = _base(quantities)
    found = []
    for name in API_METERS.values():
        meter, quantity = book.meters.get(name), quantities.get(name, Fraction(0))
        if meter is None or not quantity:
            continue
        before = Fraction((month_to_date or {}).get(name, 0))
        for tier, following in zip(meter.tiers, meter.tiers[1:], strict=False):
            end = Fraction(tier.up_to or 0) - before
            if end > 0:
                found.append((end * base / quantity, following.price_per_unit))
    return sorted(found)


def _base(quantities: Mapping[str, Fraction]) -> Fraction:
    base = units_of_apis(quantities)
    if not base:
        raise ValueError("no requests of an API are on the bill: there is nothing to scale")
    return base
