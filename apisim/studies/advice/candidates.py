"""Changes that a scenario suggests: each a name, a sentence, and what to set.

A candidate is a question and no advice: whether it is worth anything is simulated. Nothing that AWS
takes no request for is a candidate (the account's burst), and nothing whose effect the scenario
does not say (more memory of a function without ``measured_at``).
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from apisim.gateway.response_cache import CACHE_SIZES_BYTES
from apisim.scenario import Scenario, ScenarioError
from apisim.scenario.api import Api, Route
from apisim.scenario.stage import MAX_BURST, Throttle
from apisim.scenario.stages import written_path

__all__ = ["Candidate", "candidates_of", "place_of"]

_TIP_TYPE: Final = "tip 1 of the chapter: choose the right API type"
_TIP_CACHE: Final = "tip 2 of the chapter: cache read-heavy endpoints"
_TIP_AUTH: Final = "tip 3 of the chapter: keep an authorizer's results"
_TIP_CORS: Final = "tip 4 of the chapter: configure CORS properly"
_PITFALL_LIMITS: Final = "pitfall 2 of the chapter: insufficient throttling limits"
_PITFALL_KEYS: Final = "pitfall 3 of the chapter: cache key misconfiguration"
_PITFALL_LAMBDA: Final = "pitfall 4 of the chapter: Lambda limits"
_RETRIES: Final = 'Builders\' Library, "Timeouts, retries, and backoff with jitter"'
_QUEUES: Final = 'Builders\' Library, "Avoiding insurmountable queue backlogs"'

_SIZES: Final = tuple(CACHE_SIZES_BYTES)
_TTLS: Final = ("1m", "5m", "1h")
_SECOND_NS: Final = 1_000_000_000
_MINUTE_NS: Final = 60 * _SECOND_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A change that might be worth it.

    Attributes
    ----------
    name : str
        In few words.
    overrides : tuple of str
        What to set, as ``--set`` takes it.
    why : str
        Who suggests such a change.
    """

    name: str
    overrides: tuple[str, ...]
    why: str = ""


def candidates_of(scenario: Scenario) -> list[tuple[Candidate, Scenario]]:
    """Changes that can be made of a scenario, and the scenario so changed.

    Those that it refuses, and those that change nothing, are left out.
    """
    found: dict[tuple[str, ...], tuple[Candidate, Scenario]] = {}
    for candidate in (one for family in _FAMILIES for one in family(scenario)):
        with contextlib.suppress(ScenarioError):
            changed = scenario.with_(*candidate.overrides)
            if changed != scenario:
                found.setdefault(candidate.overrides, (candidate, changed))
    return list(found.values())


def place_of(name: str, *rest: str) -> str:
    """Path of an API, or of something in it, as a scenario's author would write it."""
    return ".".join(map(str, written_path(("apis", name, *rest), (name,) if "/" in name else ())))


def _called(scenario: Scenario, name: str, route: str) -> str:
    """A route, with its API where there are several."""
    return route if len(scenario.apis) == 1 else f"{name} {route}"


def _api_type(scenario: Scenario) -> Iterator[Candidate]:
    for name, api in scenario.apis.items():
        if api.type == "rest":
            yield Candidate(
                name=f"{name}: HTTP in place of REST",
                overrides=(f"{place_of(name)}.type=http",),
                why=_TIP_TYPE,
            )


def _caches(scenario: Scenario) -> Iterator[Candidate]:
    for name, api in scenario.apis.items():
        if api.type != "rest":
            continue
        size = api.stage.cache_cluster_size
        if size is None:
            yield from _new_cache(scenario, name, api)
            continue
        at = _SIZES.index(size)
        for other in (*_SIZES[max(at - 1, 0) : at], *_SIZES[at + 1 : at + 2]):
            yield Candidate(
                name=f"{name}: a cache of {other} GB in place of {size}",
                overrides=(f'{place_of(name, "stage")}.cache_cluster_size="{other}"',),
                why=_TIP_CACHE,
            )
        cached = [key for key, route in api.routes.items() if route.cache is not None]
        without = (f"{place_of(name)}.routes.{key}.cache=null" for key in cached)
        yield Candidate(
            name=f"{name}: no cache",
            overrides=(*without, f"{place_of(name, 'stage')}.cache_cluster_size=null"),
            why="a cluster is paid for by the hour, hit or miss (API Gateway pricing)",
        )


