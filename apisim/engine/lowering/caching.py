"""What routes and the timeline ask of the response cache beyond the plain one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.expiring_lru import UNBOUNDED
from apisim.engine.actions import (
    ACTION_DTYPE,
    DROP,
    FLUSH,
    RESIZE,
)
from apisim.engine.lowering.context import Context
from apisim.engine.tables import (
    CACHE_CHANGES,
    CACHE_DEPENDS,
    CACHE_EVERYTHING,
    CACHE_INVALIDATES,
    CACHE_QUEUES,
    CACHE_UPDATES,
    CACHING_DTYPE,
)
from apisim.gateway.cache_cluster import ASSUMED_RATES, lookup_time_ns
from apisim.gateway.cache_control import POLICIES
from apisim.gateway.response_cache import CACHE_SIZES_BYTES
from apisim.scenario.api import Stage
from apisim.scenario.formats import counted
from apisim.scenario.settings import Settings
from apisim.scenario.stages import stage_label
from apisim.scenario.traffic import Source

__all__ = ["CachingRules", "lower_timeline", "stage_lookup_ns"]

_MILLION = 1_000_000


@dataclass(slots=True)
class CachingRules:
    """Rows of the caching table under construction, and the route each belongs to."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    routes: list[tuple[str, str]] = field(default_factory=list)  # (api, route key)

    def table(self) -> NDArray[np.void]:
        """``CACHING_DTYPE[n_rules]``; streams are filled in for each replication."""
        table = np.zeros(len(self.rows), CACHING_DTYPE)
        for at, row in enumerate(self.rows):
            for column, value in row.items():
                table[column][at] = value
        return table

    def add(
        self, context: Context, source: Source, api: str, route: str, cache: int, *, has_more: bool
    ) -> int | None:
        """Row of a source's calls of a cached route; None where the plain cache does.

        Parameters
        ----------
        context : Context
        source : Source
        api, route : str
            Name of the API and key of the route.
        cache : int
            The stage's cache.
        has_more : bool
            Whether the answer depends on parameters that are not in the key.
        """
        scenario = context.scenario
        settings, stage = scenario.settings, scenario.apis[api].stage
        spec = scenario.apis[api].every_route[route]
        assert spec.cache is not None
        what = CACHE_INVALIDATES * (source.invalidate.share > 0)
        what |= CACHE_DEPENDS * has_more
        what |= CACHE_UPDATES * (spec.updates > 0)
        what |= CACHE_EVERYTHING * (settings.cache_statuses == "all")
        what |= CACHE_QUEUES * (settings.cache_throughput != "off")
        name = stage_label(api, stage.name)
        what |= CACHE_CHANGES * any(name in (one.resize_cache or ()) for one in scenario.timeline)
        inflation_ppm = 0
        if spec.cache.encrypted:
            inflation_ppm = round(settings.cache_encryption_inflation * _MILLION)
        if not what and not inflation_ppm:
            return None
        self.rows.append(
            {
                "what": what,
                "cache": cache,
                "invalidate": source.invalidate.share,
                "authorized": source.invalidate.authorized,
                "needs_permission": spec.cache.invalidation.require_authorization,
                "unauthorized": POLICIES[spec.cache.invalidation.unauthorized],
                "updates_per_s": float(spec.updates),
                "inflation_ppm": inflation_ppm,
            }
        )
        self.routes.append((api, route))
        return len(self.rows) - 1


def stage_lookup_ns(settings: Settings, stage: Stage, size: str | None = None) -> int:
    """Time of one lookup in a stage's cache [ns]; 0 without a limit.

    Parameters
    ----------
    settings : Settings
    stage : Stage
    size : str or None
        Another size than the stage's own. A cache without any, made for an experiment, counts as
        the smallest.
    """
    limit = settings.cache_throughput
    if limit == "off":
        return 0
    if limit == "by_size":
        return lookup_time_ns(ASSUMED_RATES[size or stage.cache_cluster_size or "0.5"])
    return lookup_time_ns(limit)


def lower_timeline(
    context: Context, apis: Sequence[str], caches: dict[str, int], horizon_ns: int
) -> NDArray[np.void]:
    """Lower ``timeline:``; what comes after the traffic is left out, and a note says so.

    Parameters
    ----------
    context : Context
    apis : sequence of str
        Names of the APIs.
    caches : dict of str to int
        Position of each stage's cache.
    horizon_ns : int
        End of the traffic [ns].
    """
    scenario = context.scenario
    actions: list[tuple[float, ...]] = []
    entries = [entry for entry in scenario.timeline if entry.set_ is None]
    for entry in entries:
        at_ns = scenario.when(entry)
        if at_ns > horizon_ns:
            continue
        if entry.flush_cache is not None:
            actions.append((at_ns, FLUSH, caches[entry.flush_cache], *[0] * 10))
        for name, size in (entry.resize_cache or {}).items():
            stage = scenario.apis[scenario.stage_api(name)].stage
            weight = CACHE_SIZES_BYTES[size]
            if stage.cache_capacity is not None:  # an experiment's own capacity stays
                weight = min(stage.cache_capacity, UNBOUNDED)
            lookup_ns = stage_lookup_ns(scenario.settings, stage, size)
            create_ns = scenario.settings.cache_create_time
            resized = (caches[name], weight, lookup_ns, create_ns)
            actions.append((at_ns, RESIZE, *resized, *[0] * 7))
        if entry.disconnect is not None:
            api = apis.index(scenario.stage_api(entry.disconnect))
            cut = (api, entry.share, entry.lasts or 0)
            actions.append((at_ns, DROP, *[0] * 7, *cut, 0))
    n_late = sum(scenario.when(entry) > horizon_ns for entry in entries)
    if n_late:
        late = counted(n_late, "entry", "entries")
        does = (
            "comes after the traffic and does" if n_late == 1 else "come after the traffic and do"
        )
        context.notes.append(f"timeline: {late} {does} nothing")
    table = np.array(sorted(actions, key=lambda action: action[0]), ACTION_DTYPE)
    # Not by its place in the timeline: another entry may not change who is cut off.
    for api in range(len(apis)):
        of_api = (table["kind"] == DROP) & (table["api"] == api)
        table["cut"][of_api] = np.arange(np.count_nonzero(of_api))
    return table
