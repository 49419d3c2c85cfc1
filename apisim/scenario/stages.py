"""Stages of an API: several of one, their variables, and the canary of a stage.

Each stage is an API of its own to whoever calls it: it has its own buckets, cache, web ACL and
metrics. So an API with ``stages:`` is read as one API for each, called ``users/prod`` and
``users/dev``; what stands once, its routes, is the same in all of them but for the stage's
variables.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field

from apisim.scenario.fields import Reader, choice, flag, name, number
from apisim.scenario.model import Context, Finding, Model, fail_all
from apisim.scenario.problems import Path, did_you_mean
from apisim.scenario.units import UnitError, shown

__all__ = [
    "Backends",
    "Canary",
    "Variables",
    "resolve_variables",
    "split_stages",
    "stage_label",
    "written_path",
]

#: Function and endpoint of a route; None where it has none of that kind.
Backends: TypeAlias = tuple[str | None, str | None]

#: Stage variables: at most 100; names of 64 and values of 512 characters (REST API quotas; the
#: developer guide's characters).
_MAX_VARIABLES: Final = 100
_VARIABLE: Final = r"[A-Za-z0-9_]{1,64}"
_VALUE: Final = r"[A-Za-z0-9\-._~:/?#&=,]{1,512}"
_USE: Final = re.compile(r"\$\{(?:stageVariables\.)?([^}]*)\}")

_KINDS: Final = ("function", "endpoint")


def _read_variable_name(value: Any, context: Context) -> str:
    if isinstance(value, str) and re.fullmatch(_VARIABLE, value):
        return value
    raise UnitError(
        f"must be the name of a stage variable, got {shown(value)}",
        "letters, digits and _ only, at most 64",
    )


def _read_variable(value: Any, context: Context) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and re.fullmatch(_VALUE, text):
        return text
    hint = "1 to 512 letters, digits and any of -._~:/?#&=,"
    raise UnitError(f"must be the value of a stage variable, got {shown(value)}", hint)


_VariableName = Annotated[
    str, Reader(_read_variable_name, {"type": "string", "pattern": f"^{_VARIABLE}$"})
]
_VariableValue = Annotated[str, Reader(_read_variable, {"type": ["string", "integer"]})]
#: Values by name.
Variables: TypeAlias = Annotated[
    dict[_VariableName, _VariableValue], Field(max_length=_MAX_VARIABLES)
]


class Canary(Model):
    """A second deployment behind a part of a stage's requests; REST only.

    Attributes
    ----------
    percent_traffic : float
        Part of the requests that goes to it [%], 0 to 100, default 0. Each request is drawn by
        itself, a retry anew: nobody stays with one deployment (developer guide, "Set up an API
        Gateway canary release deployment").
    stage_variable_overrides : dict of str to str
        Stage variables that have another value there, or are only there.
    functions, endpoints : dict of str to str
        What the routes of its deployment call instead: ``{get-user: get-user-v2}``.
    use_stage_cache : bool
        Whether its requests use the stage's cache; false, the default, caches nothing for them.
    deployment : {"same", "new"} or None
        Whether it is the stage's deployment with other variables, whose cache entries are shared,
        or another one, whose entries are its own. None, the default: another one if it has
        ``functions`` or ``endpoints``.
    promoted : bool
        Whether the stage has its deployment and variables by now, and it gets no requests: what
        ``timeline:`` sets to promote it (developer guide, "Promote a canary release").
    """

    percent_traffic: Annotated[float, number("0", "100")] = 0.0
    stage_variable_overrides: Variables = Field(default_factory=dict)
    functions: dict[Annotated[str, name()], Annotated[str, name()]] = Field(default_factory=dict)
    endpoints: dict[Annotated[str, name()], Annotated[str, name()]] = Field(default_factory=dict)
    use_stage_cache: Annotated[bool, flag()] = False
    deployment: Annotated[Literal["same", "new"], choice("same", "new")] | None = None
    promoted: Annotated[bool, flag()] = False

    @property
    def is_new_deployment(self) -> bool:
        """Whether its cache entries are kept apart from the stage's."""
        if self.deployment is not None:
            return self.deployment == "new"
        return bool(self.functions or self.endpoints)


def stage_label(api: str, stage: str) -> str:
    """Name of a stage, ``API/STAGE``; one of several has it as its name."""
    return api if "/" in api else f"{api}/{stage}"


def split_stages(data: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...], list[Finding]]:
    """Data in which each API has one stage.

    Parameters
    ----------
    data : dict
        Plain data of a scenario, not yet validated.

    Returns
    -------
    data : dict
        With one API for each stage of ``stages:``.
    names : tuple of str
        APIs that were made: ``users/prod``, ``users/dev``.
    findings : list of Finding
        What cannot be split.
    """
    apis = data.get("apis")
    if not isinstance(apis, Mapping):
        return data, (), []
    made: dict[Any, Any] = {}
    names: list[str] = []
    findings: list[Finding] = []
    for api_name, api in apis.items():
        stages = api.get("stages") if isinstance(api, Mapping) else None
        at: Path = ("apis", api_name, "stages")
        if not isinstance(stages, Mapping) or not stages or "/" in str(api_name):
            made[api_name] = api
            continue
        if "stage" in api:
            findings.append(Finding(at, "an API has stage or stages, not both", "remove stage"))
        for stage_name, stage in stages.items():
            if isinstance(stage, Mapping) and "name" in stage:
                place = (*at, stage_name, "name")
                findings.append(Finding(place, "the stage is named by its key", "remove name"))
            own = {**stage, "name": stage_name} if isinstance(stage, Mapping) else stage
            rest = {key: value for key, value in api.items() if key != "stages"}
            made[f"{api_name}/{stage_name}"] = {**rest, "stage": own}
            names.append(f"{api_name}/{stage_name}")
    return ({**data, "apis": made} if names else data), tuple(names), findings


