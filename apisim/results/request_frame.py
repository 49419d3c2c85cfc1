"""The rows of a request file as a frame."""

from pathlib import Path
from typing import TYPE_CHECKING

from apisim.results.frame_columns import columns_of_frame, typed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_requests"]


def read_requests(path: str | Path) -> "pd.DataFrame":
    """Rows that a run wrote to a request file, each an attempt, with the dtypes of the schema.

    Parameters
    ----------
    path : str or pathlib.Path
        A ``.csv`` or ``.parquet`` of ``apisim run --requests`` or ``apisim.run(requests=...)``.

    Returns
    -------
    pandas.DataFrame
        In the order of the file: by replication, time of arrival and address. Names are
        categories, times that a request does not have are ``<NA>``; see ``docs/frames.md``.

    Raises
    ------
    ValueError
        If it is no such file.
    OSError
        If it cannot be read.
    """
    import pandas as pd

    file = Path(path)
    columns = columns_of_frame("requests")
    # Only numbers can be missing: an API may be called "NA".
    words = [one.name for one in columns if one.kind in ("name", "text")]
    numbers = [one.name for one in columns if one.name not in words]
    try:
        if file.suffix == ".parquet":
            table = pd.read_parquet(file)
        else:
            table = pd.read_csv(
                file,
                dtype=dict.fromkeys(words, "str") | dict.fromkeys(numbers, "Int64"),
                keep_default_na=False,
                na_values={number: [""] for number in numbers},
            )
    except ValueError as error:  # pandas' and pyarrow's own are some
        raise _no_request_file(file, (str(error).splitlines() or ["nothing is in it"])[0]) from None
    missing = [one.name for one in columns if one.name not in table]
    if missing:
        raise _no_request_file(file, f"it has no column {missing[0]!r}")
    return typed(table, columns)


def _no_request_file(file: Path, reason: str) -> ValueError:
    hint = "`apisim run FILE --requests rows.csv` writes one"
    return ValueError(f"{file} is no request file: {reason} ({hint})")
