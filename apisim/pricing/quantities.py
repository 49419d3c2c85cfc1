"""Quantities as a person gives them: options of the command line, and a file with them.

A quantity is the decimal as written, never a binary float. A meter that is given twice is refused:
two APIs of one account share its tiers, so their sum is what counts, but a meter written twice is
more often a slip than a sum, and it would double a bill.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from apisim.pricing.book import PriceBook, usage_unit
from apisim.pricing.exact import plain
from apisim.pricing.month_plan import (
    DIGITS_AFTER,
    MONTH_PLAN_KEYS,
    MONTHS,
    MonthPlan,
    decimal_as_written,
    read_month_plan,
)
from apisim.scenario.positions import Positions, read_yaml
from apisim.scenario.problems import Path, PricingError, Problem, ScenarioError, did_you_mean
from apisim.scenario.units import shown

__all__ = ["MONTH_TO_DATE", "Quantities", "QuantityError"]

#: Key of a file under which stands what was used before.
MONTH_TO_DATE: Final = "month_to_date"

_MAX: Final = Decimal(10) ** 18
_HINT: Final = f"plain digits like 1080000 or 14.3, at most {DIGITS_AFTER} after the point"


class QuantityError(PricingError, ScenarioError):
    """Quantities that cannot be billed; carries every problem with its place."""


class Quantities:
    """Quantities of a bill, collected from where they are given.

    Parameters
    ----------
    book : PriceBook
        Knows the meters.

    Attributes
    ----------
    used, before : dict of str to Decimal
        By meter: what is billed, and what the account had used in the month before that.
    plan : MonthPlan or None
        Several months with their credits, where the file has ``months:``; nothing is in ``used``.

    Examples
    --------
    >>> from apisim.pricing import load_book
    >>> quantities = Quantities(load_book("aws-us-east-1"))
    >>> quantities.add_option("--quantity", "apigateway.rest.requests=21_000_000_000")
    >>> quantities.checked().used
    {'apigateway.rest.requests': Decimal('21000000000')}
    """

    def __init__(self, book: PriceBook) -> None:
        self._book = book
        self._problems: list[Problem] = []
        self._n_options = 0
        self.used: dict[str, Decimal] = {}
        self.before: dict[str, Decimal] = {}
        self.plan: MonthPlan | None = None

    def add_option(self, option: str, written: str, *, is_before: bool = False) -> None:
        """Take ``METER=QUANTITY``, as an option has it."""
        self._n_options += 1
        meter, equals, quantity = (part.strip() for part in written.partition("="))

        def refuse(message: str, hint: str = "") -> None:
            path = meter if equals else ""
            problem = Problem(option, 1, self._n_options, path, message, hint)
            self._problems.append(problem)

        if not (equals and meter):
            refuse(f"must be METER=QUANTITY, got {shown(written)}")
            return
        self._add(self.before if is_before else self.used, meter, quantity, refuse)

    def add_file(self, file: str, text: bytes | str) -> None:
        """Take a YAML file of ``meter: quantity``, with or without ``month_to_date:``.

        Parameters
        ----------
        file : str
            Name used in problems.
        text : bytes or str
            Its content.

        Raises
        ------
        QuantityError
            If it is no YAML; everything else is kept for :meth:`checked`.
        """
        try:
            document = read_yaml(text, file)
        except ScenarioError as error:
            raise QuantityError(error.problems) from None
        positions, entries = document.positions, document.data
        if not isinstance(entries, dict):
            hint = 'for example apigateway.http.requests: "9720000"'
            message = f"must be a mapping of meters to quantities, got {shown(entries)}"
            self._problems.append(positions.problem((), message, hint))
            return
        if MONTHS not in entries:
            self._add_entries(entries, positions, is_before=False)
        if MONTHS in entries:
            self._read_months(entries, positions)
            return
        for key in MONTH_PLAN_KEYS[1:]:
            if key in entries:
                hint = f"{MONTHS}: [{{...}}, ...] with the quantities of each month"
                self._problems.append(positions.problem((key,), f"needs {MONTHS}", hint))
        if MONTH_TO_DATE in entries:
            before = entries[MONTH_TO_DATE]
            if isinstance(before, dict):
                self._add_entries(before, positions, is_before=True)
            else:
                message = f"must be a mapping of meters to quantities, got {shown(before)}"
                self._problems.append(positions.problem((MONTH_TO_DATE,), message))

    def _add_entries(
        self, entries: Mapping[str, Any], positions: Positions, *, is_before: bool
    ) -> None:
        above = (MONTH_TO_DATE,) if is_before else ()
        for meter, quantity in entries.items():
            if not is_before and (meter == MONTH_TO_DATE or meter in MONTH_PLAN_KEYS):
                continue

            def refuse(message: str, hint: str = "", path: Any = (*above, meter)) -> None:
                self._problems.append(positions.problem(path, message, hint))

            self._add(self.before if is_before else self.used, meter, quantity, refuse)

    def _read_months(self, entries: Mapping[str, Any], positions: Positions) -> None:
        """Take ``months:`` and what stands beside it."""

        def refuse(path: Path, message: str, hint: str = "") -> None:
            self._problems.append(positions.problem(path, message, hint))

        def read(used: Mapping[str, Any], path: Path) -> dict[str, Decimal]:
            kept: dict[str, Decimal] = {}
            for meter, quantity in used.items():
                self._add(
                    kept,
                    meter,
                    quantity,
                    lambda message, hint="", at=(*path, meter): refuse(at, message, hint),
                )
            return kept

        self.plan = read_month_plan(entries, refuse, read)

    def _add(self, kept: dict[str, Decimal], meter: str, written: Any, refuse: Any) -> None:
        quantity = decimal_as_written(written)
        if not self._is_known(meter):
            near = did_you_mean(meter, self._book.meters)
            listed = f"apisim pricebooks show {self._book.name} lists them"
            refuse(f"price book {self._book.reference} has no such meter", near or listed)
        elif quantity is None:
            refuse(f"must be a decimal number, got {shown(written)}", _HINT)
        elif not 0 <= quantity <= _MAX:
            refuse(f"must be from 0 to 10^18, got {plain(quantity)}")
        elif meter in kept:
            total = plain(kept[meter] + quantity)
            refuse(
                f"is given twice: {plain(kept[meter])} and {plain(quantity)}",
                f"one quantity for the account; write the sum, {total}, if both are meant",
            )
        else:
            kept[meter] = quantity

    def _is_known(self, meter: str) -> bool:
        return meter in self._book.meters or meter in self._book.unpriced or bool(usage_unit(meter))

    def checked(self) -> "Quantities":
        """These quantities, if nothing is wrong with them.

        Raises
        ------
        QuantityError
            With everything that is.
        """
        if self.plan is not None and self._n_options:
            message = f"cannot stand beside {MONTHS} in the file"
            self._problems.append(
                Problem("--quantity", 1, 1, "", message, "write it into the file")
            )
        if self._problems:
            raise QuantityError(self._problems)
        return self
