"""Rows of integers and names as CSV text, about half a microsecond each.

Python formats half a million rows of the request file a second, the compiled engine makes several
million; the digits are therefore written by a compiled loop into one buffer. A field is a whole
number, nothing (a negative number in a column that may be empty), or a name out of a list whose
members were quoted once beforehand.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import kernel

__all__ = ["NAME", "NUMBER_OR_NOTHING", "PART", "RowFormat"]

#: Kinds of columns.
NUMBER_OR_NOTHING: Final = 0  # a negative number is an empty field
NAME: Final = 1  # index into the names; negative is an empty field
PART: Final = 2  # "/" and a number, or nothing at all for a negative one

#: Rows formatted at once: their text stays in the processor's cache.
_ROWS: Final = 4096
_LONGEST_NUMBER: Final = 20

_ONE: Final = np.uint64(1)
_TWO: Final = np.uint64(2)
_TEN: Final = np.uint64(10)
_HUNDRED: Final = np.uint64(100)
_MOST_DIGITS: Final = np.uint64(19)
_SLASH: Final = 47
_LINE_FEED: Final = 10
#: "00" to "99": two digits cost one division.
_PAIRS: Final = np.frombuffer("".join(f"{pair:02d}" for pair in range(100)).encode(), np.uint8)


class RowFormat:
    """Text of rows whose columns are fixed.

    Parameters
    ----------
    kinds : sequence of int
        What each column is, see the constants of this module.
    separators : sequence of str
        What follows each column but the last: one character or none.
    names : sequence of str
        Texts that ``NAME`` columns point to.
    """

    def __init__(
        self, kinds: Sequence[int], separators: Sequence[str], names: Sequence[str]
    ) -> None:
        assert len(separators) == len(kinds) - 1
        self._kinds = np.array(kinds, np.int64)
        self._separators = np.array([ord(one or "\0") for one in (*separators, "")], np.uint8)
        encoded = [_quoted(name).encode() for name in names]
        self._starts = np.zeros(len(encoded) + 1, np.int64)
        lengths = [len(name) for name in encoded]
        np.cumsum(lengths, out=self._starts[1:])
        self._text = np.frombuffer(b"".join(encoded) + b"\0", np.uint8)
        widest = len(kinds) * (_LONGEST_NUMBER + 2) + kinds.count(NAME) * max(lengths, default=0)
        self._out = np.empty(_ROWS * widest, np.uint8)

    def lines(self, columns: Sequence[NDArray[np.int64]]) -> Iterator[memoryview]:
        """CSV lines of some rows, in UTF-8, each ended by a line feed.

        Parameters
        ----------
        columns : sequence of int64[n_rows]

        Yields
        ------
        memoryview
            Part of one buffer: to be used before the next is asked for.
        """
        values = np.stack(columns, axis=1)
        for first in range(0, len(values), _ROWS):
            size = _write_rows(
                values[first : first + _ROWS],
                self._kinds,
                self._separators,
                self._text,
                self._starts,
                self._out,
            )
            yield self._out[:size].data


@kernel
def _write_rows(
    values: NDArray[np.int64],
    kinds: NDArray[np.int64],
    separators: NDArray[np.uint8],
    text: NDArray[np.uint8],
    starts: NDArray[np.int64],
    out: NDArray[np.uint8],
) -> int:
    """Write ``values[n_rows, n_columns]`` to ``out``; returns the number of bytes.

    Positions are unsigned: numba then leaves out the case of a negative index, and divisions by a
    constant become multiplications.
    """
    at = np.uint64(0)
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            value = values[row, column]
            if value >= 0 and kinds[column] == NAME:
                for source in range(starts[value], starts[value + 1]):
                    out[at] = text[source]
                    at += _ONE
            elif value >= 0:
                if kinds[column] == PART:
                    out[at] = _SLASH
                    at += _ONE
                rest = np.uint64(value)
                n_digits = _ONE
                power = _TEN
                while n_digits < _MOST_DIGITS and rest >= power:
                    n_digits += _ONE
                    power *= _TEN
                at += n_digits
                place = at
                while rest >= _TEN:
                    above = rest // _HUNDRED
                    pair = (rest - above * _HUNDRED) * _TWO
                    out[place - _ONE] = _PAIRS[pair + _ONE]
                    out[place - _TWO] = _PAIRS[pair]
                    place -= _TWO
                    rest = above
                if n_digits & _ONE == _ONE:
                    # The leading digit of an odd number of digits; the pair above it is "0d".
                    out[place - _ONE] = _PAIRS[rest * _TWO + _ONE]
            if separators[column] != 0:
                out[at] = separators[column]
                at += _ONE
        out[at] = _LINE_FEED
        at += _ONE
    return np.int64(at)  # type: ignore[return-value]


def _quoted(name: str) -> str:
    """The name as the csv module writes it inside a row."""
    line = io.StringIO()
    # With a second field, because a field that is alone in its row is quoted when it is empty; and
    # with both line ends, because what is quoted depends on the line end chosen.
    csv.writer(line, lineterminator="\r\n").writerow([name, ""])
    return line.getvalue().removesuffix(",\r\n")
