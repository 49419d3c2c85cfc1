"""Streaming the request file: one row for each attempt, in order, in bounded memory.

The engine hands rows over in the order in which requests end; the file wants them by
``(replication, arrival_ns, address)``. With each batch the engine says from which arrival time on
rows may still come (the watermark), so what is held back is bounded by what is in flight.

An interrupted run keeps its file, cut at the last watermark: it then holds every request that
arrived before that time, and none that arrived later. After any other failure there is no file.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.program import Program
from apisim.engine.recorder import REQUEST_DTYPE
from apisim.results.atomic import as_output_error, refuse_input
from apisim.results.request_columns import RequestColumns
from apisim.results.request_sinks import open_sink
from apisim.traffic.arrivals import NEVER

__all__ = ["RequestFile", "RequestOrder", "RequestPart"]

#: Rows formatted at once.
_BATCH_ROWS: Final = 1 << 16
_ADDRESS: Final = ("source", "user", "ordinal", "attempt")


class RequestFile:
    """The ``--requests`` file of a run.

    Parameters
    ----------
    path : str or pathlib.Path
        Ends in ``.csv`` or ``.parquet``.
    program : Program
        Supplies the names.
    is_parallel : bool
        Whether several replications run at the same time. Their rows then wait in temporary files
        until it is their turn.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """

    def __init__(self, path: str | Path, program: Program, *, is_parallel: bool = False) -> None:
        self.path = Path(path)
        refuse_input(self.path, program.scenario)
        self._is_parallel = is_parallel
        self._sink = open_sink(self.path, RequestColumns.of(program))
        self._parts: dict[int, RequestPart] = {}

    def part(self, replication: int) -> "RequestPart":
        """What takes one replication's rows."""
        part = RequestPart(self, replication, is_spooled=self._is_parallel)
        self._parts[replication] = part
        return part

    def finish_part(self, replication: int, *, completed: bool) -> int:
        """A replication is over, and all before it are finished.

        Parameters
        ----------
        replication : int
            Its number.
        completed : bool
            Whether it came to its end; if not, rows from its last watermark on are left out.

        Returns
        -------
        int
            That watermark: time before which all requests are in the file [ns].
        """
        part = self._parts.pop(replication)
        part.finish(completed=completed)
        return part.complete_until_ns

    def write(self, rows: NDArray[np.void], replication: int) -> None:
        """Append rows that are in order."""
        for first in range(0, len(rows), _BATCH_ROWS):
            self._sink.write(rows[first : first + _BATCH_ROWS], replication)

    def keep(self) -> None:
        """Give the file its name."""
        self._sink.keep()

    def discard(self) -> None:
        """Remove the file, unless it was kept."""
        for part in self._parts.values():
            part.close()
        self._sink.discard()


class RequestPart:
    """One replication's rows; called by the engine as its ``flush``."""

    def __init__(self, file: RequestFile, replication: int, *, is_spooled: bool) -> None:
        self._file = file
        self._replication = replication
        self._order = RequestOrder()
        self._spool: IO[bytes] | None = None
        if is_spooled:
            with as_output_error(file.path):
                # Closed by `finish` or `close`, after the engine has filled it.
                self._spool = tempfile.TemporaryFile(dir=file.path.parent)  # noqa: SIM115
        self.complete_until_ns = 0

    def __call__(self, rows: NDArray[np.void], watermark_ns: int) -> None:
        """Take rows (``REQUEST_DTYPE``); all that arrived before ``watermark_ns`` have come."""
        self._order.add(rows)
        # The last batch of a run says "never", also when the run was interrupted: `finish` knows.
        if watermark_ns != NEVER:
            self.complete_until_ns = watermark_ns
            self._write(self._order.take_before(watermark_ns))

    def finish(self, *, completed: bool) -> None:
        """The replication is over, see :meth:`RequestFile.finish_part`."""
        if completed:
            self._write(self._order.take_before(NEVER))
        if self._spool is not None:
            with as_output_error(self._file.path):
                self._spool.seek(0)
            for rows in _read_rows(self._spool):
                self._file.write(rows, self._replication)
        self.close()

    def close(self) -> None:
        """Give the temporary file back."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def _write(self, rows: NDArray[np.void]) -> None:
        if self._spool is None:
            self._file.write(rows, self._replication)
        elif len(rows):
            with as_output_error(self._file.path):
                self._spool.write(rows.tobytes())


def _read_rows(spool: IO[bytes]) -> Iterator[NDArray[np.void]]:
    while block := spool.read(_BATCH_ROWS * REQUEST_DTYPE.itemsize):
        yield np.frombuffer(block, REQUEST_DTYPE)


class RequestOrder:
    """Rows that wait for earlier ones to end."""

    def __init__(self) -> None:
        # Rows as words: numpy moves those several times as fast as records. Each batch is in order
        # of arrival, with its arrival times, and none is empty.
        self._batches: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []

    def add(self, rows: NDArray[np.void]) -> None:
        """Copy rows (``REQUEST_DTYPE``) in."""
        if len(rows):
            order = np.argsort(rows["arrival_ns"], kind="stable")
            self._batches.append((rows["arrival_ns"][order], _words(rows)[order]))

    def take_before(self, watermark_ns: int) -> NDArray[np.void]:
        """Rows that arrived before ``watermark_ns``, ordered by arrival and address."""
        ready: list[NDArray[np.int64]] = []
        waiting: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        for arrival_ns, words in self._batches:
            at = int(np.searchsorted(arrival_ns, watermark_ns))
            if at:
                ready.append(words[:at])
            if at < len(words):
                rest = words[at:]
                # A few rows must not keep the memory of their whole batch.
                whole = words if words.base is None else words.base
                waiting.append(
                    (arrival_ns[at:], rest.copy() if 2 * len(rest) < len(whole) else rest)
                )
        self._batches = waiting
        if not ready:
            return np.zeros(0, REQUEST_DTYPE)
        return _in_order(np.concatenate(ready))


def _words(rows: NDArray[np.void]) -> NDArray[np.int64]:
    return rows.view(np.int64).reshape(len(rows), -1)


def _in_order(words: NDArray[np.int64]) -> NDArray[np.void]:
    rows = words.view(REQUEST_DTYPE)[:, 0]
    arrival_ns = rows["arrival_ns"]
    order = np.argsort(arrival_ns, kind="stable")
    arrival_ns = arrival_ns[order]
    if np.any(arrival_ns[1:] == arrival_ns[:-1]):
        keys = [rows[name] for name in ("arrival_ns", *_ADDRESS)]
        order = np.lexsort(keys[::-1])
    return words[order].view(REQUEST_DTYPE)[:, 0]
