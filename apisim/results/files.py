"""The files of ``--out DIR``: the result as JSON, its tables, and the scenario as resolved."""

import json
from pathlib import Path
from typing import Any, Final

from apisim.results.atomic import as_output_error, refuse_input, write_text
from apisim.results.bill_rows import rows_to_csv
from apisim.results.exports import EXPORTS, bill_exports
from apisim.results.result import Result
from apisim.results.tables import columns_of, rows_of

__all__ = ["to_json", "write_files"]

#: Tables that are written, each to a file of its name.
_TABLES: Final = ("series", "routes", "bill", "costs")
#: Tables that are written where they have rows.
_TABLES_IF_ANY: Final = (
    "customers", "usage", "websockets", "pushes", "alarms", "latency_series", "bucket_series",
    "function_series", "endpoint_series", "cache_series",
)  # fmt: skip


def to_json(result: Result) -> str:
    """The object that ``--json`` prints, ended by a line feed; not-a-numbers are null."""
    return _as_json(result.to_dict())


def _as_json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_files(result: Result, directory: str | Path) -> tuple[Path, ...]:
    """Write ``result.json``, four tables (series, routes, bill, costs) and ``scenario.yaml``.

    ``focus.csv`` has the run's bill in the columns of FOCUS 1.2; where a month is projected,
    ``focus-month.csv`` has the month's, and ``infracost-usage.yml`` what is used in it.
    Where there are customers ``customers.csv`` comes with them, where there are API keys
    ``usage.csv``, where there are WebSocket APIs ``websockets.csv``, ``pushes.csv`` where something
    is pushed, and ``alarms.csv`` where there are alarms. What happened inside over time is in
    ``latency_series.csv``, ``bucket_series.csv``, ``function_series.csv``,
    ``endpoint_series.csv`` and ``cache_series.csv``, of what the scenario has. Those of these files
    that an earlier run left there, and this one does not write, are removed.

    Parameters
    ----------
    result : Result
    directory : str or pathlib.Path
        Made if it is missing. Each file is there whole or not at all.

    Returns
    -------
    tuple of pathlib.Path
        The files, in that order.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    directory = Path(directory)
    with as_output_error(directory):
        directory.mkdir(parents=True, exist_ok=True)
    texts = {"result.json": ""}  # has the names of all files
    for name in (*_TABLES, *_TABLES_IF_ANY):
        rows = rows_of(result, name)
        if rows or name in _TABLES:
            texts[f"{name}.csv"] = rows_to_csv(columns_of(name, rows), rows)
    texts |= bill_exports(result)
    texts["scenario.yaml"] = result.scenario.to_yaml()
    texts["result.json"] = _as_json(result.to_dict() | {"files": list(texts)})
    # What an earlier run wrote there is not about this one; what somebody else did stays.
    old = _written(directory) - set(texts)
    for name in {*texts, *old}:
        refuse_input(directory / name, result.scenario)
    for name, text in texts.items():
        write_text(directory / name, text)
    with as_output_error(directory):
        for name in old:
            (directory / name).unlink(missing_ok=True)
    return tuple(directory / name for name in texts)


def _written(directory: Path) -> set[str]:
    """Files of this kind that a ``result.json`` there says a run has written with it."""
    try:
        document = json.loads((directory / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    files = document.get("files", []) if isinstance(document, dict) else []
    known = {*(f"{name}.csv" for name in (*_TABLES, *_TABLES_IF_ANY)), *EXPORTS}
    return {name for name in files if isinstance(name, str)} & known
