"""What a scenario assumes: settings that AWS does not document, and inputs that somebody guessed.

Each assumption has other values that would be as reasonable. Times that AWS gives no figure for are
halved and doubled; where AWS does not say which of several ways it goes, every other way is an
alternative; service times and rates of the scenario's own are off by a quarter either way.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, get_args

from ruamel.yaml import YAML

from apisim.scenario import Scenario
from apisim.scenario.formats import format_duration
from apisim.scenario.settings import Settings
from apisim.scenario.units import UnitError, parse_duration

__all__ = ["Assumption", "assumptions_of"]

#: Words by which a setting says that its default is not AWS's.
_OPEN: Final = re.compile(r"assumed|reported|does not say|not documented|guess", re.IGNORECASE)
#: Settings with a number of parts, and what is tried beside it.
_COUNTS: Final = {"sloppiness": ("4",)}
#: What settings are about, by how their names begin.
_ABOUT: Final = (
    ("http_transport", "endpoints"), ("hit_time", "cache"), ("cache_", "cache"),
    ("lambda_", "functions"), ("idle_expiry", "functions"), ("environment_", "functions"),
    ("vpc_link", "behind"), ("cross_zone", "behind"), ("service_", "services"), ("edge_", "edge"),
    ("http_preflight", "browser"), ("http_error_cors", "browser"), ("preflight", "browser"),
    ("http_", "http"), ("connection_minutes", "websocket"), ("websocket_", "websocket"),
    ("pings_", "websocket"), ("disconnect_", "websocket"), ("plan_", "plans"), ("quota_", "plans"),
    ("refused_use_quota", "plans"), ("credential_", "tokens"), ("key_set", "tokens"),
    ("signature_", "tokens"), ("sign_in", "sign_in"), ("waf_", "waf"),
    ("authorizer_", "authorizers"), ("throttle_before_auth", "authorizers"),
)  # fmt: skip
_HALF, _DOUBLE = 0.5, 2.0
_LESS, _MORE = 0.8, 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """Something that may be otherwise.

    Attributes
    ----------
    name : str
        Path of the setting or the input.
    is_ours : bool
        Whether it is an input of the scenario; otherwise AWS leaves it open.
    value : str
        As it is.
    alternatives : tuple of str
        Values that it might as well have.
    overrides : tuple of tuple of str
        What to set for each of them.
    """

    name: str
    is_ours: bool
    value: str
    alternatives: tuple[str, ...]
    overrides: tuple[tuple[str, ...], ...]


def assumptions_of(scenario: Scenario) -> list[Assumption]:
    """Assumptions of a scenario: open settings first, then inputs."""
    written: dict[str, Any] = YAML(typ="safe").load(scenario.to_yaml())
    met = _met(scenario)
    return [*_settings(written.get("settings", {}), met), *_inputs(written)]


def _met(scenario: Scenario) -> set[str]:
    """Parts of a scenario that settings are about."""
    apis = scenario.apis.values()
    sources = scenario.traffic.values()
    kinds: set[str] = {authorizer.type for authorizer in scenario.authorizers.values()}
    kinds |= {route.authorizer or "" for api in apis for route in api.routes.values()}
    known = {
        "cache": any(api.stage.has_cache for api in apis),
        "functions": bool(scenario.functions),
        "endpoints": bool(scenario.endpoints),
        "behind": any(one.behind is not None for one in scenario.endpoints.values()),
        "services": bool(scenario.services),
        "edge": any(api.endpoint == "edge" for api in apis),
        "http": any(api.type == "http" for api in apis),
        "websocket": any(api.type == "websocket" for api in apis),
        "plans": bool(scenario.usage_plans),
        "tokens": bool(kinds & {"jwt", "cognito", "iam"}),
        "sign_in": bool(scenario.populations),
        "browser": any(source.browser is not None for source in sources),
        "waf": any(api.stage.waf is not None for api in apis),
        "authorizers": bool(scenario.authorizers),
    }
    return {name for name, is_met in known.items() if is_met}


def _needs(name: str) -> str | None:
    """Part of a scenario without which a setting says nothing; None where it always may."""
    return next((part for start, part in _ABOUT if name.startswith(start)), None)


def _settings(written: dict[str, Any], met: set[str]) -> Iterator[Assumption]:
    for name, field in Settings.model_fields.items():
        if name not in written or not _OPEN.search(field.description or ""):
            continue
        if (part := _needs(name)) is not None and part not in met:
            continue
        others = list(_others(name, written[name], field.annotation))
        yield from _assumption(f"settings.{name}", written[name], others, is_ours=False)


def _others(name: str, value: Any, annotation: Any) -> Iterator[Any]:
    """Other values that a setting might as well have."""
    choices = [one for one in get_args(annotation) if isinstance(one, str | int)]
    if name in _COUNTS:
        yield from (one for one in _COUNTS[name] if str(value) != one)
    elif isinstance(value, bool):
        yield not value
    elif choices and value in choices:
        yield from (one for one in choices if one != value)
    else:
        for factor in (_HALF, _DOUBLE):
            if (other := _scaled(value, factor)) is not None:
                yield other


def _inputs(written: dict[str, Any]) -> Iterator[Assumption]:
    places = [
        (f"{group}.{name}.{key}", one[key])
        for group, keys in (("functions", ("duration", "init")), ("endpoints", ("service_time",)))
        for name, one in (written.get(group) or {}).items()
        for key in keys
        if key in one
    ]
    for path, value in places:
        others = [_scaled(value, factor) for factor in (_LESS, _MORE)]
        yield from _assumption(path, value, others, is_ours=True)


def _assumption(path: str, value: Any, others: list[Any], *, is_ours: bool) -> Iterator[Assumption]:
    known = [one for one in others if one is not None and one != value]
    if known:
        yield Assumption(
            name=path,
            is_ours=is_ours,
            value=_text(value),
            alternatives=tuple(map(_text, known)),
            overrides=tuple((f"{path}={_text(one)}",) for one in known),
        )


def _scaled(value: Any, factor: float) -> Any:
    """A law of times, as it is written, so many times as long; None where it is no such law."""
    if isinstance(value, str):
        try:
            length_ns = parse_duration(value)
        except UnitError:
            return None
        return format_duration(round(length_ns * factor))
    if isinstance(value, dict):
        parts = {key: _scaled(one, factor) for key, one in value.items()}
        return None if None in parts.values() else parts
    if isinstance(value, list):
        items = [_scaled(one, factor) for one in value]
        return None if None in items else items
    return None


def _text(value: Any) -> str:
    """A value as an override takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value)
