"""Popularity of keys: which of n keys a request asks for.

Small tables (given weights, and Zipf up to 2^16 ranks) are alias tables: one uniform draw and one
look-up, whatever n is. Larger Zipf laws are drawn by rejection-inversion (``zipf``), which needs no
memory. ``KeyTable`` turns descriptions into rows for compiled code and ``sample_key`` draws.

References
----------
.. [1] A. J. Walker, "An efficient method for generating discrete random variables with general
   distributions", ACM TOMS 3(3), 1977.
.. [2] M. D. Vose, "A linear algorithm for generating random numbers with a given distribution",
   IEEE Trans. Software Engineering 17(9), 1991.
"""

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from apisim.arrays.jit import inline, kernel
from apisim.draws.generator import UInt64, uniform
from apisim.draws.kernels import exp, log
from apisim.draws.zipf import zipf_constants, zipf_rank

__all__ = [
    "ALIAS_DTYPE",
    "ALIAS_LIMIT",
    "KEYS_DTYPE",
    "KeyTable",
    "UniformKeys",
    "WeightedKeys",
    "ZipfKeys",
    "sample_key",
]

#: Largest number of ranks for which a Zipf law gets an alias table.
ALIAS_LIMIT: Final = 1 << 16
_LARGEST_N: Final = 10**9
_LARGEST_WEIGHT: Final = 1e300  # so that sums of millions of them stay finite

_UNIFORM = 0
_ALIAS = 1
_ZIPF = 2

#: One row per popularity law.
KEYS_DTYPE: Final = np.dtype(
    [
        ("kind", "i8"),
        ("n", "i8"),  # number of keys
        ("first", "i8"),  # where its cells begin
        ("s", "f8"),  # of a Zipf law without a table: exponent and constants
        ("start", "f8"),
        ("end", "f8"),
        ("safe", "f8"),
    ],
    align=True,
)

#: One cell per key of an alias table: the key itself below the threshold, its alias from it on.
ALIAS_DTYPE: Final = np.dtype([("threshold", "f8"), ("alias", "i8")], align=True)

Rows: TypeAlias = npt.NDArray[np.void]
Cells: TypeAlias = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class UniformKeys:
    """All of n keys equally popular.

    Parameters
    ----------
    n : int
        Number of keys, in [1, 10^9].
    """

    n: int

    def __post_init__(self) -> None:
        _require_count(self.n)


@dataclass(frozen=True, slots=True)
class ZipfKeys:
    """Popularity of rank k (from 0) proportional to (k + 1)^-s.

    Parameters
    ----------
    s : float
        Exponent, in [0, 100]; 0 makes all keys equally popular.
    n : int
        Number of keys, in [1, 10^9].
    """

    s: float
    n: int

    def __post_init__(self) -> None:
        _require_count(self.n)
        if not 0 <= self.s <= 100:
            raise ValueError(f"a Zipf exponent must be in [0, 100], got {self.s}")


@dataclass(frozen=True, slots=True)
class WeightedKeys:
    """Keys with given weights; keys keep the order in which they are given.

    Parameters
    ----------
    weights : tuple of float
        In [0, 1e300], not all 0; relative to their sum. Any iterable will do.
    """

    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        weights = tuple(float(weight) for weight in self.weights)
        object.__setattr__(self, "weights", weights)
        for weight in weights:
            if not 0 <= weight <= _LARGEST_WEIGHT:
                raise ValueError(f"weights must be in [0, 1e300], got {weight}")
        if not any(weights):
            raise ValueError("at least one weight must be > 0")


Keys: TypeAlias = UniformKeys | ZipfKeys | WeightedKeys


def _require_count(n: int) -> None:
    if not 1 <= n <= _LARGEST_N:
        raise ValueError(f"the number of keys must be in [1, 10^9], got {n}")


