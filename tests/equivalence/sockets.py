"""Hypothesis strategies for WebSocket APIs: users who stay, and what is pushed to them."""

from typing import Any, Final

from tests.equivalence.access import draw_credentials
from tests.equivalence.calls import service_target
from tests.equivalence.clients import draw_retries
from tests.equivalence.drawing import Drawing
from tests.equivalence.laws import payloads, popularities
from tests.equivalence.logs import draw_stage_logs
from tests.equivalence.network import draw_network

__all__ = ["add_sockets"]

_API: Final = "chat"
_WORDS: Final = ("say", "look", "a.b/c")
#: Sizes on both sides of the limits of a frame and of a message.
_SIZES: Final = (
    "300B",
    "32768B",
    "32769B",
    {"mixture": [[0.9, "1KB"], [0.05, "131072B"], [0.05, "131073B"]]},
    {"mixture": [[0.8, "10KB"], [0.2, "100KB"]]},
)
_REPLIES: Final = ("300B", "40KB", "1KB", {"mixture": [[0.5, "1KB"], [0.5, "33KB"]]})


def add_sockets(drawing: Drawing, data: dict[str, Any]) -> None:
    """A WebSocket API beside the others, with sources of its own; changes ``data``."""
    _name_apis(data)
    data["apis"][_API] = api = _api(drawing, data)
    settings = data.setdefault("settings", {})
    drawing.optional(settings, 80, "websocket_idle_timeout", "1s", "2s")
    drawing.optional(settings, 70, "websocket_max_age", "2s", "1s", "3s")
    drawing.optional(settings, 80, "disconnect_delivery", "50%", "0%", "100%")
    drawing.optional(settings, 25, "pings_keep_alive", False, True)
    drawing.optional(settings, 60, "connection_minutes", "exact", "nearest", "up")
    if drawing.maybe(35):
        data.setdefault("account", {})["new_connections"] = drawing.throttle()
    others = data.get("account", {}).get("background", {})
    if "requests" not in others and drawing.maybe(
        40
    ):  # so that posts are refused, which only the account's limit is for
        data.setdefault("account", {})["throttle"] = {
            "rate_limit": drawing.one(10, 50, 2),
            "burst_limit": max(drawing.one(5, 20, 2), drawing.sloppiness),
        }
    names = [f"u{at}" for at in range(drawing.one(1, 1, 2))]
    data["senders"] = {name: _sender(drawing) for name in ("fan", "other")[: drawing.one(1, 2)]}
    for name in names:
        data["traffic"][name] = _users(drawing, data, api)
    if drawing.maybe(45):
        _ask_for_keys(drawing, data, names)
    if drawing.maybe(50):
        data.setdefault("timeline", []).extend(_cuts(drawing, api))


def _name_apis(data: dict[str, Any]) -> None:
    """Name the API wherever it is left out because there is one."""
    if len(data["apis"]) > 1:
        return
    (name,) = data["apis"]
    for source in data["traffic"].values():
        if "trace" in source:
            if "domain" not in source["trace"]:
                source["trace"].setdefault("api", name)
            continue
        for part in {"mix", "bodies"} & set(source):
            source[part] = {_named(line, name): inner for line, inner in source[part].items()}


def _named(line: str, name: str) -> str:
    words = line.split()
    is_bare = len(words) == (1 if words[-1] == "$default" else 2)
    return f"{name} {line}" if is_bare else line


