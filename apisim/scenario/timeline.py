"""What happens while a scenario runs: numbers change, caches are emptied, connections are cut."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from apisim.scenario.api import CACHE_SIZES
from apisim.scenario.domains import api_of, refuse_api
from apisim.scenario.fields import DURATION_SCHEMA, Reader, duration, share
from apisim.scenario.model import Context, Finding, Model, as_written, fail, fail_all
from apisim.scenario.units import UnitError, shown

__all__ = ["PhaseTime", "TimelineEntry"]

_AT: Final = duration()
_SHARE: Final = share()
_ACTIONS: Final = ("set", "flush_cache", "resize_cache", "disconnect")
_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
_OFFSET: Final = re.compile(rf"\s*(?:({_NAME})\.)?({_NAME})\s*\+\s*(.+)")


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """A time after the beginning of a phase.

    Attributes
    ----------
    source : str or None
        Whose phase; None where the phase's name says it.
    phase : str
        Name of the phase.
    after_ns : int
        Time since it began [ns].
    """

    source: str | None
    phase: str
    after_ns: int

    def __str__(self) -> str:
        return self.phase if self.source is None else f"{self.source}.{self.phase}"


def _read_at(value: Any, context: Context) -> int | PhaseTime:
    if not isinstance(value, str) or "+" not in value:
        return int(_AT.read(value, context))
    found = _OFFSET.fullmatch(value)
    if found is None:
        hint = "write e.g. 5m, PHASE+10s or SOURCE.PHASE+10s"
        raise UnitError(f"{shown(value)} is no time", hint)
    return PhaseTime(found[1], found[2], int(_AT.read(found[3], context)))


def _read_set(value: Any, context: Context) -> dict[str, Any]:
    hint = "write e.g. {functions.NAME.errors: 100%}"
    if not isinstance(value, Mapping):
        raise fail(f"must be a mapping of path to value, got {shown(value)}", hint)
    if not value:
        raise fail("is empty", hint)
    return {str(path): new for path, new in value.items()}


def _read_stage(value: Any, context: Context) -> str:
    name, _, stage = value.partition("/") if isinstance(value, str) else ("", "", "")
    if not name or not stage:
        raise UnitError(f"must be an API and its stage, got {shown(value)}", "write API/STAGE")
    if api_of(value, context.apis) is None:
        refuse_api(value, context)
    return str(value)


def _read_websocket(value: Any, context: Context) -> str:
    if isinstance(value, str) and value in context.apis:
        return value
    if not isinstance(value, str) or "/" not in value:
        known = ", ".join(context.websockets) or "none"
        message = f"must be a WebSocket API or its stage, got {shown(value)}"
        raise UnitError(message, f"WebSocket APIs: {known}")
    return _read_stage(value, context)


def _read_sizes(value: Any, context: Context) -> dict[str, str]:
    if not isinstance(value, Mapping) or not value:
        raise fail(f"must be a mapping of stage to size, got {shown(value)}", "{api/prod: 1.6}")
    findings: list[Finding] = []
    result = {}
    for stage, size in value.items():
        try:
            result[_read_stage(stage, context)] = str(size)
        except UnitError as error:
            findings.append(Finding((stage,), error.message, error.hint))
            continue
        if isinstance(size, bool) or str(size) not in CACHE_SIZES:
            message = f"must be one of {', '.join(CACHE_SIZES)} (GB), got {shown(size)}"
            findings.append(Finding((stage,), message, ""))
    if findings:
        raise fail_all(findings)
    return result


_SOCKETS_SCHEMA: Final = {"type": "string", "pattern": r"^[^/]+(/[^/]+)?$"}
_STAGE_SCHEMA: Final = {"type": "string", "pattern": r"^[^/]+/[^/]+$"}
_SIZES_SCHEMA: Final = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"enum": [*CACHE_SIZES, *map(float, CACHE_SIZES)]},
}
_AT_SCHEMA: Final = {
    "anyOf": [
        DURATION_SCHEMA,
        {"type": "string", "pattern": rf"^\s*({_NAME}\.)?{_NAME}\s*\+"},
    ],
    "description": "A time from the start, 5m, or after the beginning of a phase, PHASE+10s.",
}
_SET_SCHEMA: Final = {"type": "object", "minProperties": 1}


class TimelineEntry(Model):
    """Something that happens at a time.

    Attributes
    ----------
    at : int or PhaseTime
        When it happens: from the start of the run [ns], or after the beginning of a phase.
    set_ : dict or None
        New value by dotted path, as ``--set`` takes them; numbers only.
    for_ : int or None
        How long that holds [ns]; then what was before is back. None: for good. After a
        ``disconnect``: how long no new connections are accepted; None: they are at once.
    flush_cache : str or None
        Stage (``api/stage``) whose response cache is emptied.
    resize_cache : dict of str to str or None
        New size [GB] by stage: the cache is gone for ``settings.cache_create_time`` and empty then.
    disconnect : str or None
        WebSocket API, or its stage (``api/stage``), whose connections break.
    share : float
        Which share of them, in [0, 1], each at random; default all.
    """

    at: Annotated[Any, Reader(_read_at, _AT_SCHEMA)]
    set_: Annotated[dict[str, Any], Reader(_read_set, _SET_SCHEMA)] | None = Field(
        default=None, alias="set"
    )
    for_: Annotated[int, duration("1ns")] | None = Field(default=None, alias="for")
    flush_cache: Annotated[str, Reader(_read_stage, _STAGE_SCHEMA)] | None = None
    resize_cache: Annotated[dict[str, str], Reader(_read_sizes, _SIZES_SCHEMA)] | None = None
    disconnect: Annotated[str, Reader(_read_websocket, _SOCKETS_SCHEMA)] | None = None
    share: Annotated[float, _SHARE] = as_written("100%")

    @property
    def lasts(self) -> int | None:
        """How long what happens holds [ns]; None without ``for:``."""
        return self.for_

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        done = (self.set_, self.flush_cache, self.resize_cache, self.disconnect)
        given = [key for key, value in zip(_ACTIONS, done, strict=True) if value is not None]
        if not given:
            raise fail("says nothing that happens", "write set: {PATH: VALUE}")
        if len(given) > 1:
            raise fail("two things in one entry", "write two entries", at=(given[1],))
        if self.for_ is not None and self.set_ is None and self.disconnect is None:
            raise fail("only what is set can be taken back", "remove for:", at=("for",))
        if "share" in self.model_fields_set and self.disconnect is None:
            raise fail("only connections are cut in part", "remove share:", at=("share",))
        return self
