"""Everything that can go wrong in a command becomes a message and an exit code.

What the user can correct ends with exit code 2: each problem in a line of its own, with its file,
line and column as editors understand them, then what to do about it. With ``--json`` stdout
gets one object as well, ``{"apisim": "0.1.0", "errors": [...]}``, whose entries have the keys
``file``, ``line``, ``column``, ``path``, ``message`` and ``hint``; what is unknown is null. Only a
defect of the program ends with 1, and shows its traceback when ``--debug`` or ``$APISIM_DEBUG``
asks for it.
"""

import json
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import typer

from apisim import __version__
from apisim.cli.exits import ExitCode
from apisim.cli.streams import say, write_json
from apisim.scenario.problems import ApisimError, Problem, ScenarioError, TraceError, printable

__all__ = ["DEBUG", "guard"]

#: Environment variable that asks for tracebacks.
DEBUG: Final = "APISIM_DEBUG"

_NOWHERE: Final = {"file": None, "line": None, "column": None, "path": None}
_OPTIONS: Final = frozenset(
    {
        "--set", "--seed", "--replications", "--duration", "--profile",
        "--quantity", "--month-to-date", "--free-tier", "--over", "--subject-to", "--delta",
        "--choose",
        "--multiple", "--up-to", "--precision", "--reserve", "--hit-ratio",
    }
)  # fmt: skip


@contextmanager
def guard(*, as_json: bool = False, debug: bool = False) -> Iterator[None]:
    """Print what goes wrong and leave with the exit code for it.

    Parameters
    ----------
    as_json : bool
        Whether the problems are printed as JSON to stdout, too.
    debug : bool
        Whether the traceback of a defect is shown.

    Raises
    ------
    typer.Exit
        Whenever something goes wrong.
    """
    try:
        yield
    except typer.Exit:
        raise
    except ScenarioError as error:
        for problem in error.problems:
            _say_problem(problem)
        say(_count(error))
        _leave(ExitCode.BAD_INPUT, [_entry(problem) for problem in error.problems], as_json)
    except ApisimError as error:
        _refuse(str(error), as_json)
    except KeyboardInterrupt:
        say("interrupted")
        _leave(ExitCode.INTERRUPTED, [], as_json=False)
    except MemoryError:
        _refuse("there is not enough memory", as_json)
    except OSError as error:
        if debug or os.environ.get(DEBUG):
            say(traceback.format_exc())
        where = f"{error.filename}: " if error.filename is not None else ""
        _refuse(f"{where}{error.strerror or error}", as_json)
    except Exception as error:  # noqa: BLE001 - the last resort: nobody is shown a traceback
        if debug or os.environ.get(DEBUG):
            say(traceback.format_exc())
        _say_defect(error)
        _leave(ExitCode.DEFECT, [], as_json=False)


def _refuse(message: str, as_json: bool) -> None:
    say(f"error: {printable(message)}")
    _leave(ExitCode.BAD_INPUT, [{**_NOWHERE, "message": message, "hint": ""}], as_json)


def _leave(code: ExitCode, errors: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        document = {"apisim": __version__, "errors": errors}
        with suppress(ApisimError):  # stdout may be what went wrong
            write_json(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    raise typer.Exit(code) from None


def _say_problem(problem: Problem) -> None:
    # An option has no lines and columns, and often the name of the key it stands for.
    file = _from_here(problem.file)
    where = file if file in _OPTIONS else f"{file}:{problem.line}:{problem.column}"
    path = f"{problem.path}: " if problem.path and problem.file != f"--{problem.path}" else ""
    say(printable(f"{where}: {path}{problem.message}"))
    if problem.hint:
        say(f"    hint: {printable(problem.hint)}")


def _count(error: ScenarioError) -> str:
    n_problems = len(error.problems)
    words = f"{n_problems} problem{'' if n_problems == 1 else 's'}"
    if isinstance(error, TraceError):
        from apisim.traffic.trace import MAX_PROBLEMS

        if n_problems >= MAX_PROBLEMS:
            return f"{words}, perhaps not all"
    return words


def _from_here(file: str) -> str:
    """Name of a file as the user would write it here; a trace's is resolved before it is read."""
    path = Path(file)
    with suppress(OSError):  # the current directory may be gone
        if path.is_absolute() and path.is_relative_to(Path.cwd()):
            return str(path.relative_to(Path.cwd()))
    return file


def _entry(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path or None,
        "message": problem.message,
        "hint": problem.hint,
    }


def _say_defect(error: Exception) -> None:
    say(f"error: {type(error).__name__}: {printable(str(error))}")
    say("This is a defect of apisim, not of your input. Please report it with the scenario, the")
    say(f"command, the version ({__version__}) and what {DEBUG}=1 (or --debug) prints.")
