"""How open arrivals are spread around their rate."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Final, Literal, TypeAlias

from apisim.scenario.fields import Reader, duration, number
from apisim.scenario.model import Context, Model, as_written, fail, nested
from apisim.scenario.problems import did_you_mean
from apisim.scenario.units import shown

__all__ = ["ArrivalProcess", "Arrivals"]

_KINDS: Final = ("poisson", "uniform", "bursty")


class _Bursty(Model):
    """Numbers of a bursty stream, see :class:`Arrivals`."""

    ratio: Annotated[Fraction, number("1", "1000000", exact=True)] = Fraction(10)
    peak_for: Annotated[int, duration("1us")] = as_written("10s")
    base_for: Annotated[int, duration("1us")] = as_written("50s")


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How open arrivals are spread around their rate.

    Parameters
    ----------
    process : {"poisson", "uniform", "bursty"}
        ``poisson``: independent of each other. ``uniform``: evenly spaced, as k6 and Artillery
        send. ``bursty``: a Markov-modulated Poisson process with two states, whose mean rate over
        time is the phase's.
    ratio : fractions.Fraction
        Of bursty arrivals: rate in the peak state over rate in the base state, >= 1.
    peak_for, base_for : int
        Of bursty arrivals: mean sojourn in each state [ns], exponential.
    """

    process: Literal["poisson", "uniform", "bursty"] = "poisson"
    ratio: Fraction = Fraction(10)
    peak_for: int = 10_000_000_000
    base_for: int = 50_000_000_000


def _read_arrivals(value: Any, context: Context) -> Arrivals:
    if value in ("poisson", "uniform", "bursty"):
        return Arrivals(value)
    if isinstance(value, Mapping) and set(value) == {"bursty"}:
        numbers = nested(_Bursty, value["bursty"], ("bursty",), context)
        return Arrivals("bursty", numbers.ratio, numbers.peak_for, numbers.base_for)
    hint = did_you_mean(value, _KINDS, may_list=False) if isinstance(value, str) else ""
    words = "poisson, uniform, bursty or {bursty: {ratio, peak_for, base_for}}"
    raise fail(f"must be {words}, got {shown(value)}", hint)


_ARRIVALS_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {"enum": list(_KINDS)},
        {
            "type": "object",
            "properties": {
                "bursty": {
                    "type": "object",
                    "properties": {
                        "ratio": {"type": "number", "minimum": 1},
                        "peak_for": {"type": "string"},
                        "base_for": {"type": "string"},
                    },
                    "additionalProperties": False,
                }
            },
            "required": ["bursty"],
            "additionalProperties": False,
        },
    ]
}

#: A process as it is written.
ArrivalProcess: TypeAlias = Annotated[Arrivals, Reader(_read_arrivals, _ARRIVALS_SCHEMA)]
