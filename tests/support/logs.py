"""Access logs for replays: real ones rewritten as a test needs them, and made-up ones."""

import csv
import gzip
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from tests.support.experiments import Data

__all__ = ["LogRow", "a_millisecond_apart", "nanoseconds", "read_rows", "replay", "write_log"]

_SECOND_NS = 1_000_000_000
_HEADER = ("timestamp_s", "client", "method", "path", "status", "bytes")


class LogRow(NamedTuple):
    """One request of a log."""

    time_ns: int
    path: str = "/"
    method: str = "GET"
    size: int = 0
    client: str = ""


def nanoseconds(written: str | Decimal) -> int:
    """A time in seconds as it is written, exactly."""
    time = Decimal(written).scaleb(9)
    assert time == int(time), "finer than a nanosecond"
    return int(time)


def read_rows(file: Path) -> list[dict[str, str]]:
    """Rows of a compressed CSV file as they are written."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def write_log(file: Path, rows: Iterable[LogRow]) -> Path:
    """Write a log in the tidy form."""
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(_HEADER)
        writer.writerows(
            (
                f"{row.time_ns // _SECOND_NS}.{row.time_ns % _SECOND_NS:09d}",
                row.client,
                row.method,
                row.path,
                200,
                row.size,
            )
            for row in rows
        )
    return file


def a_millisecond_apart(rows: Iterable[LogRow]) -> Iterator[LogRow]:
    """The rows in their order, one each millisecond: for logs without a clock to trust."""
    for at, row in enumerate(rows):
        yield row._replace(time_ns=at * 1_000_000)


def replay(file: Path) -> Data:
    """Traffic that is this log."""
    return {"replayed": {"trace": {"file": str(file)}}}