def written_path(path: Path, split: tuple[str, ...]) -> Path:
    """Where what stands at ``path`` after :func:`split_stages` is written."""
    if len(path) < 2 or path[0] != "apis" or path[1] not in split:
        return path
    api, _, stage = str(path[1]).partition("/")
    rest = path[2:]
    return (
        ("apis", api, "stages", stage, *rest[1:])
        if rest[:1] == ("stage",)
        else ("apis", api, *rest)
    )


def resolve_variables(data: dict[str, Any]) -> dict[str, Any]:
    """An API's written keys with variables replaced, and what its canary calls.

    ``function: get-user-${env}`` and, as AWS writes it, ``${stageVariables.env}``.

    Raises
    ------
    PydanticCustomError
        If a variable is used that the stage, or its canary, does not have.
    """
    stage, routes = data.get("stage"), data.get("routes")
    if not isinstance(stage, Mapping) or not isinstance(routes, Mapping):
        return data
    canary = stage.get("canary")
    canary = canary if isinstance(canary, Mapping) else None
    own = _mapping(stage, "variables")
    theirs = own | _mapping(canary or {}, "stage_variable_overrides")
    findings: list[Finding] = []
    resolved: dict[Any, Any] = {}
    backends: dict[str, Backends] = {}
    for key, route in routes.items():
        integration = route.get("integration") if isinstance(route, Mapping) else None
        if not isinstance(integration, Mapping):
            resolved[key] = route
            continue
        changed = dict(integration)
        of_canary: list[str | None] = []
        for kind in _KINDS:
            written = integration.get(kind)
            at: Path = ("routes", key, "integration", kind)
            if not isinstance(written, str):
                of_canary.append(None)
                continue
            findings += _unknown(written, own, at)
            changed[kind] = _replaced(written, own)
            if canary is None:
                continue
            other = _replaced(written, theirs)
            instead = _mapping(canary, f"{kind}s").get(other, other)
            of_canary.append(str(instead))
        resolved[key] = {**route, "integration": changed}
        if canary is not None:
            backends[str(key)] = (of_canary[0], of_canary[1])
    if findings:
        raise fail_all(list(dict.fromkeys(findings)))
    return {**data, "routes": resolved, "canary_backends": backends}


def _mapping(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return dict(value) if isinstance(value, Mapping) else {}


def _unknown(written: str, variables: Mapping[str, Any], at: Path) -> list[Finding]:
    """Variables that are used and not there; a canary has all of its stage's."""
    findings = []
    for used in _USE.findall(written):
        if used not in variables:
            hint = did_you_mean(used, variables) or "define it under variables: of the stage"
            findings.append(Finding(at, f"the stage has no variable {shown(used)}", hint))
    return findings


def _replaced(written: str, variables: Mapping[str, Any]) -> str:
    return _USE.sub(lambda match: str(variables.get(match[1], "x")), written)
