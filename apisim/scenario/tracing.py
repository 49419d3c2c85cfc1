"""X-Ray at a stage, in a scenario's words."""

from typing import Annotated, Any, Final

from apisim.scenario.fields import Reader, rate, share
from apisim.scenario.model import Context, Model, as_written
from apisim.scenario.units import UnitError, shown

__all__ = ["Tracing"]

_RESERVOIR: Final = rate(0, 1_000_000)


def _read_reservoir(value: Any, context: Context) -> int:
    found = _RESERVOIR.read(value, context)
    if found.denominator != 1:
        raise UnitError(f"must be whole requests a second, got {shown(value)}", "e.g. 1/s")
    return int(found)


class Tracing(Model):
    """How X-Ray samples the requests of a stage; ``true`` is its default rule.

    Attributes
    ----------
    reservoir : int
        Requests that are traced in each second of the clock [1/s], the first ones, default 1/s.
    rate : float
        Share of all others, default 5 %; drawn for each attempt.
    """

    reservoir: Annotated[int, Reader(_read_reservoir, _RESERVOIR.schema)] = as_written("1/s")
    rate: Annotated[float, share()] = as_written("5%")

    @classmethod
    def normalise(cls, data: Any) -> Any:
        """``true``: the default rule; ``false``: nothing is traced."""
        if data is True:
            return {}
        return {"reservoir": 0, "rate": "0%"} if data is False else data

    @property
    def is_off(self) -> bool:
        """Whether nothing is ever traced."""
        return self.reservoir == 0 and self.rate == 0
