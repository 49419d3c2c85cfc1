"""Which measures get an interval: all that a summary shows, also by route, phase and source."""

from collections.abc import Iterator
from typing import Final

from apisim.engine.program import Program
from apisim.results.metrics import Measure

__all__ = ["groups_of", "reported_measures"]

_Tags = tuple[tuple[str, str], ...]

_PERCENTS: Final = (50.0, 90.0, 95.0, 99.0, 99.9)
_SHARES: Final = ("throttled", "quota_refused", "failed", "errors_4xx", "errors_5xx")


def groups_of(program: Program) -> list[_Tags]:
    """Tags of the groups that a summary shows: routes, phases, sources, and phases of sources."""
    names = program.names
    apis = list(dict.fromkeys(api for api, _ in names.routes))
    found: list[_Tags] = []
    for api, route in names.routes:
        mine = (("api", api),) if len(apis) > 1 else ()
        found.append((*mine, ("route", route)))
    found += [(("phase", phase),) for phase in dict.fromkeys(phase for _, phase in names.phases)]
    found += [(("traffic", source),) for source in dict.fromkeys(of for of, _ in names.phases)]
    found += [(("traffic", source), ("phase", phase)) for source, phase in names.phases]
    return list(dict.fromkeys(found))


def reported_measures(program: Program) -> list[Measure]:
    """What gets an interval where there are replications, each once.

    What a scenario cannot have (hits without a cache, times of calls without clients) is left out;
    what no request had has no value, and gets no interval.
    """
    found = list(_whole(program))
    for tags in groups_of(program):
        found += [Measure("latency", "mean", None, tags), *_quantiles("latency", tags)]
        found += [Measure(name, "rate", None, tags) for name in ("requests", *_SHARES)]
        found += _of_mechanisms(program, tags)
    return list(dict.fromkeys(found))


def _whole(program: Program) -> Iterator[Measure]:
    scenario = program.scenario
    for name in ("latency", "integration_latency", "gateway_latency"):
        yield Measure(name, "mean")
        yield from _quantiles(name, ())
    yield Measure("requests", "count")
    yield Measure("requests", "rate")
    for name in _SHARES:
        yield Measure(name, "rate")
    yield Measure("availability", "rate")
    yield Measure("goodput", "rate")
    yield from _of_mechanisms(program, ())
    caches = [name for name, api in scenario.apis.items() if api.stage.has_cache]
    if len(caches) > 1:
        yield from (Measure("cache_hits", "rate", None, (("api", name),)) for name in caches)
    if any(source.client is not None for source in scenario.traffic.values()):
        yield Measure("call_latency", "mean")
        yield from _quantiles("call_latency", ())
    if any(api.type == "websocket" for api in scenario.apis.values()):
        yield Measure("connections", "mean")
        yield Measure("connects", "rate")
    if any(source.pushes for source in scenario.traffic.values()):
        yield from _quantiles("delivery", ())
        yield Measure("delivery_failures", "rate")
    yield Measure("data_processed", "count")
    yield Measure("cost_run", "value")


def _quantiles(metric: str, tags: _Tags) -> Iterator[Measure]:
    return (Measure(metric, "p", percent, tags) for percent in _PERCENTS)


def _of_mechanisms(program: Program, tags: _Tags) -> Iterator[Measure]:
    scenario = program.scenario
    if scenario.functions:
        yield Measure("cold_starts", "count", None, tags)
        yield Measure("cold_starts", "rate", None, tags)
    if any(api.stage.has_cache for api in scenario.apis.values()):
        yield Measure("cache_hits", "rate", None, tags)
        routes = [one for api in scenario.apis.values() for one in api.every_route.values()]
        if any(route.depends_on is not None for route in routes):
            yield Measure("wrong_answers", "rate", None, tags)
        if any(route.updates for route in routes):
            yield Measure("stale_answers", "rate", None, tags)
