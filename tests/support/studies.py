"""Whole studies, as a user runs them: a scenario file, a request file, and nothing in between."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from apisim.studies import run
from tests.support.experiments import Data

__all__ = ["Columns", "request_columns", "request_columns_of_command"]


#: A request file by columns.
Columns = dict[str, list[str]]


def request_columns(data: Data, folder: Path, **options: Any) -> Columns:
    """The request file of ``apisim.run(file, requests=...)``."""
    scenario, requests = _files(data, folder)
    result = run(scenario, requests=requests, **options)
    columns = _read(requests)
    assert result.requests.total == len(columns["outcome"])
    return columns


def request_columns_of_command(data: Data, folder: Path) -> tuple[Columns, Data]:
    """The request file of ``apisim run FILE --requests ... --json``, and its answer."""
    scenario, requests = _files(data, folder)
    command = [sys.executable, "-m", "apisim", "run", str(scenario)]
    done = subprocess.run(
        [*command, "--requests", str(requests), "--json", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return _read(requests), json.loads(done.stdout)


def _files(data: Data, folder: Path) -> tuple[Path, Path]:
    scenario = folder / "scenario.yaml"
    scenario.write_text(json.dumps(data), encoding="utf-8")  # JSON is YAML
    return scenario, folder / "requests.csv"


def _read(file: Path) -> Columns:
    with file.open(encoding="utf-8", newline="") as lines:
        names, *rows = csv.reader(lines)
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
