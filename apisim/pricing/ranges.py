"""Between what and what a bill lies, case by case of what AWS does not document.

The bill itself is made by the defaults and the price book; a range says what another reading would
make of it. Cases are looked at one at a time: differences may be added up only as far as tiers do
not interfere.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from apisim.pricing.bill import Bill, dollars
from apisim.pricing.book import PriceBook
from apisim.pricing.doubts import CONNECTION_MINUTES, HTTP_BASIS, Doubt, added
from apisim.pricing.exact import as_decimal, plain
from apisim.pricing.rating import rate

__all__ = ["Range", "ranges_of"]

#: Evidence of a charge rule that leaves room for another reading.
_OPEN: Final = frozenset({"unknown", "silence"})
#: A run charges a mock integration's answer as any integration's, whatever its book says.
_UNSETTABLE: Final = "mock_integration"
_WHY: Final = {
    HTTP_BASIS: "what the 512 KB of an HTTP API are measured on is not documented",
    CONNECTION_MINUTES: "which way connections are rounded to a minute is not documented",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """One case.

    Attributes
    ----------
    case : str
        What is not documented.
    setting : str
        What chooses the reading: a key of the scenario, or of the price book; empty: nothing does.
    total_low, total_high : Fraction
        Total of the bill at least and at most.
    low, high : Fraction
        Differences to the bill; ``low`` <= 0 <= ``high``.
    is_exact : bool
        Whether these are the readings' own totals; otherwise bounds of them.
    why : str
        What is not known.
    bill : Bill
        The bill it belongs to.
    """

    case: str
    setting: str
    low: Fraction
    high: Fraction
    is_exact: bool
    why: str
    bill: Bill

    @property
    def total_low(self) -> Fraction:
        """Total at least."""
        return self.bill.exact_total + self.low

    @property
    def total_high(self) -> Fraction:
        """Total at most."""
        return self.bill.exact_total + self.high

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return {
            "case": self.case,
            "setting": self.setting,
            "low": self._text(self.low),
            "high": self._text(self.high),
            "total_low": self._text(self.total_low),
            "total_high": self._text(self.total_high),
            "kind": "exact" if self.is_exact else "bounds",
            "why": self.why,
        }

    @property
    def sentence(self) -> str:
        """As the summary prints it; empty where it prints one amount twice."""
        step = self.bill.conventions.line_step
        low = dollars(as_decimal(self.total_low, step))
        high = dollars(as_decimal(self.total_high, step))
        if low == high:
            return ""
        kind = "" if self.is_exact else " at the widest"
        by = f" ({self.setting})" if self.setting else ""
        return f"total between {low} and {high}{kind}: {self.why}{by}"

    def _text(self, amount: Fraction) -> str:
        return plain(as_decimal(amount, self.bill.conventions.line_step))


def ranges_of(
    bill: Bill,
    book: PriceBook,
    used: Sequence[tuple[Mapping[str, Fraction], Iterable[Doubt]]],
    *,
    month_to_date: Mapping[str, Any],
    free_tier: str,
) -> tuple[Range, ...]:
    """Cases that make a difference to a bill.

    Parameters
    ----------
    bill : Bill
        The bill: of one usage, or the mean of several.
    book : PriceBook
        Says which charge rules are open, and what things cost.
    used : sequence of (quantities, doubts)
        What the bill was made of, one for each replication it is the mean of.
    month_to_date, free_tier
        As :func:`apisim.pricing.rate` takes them.
    """

    def cost(meter: str, quantity: Fraction) -> Fraction:
        before = {meter: month_to_date[meter]} if meter in month_to_date else {}
        rated = rate(book, {meter: quantity}, month_to_date=before, free_tier=free_tier)
        return rated.exact_total

    lows: dict[str, Fraction] = {}
    highs: dict[str, Fraction] = {}
    kinds: dict[str, Doubt] = {}
    for quantities, doubts in used:
        for doubt in added(doubts):
            if not _is_open(doubt, book) or not doubt.low <= 0 <= doubt.high:
                continue
            case, now = doubt.case, quantities.get(doubt.meter, Fraction(0))
            costs = cost(doubt.meter, now)
            for sums, change in ((lows, doubt.low), (highs, doubt.high)):
                difference = cost(doubt.meter, max(Fraction(0), now + change)) - costs
                sums[case] = sums.get(case, Fraction(0)) + difference / len(used)
            known = kinds.get(case)
            if known is None or known.is_exact:
                kinds[case] = doubt
    return tuple(
        Range(
            case=case,
            setting=_setting(kinds[case], book),
            low=lows[case],
            high=highs[case],
            is_exact=kinds[case].is_exact,
            why=_WHY.get(case) or _rule_in_words(case, book),
            bill=bill,
        )
        for case in kinds
        if lows[case] or highs[case]
    )


def _is_open(doubt: Doubt, book: PriceBook) -> bool:
    if doubt.case in _WHY:
        return True
    rule = book.charge_rules.get(doubt.case)
    return rule is not None and rule.evidence in _OPEN


def _setting(doubt: Doubt, book: PriceBook) -> str:
    if doubt.case == _UNSETTABLE:
        return ""
    return doubt.setting or f"charge_rules of {book.name}: {doubt.case}"


def _rule_in_words(case: str, book: PriceBook) -> str:
    rule = book.charge_rules[case]
    known = "nothing is documented" if rule.evidence == "unknown" else "no exemption is documented"
    taken = "charged" if rule.is_charged else "free"
    return f"{case.replace('_', ' ')}: {known}, taken to be {taken}"
