"""Who takes the request rows of a run: the request file and the exports.

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
from apisim.results.exporter import RowPart
from apisim.results.exporting import ExportPaths, Exports
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
    """

    def __init__(self, file: RequestFile | None, exports: Exports) -> None:
        self._file = file
        self._exports = exports

    @classmethod
    @contextmanager
    def opened(
        cls,
        program: Program,
        requests: str | Path | None,
        exports: ExportPaths,
        *,
        is_parallel: bool,
    ) -> "Iterator[Streams]":
        """Files that are removed at the end, unless they were kept.

        Raises
        ------
        OutputError
            If one cannot be written.
        """
        file = None
        if requests is not None:
            file = RequestFile(requests, program, is_parallel=is_parallel)
        try:
            others = [] if file is None else [file.path]
            opened = Exports(exports, program, is_parallel=is_parallel, others=others)
            try:
                yield cls(file, opened)
            finally:
                opened.discard()
        finally:
            if file is not None:
                file.discard()

    @property
    def part(self) -> Callable[[int], RowPart] | None:
        """Makes what takes one replication's rows; None where nobody wants any."""
        if self._file is None and not self._exports.needs_rows:
            return None
        return self._part

    def _part(self, replication: int) -> RowPart:
        parts = self._exports.parts(replication)
        if self._file is not None:
            parts.append(self._file.part(replication))
        if len(parts) == 1:
            return parts[0]

        def take(rows: NDArray[np.void], watermark_ns: int) -> None:
            for part in parts:
                part(rows, watermark_ns)

        return take

    def finish_part(self, replication: int, *, completed: bool) -> list[str]:
        """A replication is over, and all before it are finished.

        Returns
        -------
        list of str
            What the reader should know about the files.
        """
        self._exports.finish_part(replication, completed=completed)
        if self._file is None:
            return []
        until_ns = self._file.finish_part(replication, completed=completed)
        if completed:
            return []
        return [
            f"{self._file.path} holds the requests of replication {replication} that arrived "
            f"before {Decimal(until_ns) / _SECOND_NS:f} s"
        ]

    def keep(self, result: Result) -> None:
        """Write what is missing, and give all files their names."""
        if self._file is not None:
            self._file.keep()
        self._exports.write(result)
