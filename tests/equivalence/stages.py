"""Hypothesis strategies for stages: several of one API, canaries, compression, domains."""

import copy
from typing import Any, Final

from tests.equivalence.drawing import Drawing
from tests.equivalence.logs import draw_stage_logs

__all__ = ["add_stages"]

_DOMAIN: Final = "api.example.com"
#: Backends with a number at the end, which a stage variable may stand for.
_NUMBERED: Final = {"function": "functions", "endpoint": "endpoints"}


def add_stages(drawing: Drawing, data: dict[str, Any]) -> None:
    """What stages can say, and the domains they are called by; changes ``data``."""
    stage: dict[str, Any]
    for api in data["apis"].values():
        stage = {}
        if drawing.maybe(25):
            stage["variables"] = _use_variables(drawing, data, api)
        if api["type"] == "rest":
            if drawing.maybe(50):
                stage["canary"] = _canary(drawing, data, api, "variables" in stage)
            if drawing.maybe(30):
                _compress(drawing, data, api, stage)
        drawing.optional(stage, 20, "deployment", 2, 1)
        drawing.optional(stage, 20, "detailed_metrics", True, False)
        draw_stage_logs(drawing, api["type"], stage, data.setdefault("settings", {}))
        if stage:
            api["stage"] = {**api.get("stage", {}), **stage}
    names = {name: [name] for name in data["apis"]}
    for name, api in data["apis"].items():
        if drawing.maybe(20):
            names[name] = _split(drawing, data, name, api)
    if drawing.maybe(40):
        _add_domain(drawing, data, [one for several in names.values() for one in several])


def _use_variables(drawing: Drawing, data: dict[str, Any], api: dict[str, Any]) -> dict[str, Any]:
    """Variables of a stage whose routes use one of them where two backends differ by it."""
    for route in api["routes"].values():
        integration = route["integration"]
        for kind, section in _NUMBERED.items():
            named = integration.get(kind, "")
            letter = named[:1]
            if named == f"{letter}0" and f"{letter}1" in data[section]:
                integration[kind] = f"{letter}${{{drawing.one('', 'stageVariables.')}n}}"
    return {"n": drawing.one("0", 0), "unused": "https://example.com/a?b=c"}


def _canary(
    drawing: Drawing, data: dict[str, Any], api: dict[str, Any], has_variables: bool
) -> dict[str, Any]:
    canary: dict[str, Any] = {}
    drawing.optional(canary, 90, "percent_traffic", 50, 100, 12.5, 0, 80)
    if has_variables and drawing.maybe(60):
        canary["stage_variable_overrides"] = {"n": "1", "more": "x"}
    else:
        for kind, section in _NUMBERED.items():
            called = {
                named
                for route in api["routes"].values()
                if (named := route["integration"].get(kind)) in data.get(section, {})
            }
            instead = {one: drawing.one(*data[section]) for one in sorted(called)}
            if instead and drawing.maybe(80):
                canary[f"{kind}s"] = instead
    drawing.optional(canary, 85, "use_stage_cache", True, True, False)
    drawing.optional(canary, 40, "deployment", "same", "new")
    drawing.optional(canary, 10, "promoted", True, False)
    return canary


def _compress(
    drawing: Drawing, data: dict[str, Any], api: dict[str, Any], stage: dict[str, Any]
) -> None:
    stage["minimum_compression_size"] = drawing.one("500B", 0, "1KB", "10485760B")
    drawing.optional(data.setdefault("settings", {}), 40, "compression_ratio", 0.5, 0.001, 1.25)
    for route in api["routes"].values():
        drawing.optional(route, 30, "compression_ratio", 0.1, 2, 0.333)
        drawing.optional(route["integration"], 20, "content_encoding", True, False)
    for source in data["traffic"].values():
        drawing.optional(source, 40, "accept_encoding", "50%", "0%", "100%")


