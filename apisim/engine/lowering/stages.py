"""Canaries as arrays: a second row for each route, and a second binding for each that is called.

And which stage a domain leads to.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from apisim.engine.lowering.backends import LoweredBackends
from apisim.engine.lowering.context import Context, name_hash
from apisim.engine.tables import GATE_CANARY, NONE
from apisim.gateway.compression import LEFT_ALONE
from apisim.scenario.api import Route
from apisim.scenario.domains import base_path
from apisim.scenario.traffic import Trace

if TYPE_CHECKING:
    from apisim.engine.lowering.apis import LoweredApis
    from apisim.engine.lowering.bindings import Bindings

__all__ = [
    "add_canary_bindings",
    "compressed_ppm",
    "copy_rows",
    "count_canary_routes",
    "lower_canaries",
    "mapped_target",
]


def count_canary_routes(context: Context) -> int:
    """Rows that canaries add to the table of routes."""
    apis = context.scenario.apis.values()
    return sum(len(api.every_route) for api in apis if api.stage.canary is not None)


def compressed_ppm(context: Context, route: Route) -> int:
    """What is left of a route's answers when they are compressed [1e-6]."""
    if route.integration.content_encoding or route.integration.is_streamed:
        return LEFT_ALONE
    ratio = route.compression_ratio
    if ratio is None:
        ratio = context.scenario.settings.compression_ratio
    return round(ratio * 1_000_000)


def lower_canaries(context: Context, backends: LoweredBackends, lowered: "LoweredApis") -> None:
    """Rows behind those of all stages: the same gates and buckets, another backend."""
    for at, (name, api) in enumerate(context.scenario.apis.items()):
        canary = api.stage.canary
        if canary is None:
            continue
        lowered.apis["canary_percent"][at] = 0 if canary.promoted else canary.percent_traffic
        for key in api.every_route:
            base = lowered.route_index(name, key)
            index = len(lowered.route_names) + len(lowered.canary_of)
            lowered.canary_of.append(base)
            lowered.canaries[base] = index
            lowered.routes[index] = lowered.routes[base]
            row = lowered.routes[index]
            lowered.levels[index] = lowered.levels[base]
            function, endpoint = api.canary_backends.get(key, (None, None))
            if function is not None:
                row["index"] = backends.function_names.index(function)
            elif endpoint is not None:
                row["backend"], row["index"] = backends.of_endpoint(endpoint)
            if canary.promoted:
                for column in ("backend", "index"):
                    lowered.routes[base][column] = row[column]


def add_canary_bindings(
    context: Context, apis: "LoweredApis", bindings: "Bindings", first: int
) -> None:
    """A twin for each of a source's bindings, from ``first`` on, whose stage has a canary.

    It differs in its route's row and in the cache: without ``use_stage_cache`` nothing is cached
    for it, and another deployment has entries of its own.
    """
    for at in range(first, len(bindings.rows)):
        row = bindings.rows[at]
        row["canary"] = NONE
        route = apis.canaries.get(row["route"])
        if route is None:
            continue
        twin = {**row, "route": route, "stable": at}
        api, _ = bindings.labels[at]
        canary = context.scenario.apis[api].stage.canary
        assert canary is not None
        if not canary.use_stage_cache:
            twin["cache_line"] = twin["caching"] = NONE
        if canary.is_new_deployment:
            twin["cache_salt"] = name_hash("canary", str(row["cache_salt"]))
        if canary.promoted:
            row["cache_salt"] = twin["cache_salt"]
        row["canary"] = len(bindings.rows)
        row["gates"] |= GATE_CANARY
        bindings.canaries |= {at: "stable", len(bindings.rows): "canary"}
        bindings.rows.append(twin)
        bindings.labels.append(bindings.labels[at])
        bindings.methods.append(bindings.methods[at])


def copy_rows(rows: NDArray[Any], canary_of: Sequence[int]) -> None:
    """Give the rows of canaries, the last of a table by route, what their stages' routes have."""
    first = len(rows) - len(canary_of)
    for at, base in enumerate(canary_of):
        rows[first + at] = rows[base]


def mapped_target(context: Context, trace: Trace, target: str) -> tuple[str, str, bool]:
    """API of a log's row, the path as it sees it, and whether any API does.

    What no mapping of a domain takes is counted with the first API of the domain.
    """
    scenario = context.scenario
    if trace.domain is None:
        api = trace.api or next(iter(scenario.apis))
        return scenario.stage_api(api), target, True
    mappings = {
        path: scenario.stage_api(api)
        for path, api in scenario.domains[trace.domain].mappings.items()
    }
    found = base_path(mappings, target)
    if found is None:
        return next(iter(mappings.values())), target, False
    return *found, True