def _new_cache(scenario: Scenario, name: str, api: Api) -> Iterator[Candidate]:
    """On all routes that read and whose answers' keys are known."""
    cached = []
    for key, route in api.routes.items():
        if key.startswith("GET ") and (keys := _keys_of(scenario, api, key, route)):
            definition = json.dumps({"ttl": "5m", "keys": keys})
            cached.append(f"{place_of(name)}.routes.{key}.cache={definition}")
    for size in ("0.5", "1.6") if cached else ():
        yield Candidate(
            name=f"{name}: a cache of {size} GB on {len(cached)} GET routes, 5 minutes",
            overrides=(f'{place_of(name, "stage")}.cache_cluster_size="{size}"', *cached),
            why=_TIP_CACHE,
        )


def _keys_of(scenario: Scenario, api: Api, key: str, route: Route) -> list[str]:
    """What the answer of a route depends on, or all that callers vary of its path and query."""
    if route.depends_on is not None:
        return list(route.depends_on)
    keys = [f"path.{parameter}" for parameter in api.route_keys()[key].parameters]
    for source in scenario.traffic.values():
        keys += [value for value in source.values if value.startswith("querystring.")]
    return list(dict.fromkeys(keys))


def _cached_routes(scenario: Scenario) -> Iterator[Candidate]:
    for name, api in scenario.apis.items():
        for key, route in api.routes.items():
            if route.cache is None or not api.stage.has_cache:
                continue
            place = f"{place_of(name)}.routes.{key}.cache"
            called = _called(scenario, name, key)
            for ttl in _TTLS:
                yield Candidate(
                    name=f"{called}: cached for {ttl}",
                    overrides=(f"{place}.ttl={ttl}",),
                    why=_TIP_CACHE,
                )
            if route.depends_on is not None and set(route.depends_on) != set(route.cache.keys):
                yield Candidate(
                    name=f"{called}: cache keys are what the answer depends on",
                    overrides=(f"{place}.keys={json.dumps(list(route.depends_on))}",),
                    why=_PITFALL_KEYS,
                )


def _authorizers(scenario: Scenario) -> Iterator[Candidate]:
    for name, authorizer in scenario.authorizers.items():
        used = {
            api.type
            for api in scenario.apis.values()
            for route in api.routes.values()
            if route.authorizer == name and api.type != "websocket"
        }
        if authorizer.function is not None and any(
            authorizer.ttl_on(kind) < 5 * _MINUTE_NS for kind in used
        ):
            yield Candidate(
                name=f"authorizer {name}: results kept for 5 minutes",
                overrides=(f"authorizers.{name}.ttl=5m",),
                why=_TIP_AUTH,
            )


def _cors(scenario: Scenario) -> Iterator[Candidate]:
    if all(source.browser is None for source in scenario.traffic.values()):
        return
    for name, api in scenario.apis.items():
        if api.cors is not None and (api.cors.max_age or 0) < 10 * _MINUTE_NS:
            yield Candidate(
                name=f"{name}: browsers keep answers to preflights (max_age of 2 h)",
                overrides=(f"{place_of(name)}.cors.max_age=2h",),
                why=_TIP_CORS,
            )


def _retries(scenario: Scenario) -> Iterator[Candidate]:
    for name, source in scenario.traffic.items():
        retries = None if source.client is None else source.client.retries
        if retries is None or retries.max == 0:
            continue
        place = f"traffic.{name}.client.retries"
        if retries.backoff != "full_jitter":
            yield Candidate(
                name=f"{name}: retries with full jitter",
                overrides=(f"{place}.backoff=full_jitter",),
                why=_RETRIES,
            )
        yield Candidate(name=f"{name}: no retries", overrides=(f"{place}.max=0",), why=_RETRIES)


