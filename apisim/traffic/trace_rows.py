"""One row of a trace after another: taken apart, checked, and packed into columns."""

import csv
import math
import re
from array import array
from fractions import Fraction
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from apisim.scenario.formats import counted
from apisim.scenario.problems import Problem
from apisim.traffic.lines import damage

__all__ = ["FORM", "MAX_NS", "RowError", "Rows", "split_row"]

#: Header of a trace in the tidy form.
FORM: Final = "timestamp_s,client,method,path,status,bytes"
#: 146 years: replay times and their differences stay far from the end of 64 bits.
MAX_NS: Final = 1 << 62

_SECOND_NS: Final = 1_000_000_000
#: Sizes are floats in places (histograms, samples), and exact up to here.
_MAX_BYTES: Final = 1 << 53

_REQUIRED: Final = ("timestamp_s", "method", "path")
_OPTIONAL: Final = ("client", "bytes")
_SECONDS: Final = re.compile(
    r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,2})?", re.ASCII
)
_METHOD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2: token


class RowError(Exception):
    """A row that cannot be read: the name of the field, what is wrong, what to do about it."""

    def __init__(
        self, name: str, message: str, hint: str = "", *, field: int = 0, column: int | None = None
    ) -> None:
        super().__init__(message)
        self.name, self.message, self.hint = name, message, hint
        self.field, self.column = field, column

    def problem(self, file: str, number: int, line: str) -> Problem:
        """Say where this was: line ``number`` of ``file``, which reads ``line``."""
        column = self.column or _column(line, self.field)
        return Problem(file, number, column, self.name, self.message, self.hint)


