"""Random scenarios without what few use: those the compiled engine has a kernel of its own for."""

from typing import Any

from hypothesis import strategies as st

from tests.equivalence.bodies import is_plain_size
from tests.equivalence.drawing import Style
from tests.equivalence.scenarios import Case, scenarios

__all__ = ["plain_scenarios"]

_WHOLE = ("populations", "usage_plans", "api_keys", "timeline", "vpc_endpoints")
_OF_API = ("cors", "resource_policy", "mutual_tls", "api_key_source")
_OF_ROUTE = ("cors", "validate", "api_key_required", "depends_on", "updates", "scopes")
_OF_SOURCE = (
    *("of", "browser", "api_key", "vpc_endpoint", "credentials", "scopes", "source_ip"),
    *("invalidate", "missing", "bodies", "url_size", "header_size", "client"),
)
_OF_STAGE = (
    *("waf", "canary", "minimum_compression_size", "access_log", "execution_log", "tracing"),
)
_OF_NETWORK = ("keep_alive", "reuse", "tls", "bandwidth", "origin_rtt", "location")
_OF_LINK = (
    *("behind", "targets", "zones", "cross_zone", "outages", "health_check"),
    *("requests_per_connection", "rule_evaluations"),
)
_OF_AUTHORIZER = ("unauthorized", "identity_validation", "silent_identities")
_SETTINGS = (
    *("throttle_before_auth", "sloppiness", "throttle_charging"),
    *("cache_throughput", "cache_statuses"),
)
_OF_FUNCTION = ("malformed", "additional_version", "logs", "log_size", "log_retention")
_LAMBDA = ("token", "request")


def plain_scenarios() -> st.SearchStrategy[Case]:
    """Scenarios of both styles with all of that taken out again."""
    styles = st.sampled_from([Style.ANY, Style.CROWDED])
    return styles.flatmap(lambda style: scenarios(style=style)).map(_plain)


def _without(of: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        of.pop(name, None)


def _plain(case: Case) -> Case:
    data = case.data
    _strip_sockets(data)
    data.pop("alarms", None)  # of an API that may be gone; the kernel has no part in them
    _without(data, _WHOLE)
    _without(data.get("settings", {}), _SETTINGS)
    for spec in data.get("functions", {}).values():
        _without(spec, _OF_FUNCTION)
    authorizers = data.get("authorizers", {})
    for name in [name for name, spec in authorizers.items() if spec["type"] not in _LAMBDA]:
        del authorizers[name]
    for spec in authorizers.values():
        _without(spec, _OF_AUTHORIZER)
    for endpoint in data["endpoints"].values():
        _without(endpoint, _OF_LINK)
    for function in data["functions"].values():
        _without(function, ("calls",))
    for api in data["apis"].values():
        _without(api, _OF_API)
        _without(api.get("stage", {}), _OF_STAGE)
        for stage in api.get("stages", {}).values():
            _without(stage, _OF_STAGE)
        if api.get("endpoint") == "private":
            del api["endpoint"]
        for route in api["routes"].values():
            _strip_route(route, authorizers)
    for source in data["traffic"].values():
        _without(source, _OF_SOURCE)
        if source.get("trace", {}).pop("domain", None):
            source["trace"]["api"] = _some_stage(data)
        _without(source.get("network", {}), _OF_NETWORK)
    return case


def _some_stage(data: dict[str, Any]) -> str:
    name, api = next(iter(data["apis"].items()))
    return f"{name}/{next(iter(api['stages']))}" if "stages" in api else name


def _strip_sockets(data: dict[str, Any]) -> None:
    """Without the WebSocket API and its users: others are called by their names all the same."""
    if data.pop("senders", None) is None:
        return
    gone = [name for name, api in data["apis"].items() if api["type"] == "websocket"]
    for name in gone:
        del data["apis"][name]
    for name in [name for name, source in data["traffic"].items() if "sessions" in source]:
        del data["traffic"][name]


def _strip_route(route: dict[str, Any], authorizers: dict[str, Any]) -> None:
    _without(route, _OF_ROUTE)
    if route["integration"]["type"] == "lambda":  # it maps errors
        route["integration"]["type"] = "lambda_proxy"
        _without(route["integration"], ("error_status", "invocation"))
    _without(route.get("cache", {}), ("invalidation", "encrypted"))
    if route["integration"]["type"] == "aws_service":
        route["integration"] = {"type": "lambda_proxy", "function": "f0"}
    _without(route["integration"], ("transformation", "response_transfer_mode"))
    if not is_plain_size(route.get("response_size")):
        del route["response_size"]
    if isinstance(route.get("request_size"), dict):  # some of them too large to be let in
        del route["request_size"]
    if route.get("authorizer") not in authorizers:
        route.pop("authorizer", None)
