"""Hypothesis strategies for traffic: open sources, closed users and replayed logs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import strategies as st

from tests.equivalence.laws import THINK_TIMES, atom_times, chance, popularities, times

__all__ = ["Drawn", "draw_traffic"]

#: Length [ms] and rate [1/s] of open phases of at most 100 requests.
_STEADY: Final = (
    (200, 200),
    (100, 1000),
    (1000, 100),
    (20, 5000),
    (500, 100),
    (1000, 50),
    (40, 2000),
    (100, 0),
)
_UNEVEN: Final = ((1000, "33.3"), (3000, "900/min"), (1000, "61.7"))
_BURSTY: Final = (
    {"ratio": 5, "peak_for": "20ms", "base_for": "30ms"},
    {"ratio": 100, "peak_for": "1ms"},
    {"ratio": 1, "base_for": "10ms"},
    {"peak_for": "50ms", "base_for": "50ms"},
)


@dataclass
class Drawn:
    """Draws of one example and the files it needs.

    Parameters
    ----------
    draw
        Given by hypothesis.
    apis : dict
        The scenario's APIs.
    exact : bool
        Only arrivals that fall on whole tenths of milliseconds.
    """

    draw: Any
    apis: dict[str, Any]
    exact: bool
    files: dict[str, str] = field(default_factory=dict)

    def maybe(self, percent: int) -> bool:
        """True in about ``percent`` of a hundred draws."""
        return bool(self.draw(chance(percent)))

    def one(self, *options: Any) -> Any:
        """One of several values."""
        return self.draw(st.sampled_from(options))

    def time(self) -> Any:
        """A distribution of times."""
        return self.draw(atom_times() if self.exact else times())

    def optional(self, into: dict[str, Any], percent: int, key: str, *options: Any) -> None:
        """Give a key one of several values, or leave it out."""
        if self.maybe(percent):
            into[key] = self.one(*options)


def draw_traffic(drawn: Drawn) -> dict[str, Any]:
    """One to four sources of all kinds."""
    traffic: dict[str, Any] = {}
    for at in range(drawn.one(2, 1, 3, 4)):
        kind = drawn.one(_open_source, _open_source, _closed_source, _trace_source)
        source = kind(drawn, f"s{at}")
        if drawn.maybe(35):
            network = {}
            if drawn.maybe(80):
                network["rtt"] = drawn.time()
            if drawn.maybe(40):
                network["edge_rtt"] = drawn.time()
            source["network"] = network
        traffic[f"s{at}"] = source
    return traffic


def _open_source(drawn: Drawn, _: str) -> dict[str, Any]:
    process = "uniform"
    if not drawn.exact:
        bursty = {"bursty": drawn.one(*_BURSTY)}
        process = drawn.one("uniform", "poisson", "uniform", "bursty", bursty)
    source: dict[str, Any] = {"arrivals": process}
    if process == "uniform" and (drawn.exact or drawn.maybe(70)):
        source["offset"] = 0 if drawn.exact else drawn.one(0, 0, 0.5)
    elif process == "poisson" and drawn.maybe(50):
        del source["arrivals"]  # the default
    phases = [_open_phase(drawn, may_pause=at > 0) for at in range(drawn.one(1, 2, 3))]
    source["phases"] = _named(drawn, phases)
    return source | _mix(drawn)


def _open_phase(drawn: Drawn, *, may_pause: bool) -> dict[str, Any]:
    kind = drawn.one("rate", "rate", "rate", "counts", *(["pause"] if may_pause else []))
    if kind == "pause":
        return {"pause": drawn.one("10ms", "100ms", "1ms")}
    phase: dict[str, Any]
    if kind == "counts":
        phase = {"per": drawn.one("20ms", "100ms")}
        if drawn.maybe(25) and not drawn.exact:
            counts: dict[str, Any] = {"file": "counts.csv", "column": "calls"}
            drawn.optional(counts, 50, "rows", 2, 1)
            if drawn.maybe(50):
                counts |= {"from": "00:01"} if drawn.maybe(50) else {"from": "12"}
                if counts["from"] == "12":
                    counts |= {"time_column": "calls", "rows": 1}
            phase["counts_from"] = counts
        else:
            phase["counts"] = [drawn.one(20, 0, 10, 5) for _ in range(drawn.one(2, 3, 5))]
    else:
        steady = _STEADY if drawn.exact else (*_STEADY, *_UNEVEN)
        length, rate = drawn.one(*steady)
        phase = {"duration": f"{length}ms", "rate": rate}
        if drawn.maybe(35) and not drawn.exact:
            phase["ramp_to"] = drawn.one(0, 50, "100.5") if length > 100 else 500
    drawn.optional(phase, 5, "events_per_month", 30)
    return phase


def _closed_source(drawn: Drawn, _: str) -> dict[str, Any]:
    phases: list[dict[str, Any]] = []
    thinks = THINK_TIMES[:4] if drawn.exact else THINK_TIMES
    for _ in range(drawn.one(1, 1, 2, 3)):
        if phases and drawn.maybe(25):
            phases.append({"pause": drawn.one("1ms", "10ms")})
        think, lengths = drawn.one(*thinks)
        phase = {
            "duration": f"{drawn.one(*lengths)}ms",
            "users": drawn.one(2, 3, 1, 4, 0),
            "think_time": think,
        }
        drawn.optional(phase, 30, "ramp_to", 2, 0, 4)
        drawn.optional(phase, 5, "events_per_month", 30)
        phases.append(phase)
    source: dict[str, Any] = {"phases": _named(drawn, phases)}
    if drawn.exact or drawn.maybe(60):
        source["offset"] = 0
    return source | _mix(drawn)


def _named(drawn: Drawn, phases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if drawn.maybe(50):
        return [{"name": f"part{at}", **phase} for at, phase in enumerate(phases)]
    return phases


def _mix(drawn: Drawn) -> dict[str, Any]:
    """What is called, and the values its parameters take."""
    routes = list(_all_routes(drawn))
    mix: dict[str, Any] = {}
    parameters: dict[str, None] = {}
    for _ in range(min(len(routes), drawn.one(1, 2, 3, 5))):
        api, key = drawn.one(*routes)
        method, _, path = key.partition(" ")
        if path:
            if method == "ANY":
                method = drawn.one("GET", "POST", "ANY")
            if method != "ANY" and drawn.maybe(20):
                path = _concrete(path)
            key = f"{method} {path}"
        stage = drawn.apis[api].get("stage", {}).get("name")
        front = f"{api} "
        if stage is not None and drawn.maybe(30):
            front = f"{api}/{stage} "
        elif len(drawn.apis) == 1 and drawn.maybe(70):
            front = ""
        if any(text.endswith(key) and api in (text.split()[0].split("/")[0], "one") for text in mix):
            continue  # one line a route
        mix[front + key] = drawn.one(1, 1, 5, "20%")
        for name in re.findall(r"\{(\w+)", path):
            parameters[f"path.{name}"] = None
    values: dict[str, Any] = {name: drawn.draw(popularities()) for name in parameters}
    for name, percent in (
        ("header.authorization", 85),
        ("header.x-client", 60),
        ("querystring.q", 60),
    ):
        if drawn.maybe(percent):
            values[name] = drawn.draw(popularities())
    return {"mix": mix, "values": values} if values else {"mix": mix}


def _all_routes(drawn: Drawn) -> Iterator[tuple[str, str]]:
    for name, api in drawn.apis.items():
        for key in api["routes"]:
            yield name, key


def _concrete(path: str) -> str:
    return path.replace("{proxy+}", "x/y").replace("{id}", "7")


def _trace_source(drawn: Drawn, name: str) -> dict[str, Any]:
    api = drawn.one(*drawn.apis)
    paths = ["/nowhere/at/all"]
    for key in drawn.apis[api]["routes"]:
        path = _concrete(key.partition(" ")[2] or "/any/thing")
        paths += [path, path, path.replace("7", "8")]
    pattern = [
        (
            drawn.one(0, 0, 1, 10),
            drawn.one("alice", "bob", ""),
            drawn.one("GET", "GET", "GET", "POST", "DELETE"),
            drawn.one(*paths) + drawn.one("", "", "?q=1", "?q=2&r=1"),
            drawn.one("", 0, 100, 1000, 2_000_000),
        )
        for _ in range(drawn.one(3, 5, 8, 1))
    ]
    rows, at_ms = [], 0
    for gap, client, method, path, size in pattern * drawn.one(8, 15, 30, 1):
        at_ms += gap
        stamp = f"{1000 + at_ms // 1000}.{at_ms % 1000:03d}"
        rows.append(f"{stamp},{client},{method},{path},200,{size}")
    trace: dict[str, Any] = {"file": f"{name}.csv"}
    if drawn.maybe(25):
        rows = rows[len(rows) // 2 :] + rows[: len(rows) // 2]
        trace["sort"] = True
    drawn.optional(trace, 30, "speed", 2, 0.5) if drawn.exact else drawn.optional(
        trace, 30, "speed", 2, 0.5, 3
    )
    if len(drawn.apis) > 1 or drawn.maybe(20):
        trace["api"] = api
    header = "timestamp_s,client,method,path,status,bytes"
    drawn.files[trace["file"]] = "\n".join([header, *rows]) + "\n"
    return {"trace": trace}