class KeyTable:
    """Collects popularity laws and numbers them; equal ones share a row.

    Examples
    --------
    >>> table = KeyTable()
    >>> table.add(ZipfKeys(1.1, 1000)), table.add(UniformKeys(10)), table.add(ZipfKeys(1.1, 1000))
    (0, 1, 0)
    """

    def __init__(self) -> None:
        self._numbers: dict[Keys, int] = {}

    def add(self, keys: Keys) -> int:
        """Number of the law's row, a new one if it was not met before.

        Parameters
        ----------
        keys : UniformKeys, ZipfKeys or WeightedKeys
            Law.

        Returns
        -------
        int
            Row, to be given to :func:`sample_key`.
        """
        return self._numbers.setdefault(keys, len(self._numbers))

    def freeze(self) -> tuple[Rows, Cells]:
        """Arrays for compiled code, with everything added so far.

        Returns
        -------
        rows : KEYS_DTYPE[n]
            One row per law, in the order of their numbers.
        cells : ALIAS_DTYPE[m]
            Cells of the alias tables, one table after the other.
        """
        rows = np.zeros(len(self._numbers), dtype=KEYS_DTYPE)
        tables: list[Cells] = []
        first = 0
        for row, keys in enumerate(self._numbers):
            match keys:
                case UniformKeys(n) | ZipfKeys(0, n):
                    rows[row] = (_UNIFORM, n, 0, 0.0, 0.0, 0.0, 0.0)
                    continue
                case ZipfKeys(s, n) if n > ALIAS_LIMIT:
                    rows[row] = (_ZIPF, n, 0, s, *zipf_constants(float(s), n))
                    continue
                case ZipfKeys(s, n):
                    weights = np.empty(n)
                    _zipf_weights(float(s), weights)
                case WeightedKeys(given):
                    weights = np.array(given)
            cells = alias_cells(weights)
            rows[row] = (_ALIAS, cells.size, first, 0.0, 0.0, 0.0, 0.0)
            tables.append(cells)
            first += cells.size
        empty = np.empty(0, dtype=ALIAS_DTYPE)
        return rows, np.concatenate([empty, *tables])


def alias_cells(weights: npt.NDArray[np.float64]) -> Cells:
    """Alias table of given weights, always the same for the same weights [2]_.

    Parameters
    ----------
    weights : float64[n]
        In [0, 1e300], not all 0.

    Returns
    -------
    ALIAS_DTYPE[n]
        One cell per weight. A key's part of the cells, over n, is its share of the sum to within
        1e-14; a key of weight 0 has none.
    """
    cells = np.empty(weights.size, dtype=ALIAS_DTYPE)
    shares = weights / math.fsum(weights) * weights.size
    _fill_alias(shares, cells, np.empty(weights.size, dtype=np.int64))
    return cells


@kernel
def _zipf_weights(s: float, weights: npt.NDArray[np.float64]) -> None:
    for i in range(weights.size):
        weights[i] = exp(-s * log(i + 1.0))


@kernel
def _fill_alias(
    shares: npt.NDArray[np.float64], cells: Cells, stack: npt.NDArray[np.int64]
) -> None:
    """Cells of an alias table; ``shares`` have mean 1 and are used up.

    One stack array serves both lists: keys that are short of a whole cell grow from its left end,
    keys with more than one from its right end.
    """
    n = shares.size
    short = 0
    long = n
    heaviest = 0
    for i in range(n):
        if shares[i] > shares[heaviest]:
            heaviest = i
        if shares[i] < 1.0:
            stack[short] = i
            short += 1
        else:
            long -= 1
            stack[long] = i
    while short > 0 and long < n:
        short -= 1
        small = stack[short]
        large = stack[long]
        cell = cells[small]
        cell["threshold"] = shares[small]
        cell["alias"] = large
        shares[large] = (shares[large] + shares[small]) - 1.0
        if shares[large] < 1.0:
            long += 1
            stack[short] = large
            short += 1
    # Rounding leaves some whole cells in either list. What they are short of goes to the heaviest
    # key and not to themselves: a key of weight 0 must not be drawn.
    for i in range(short):
        cell = cells[stack[i]]
        cell["threshold"] = shares[stack[i]]
        cell["alias"] = heaviest
    for i in range(long, n):
        cell = cells[stack[i]]
        cell["threshold"] = 1.0
        cell["alias"] = stack[i]


@inline
def sample_key(rows: Rows, cells: Cells, row: int, key: UInt64, index: int, draw: int) -> int:
    """Which key, drawn at one address of one stream.

    Parameters
    ----------
    rows : KEYS_DTYPE[n]
        Popularity laws.
    cells : ALIAS_DTYPE[m]
        Their alias tables.
    row : int
        Which law.
    key, index, draw
        Address of the draw, as for ``generator.uniform``. A Zipf law of more than 2^16 ranks may
        use draws up to ``draw + 63``.

    Returns
    -------
    int64
        In [0, n); for a Zipf law, 0 is the most popular.
    """
    law = rows[row]
    kind = law["kind"]
    if kind == _ZIPF:
        return zipf_rank(
            law["s"], law["n"], law["start"], law["end"], law["safe"], key, int(index), int(draw)
        )
    # The largest uniform draw times n rounds to below n, so the position is always a cell.
    place = uniform(key, index, draw) * law["n"]
    position = int(place)
    if kind == _UNIFORM:
        return position
    cell = cells[law["first"] + position]
    if place - position < cell["threshold"]:
        return position
    return int(cell["alias"])
