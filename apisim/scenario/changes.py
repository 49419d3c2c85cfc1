"""What the timeline makes of a scenario: the scenario as it is from each of its times on.

A value that is set holds until the same path is set again or, with ``for:``, for that long; then
what was before is back. One path cannot be set while another entry holds it for a while: which of
the two would end first is nothing a reader should have to work out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, Final

from apisim.scenario.formats import format_duration
from apisim.scenario.model import Finding
from apisim.scenario.overrides import apply
from apisim.scenario.positions import Positions
from apisim.scenario.problems import Path, Problem, dotted
from apisim.scenario.scenario import Scenario

__all__ = ["Change", "State", "later_states"]

#: What may be set, by the key at the root.
_ROOTS: Final = (
    "account",
    "apis",
    "authorizers",
    "functions",
    "endpoints",
    "services",
    "usage_plans",
    "api_keys",
    "settings",
)
#: What only the bill knows, which knows one value of each for the whole run.
_BILLED: Final = (
    "memory", "architecture", "price", "provisioned_concurrency",
    "transitions", "execution_duration", "execution_memory", "rule_evaluations", "mode",
    "requests_per_connection",
    "logs", "log_size", "log_retention",
)  # fmt: skip
#: Likewise, of a stage.
_BILLED_STAGE: Final = ("detailed_metrics", "access_log", "execution_log", "log_retention")
#: Likewise, where a stream is paid by what is written.
_BY_SIZE: Final = {"on_demand": ("item_size",)}
#: Makes a scenario of plain data, with the places of what was changed; or says what is wrong.
Build = Callable[[dict[str, Any], dict[Path, tuple[str, int, int]]], Scenario | list[Finding]]


@dataclass(frozen=True, slots=True)
class Change:
    """One value that is set.

    Attributes
    ----------
    at_ns : int
        From when on [ns].
    until_ns : int or None
        When it is taken back [ns]; None: never.
    written : str
        The path as it is written.
    path : Path
        The path in the scenario.
    value : object
        The new value, plain.
    place : Path
        Where it is written.
    """

    at_ns: int
    until_ns: int | None
    written: str
    path: Path
    value: Any
    place: Path

    def holds_at(self, time_ns: int) -> bool:
        """Whether it has come and has not been taken back."""
        return self.at_ns <= time_ns and (self.until_ns is None or time_ns < self.until_ns)


@dataclass(frozen=True, slots=True)
class State:
    """The scenario from one time on.

    Attributes
    ----------
    at_ns : int
        From when on [ns].
    scenario : Scenario
        What holds then; nothing is set in its timeline.
    begun, ended : tuple of Change
        What makes it so.
    """

    at_ns: int
    scenario: Scenario
    begun: tuple[Change, ...]
    ended: tuple[Change, ...]


def later_states(
    scenario: Scenario,
    data: dict[str, Any],
    positions: Positions,
    base: FilePath,
    build: Build,
) -> tuple[tuple[State, ...], list[Problem]]:
    """The states after the first, in order of time.

    Parameters
    ----------
    scenario : Scenario
        A good one.
    data : dict
        What it was made of.
    positions : Positions
        Where its values are written.
    base : pathlib.Path
        Directory relative file names start from.
    build : callable
        Makes the scenario of a state.

    Returns
    -------
    states : tuple of State
    problems : list of Problem
        All that is wrong, at its entry of the timeline.
    """
    changes, problems = _read(scenario, data, positions, base)
    problems += [
        positions.problem(change.place, *message) for change, message in _overlaps(changes)
    ]
    if problems or not changes:
        return (), problems
    times = {change.at_ns for change in changes}
    times |= {change.until_ns for change in changes if change.until_ns is not None}
    entries = [entry for entry in data["timeline"] if "set" not in entry]
    plain = {**data, "timeline": entries}
    known: dict[tuple[Path, ...], Scenario] = {}
    states = []
    for at_ns in sorted(times):
        holding = _not_replaced(
            sorted(
                (change for change in changes if change.holds_at(at_ns)),
                key=lambda change: change.at_ns,
            )
        )
        key = tuple(change.place for change in holding)
        if key not in known:
            changed, places = _lay_over(plain, holding, positions, base)
            built = build(changed, places)
            if isinstance(built, Scenario):
                built = _billed_otherwise(scenario, built) or built
            if isinstance(built, list):
                newest = max(holding, key=lambda change: change.at_ns)
                found = [_as_problem(one, newest, positions, places) for one in built]
                problems += [one for one in found if one not in problems]
                continue
            known[key] = built
        begun = tuple(change for change in changes if change.at_ns == at_ns)
        ended = tuple(change for change in changes if change.until_ns == at_ns)
        states.append(State(at_ns, known[key], begun, ended))
    return tuple(states), problems


def _read(
    scenario: Scenario, data: dict[str, Any], positions: Positions, base: FilePath
) -> tuple[list[Change], list[Problem]]:
    """All that is set, in the order written."""
    changes: list[Change] = []
    problems: list[Problem] = []
    for index, entry in enumerate(scenario.timeline):
        at_ns = scenario.when(entry) if entry.set_ else 0
        until_ns = None if entry.for_ is None else at_ns + entry.for_
        for written, value in (entry.set_ or {}).items():
            place: Path = ("timeline", index, "set", written)
            _, places, wrong = apply(data, [], {written: value}, label="", base=base)
            if wrong:
                problems += [positions.problem(place, one.message, one.hint) for one in wrong]
                continue
            path = max(places, key=len)
            refused = _refusal(path)
            if refused is not None:
                problems.append(positions.problem(place, *refused))
                continue
            changes.append(Change(at_ns, until_ns, written, path, value, place))
    return changes, problems


def _refusal(path: Path) -> tuple[str, str] | None:
    """Why a path cannot be set while the scenario runs, and what to do instead."""
    if path[-1] in _BILLED and len(path) == 3:
        return _not_now(path[-1])
    if path[0] == "apis" and (of_stage := [key for key in path if key in _BILLED_STAGE]):
        return _not_now(of_stage[0])
    if path[0] in _ROOTS or (path[0] == "traffic" and path[2:3] == ("network",)):
        return None
    if path[0] == "traffic":
        return "calls are changed by phases, not by the timeline", "write another phase"
    return f"{path[0]} does not change while it runs", f"write one of {', '.join(_ROOTS)}"


def _not_now(key: str | int) -> tuple[str, str]:
    return f"{key} does not change while it runs", "compare two runs"


def _billed_otherwise(first: Scenario, changed: Scenario) -> list[Finding]:
    """What only the bill knows and a definition set as a whole changes, also by leaving it out."""
    found = [
        Finding((section, name, key), *_not_now(key))
        for section in ("functions", "usage_plans", "services", "endpoints")
        for name, thing in getattr(changed, section).items()
        for key in (*_BILLED, *_BY_SIZE.get(getattr(thing, "mode", ""), ()))
        if name in getattr(first, section)
        and getattr(thing, key, None) != getattr(getattr(first, section)[name], key, None)
    ]
    found += [
        Finding(("apis", name, "stage", key), *_not_now(key))
        for name, api in changed.apis.items()
        for key in _BILLED_STAGE
        if name in first.apis and getattr(api.stage, key) != getattr(first.apis[name].stage, key)
    ]
    return found


def _overlaps(changes: Sequence[Change]) -> Iterator[tuple[Change, tuple[str, str]]]:
    """What is set while another entry holds it for a while, or twice at one time."""
    for at, later in enumerate(changes):
        for other in (*changes[:at], *changes[at + 1 :]):
            shorter = min(len(later.path), len(other.path))
            if later.path[:shorter] != other.path[:shorter] or not other.holds_at(later.at_ns):
                continue
            is_twice = later.at_ns == other.at_ns
            if is_twice and changes.index(other) > at:
                continue  # said of the second
            if not is_twice and other.until_ns is None and later.until_ns is None:
                continue  # the later value follows the earlier one
            if not is_twice and other.until_ns is None:
                continue  # for a while within what holds for good
            line = f"{dotted(other.place[:2])} sets {other.written}"
            if is_twice:
                yield later, (f"{line} at the same time", "keep one of them")
            else:
                assert other.until_ns is not None
                until = format_duration(other.until_ns)
                yield later, (f"{line} until {until}", "let one end before the other begins")
            break


def _not_replaced(holding: Sequence[Change]) -> list[Change]:
    """What is left of changes in order of time when a later one sets all that one has set."""
    left: dict[Path, Change] = {}
    for change in holding:
        left = {path: old for path, old in left.items() if not _is_in(path, change.path)}
        left[change.path] = change
    return list(left.values())


def _lay_over(
    data: dict[str, Any], holding: Sequence[Change], positions: Positions, base: FilePath
) -> tuple[dict[str, Any], dict[Path, tuple[str, int, int]]]:
    """The data with what holds, and where that is written."""
    places: dict[Path, tuple[str, int, int]] = {}
    for change in holding:
        at = positions.locate(change.place)
        data, made, _ = apply(data, [], {change.written: change.value}, label="", base=base)
        places = {old: where for old, where in places.items() if not _is_in(old, change.path)}
        places |= dict.fromkeys(made, at)
    return data, places


def _is_in(path: Path, above: Path) -> bool:
    return path[: len(above)] == above


def _as_problem(
    finding: Finding, newest: Change, positions: Positions, places: Mapping[Path, Any]
) -> Problem:
    """A finding at the entry that brings it about: its own, else the newest."""
    for length in range(len(finding.at), 0, -1):
        if finding.at[:length] in places:
            file, line, column = places[finding.at[:length]]
            return Problem(file, line, column, dotted(finding.at), finding.message, finding.hint)
    file, line, column = positions.locate(newest.place)
    return Problem(file, line, column, dotted(finding.at), finding.message, finding.hint)
