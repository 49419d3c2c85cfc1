"""Rules between keys: what one key says about another.

Each rule reports at the key the user would change first, and names the other keys it looked at, so
that it stays silent where one of them is itself in doubt.
"""

from collections.abc import Callable, Iterable
from typing import Final

from apisim.scenario.api import Api, Route
from apisim.scenario.caches import (
    cache_remarks,
    check_cache_keys,
    check_cached_routes,
    check_timeline,
)
from apisim.scenario.checks_access import ACCESS_RULES, access_notes
from apisim.scenario.checks_alarms import check_alarms
from apisim.scenario.checks_lambda import check_concurrency
from apisim.scenario.checks_plans import PLAN_RULES, plan_remarks
from apisim.scenario.checks_services import check_services
from apisim.scenario.checks_stages import check_stage, check_stages, stage_notes
from apisim.scenario.checks_throttles import check_divided_bursts
from apisim.scenario.checks_types import TYPE_RULES
from apisim.scenario.checks_validators import check_validators
from apisim.scenario.checks_websocket import WEBSOCKET_RULES
from apisim.scenario.cors_rules import check_cors, cors_remarks
from apisim.scenario.formats import counted, format_duration
from apisim.scenario.notes_network import notes_on_locations
from apisim.scenario.notes_websocket import notes_on_websockets
from apisim.scenario.perimeter_checks import check_perimeter, perimeter_notes
from apisim.scenario.populations import blocks_of
from apisim.scenario.problems import Path, did_you_mean
from apisim.scenario.raised_timeouts import notes_on_raised_timeouts
from apisim.scenario.routes import RouteKey, can_match, parse_parameter
from apisim.scenario.scenario import Scenario
from apisim.scenario.traffic import MixEntry, Source
from apisim.scenario.units import UnitError, shown
from apisim.scenario.validation import Validation
from apisim.scenario.websocket_routes import parse_any_key

__all__ = ["check_rules", "notes_on"]

_EXAMPLE: Final = "{zipf: 1.1, of: 1000}"


def check_rules(scenario: Scenario, outcome: Validation) -> None:
    """Check all rules; findings are added to ``outcome``."""
    for rule in _RULES:
        rule(scenario, outcome)


def _name_of(outcome: Validation, at: Path, section: str, name: str) -> None:
    names = outcome.names(section)
    if name not in names:
        hint = did_you_mean(name, names) or f"define it under {section}:"
        outcome.add(at, f"{shown(name)} is not defined under {section}", hint)


def _routes(scenario: Scenario) -> Iterable[tuple[Path, Api, str, Route]]:
    for api_name, api in scenario.apis.items():
        for key, route in api.routes.items():
            yield ("apis", api_name, "routes", key), api, key, route


def _check_names(scenario: Scenario, outcome: Validation) -> None:
    for at, _, _, route in _routes(scenario):
        integration = route.integration
        if integration.function is not None:
            place = (*at, "integration", "function")
            _name_of(outcome, place, "functions", integration.function)
        if integration.endpoint is not None:
            place = (*at, "integration", "endpoint")
            _name_of(outcome, place, "endpoints", integration.endpoint)
        if route.authorizer is not None:
            place = (*at, "authorizer")
            _name_of(outcome, place, "authorizers", route.authorizer)
    for name, authorizer in scenario.authorizers.items():
        if authorizer.function is not None:
            place = ("authorizers", name, "function")
            _name_of(outcome, place, "functions", authorizer.function)


def _reached(scenario: Scenario, entry: MixEntry) -> list[tuple[str, RouteKey, Route]]:
    """Routes a line of a mix can reach: the one with the same key, else all that match."""
    api = scenario.apis.get(entry.api)
    if api is None:
        return []
    keys = api.route_keys()
    if str(entry.route) in keys:
        keys = {str(entry.route): keys[str(entry.route)]}
    return [
        (key, route_key, api.routes[key])
        for key, route_key in keys.items()
        if can_match(route_key, entry.route)
    ]


def _parsed(keys: Iterable[str]) -> Iterable[RouteKey]:
    """Those of the written route keys that are some."""
    for key in keys:
        try:
            yield parse_any_key(key)
        except UnitError:
            continue  # reported where the routes are read


