"""How often a scenario is repeated: a number of times, or until a figure is known well enough."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from apisim.scenario.fields import Reader, whole
from apisim.scenario.model import Context, Finding, Model, as_written, fail
from apisim.scenario.thresholds import Threshold, parse_figure
from apisim.scenario.units import UnitError, parse_share, shown

__all__ = ["REPLICATIONS", "Precision", "Until", "relocated", "split_until"]

#: Most that any scenario may have.
_MOST: Final = 10_000
_MAX: Final = 200
_NUMBER: Final = whole(1, _MOST)


def _read_figure(value: Any, context: Context) -> Threshold:
    return parse_figure(value)


def _read_half_width(value: Any, context: Context) -> float:
    share = parse_share(value)
    if not 0 < share <= 0.5:
        raise UnitError(f"{shown(value)} is outside what is above 0% and at most 50%", "write 5%")
    return share


class Precision(Model):
    """What must be known, and how well.

    Attributes
    ----------
    metric : Threshold
        A metric and a statistic, as in thresholds: ``latency p(99)``; its limit means nothing.
    half_width : float
        Relative error, above 0% and at most 50%: the 95 % interval's half-width must not be more
        than ``g / (1 + g)`` of the estimate.
    """

    metric: Annotated[Threshold, Reader(_read_figure, {"type": "string"})]
    half_width: Annotated[
        float, Reader(_read_half_width, {"type": "string", "pattern": r"^[0-9.]+\s*%$"})
    ]


class Until(Model):
    """Replications until a figure is known well enough.

    Attributes
    ----------
    until : Precision
        What must be known.
    min : int
        Fewest replications, 2 to 10,000, default 10: the first few may agree by luck.
    max : int
        Most replications, ``min`` to 10,000, default 200.
    """

    until: Precision
    min: Annotated[int, whole(2, _MOST)] = 10
    max: Annotated[int, whole(2, _MOST)] = as_written(_MAX)

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """No more may be asked for than are allowed."""
        least, most = data.get("min", 10), data.get("max", _MAX)
        if isinstance(least, int) and isinstance(most, int) and 2 <= most < least <= _MOST:
            raise fail(f"{most} is below min, {least}", f"allowed: {least} to {_MOST}", ("max",))
        return data


def split_until(data: dict[str, Any]) -> dict[str, Any]:
    """Written root keys with the number of replications apart from what it depends on."""
    written = data.get("replications")
    if not isinstance(written, Mapping):
        return data
    most = written.get("max", _MAX)
    is_valid = isinstance(most, int) and not isinstance(most, bool) and 1 <= most <= _MOST
    return {**data, "until": written, "replications": most if is_valid else _MAX}


def relocated(findings: list[Finding]) -> list[Finding]:
    """Findings about ``until`` where they are written."""
    return [
        one._replace(at=("replications", *one.at[1:])) if one.at[:1] == ("until",) else one
        for one in findings
    ]


def _read(value: Any, context: Context) -> int:
    return int(_NUMBER.read(value, context))


#: A number, or ``{until: {metric, half_width}, min, max}``.
REPLICATIONS: Final = Reader(
    _read,
    {
        "anyOf": [
            _NUMBER.schema,
            {
                "type": "object",
                "properties": {
                    "until": {
                        "type": "object",
                        "properties": {
                            "metric": {
                                "type": "string",
                                "description": "A metric and a statistic: latency p(99).",
                            },
                            "half_width": {
                                "type": "string",
                                "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*%\s*$",
                                "description": "Relative error: 5%.",
                            },
                        },
                        "required": ["metric", "half_width"],
                        "additionalProperties": False,
                    },
                    "min": {"type": "integer", "minimum": 2, "maximum": _MOST},
                    "max": {"type": "integer", "minimum": 2, "maximum": _MOST},
                },
                "required": ["until"],
                "additionalProperties": False,
            },
        ]
    },
)
