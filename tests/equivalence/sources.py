"""Hypothesis strategies for traffic: open sources, closed users and replayed logs."""

import re
from collections.abc import Callable
from typing import Any, Final

from tests.equivalence.access import draw_credentials
from tests.equivalence.browsers import draw_browser
from tests.equivalence.clients import draw_client
from tests.equivalence.drawing import Drawing
from tests.equivalence.laws import CROWDED_THINK_TIMES, THINK_TIMES, popularities
from tests.equivalence.network import draw_network
from tests.equivalence.validators import draw_sent

__all__ = ["draw_traffic"]

#: Length [ms] and rate [1/s] of open phases of at most 100 requests.
_EXACT: Final = (
    (200, 200),
    (100, 1000),
    (1000, 100),
    (20, 5000),
    (500, 100),
    (1000, 50),
    (40, 2000),
    (100, 0),
)
_CROWDED: Final = ((40, 1000), (20, 2000), (80, 500), (50, 1000))
_UNEVEN: Final = ((1000, "33.3"), (3000, "900/min"), (1000, "61.7"))
_BURSTY: Final = (
    "bursty",
    {"bursty": {"ratio": 5, "peak_for": "20ms", "base_for": "30ms"}},
    {"bursty": {"ratio": 100, "peak_for": "1ms"}},
    {"bursty": {"ratio": 1, "base_for": "10ms"}},
    {"bursty": {"peak_for": "50ms", "base_for": "50ms"}},
)


def draw_traffic(
    drawing: Drawing, apis: dict[str, Any], populations: dict[str, Any]
) -> dict[str, Any]:
    """One to four sources of all kinds."""
    traffic: dict[str, Any] = {}
    for at in range(drawing.one(2, 1, 3, 4)):
        kinds: tuple[Callable[[Drawing], dict[str, Any]], ...] = (_open, _open, _closed)
        draw_kind = drawing.one(*kinds, None)
        if draw_kind is None:
            source = _trace(drawing, apis, f"s{at}.csv")
        else:
            source = draw_kind(drawing) | _mix(drawing, apis)
        if drawing.maybe(50):
            wanted: dict[str, Any] = {}
            drawing.optional(wanted, 90, "share", "50%", "100%", "5%")
            drawing.optional(wanted, 70, "authorized", "50%", "100%")
            source["invalidate"] = wanted
        if "trace" not in source and drawing.maybe(30):
            source["browser"] = draw_browser(drawing)
            if drawing.maybe(50):  # simple requests need a page that sets no headers
                source["browser"].pop("headers", None)
                source.get("values", {}).pop("header.authorization", None)
                source.get("values", {}).pop("header.x-client", None)
        if "trace" not in source and drawing.maybe(30):
            source["client"] = draw_client(drawing)
        callers = _callers(drawing, source, populations)
        if "of" in callers and drawing.maybe(75):
            # Else their tokens would hardly ever be shown.
            source.get("values", {}).pop("header.authorization", None)
        source |= draw_sent(drawing, apis, source)
        traffic[f"s{at}"] = source | callers
        if drawing.maybe(60):
            traffic[f"s{at}"]["network"] = draw_network(drawing, traffic[f"s{at}"])
    return traffic


def _callers(
    drawing: Drawing, source: dict[str, Any], populations: dict[str, Any]
) -> dict[str, Any]:
    """Who stands behind a source."""
    callers: dict[str, Any] = {}
    if populations and "trace" not in source and drawing.maybe(70):
        callers["of"] = drawing.one(*populations)
    of = populations.get(callers.get("of"), {})
    if "source_ips_each" not in of and "source_ips" not in of:
        drawing.optional(callers, 30, "source_ip", "203.0.113.0/24", "203.0.113.7")
    return callers | draw_credentials(drawing, of)


