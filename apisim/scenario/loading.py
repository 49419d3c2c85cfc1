"""Loading: text, overrides and options in, a validated scenario or all its problems out."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path as FilePath
from typing import Any

from apisim.scenario.changes import later_states
from apisim.scenario.checks import check_rules, notes_on
from apisim.scenario.domains import mapped_apis
from apisim.scenario.dumping import plain
from apisim.scenario.formats import format_duration
from apisim.scenario.model import Context, Finding
from apisim.scenario.overrides import apply
from apisim.scenario.positions import MAX_BYTES, Positions, read_yaml
from apisim.scenario.problems import Path, Problem, ScenarioError
from apisim.scenario.profiles import PROFILES, merge_settings
from apisim.scenario.raised_timeouts import longest_timeout, notes_on_later_timeouts
from apisim.scenario.scenario import Origin, Scenario, SourceText
from apisim.scenario.stages import split_stages, written_path
from apisim.scenario.units import UnitError, parse_duration
from apisim.scenario.validation import validate
from apisim.scenario.websocket_routes import looks_like_websocket

__all__ = ["load", "loads", "revise"]


@dataclass(frozen=True)
class _Changes:
    """What is laid over the text of a scenario.

    Parameters
    ----------
    texts : sequence of str
        ``path=value`` each.
    values : mapping
        Plain values by dotted path.
    options : mapping
        Root keys given as options of their own (``--seed``); None was not given.
    label : str
        Name of the overrides in problems.
    duration : str, int or None
        Time after which nothing more arrives: a text with a unit, or nanoseconds.
    """

    texts: Sequence[str] = ()
    values: Mapping[str, Any] | None = None
    options: Mapping[str, Any] | None = None
    label: str = "--set"
    duration: str | int | None = None

    def as_texts(self) -> list[str]:
        """Texts and values, each as a text."""
        values = (self.values or {}).items()

        def shown(value: Any) -> str:  # JSON is YAML
            return json.dumps(value, default=str, ensure_ascii=False)

        return [*self.texts, *(f"{at}={shown(value)}" for at, value in values)]


def load(
    path: str | PathLike[str],
    *,
    overrides: Sequence[str] = (),
    profile: str | None = None,
    seed: int | None = None,
    replications: int | None = None,
    duration: str | int | None = None,
) -> Scenario:
    """Load a scenario file.

    Parameters
    ----------
    path : path-like
        The file; relative file names inside it start in its directory.
    overrides : sequence of str
        ``path=value`` as ``--set`` takes it; relative file names start in the current directory.
    profile, seed, replications : optional
        Instead of what the file says.
    duration : str or int, optional
        Time after which nothing more arrives: a text with a unit, or nanoseconds.

    Returns
    -------
    Scenario
        The validated scenario.

    Raises
    ------
    ScenarioError
        With everything that is wrong with it.
    """
    file = str(path)
    try:
        with FilePath(path).open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"cannot be read: {reason}"
        raise ScenarioError([Problem(file, 1, 1, "", message)]) from None
    options = {"profile": profile, "seed": seed, "replications": replications}
    changes = _Changes(texts=overrides, options=options, duration=duration)
    return _read(raw, file, FilePath(path).parent, changes)


def loads(
    text: str | bytes,
    file: str = "<string>",
    base: str | PathLike[str] = ".",
    *,
    overrides: Sequence[str] = (),
    profile: str | None = None,
    seed: int | None = None,
    replications: int | None = None,
    duration: str | int | None = None,
) -> Scenario:
    """Load a scenario from a text; like :func:`load` otherwise.

    Parameters
    ----------
    text : str or bytes
        The scenario.
    file : str
        Name used in problems.
    base : path-like
        Directory relative file names inside it start from.
    overrides, profile, seed, replications, duration
        See :func:`load`.
    """
    options = {"profile": profile, "seed": seed, "replications": replications}
    changes = _Changes(texts=overrides, options=options, duration=duration)
    return _read(text, file, FilePath(base), changes)


def revise(scenario: Scenario, texts: Sequence[str], values: Mapping[str, Any]) -> Scenario:
    """Changed copy of a scenario; see :meth:`Scenario.with_`."""
    changes = _Changes(
        texts=texts,
        values={path: plain(value) for path, value in values.items()},
        label="with_",
        duration=scenario.duration_limit_ns,
    )
    return _build(scenario._origin, changes)


def _read(raw: str | bytes, file: str, base: FilePath, changes: _Changes) -> Scenario:
    document = read_yaml(raw, file)
    if document.data is None:
        hint = "apisim init writes an example"
        raise ScenarioError([Problem(file, 1, 1, "", "the file is empty", hint)])
    if not isinstance(document.data, dict):
        message = "a scenario is a mapping (key: value)"
        raise ScenarioError([Problem(file, 1, 1, "", message, "begin with apisim: 1")])
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    text = data.decode("utf-8-sig", "replace")
    source = SourceText(file, hashlib.sha256(data).hexdigest(), text)
    # Absolute now: the current directory may be another one when the scenario is changed or dumped.
    origin = Origin(document.data, base.absolute(), source, document.positions)
    return _build(origin, changes)


def _build(origin: Origin, changes: _Changes) -> Scenario:
    data, places, problems = apply(
        origin.data,
        changes.texts,
        changes.values or {},
        label=changes.label,
        base=FilePath.cwd(),
    )
    for key, value in (changes.options or {}).items():
        if value is not None:
            data[key] = value
            places[(key,)] = (f"--{key}", 1, 1)
    cut_ns = None
    if changes.duration is not None:
        try:
            cut_ns = _duration(changes.duration)
        except UnitError as error:
            problems.append(Problem("--duration", 1, 1, "", error.message, error.hint))
    notes = _make_void(data, cut_ns, places)
    positions = _overlaid(origin.positions, places)
    whole, split, findings = split_stages(_prepared(data))
    positions = replace(positions, split=split)
    outcome = validate(whole, _context(whole, origin.base, split), check_rules)
    found = [positions.problem(*finding) for finding in (*findings, *outcome.findings)]
    problems += dict.fromkeys(found)  # what is wrong with a route is found in each of its stages
    if problems or outcome.scenario is None:
        raise ScenarioError(problems)
    scenario = outcome.scenario
    origin = replace(origin, changes=(*origin.changes, *changes.as_texts()))
    scenario._origin = replace(origin, data=data, positions=positions)
    scenario._duration_limit_ns = cut_ns
    scenario._notes = (*notes, *_cut_phases(scenario, cut_ns), *notes_on(scenario))

    def build(
        changed: dict[str, Any], moved: dict[Path, tuple[str, int, int]]
    ) -> Scenario | list[Finding]:
        whole, split, findings = split_stages(_prepared(changed))
        outcome = validate(whole, _context(whole, origin.base, split), check_rules)
        findings += outcome.findings
        if findings or outcome.scenario is None:
            return [one._replace(at=written_path(one.at, split)) for one in findings]
        there = _overlaid(positions, moved)
        outcome.scenario._origin = replace(origin, data=changed, positions=there)
        outcome.scenario._duration_limit_ns = cut_ns
        return outcome.scenario

    scenario._states, problems = later_states(scenario, data, positions, origin.base, build)
    if problems:
        raise ScenarioError(problems)
    scenario._notes += tuple(notes_on_later_timeouts(scenario))
    return scenario


def _overlaid(positions: Positions, places: dict[Path, tuple[str, int, int]]) -> Positions:
    """Positions after overrides: what stood beneath a replaced value is no longer there."""
    if not places:
        return positions

    def is_gone(path: Path) -> bool:
        return any(path[: len(place)] == place for place in places)

    kept = {path: at for path, at in positions.places.items() if not is_gone(path)}
    older = {path: at for path, at in positions.overrides.items() if not is_gone(path)}
    return Positions(positions.file, kept, {**older, **places})


def _context(data: dict[str, Any], base: FilePath, split: tuple[str, ...]) -> Context:
    """What single values need to know, taken from data that is not yet validated."""
    profile, region, apis = (data.get(key) for key in ("profile", "region", "apis"))
    settings = _prepared(data)["settings"]
    apis = apis if isinstance(apis, dict) else {}
    names = tuple(apis)
    scope = settings.get("throttle_scope") if isinstance(settings, dict) else None
    return Context(
        base=base,
        profile=profile if isinstance(profile, str) and profile in PROFILES else "aws",
        region=region if isinstance(region, str) else "us-east-1",
        throttle_scope=scope if scope in ("method", "shared") else "method",
        apis=names,
        split=split,
        domains=mapped_apis(data, names),
        timeout_ns=longest_timeout(_prepared(data)),
        websockets=tuple(name for name, api in apis.items() if looks_like_websocket(api)),
    )


def _prepared(data: dict[str, Any]) -> dict[str, Any]:
    """Data with the profile's settings beneath the scenario's own."""
    profile = data.get("profile", "aws")
    written = data.get("settings", {})
    if not isinstance(profile, str) or not isinstance(written, dict):
        return {"settings": {}, **data}
    return {**data, "settings": merge_settings(profile, written)}


def _duration(value: str | int) -> int:
    """Positive time of ``--duration`` [ns]."""
    result = value if isinstance(value, int) else parse_duration(value)
    if result <= 0:
        raise UnitError("must be above 0", "write e.g. 60s")
    return result


def _make_void(
    data: dict[str, Any], cut_ns: int | None, places: dict[Path, tuple[str, int, int]]
) -> list[str]:
    """Take out what a cut run has no room for; what that was."""
    if cut_ns is None or "warm_up" not in data:
        return []
    try:
        warm_up = parse_duration(data["warm_up"])
    except UnitError:
        return []  # reported where it is validated
    if warm_up < cut_ns:
        return []
    data["warm_up"] = 0
    places[("warm_up",)] = ("--duration", 1, 1)
    written = format_duration(warm_up)
    return [f"warm_up: {written} is not before the end of {format_duration(cut_ns)}: left out"]


def _cut_phases(scenario: Scenario, cut_ns: int | None) -> list[str]:
    """Phases that no longer take place; a limit that cuts nothing is said as well."""
    notes = []
    lengths = [source.length_ns for source in scenario.traffic.values()]
    longest = max((length for length in lengths if length is not None), default=0)
    if cut_ns is not None and None not in lengths and cut_ns > longest:
        notes.append(
            f"--duration {format_duration(cut_ns)} cuts nothing: the traffic ends after "
            f"{format_duration(longest)}, and phases are never made longer"
        )
    for name, source in scenario.traffic.items():
        start = 0
        for phase in source.phases:
            if cut_ns is not None and start >= cut_ns:
                begin = format_duration(start)
                notes.append(f"traffic.{name}: phase {phase.name} begins at {begin}: left out")
            start += phase.length_ns
    return notes
