"""What becomes a file in the form of another program: the contract of an export.

An export is opened before the first event, so that whatever is wrong with its path is told before
the simulation and not after it. It may take request rows while they arise, in memory bounded by
what is in flight, and it may take the finished result. Its file appears whole, or not at all.

The calls, in order: :meth:`RowExport.part` once for each replication (from the thread that
simulates it, perhaps several at a time); the part with rows, again and again;
:meth:`RowExport.finish_part` for each replication in order; :meth:`Export.write` with the result;
always :meth:`Export.discard`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from apisim.engine.program import Program
from apisim.results.atomic import PendingFile, as_output_error
from apisim.results.result import Result

__all__ = ["INTERRUPTED", "Export", "ExportKind", "RowExport", "RowPart"]

#: What a file of an interrupted run says where its form has room for it.
INTERRUPTED: Final = "the run was interrupted: all numbers are of a part of it"

#: Takes rows (``REQUEST_DTYPE``, to be copied) in the order in which requests end, and the arrival
#: time [ns] below which no more will come; that is ``traffic.arrivals.NEVER`` with the last ones.
RowPart: TypeAlias = Callable[[NDArray[np.void], int], None]


class Export(ABC):
    """One file under construction.

    Parameters
    ----------
    path : pathlib.Path
        Its name, with one of the endings of its kind.
    program : Program
        What is run, with all names.
    is_parallel : bool
        Whether several replications run at the same time.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """

    def __init__(self, path: Path, program: Program, *, is_parallel: bool = False) -> None:
        self.path = path
        self.program = program
        self.is_parallel = is_parallel
        self.is_strict = False  # whether a threshold that is inconclusive fails, too
        self.file = PendingFile(path)

    @abstractmethod
    def write(self, result: Result) -> None:
        """Everything is known: write what is missing and give the file its name."""

    def discard(self) -> None:
        """Remove what was written; does nothing after :meth:`write`."""
        self.file.discard()

    def write_text(self, text: str) -> None:
        """Append UTF-8 text."""
        with as_output_error(self.path):
            self.file.stream.write(text.encode(errors="backslashreplace"))


class RowExport(Export):
    """One that takes request rows; without any, and without ``--requests``, none are kept."""

    @abstractmethod
    def part(self, replication: int) -> RowPart:
        """What takes one replication's rows."""

    @abstractmethod
    def finish_part(self, replication: int, *, completed: bool) -> None:
        """A replication is over, and all before it are finished.

        Parameters
        ----------
        replication : int
            Its number.
        completed : bool
            False if it was interrupted: requests that had not ended then never came.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportKind:
    """One form of file.

    Attributes
    ----------
    name : str
        As ``--export NAME=PATH`` says it.
    endings : sequence of str
        What its paths may end in: ``.json``.
    description : str
        What it is, in a few words.
    opens : callable
        Makes an :class:`Export` from ``(path, program, is_parallel=...)``.
    """

    name: str
    endings: Sequence[str]
    description: str
    opens: Callable[..., Export]
