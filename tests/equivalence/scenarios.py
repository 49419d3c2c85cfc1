"""A hypothesis strategy of whole scenarios over everything a scenario can say.

What is drawn is what a user would write: plain data for a YAML file and the files it refers to.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from hypothesis import strategies as st

from apisim.scenario import Scenario, loads
from tests.equivalence.laws import FILES, atom_times, chance, payloads, throttles, times
from tests.equivalence.sources import Drawn, draw_traffic

__all__ = ["Case", "scenarios"]


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
        return str(yaml.safe_dump(self.data, sort_keys=False, width=100))

    @property
    def shown(self) -> str:
        """The scenario and its own files, to be read and copied."""
        return self.text + "".join(f"--- {name}\n{text}" for name, text in self.files.items())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # What hypothesis prints: the test's own message has the whole scenario.
        printer.text(f"Case with sources {', '.join(self.data['traffic'])}")

    def write(self, folder: Path) -> None:
        """Write the files the scenario refers to."""
        for name, text in {**FILES, **self.files}.items():
            (folder / name).write_text(text)

    def load(self, folder: Path) -> Scenario:
        """The scenario, its files looked for in ``folder``."""
        self.write(folder)
        return loads(self.text, file="case.yaml", base=folder)


_PATHS: Final = ("/items", "/items/{id}", "/items/{id}/parts", "/a", "/b", "/{proxy+}")
_METHODS: Final = ("GET", "GET", "GET", "GET", "ANY", "POST", "DELETE")
#: Around the shortest time an integration may be given, 50 ms.
_SLOW: Final = ("50ms", "60ms", "100ms", {"uniform": ["40ms", "60ms"]})
_TTLS: Final = ("50ms", "10ms", "1s", "0s", "200ms", "300s")
_SOURCES: Final = ("header.authorization", "header.x-client", "querystring.q", "path.id")


@dataclass
class _Draft:
    """A scenario under construction."""

    draw: Any
    exact: bool
    functions: dict[str, Any] = field(default_factory=dict)
    endpoints: dict[str, Any] = field(default_factory=dict)
    authorizers: dict[str, Any] = field(default_factory=dict)
    apis: dict[str, Any] = field(default_factory=dict)

    def maybe(self, percent: int) -> bool:
        return bool(self.draw(chance(percent)))

    def one(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def time(self) -> Any:
        return self.draw(atom_times() if self.exact else times())

    def optional(self, into: dict[str, Any], percent: int, key: str, *options: Any) -> None:
        """Give a key one of several values, or leave it out."""
        if self.maybe(percent):
            into[key] = self.one(*options)

    def add_backends(self) -> None:
        for at in range(self.one(1, 2, 3)):
            spec = {"duration": self.time() if self.maybe(70) else self.one(*_SLOW)}
            if self.maybe(60):
                spec["init"] = self.time()
            self.optional(spec, 20, "timeout", "10ms", "1ms", "20ms", "3s")
            self.optional(spec, 25, "errors", "10%", "50%", "100%")
            self.optional(spec, 25, "reserved_concurrency", 2, 1, 3, 10, 0)
            self.optional(spec, 10, "memory", "512MB", "1GB")
            self.optional(spec, 10, "architecture", "arm64", "x86")
            self.functions[f"f{at}"] = spec
        for at in range(self.one(1, 2)):
            spec = {"servers": self.one(1, 2, 3), "service_time": self.time()}
            self.optional(spec, 60, "queue_limit", 1, 0, 2, 10)
            self.optional(spec, 25, "errors", "10%", "50%", "100%")
            self.endpoints[f"e{at}"] = spec

    def add_authorizers(self) -> None:
        for at in range(self.one(0, 1, 1, 2)):
            spec: dict[str, Any] = {
                "type": self.one("token", "request"),
                "function": self.one(*self.functions),
            }
            self.optional(spec, 80, "ttl", "50ms", "10ms", "0s", "1s", "300s")
            self.optional(spec, 40, "deny_identities", "30%", "60%", "0.5%", "100%")
            if spec["type"] == "request" and self.maybe(60):
                n = self.one(1, 2)
                spec["identity_sources"] = [self.one(*_SOURCES) for _ in range(n)]
                spec["identity_sources"] = list(dict.fromkeys(spec["identity_sources"]))
                if spec.get("ttl") == "0s" and self.maybe(30):
                    spec["identity_sources"] = []
            elif self.maybe(20):
                spec["identity_sources"] = [self.one(*_SOURCES[:2])]
            self.authorizers[f"auth{at}"] = spec

    def add_api(self, name: str) -> None:
        api: dict[str, Any] = {"type": self.one("rest", "rest", "http")}
        is_rest = api["type"] == "rest"
        if is_rest:
            self.optional(api, 40, "endpoint", "edge", "regional")
        stage: dict[str, Any] = {}
        self.optional(stage, 20, "name", "v1", "live")
        if self.maybe(30):
            stage["throttle"] = self.draw(throttles())
            self.optional(stage["throttle"], 50, "scope", "shared", "method")
        if is_rest and self.maybe(80):
            for key, options in (
                ("cache_max_entries", (3, 1, 10)),
                ("cache_capacity", ("3KB", "1MB", "1B")),
                ("cache_cluster_size", ("0.5", "1.6", 6.1, "237")),
            ):
                self.optional(stage, 45, key, *options)
        if stage:
            api["stage"] = stage
        has_cache = any(key.startswith("cache") for key in stage)
        routes: dict[str, Any] = {}
        shapes = set()
        for _ in range(self.one(1, 2, 3, 4)):
            method, path = self.one(*_METHODS), self.one(*_PATHS)
            key = f"{method} {path}"
            if not is_rest and self.maybe(10):
                key = "$default"
            if key not in shapes:
                shapes.add(key)
                routes[key] = self.route(key, is_rest=is_rest, has_cache=has_cache)
        api["routes"] = routes
        self.apis[name] = api

    def route(self, key: str, *, is_rest: bool, has_cache: bool) -> dict[str, Any]:
        kinds = ["lambda_proxy", "http_proxy"]
        if is_rest:
            kinds += ["mock", "lambda", "http"]
        integration: dict[str, Any] = {"type": self.one(*kinds)}
        if integration["type"].startswith("lambda"):
            integration["function"] = self.one(*self.functions)
        elif integration["type"].startswith("http"):
            integration["endpoint"] = self.one(*self.endpoints)
        self.optional(integration, 65, "timeout", "50ms", "60ms", "50ms", "100ms", "29s")
        route: dict[str, Any] = {"integration": integration}
        usable = [n for n, a in self.authorizers.items() if is_rest or a["type"] == "request"]
        if usable:
            self.optional(route, 40, "authorizer", *usable)
        if self.maybe(30):
            route["throttle"] = self.draw(throttles())
        if has_cache and self.maybe(90):
            keys = [f"path.{p}" for p in ("id", "proxy") if f"{{{p}" in key]
            keys += ["header.authorization", "querystring", "querystring.q"]
            cache: dict[str, Any] = {"keys": [k for k in keys if self.maybe(40)]}
            self.optional(cache, 85, "ttl", *_TTLS)
            route["cache"] = cache
        for size in ("request_size", "response_size"):
            if self.maybe(30):
                route[size] = self.draw(payloads())
        return route

    def settings(self, profile: str) -> dict[str, Any]:
        chosen: dict[str, Any] = {}
        share = 50 if profile != "ideal" else 25
        for key in (
            "gateway_overhead",
            "hit_time",
            "refusal_time",
            "lambda_transport",
            "http_transport",
            "edge_hop",
            "edge_rtt",
        ):
            if self.exact or self.maybe(share):
                chosen[key] = self.time()
                if key.endswith("transport") and self.maybe(15):
                    chosen[key] = self.one("100ms", "120ms", "90ms")
        if "gateway_overhead" in chosen and self.maybe(40):
            types = ("rest", "http") if self.exact else self.one(("rest", "http"), ("http",))
            chosen["gateway_overhead"] = {kind: self.time() for kind in types}
        self.optional(chosen, 15, "cache_max_object", "1KB", "0B", "1GB")
        self.optional(chosen, 15, "cache_entry_overhead", "1KB", "0B")
        self.optional(chosen, 50, "idle_expiry", "10ms", "1ms", "20ms", "100ms", "10m")
        self.optional(chosen, 25, "method_limit", "within_stage", "replaces_stage")
        self.optional(chosen, 25, "throttle_scope", "shared", "method")
        self.optional(chosen, 20, "path_in_cache_key", True, False)
        self.optional(chosen, 10, "http_timeout_status", 504, 503)
        self.optional(chosen, 10, "lambda_throttle_status_http", 503, 500)
        if self.maybe(40):
            limit = self.one("50ms", "60ms")
            chosen["authorizer_timeout"] = self.one(limit, {"rest": limit}, {"http": limit})
        bases = ("response_payload", "larger", "sum", "request_payload")
        self.optional(chosen, 20, "http_metering_basis", *bases)
        return chosen


@st.composite
def scenarios(draw: Any, *, exact: bool = False) -> Case:
    """Scenarios over the whole vocabulary, of a few hundred requests.

    Parameters
    ----------
    draw
        Given by hypothesis.
    exact : bool
        Only times that are whole milliseconds and arrivals that fall on them: everything is then
        exact at ten times the size too.
    """
    draft = _Draft(draw, exact)
    profile = "ideal" if exact else draft.one("ideal", "aws", "chapter")
    data: dict[str, Any] = {"apisim": 1, "profile": profile}
    draft.optional(data, 80, "seed", 2, 7, 0, 2**64 - 1)
    draft.add_backends()
    draft.add_authorizers()
    for name in ("one", "two", "three")[: draft.one(1, 1, 2, 3)]:
        draft.add_api(name)
    settings = draft.settings(profile)
    account: dict[str, Any] = {}
    if draft.maybe(20):
        account["throttle"] = draw(throttles())
    reserved = sum(f.get("reserved_concurrency", 0) for f in draft.functions.values())
    if draft.maybe(30):
        account["lambda_concurrency"] = reserved + draft.one(5, 2, 10, 1, 0)
    data |= {"account": account} if account else {}
    data |= {"settings": settings} if settings else {}
    data["apis"] = draft.apis
    data |= {"authorizers": draft.authorizers} if draft.authorizers else {}
    data |= {"functions": draft.functions, "endpoints": draft.endpoints}
    drawn = Drawn(draw, draft.apis, exact=exact)
    data["traffic"] = draw_traffic(drawn)
    draft.optional(data, 30, "warm_up", "10ms", "9ms", "1ms")
    _add_unrelated_keys(draft, data)
    return Case(data, drawn.files)


def _add_unrelated_keys(draft: _Draft, data: dict[str, Any]) -> None:
    """Keys no engine reads: they are part of the vocabulary all the same."""
    draft.optional(data, 8, "name", "a name")
    draft.optional(data, 8, "description", "a question and its answer")
    draft.optional(data, 8, "replications", 2)
    draft.optional(data, 8, "start", "2026-11-02T00:00:00Z")
    draft.optional(data, 8, "region", "eu-west-1", "af-south-1")
    if draft.maybe(8):
        data["thresholds"] = {"latency": ["p(95)<200ms"], "requests": ["count>1"]}
    if draft.maybe(25):
        pricing: dict[str, Any] = {"month": "project", "represents": "steady"}
        draft.optional(pricing, 50, "hours", 720, "calendar", 730)
        draft.optional(pricing, 50, "month", "run", "project")
        draft.optional(pricing, 30, "book", "aws-us-east-1")
        draft.optional(pricing, 30, "free_tier", "none")
        draft.optional(pricing, 30, "month_to_date", {"requests": 1})
        data["pricing"] = pricing
