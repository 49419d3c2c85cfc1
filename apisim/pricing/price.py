"""The bill of quantities, without a simulation: ``apisim.price``."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from apisim.pricing.bill import Bill
from apisim.pricing.book import NO_FREE_TIER
from apisim.pricing.library import load_book
from apisim.pricing.quantities import Quantities
from apisim.pricing.rating import rate

__all__ = ["price"]


def price(
    quantities: Mapping[str, int | str | Decimal],
    book: str | Path = "aws-us-east-1",
    *,
    month_to_date: Mapping[str, int | str | Decimal] | None = None,
    free_tier: str | Sequence[str] = NO_FREE_TIER,
    today: date | None = None,
) -> Bill:
    """What some quantities of a month cost; nothing is simulated.

    Parameters
    ----------
    quantities : mapping of str to int, str or Decimal
        By meter, in the meter's unit, as ``apisim price --quantity`` takes them: 0 to 10^18.
    book : str or pathlib.Path
        A packaged price book, or a ``.yaml`` file of one's own.
    month_to_date : mapping, optional
        What the account had used of each meter in the month before that.
    free_tier : str or sequence of str
        Free-tier plans of the book by name; ``none`` grants nothing.
    today : datetime.date, optional
        Day of the bill: a book more than a year older is named in its notes.

    Returns
    -------
    Bill
        ``.total`` and ``.lines``, exact; a table in a notebook.

    Raises
    ------
    QuantityError
        If a meter is unknown, or a quantity is no number; with a hint.
    PricingError
        If there is no such book.
    SettingError
        If the book has no such free-tier plan.

    Examples
    --------
    Infracost's published bill of 21 billion requests to a REST API:

    >>> import apisim
    >>> apisim.price({"apigateway.rest.requests": 21_000_000_000}).total
    Decimal('49763.1')
    """
    prices = load_book(book)
    given = Quantities(prices)
    for meter, quantity in quantities.items():
        given.add_option("quantities", f"{meter}={quantity}")
    for meter, quantity in (month_to_date or {}).items():
        given.add_option("month_to_date", f"{meter}={quantity}", is_before=True)
    given.checked()
    return rate(prices, given.used, month_to_date=given.before, free_tier=free_tier, today=today)
