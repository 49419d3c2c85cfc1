"""Hypothesis strategies for what the timeline sets: any number of a scenario, at any time."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.equivalence.bodies import LARGE_ANSWERS
from tests.equivalence.drawing import Drawing
from tests.equivalence.functions import set_aside
from tests.equivalence.laws import payloads
from tests.equivalence.network import LINES, PLACES

__all__ = ["changeable", "draw_changes"]

_SHARES = ("50%", "10%", "100%", "0%")
#: A path, and what draws a value for it.
_Choice = tuple[str, Callable[[Drawing], Any]]


def draw_changes(drawing: Drawing, data: dict[str, Any]) -> list[dict[str, Any]]:
    """Entries that set one number or several, for a while or for good."""
    choices = list(changeable(data))
    times: tuple[str, ...] = ("20ms", "10ms", "25ms", "0s", "100ms", "1h")
    lengths: tuple[str, ...] = ("10ms", "50ms", "1ms", "1h")
    if drawing.is_crowded:  # at instants at which calls come
        times = ("10ms", "5ms", "4ms", "8ms", "12ms", "15ms", "20ms", "0s")
        lengths = ("4ms", "1ms", "10ms")
    entries: list[dict[str, Any]] = []
    taken: set[str] = set()
    for _ in range(drawing.one(3, 1, 2, 6) if drawing.is_crowded else drawing.one(2, 1, 3)):
        new = {}
        for _ in range(drawing.one(1, 2, 4)):
            path, value = drawing.one(*choices)
            if path not in taken:  # one path at a time, so that none is held twice
                taken.add(path)
                new[path] = value(drawing)
        if not new:
            continue
        entry: dict[str, Any] = {"at": drawing.one(*_moments(data), *times, *times), "set": new}
        drawing.optional(entry, 60, "for", *lengths)
        entries.append(entry)
    return entries


def _moments(data: dict[str, Any]) -> list[str]:
    """Times after the beginning of a phase."""
    return [
        f"{name}.{phase['name']}+{after}"
        for name, source in data["traffic"].items()
        for phase in source.get("phases", [])
        if "name" in phase
        for after in ("1ms", "0s")
    ][:4]


def _one_of(*values: Any) -> Callable[[Drawing], Any]:
    return lambda drawing: drawing.one(*values)


def changeable(data: dict[str, Any]) -> Iterator[_Choice]:
    """Paths of a scenario that may be set while it runs, and values that keep it good."""
    time = Drawing.time
    functions, account = data.get("functions", {}), data.get("account", {})
    for name, spec in functions.items():
        at = f"functions.{name}"
        yield f"{at}.duration", time
        if "runtime" not in spec:
            yield f"{at}.init", time
        yield f"{at}.malformed", _one_of(*_SHARES)
        if "additional_version" in spec:
            yield f"{at}.additional_version.weight", _one_of(*_SHARES)
        yield f"{at}.errors", _one_of(*_SHARES)
        yield f"{at}.timeout", _one_of("10ms", "1ms", "20ms", "3s")
        yield f"{at}.maximum_retry_attempts", _one_of(1, 0, 2)
        yield f"{at}.maximum_event_age", _one_of("60s", "2m")
        if spec.get("reserved_concurrency"):
            yield (
                f"{at}.reserved_concurrency",
                _one_of(
                    *range(spec.get("provisioned_concurrency", 0), spec["reserved_concurrency"] + 1)
                ),
            )
    for name in data.get("endpoints", {}):
        at = f"endpoints.{name}"
        yield f"{at}.service_time", time
        yield f"{at}.errors", _one_of(*_SHARES)
        yield f"{at}.servers", _one_of(2, 1, 4, 100)
        yield f"{at}.queue_limit", _one_of(1, 0, 5, 100)
    for name, spec in data.get("services", {}).items():
        at = f"services.{name}"
        yield f"{at}.latency", time
        yield f"{at}.errors", _one_of(*_SHARES)
        if "read_capacity_units" in spec:
            yield f"{at}.read_capacity_units", _one_of(1, 5, 100)
        if "limit" in spec:
            yield from _throttle({}, f"{at}.limit", spec["limit"])
    others = account.get("background", {})
    taken = set_aside(functions) + others.get("lambda_concurrency", 0)
    yield "account.lambda_concurrency", _one_of(*(taken + n for n in (1, 2, 5, 10, 0)))
    if not others.get("requests"):
        yield from _throttle(data, "account.throttle", account.get("throttle", {}))
    yield "settings.lambda_request_rate", _one_of(1, 10, 0)
    yield "settings.environment_setup", time
    for name, api in data["apis"].items():
        yield from _of_api(data, f"apis.{name}", api)
    yield from _of_access(data)
    for name, source in data["traffic"].items():
        yield from _of_network(f"traffic.{name}.network", source.get("network", {}))
    settings = ["hit_time", "refusal_time", "lambda_transport", "http_transport", "edge_hop"]
    settings += ["gateway_overhead", "waf_latency", "credential_check_time", "key_set_time"]
    for name in settings:
        yield f"settings.{name}", time
    yield "settings.idle_expiry", _one_of("1ms", "2ms", "10ms", "10m")
    yield "settings.signature_window", _one_of("1m", "10m")


def _of_network(at: str, network: dict[str, Any]) -> Iterator[_Choice]:
    """What a way can be given while it is used: no kind of connections, and no first bandwidth."""
    if "location" in network:
        yield f"{at}.location", _one_of(*PLACES)
        yield f"{at}.edge_rtt", _one_of(*LINES[:2])
    else:
        for key in [x for x in ("rtt", "edge_rtt", "origin_rtt") if x in network]:
            yield f"{at}.{key}", Drawing.time
    if "bandwidth" in network:
        yield f"{at}.bandwidth", _one_of("1Mbps", "200kbps")
    if "reuse" in network:
        yield f"{at}.reuse", _one_of("90%", "0%", "100%")
    if network.get("keep_alive", "off") != "off":
        yield f"{at}.keep_alive", _one_of("1s", "1ms", "1h")
    if "tls" in network:
        yield f"{at}.tls", _one_of("1.3", "1.2")


def _throttle(data: dict[str, Any], at: str, throttle: dict[str, Any]) -> Iterator[_Choice]:
    """Rates and bursts that can be divided into as many parts as the settings say."""
    parts = data.get("settings", {}).get("sloppiness", 1)
    yield f"{at}.rate_limit", _one_of(100, 1000, "33.3", "2500/min", 0)
    yield f"{at}.burst_limit", _one_of(*(burst for burst in (5, 1, 20, 0) if not 0 < burst < parts))


def _of_api(data: dict[str, Any], at: str, api: dict[str, Any]) -> Iterator[_Choice]:
    stage = api.get("stage", {})
    if "throttle" in stage:
        yield from _throttle(data, f"{at}.stage.throttle", stage["throttle"])
    if stage.get("waf", {}).get("block"):
        yield f"{at}.stage.waf.block", _one_of(*_SHARES)
    several = {f"stages.{name}": one for name, one in api.get("stages", {}).items()}
    stages = several or {"stage": stage}
    for name, one in stages.items():
        yield f"{at}.{name}.deployment", _one_of(2, 1, 3)
        rule = one.get("tracing")
        if isinstance(rule, dict):
            yield f"{at}.{name}.tracing.rate", _one_of("20%", "100%", "5%")
            if rule.get("reservoir", 1) != 0:
                yield f"{at}.{name}.tracing.reservoir", _one_of(1, 3, 9)
        if "canary" in one:
            yield f"{at}.{name}.canary.percent_traffic", _one_of(50, 0, 100, 10)
            if _are_alike(data, one["canary"].get("endpoints", {})):
                yield f"{at}.{name}.canary.promoted", _one_of(True, False)
    for index, rule in enumerate(stage.get("waf", {}).get("rate_based", [])):
        yield f"{at}.stage.waf.rate_based.{index}.limit", _one_of(rule["limit"], 10, 100)
    if api.get("mutual_tls"):
        yield f"{at}.mutual_tls.invalid_certificates", _one_of(*_SHARES)
    time = Drawing.time
    is_cached = any(key.startswith("cache") for key in stage)
    for key, route in api["routes"].items():
        of_route, integration = f"{at}.routes.{key}", route.get("integration", {"type": "mock"})
        if key not in ("$connect", "$disconnect"):  # nobody is sent what those answer
            yield (
                f"{of_route}.response_size",
                lambda drawing: LARGE_ANSWERS if drawing.maybe(20) else drawing.draw(payloads()),
            )
        for part in integration.get("transformation", {}):
            values = time if part.endswith("_time") else _one_of(2, 0.5, 1)
            yield f"{of_route}.integration.transformation.{part}", values
        if integration["type"] != "mock":
            yield f"{of_route}.integration.timeout", _one_of("50ms", "60ms", "29s")
        if "function" in integration and not any("canary" in one for one in stages.values()):
            yield f"{of_route}.integration.function", _one_of(*data["functions"])
        if "throttle" in route:
            yield from _throttle(data, f"{of_route}.throttle", route["throttle"])
        cache = route.get("cache", {})
        if is_cached and cache and cache.get("ttl") != "0s" and cache.get("enabled", True):
            yield f"{of_route}.cache.ttl", _one_of("1ms", "2ms", "10ms", "1s")
        if route.get("updates") and cache:
            yield f"{of_route}.updates", _one_of(1000, 100, 5)


def _are_alike(data: dict[str, Any], instead: dict[str, str]) -> bool:
    """Whether each endpoint stands behind a load balancer where the other one does."""
    endpoints = data["endpoints"]
    return all(
        ("behind" in endpoints[old]) == ("behind" in endpoints[new]) for old, new in instead.items()
    )


def _of_access(data: dict[str, Any]) -> Iterator[_Choice]:
    for name, spec in data.get("authorizers", {}).items():
        at = f"authorizers.{name}"
        if spec["type"] in ("token", "request"):
            yield f"{at}.unauthorized", _one_of(*_SHARES)
            if "silent_identities" not in spec:
                yield f"{at}.deny_identities", _one_of(*_SHARES)
            if spec.get("ttl", "0s") != "0s":  # left out is none on HTTP APIs
                yield f"{at}.ttl", _one_of("1ms", "2ms", "50ms")
        elif spec["type"] in ("cognito", "jwt"):
            yield f"{at}.invalid_tokens", _one_of(*_SHARES)
    for name, plan in data.get("usage_plans", {}).items():
        at = f"usage_plans.{name}"
        if "throttle" in plan:
            yield from _throttle(data, f"{at}.throttle", plan["throttle"])
        if "quota" in plan:
            yield f"{at}.quota.limit", _one_of(8, 5, 20, 1000)
            yield f"{at}.quota.offset", _one_of(2, 0, 1)
    for name in data.get("api_keys", {}):
        yield f"api_keys.{name}.enabled", _one_of(True, False)
