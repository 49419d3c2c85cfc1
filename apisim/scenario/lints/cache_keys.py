"""Caches whose entries are too short-lived, for too few callers, or must not be there at all."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from apisim.draws.discrete import UniformKeys, WeightedKeys
from apisim.scenario.api import Route
from apisim.scenario.calls import called_routes
from apisim.scenario.phases import CountsPhase, OpenPhase
from apisim.scenario.popularity import KeySpec
from apisim.scenario.problems import Path
from apisim.scenario.remarks import Remark
from apisim.scenario.scenario import Scenario
from apisim.scenario.traffic import Source

__all__ = ["cache_key_remarks", "expected_hit_ratio"]

_CACHING: Final = 'developer guide, "Cache settings for REST APIs"'
_INVALIDATION: Final = 'developer guide, "Invalidate an API Gateway cache entry"'
_PITFALL: Final = "pitfall 3 of the chapter: cache key misconfiguration"
_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE", "ANY"})
#: Methods whose GETs at least are cached where nothing is said.
_READS: Final = frozenset({"GET", "ANY"})
#: Parameters that belong to one caller alone.
_OWN: Final = frozenset({"header.authorization", "header.cookie", "header.x-api-key"})
#: Expected hit ratio below which a key is called too narrow.
_LOW: Final = 0.3
#: Ranks whose popularity is computed one by one; the rest is taken to be hardly ever asked for.
_MAX_RANKS: Final = 1_000_000
_SECOND_NS: Final = 1_000_000_000


def cache_key_remarks(scenario: Scenario) -> Iterator[Remark]:
    """All remarks on cached routes."""
    for name, api in scenario.apis.items():
        for key, route in api.routes.items():
            if route.cache is None or not api.stage.has_cache or route.cache.enabled is False:
                continue
            at: Path = ("apis", name, "routes", key)
            yield from _of_route(scenario, at, key, route)
            yield from _narrow(scenario, at, name, key, route)


def _of_route(scenario: Scenario, at: Path, key: str, route: Route) -> Iterator[Remark]:
    cache = route.cache
    if cache is None:
        return
    method = key.partition(" ")[0]
    if cache.ttl == 0:
        message = "a TTL of 0 caches nothing, and the cluster is paid for by the hour all the same"
        hint = "write ttl: 5m, AWS's default, or take the cache out"
        yield Remark("ttl-zero", (*at, "cache", "ttl"), message, hint, _CACHING)
    if cache.enabled and method in _WRITES:
        message = (
            f"answers of {method} are cached: a write that is answered from there never happens"
        )
        hint = "cache GET only (take enabled out)"
        yield Remark("cached-write", (*at, "cache", "enabled"), message, hint, _CACHING)
    elif cache.enabled is None and method not in _READS:
        message = f"only GET is cached unless enabled: true is written, so {method} is not"
        yield Remark("cache-unused", (*at, "cache"), message, "take the cache out", _CACHING)
    if not cache.invalidation.require_authorization:
        message = "any client can have its answer made anew (Cache-Control: max-age=0)"
        hint = "write invalidation: {require_authorization: true}"
        yield Remark(
            "open-invalidation", (*at, "cache", "invalidation"), message, hint, _INVALIDATION
        )
    own = [one for one in cache.keys if one in _OWN]
    needed = set(own) & set(route.depends_on or ())
    if own and not needed:
        message = f"cache.keys has {', '.join(own)}: each caller has entries of its own"
        hint = "leave it out unless the answer depends on it (depends_on)"
        yield Remark("cache-key-of-one-caller", (*at, "cache", "keys"), message, hint, _PITFALL)


def _rate(source: Source, api: str, key: str) -> float:
    """Most requests a second of a source on a route, as far as its phases say."""
    rates = [0.0]
    for phase in source.phases:
        if isinstance(phase, OpenPhase):
            rates.append(float(max(phase.rate, phase.ramp_to or 0)))
        elif isinstance(phase, CountsPhase):
            rates.append(max(phase.counts) * _SECOND_NS / phase.per)
    total = sum(entry.weight for entry in source.mix)
    own = sum(e.weight for e in source.mix if e.api == api and str(e.route) == key)
    return max(rates) * own / total if total else 0.0


def expected_hit_ratio(popularity: KeySpec, rate_rps: float, ttl_s: float) -> float:
    """Hit ratio of an unbounded cache whose entries live for a fixed time, under Poisson calls.

    A key that is asked for at rate λ is missed once and then hit λ T times in its life (Jung,
    Berger and Balakrishnan, "Modeling TTL-based Internet caches", INFOCOM 2003).

    Parameters
    ----------
    popularity : UniformKeys, ZipfKeys or WeightedKeys
        Of the keys.
    rate_rps, ttl_s : float
        Calls a second, and life of an entry [s].

    Examples
    --------
    >>> round(expected_hit_ratio(UniformKeys(100), 10.0, 30.0), 6)  # 3 calls of a key in its life
    0.75
    """
    if isinstance(popularity, UniformKeys):
        calls = rate_rps * ttl_s / popularity.n
        return calls / (1 + calls)
    if isinstance(popularity, WeightedKeys):
        weights = np.array(popularity.weights)
        shares = weights / weights.sum()
    else:
        ranks = np.arange(1, min(popularity.n, _MAX_RANKS) + 1, dtype=np.float64)
        weights = ranks**-popularity.s
        rest = _tail(popularity.s, len(ranks), popularity.n)
        shares = weights / (weights.sum() + rest)
    calls_of = shares * rate_rps * ttl_s
    return float((shares * calls_of / (1 + calls_of)).sum())


def _tail(s: float, first: int, last: int) -> float:
    """Weight of the ranks behind ``first``, by the integral between them."""
    if last <= first:
        return 0.0
    if s == 1:
        return float(np.log(last / first))
    return float((last ** (1 - s) - first ** (1 - s)) / (1 - s))


def _narrow(scenario: Scenario, at: Path, api: str, key: str, route: Route) -> Iterator[Remark]:
    """Keys of so many values that hardly anything is asked for twice within the TTL."""
    cache = route.cache
    method = key.partition(" ")[0]
    if cache is None or cache.ttl == 0 or (cache.enabled is None and method not in _READS):
        return
    keys = set(cache.keys)
    if scenario.settings.path_in_cache_key:
        keys |= {
            f"path.{parameter}" for parameter in scenario.apis[api].route_keys()[key].parameters
        }
    for name, source in scenario.traffic.items():
        if source.is_closed or not any(
            called is scenario.apis[api] and called_key == key
            for called, called_key in called_routes(scenario, source)
        ):
            continue
        rate = _rate(source, api, key)
        if not rate:
            continue
        for parameter, popularity in source.values.items():
            if parameter.removesuffix("+") not in keys and parameter not in keys:
                continue
            # Of all parameters of the key together it is lower still.
            ratio = expected_hit_ratio(popularity, rate, cache.ttl / _SECOND_NS)
            if ratio < _LOW:
                message = (
                    f"with {parameter} in the key at most {100 * ratio:.2g}% of the calls of "
                    f"{name} can be hits, at its highest rate ({rate:,.3g}/s)"
                )
                hint = "a longer ttl, a key of fewer values, or no cache"
                place: Path = (*at, "cache", "keys") if parameter in cache.keys else (*at, "cache")
                yield Remark("cache-key-of-many-values", place, message, hint, _PITFALL)
