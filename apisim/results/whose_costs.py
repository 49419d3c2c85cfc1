"""Whose cost the bills of a result are, made when somebody asks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from apisim.engine.program import Program
from apisim.pricing import PriceBook, Usage, Window
from apisim.pricing.project import month_parts, scaling_part
from apisim.pricing.windows import factors_of, month_hours
from apisim.results.accounts import Bills
from apisim.results.cost_items import Used, Weighted, entries_of, held_items, scaling_items
from apisim.results.costs import Costing, Costs, costs_of
from apisim.results.customer_costs import Split
from apisim.results.usage_groups import GroupedUsage

__all__ = ["WhoseCosts"]

_NS_PER_HOUR = 3_600_000_000_000


@dataclass(eq=False)
class WhoseCosts:
    """Cuts the bills of a result up.

    Attributes
    ----------
    program : Program
    book : PriceBook
    bills : Bills
        What is cut up.
    grouped : GroupedUsage
        Who used what.
    usages, windows : sequences
        Of each replication: what it used, and its windows.
    plans : sequence of str
        Plans of each customer's key.
    """

    program: Program
    book: PriceBook
    bills: Bills
    grouped: GroupedUsage
    usages: Sequence[Usage]
    windows: Sequence[Sequence[Window]]
    plans: Sequence[str]

    @cached_property
    def run(self) -> Costs:
        """Of the run's bill."""
        n_replications = self.grouped.n_replications
        hours = Fraction(self.grouped.provisioned_ns, n_replications * _NS_PER_HOUR)
        pricing, start = self.program.scenario.pricing, self.program.scenario.start
        split = Split(
            self.program,
            self.grouped.customers.sum(axis=2),
            self.plans,
            hours / month_hours(pricing.hours, start),
        )
        parts = [(Fraction(1), self.grouped.run)]
        return costs_of(self._costing(self.bills.run, parts, list(self._held()), None), split)

    @cached_property
    def month(self) -> Costs | None:
        """Of the projected month's; None where there is none."""
        if self.bills.month is None:
            return None
        pricing, start = self.program.scenario.pricing, self.program.scenario.start
        factors = factors_of(self.windows[0], pricing.represents, pricing.hours, start)
        parts = list(zip(factors, self.grouped.windows, strict=True))
        measured = self.grouped.customers[:, :, 0]
        split = Split(self.program, measured, self.plans, Fraction(1))
        held = list(self._held_of_month())
        month_h = Fraction(month_hours(pricing.hours, start))
        return costs_of(self._costing(self.bills.month, parts, held, month_h), split)

    def _costing(
        self,
        bill: Any,
        parts: list[Weighted],
        held: list[tuple[str, Any, dict[str, Fraction]]],
        month_h: Fraction | None,
    ) -> Costing:
        owners, n_replications = self.grouped.owners, self.grouped.n_replications
        scaling: list[Used] = list(
            scaling_items(self.program, owners, parts, self.book, n_replications, month_h)
        )
        return Costing(
            bill=bill,
            owners=owners,
            parts=parts,
            scaling=scaling,
            held=list(held_items(self.program, owners, held)),
            rule=self.program.scenario.pricing.allocation,
            n_replications=n_replications,
        )

    def _held(self) -> Iterator[tuple[str, Any, dict[str, Fraction]]]:
        """What a mean replication paid for being there."""
        found: dict[tuple[str, ...], tuple[Any, dict[str, Fraction]]] = {}
        for usage in self.usages:
            for key, piece in entries_of(usage):
                entry, quantities = found.setdefault(key, (getattr(piece, key[0])[0], {}))
                used = scaling_part(piece).quantities(self.book)
                for meter, quantity in piece.quantities(self.book).items():
                    left = (quantity - used.get(meter, Fraction(0))) / len(self.usages)
                    quantities[meter] = quantities.get(meter, Fraction(0)) + left
        for key, (entry, quantities) in found.items():
            if held := {meter: quantity for meter, quantity in quantities.items() if quantity}:
                yield key[0], entry, held

    def _held_of_month(self) -> Iterator[tuple[str, Any, dict[str, Fraction]]]:
        """What a month has whatever the traffic."""
        pricing, start = self.program.scenario.pricing, self.program.scenario.start
        pieces = [
            [dict(entries_of(window.usage)) for window in windows] for windows in self.windows
        ]
        keys = dict.fromkeys(key for of in pieces for window in of for key in window)
        for key in keys:
            entry = next(
                getattr(window[key], key[0])[0] for of in pieces for window in of if key in window
            )
            alone = [
                [
                    replace(window, usage=of.get(key, Usage()))
                    for window, of in zip(windows, of_windows, strict=True)
                ]
                for windows, of_windows in zip(self.windows, pieces, strict=True)
            ]
            _, held = month_parts(
                alone,
                self.book,
                represents=pricing.represents,
                hours=pricing.hours,
                start=start,
            )
            if held:
                yield key[0], entry, held
