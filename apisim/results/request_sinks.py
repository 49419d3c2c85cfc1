"""Where request rows go: a CSV file or a Parquet file."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from apisim.results.atomic import OutputError, PendingFile, as_output_error
from apisim.results.csv_rows import NAME, NUMBER_OR_NOTHING, PART, RowFormat
from apisim.results.request_columns import (
    COLUMNS,
    NAME_COLUMNS,
    OPTIONAL_COLUMNS,
    RequestColumns,
)

__all__ = ["RequestSink", "open_sink"]

#: Rows of a group in a Parquet file: what a reader takes at once.
_GROUP_ROWS: Final = 1 << 18


class RequestSink(ABC):
    """A file of request rows under construction."""

    def __init__(self, path: Path, columns: RequestColumns) -> None:
        self.columns = columns
        self.file = PendingFile(path)

    @abstractmethod
    def write(self, rows: NDArray[np.void], replication: int) -> None:
        """Append rows of one replication (``REQUEST_DTYPE``), in order."""

    def keep(self) -> None:
        """All rows are there: give the file its name."""
        self.file.keep()

    def discard(self) -> None:
        """Remove what was written."""
        self.file.discard()


def open_sink(path: Path, columns: RequestColumns) -> RequestSink:
    """Sink for a file, by its suffix.

    Raises
    ------
    OutputError
        If the suffix is neither ``.csv`` nor ``.parquet``, the file cannot be created, or pyarrow
        is needed and not installed.
    """
    if path.suffix == ".csv":
        return CsvSink(path, columns)
    if path.suffix == ".parquet":
        return ParquetSink(path, columns)
    raise OutputError(f"{path}: requests are written to a file ending in .csv or .parquet")


class CsvSink(RequestSink):
    """Comma-separated values: UTF-8, a header, line feeds, quotes where they are needed."""

    def __init__(self, path: Path, columns: RequestColumns) -> None:
        super().__init__(path, columns)
        self._layout = list(_layout())
        texts: list[str] = []
        self._first_name: dict[str, int] = {}
        for column, names in columns.names.items():
            self._first_name[column] = len(texts)
            texts += names
        separators = [separator for _, _, separator in self._layout[:-1]]
        self._format = RowFormat([kind for _, kind, _ in self._layout], separators, texts)
        with as_output_error(path):
            self.file.stream.write(",".join(COLUMNS).encode() + b"\n")

    def write(self, rows: NDArray[np.void], replication: int) -> None:
        """Append rows of one replication, in order."""
        columns = self.columns.arrays(rows, replication)
        for name, first in self._first_name.items():
            position = columns[name]
            columns[name] = np.where(position >= 0, position + first, -1)
        with as_output_error(self.file.path):
            for lines in self._format.lines([columns[name] for name, _, _ in self._layout]):
                self.file.stream.write(lines)


def _layout() -> list[tuple[str, int, str]]:
    """Columns with their kinds and what follows them; some fields are made of several."""
    layout: list[tuple[str, int, str]] = []
    for name in COLUMNS:
        if name == "request_id":
            layout.append(("source", NAME, "/"))
            layout += [("user", NUMBER_OR_NOTHING, "/"), ("ordinal", NUMBER_OR_NOTHING, "/")]
            layout.append(("attempt", NUMBER_OR_NOTHING, ","))
        elif name == "client":
            layout += [("client", NAME, ""), ("client_user", PART, ",")]
        else:
            layout.append((name, NAME if name in NAME_COLUMNS else NUMBER_OR_NOTHING, ","))
    return layout


class ParquetSink(RequestSink):
    """Parquet: names are dictionary-encoded strings, numbers int64, missing times null."""

    def __init__(self, path: Path, columns: RequestColumns) -> None:
        try:
            import pyarrow.parquet  # type: ignore[import-untyped]
        except ImportError:
            raise OutputError(
                f"{path}: Parquet needs pyarrow: install apisim[parquet], or write to a .csv file"
            ) from None
        super().__init__(path, columns)
        self._arrow: Any = pyarrow
        names = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
        schema = pyarrow.schema(
            [
                (name, names if name in NAME_COLUMNS else pyarrow.int64())
                if name not in {"request_id", "client"}
                else (name, pyarrow.string())
                for name in COLUMNS
            ]
        )
        self._texts = {
            name: pyarrow.array(list(texts), pyarrow.string())
            for name, texts in columns.names.items()
        }
        self._writer = pyarrow.parquet.ParquetWriter(self.file.stream, schema)
        self._waiting: list[Any] = []
        self._n_waiting = 0
        self._schema = schema

    def write(self, rows: NDArray[np.void], replication: int) -> None:
        """Append rows of one replication, in order."""
        self._waiting.append(self._table(self.columns.arrays(rows, replication)))
        self._n_waiting += len(rows)
        if self._n_waiting >= _GROUP_ROWS:
            self._write_group()

    def keep(self) -> None:
        """All rows are there: give the file its name."""
        self._write_group()
        with as_output_error(self.file.path):
            self._writer.close()
        super().keep()

    def _write_group(self) -> None:
        if self._waiting:
            with as_output_error(self.file.path):
                self._writer.write_table(self._arrow.concat_tables(self._waiting))
        self._waiting, self._n_waiting = [], 0

    def _table(self, columns: dict[str, NDArray[np.int64]]) -> Any:
        arrays = []
        for name in COLUMNS:
            if name == "request_id":
                arrays.append(self._request_id(columns))
            elif name == "client":
                arrays.append(self._client(columns))
            elif name in NAME_COLUMNS:
                arrays.append(self._names(name, columns[name]))
            else:
                absent = columns[name] < 0 if name in OPTIONAL_COLUMNS else None
                arrays.append(self._arrow.array(columns[name], mask=absent))
        return self._arrow.Table.from_arrays(arrays, schema=self._schema)

    def _names(self, name: str, positions: NDArray[np.int64]) -> Any:
        indices = self._arrow.array(positions.astype(np.int32), mask=positions < 0)
        return self._arrow.DictionaryArray.from_arrays(indices, self._texts[name])

    def _texts_of(self, name: str, positions: NDArray[np.int64]) -> Any:
        return self._names(name, positions).cast(self._arrow.string())

    def _request_id(self, columns: dict[str, NDArray[np.int64]]) -> Any:
        compute = self._compute
        text = self._arrow.string()
        numbers = [columns[name] for name in ("user", "ordinal", "attempt")]
        parts = [self._texts_of("source", columns["source"])]
        parts += [self._arrow.array(number).cast(text) for number in numbers]
        return compute.binary_join_element_wise(*parts, "/")

    def _client(self, columns: dict[str, NDArray[np.int64]]) -> Any:
        compute = self._compute
        client = compute.fill_null(self._texts_of("client", columns["client"]), "")
        user = columns["client_user"]
        if not (user >= 0).any():
            return client
        numbers = self._arrow.array(user).cast(self._arrow.string())
        named = compute.binary_join_element_wise(client, numbers, "/")
        return compute.if_else(self._arrow.array(user >= 0), named, client)

    @property
    def _compute(self) -> Any:
        import pyarrow.compute  # type: ignore[import-untyped]

        return pyarrow.compute