def _split(drawing: Drawing, data: dict[str, Any], name: str, api: dict[str, Any]) -> list[str]:
    """An API's stage beside another one; what names it names one of them."""
    stage = api.pop("stage", {})
    first = stage.pop("name", "prod" if api["type"] == "rest" else "$default")
    other = copy.deepcopy(stage)
    if drawing.maybe(60):
        other.pop("throttle", None)
    if drawing.maybe(50):
        other.pop("canary", None)
    api["stages"] = {first: stage, "beta": other}
    names = [f"{name}/{first}", f"{name}/beta"]
    for source in data["traffic"].values():
        if "trace" in source:
            if source["trace"].get("api", name) == name:
                source["trace"]["api"] = drawing.one(*names)
            continue
        lines = {line: _moved(drawing, data, name, line, names) for line in source["mix"]}
        source["mix"] = {lines[line]: weight for line, weight in source["mix"].items()}
        if "bodies" in source:
            source["bodies"] = {lines[line]: body for line, body in source["bodies"].items()}
    for plan in data.get("usage_plans", {}).values():
        stages = plan["api_stages"]
        for written in [one for one in stages if one.partition("/")[0] == name]:
            stages[names[0]] = stages.pop(written)
            if drawing.maybe(50):
                stages[names[1]] = copy.deepcopy(stages[names[0]])
    return names


def _moved(drawing: Drawing, data: dict[str, Any], name: str, line: str, names: list[str]) -> str:
    """A line of a mix with the stage it calls."""
    api, rest = _parts(data, line)
    return f"{drawing.one(*names)} {rest}" if api.partition("/")[0] == name else line


def _parts(data: dict[str, Any], line: str) -> tuple[str, str]:
    """API and stage in front of a line, the first API where there is none, and the rest."""
    words = line.split()
    n_route = 1 if words[-1] == "$default" else 2
    front = words[0] if len(words) > n_route else next(iter(data["apis"]))
    return front, " ".join(words[-n_route:])


def _add_domain(drawing: Drawing, data: dict[str, Any], names: list[str]) -> None:
    mappings = {drawing.one("v2", "v2", "v2", "", "(none)"): drawing.one(*names)}
    if drawing.maybe(60):
        mappings.setdefault("x", drawing.one(*names))
    api = drawing.one(*names)
    if data["apis"][api.partition("/")[0]].get("endpoint") != "edge":
        mappings["v2/deep"] = api
    data["domains"] = {_DOMAIN: {"mappings": mappings}}
    for source in data["traffic"].values():
        if "trace" in source:
            if drawing.maybe(70):
                source["trace"].pop("api", None)
                source["trace"]["domain"] = _DOMAIN
                _move_log(drawing, source["trace"]["file"], [*mappings])
            continue
        moved = {}
        for line, weight in source["mix"].items():
            front, rest = _parts(data, line)
            paths = [path for path, api in mappings.items() if api == front]
            new = line
            if paths and rest != "$default" and drawing.maybe(70) and line not in _bodies(source):
                base = paths[0] if paths[0] != "(none)" else ""
                if base or rest.partition(" ")[2].split("/")[1] not in ("x", "v2"):
                    new = f"{_DOMAIN}/{base} {rest}" if base else f"{_DOMAIN} {rest}"
            moved[new] = weight
        source["mix"] = moved


def _bodies(source: dict[str, Any]) -> dict[str, Any]:
    return dict(source.get("bodies", {}))


def _move_log(drawing: Drawing, file: str, paths: list[str]) -> None:
    """Put base paths in front of some of a log's paths."""
    header, *rows = drawing.files[file].splitlines()
    fronts = [f"/{path}" for path in paths if path not in ("", "(none)")] + [""]
    moved = []
    for at, row in enumerate(rows):
        cells = row.split(",")
        cells[3] = fronts[at % len(fronts)] + cells[3]
        moved.append(",".join(cells))
    drawing.files[file] = "\n".join([header, *moved]) + "\n"
