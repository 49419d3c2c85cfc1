"""Rules between keys of the perimeter: which API type has what, and names that must be defined."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from apisim.scenario.calls import called_apis
from apisim.scenario.formats import format_duration
from apisim.scenario.perimeter import WAF_WINDOWS_NS, Statement, pattern_matches
from apisim.scenario.problems import Path, did_you_mean
from apisim.scenario.units import shown

if TYPE_CHECKING:
    from apisim.scenario.scenario import Scenario
    from apisim.scenario.validation import Validation

__all__ = ["apis_of", "check_perimeter", "perimeter_notes"]


def apis_of(scenario: "Scenario", source: str) -> list[str]:
    """Names of the APIs that a source calls."""
    return called_apis(scenario, scenario.traffic[source])


def check_perimeter(scenario: "Scenario", outcome: "Validation") -> None:
    """Check all rules; findings are added to ``outcome``."""
    _check_types(scenario, outcome)
    _check_statements(scenario, outcome)
    _check_sources(scenario, outcome)


def _check_types(scenario: "Scenario", outcome: "Validation") -> None:
    for name, api in scenario.apis.items():
        at: Path = ("apis", name)
        because = ((*at, "type"), (*at, "endpoint"))
        if api.type == "http":
            hint = "use type: rest, or remove this key"
            if api.resource_policy is not None:
                message = "HTTP APIs have no resource policy, REST APIs have one"
                outcome.add((*at, "resource_policy"), message, hint, because=because)
            if api.stage.waf is not None:
                message = "HTTP APIs have no WAF, REST APIs have it"
                outcome.add((*at, "stage", "waf"), message, hint, because=because)
        if api.mutual_tls is not None and api.endpoint != "regional":
            kind = "private" if api.endpoint == "private" else "edge-optimized"
            message = f"{kind} APIs have no mutual TLS, regional APIs have it"
            hint = "use endpoint: regional, or remove this key"
            outcome.add((*at, "mutual_tls"), message, hint, because=because)


def _policies(scenario: "Scenario") -> Iterator[tuple[Path, Statement, list[str]]]:
    """All statements, each with the routes it may be about."""
    private = []
    for name, api in scenario.apis.items():
        if api.endpoint == "private":
            private += list(api.routes)
        for index, statement in enumerate(api.resource_policy or ()):
            yield ("apis", name, "resource_policy", index), statement, list(api.routes)
    for name, endpoint in scenario.vpc_endpoints.items():
        for index, statement in enumerate(endpoint.policy or ()):
            yield ("vpc_endpoints", name, "policy", index), statement, private


def _check_statements(scenario: "Scenario", outcome: "Validation") -> None:
    endpoints = outcome.names("vpc_endpoints")
    vpcs = sorted({endpoint.vpc for endpoint in scenario.vpc_endpoints.values()})
    for at, statement, routes in _policies(scenario):
        for key in ("source_vpce", "not_source_vpce"):
            for index, wanted in enumerate(getattr(statement, key) or ()):
                if wanted not in endpoints:
                    message = f"{shown(wanted)} is not defined under vpc_endpoints"
                    hint = did_you_mean(wanted, endpoints) or "define it under vpc_endpoints:"
                    outcome.add((*at, key, index), message, hint)
        for key in ("source_vpc", "not_source_vpc"):
            for index, wanted in enumerate(getattr(statement, key) or ()):
                if wanted not in vpcs:
                    message = f"no VPC endpoint is in {shown(wanted)}"
                    hint = did_you_mean(wanted, vpcs) or "give one of vpc_endpoints: this vpc"
                    because: tuple[Path, ...] = (("vpc_endpoints",),)
                    outcome.add((*at, key, index), message, hint, because=because)
        for index, pattern in enumerate(statement.routes or ()):
            _check_pattern(outcome, (*at, "routes", index), pattern, routes)


def _check_pattern(outcome: "Validation", at: Path, pattern: str, routes: list[str]) -> None:
    because = (("apis",),) if at[0] == "vpc_endpoints" else ((*at[:2], "routes"),)
    for route in routes:
        if pattern_matches(pattern, route) or not route.startswith("ANY "):
            continue
        method, _, path = pattern.partition(" ")
        has_own = f"{method} {route.removeprefix('ANY ')}" in routes
        if pattern_matches(f"ANY {path}", route) and not has_own:
            message = f"{pattern} is only a part of the route {route}"
            hint = f"give {method} a route of its own, or write * {path}"
            outcome.add(at, message, hint, because=because)
            return
    if not any(pattern_matches(pattern, route) for route in routes):
        message = f"{pattern} matches no route"
        outcome.add(at, message, did_you_mean(pattern, routes), because=because)


def _check_sources(scenario: "Scenario", outcome: "Validation") -> None:
    names = outcome.names("vpc_endpoints")
    for name, source in scenario.traffic.items():
        at: Path = ("traffic", name, "vpc_endpoint")
        wanted = source.vpc_endpoint
        if wanted is None:
            continue
        if wanted not in names:
            message = f"{shown(wanted)} is not defined under vpc_endpoints"
            hint = did_you_mean(wanted, names) or "define it under vpc_endpoints:"
            outcome.add(at, message, hint)
        for api in apis_of(scenario, name):
            if api in scenario.apis and scenario.apis[api].endpoint != "private":
                message = f"the API {api} is not private, and is not reached through one"
                hint = "use endpoint: private there, or another source"
                because: tuple[Path, ...] = (("apis", api, "endpoint"), ("traffic", name, "mix"))
                outcome.add(at, message, hint, because=because)


def perimeter_notes(scenario: "Scenario") -> list[str]:
    """What is allowed but may not be meant."""
    notes = []
    for name, api in scenario.apis.items():
        if api.endpoint == "private" and api.resource_policy is None:
            notes.append(f"apis.{name}: a private API refuses everything until it has a policy")
        waf = api.stage.waf
        if waf is not None and not (waf.rules or waf.block or waf.rate_based):
            notes.append(f"apis.{name}.stage.waf: it has no rules, blocks nothing and is billed")
        for index, rule in enumerate(api.stage.waf.rate_based if api.stage.waf else ()):
            if rule.window not in WAF_WINDOWS_NS:
                notes.append(
                    f"apis.{name}.stage.waf.rate_based.{index}: AWS WAF has windows of 1, 2, 5 and "
                    f"10 minutes, not of {format_duration(rule.window)}"
                )
    for name, source in scenario.traffic.items():
        population = scenario.populations.get(source.of or "")
        is_known = source.source_ip is not None or (
            population is not None and population.addresses is not None
        )
        for api_name in apis_of(scenario, name):
            api = scenario.apis[api_name]
            if api.endpoint == "private" and source.vpc_endpoint is None:
                notes.append(
                    f"traffic.{name}: calls from outside a VPC endpoint never reach the private "
                    f"API {api_name}"
                )
            if is_known:
                continue
            if any(statement.asks_for_address for statement in api.resource_policy or ()):
                notes.append(
                    f"traffic.{name}: its addresses are unknown, so it is in none of the ranges "
                    f"of the resource policy of {api_name} (write source_ip)"
                )
            if api.stage.waf is not None and api.stage.waf.rate_based:
                notes.append(
                    f"traffic.{name}: its addresses are unknown, so no rate-based rule of "
                    f"{api_name} counts it (write source_ip)"
                )
    return notes
