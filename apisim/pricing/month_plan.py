"""The months of a quantities file, and what pays for them: ``months:``, ``credits:``."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Protocol

from apisim.pricing.exact import plain
from apisim.pricing.months import Credit
from apisim.scenario.problems import Path, did_you_mean
from apisim.scenario.units import shown

__all__ = [
    "DIGITS_AFTER",
    "MONTHS",
    "MONTH_PLAN_KEYS",
    "MonthPlan",
    "decimal_as_written",
    "read_month_plan",
]

#: Key of a file under which stands a list of months.
MONTHS: Final = "months"
#: It, and the keys that stand beside it.
MONTH_PLAN_KEYS: Final = (MONTHS, "first_month", "account_months", "credits")

_CREDIT_KEYS: Final = ("name", "amount", "until")
_MOST_MONTHS: Final = 1200
_MOST: Final = Decimal(10) ** 12
#: Digits that a quantity may have after the point.
DIGITS_AFTER: Final = 20
_WRITTEN: Final = re.compile(r"[+-]?[0-9](?:[0-9_]{0,60}[0-9])?(?:\.[0-9]{1,60})?")


class Refuse(Protocol):
    """Takes down a problem."""

    def __call__(self, path: Path, message: str, hint: str = "") -> None:
        """The place, what is wrong, and what would be right."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthPlan:
    """Several months.

    Attributes
    ----------
    months : tuple of dict
        Quantities by meter.
    first_month : datetime.date or None
        First day of the first; None: the month of the bill.
    account_months : int
        Months that the account had before.
    credits : tuple of Credit
        What pays.
    """

    months: tuple[Mapping[str, Decimal], ...]
    first_month: date | None = None
    account_months: int = 0
    credits: tuple[Credit, ...] = ()


def read_month_plan(
    entries: Mapping[str, Any],
    refuse: Refuse,
    read_quantities: Callable[[Mapping[str, Any], Path], dict[str, Decimal]],
) -> MonthPlan:
    """The plan a file has; what is wrong with it is handed to ``refuse``.

    Parameters
    ----------
    entries : mapping
        The file, with ``months``.
    refuse : callable
        Takes path, message and hint of each problem.
    read_quantities : callable
        Reads the meters of one month, at a path.
    """
    for key in entries:
        if key not in MONTH_PLAN_KEYS:
            hint = did_you_mean(key, MONTH_PLAN_KEYS) or "write it into each month that has it"
            refuse((key,), f"cannot stand beside {MONTHS}", hint)
    months = entries[MONTHS]
    used: list[Mapping[str, Decimal]] = []
    if not isinstance(months, list) or not 1 <= len(months) <= _MOST_MONTHS:
        got = f"{len(months)}" if isinstance(months, list) else shown(months)
        refuse((MONTHS,), f"must be a list of 1 to {_MOST_MONTHS} months, got {got}")
        months = []
    for at, month in enumerate(months):
        if isinstance(month, dict):
            used.append(read_quantities(month, (MONTHS, at)))
        else:
            message = f"must be a mapping of meters to quantities, got {shown(month)}"
            refuse((MONTHS, at), message)
    return MonthPlan(
        months=tuple(used),
        first_month=_first_month(entries.get("first_month"), refuse),
        account_months=_account_months(entries.get("account_months", 0), refuse),
        credits=tuple(_credits(entries.get("credits", []), refuse)),
    )


def _first_month(value: Any, refuse: Refuse) -> date | None:
    if value is None:
        return None
    found = _day(f"{value}-01")
    if found is None:
        refuse(
            ("first_month",),
            f"must be a month, got {shown(value)}",
            "for example 2026-11, from 1970 to 2199",
        )
    return found


def _account_months(value: Any, refuse: Refuse) -> int:
    number = decimal_as_written(value)
    if number is None or number != number.to_integral_value() or not 0 <= number <= _MOST_MONTHS:
        message = f"must be a whole number from 0 to {_MOST_MONTHS}, got {shown(value)}"
        refuse(("account_months",), message, "months that the account had before the first")
        return 0
    return int(number)


def _credits(value: Any, refuse: Refuse) -> list[Credit]:
    if not isinstance(value, list):
        hint = "for example credits: [{name: new customer, amount: 200, until: 2027-07-15}]"
        refuse(("credits",), f"must be a list, got {shown(value)}", hint)
        return []
    found = []
    for at, entry in enumerate(value):
        path: Path = ("credits", at)
        if not isinstance(entry, dict):
            refuse(path, f"must be a mapping, got {shown(entry)}", "{name: ..., amount: 200}")
            continue
        for key in entry:
            if key not in _CREDIT_KEYS:
                hint = did_you_mean(key, _CREDIT_KEYS) or f"known: {', '.join(_CREDIT_KEYS)}"
                refuse((*path, key), "is no key of a credit", hint)
        amount = decimal_as_written(entry.get("amount"))
        if amount is None:
            got = shown(entry.get("amount"))
            refuse((*path, "amount"), f"must be a decimal number, got {got}", "plain digits")
        elif not 0 < amount <= _MOST:
            refuse((*path, "amount"), f"must be above 0 and at most 10^12, got {plain(amount)}")
        until = None if entry.get("until") is None else _day(entry["until"])
        if entry.get("until") is not None and until is None:
            got = shown(entry["until"])
            refuse((*path, "until"), f"must be a day, got {got}", "for example 2027-07-15")
        if amount is not None and 0 < amount <= _MOST:
            name = str(entry.get("name", "credit"))
            found.append(Credit(name=name, amount=amount, until=until))
    return found


def _day(value: Any) -> date | None:
    """A day of the years that a scenario's ``start`` may have; None for anything else."""
    try:
        found = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and 1970 <= found.year <= 2199 else None


def decimal_as_written(value: Any) -> Decimal | None:
    """The decimal as written; None for what is none, or has more digits than a quantity."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    if isinstance(value, str):
        if not _WRITTEN.fullmatch(value.strip()):
            return None
        value = value.strip().replace("_", "")
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -DIGITS_AFTER or number.adjusted() > 100:
        return None
    return number
