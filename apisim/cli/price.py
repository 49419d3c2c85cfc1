"""``apisim price``: what some quantities cost, without simulating anything."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apisim import __version__
from apisim.cli.guard import guard
from apisim.cli.options import AsJson, Debug
from apisim.cli.streams import say, write, write_json, write_rich

if TYPE_CHECKING:
    from apisim.pricing import Bill, PriceBook
    from apisim.pricing.month_plan import MonthPlan
    from apisim.pricing.months import Statement
    from apisim.results.section import Section

__all__ = ["price"]


class Form(StrEnum):
    """How a bill is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    FOCUS = "focus"


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
            help="YAML with a quantity for each meter, or months and credits.",
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
    form: Annotated[
        Form | None,
        typer.Option("--format", help="How the bill is printed. [default: table]"),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Print the bill of quantities that you give; nothing is simulated."""
    is_json = as_json or form is Form.JSON
    with guard(as_json=is_json, debug=debug):
        from apisim.pricing import Quantities, load_book
        from apisim.scenario.problems import ApisimError

        if as_json and form not in {None, Form.JSON}:
            raise ApisimError(f"--json cannot stand beside --format {form.value}")

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
        if day is not None and not 1970 <= day.year <= 2199:
            raise ApisimError(f"--date must be from 1970-01-01 to 2199-12-31, got {day.date()}")
        today = day.date() if day is not None else _today()
        chosen = Form.JSON if is_json else form or Form.TABLE
        if given.plan is not None:
            first = given.plan.first_month or today
            statement = _all_rated(prices, given.plan, plans, first, today)
            _print_statement(statement, prices, plans, chosen)
            return
        bill = _rated(prices, given.used, given.before, plans, today)
        _print_bill(bill, prices, plans, chosen, today)


def _content(file: str) -> bytes:
    """What stands in a file; one byte more than it may have, at most."""
    from apisim.scenario.positions import MAX_BYTES

    with Path(file).open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _today() -> date:
    return datetime.now(UTC).date()


def _rated(book: "PriceBook", used: Any, before: Any, plans: list[str], today: date) -> "Bill":
    from apisim.pricing import rate

    with _at_free_tier():
        return rate(book, used, month_to_date=before, free_tier=plans, today=today)


def _all_rated(
    book: "PriceBook", plan: "MonthPlan", plans: list[str], first: date, today: date
) -> "Statement":
    from apisim.pricing.months import rate_months

    with _at_free_tier():
        return rate_months(
            book,
            plan.months,
            first_day=first,
            free_tier=plans,
            account_months=plan.account_months,
            granted=plan.credits,
            today=today,
        )


@contextmanager
def _at_free_tier() -> Iterator[None]:
    """A plan that the book does not have is a problem of its option."""
    from apisim.pricing import SettingError
    from apisim.scenario.problems import Problem, ScenarioError

    try:
        yield
    except SettingError as error:
        problem = Problem("--free-tier", 1, 1, "", error.message, error.hint)
        raise ScenarioError([problem]) from None


def _head(bill: "Bill", book: "PriceBook", plans: list[str]) -> dict[str, Any]:
    return {
        "apisim": __version__,
        "book": bill.book,
        "region": book.region,
        "currency": bill.currency,
        "free_tier": plans,
    }


def _print_bill(bill: "Bill", book: "PriceBook", plans: list[str], form: Form, today: date) -> None:
    from apisim.results import statements

    if form is Form.JSON:
        total = {"invoice_total": str(bill.invoice_total)}
        _print_json(_head(bill, book, plans) | total | bill.to_dict())
    elif form is Form.CSV:
        write(statements.bill_csv(bill))
    elif form is Form.FOCUS:
        write(statements.bill_focus(bill, book, today))
        _say_left_out(bill)
    else:
        _print_sections(statements.bill_sections(bill))


def _print_statement(
    statement: "Statement", book: "PriceBook", plans: list[str], form: Form
) -> None:
    from apisim.results import statements

    if form is Form.JSON:
        _print_json(_head(statement.months[0].bill, book, plans) | statement.to_dict())
    elif form is Form.CSV:
        write(statements.statement_csv(statement))
    elif form is Form.FOCUS:
        write(statements.statement_focus(statement, book))
        for month in statement.months:
            _say_left_out(month.bill)
    else:
        _print_sections(statements.statement_sections(statement))


def _say_left_out(bill: "Bill") -> None:
    """FOCUS has no row without a cost."""
    for item in bill.unpriced:
        say(f"note: {item.meter} has no row: {item.note}")


def _print_json(document: dict[str, Any]) -> None:
    write_json(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _print_sections(sections: "Iterable[Section]") -> None:
    from apisim.results.text import render_section

    for number, section in enumerate(sections):
        if number:
            write("\n")
        write_rich(render_section(section))
