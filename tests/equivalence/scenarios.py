"""A hypothesis strategy of whole scenarios over everything a scenario can say.

What is drawn is what a user would write: plain data for a YAML file and the files it refers to.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from apisim.scenario import Scenario, loads
from tests.equivalence.alarms import add_alarms
from tests.equivalence.apis import draw_parts, draw_timeline
from tests.equivalence.changes import draw_changes
from tests.equivalence.drawing import Drawing, Style
from tests.equivalence.functions import add_background, set_aside
from tests.equivalence.laws import FILES
from tests.equivalence.logs import draw_trace_formats
from tests.equivalence.perimeter import add_perimeter, close_endpoints
from tests.equivalence.plans import draw_plans
from tests.equivalence.populations import draw_populations
from tests.equivalence.sockets import add_sockets
from tests.equivalence.sources import draw_traffic
from tests.equivalence.stages import add_stages

__all__ = ["Case", "scenarios"]


#: Compiled where there is libyaml: a whole scenario takes Python a tenth of a second.
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True)
class Case:
    """A scenario as data, with the files it refers to.

    Parameters
    ----------
    data : dict
        The scenario as plain data.
    files : dict of str to str
        Text of each file by its name.
    """

    data: dict[str, Any]
    files: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The scenario as YAML."""
        return str(yaml.dump(self.data, Dumper=_DUMPER, sort_keys=False, width=100))

    @property
    def shown(self) -> str:
        """The scenario and its own files, to be read and copied."""
        return self.text + "".join(f"--- {name}\n{text}" for name, text in self.files.items())

    def load(self, folder: Path) -> Scenario:
        """The scenario, the files it refers to written to ``folder``."""
        for name, text in {**FILES, **self.files}.items():
            (folder / name).write_text(text)
        return loads(self.text, file="case.yaml", base=folder)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # What hypothesis prints: the test's own message has the whole scenario.
        printer.text(f"Case with sources {', '.join(self.data['traffic'])}")


#: Subtotals; each is in one of them.
_GROUPINGS = (["api", "route", "client"], ["plan", "customer"])


@st.composite
def scenarios(draw: Any, *, style: Style | None = None) -> Case:
    """Scenarios over the whole vocabulary, of a few hundred requests.

    Parameters
    ----------
    draw
        Given by hypothesis.
    style : Style, optional
        What they are made for; drawn from ``ANY`` and ``CROWDED`` when left out.
    """
    if style is None:
        style = draw(st.sampled_from([Style.ANY, Style.CROWDED]))
    drawing = Drawing(draw, style)
    profile = "ideal" if style is not Style.ANY else drawing.one("ideal", "aws", "chapter", "aws")
    data: dict[str, Any] = {"apisim": 1, "profile": profile}
    drawing.optional(data, 80, "seed", 2, 7, 0, 2**64 - 1)
    parts = draw_parts(drawing, profile)
    data |= {name: part for name, part in vars(parts).items() if part}
    account: dict[str, Any] = {}
    if drawing.maybe(20):
        account["throttle"] = drawing.throttle()
    if drawing.maybe(30):
        account["lambda_concurrency"] = set_aside(parts.functions) + drawing.one(5, 2, 10, 1, 0)
    add_background(drawing, account, parts.functions)
    data |= {"account": account} if account else {}
    populations = draw_populations(drawing)
    data |= {"populations": populations} if populations else {}
    data["traffic"] = draw_traffic(drawing, parts.apis, populations)
    draw_plans(drawing, data)
    if (
        style is not Style.EXACT
        and drawing.maybe(40)
        and (timeline := draw_timeline(drawing, parts.apis))
    ):
        data["timeline"] = timeline
        chosen = data.setdefault("settings", {})
        drawing.optional(chosen, 90, "cache_create_time", "10ms", "0s", "1ms")
    add_perimeter(drawing, data)
    add_stages(drawing, data)
    close_endpoints(data)
    if style is not Style.EXACT and drawing.maybe(25):
        add_sockets(drawing, data)
    if style is not Style.EXACT and drawing.maybe(12):
        _crowd_a_cached_endpoint(data)
    if style is not Style.EXACT and drawing.maybe(50):
        data.setdefault("timeline", []).extend(draw_changes(drawing, data))
    drawing.optional(data, 30, "warm_up", "10ms", "9ms", "1ms")
    _add_unrelated_keys(drawing, data)
    draw_trace_formats(drawing, data)
    return Case(data, drawing.files)


def _crowd_a_cached_endpoint(data: dict[str, Any]) -> None:
    """Let what is cached be errors of a server without a queue, which few would be by chance."""
    for api in data["apis"].values():
        stages = list(api.get("stages", {"": api.get("stage", {})}).values())
        cached = [route for route in api["routes"].values() if "cache" in route]
        if not cached or any("canary" in stage for stage in stages):
            continue
        cached[0]["integration"] = {"type": "http_proxy", "endpoint": "e0"}
        endpoint = data["endpoints"]["e0"]
        endpoint.pop("errors", None)
        endpoint |= {"servers": 1, "queue_limit": 0}
        data.setdefault("settings", {})["cache_statuses"] = "all"


def _add_unrelated_keys(drawing: Drawing, data: dict[str, Any]) -> None:
    """Keys no engine reads: they are part of the vocabulary all the same."""
    drawing.optional(data, 8, "name", "a name")
    drawing.optional(data, 8, "description", "a question and its answer")
    enough = {"until": {"metric": "latency mean", "half_width": "5%"}, "min": 2, "max": 3}
    drawing.optional(data, 16, "replications", 2, enough)
    if "start" not in data:
        drawing.optional(data, 8, "start", "2026-11-02T00:00:00Z")
    drawing.optional(data, 8, "region", "eu-west-1", "af-south-1")
    if drawing.maybe(8):
        data["thresholds"] = {"latency": ["p(95)<200ms"], "requests": ["count>1"]}
    if drawing.maybe(35):
        add_alarms(drawing, data)
    if drawing.maybe(25):
        pricing: dict[str, Any] = {"month": "project", "represents": "steady"}
        drawing.optional(pricing, 50, "hours", 720, "calendar", 730)
        drawing.optional(pricing, 50, "month", "run", "project")
        drawing.optional(pricing, 30, "book", "aws-us-east-1")
        drawing.optional(pricing, 30, "free_tier", "none")
        drawing.optional(pricing, 30, "month_to_date", {"requests": 1})
        drawing.optional(pricing, 70, "allocation", "requests", "bytes", "even", "unallocated")
        drawing.optional(pricing, 70, "by", *_GROUPINGS)
        data["pricing"] = pricing
