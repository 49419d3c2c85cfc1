"""The export ``frame``: one of the result's frames as Parquet or CSV.

The file's name says which: ``--export frame=series.parquet`` is ``result.frame("series")``, see
:mod:`apisim.results.tables`. Parquet keeps the types of its columns; in CSV numbers have as many
digits as tell them apart.
"""

import importlib.util
from pathlib import Path
from typing import Final

from apisim.engine.program import Program
from apisim.results.atomic import OutputError, as_output_error
from apisim.results.exporter import Export, ExportKind
from apisim.results.result import Result
from apisim.results.tables import TABLES
from apisim.scenario.problems import did_you_mean

__all__ = ["FRAME", "FrameFile"]


class FrameFile(Export):
    """A frame in a file of its name.

    Raises
    ------
    OutputError
        If there is no such frame, or pyarrow is missing for Parquet.
    """

    def __init__(self, path: Path, program: Program, *, is_parallel: bool = False) -> None:
        if path.stem not in TABLES:
            hint = did_you_mean(path.stem, TABLES, may_list=False) or f"one of {', '.join(TABLES)}"
            raise OutputError(f"{path}: there is no frame {path.stem!r} ({hint})")
        if path.suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
            raise OutputError(
                f"{path}: Parquet needs pyarrow: install apisim[parquet], or write to a .csv file"
            )
        super().__init__(path, program, is_parallel=is_parallel)

    def write(self, result: Result) -> None:
        """Write the frame."""
        found = result.frame(self.path.stem)
        with as_output_error(self.path):
            if self.path.suffix == ".parquet":
                found.to_parquet(self.file.stream, engine="pyarrow", index=False)
            else:
                found.to_csv(self.file.stream, index=False, lineterminator="\n")
        self.file.keep()


FRAME: Final = ExportKind(
    name="frame",
    endings=(".parquet", ".csv"),
    description="the frame that the file is named after",
    opens=FrameFile,
)
