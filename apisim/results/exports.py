"""The bills of a result in the forms of other programs: FOCUS and Infracost's usage file."""

import math
from datetime import timedelta
from typing import Final

from apisim.pricing.focus import Charges, Period, focus_rows, to_focus_csv
from apisim.results.result import Result

__all__ = ["EXPORTS", "bill_exports"]

#: Files there may be.
EXPORTS: Final = ("focus.csv", "focus-month.csv", "infracost-usage.yml")


def bill_exports(result: Result) -> dict[str, str]:
    """Texts by the name of their file.

    The charges of a run are of the time that was simulated, from the scenario's ``start``, in whole
    seconds; those of a projected month are of the calendar month of ``start``.
    """
    scenario, bills = result.scenario, result.bill
    book = bills.book
    assert book is not None, "a run has a book"
    length = timedelta(seconds=math.ceil(result.run_info.simulated_s))
    period = Period(start=scenario.start, end=scenario.start + length)
    run = Charges(bill=bills.run, book=book, period=period, events=bills.run_events)
    texts = {"focus.csv": to_focus_csv(focus_rows(run))}
    if bills.month is not None:
        month = Charges(
            bill=bills.month,
            book=book,
            period=Period.month_of(scenario.start),
            events=bills.month_events,
        )
        texts["focus-month.csv"] = to_focus_csv(focus_rows(month))
        texts["infracost-usage.yml"] = bills.infracost
    return texts
