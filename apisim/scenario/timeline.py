"""What changes while a scenario runs."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import model_validator

from apisim.scenario.api import CACHE_SIZES
from apisim.scenario.fields import Reader, duration
from apisim.scenario.model import NOT_YET, Context, Finding, Model, fail, fail_all
from apisim.scenario.problems import did_you_mean
from apisim.scenario.units import UnitError, shown

__all__ = ["TimelineEntry"]

_AT: Final = duration()
_ACTIONS: Final = ("flush_cache", "resize_cache")


def _read_at(value: Any, context: Context) -> int:
    if isinstance(value, str) and "+" in value:
        raise UnitError(f"an offset from a phase is {NOT_YET}", "write a time, e.g. 5m")
    return int(_AT.read(value, context))


def _read_stage(value: Any, context: Context) -> str:
    name, _, stage = value.partition("/") if isinstance(value, str) else ("", "", "")
    if not name or not stage:
        raise UnitError(f"must be an API and its stage, got {shown(value)}", "write API/STAGE")
    if name not in context.apis:
        raise UnitError(f"the API {shown(name)} is not defined", did_you_mean(name, context.apis))
    return str(value)


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


_STAGE_SCHEMA: Final = {"type": "string", "pattern": r"^[^/]+/[^/]+$"}
_SIZES_SCHEMA: Final = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"enum": [*CACHE_SIZES, *map(float, CACHE_SIZES)]},
}
_AT_SCHEMA: Final = {**_AT.schema}


class TimelineEntry(Model):
    """Something that happens at a time.

    Attributes
    ----------
    at : int
        When it happens, from the start of the run [ns].
    flush_cache : str or None
        Stage (``api/stage``) whose response cache is emptied.
    resize_cache : dict of str to str or None
        New size [GB] by stage: the cache is gone for ``settings.cache_create_time`` and empty then.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"for", "set"})

    at: Annotated[int, Reader(_read_at, _AT_SCHEMA)]
    flush_cache: Annotated[str, Reader(_read_stage, _STAGE_SCHEMA)] | None = None
    resize_cache: Annotated[dict[str, str], Reader(_read_sizes, _SIZES_SCHEMA)] | None = None

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        given = [key for key in _ACTIONS if getattr(self, key) is not None]
        if not given:
            raise fail("says nothing that happens", "write flush_cache: API/STAGE")
        if len(given) > 1:
            raise fail("two things in one entry", "write two entries", at=(given[1],))
        return self