def _check_mix(scenario: Scenario, outcome: Validation) -> None:
    for name, source in scenario.traffic.items():
        for entry in source.mix:
            at: Path = ("traffic", name, "mix", entry.text)
            api = scenario.apis.get(entry.api)
            if api is None:
                continue  # cut out; an undefined one is found where the mix is read
            if entry.stage is not None and entry.stage != api.stage.name:
                message = f"the API {entry.api} has no stage {shown(entry.stage)}"
                hint = f"its stage is {api.stage.name}"
                outcome.add(at, message, hint, because=(("apis", entry.api, "stage"),))
            if api.type == "websocket":
                continue  # a message may say what it likes: notes_websocket tells
            written = outcome.names("apis", entry.api, "routes")
            if not any(can_match(key, entry.route) for key in _parsed(written)):
                message = f"{entry.route} is used but not defined in the API {entry.api}"
                outcome.add(at, message, did_you_mean(str(entry.route), written))


def _check_values(scenario: Scenario, outcome: Validation) -> None:
    for name, source in scenario.traffic.items():
        at: Path = ("traffic", name, "values")
        if source.trace is not None or outcome.touches(("traffic", name, "mix")):
            continue
        used = _path_parameters(outcome, source)
        for written in outcome.names("traffic", name, "values"):
            wanted = _path_parameter(written)
            if wanted is not None and wanted not in used:
                message = f"no route of the mix has the path parameter {wanted}"
                outcome.add((*at, written), message, did_you_mean(wanted, used))
        for entry in source.mix:
            _check_cached_parameters(scenario, outcome, name, source, entry)


def _path_parameter(written: str) -> str | None:
    """Name of a path parameter; None for another kind, or a text that is none."""
    try:
        kind, _, wanted = parse_parameter(written).partition(".")
    except UnitError:
        return None
    return wanted.removesuffix("+") if kind == "path" else None


def _path_parameters(outcome: Validation, source: Source) -> list[str]:
    """Path parameters of all routes the mix can reach, in order."""
    found: dict[str, None] = {}
    for entry in source.mix:
        found.update(dict.fromkeys(entry.route.parameters))
        for key in _parsed(outcome.names("apis", entry.api, "routes")):
            if can_match(key, entry.route):
                found.update(dict.fromkeys(key.parameters))
    return list(found)


def _check_cached_parameters(
    scenario: Scenario, outcome: Validation, name: str, source: Source, entry: MixEntry
) -> None:
    """A path parameter in a cache key needs values, or every request is about the same thing."""
    given = {parameter.removesuffix("+") for parameter in source.values}
    if entry.api in scenario.apis and scenario.apis[entry.api].type != "rest":
        return  # a cache there is found where it stands
    for key, _, route in _reached(scenario, entry):
        if route.cache is None or route.cache.ttl == 0:
            continue
        wanted = [parameter.removesuffix("+") for parameter in route.cache.keys]
        if scenario.settings.path_in_cache_key:
            wanted += [f"path.{parameter}" for parameter in entry.route.parameters]
        open_ones = {f"path.{parameter}" for parameter in entry.route.parameters}
        for parameter in dict.fromkeys(wanted):
            if parameter in open_ones and parameter not in given:
                message = f"{key} is cached by {parameter}, which has no values here"
                hint = f"write values: {{{parameter}: {_EXAMPLE}}}"
                place: Path = ("traffic", name, "values")
                because: tuple[Path, ...] = (("apis", entry.api, "routes", key), place)
                outcome.add(place, message, hint, because=because)


def _check_traces(scenario: Scenario, outcome: Validation) -> None:
    names = outcome.names("apis")
    for name, source in scenario.traffic.items():
        if source.trace is None:
            continue
        at: Path = ("traffic", name, "trace")
        if source.trace.domain is not None:
            _name_of(outcome, (*at, "domain"), "domains", source.trace.domain)
        elif source.trace.api is not None:
            check_stage(scenario, outcome, (*at, "api"), source.trace.api)
        elif len(names) > 1:
            message = f"there are several APIs ({', '.join(names)})"
            outcome.add(at, message, "write api: NAME")


def _check_populations(scenario: Scenario, outcome: Validation) -> None:
    for name, source in scenario.traffic.items():
        at: Path = ("traffic", name)
        if source.of is None:
            continue
        _name_of(outcome, (*at, "of"), "populations", source.of)
        population = scenario.populations.get(source.of)
        if population is not None and population.addresses is not None and source.source_ip:
            message = f"the customers of {source.of} have addresses of their own"
            hint = "remove source_ip here, or source_ips_each there"
            outcome.add((*at, "source_ip"), message, hint, because=(("populations", source.of),))


