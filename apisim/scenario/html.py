"""A scenario as a notebook shows it: what is behind the API, and who calls."""

from collections.abc import Sequence
from html import escape
from typing import Final

from apisim.scenario.api import Api, Route, Throttle
from apisim.scenario.formats import counted, format_duration, format_rate
from apisim.scenario.html_table import html_table
from apisim.scenario.phases import ClosedPhase, CountsPhase, OpenPhase, Phase
from apisim.scenario.scenario import Scenario
from apisim.scenario.traffic import Source

__all__ = ["render_html", "scenario_facts", "scenario_tables"]

#: Phases of a source that are told one by one.
_MAX_PHASES: Final = 6

_ROUTES: Final = ("API", "Route", "Integration", "Authorizer", "Limit: rate, burst", "Cache")
_TRAFFIC: Final = ("Traffic", "Phases")


def render_html(scenario: Scenario) -> str:
    """A fragment of HTML, with every text escaped and without scripts."""
    parts = [f"<h3>{escape(scenario.name or scenario.source.file)}</h3>"]
    parts.append(f"<div>{escape(scenario_facts(scenario))}</div>")
    if scenario.description:
        told = escape(scenario.description.strip())
        parts.append(f"<details><summary>Description</summary><p>{told}</p></details>")
    parts += [html_table(columns, rows) for columns, rows in scenario_tables(scenario)]
    return f'<div class="apisim-scenario">{"".join(parts)}</div>'


def scenario_tables(scenario: Scenario) -> list[tuple[Sequence[str], list[tuple[str, ...]]]]:
    """Two tables, each its columns and rows of text: what is behind the APIs, and who calls."""
    routes = [
        _route(name, api, key, route)
        for name, api in scenario.apis.items()
        for key, route in api.routes.items()
    ]
    load: list[tuple[str, ...]] = [(name, _load(one)) for name, one in scenario.traffic.items()]
    return [(_ROUTES, routes), (_TRAFFIC, load)]


def scenario_facts(scenario: Scenario) -> str:
    """Profile, region, seed, length and account limit, in a line."""
    length_ns = scenario.run_length_ns
    facts = [f"profile {scenario.profile}", scenario.region, f"seed {scenario.seed}"]
    if length_ns is not None:
        facts.append(format_duration(length_ns))
    if scenario.has_auto_warm_up:
        facts.append("warm-up chosen by MSER-5")
    elif scenario.warm_up:
        facts.append(f"{format_duration(scenario.warm_up)} of it warm-up")
    if scenario.replications > 1:
        most = "" if scenario.until is None else "up to "
        facts.append(f"{most}{scenario.replications} replications")
    facts.append(f"account limit {_limit(scenario.account.throttle)}")
    return ", ".join(facts)


def _route(name: str, api: Api, key: str, route: Route) -> tuple[str, ...]:
    integration = route.integration
    backend = integration.function or integration.endpoint or ""
    limit = "" if route.throttle is None else _limit(route.throttle)
    if route.throttle is None and api.stage.throttle is not None:
        limit = f"{_limit(api.stage.throttle)} (stage)"
    cache = ""
    if route.cache is not None:
        keys = ", ".join(map(str, route.cache.keys)) or "one entry for all"
        cache = f"{format_duration(route.cache.ttl)} by {keys}"
    called = f"{integration.type} {backend}".strip()
    return f"{name} ({api.type})", key, called, route.authorizer or "", limit, cache


def _limit(throttle: Throttle) -> str:
    return f"{format_rate(throttle.rate_limit)}, {throttle.burst_limit:,}"


def _load(source: Source) -> str:
    if source.trace is not None:
        return f"the log {source.trace.file.name}"
    sessions = source.sessions
    if sessions is not None and sessions.population is not None:
        connecting = f"in {format_duration(sessions.connect_over)}"
        until = "" if sessions.until is None else f", until {format_duration(sessions.until)}"
        return f"{counted(sessions.population, 'user')} connect {connecting}{until}"
    told = [_phase(phase) for phase in source.phases[:_MAX_PHASES]]
    left = len(source.phases) - len(told)
    if left:
        told.append(f"and {left} more")
    return ("" if sessions is None else "new sessions: ") + "; ".join(told)


def _phase(phase: Phase) -> str:
    """One phase: ``filling 3m 50/s to 200/s``."""
    if isinstance(phase, CountsPhase):
        what = counted(sum(phase.counts), "request")
    elif isinstance(phase, OpenPhase):
        what = format_rate(phase.rate)
        if phase.ramp_to is not None:
            what += f" to {format_rate(phase.ramp_to)}"
    elif isinstance(phase, ClosedPhase):
        what = counted(phase.users, "user")
        if phase.ramp_to is not None:
            what = f"{phase.users:,} to {counted(phase.ramp_to, 'user')}"
    else:
        what = "nothing"
    return f"{phase.name} {format_duration(phase.length_ns)} {what}"