def _api(drawing: Drawing, data: dict[str, Any]) -> dict[str, Any]:
    api: dict[str, Any] = {"type": "websocket", "routes": {}}
    drawing.optional(api, 20, "route_selection_expression", "$request.body.type")
    stage: dict[str, Any] = {}
    drawing.optional(stage, 20, "name", "live", "v1")
    if drawing.maybe(25):
        stage["throttle"] = drawing.throttle()
        drawing.optional(stage["throttle"], 50, "scope", "shared", "method")
    draw_stage_logs(drawing, "websocket", stage, data.setdefault("settings", {}))
    if stage:
        api["stage"] = stage
    routes = api["routes"]
    if drawing.maybe(70):
        routes["$connect"] = _life(drawing, data, 40)  # few should fail
        usable = [
            name
            for name, spec in data.get("authorizers", {}).items()
            if spec["type"] == "iam" or (spec["type"] == "request" and _can_ask(spec))
        ]
        if usable:
            drawing.optional(routes["$connect"], 70, "authorizer", *usable)
            asked = data["authorizers"].get(routes["$connect"].get("authorizer"), {})
            if asked.get("type") == "request" and drawing.maybe(40):
                asked.setdefault("unauthorized", "30%")
        if drawing.maybe(25):
            routes["$connect"]["throttle"] = drawing.throttle()
    if drawing.maybe(75):
        routes["$disconnect"] = _life(drawing, data, 80)
    for word in _WORDS[: drawing.one(1, 2, 3)]:
        routes[word] = _route(drawing, data)
    if drawing.maybe(40):
        routes["$default"] = _route(drawing, data)
    return api


def _can_ask(spec: dict[str, Any]) -> bool:
    sources = spec.get("identity_sources", [])
    return not any(one.startswith("path.") or one == "context.routeKey" for one in sources)


def _life(drawing: Drawing, data: dict[str, Any], percent: int) -> dict[str, Any]:
    return {"integration": _integration(drawing, data)} if drawing.maybe(percent) else {}


def _integration(drawing: Drawing, data: dict[str, Any]) -> dict[str, Any]:
    kinds = ["lambda_proxy", "lambda", "http_proxy", "http", "mock"]
    if data.get("services"):
        kinds.append("aws_service")
    kind = drawing.one(*kinds)
    integration: dict[str, Any] = {"type": kind}
    if kind.startswith("lambda"):
        integration["function"] = drawing.one(*data["functions"])
        if kind == "lambda":
            drawing.optional(integration, 75, "error_status", 400, 500, 400, 500, 200)
            if integration.get("error_status", 200) != 200 and drawing.maybe(60):
                # Of few functions: what becomes of their errors would hardly be seen.
                data["functions"][integration["function"]].setdefault("errors", "50%")
            if "error_status" not in integration:
                drawing.optional(integration, 60, "invocation", "event", "request_response")
    elif kind.startswith("http"):
        ends = data["endpoints"]
        usable = [name for name, spec in ends.items() if spec.get("behind", "nlb") == "nlb"]
        integration["endpoint"] = drawing.one(*usable)
    elif kind == "aws_service":
        integration |= service_target(drawing, data["services"])
    if kind != "mock":
        drawing.optional(integration, 60, "timeout", "50ms", "60ms", "29s")
    return integration


def _route(drawing: Drawing, data: dict[str, Any]) -> dict[str, Any]:
    route: dict[str, Any] = {"integration": _integration(drawing, data)}
    drawing.optional(route, 60, "route_response", True, False)
    drawing.optional(route, 60, "response_size", *_REPLIES)
    drawing.optional(route, 40, "request_size", *_SIZES)
    if drawing.maybe(25):
        route["throttle"] = drawing.throttle()
    if not route["integration"]["type"].endswith("_proxy"):
        if drawing.maybe(40):
            route["validate"] = {"reject": drawing.one("30%", "10%")}
        if route["integration"]["type"] in ("lambda", "http") and drawing.maybe(30):
            route["integration"]["transformation"] = {"request_time": drawing.time()}
    return route


def _sender(drawing: Drawing) -> dict[str, Any]:
    sender: dict[str, Any] = {}
    drawing.optional(sender, 85, "parallelism", 1, 2, 5)
    if drawing.maybe(85):
        sender["call_time"] = drawing.one("100ms", drawing.time(), drawing.time())
    drawing.optional(sender, 70, "coalesce", True, True, False)
    if drawing.maybe(60):
        sender["retries"] = retries = draw_retries(drawing)
        if drawing.maybe(40):
            retries["quota"] = {"tokens": drawing.one(5, 1, 20), "throttled_cost": 5}
    return sender


