"""What the timeline did and when, as rows of the summary and of ``--json``."""

from dataclasses import asdict, dataclass
from typing import Any

from apisim.results.section import Section, section
from apisim.results.wording import moment_text, share_text
from apisim.scenario import Scenario
from apisim.scenario.changes import Change
from apisim.scenario.problems import Path
from apisim.scenario.units import shown

__all__ = ["Happening", "happenings", "timeline_section"]

_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing the timeline did.

    Attributes
    ----------
    at_s : float
        When [s].
    until_s : float or None
        When it was taken back [s]; None: never.
    what : str
        The path that was set, or the action.
    value, before : object
        As they are written; None where nothing is.
    """

    at_s: float
    until_s: float | None
    what: str
    value: Any
    before: Any

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        texts = {key: _text(getattr(self, key)) for key in ("value", "before")}
        return {**asdict(self), **texts}


def happenings(scenario: Scenario, end_ns: int) -> list[Happening]:
    """All that happened up to ``end_ns``, in order of time and then as written.

    Parameters
    ----------
    scenario : Scenario
    end_ns : int
        End of the traffic: what comes later does nothing.
    """
    found: list[tuple[int, int, Happening]] = []
    before = scenario
    for state in scenario.states:
        for change in state.begun:
            index = int(change.place[1])
            found.append((change.at_ns, index, _happening(change, before)))
        before = state.scenario
    for index, entry in enumerate(scenario.timeline):
        at_ns = scenario.when(entry)
        if entry.flush_cache is not None:
            what = f"flush_cache {entry.flush_cache}"
            found.append((at_ns, index, Happening(at_ns / 1e9, None, what, None, None)))
        for stage, size in (entry.resize_cache or {}).items():
            what = f"resize_cache {stage}"
            found.append((at_ns, index, Happening(at_ns / 1e9, None, what, size, None)))
        if entry.disconnect is not None:
            until_s = None if entry.for_ is None else (at_ns + entry.for_) / 1e9
            what = f"disconnect {entry.disconnect}"
            cut = Happening(at_ns / 1e9, until_s, what, share_text(entry.share), None)
            found.append((at_ns, index, cut))
    in_order = sorted(found, key=lambda one: one[:2])
    return [one for at_ns, _, one in in_order if at_ns <= end_ns]


def _happening(change: Change, before: Scenario) -> Happening:
    until_s = None if change.until_ns is None else change.until_ns / 1e9
    was = _written_at(before._origin.data, change.path)
    return Happening(change.at_ns / 1e9, until_s, change.written, change.value, was)


def _written_at(data: Any, path: Path) -> Any:
    try:
        for part in path:
            data = data[part]
    except (KeyError, IndexError, TypeError):
        return None
    return data


def _text(value: Any) -> str | None:
    """Value as YAML in one line; None where there is none."""
    if value is None:
        return None
    if isinstance(value, dict):
        inner = ", ".join(f"{key}: {_text(item)}" for key, item in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(str(_text(item)) for item in value)}]"
    return value if isinstance(value, str) else shown(value)


def timeline_section(found: list[Happening]) -> Section | None:
    """The table of the summary."""
    rows = []
    for one in found:
        value = _short(_text(one.value) or "")
        before = _short(_text(one.before) or "default") if one.value is not None else ""
        if one.what.startswith(("resize_cache", "disconnect")):
            before = ""
        until = "" if one.until_s is None else moment_text(one.until_s)
        rows.append((moment_text(one.at_s), until, one.what, value, before))
    return section("Timeline", ">At|>Until|What|Value|Before", rows)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
