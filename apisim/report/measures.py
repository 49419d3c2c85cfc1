"""How the measures of studies are put on an axis: in which unit, and how many of it."""

from typing import Final

from apisim.studies.wording import unit_of

__all__ = ["scale_of"]

_UNITS: Final = {
    "ms": " [ms]", "share": " [%]", "money": " [USD]", "count": "", "bytes": " [bytes]",
    "per_second": " [1/s]",
}  # fmt: skip
_DIFFERENCES: Final = {**_UNITS, "share": " [percentage points]"}


def scale_of(measure: str, *, is_difference: bool = False) -> tuple[float, str]:
    """What values of a measure are multiplied by on an axis, and what the axis is called.

    Parameters
    ----------
    measure : str
        Its label.
    is_difference : bool
        Whether values are differences of the measure.

    Examples
    --------
    >>> scale_of("latency p(99)"), scale_of("throttled rate")
    ((1.0, 'latency p(99) [ms]'), (100.0, 'throttled rate [%]'))
    >>> scale_of("throttled rate", is_difference=True)
    (100.0, 'throttled rate [percentage points]')
    """
    unit = unit_of(measure)
    units = _DIFFERENCES if is_difference else _UNITS
    return 100.0 if unit == "share" else 1.0, f"{measure}{units[unit]}"
