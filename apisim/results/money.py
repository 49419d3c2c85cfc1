"""Bills as figures have them: steps from nothing to the total, and a bill over the volume."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal

from apisim.pricing import Bill, PriceBook
from apisim.pricing.charges import API_METERS
from apisim.pricing.exact import as_decimal
from apisim.pricing.rating import rate
from apisim.pricing.volumes import over_volume, tier_ends, units_of_apis
from apisim.results.result import Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["VOLUME", "WATERFALL", "has_volume", "volume_frame", "volume_rows", "waterfall_frame"]

#: Columns of the frames.
WATERFALL: Final = ("step", "kind", "start", "end", "amount")
VOLUME: Final = ("prices", "units", "total", "api", "per_million", "price_from_here")

_POINTS: Final = 40
_LEAST_UNITS: Final = 1_000_000
#: How far past the last tier that is looked at, and how many times the bill's own volume.
_BEYOND: Final = Fraction(3, 2)
_MOST_TIMES: Final = 10
_OTHER: Final = {"rest": "http", "http": "rest"}
_NAMES: Final = {"rest": "REST", "http": "HTTP", "websocket": "WebSocket"}


def bill_of(result: Result, bill: Literal["run", "month"] | None) -> tuple[str, Bill]:
    """A bill of a result with its name: the month where it was projected, else the run.

    Raises
    ------
    ValueError
        If there is no such bill.
    """
    name = bill or ("run" if result.bill.month is None else "month")
    if name not in ("run", "month"):
        raise ValueError(f"bill must be run or month, got {bill!r}")
    found = result.bill.run if name == "run" else result.bill.month
    if found is None:
        raise ValueError("no month was projected: write pricing: {month: project}")
    return name, found


def waterfall_frame(
    result: Result, bill: Literal["run", "month"] | None = None, *, most: int = 10
) -> "pd.DataFrame":
    """Steps from nothing to the total of a bill.

    Columns are ``step`` (a meter, ``other lines``, ``free tier``, ``discounts`` or ``total``),
    ``kind`` (``meter``, ``off`` or ``total``), and ``start``, ``end`` and ``amount`` in the bill's
    currency, exact decimals. Each meter is at its list price without free units; what the free tier
    and an overlay's prices take off are steps of their own, downwards.

    Parameters
    ----------
    result : Result
    bill : {"run", "month"}, optional
        The month where it was projected, by default.
    most : int
        Meters with a step of their own; the smallest share one.

    Raises
    ------
    ValueError
        If there is no such bill.
    """
    import pandas as pd

    _, chosen = bill_of(result, bill)
    meters: list[tuple[str, Fraction]] = []
    free = discounts = Fraction(0)
    for line in chosen.lines:
        listed = sum((_listed(row) for row in line.rows), Fraction(0))
        saved = _saved(result.bill.book, line.meter.name, line.quantity, line.amount, result)
        if not any(row.free_tier for row in line.rows):
            saved = Fraction(0)
        meters.append((line.meter.name, listed + saved))
        discounts += listed - line.amount
        free += saved
    meters.sort(key=lambda step: step[1], reverse=True)
    if len(meters) > most:
        rest = sum((amount for _, amount in meters[most - 1 :]), Fraction(0))
        meters = [*meters[: most - 1], ("other lines", rest)]
    steps = [(name, "meter", amount) for name, amount in meters]
    steps += [
        (name, "off", -amount)
        for name, amount in (("free tier", free), ("discounts", discounts))
        if amount
    ]
    rows, at = [], Fraction(0)
    places = chosen.conventions.line_step
    for name, kind, amount in steps:
        rows.append((name, kind, *(as_decimal(x, places) for x in (at, at + amount, amount))))
        at += amount
    rows.append(("total", "total", Decimal(0), as_decimal(at, places), chosen.total))
    return pd.DataFrame(rows, columns=list(WATERFALL))


def _listed(row: Any) -> Fraction:
    if not row.listed:
        return Fraction(row.amount)
    return sum((Fraction(price) * quantity for price, quantity in row.listed), Fraction(0))


def _saved(
    book: PriceBook | None, meter: str, quantity: Fraction, amount: Fraction, result: Result
) -> Fraction:
    """What granted units would have cost."""
    if book is None:
        return Fraction(0)
    before = result.scenario.pricing.month_to_date
    paid = rate(book, {meter: quantity}, month_to_date=before).exact_total
    return max(Fraction(0), paid - amount)


def volume_rows(result: Result, units: Sequence[int] | None = None) -> list[dict[str, Any]]:
    """Rows of :func:`volume_frame`."""
    _, bill = bill_of(result, None)
    book = result.bill.book
    if book is None:
        raise ValueError("the result has no price book")
    own = {line.meter.name: line.quantity for line in bill.lines}
    pricing = result.scenario.pricing
    terms: dict[str, Any] = {"month_to_date": pricing.month_to_date, "free_tier": pricing.free_tier}
    variants = _variants(own, result)
    wanted = [Fraction(one) for one in units] if units is not None else _units(book, variants)
    rows = []
    for name, quantities in variants.items():
        ends = dict(tier_ends(book, quantities, month_to_date=pricing.month_to_date))
        inside = [end for end in ends if wanted[0] < end < wanted[-1]]
        at = sorted({*wanted, *(inside if units is None else ())})
        for point in over_volume(book, quantities, at, **terms):
            cells = (
                name, float(point.units), point.bill.total, point.api_amount, point.per_million,
                ends.get(point.units, Decimal("NaN")) * 1_000_000,
            )  # fmt: skip
            rows.append(dict(zip(VOLUME, cells, strict=True)))
    return rows


def volume_frame(result: Result, units: Sequence[int] | None = None) -> "pd.DataFrame":
    """The bill of a month over its volume, by the prices of each type of API that can be compared.

    The mix is that of the projected month, or of the run where none was. Columns are ``prices``
    (``REST``, ``HTTP`` or ``WebSocket``; of a REST or an HTTP API alone the other's as well),
    ``units`` (requests or messages in the month), ``total``, ``api`` (the APIs' own part) and
    ``per_million`` (the total for each million units), in the bill's currency, exact decimals, and
    ``price_from_here``: where a tier of the API ends, the price of a million in the next; else NaN.

    Parameters
    ----------
    result : Result
    units : sequence of int, optional
        Volumes, ascending; by default from a million to beyond the tiers that are near.

    Raises
    ------
    ValueError
        If no API's requests are on the bill.
    """
    import pandas as pd

    return pd.DataFrame(volume_rows(result, units), columns=list(VOLUME))


def has_volume(result: Result) -> bool:
    """Whether requests of any API are on the bill, so that there is a volume to scale."""
    _, bill = bill_of(result, None)
    meters = set(API_METERS.values())
    return any(line.meter.name in meters and line.quantity for line in bill.lines)


def _variants(own: Mapping[str, Fraction], result: Result) -> dict[str, dict[str, Fraction]]:
    """The bill's quantities by the words for its prices, the bill's own first."""
    types = [kind for kind, meter in API_METERS.items() if own.get(meter)]
    found = {" + ".join(_NAMES[kind] for kind in types): dict(own)}
    if len(types) != 1 or types[0] not in _OTHER:
        return found
    kind, other = types[0], _OTHER[types[0]]
    events = result.bill.run_events if result.bill.month is None else result.bill.month_events
    moved = {name: quantity for name, quantity in own.items() if name != API_METERS[kind]}
    # REST bills a call once whatever its size: the calls behind an HTTP API's units are known.
    calls = events.get(API_METERS[kind]) if kind == "http" else None
    moved[API_METERS[other]] = own[API_METERS[kind]] if calls is None else calls
    found[_NAMES[other]] = moved
    return found


def _units(book: PriceBook, variants: Mapping[str, Mapping[str, Fraction]]) -> list[Fraction]:
    """Even steps of a logarithmic axis that show the bill's own volume and the next tiers."""
    own = max(units_of_apis(quantities) for quantities in variants.values())
    low = min(Fraction(_LEAST_UNITS), own)
    high = own * _MOST_TIMES
    for quantities in variants.values():
        ends = [end for end, _ in tier_ends(book, quantities)]
        near = [end for end in ends if end <= 100 * max(own, Fraction(_LEAST_UNITS))] or ends[:2]
        high = max([high, *(end * _BEYOND for end in near)])
    ratio = math.log(high / low)
    inner = [Fraction(round(float(low) * math.exp(ratio * k / _POINTS))) for k in range(_POINTS)]
    return sorted({low, *(one for one in inner if one > low), high})
