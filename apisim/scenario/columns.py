"""Columns of CSV files a scenario refers to: samples of a distribution, published counts.

Files are read in place, plain or gzipped, row by row and at most ``MAX_ROWS`` rows, so that a file
of any size costs bounded memory. A bad value is named by file and row.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from apisim.scenario.formats import counted
from apisim.scenario.problems import did_you_mean
from apisim.scenario.units import UnitError, shown

__all__ = ["MAX_ROWS", "read_column"]

#: Rows read of one file; a year of minutes is 527,040.
MAX_ROWS: Final = 1_000_000
#: Lines looked at for the first of those rows.
_MAX_LINES: Final = 10 * MAX_ROWS
#: Characters of one value.
_MAX_TEXT: Final = 200
#: Characters of one line; a line without an end would otherwise fill the memory.
_MAX_LINE: Final = 100_000


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[str]]:
    with path.open("rb") as raw:
        is_gzip = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream = gzip.GzipFile(fileobj=raw) if is_gzip else raw
        lines = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")

        def bounded() -> Iterator[str]:
            while line := lines.readline(_MAX_LINE):
                if len(line) >= _MAX_LINE:
                    raise UnitError(f"{path.name} has a line of {_MAX_LINE:,} characters or more")
                yield line

        yield bounded()


def _index(header: list[str], column: str, path: Path) -> int:
    if column not in header:
        hint = did_you_mean(column, header)
        raise UnitError(f"{path.name} has no column {shown(column)}", hint)
    return header.index(column)


def read_column(
    path: Path,
    column: str,
    *,
    start: str | None = None,
    start_column: str | None = None,
    rows: int | None = None,
) -> list[tuple[int, str]]:
    """Texts of one column.

    Parameters
    ----------
    path : pathlib.Path
        CSV file with a header row; gzipped if its first bytes say so.
    column : str
        Name of the column.
    start : str, optional
        Value of ``start_column`` in the first row wanted; from the first row when left out.
    start_column : str, optional
        Column ``start`` is looked for in; the first one when left out.
    rows : int, optional
        Number of rows wanted; all when left out.

    Returns
    -------
    list of (int, str)
        Line number in the file, from 1, and text of each row.

    Raises
    ------
    UnitError
        If the file cannot be read or lacks the column, the starting row or enough rows.
    """
    try:
        with _opened(path) as lines:
            records = csv.reader(lines, strict=True)
            header = next(records, [])
            wanted = _index(header, column, path)
            key = 0 if start_column is None else _index(header, start_column, path)
            found: list[tuple[int, str]] = []
            for record in records:
                if not record:
                    continue
                if len(record) != len(header):
                    raise UnitError(
                        f"{path.name} row {records.line_num} has "
                        f"{counted(len(record), 'field')}, "
                        f"the header has {len(header)}"
                    )
                if records.line_num > _MAX_LINES:
                    raise UnitError(f"{path.name} has more than {_MAX_LINES:,} lines")
                if start is not None and not found and record[key] != start:
                    continue
                if len(record[wanted]) > _MAX_TEXT:
                    raise UnitError(f"{path.name} row {records.line_num}: the value is too long")
                if len(found) == MAX_ROWS:
                    raise UnitError(f"{path.name} has more than {MAX_ROWS:,} rows")
                found.append((records.line_num, record[wanted]))
                if len(found) == rows:
                    break
    except OSError as error:
        raise UnitError(f"{path.name} cannot be read: {error.strerror or error}") from None
    except (csv.Error, UnicodeDecodeError, EOFError, zlib.error) as error:
        raise UnitError(f"{path.name} is not a CSV file: {error}") from None
    if start is not None and not found:
        raise UnitError(f"{path.name} has no row {shown(start)} in its column {header[key]}")
    if rows is not None and len(found) < rows:
        raise UnitError(
            f"{path.name} has {counted(len(found), 'row')} from there, {rows} are wanted"
        )
    if not found:
        raise UnitError(f"{path.name} has no rows")
    return found
