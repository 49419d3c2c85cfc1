"""``apisim price``: what some quantities cost, without simulating anything."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apisim import __version__
from apisim.cli.guard import guard
from apisim.cli.options import AsJson, Debug
from apisim.cli.streams import write_json, write_rich

if TYPE_CHECKING:
    from apisim.pricing import Bill, PriceBook

__all__ = ["price"]


def price(
    book: Annotated[
        str,
        typer.Option(metavar="B", help="A packaged price book, or a .yaml file of your own."),
    ] = "aws-us-east-1",
    quantity: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METER=N",
            help="How much of a meter, in its unit; may be repeated.",
            show_default=False,
        ),
    ] = None,
    quantities: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="YAML with a quantity for each meter, and month_to_date.",
            show_default=False,
        ),
    ] = None,
    month_to_date: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METER=N",
            help="What the account had used in the month before; may be repeated.",
            show_default=False,
        ),
    ] = None,
    free_tier: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A free tier of the book; may be repeated.",
            show_default=False,
        ),
    ] = None,
    day: Annotated[
        datetime | None,
        typer.Option(
            "--date",
            formats=["%Y-%m-%d"],
            metavar="DAY",
            help="Day of the bill; a book more than a year older is named. Default: today.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Print the bill of quantities that you give; nothing is simulated."""
    with guard(as_json=as_json, debug=debug):
        from apisim.pricing import Quantities, load_book
        from apisim.scenario.problems import ApisimError

        if not quantity and quantities is None:
            raise ApisimError("nothing to price: give --quantity METER=N or --quantities FILE")
        prices = load_book(book)
        given = Quantities(prices)
        if quantities is not None:
            given.add_file(quantities, _content(quantities))
        for option in quantity or ():
            given.add_option("--quantity", option)
        for option in month_to_date or ():
            given.add_option("--month-to-date", option, is_before=True)
        given.checked()
        plans = free_tier or []
        today = day.date() if day is not None else _today()
        bill = _rated(prices, given.used, given.before, plans, today)
        if as_json:
            document = {
                "apisim": __version__,
                "book": bill.book,
                "region": prices.region,
                "currency": bill.currency,
                "free_tier": plans,
                "invoice_total": str(bill.invoice_total),
                **bill.to_dict(),
            }
            write_json(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        else:
            _print(bill)


def _content(file: str) -> bytes:
    """What stands in a file; one byte more than it may have, at most."""
    from apisim.scenario.positions import MAX_BYTES

    with Path(file).open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _today() -> date:
    return datetime.now(UTC).date()


def _rated(book: "PriceBook", used: Any, before: Any, plans: list[str], today: date) -> "Bill":
    from apisim.pricing import SettingError, rate
    from apisim.scenario.problems import Problem, ScenarioError

    try:
        return rate(book, used, month_to_date=before, free_tier=plans, today=today)
    except SettingError as error:
        problem = Problem("--free-tier", 1, 1, "", error.message, error.hint)
        raise ScenarioError([problem]) from None


def _print(bill: "Bill") -> None:
    from apisim.pricing import dollars
    from apisim.pricing.exact import plain
    from apisim.results.sections_cost import cost_section
    from apisim.results.text import render_section

    remarks = [f"{item.meter}: {item.note}" for item in bill.unpriced]
    exact = plain(bill.total)
    if exact != plain(Decimal(dollars(bill.total).lstrip("$").replace(",", ""))):
        remarks.insert(0, f"exactly {exact}")
    write_rich(render_section(cost_section("Bill", bill, *remarks)))