def _users(drawing: Drawing, data: dict[str, Any], api: dict[str, Any]) -> dict[str, Any]:
    """Users of the API, few of whom send much."""
    words = [word for word in api["routes"] if word not in ("$connect", "$disconnect")]
    mix = {drawing.one(*words): 3}
    for word in (*words, "unheard-of"):
        if drawing.maybe(40):
            mix.setdefault(word, 1)
    source: dict[str, Any] = {"mix": {f"{_API} {word}": weight for word, weight in mix.items()}}
    source["sessions"] = sessions = _sessions(drawing)
    if "population" not in sessions:
        source["phases"] = [
            {"duration": drawing.one("1s", "500ms"), "rate": drawing.one(5, 10)}
            for _ in range(drawing.one(1, 2))
        ]
        if drawing.is_crowded:
            source |= {"arrivals": "uniform", "offset": 0}
    elif drawing.is_crowded or drawing.maybe(30):
        source["offset"] = 0
    sent = list(mix)
    for name in ("news", "echo", "note")[: drawing.one(2, 1, 3, 0)]:
        push = _push(drawing, data, sessions, sent)
        if push.get("on") in sent:
            sent.remove(push["on"])  # one push for each
        source.setdefault("pushes", {})[name] = push
    values = {}
    for name in ("header.authorization", "header.x-client", "querystring.q"):
        if drawing.maybe(60):
            values[name] = drawing.draw(popularities())
    if values:
        source["values"] = values
    if data.get("populations") and drawing.maybe(50):
        source["of"] = drawing.one(*data["populations"])
    of = data.get("populations", {}).get(source.get("of"), {})
    source |= draw_credentials(drawing, of)
    source.pop("scopes", None)  # no authorizer of an upgrade asks for them
    if drawing.maybe(60):
        source["network"] = draw_network(drawing, source)
        for key in ("keep_alive", "reuse"):
            source["network"].pop(key, None)
    return source


def _sessions(drawing: Drawing) -> dict[str, Any]:
    sessions: dict[str, Any] = {}
    if drawing.maybe(70):
        sessions["population"] = drawing.one(5, 3, 10, 1)
        overs = ("1us", "2ms", "4ms") if drawing.is_crowded else ("100ms", "1us", "1s")
        drawing.optional(sessions, 90, "connect_over", *overs)
    if drawing.maybe(65):
        sessions["until"] = drawing.one("61s", "3s", "1500ms") if sessions else "3s"
    if sessions.get("until") in ("3s", "1500ms") and "connect_over" not in sessions:
        sessions["connect_over"] = "100ms"
        if "population" not in sessions:
            del sessions["connect_over"]
    lengths = ("1s", "3s", "50ms", "2500ms", "3s")
    if "until" not in sessions or drawing.maybe(60):
        sessions["length"] = drawing.one(*lengths)
        if not drawing.is_crowded and drawing.maybe(50):
            sessions["length"] = {"exponential": drawing.one("1s", "300ms")}
    if "population" in sessions and sessions.get("until") != "61s" and "until" in sessions:
        away = ("2ms", "10ms", "100ms") if drawing.is_crowded else ("300ms", {"exponential": "1s"})
        drawing.optional(sessions, 90, "away", *away)
    kind = drawing.one("think", "rate", "silent", "even", "limited", "silent")
    if kind == "rate":
        sessions["messages"] = drawing.one(20, "300/min", 5)
    elif kind in ("think", "limited"):
        thinks = ("20ms", "50ms", "1s", "2s", "500ms")
        sessions["think_time"] = drawing.one(*thinks)
        if not drawing.is_crowded and drawing.maybe(40):
            sessions["think_time"] = {"exponential": drawing.one("50ms", "500ms")}
    if kind == "limited" or (kind == "even" and not isinstance(sessions.get("length"), dict)):
        sessions["messages_per_session"] = drawing.one(10, 1, 25)
    drawing.optional(sessions, 40, "size", *_SIZES)
    drawing.optional(sessions, 20, "pings", "1s", "2s", "3s")
    drawing.optional(sessions, 30, "binary", "5%", "50%", "0%")
    drawing.optional(sessions, 40, "max_frame", "32769B", "1GB", "32KB")
    if drawing.maybe(50):
        sessions["topics"] = drawing.draw(popularities(most=5))
    if drawing.maybe(80):
        sessions["reconnect"] = _reconnect(drawing)
    return sessions


