"""Pricing: which book, which window, and what the window stands for in a month."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from apisim.scenario.fields import Reader, choice, decimal, read_input_file, text
from apisim.scenario.model import Context, Finding, Model, fail, fail_all, findings_of
from apisim.scenario.popularity import read_weights
from apisim.scenario.regions import default_book
from apisim.scenario.units import UnitError, shown

__all__ = ["Pricing", "Represents"]

_HOURS: Final = {"day": 24, "week": 168}
_BOOK: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?")
_BOOK_SUFFIXES: Final = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Represents:
    """What the simulated window stands for when its bill is projected to a month.

    Parameters
    ----------
    kind : {"steady", "day", "week"}
        ``steady``: every hour of the month is like it. ``day``, ``week``: the hours weigh
        differently.
    weights : tuple of float
        24 or 168 weights, the first hour of the day or of Monday first (UTC); empty for steady.
    """

    kind: Literal["steady", "day", "week"]
    weights: tuple[float, ...] = ()


def _read_represents(value: Any, context: Context) -> Represents:
    if value == "steady":
        return Represents("steady")
    if isinstance(value, Mapping) and len(value) == 1:
        (kind, weights) = next(iter(value.items()))
        if kind in _HOURS:
            n = _HOURS[kind]
            if not isinstance(weights, list) or len(weights) != n:
                got = f"{len(weights)}" if isinstance(weights, list) else shown(weights)
                raise fail(f"must be a list of {n} weights, got {got}", at=(kind,))
            return Represents("day" if n == 24 else "week", _read_hours(weights, kind))
    hint = "write steady, {day: [24 weights]} or {week: [168 weights]}"
    raise fail(f"does not say what the run stands for: {shown(value)}", hint)


def _read_hours(weights: list[Any], kind: str) -> tuple[float, ...]:
    try:
        return read_weights({str(hour): weight for hour, weight in enumerate(weights)})
    except PydanticCustomError as error:
        findings = findings_of(error)
    # The list's own positions: read_weights knows names, a list has numbers.
    raise fail_all(
        [Finding((kind, *map(int, map(str, at))), text, hint) for at, text, hint in findings]
    )


def _read_book(value: Any, context: Context) -> str:
    if isinstance(value, str) and value.endswith(_BOOK_SUFFIXES):
        return str(read_input_file(value, context))
    if isinstance(value, str) and _BOOK.fullmatch(value):
        return value
    hint = "a name such as aws-us-east-1, or a file ending in .yaml"
    raise UnitError(f"{shown(value)} is not a price book", hint)


_REPRESENTS_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {"const": "steady"},
        *(
            {
                "type": "object",
                "properties": {
                    kind: {
                        "type": "array",
                        "items": {"type": ["number", "string"]},
                        "minItems": n,
                        "maxItems": n,
                    }
                },
                "required": [kind],
                "additionalProperties": False,
            }
            for kind, n in _HOURS.items()
        ),
    ]
}


_Grouping = Annotated[
    Literal["api", "route", "client", "plan", "customer"],
    choice("api", "route", "client", "plan", "customer"),
]


class Pricing(Model):
    """How usage becomes a bill.

    Attributes
    ----------
    book : str
        Name of a price book, or path of the user's own. Default: the profile's and region's.
    month : {"run", "project"}
        ``run``: what the run itself costs. ``project``: a month of it, which needs
        ``represents`` or ``events_per_month`` on a phase.
    represents : Represents or None
        What the window stands for.
    hours : 730, 720 or "calendar"
        Hours of a month for hourly lines.
    free_tier : str
        ``none``, or the name of a plan in the book.
    allocation : {"requests", "bytes", "even", "unallocated"}
        How what belongs to nobody in particular (hours of a cache, a web ACL) is shared among those
        whose it may be.
    by : list of {"api", "route", "client", "plan", "customer"}
        Subtotals that the summary shows; files and ``--json`` have them all.
    month_to_date : dict of str to decimal.Decimal
        Usage of the month before the run, by meter, in the book's units.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"currency", "discounts"})

    book: Annotated[str, Reader(_read_book, {"type": "string"})]
    month: Annotated[Literal["run", "project"], choice("run", "project")] = "run"
    represents: Annotated[Represents, Reader(_read_represents, _REPRESENTS_SCHEMA)] | None = None
    hours: Annotated[Literal[730, 720, "calendar"], choice(730, 720, "calendar")] = 730
    free_tier: Annotated[str, text(100)] = "none"
    allocation: Annotated[
        Literal["requests", "bytes", "even", "unallocated"],
        choice("requests", "bytes", "even", "unallocated"),
    ] = "requests"
    by: Annotated[list[_Grouping], Field(max_length=5)] = Field(default_factory=list)
    month_to_date: dict[str, Annotated[Decimal, decimal("0", "1000000000000000000")]] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _shows_each_once(self) -> Self:
        twice = [
            Finding(("by", at), f"{one} is given twice", "keep one of them")
            for at, one in enumerate(self.by)
            if one in self.by[:at]
        ]
        if twice:
            raise fail_all(twice)
        return self

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """The profile's and region's book."""
        return {"book": default_book(context.profile, context.region), **data}
