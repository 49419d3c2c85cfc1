"""A run again from the files that it left: ``apisim report DIR``.

A folder of ``run --out`` has the scenario as resolved and the digest of the run. The report is made
from the same run, simulated once more: its figures need more than the files hold, and an equal
digest says that every request is the same.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apisim.results.result import Result
from apisim.scenario.problems import ApisimError
from apisim.studies import Progress, run

__all__ = ["RunFolderError", "run_of"]


class RunFolderError(ApisimError):
    """A folder is not that of a run, or of none that can be repeated."""


def run_of(
    folder: str | Path,
    *,
    workers: int = 1,
    skip_bad_rows: bool = False,
    progress: Callable[[Progress], None] | None = None,
    compiling: Callable[[], None] | None = None,
) -> Result:
    """Repeat the run whose files are in a folder.

    Parameters
    ----------
    folder : str or pathlib.Path
        Where ``run --out`` wrote ``result.json`` and ``scenario.yaml``.
    workers, skip_bad_rows, progress, compiling
        As :func:`apisim.run`.

    Raises
    ------
    RunFolderError
        If the files are not those of a run, if it was interrupted, or if it comes out differently.
    ScenarioError, PricingError, CapacityError
        As :func:`apisim.run`.
    """
    folder = Path(folder)
    document = _document(folder / "result.json")
    scenario = folder / "scenario.yaml"
    if not scenario.is_file():
        raise RunFolderError(f"{folder} has no scenario.yaml, which run --out writes")
    try:
        then = document["run"]
        digest, engine, duration = then["digest"], then["engine"], then.get("duration")
        version, completed = document["apisim"], then["completed"]
    except (KeyError, TypeError):
        raise RunFolderError(f"{folder / 'result.json'} is not a result of apisim run") from None
    if not completed:
        message = f"{folder}: the run was interrupted; its numbers cannot be made again"
        raise RunFolderError(f"{message}: run it whole, or report the scenario itself")
    result = run(
        scenario,
        engine="simpy" if engine == "simpy" else "auto",
        duration=duration,
        workers=workers,
        skip_bad_rows=skip_bad_rows,
        progress=progress,
        compiling=compiling,
    )
    if result.completed and result.run_info.digest != digest:
        message = f"{folder} has the digest {digest} of apisim {version}"
        hint = "run it again with --out; code of your own (extend) is not in the folder"
        raise RunFolderError(
            f"{message}, this run has {result.run_info.digest}: it is another run; {hint}"
        )
    return result


def _document(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or error
        raise RunFolderError(f"{file} cannot be read ({reason}); run --out writes it") from None
    except ValueError as error:
        raise RunFolderError(f"{file} is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise RunFolderError(f"{file} is not a result of apisim run")
    return document
