"""Overrides: ``--set path=value`` on the plain data of a scenario, before it is validated.

A path is dotted; list items are numbered from 0. Keys that contain dots or spaces are found because
at each step the longest existing key that fits is taken, so
``apis.users.routes.GET /users/{userId}.throttle.rate_limit=5`` means what it says. What does not
exist yet is made where the vocabulary has it; under a section of names (functions, apis, ...) a
name must exist, unless the value is its whole definition.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, Final

from apisim.scenario.positions import read_yaml
from apisim.scenario.problems import Path, Problem, ScenarioError, did_you_mean, dotted
from apisim.scenario.scenario import Scenario
from apisim.scenario.units import shown

__all__ = ["Override", "absolute_files", "apply", "parse_override"]

#: A path and the value to put there; None takes the key out.
Override = tuple[Path, Any]

#: Sections whose keys are names: a new one must come with its definition.
_NAMED: Final = ("apis", "authorizers", "functions", "endpoints", "senders", "traffic")
#: Places whose keys may contain anything: all that is left of a path is one key.
_OPEN: Final[tuple[Path, ...]] = (
    ("traffic", "*", "mix"),
    ("traffic", "*", "values"),
    ("traffic", "*", "missing"),
    ("pricing", "month_to_date"),
    ("thresholds",),
)
_ROUTE_KEYS: Final = (
    "integration",
    "authorizer",
    "throttle",
    "cache",
    "request_size",
    "response_size",
    "route_response",
    "validate",
)
#: Keys whose text is the name of a file.
_FILE_KEYS: Final = frozenset({"file", "samples", "schema"})
#: Keys of values that are JSON of the user's own: no file is named inside.
_JSON_KEYS: Final = frozenset({"json", "schema"})


class _Unknown(Exception):
    """A path that leads nowhere."""

    def __init__(self, path: Path, message: str, hint: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.hint = hint


def _fits(pattern: Path, path: Path) -> bool:
    return len(pattern) == len(path) and all(
        wanted in ("*", part) for wanted, part in zip(pattern, path, strict=True)
    )


def _next_key(here: Any, at: Path, rest: str, is_definition: bool) -> tuple[str | int, str]:
    """The next step of a path and what is left after it."""
    if isinstance(here, list):
        written, _, left = rest.partition(".")
        if not (written.isascii() and written.isdigit()) or int(written[:10]) >= len(here):
            hint = f"items are numbered 0 to {len(here) - 1}" if here else "the list is empty"
            raise _Unknown((*at, written), f"there is no item {shown(written)}", hint)
        return int(written), left
    if not isinstance(here, dict):
        written = rest.partition(".")[0]
        raise _Unknown((*at, written), "unknown path", f"{dotted(at)} is {shown(here)}")
    fitting = [key for key in here if rest == key or rest.startswith(f"{key}.")]
    if fitting:
        key = max(fitting, key=len)
        return key, rest[len(key) + 1 :]
    if any(_fits(pattern, at) for pattern in _OPEN):
        return rest, ""
    if _fits(("apis", "*", "routes"), at):
        return _new_route(here, at, rest, is_definition)
    key, _, left = rest.partition(".")
    if at == ():
        if key not in Scenario.key_names() and key not in Scenario.LATER:
            raise _Unknown((key,), "unknown path", did_you_mean(key, Scenario.key_names()))
    elif at[0] in _NAMED and len(at) == 1 and (left or not is_definition):
        hint = did_you_mean(key, here) or f"define it under {at[0]}:"
        raise _Unknown((*at, key), f"unknown path: {shown(key)} is not defined", hint)
    return key, left


def _new_route(
    here: Mapping[str, Any], at: Path, rest: str, is_definition: bool
) -> tuple[str, str]:
    ends = [rest.find(f".{key}") for key in _ROUTE_KEYS]
    end = min((found for found in ends if found >= 0), default=len(rest))
    if end == len(rest) and is_definition:
        return rest, ""
    hint = did_you_mean(rest[:end], here)
    raise _Unknown((*at, rest[:end]), f"unknown path: no route {shown(rest[:end])}", hint)


def _walk(data: dict[str, Any], written: str, is_definition: bool) -> Path:
    """Path of a dotted text in the data as it is."""
    at: Path = ()
    here: Any = data
    rest = written.strip()
    while rest:
        key, rest = _next_key(here, at, rest, is_definition)
        at = (*at, key)
        if isinstance(here, dict):
            here = here.get(str(key), {})
        else:
            here = here[key]
    if not at:
        raise _Unknown((), "the path is empty", "write path=value")
    return at


def _first_missing(data: Any, path: Path) -> Path:
    """Shortest beginning of a path that does not exist yet; the path itself when all of it does."""
    here: Any = data
    for length, part in enumerate(path, 1):
        if isinstance(here, dict) and part not in here:
            return path[:length]
        here = here[part]
    return path


def _put(data: dict[str, Any], path: Path, value: Any) -> None:
    here: Any = data
    for part in path[:-1]:
        if isinstance(here, dict):
            here = here.setdefault(part, {})
        else:
            here = here[part]
    key: Any = path[-1]
    if value is not None:
        here[key] = value
    elif isinstance(here, list):
        del here[key]
    else:
        here.pop(key, None)


def _splits(text: str) -> Iterator[tuple[str, str]]:
    """Ways to read ``path=value``, the shortest path first; a path may itself contain ``=``."""
    at = text.find("=")
    while at >= 0:
        yield text[:at], text[at + 1 :]
        at = text.find("=", at + 1)


def parse_override(data: dict[str, Any], text: str, place: tuple[str, int, int]) -> Override:
    """Path and value of a text ``path=value``.

    Parameters
    ----------
    data : dict
        The scenario as it is so far.
    text : str
        What stands after ``--set``.
    place : tuple of (str, int, int)
        Position used in problems, e.g. ``("--set", 1, 1)``.

    Raises
    ------
    ScenarioError
        If there is no such path, or the value is not YAML.
    """
    file, line, column = place
    first: _Unknown | None = None
    for written, value_text in _splits(text):
        try:
            value = read_yaml(value_text, file).data
        except ScenarioError as error:
            reasons = [f"{shown(value_text)}: {one.message}" for one in error.problems]
            problems = [Problem(file, line, column, written, reason) for reason in reasons]
            raise ScenarioError(problems) from None
        try:
            path = _walk(data, written, isinstance(value, dict))
        except _Unknown as unknown:
            first = first or unknown
            continue
        if value is None and value_text.strip() == "":
            hint = "write null to take the key out"
            problem = Problem(file, line, column, dotted(path), "has no value", hint)
            raise ScenarioError([problem])
        return path, value
    if first is None:
        first = _Unknown((), f"{shown(text)} is not path=value", "write e.g. seed=7")
    problem = Problem(file, line, column, dotted(first.path), first.message, first.hint)
    raise ScenarioError([problem])


def apply(
    data: dict[str, Any],
    texts: Sequence[str],
    values: Mapping[str, Any],
    *,
    label: str,
    base: FilePath,
) -> tuple[dict[str, Any], dict[Path, tuple[str, int, int]], list[Problem]]:
    """Apply overrides to a copy of the data, one after the other.

    Parameters
    ----------
    data : dict
        Plain data of the scenario.
    texts : sequence of str
        ``path=value`` each.
    values : mapping
        Plain values by dotted path.
    label : str
        What stands for the file in problems: ``--set``; the line is the number of the override.
    base : pathlib.Path
        Directory relative file names in the values start from.

    Returns
    -------
    data : dict
        Changed copy.
    places : dict
        Position of each changed path.
    problems : list of Problem
        Overrides that could not be applied.
    """
    changed = copy.deepcopy(data)
    places: dict[Path, tuple[str, int, int]] = {}
    problems: list[Problem] = []
    for line, item in enumerate([*texts, *values.items()], 1):
        place = (label, line, 1)
        try:
            if isinstance(item, str):
                path, value = parse_override(changed, item, place)
            else:
                path, value = _walk(changed, item[0], isinstance(item[1], dict)), item[1]
        except ScenarioError as error:
            problems += error.problems
            continue
        except _Unknown as unknown:
            problems.append(Problem(*place, dotted(unknown.path), unknown.message, unknown.hint))
            continue
        made = _first_missing(changed, path)
        _put(changed, path, absolute_files(copy.deepcopy(value), base, path))
        # What was changed beneath this path before is gone.
        places = {old: at for old, at in places.items() if old[: len(path)] != path}
        places[path] = places[made] = place
    return changed, places, problems


def absolute_files(value: Any, base: FilePath, path: Path = ()) -> Any:
    """Plain data with the names of files made absolute.

    Parameters
    ----------
    value : object
        Data at ``path``.
    base : pathlib.Path
        Directory relative names start from.
    path : Path
        Where the value stands in the scenario.
    """
    if isinstance(value, dict) and len(path) > 5 and path[-1] in _JSON_KEYS:
        return value
    if isinstance(value, dict):
        return {key: absolute_files(item, base, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [absolute_files(item, base, (*path, index)) for index, item in enumerate(value)]
    is_file = path[-1:] and path[-1] in _FILE_KEYS and len(path) > 2
    is_book = path == ("pricing", "book") and str(value).endswith((".yaml", ".yml", ".json"))
    if isinstance(value, str) and value and "\0" not in value and (is_file or is_book):
        return str((base / value).absolute())
    return value
