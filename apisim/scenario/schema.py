"""JSON Schema of the scenario vocabulary, for editors that complete and check YAML."""

import re
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from apisim.scenario.by_type import BY_TYPE
from apisim.scenario.scenario import Scenario
from apisim.scenario.websocket_routes import LIFE_PATTERN

__all__ = ["json_schema"]

#: Sections whose keys all have a default, wherever the model says they are filled in.
_ALL_OPTIONAL: Final = ("Account", "NewConnections", "Pricing")
#: One entry of a numpydoc list of attributes.
_ATTRIBUTE: Final = re.compile(r"^(?P<names>\w.*?) : .*\n(?P<text>(?: +.*\n?|\n)*)", re.MULTILINE)
_UNIT: Final = re.compile(r" \[(ns|1/s|bytes)\]")
_PHASES: Final = ("OpenPhase", "ClosedPhase", "CountsPhase", "PausePhase")


def json_schema() -> dict[str, Any]:
    """Schema of a scenario file (draft 2020-12).

    Returns
    -------
    dict
        Accepts what :func:`apisim.scenario.load` accepts, except for rules between keys.
    """
    schema = Scenario.model_json_schema(by_alias=True, mode="validation")
    definitions = schema["$defs"]
    for name in _ALL_OPTIONAL:
        definitions[name].pop("required", None)
    for name in _PHASES:
        definitions[name]["required"].remove("name")
    counts = definitions["CountsPhase"]
    counts["required"].remove("counts")
    counts["oneOf"] = [{"required": ["counts"]}, {"required": ["counts_from"]}]
    source = definitions["Source"]
    source["oneOf"] = [
        {"required": ["phases", "mix"]},
        {"required": ["trace"]},
        {"required": ["sessions", "mix"], "not": {"required": ["phases"]}},
    ]
    _without_integration(definitions)
    for name in (model.__name__ for model in BY_TYPE.values()):
        one_for_both = definitions[name]["properties"]["rest"]
        definitions[name] = {"anyOf": [definitions[name], one_for_both]}
    cleaned = _clean(schema)
    assert isinstance(cleaned, dict)
    return {"$schema": GenerateJsonSchema.schema_dialect, **cleaned, "title": "apisim scenario"}


def _without_integration(definitions: dict[str, Any]) -> None:
    """The routes of a connection's life need no integration."""
    route = definitions["Route"]
    required = [key for key in route["required"] if key != "integration"]
    definitions["LifeRoute"] = {**route, "required": required}
    routes = definitions["Api"]["properties"]["routes"]
    (pattern,) = routes["patternProperties"]
    others = routes["patternProperties"].pop(pattern)
    routes["patternProperties"] = {
        pattern.replace(LIFE_PATTERN + "|", ""): others,
        f"^({LIFE_PATTERN})$": {"$ref": "#/$defs/LifeRoute"},
    }


def _clean(node: Any) -> Any:
    """Schema without what only matters inside, and with what the docstrings say of each key."""
    if isinstance(node, list):
        return [_clean(item) for item in node]
    if not isinstance(node, dict):
        return node
    options = node.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        # None is how a key that is left out is kept; a written null is refused.
        kept = [option for option in options if option != {"type": "null"}]
        rest = {key: value for key, value in node.items() if key not in ("anyOf", "default")}
        node = {**rest, **kept[0]} if len(kept) == 1 else {**rest, "anyOf": kept}
    if "properties" in node and isinstance(node.get("description"), str):
        node = _with_descriptions(node)
    if "patternProperties" in node:
        node = {**node, "additionalProperties": False}
    return {
        key: _clean(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str))
    }


def _with_descriptions(node: dict[str, Any]) -> dict[str, Any]:
    """Schema of a model whose properties carry their part of its docstring."""
    summary, _, attributes = node["description"].partition("\n\nAttributes\n----------\n")
    texts: dict[str, str] = {}
    for block in _ATTRIBUTE.finditer(attributes):
        text = " ".join(block["text"].split())
        # A key that is a word of Python has an underscore behind it in the model.
        texts.update((name.rstrip("_"), text) for name in block["names"].split(", "))
    properties = {
        key: _described(value, texts[key]) if key in texts else value
        for key, value in node["properties"].items()
    }
    return {**node, "description": " ".join(summary.split()), "properties": properties}


def _described(value: dict[str, Any], text: str) -> dict[str, Any]:
    """Schema of a key with what it means, and behind that how such a value is written."""
    form = value.get("description")
    if not form:
        return {**value, "description": text}
    # The unit inside the simulator is not the one to write.
    return {**value, "description": f"{_UNIT.sub('', text)} {form}"}
