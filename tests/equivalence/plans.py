"""Hypothesis strategies for usage plans and API keys."""

from typing import Any

from tests.equivalence.drawing import Drawing

__all__ = ["add_key_source", "draw_plans"]

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def draw_plans(drawing: Drawing, data: dict[str, Any]) -> None:
    """Plans for REST APIs whose routes need keys, and who has those keys; changes ``data``."""
    settings = data.setdefault("settings", {})
    drawing.optional(settings, 60, "quota_week_start", *_DAYS)
    drawing.optional(settings, 40, "plan_method_limit", "within_plan", "replaces_plan")
    drawing.optional(settings, 40, "refused_use_quota", True, False)
    apis: dict[str, Any] = data["apis"]
    asking = {
        name: [key for key, route in api["routes"].items() if route.get("api_key_required")]
        for name, api in apis.items()
        if api["type"] == "rest"
    }
    if not any(asking.values()) or drawing.maybe(10):
        return
    plans: dict[str, Any] = {}
    for name in ("free", "gold", "third")[: drawing.one(2, 1, 3)]:
        plans[name] = _plan(drawing, asking, apis)
    # One key may be in several plans, with one stage each.
    if "third" in plans and len(asking) > 1:
        first, second = list(asking)[:2]
        plans["free"]["api_stages"] = {first: {}}
        plans["third"] = {**plans["third"], "api_stages": {second: {}}, "api_keys": ["shared"]}
        plans["free"]["api_keys"] = ["shared"]
    plans["free"]["api_keys"] = [*plans["free"].get("api_keys", []), "mine", "off"]
    data["usage_plans"] = plans
    if drawing.maybe(60):
        data["api_keys"] = {"off": {"enabled": False}}
        drawing.optional(data["api_keys"], 40, "spare", {}, {"enabled": True})
    for population in data.get("populations", {}).values():
        shares = [{"free": "100%"}]
        if "gold" in plans:
            shares.append({"free": "70%", "gold": "30%"})
        drawing.optional(population, 80, "plans", *reversed(shares))
        if "plans" in population:
            drawing.optional(population, 20, "key_each", True)
        else:
            drawing.optional(population, 40, "key_each", True, False)
    for source in data["traffic"].values():
        of = data.get("populations", {}).get(source.get("of"), {})
        if "plans" not in of and not of.get("key_each"):
            keys = ("mine", "mine", "shared" if "third" in plans else "mine", "off", "stray")
            drawing.optional(source, 70, "api_key", *keys)
    if drawing.maybe(80):
        # A Sunday at the end of a month: days, weeks and months begin within the run.
        data["start"] = drawing.one("2026-05-31T23:59:59.970Z", "2026-05-31T23:59:59.700Z")


def _plan(drawing: Drawing, asking: dict[str, list[str]], apis: dict[str, Any]) -> dict[str, Any]:
    plan: dict[str, Any] = {"api_stages": {}}
    if drawing.maybe(60):
        plan["throttle"] = drawing.throttle()
    if drawing.maybe(85):
        plan["quota"] = quota = {
            "limit": drawing.one(5, 1, 20, 1000),
            "period": drawing.one("day", "week", "month"),
        }
        drawing.optional(quota, 30, "offset", 1, 5, 0)
    drawing.optional(plan, 10, "price", 0, "499/month")
    for name, routes in asking.items():
        if drawing.maybe(10):
            continue
        own = {key: drawing.throttle() for key in routes if drawing.maybe(30)}
        stage = apis[name].get("stage", {}).get("name", "prod")
        plan["api_stages"][drawing.one(name, f"{name}/{stage}")] = own
    return plan


def add_key_source(drawing: Drawing, api: dict[str, Any], authorizers: dict[str, Any]) -> None:
    """Where keys come from; an authorizer can name them where each route that asks has one."""
    lambdas = [
        name
        for name, spec in authorizers.items()
        if spec["type"] in ("token", "request")
        and "context.routeKey" not in spec.get("identity_sources", [])
    ]
    asking = [route for route in api["routes"].values() if route.get("api_key_required")]
    if asking and lambdas and drawing.maybe(40):
        for route in asking:
            if route.get("authorizer") not in lambdas:
                route["authorizer"] = drawing.one(*lambdas)
                route.pop("scopes", None)  # of another type of authorizer
        api["api_key_source"] = "authorizer"
    else:
        drawing.optional(api, 10, "api_key_source", "header")
