"""Access logs for replays: real ones rewritten as a test needs them, and made-up ones."""

import csv
import gzip
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from tests.support.experiments import Data

__all__ = ["LogRow", "a_millisecond_apart", "read_rows", "replay", "write_log"]

_HEADER = ("timestamp_s", "client", "method", "path", "status", "bytes")


class LogRow(NamedTuple):
    """One request of a log."""

    time_s: Fraction
    path: str = "/"
    method: str = "GET"
    size: int = 0
    client: str = ""


def read_rows(file: Path) -> list[dict[str, str]]:
    """Rows of a compressed CSV file as they are written."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def write_log(file: Path, rows: Iterable[LogRow]) -> Path:
    """Write a log in the tidy form, times to the nanosecond."""
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(_HEADER)
        for row in rows:
            whole, rest = divmod(row.time_s * 10**9, 10**9)
            assert rest.denominator == 1, "finer than a nanosecond"
            time = f"{whole}.{rest.numerator:09d}"
            writer.writerow((time, row.client, row.method, row.path, 200, row.size))
    return file


def a_millisecond_apart(rows: Iterable[LogRow]) -> Iterator[LogRow]:
    """The rows in their order, one each millisecond: for logs without a clock to trust."""
    for at, row in enumerate(rows):
        yield row._replace(time_s=Fraction(at, 1000))


def replay(file: Path) -> Data:
    """Traffic that is this log."""
    return {"replayed": {"trace": {"file": str(file)}}}
