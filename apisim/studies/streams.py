"""Who takes the request rows of a run: the request file, the exports, the alarms.

Rows are kept by the engine only where somebody takes them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.program import Program
from apisim.results.alarms import AlarmHistory, AlarmWatch
from apisim.results.exporter import RowPart
from apisim.results.exporting import ExportPaths, Exports
from apisim.results.metric_series import MetricTables
from apisim.results.requests import RequestFile
from apisim.results.result import Result

__all__ = ["Streams"]

_SECOND_NS: Final = 1_000_000_000


class Streams:
    """The files of a run that are written while it runs.

    Parameters
    ----------
    file : RequestFile or None
        The request file.
    exports : Exports
        The others.
    alarms : MetricTables or None
        What is counted where, where there are alarms.
    """

    def __init__(
        self,
        program: Program,
        file: RequestFile | None,
        exports: Exports,
        alarms: MetricTables | None,
    ) -> None:
        self._program = program
        self._file = file
        self._exports = exports
        self._tables = alarms
        self._watches: dict[int, AlarmWatch] = {}
        self.alarms: list[AlarmHistory] = []

    @classmethod
    @contextmanager
    def opened(
        cls,
        program: Program,
        requests: str | Path | None,
        exports: ExportPaths,
        *,
        is_parallel: bool,
        is_strict: bool = False,
        has_alarms: bool = True,
    ) -> "Iterator[Streams]":
        """Files that are removed at the end, unless they were kept.

        Parameters
        ----------
        program : Program
            What is run.
        requests : str or pathlib.Path, optional
            Path of the request file.
        exports : mapping of str to path or paths
            Paths of the others by kind.
        is_parallel : bool
            Whether several replications run at the same time.
        is_strict : bool
            Whether an inconclusive threshold is a failure in the exports.
        has_alarms : bool
            Whether the alarms of the scenario are evaluated.

        Raises
        ------
        OutputError
            If one cannot be written.
        """
        file = None
        if requests is not None:
            file = RequestFile(requests, program, is_parallel=is_parallel)
        try:
            is_watched = has_alarms and program.scenario.alarms
            tables = MetricTables(program) if is_watched else None
            others = [] if file is None else [file.path]
            opened = Exports(
                exports, program, is_parallel=is_parallel, is_strict=is_strict, others=others
            )
            try:
                yield cls(program, file, opened, tables)
            finally:
                opened.discard()
        finally:
            if file is not None:
                file.discard()

    @property
    def part(self) -> Callable[[int], RowPart] | None:
        """Makes what takes one replication's rows; None where nobody wants any."""
        if self._file is None and self._tables is None and not self._exports.needs_rows:
            return None
        return self._part

    def _part(self, replication: int) -> RowPart:
        parts = self._exports.parts(replication)
        if self._file is not None:
            parts.append(self._file.part(replication))
        if self._tables is not None:
            self._watches[replication] = AlarmWatch(self._program, self._tables, replication)
            parts.append(self._watches[replication].metrics)
        if len(parts) == 1:
            return parts[0]

        def take(rows: NDArray[np.void], watermark_ns: int) -> None:
            for part in parts:
                part(rows, watermark_ns)

        return take

    def finish_part(self, replication: int, *, completed: bool, end_ns: int) -> list[str]:
        """A replication is over, and all before it are finished.

        Parameters
        ----------
        replication : int
            Its number.
        completed : bool
            False if it was interrupted.
        end_ns : int
            When it ended [ns].

        Returns
        -------
        list of str
            What the reader should know about the files.
        """
        self._exports.finish_part(replication, completed=completed)
        if self._tables is not None:
            watch = self._watches.pop(replication)
            self.alarms += watch.finish(completed=completed, end_ns=end_ns)
        if self._file is None:
            return []
        until_ns = self._file.finish_part(replication, completed=completed)
        if completed:
            return []
        return [
            f"{self._file.path} holds the requests of replication {replication} that arrived "
            f"before {Decimal(until_ns) / _SECOND_NS:f} s"
        ]

    @property
    def has_exports(self) -> bool:
        """Whether files in the forms of other programs are written."""
        return bool(self._exports)

    def keep(self, result: Result) -> None:
        """Write what is missing, and give all files their names."""
        if self._file is not None:
            self._file.keep()
        self._exports.write(result)