def _reconnect(drawing: Drawing) -> Any:
    kind = drawing.one("backoff", "backoff", "at_once", "never", "jitter")
    if kind == "jitter":
        return {"jitter": drawing.one("10ms", "100ms"), "max": drawing.one(2, 0)}
    if kind != "backoff":
        return kind
    wait: dict[str, Any] = {}
    backoffs = (
        "fixed",
        "none",
        "exponential",
        "full_jitter",
        "equal_jitter",
        "decorrelated_jitter",
    )
    drawing.optional(wait, 80, "backoff", *backoffs)
    wait["base"] = drawing.one("2ms", "10ms", "0s", "100ms")
    drawing.optional(wait, 60, "cap", "4ms", "200ms")
    drawing.optional(wait, 70, "max", 2, 0, 5)
    return wait


def _push(
    drawing: Drawing, data: dict[str, Any], sessions: dict[str, Any], sent: list[str]
) -> dict[str, Any]:
    push: dict[str, Any] = {"by": drawing.one(*data["senders"])}
    targets: list[Any] = ["all", "one", {"share": drawing.one("30%", "100%", "0%")}]
    if "topics" in sessions:
        targets += ["topic", "topic"]
    words = [word for word in sent if word != "unheard-of"]
    if words and drawing.maybe(50):
        push["on"] = drawing.one(*words)
        targets += ["sender", "sender"]
    else:
        push["rate"] = drawing.one(10, 2, 30)
        if "population" in sessions and "until" not in sessions:
            sessions["until"] = "3s"  # else nobody knows for how long
            sessions.setdefault("connect_over", "100ms")
        drawing.optional(push, 50, "arrivals", "uniform", "poisson")
    push["to"] = drawing.one(*targets)
    if drawing.maybe(60):
        push["size"] = drawing.one(*_SIZES, drawing.draw(payloads()))
    return push


def _ask_for_keys(drawing: Drawing, data: dict[str, Any], names: list[str]) -> None:
    """``$connect`` asks for the key of a plan that the sources may have."""
    plans = data.get("usage_plans")
    connect = data["apis"][_API]["routes"].get("$connect")
    if not plans or connect is None:
        return
    connect["api_key_required"] = True
    few = {"rate_limit": 2, "burst_limit": drawing.sloppiness}
    own = {"$connect": drawing.one(few, drawing.throttle())} if drawing.maybe(60) else {}
    first = next(iter(plans.values()))
    first["api_stages"][_API] = own
    for name in names:
        of = data.get("populations", {}).get(data["traffic"][name].get("of"), {})
        if "plans" not in of and not of.get("key_each"):
            drawing.optional(data["traffic"][name], 90, "api_key", "mine", "off")


def _cuts(drawing: Drawing, api: dict[str, Any]) -> list[dict[str, Any]]:
    stage = api.get("stage", {}).get("name", "prod")
    cuts = []
    for _ in range(drawing.one(1, 2)):
        cut: dict[str, Any] = {
            "at": drawing.one("50ms", "1s", "500ms", "0s", "1500ms"),
            "disconnect": drawing.one(_API, f"{_API}/{stage}"),
        }
        drawing.optional(cut, 40, "share", "50%", "100%", "0%")
        drawing.optional(cut, 50, "for", "100ms", "2ms", "1s")
        cuts.append(cut)
    return cuts
