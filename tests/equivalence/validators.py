"""Hypothesis strategies for request validators and for what is too large."""

from typing import Any, Final

from tests.equivalence.drawing import Drawing

__all__ = ["draw_sent", "draw_validator"]

#: Parameters that nothing but a validator looks at, so that they may be missing now and then.
_LOOSE: Final = ("querystring.v", "header.x-v")
_MODEL: Final = {"type": "object", "required": ["name"]}
_SIZES: Final = (
    {"mixture": [[0.7, "1KB"], [0.3, "20KB"]]},
    {"quantiles": {0: "0B", 50: "4KB", 100: "16KB"}},
    "6KB",
    "11KB",
    "1KB",
)


def draw_validator(drawing: Drawing) -> dict[str, Any]:
    """What a route of a REST API asks of a request."""
    if drawing.maybe(30):
        return {"reject": drawing.one("30%", "100%", "0%")}
    asked: dict[str, Any] = {}
    if drawing.maybe(70):
        names = (*_LOOSE, "querystring.q", "header.authorization")
        chosen = [drawing.one(*names) for _ in range(drawing.one(1, 2))]
        asked["parameters"] = list(dict.fromkeys(chosen))
    if not asked or drawing.maybe(60):
        schema: Any = _MODEL
        if drawing.maybe(20):
            schema = "model.json"
            drawing.files[schema] = '{"type": "object", "required": ["name"]}'
        asked["body"] = {"schema": schema}
    return asked


def draw_sent(drawing: Drawing, apis: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    """What a source sends to validators, and how large its URLs and headers are."""
    sent: dict[str, Any] = {}
    drawing.optional(sent, 12, "url_size", *_SIZES)
    drawing.optional(sent, 12, "header_size", *_SIZES)
    asked = {line: _validator(apis, line) for line in source.get("mix", {})}
    wanted = [name for one in asked.values() for name in one.get("parameters", [])]
    loose = [name for name in dict.fromkeys(wanted) if name in _LOOSE]
    if loose and drawing.maybe(70):
        sent["missing"] = {name: drawing.one("50%", "10%", "100%") for name in loose}
    bodies = {
        line: [_sample(drawing) for _ in range(drawing.one(2, 1, 3))]
        for line, one in asked.items()
        if "body" in one and drawing.maybe(80)
    }
    if bodies:
        sent["bodies"] = bodies
    return sent


def _validator(apis: dict[str, Any], line: str) -> dict[str, Any]:
    """What the route asks that has just the key of a line of a mix."""
    words = line.split()
    api, key = (words[0], words[1:]) if len(words) > 2 else (next(iter(apis)), words)
    route = apis[api.partition("/")[0]]["routes"].get(" ".join(key), {})
    return dict(route.get("validate", {}))


def _sample(drawing: Drawing) -> dict[str, Any]:
    sample: dict[str, Any] = drawing.one(
        {"json": {"name": "x"}}, {"json": {"age": 1}}, {"text": "{"}, {"file": "body.json"}
    )
    sample = dict(sample)
    if "file" in sample:
        drawing.files["body.json"] = '{"name": "x", "age": 2}'
    drawing.optional(sample, 50, "weight", 3, 1)
    drawing.optional(sample, 20, "content_type", "text/plain", "application/json; charset=utf-8")
    return sample
