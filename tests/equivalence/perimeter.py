"""Hypothesis strategies for the perimeter: resource policies, VPC endpoints, WAF, certificates."""

from typing import Any, Final

from tests.equivalence.drawing import Drawing

__all__ = ["add_perimeter", "close_endpoints", "draw_endpoint_type", "draw_waf"]

#: Ranges that hold some, all or none of the addresses that random callers have.
_RANGES: Final = (
    ["203.0.113.0/25"],
    ["203.0.113.0/24", "10.0.0.0/30"],
    ["10.0.0.0/8"],
    ["198.51.100.0/31", "203.0.113.7"],
    ["0.0.0.0/0"],
)
_ENDPOINTS: Final = ("inner", "other")


def draw_endpoint_type(drawing: Drawing, api: dict[str, Any]) -> None:
    """Where callers of a REST API arrive."""
    drawing.optional(api, 40, "endpoint", "edge", "regional", "private", "regional")


def draw_waf(drawing: Drawing, stage: dict[str, Any]) -> None:
    """A web ACL, whose rate-based rules have windows as short as the examples."""
    if not drawing.maybe(15):
        return
    waf: dict[str, Any] = {}
    drawing.optional(waf, 40, "rules", 3, 0)
    drawing.optional(waf, 60, "block", "20%", "0.5%", "20%", "100%")
    rules = []
    for _ in range(drawing.one(1, 0, 2)):
        window, delay = drawing.one(("20ms", "10ms"), ("100ms", "20ms"), ("1s", "1s"))
        rule: dict[str, Any] = {"limit": drawing.one(10, 30), "window": window, "delay": delay}
        if not drawing.is_exact and drawing.maybe(5):
            rule = {"limit": 10}
        drawing.optional(rule, 30, "by", "ip")
        rules.append(rule)
    if rules:
        waf["rate_based"] = rules
    stage["waf"] = waf


def add_perimeter(drawing: Drawing, data: dict[str, Any]) -> None:
    """Policies and certificates of the APIs, VPC endpoints, and who comes through them."""
    apis = data["apis"]
    is_private = {name: api.get("endpoint") == "private" for name, api in apis.items()}
    if any(is_private.values()):
        data["vpc_endpoints"] = {name: {"vpc": f"vpc-{name}"} for name in _ENDPOINTS}
        for endpoint in data["vpc_endpoints"].values():
            drawing.optional(endpoint, 40, "zones", 2, 1)
            if drawing.maybe(40):
                endpoint["policy"] = _policy(drawing, [], through=True)
    for api in apis.values():
        if api["type"] == "rest" and drawing.maybe(85 if api.get("endpoint") == "private" else 15):
            api["resource_policy"] = _policy(
                drawing, list(api["routes"]), through=bool(data.get("vpc_endpoints"))
            )
        if api.get("endpoint", "regional") == "regional" and drawing.maybe(10):
            api["mutual_tls"] = {}
            drawing.optional(
                api["mutual_tls"], 80, "invalid_certificates", "30%", "0.5%", "30%", "100%"
            )
    for source in data["traffic"].values():
        called = _called(source, list(apis))
        if all(is_private.get(name, False) for name in called):
            drawing.optional(source, 85, "vpc_endpoint", *_ENDPOINTS)


def close_endpoints(data: dict[str, Any]) -> None:
    """Only what calls nothing but private APIs, by their own names, comes through a VPC."""
    apis = data["apis"]
    private = {name for name, api in apis.items() if api.get("endpoint") == "private"}
    for source in data["traffic"].values():
        if not private.issuperset(_called(source, list(apis))):
            source.pop("vpc_endpoint", None)


def _called(source: dict[str, Any], apis: list[str]) -> list[str]:
    """APIs that a source calls, or names of domains, behind which there may be any."""
    if "trace" in source:
        trace = source["trace"]
        return [trace.get("domain") or trace.get("api", apis[0]).partition("/")[0]]
    fronts = [line.split()[0].partition("/")[0] for line in source["mix"]]
    return [front if front in apis or "." in front else apis[0] for front in fronts]


def _policy(drawing: Drawing, routes: list[str], *, through: bool) -> list[dict[str, Any]]:
    statements = [_statement(drawing, routes, through=through) for _ in range(drawing.one(1, 2, 3))]
    if drawing.maybe(70):
        statements.append({"effect": "allow"})
    return statements


def _statement(drawing: Drawing, routes: list[str], *, through: bool) -> dict[str, Any]:
    statement: dict[str, Any] = {"effect": drawing.one("allow", "deny", "allow")}
    drawing.optional(statement, 40, "source_ip", *_RANGES)
    drawing.optional(statement, 25, "not_source_ip", *_RANGES[:4])
    if through:
        drawing.optional(statement, 20, "source_vpce", ["inner"], ["inner", "other"])
        drawing.optional(statement, 20, "not_source_vpce", ["inner"])
        drawing.optional(statement, 20, "source_vpc", ["vpc-inner"])
        drawing.optional(statement, 20, "not_source_vpc", ["vpc-other"])
    if routes and drawing.maybe(40):
        statement["routes"] = [drawing.one(*routes), "*"][: drawing.one(1, 2)]
    return statement
