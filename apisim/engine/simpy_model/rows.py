"""Rows of a table as plain objects, which Python reads ten times faster than numpy's records."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rows"]


class Rows(list[Any]):
    """The rows of one table, by number; a row has the fields of the table.

    Whoever holds a row sees what the timeline makes of it: :meth:`read` writes into the rows that
    are there.
    """

    def __init__(self, table: NDArray[np.void]) -> None:
        names = table.dtype.names or ()
        row = type("Row", (), {"__slots__": names})
        super().__init__(row() for _ in range(len(table)))
        self._table, self._names = table, names
        self.read()

    def read(self) -> None:
        """Take the numbers of the table as they are now."""
        for row, values in zip(self, self._table.tolist(), strict=True):
            for name, value in zip(self._names, values, strict=True):
                setattr(row, name, value)
