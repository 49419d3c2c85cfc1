"""From descriptions of distributions to the rows that compiled code draws from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from apisim.draws.sampling import DIST_DTYPE, Kind, Rows, Values, quantile

if TYPE_CHECKING:
    from apisim.draws.distributions import Distribution

__all__ = ["DistributionTable", "Lowered", "quantile_of"]


@dataclass(frozen=True, slots=True)
class Lowered:
    """What one distribution is in compiled code: the fields of its row, and its list."""

    kind: Kind
    a: float = 0.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    rounded: int = 0
    count: int = 0
    values: Sequence[float] = ()
    parts: Sequence["Distribution"] = ()  # whose rows follow the values


class DistributionTable:
    """Collects distributions and numbers them; equal ones share a row.

    Examples
    --------
    >>> from apisim.draws.distributions import Constant, LogNormal
    >>> table = DistributionTable()
    >>> table.add(Constant(5.0)), table.add(LogNormal(20.0, 100.0)), table.add(Constant(5.0))
    (0, 1, 0)
    >>> rows, values = table.freeze()
    >>> rows.size
    2
    """

    def __init__(self) -> None:
        self._numbers: dict[Distribution, int] = {}
        self._lowered: list[Lowered] = []

    def add(self, distribution: "Distribution") -> int:
        """Number of the distribution's row, a new one if it was not met before.

        Parameters
        ----------
        distribution : Distribution
            Any of ``distributions``; the parts of a mixture get rows of their own.

        Returns
        -------
        int
            Row, to be given to ``sampling.sample``.
        """
        number = self._numbers.get(distribution)
        if number is None:
            lowered = distribution.lower()
            rows = [float(self.add(part)) for part in lowered.parts]
            lowered = replace(lowered, values=[*lowered.values, *rows])
            number = len(self._lowered)
            self._lowered.append(lowered)
            self._numbers[distribution] = number
        return number

    def freeze(self) -> tuple[Rows, Values]:
        """Arrays for compiled code, with everything added so far.

        Returns
        -------
        rows : DIST_DTYPE[n]
            One row per distribution, in the order of their numbers.
        values : float64[m]
            Their lists, one after the other.
        """
        rows = np.zeros(len(self._lowered), dtype=DIST_DTYPE)
        values: list[float] = []
        for number, law in enumerate(self._lowered):
            rows[number] = (
                law.kind, law.rounded, len(values), law.count, law.a, law.b, law.c, law.d
            )  # fmt: skip
            values.extend(law.values)
        return rows, np.array(values, dtype=np.float64)


def quantile_of(distribution: "Distribution", q: float) -> float:
    """Quantile as compiled code computes it.

    Parameters
    ----------
    distribution : Distribution
        Any but a mixture, whose rows pick a part by ``q``.
    q : float
        In (0, 1).

    Returns
    -------
    float
        The value that a uniform draw of ``q`` gives.
    """
    table = DistributionTable()
    row = table.add(distribution)
    rows, values = table.freeze()
    return float(quantile(rows, values, row, q))