class Rows:
    """Packed columns of the rows read so far.

    Parameters
    ----------
    header : list of str
        Names of the columns.
    ordered : bool
        Whether a row that steps back in time is a bad row.
    """

    def __init__(self, header: list[str], *, ordered: bool) -> None:
        names = [name.strip() for name in header]
        missing = [name for name in _REQUIRED if name not in names]
        if missing:
            raise RowError(
                "",
                f"the header has no column {', '.join(missing)}; it has {', '.join(names)[:200]}",
                f"a trace starts with {FORM}; of other logs say their format: clf",
            )
        for name in (*_REQUIRED, *_OPTIONAL):
            if names.count(name) > 1:
                raise RowError(name, "two columns have this name", field=names.index(name))
        self.names = names
        self.ordered = ordered
        self.at_time, self.at_method, self.at_path = (names.index(name) for name in _REQUIRED)
        self.at_client, self.at_bytes = (
            names.index(name) if name in names else -1 for name in _OPTIONAL
        )
        self.base: int | None = None
        self.last: int | Fraction = 0
        self.offset_ns = array("q")  # after the first row, rounded down
        self.parts: dict[int, Fraction] = {}  # what rounding down left, where it left something
        self.clients: dict[str, int] = {}
        self.client_index = array("i")
        self.targets: dict[tuple[str, str], int] = {}
        self.target_index = array("i")
        self.response_bytes = array("q")

    def __len__(self) -> int:
        return len(self.offset_ns)

    def add(self, fields: list[str]) -> None:
        """Append a row, or raise :class:`RowError` and append nothing."""
        if len(fields) != len(self.names):
            raise RowError(
                "",
                f"the row has {counted(len(fields), 'field')}, the header {len(self.names)}",
                "a field that holds a comma is written in double quotes",
            )
        time = self._time(fields[self.at_time])
        target_key = (fields[self.at_method], fields[self.at_path])
        target = self.targets.get(target_key)
        if target is None:
            self._check_target(*target_key)
            target = len(self.targets)
        size = self._size(fields[self.at_bytes]) if self.at_bytes >= 0 else -1
        client = fields[self.at_client] if self.at_client >= 0 else ""
        # Nothing can go wrong from here on.
        self.targets.setdefault(target_key, target)
        self.target_index.append(target)
        self.client_index.append(
            self.clients.setdefault(client, len(self.clients)) if client else -1
        )
        self.response_bytes.append(size)
        if self.base is None:
            self.base = math.floor(time)
        self.last = time
        offset = time - self.base
        if isinstance(offset, Fraction):
            self.parts[len(self.offset_ns)] = offset - math.floor(offset)
            offset = math.floor(offset)
        self.offset_ns.append(offset)

    def order(self) -> NDArray[np.int64]:
        """Positions of the rows by time, equal times in file order."""
        offsets = np.array(self.offset_ns, dtype=np.int64)
        if not self.parts:
            return np.argsort(offsets, kind="stable")
        exact = [int(offset) + self.parts.get(row, 0) for row, offset in enumerate(offsets)]
        return np.array(sorted(range(len(exact)), key=exact.__getitem__), dtype=np.int64)

    def times(self, order: NDArray[np.int64] | slice) -> NDArray[np.int64] | list[Fraction]:
        """Times after the first of ``order`` [ns], exact: integers, or fractions where needed."""
        offsets = np.array(self.offset_ns, dtype=np.int64)
        if not self.parts:
            ordered: NDArray[np.int64] = offsets[order]
            ordered -= ordered[0].item()
            return ordered
        rows = np.arange(len(offsets))[order]
        exact = [Fraction(int(offsets[row])) + self.parts.get(int(row), 0) for row in rows]
        return [time - exact[0] for time in exact]

    def _time(self, text: str) -> int | Fraction:
        """Time of a row [ns], exact."""
        whole, _, decimals = text.partition(".")
        digits = whole + decimals
        time: int | Fraction
        # This is how nearly all timestamps look; the pattern below costs ten times as much.
        if len(decimals) <= 9 and len(digits) <= 30 and digits.isdigit() and digits.isascii():
            time = int(digits) * 10 ** (9 - len(decimals))
        elif _SECONDS.fullmatch(text.strip()):
            time = Fraction(text.strip()) * _SECOND_NS
            if time.denominator == 1:
                time = time.numerator
        else:
            said = f"{_shown(text)} is no number of seconds" if text.strip() else "is missing"
            self._bad("timestamp_s", said, "such as 1700158546.680590")
        if self.base is not None:
            if not -MAX_NS < time - self.base < MAX_NS:
                self._bad("timestamp_s", f"{text} s is over 146 years from the first row")
            if self.ordered and time < self.last:
                back = float((self.last - time) / Fraction(_SECOND_NS))
                self._bad(
                    "timestamp_s",
                    f"steps back in time by {back:.9g} s",
                    "write sort: true to put the rows in order",
                )
        return time

    def _size(self, text: str) -> int:
        """Size of the answer [bytes]; -1 where unknown."""
        if not text:
            return -1
        if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= _MAX_BYTES):
            message = f"{_shown(text)} is no whole number of bytes from 0 to 2^53"
            self._bad("bytes", message, "leave it empty where the size is unknown")
        return int(text)

    def _check_target(self, method: str, path: str) -> None:
        if not _METHOD.fullmatch(method):
            said = f"{_shown(method)} is no HTTP method" if method else "is missing"
            self._bad("method", said, "such as GET")
        if not path.startswith("/"):
            said = f"{_shown(path)} does not start with /" if path else "is missing"
            self._bad("path", said, "the path below the API's stage, with its query string")

    def _bad(self, name: str, message: str, hint: str = "") -> NoReturn:
        raise RowError(name, message, hint, field=self.names.index(name))


def split_row(line: str, *, damaged: bool) -> list[str]:
    """Fields of one line of CSV."""
    if damaged:
        found = damage(line)
        if found:
            column, what = found
            raise RowError("", f"the row has {what}", "save the file as UTF-8", column=column)
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as error:
        # The reader's own words for a missing closing quote speak of the data's end.
        unclosed = "a double quote is not closed" if "end of data" in str(error) else str(error)
        raise RowError("", unclosed, 'a quote inside quotes is written ""') from None


def _column(line: str, field: int) -> int:
    """Where a field starts, in characters counted from 1."""
    quoted = False
    for position, character in enumerate(line, 1):
        if field == 0:
            return position
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            field -= 1
    return len(line) + 1 if field == 0 else 1


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