def _check_blocks(scenario: Scenario, outcome: Validation) -> None:
    for name, block in blocks_of(scenario.populations).items():
        source_ips = scenario.populations[name].source_ips
        if block.first + block.size > source_ips.first + source_ips.size:
            wanted = counted(block.size, "address", "addresses")
            message = f"those before leave no {wanted} of {source_ips}"
            because: tuple[Path, ...] = (("populations",),)
            hint = "give this population source_ips of its own, or fewer addresses"
            outcome.add(("populations", name, "source_ips_each"), message, hint, because=because)


def _check_lengths(scenario: Scenario, outcome: Validation) -> None:
    length = scenario.run_length_ns
    if length is not None and scenario.warm_up >= length:
        written = format_duration(scenario.warm_up)
        message = f"{written} leaves nothing of a run of {format_duration(length)}"
        hint = "make it shorter than the phases"
        outcome.add(("warm_up",), message, hint, because=(("traffic",),))


def _check_projection(scenario: Scenario, outcome: Validation) -> None:
    pricing = scenario.pricing
    says = pricing.represents is not None or any(
        getattr(phase, "events_per_month", None) is not None
        for source in scenario.traffic.values()
        for phase in source.phases
    )
    if pricing.month == "project" and not says:
        hint = (
            "write represents: steady, {day: [..]} or {week: [..]}, or events_per_month on a phase"
        )
        message = "a month cannot be projected: nothing says what the run stands for"
        because: tuple[Path, ...] = (("pricing", "represents"), ("traffic",))
        outcome.add(("pricing", "month"), message, hint, because=because)
    for at, threshold in scenario.figures:
        if threshold.metric == "cost_month" and pricing.month == "run":
            hint = "write month: project under pricing:"
            message = "there is no bill of a month"
            outcome.add(at, message, hint, because=(("pricing",),))


def _variants(scenario: Scenario) -> set[str]:
    has_canary = any(api.stage.canary is not None for api in scenario.apis.values())
    return {"stable", "canary"} if has_canary else set()


def _push_sources(scenario: Scenario) -> set[str]:
    """Pushes are sources of their own in results."""
    return {f"{name}.{push}" for name, one in scenario.traffic.items() for push in one.pushes}


def _check_tags(scenario: Scenario, outcome: Validation) -> None:
    apis, sources = outcome.names("apis"), outcome.names("traffic")
    known: dict[str, set[str]] = {
        "api": {*apis, *(name.partition("/")[0] for name in apis)},
        "stage": {api.stage.name for api in scenario.apis.values()},
        "route": {key for api in apis for key in outcome.names("apis", api, "routes")}
        | {key for api in scenario.apis.values() for key in api.every_route},
        "traffic": {*sources, *_push_sources(scenario)},
        "variant": _variants(scenario),
        "phase": {p.name for source in scenario.traffic.values() for p in source.phases},
    }
    doubtful: dict[str, tuple[Path, ...]] = {
        "stage": (("apis",),),
        "variant": (("apis",),),
        "phase": (("traffic",),),
    }
    for at, tags in {at: threshold.tags for at, threshold in scenario.figures}.items():
        for tag, value in tags:
            if tag in known and value not in known[tag]:
                message = f"there is no {tag} {shown(value)}"
                hint = did_you_mean(value, sorted(known[tag]))
                outcome.add(at, message, hint, because=doubtful.get(tag, ()))


_RULES: Final[tuple[Callable[[Scenario, Validation], None], ...]] = (
    _check_names,
    *TYPE_RULES,
    check_cache_keys,
    *ACCESS_RULES,
    check_concurrency,
    _check_mix,
    _check_values,
    _check_traces,
    _check_populations,
    _check_blocks,
    check_validators,
    check_cors,
    _check_lengths,
    _check_projection,
    _check_tags,
    *PLAN_RULES,
    check_divided_bursts,
    check_alarms,
    check_cached_routes,
    check_timeline,
    check_perimeter,
    check_stages,
    check_services,
    *WEBSOCKET_RULES,
)


def notes_on(scenario: Scenario) -> list[str]:
    """What is allowed but may not be meant."""
    of_caches = list(cache_remarks(scenario))
    unused = [one for one in of_caches if one.code == "cache-unused"]
    return [
        *(one.note for one in unused),
        *access_notes(scenario),
        *(one.note for one in plan_remarks(scenario)),
        *(one.note for one in of_caches if one not in unused),
        *perimeter_notes(scenario),
        *(one.note for one in cors_remarks(scenario)),
        *stage_notes(scenario),
        *notes_on_raised_timeouts(scenario),
        *notes_on_locations(scenario),
        *notes_on_websockets(scenario),
    ]
