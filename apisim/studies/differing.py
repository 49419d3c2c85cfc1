"""What differs between two scenarios as they are written, key by key."""

from typing import Any, Final

from ruamel.yaml import YAML

from apisim.scenario import Scenario

__all__ = ["differing"]

#: Keys that say nothing about what is simulated, or are the first scenario's for all.
_NOT_COMPARED: Final = ("name", "description", "seed", "replications", "thresholds")
_ABSENT: Final = "(none)"


def differing(one: Scenario, other: Scenario) -> tuple[tuple[str, str, str], ...]:
    """What differs between two scenarios as resolved: path, value in the one, in the other."""
    yaml = YAML(typ="safe")
    before, after = yaml.load(one.to_yaml()), yaml.load(other.to_yaml())
    for key in _NOT_COMPARED:
        before.pop(key, None)
        after.pop(key, None)
    return tuple(_changed("", before, after))


def _changed(path: str, one: Any, other: Any) -> list[tuple[str, str, str]]:
    if one == other:
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        found = []
        for key in dict.fromkeys([*one, *other]):
            where = f"{path}.{key}" if path else str(key)
            found += _changed(where, one.get(key), other.get(key))
        return found
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [change for at, (a, b) in pairs for change in _changed(f"{path}.{at}", a, b)]
    return [(path, _as_text(one), _as_text(other))]


def _as_text(value: Any) -> str:
    if value is None:
        return _ABSENT
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_as_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_text, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