def _queues(scenario: Scenario) -> Iterator[Candidate]:
    """Queues as long as what can be served while a caller waits."""
    waits = [
        source.client.timeout
        for source in scenario.traffic.values()
        if source.client is not None and source.client.timeout is not None
    ]
    for name, endpoint in scenario.endpoints.items():
        if not waits or endpoint.queue_limit is None:
            continue
        mean_ns = endpoint.service_time.mean()
        served = endpoint.servers * min(waits) / mean_ns if mean_ns > 0 else 0
        room = int(served / 2) - endpoint.servers
        if 0 < room < endpoint.queue_limit:
            yield Candidate(
                name=f"endpoint {name}: a queue of {room} (served in half a caller's time-out)",
                overrides=(f"endpoints.{name}.queue_limit={room}",),
                why=_QUEUES,
            )


def _limits(scenario: Scenario) -> Iterator[Candidate]:
    """Twice the limits there are; a limit on what is expensive: as much as its backend serves."""
    for name, api in scenario.apis.items():
        if api.type == "websocket":
            continue
        if (of_stage := api.stage.throttle) is not None:
            yield from _twice(
                f"{name}: a stage limit", place_of(name, "stage", "throttle"), of_stage
            )
        for key, route in api.routes.items():
            place = f"{place_of(name)}.routes.{key}.throttle"
            called = _called(scenario, name, key)
            if route.throttle is not None:
                yield from _twice(f"{called}: a method limit", place, route.throttle)
            elif serves := _capacity_rps(scenario, route):
                yield Candidate(
                    name=f"{called}: a method limit of {serves}/s, as much as its backend serves",
                    overrides=(f"{place}={{rate_limit: {serves}, burst_limit: {serves}}}",),
                    why=_PITFALL_LIMITS,
                )


def _twice(what: str, place: str, throttle: Throttle) -> Iterator[Candidate]:
    rate, burst = 2 * throttle.rate_limit, 2 * throttle.burst_limit
    if rate and burst <= MAX_BURST and rate <= MAX_BURST:
        yield Candidate(
            name=f"{what} of {float(rate):g}/s in place of {float(rate) / 2:g}/s",
            overrides=(f"{place}.rate_limit={float(rate):g}", f"{place}.burst_limit={burst}"),
            why=_PITFALL_LIMITS,
        )


def _capacity_rps(scenario: Scenario, route: Route) -> int:
    """Requests a second that the backend of a route serves at most; 0 where nothing bounds them."""
    integration = route.integration
    function = scenario.functions.get(integration.function or "")
    endpoint = scenario.endpoints.get(integration.endpoint or "")
    if function is not None and function.reserved_concurrency:
        places, mean_ns = function.reserved_concurrency, function.duration.mean()
    elif endpoint is not None:
        places, mean_ns = endpoint.servers, endpoint.service_time.mean()
    else:
        return 0
    return min(int(places * _SECOND_NS / mean_ns), MAX_BURST) if mean_ns > 0 else 0


def _concurrency(scenario: Scenario) -> Iterator[Candidate]:
    limit = scenario.account.lambda_concurrency
    if scenario.functions:
        yield Candidate(
            name=f"a Lambda concurrency of {2 * limit} in place of {limit} (to be requested)",
            overrides=(f"account.lambda_concurrency={2 * limit}",),
            why=_PITFALL_LAMBDA,
        )
    for name, function in scenario.functions.items():
        if function.reserved_concurrency:
            yield Candidate(
                name=f"function {name}: twice its reserved concurrency",
                overrides=(
                    f"functions.{name}.reserved_concurrency={2 * function.reserved_concurrency}",
                ),
                why=_PITFALL_LAMBDA,
            )


def _memory(scenario: Scenario) -> Iterator[Candidate]:
    """Only where it is known what other memory does to a function's duration."""
    for name, function in scenario.functions.items():
        if function.measured_at is None:
            continue
        for megabytes in (function.memory_mb // 2, 2 * function.memory_mb):
            yield Candidate(
                name=f"function {name}: {megabytes} MB in place of {function.memory_mb} MB",
                overrides=(f"functions.{name}.memory={megabytes}MB",),
                why=_PITFALL_LAMBDA,
            )


_FAMILIES: Final[tuple[Callable[[Scenario], Iterator[Candidate]], ...]] = (
    _api_type,
    _caches,
    _cached_routes,
    _authorizers,
    _cors,
    _retries,
    _queues,
    _limits,
    _concurrency,
    _memory,
)