def _named(drawing: Drawing, phases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if drawing.maybe(50):
        return [{"name": f"part{at}", **phase} for at, phase in enumerate(phases)]
    return phases


def _open(drawing: Drawing) -> dict[str, Any]:
    in_step = drawing.is_exact or (drawing.is_crowded and drawing.maybe(80))
    process: Any = "uniform"
    if not in_step:
        process = drawing.one("uniform", "poisson", "uniform", "bursty")
        if process == "bursty":
            process = drawing.one(*_BURSTY)
    source: dict[str, Any] = {"arrivals": process}
    if in_step:
        source["offset"] = 0
    elif process == "uniform":
        drawing.optional(source, 70, "offset", 0, 0, 0.5)
    elif process == "poisson" and drawing.maybe(50):
        del source["arrivals"]  # the default
    phases = [_open_phase(drawing, may_pause=at > 0) for at in range(drawing.one(1, 2, 3))]
    return source | {"phases": _named(drawing, phases)}


def _open_phase(drawing: Drawing, *, may_pause: bool) -> dict[str, Any]:
    kind = drawing.one("rate", "rate", "rate", "counts", *(["pause"] if may_pause else []))
    if kind == "pause":
        return {"pause": drawing.one("10ms", "100ms", "1ms")}
    phase: dict[str, Any]
    if kind == "counts":
        phase = {"per": drawing.one("20ms", "100ms")}
        if drawing.maybe(25) and not drawing.is_exact:
            phase["counts_from"] = _counts_from(drawing)
        else:
            phase["counts"] = [drawing.one(20, 0, 10, 5) for _ in range(drawing.one(2, 3, 5))]
    else:
        steady = {"exact": _EXACT, "crowded": _CROWDED, "any": (*_EXACT, *_UNEVEN)}
        length, rate = drawing.one(*steady[drawing.style.value])
        phase = {"duration": f"{length}ms", "rate": rate}
        if drawing.maybe(35) and not drawing.is_exact:
            phase["ramp_to"] = drawing.one(0, 50, "100.5") if length > 100 else 500
    drawing.optional(phase, 5, "events_per_month", 30)
    return phase


def _counts_from(drawing: Drawing) -> Any:
    return drawing.one(
        {"file": "counts.csv", "column": "calls"},
        {"file": "counts.csv", "column": "calls", "rows": 3},
        {"file": "counts.csv", "column": "calls", "from": "00:01"},
        {"file": "counts.csv", "column": "calls", "from": "30", "time_column": "calls", "rows": 1},
    )


def _closed(drawing: Drawing) -> dict[str, Any]:
    phases: list[dict[str, Any]] = []
    thinks = CROWDED_THINK_TIMES if drawing.is_crowded else THINK_TIMES
    for _ in range(drawing.one(1, 1, 2, 3)):
        if phases and drawing.maybe(40):
            phases.append({"pause": drawing.one("1ms", "10ms")})
        think, lengths = drawing.one(*(thinks[:4] if drawing.is_exact else thinks))
        phase = {
            "duration": f"{drawing.one(*lengths)}ms",
            "users": drawing.one(2, 3, 1, 4, 0),
            "think_time": think,
        }
        if drawing.is_exact:  # users join and leave at halves and quarters of the phase
            phase["users"] = drawing.one(2, 4, 0)
        drawing.optional(phase, 30, "ramp_to", 2, 0, 4)
        drawing.optional(phase, 5, "events_per_month", 30)
        phases.append(phase)
    source: dict[str, Any] = {"phases": _named(drawing, phases)}
    if drawing.is_exact or drawing.maybe(80 if drawing.is_crowded else 60):
        source["offset"] = 0
    return source


def _mix(drawing: Drawing, apis: dict[str, Any]) -> dict[str, Any]:
    """What is called, and the values its parameters take."""
    routes = [(name, key) for name, api in apis.items() for key in api["routes"]]
    mix: dict[str, Any] = {}
    called: set[tuple[str, str]] = set()
    parameters: dict[str, None] = {}
    for _ in range(min(len(routes), drawing.one(1, 2, 3, 5))):
        api, key = drawing.one(*routes)
        method, _, path = key.partition(" ")
        if method == "ANY":
            method = drawing.one("GET", "POST", "ANY")
        if path and method != "ANY" and drawing.maybe(20):
            path = _concrete(path)
        key = f"{method} {path}" if path else method
        if (api, key) in called:
            continue
        called.add((api, key))
        mix[_front(drawing, apis, api) + key] = drawing.one(1, 1, 5, "20%")
        parameters |= {f"path.{name}": None for name in re.findall(r"\{(\w+)", path)}
    values = {name: drawing.draw(popularities()) for name in parameters}
    headers = {"header.authorization": 92, "header.x-client": 75, "querystring.q": 75}
    for name, percent in headers.items():
        if drawing.maybe(percent):
            values[name] = drawing.draw(popularities())
    return {"mix": mix, "values": values} if values else {"mix": mix}


def _front(drawing: Drawing, apis: dict[str, Any], api: str) -> str:
    """Name of the API in front of a line of a mix, where it may or must stand."""
    stage = apis[api].get("stage", {}).get("name")
    if stage is not None and drawing.maybe(30):
        return f"{api}/{stage} "
    return "" if len(apis) == 1 and drawing.maybe(70) else f"{api} "


def _concrete(path: str) -> str:
    return path.replace("{proxy+}", "x/y").replace("{id}", "7")


def _trace(drawing: Drawing, apis: dict[str, Any], file: str) -> dict[str, Any]:
    """A log with a coarse clock: a pattern of requests, again and again."""
    api = drawing.one(*apis)
    paths = ["/nowhere/at/all"]
    for key in apis[api]["routes"]:
        path = _concrete(key.partition(" ")[2] or "/any/thing")
        paths += [path, path, path.replace("7", "8")]
    gaps = (0, 0, 1) if drawing.is_crowded else (0, 0, 1, 10)
    pattern = [
        (
            drawing.one(*gaps),
            drawing.one("alice", "bob", ""),
            drawing.one("GET", "GET", "GET", "POST", "DELETE"),
            drawing.one(*paths) + drawing.one("", "", "?q=1", "?q=2&r=1"),
            drawing.one("", 0, 100, 1000, 2_000_000),
        )
        for _ in range(drawing.one(3, 5, 8, 1))
    ]
    rows, at_ms = [], 0
    for gap, client, method, path, size in pattern * drawing.one(8, 15, 30, 1):
        at_ms += gap
        stamp = f"{1000 + at_ms // 1000}.{at_ms % 1000:03d}"
        rows.append(f"{stamp},{client},{method},{path},200,{size}")
    trace: dict[str, Any] = {"file": file}
    if drawing.maybe(25):
        rows = rows[len(rows) // 2 :] + rows[: len(rows) // 2]
        trace["sort"] = True
    drawing.optional(trace, 30, "speed", 2, 0.5, *([] if drawing.is_exact else [3]))
    if len(apis) > 1 or drawing.maybe(20):
        trace["api"] = api
    header = "timestamp_s,client,method,path,status,bytes"
    drawing.files[file] = "\n".join([header, *rows]) + "\n"
    return {"trace": trace}
