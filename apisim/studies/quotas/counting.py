"""Quotas that do not depend on traffic: how many of what the scenario describes."""

from collections import Counter
from collections.abc import Iterator

from apisim.gateway.limits import URL_BYTES, WEBSOCKET_URL_BYTES
from apisim.scenario import Scenario
from apisim.scenario.api import Api
from apisim.studies.quotas.catalogue import QUOTAS
from apisim.studies.quotas.rows import LimitRow, row_of

__all__ = ["counted_rows", "is_written", "url_bytes"]

_SECOND_NS = 1_000_000_000


def is_written(scenario: Scenario, *path: str) -> bool:
    """Whether somebody wrote a value, in the file or on the command line."""
    positions = scenario.positions
    return path in positions.places or path in positions.overrides


def url_bytes(api: Api) -> int:
    """Longest URL of an API [bytes]."""
    return WEBSOCKET_URL_BYTES if api.type == "websocket" else URL_BYTES[api.endpoint]


def counted_rows(scenario: Scenario) -> Iterator[LimitRow]:
    """One line for each quota of which the scenario uses any."""
    deployed = {name.partition("/")[0]: api for name, api in scenario.apis.items()}
    for endpoint in ("regional", "edge", "private"):
        n_apis = sum(api.endpoint == endpoint for api in deployed.values())
        yield from _counted(f"{endpoint}_apis", "account", n_apis)
    stages = Counter(name.partition("/")[0] for name in scenario.apis)
    for name, api in deployed.items():
        if api.type == "rest":
            yield from _counted("resources", name, len(_resources(api)))
        else:
            yield from _counted("routes", name, len(api.routes))
        yield from _counted("stages", name, stages[name])
        used = {route.authorizer for route in api.routes.values() if route.authorizer}
        yield from _counted("authorizers", name, len(used))
        yield from _counted("variables", name, len(api.stage.variables))
        ttls = [route.cache.ttl for route in api.routes.values() if route.cache is not None]
        yield from _counted("cache_ttl", name, max(ttls, default=0) / _SECOND_NS)
    yield from _of_plans(scenario)
    links = sum(endpoint.behind is not None for endpoint in scenario.endpoints.values())
    # Of REST APIs 20, of HTTP APIs 10: the smaller where both could be meant.
    limit = 10 if any(api.type == "http" for api in deployed.values()) else 20
    yield from _counted("vpc_links", "account", links, limit)
    yield from _counted("domains", "account", len(scenario.domains))
    for name, domain in scenario.domains.items():
        levels = sum("/" in path for path in domain.mappings)
        yield from _counted("mappings", name, levels)
    for name, function in scenario.functions.items():
        yield from _counted("function_timeout", name, function.timeout / _SECOND_NS)


def _of_plans(scenario: Scenario) -> Iterator[LimitRow]:
    plans = scenario.usage_plans
    yield from _counted("usage_plans", "account", len(plans))
    named = Counter(key for plan in plans.values() for key in plan.api_keys)
    sources = (source.api_key for source in scenario.traffic.values())
    keys = set(named) | set(scenario.api_keys) | {key for key in sources if key is not None}
    each = sum(one.count for one in scenario.populations.values() if one.key_each)
    yield from _counted("api_keys", "account", len(keys) + each)
    if named:
        key, n_plans = named.most_common(1)[0]
        yield from _counted("plans_per_key", key, n_plans)
    for name, plan in plans.items():
        for stage, throttles in plan.api_stages.items():
            yield from _counted("plan_methods", f"{name}: {stage}", len(throttles))


def _resources(api: Api) -> set[str]:
    """Paths of a REST API with all that lie above them, the root included."""
    found = {"/"}
    for key in api.routes:
        parts = key.partition(" ")[2].strip("/").split("/")
        found |= {"/" + "/".join(parts[:n]) for n in range(1, len(parts) + 1)}
    return found


def _counted(kind: str, of: str, count: float, limit: float | None = None) -> Iterator[LimitRow]:
    quota = QUOTAS[kind]
    if count:
        yield row_of(
            quota,
            kind=kind,
            of=of,
            limit=quota.limit if limit is None else limit,
            used=[count],
            origin="default" if quota.is_requestable else "fixed",
            grows=False,
        )
