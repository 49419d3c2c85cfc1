"""Phases of a load: what a traffic source does from one moment to the next.

    open     rate, ramp_to      requests arrive whatever the answers; the rate changes linearly
    closed   users, think_time  each user waits for the answer, thinks, and calls again
    counts   per, counts        so many requests in each period, as published logs give them
    pause    pause              nothing

Open and counts may follow each other; closed phases are a model of their own. A pause goes with
either. What a phase has no key for is None, so that any phase can be asked for its rate, its users
or its counts.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, TypeAlias

from pydantic import Discriminator, Field, Tag

from apisim.scenario.columns import MAX_ROWS, read_column
from apisim.scenario.distributions import TimeDistribution
from apisim.scenario.fields import (
    decimal,
    duration,
    input_file,
    name,
    rate,
    text,
    whole,
)
from apisim.scenario.model import Context, Model, fail, nested, tag
from apisim.scenario.units import UnitError, shown

__all__ = ["ClosedPhase", "CountsFrom", "CountsPhase", "OpenPhase", "PausePhase", "Phase"]

MAX_USERS: Final = 1_000_000
MAX_COUNT: Final = 10**12


#: Keys that make a phase what it is, in the order in which they decide.
_DECIDING: Final = ("pause", "users", "think_time", "per", "counts", "counts_from")
_OF_PHASES: Final = frozenset({*_DECIDING, "duration", "rate", "ramp_to", "events_per_month"})


class _Phase(Model):
    """What all phases have in common."""

    @classmethod
    def misplaced(cls, key: str, data: Mapping[str, Any]) -> tuple[str, str] | None:
        """A key of another kind of phase excludes the one that made this what it is."""
        if key not in _OF_PHASES:
            return None
        decided = next(name for name in _DECIDING if name in data)
        hint = "a phase has a rate, or users with a think_time, or counts, or is a pause: keep one"
        return f"{key} and {decided} exclude each other", hint


class OpenPhase(_Phase):
    """Requests at a given rate.

    Attributes
    ----------
    name : str
        Unique within the source; default ``phase-1``, ``phase-2``, ...
    duration : int
        Length [ns], above 0.
    rate : fractions.Fraction
        Requests a second at the beginning, 0 to 10,000,000.
    ramp_to : fractions.Fraction or None
        Rate at the end, reached linearly; None keeps the rate.
    events_per_month : decimal.Decimal or None
        How often what this phase shows happens in a month; for a projected bill.
    """

    name: Annotated[str, name()]
    duration: Annotated[int, duration("1ns")]
    rate: Annotated[Fraction, rate()]
    ramp_to: Annotated[Fraction, rate()] | None = None
    events_per_month: Annotated[Decimal, decimal("0", "1000000000")] | None = None
    users: ClassVar[None] = None
    think_time: ClassVar[None] = None
    per: ClassVar[None] = None
    counts: ClassVar[None] = None

    @property
    def length_ns(self) -> int:
        """Length [ns]."""
        return self.duration


class ClosedPhase(_Phase):
    """A number of users, each waiting for the answer before thinking about the next call.

    Attributes
    ----------
    name : str
        Unique within the source.
    duration : int
        Length [ns], above 0.
    users : int
        Users at the beginning, 0 to 1,000,000.
    ramp_to : int or None
        Users at the end, reached linearly; None keeps their number.
    think_time : Distribution
        Time between an answer and the next call [ns]; not always 0.
    events_per_month : decimal.Decimal or None
        How often what this phase shows happens in a month; for a projected bill.
    """

    name: Annotated[str, name()]
    duration: Annotated[int, duration("1ns")]
    users: Annotated[int, whole(0, MAX_USERS)]
    ramp_to: Annotated[int, whole(0, MAX_USERS)] | None = None
    think_time: TimeDistribution
    events_per_month: Annotated[Decimal, decimal("0", "1000000000")] | None = None
    rate: ClassVar[None] = None
    per: ClassVar[None] = None
    counts: ClassVar[None] = None

    @property
    def length_ns(self) -> int:
        """Length [ns]."""
        return self.duration


class CountsFrom(Model):
    """Where published counts are read from.

    Attributes
    ----------
    file : pathlib.Path
        CSV file with a header row, plain or gzipped; read in place.
    column : str
        Column of the counts.
    from_ : str or None
        Written ``from``: value of the time column in the first row wanted.
    time_column : str or None
        Column ``from`` is looked for in; default the first one.
    rows : int or None
        Rows wanted; default all that follow.
    """

    file: Annotated[Path, input_file()]
    column: Annotated[str, text(200)]
    from_: Annotated[str, text(200)] | None = Field(default=None, alias="from")
    time_column: Annotated[str, text(200)] | None = None
    rows: Annotated[int, whole(1, MAX_ROWS)] | None = None

    def read(self) -> list[int]:
        """Counts in the order of the file.

        Raises
        ------
        UnitError
            If the file lacks them or one is no count.
        """
        rows = read_column(
            self.file,
            self.column,
            start=self.from_,
            start_column=self.time_column,
            rows=self.rows,
        )
        for line, written in rows:
            if not (written.isascii() and written.isdigit() and len(written) <= 12):
                raise UnitError(f"{self.file.name} row {line}: {shown(written)} is not a count")
        return [int(written) for _, written in rows]


class CountsPhase(_Phase):
    """So many requests in each period.

    Attributes
    ----------
    name : str
        Unique within the source.
    per : int
        Length of one period [ns], above 0.
    counts : tuple of int
        Requests in each period; read from a file when ``counts_from`` says so.
    counts_from : CountsFrom or None
        Where they were read from.
    events_per_month : decimal.Decimal or None
        How often what this phase shows happens in a month; for a projected bill.
    """

    name: Annotated[str, name()]
    per: Annotated[int, duration("1us")]
    counts: Annotated[
        tuple[Annotated[int, whole(0, MAX_COUNT)], ...], Field(min_length=1, max_length=MAX_ROWS)
    ]
    counts_from: CountsFrom | None = None
    events_per_month: Annotated[Decimal, decimal("0", "1000000000")] | None = None
    rate: ClassVar[None] = None
    ramp_to: ClassVar[None] = None
    users: ClassVar[None] = None
    think_time: ClassVar[None] = None

    @property
    def length_ns(self) -> int:
        """Length of all periods [ns]."""
        return self.per * len(self.counts)

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """The counts of the file ``counts_from`` names."""
        if "counts" in data and "counts_from" in data:
            raise fail("counts and counts_from exclude each other", "keep one", ("counts_from",))
        if "counts" not in data and "counts_from" not in data:
            raise fail("counts or counts_from is required", "write e.g. counts: [105, 110, 98]")
        if "counts" in data:
            return data
        source = nested(CountsFrom, data["counts_from"], ("counts_from",), context)
        try:
            return {**data, "counts_from": source, "counts": source.read()}
        except UnitError as error:
            raise fail(error.message, error.hint, ("counts_from",)) from None


class PausePhase(_Phase):
    """Nothing for a while.

    Attributes
    ----------
    name : str
        Unique within the source.
    pause : int
        Length [ns], above 0.
    """

    name: Annotated[str, name()]
    pause: Annotated[int, duration("1ns")]
    rate: ClassVar[None] = None
    ramp_to: ClassVar[None] = None
    users: ClassVar[None] = None
    think_time: ClassVar[None] = None
    per: ClassVar[None] = None
    counts: ClassVar[None] = None
    events_per_month: ClassVar[None] = None

    @property
    def length_ns(self) -> int:
        """Length [ns]."""
        return self.pause


def _kind(data: Any) -> str:
    """Variant of a phase, by the keys only it has."""
    keys = set(data) if isinstance(data, dict) else set()
    if isinstance(data, Model):
        return tag(type(data).__name__)
    if "pause" in keys:
        return tag("PausePhase")
    if keys & {"users", "think_time"}:
        return tag("ClosedPhase")
    if keys & {"per", "counts", "counts_from"}:
        return tag("CountsPhase")
    return tag("OpenPhase")


#: One phase of either kind.
Phase: TypeAlias = Annotated[
    Annotated[OpenPhase, Tag(tag("OpenPhase"))]
    | Annotated[ClosedPhase, Tag(tag("ClosedPhase"))]
    | Annotated[CountsPhase, Tag(tag("CountsPhase"))]
    | Annotated[PausePhase, Tag(tag("PausePhase"))],
    Discriminator(_kind),
]
