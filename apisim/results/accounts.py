"""From usage to the bills of a result: the run's own, and the projected month's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction

from apisim.pricing import (
    Bill,
    PriceBook,
    SettingError,
    Usage,
    Window,
    bill_of_month,
    bill_of_run,
    leave_one_out,
    mean_bill,
)
from apisim.pricing.doubts import Doubt
from apisim.pricing.infracost import infracost_usage
from apisim.pricing.project import month_doubts, month_events
from apisim.pricing.ranges import Range, ranges_of
from apisim.pricing.windows import factors_of
from apisim.results.spans import open_ended
from apisim.scenario import Scenario, ScenarioError

__all__ = ["Accounts", "Bills"]


@dataclass(frozen=True, slots=True, repr=False)
class Bills:
    """The bills of a result.

    Attributes
    ----------
    run : Bill
        Mean of what the replications cost, warm-up included.
    month : Bill or None
        The projected month; None unless the scenario asks for one.
    book : PriceBook or None
        Whose prices they have.
    run_events, month_events : mapping of str to Fraction
        By meter, the calls behind its units, of a replication and of the month.
    infracost : str
        The month as a usage file of Infracost; empty without one.
    run_ranges, month_ranges : tuple of Range
        Between what and what the bills lie, by what AWS does not document.
    """

    run: Bill
    month: Bill | None = None
    book: PriceBook | None = field(default=None, repr=False)
    run_events: Mapping[str, Fraction] = field(default_factory=dict)
    month_events: Mapping[str, Fraction] = field(default_factory=dict)
    infracost: str = ""
    run_ranges: tuple[Range, ...] = ()
    month_ranges: tuple[Range, ...] = ()

    def __repr__(self) -> str:
        month = "" if self.month is None else f", month {self.month!r}"
        return f"<Bills: run {self.run!r}{month}>"

    def _repr_html_(self) -> str:
        from apisim.results.html import render_sections
        from apisim.results.sections_cost import cost_section

        tables = [cost_section("Cost of the run", self.run)]
        if self.month is not None:
            tables.append(cost_section("Expected month, projected", self.month))
        return render_sections(tables)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Makes the bills of one scenario.

    Attributes
    ----------
    scenario : Scenario
        Supplies ``pricing:``.
    book : PriceBook
        Prices.
    today : datetime.date or None
        Day of the bills, for the age of the book.
    """

    scenario: Scenario
    book: PriceBook
    today: date | None = None

    @property
    def projects_month(self) -> bool:
        """Whether the scenario asks for the bill of a month."""
        return self.scenario.pricing.month == "project"

    def bills(
        self, usages: Sequence[Usage], windows: Sequence[Sequence[Window]] | None = None
    ) -> Bills:
        """Both bills, and what exports need beside them; ``windows`` where a month is projected."""
        events: dict[str, Fraction] = {}
        for usage in usages:
            for meter, calls in usage.events().items():
                events[meter] = events.get(meter, Fraction(0)) + calls / len(usages)
        run = self.run(usages)
        used = [(usage.quantities(self.book), usage.doubts) for usage in usages]
        bills = Bills(
            run=run, book=self.book, run_events=events, run_ranges=self._ranges(run, used)
        )
        if windows is None:
            return bills
        pricing, start = self.scenario.pricing, self.scenario.start
        factors = [factors_of(one, pricing.represents, pricing.hours, start) for one in windows]
        month = self.month(windows)
        quantities = {line.meter.name: line.quantity for line in month.lines}
        return replace(
            bills,
            month=month,
            month_events=month_events(windows, factors),
            infracost=infracost_usage(windows, factors, self.book, self.scenario.region),
            month_ranges=self._ranges(month, [(quantities, month_doubts(windows, factors))]),
        )

    def _ranges(
        self, bill: Bill, used: Sequence[tuple[Mapping[str, Fraction], Iterable[Doubt]]]
    ) -> tuple[Range, ...]:
        pricing = self.scenario.pricing
        return ranges_of(
            bill,
            self.book,
            used,
            month_to_date=pricing.month_to_date,
            free_tier=pricing.free_tier,
        )

    def run(self, usages: Sequence[Usage]) -> Bill:
        """Mean bill of replications that used so much."""
        pricing = self.scenario.pricing
        return mean_bill(
            [bill_of_run(pricing, usage, self.book, today=self.today) for usage in usages]
        )

    def month(self, windows: Sequence[Sequence[Window]]) -> Bill:
        """Bill of a month of which each replication's windows are a part."""
        pricing, start = self.scenario.pricing, self.scenario.start
        return bill_of_month(pricing, windows, self.book, start=start, today=self.today)

    def months_left_out(self, windows: Sequence[Sequence[Window]]) -> list[float]:
        """Totals of the month with each replication left out, for a jackknife."""
        pricing, start = self.scenario.pricing, self.scenario.start
        return [float(total) for total in leave_one_out(pricing, windows, self.book, start=start)]

    def check(self, windows: Sequence[Window]) -> None:
        """Make both bills of nothing, so that a setting that cannot be used is found before a run.

        Parameters
        ----------
        windows : sequence of Window
            As they will be, of an empty run.

        Raises
        ------
        ScenarioError
            At the key of ``pricing:`` that cannot be used.
        """
        if self.projects_month and (endless := open_ended(self.scenario)):
            problem = self.scenario.problem(
                ("traffic", endless[0], "sessions"),
                "nobody sends this population home, so the run has no length that stands for a "
                "part of a month (pricing.month: project)",
                "write until: 8h",
            )
            raise ScenarioError([problem])
        if self.projects_month and (outlasting := _outlasting(self.scenario)):
            problem = self.scenario.problem(
                ("traffic", outlasting[0], "sessions"),
                "sessions go on after the last has begun, so the run has no length that stands for "
                "a part of a month (pricing.month: project)",
                "write until: 8h, or events_per_month on each phase",
            )
            raise ScenarioError([problem])
        try:
            self.run([Usage()])
            if self.projects_month and windows:
                self.month([windows])
        except SettingError as error:
            problem = self.scenario.problem(error.path, error.message, error.hint)
            raise ScenarioError([problem]) from None


def _outlasting(scenario: Scenario) -> list[str]:
    """Sources whose users stay when no more come, and whose phases are a part of the month."""
    return [
        name
        for name, source in scenario.traffic.items()
        if source.sessions is not None
        and source.sessions.until is None
        and any(getattr(phase, "events_per_month", None) is None for phase in source.phases)
    ]
