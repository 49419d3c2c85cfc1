"""The launch envelope: traffic by cache-hit ratio by duration, and which limit is met first.

A launch is taken as a step: nothing, and then calls at an even rate, for so long. It begins with
full buckets and without a warm environment. The mix is the scenario's own as it was simulated, the
rate that of its busiest ten seconds, times a multiple; a hit ratio is that of what is looked for in
a cache, and takes its part of those calls away from what is behind it and from nothing else.

Then each limit refuses for the first time at a moment that is known:

* a token bucket of rate r and burst b under calls every 1/λ: at call k (from 0), the first with
  (k + 1) - k r/λ > b, that is after floor((b - 1) / (1 - r/λ)) + 1 calls, exactly;
* concurrency: before the first invocation is over, which takes its cold start as well, all that
  have come are running: with c places at call c, if λ S > c;
* how fast a function may grow: a bucket of environments that each call takes one of until then;
* an endpoint: its queue fills with what its servers do not serve.

These are moments of even traffic and mean times. Random traffic comes in clusters and random times
have tails: it meets a limit that is near a little sooner, as the sheet's own simulations show.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from apisim.engine.lowering.buckets import LEVELS
from apisim.scenario.api import Route
from apisim.scenario.stages import stage_label
from apisim.studies.quotas.demand import Demand, mean_s
from apisim.studies.quotas.observing import Wall

__all__ = [
    "EnvelopeCell",
    "Meeting",
    "envelope",
    "first_refused_s",
    "meetings",
]

_SCALING_S: Final = 10


@dataclass(frozen=True, slots=True)
class Meeting:
    """A limit that a launch meets.

    Attributes
    ----------
    at_s : float
        Time of its first refusal from the start [s].
    wall : Wall
    """

    at_s: float
    wall: Wall


@dataclass(frozen=True, slots=True)
class EnvelopeCell:
    """One cell of the envelope.

    Attributes
    ----------
    multiple, rate_rps : float
        Traffic as a multiple of the scenario's busiest 10 s, and as a rate [1/s].
    hit_ratio : float
        Of the routes with a cache; NaN where there is none.
    duration_s : float
        How long the launch lasts [s].
    kind, of : str or None
        The limit that is met first within that time; None: none is.
    at_s : float or None
        When that is [s].
    """

    multiple: float
    rate_rps: float
    hit_ratio: float
    duration_s: float
    kind: str | None
    of: str | None
    at_s: float | None


def first_refused_s(rate_rps: Fraction, limit_rps: Fraction, burst: int) -> Fraction | None:
    """When a full token bucket refuses a call for the first time, of calls at 0, 1/λ, 2/λ, ...

    Parameters
    ----------
    rate_rps : Fraction
        Calls a second, > 0.
    limit_rps : Fraction
        Tokens a second, >= 0.
    burst : int
        Tokens that a full bucket holds, >= 0.

    Returns
    -------
    Fraction or None
        Time [s], exact; None if it never refuses.

    Examples
    --------
    >>> first_refused_s(Fraction(200), Fraction(100), 50)  # call 99 finds 50 + 49.5 - 99 tokens
    Fraction(99, 200)
    >>> first_refused_s(Fraction(100), Fraction(100), 1) is None
    True
    """
    if burst < 1:
        return Fraction(0)
    if rate_rps <= limit_rps:
        return None
    call = math.floor((burst - 1) / (1 - limit_rps / rate_rps)) + 1
    return call / rate_rps


def meetings(demand: Demand, multiple: float, hit_ratio: float) -> list[Meeting]:
    """Limits that a launch without end meets, the first one first.

    Parameters
    ----------
    demand : Demand
    multiple : float
        Of the rate of the busiest 10 s, > 0.
    hit_ratio : float
        Of the routes with a cache, in [0, 1]; NaN counts as 0.
    """
    rate = demand.rate_rps * multiple
    if rate <= 0:
        return []
    hits = 0.0 if math.isnan(hit_ratio) else hit_ratio
    found = [
        *_buckets(demand, rate, demand.connects_rps * multiple),
        *_functions(demand, rate, hits),
        *_endpoints(demand, rate, hits),
    ]
    # Those of an instant in the order in which a request meets them.
    return sorted(found, key=lambda one: one.at_s)


def _bucket(wall: Wall, rate: float, limit: float | Fraction, burst: int) -> Iterator[Meeting]:
    if rate <= 0:
        return
    at = first_refused_s(_short(rate), Fraction(limit), burst)
    if at is not None:
        yield Meeting(float(at), wall)


def _short(rate: float) -> Fraction:
    """A rate as a short decimal: 200.00000000000003/s is 200/s."""
    return Fraction(f"{rate:.9g}")


def _buckets(demand: Demand, rate: float, connects: float) -> Iterator[Meeting]:
    scenario = demand.scenario
    account = scenario.account
    if connects > 0:
        accepts = account.new_connections
        wall = Wall(LEVELS[3], "account")
        yield from _bucket(wall, connects, accepts.rate_limit, accepts.burst_limit)
    for name, api in scenario.apis.items():
        stage, shared = api.stage.throttle, 0.0
        for key, route in api.routes.items():
            own = rate * demand.shares.get((name, key), 0.0)
            of_method, throttle = f"{name} {key}", route.throttle
            if throttle is not None:
                wall = Wall(LEVELS[0], of_method)
                yield from _bucket(wall, own, throttle.rate_limit, throttle.burst_limit)
            elif stage is not None and stage.scope == "method":
                wall = Wall(LEVELS[1], of_method)
                yield from _bucket(wall, own, stage.rate_limit, stage.burst_limit)
            if throttle is None or scenario.settings.method_limit == "within_stage":
                shared += own
        if stage is not None and stage.scope == "shared":
            wall = Wall(LEVELS[1], stage_label(name, api.stage.name))
            yield from _bucket(wall, shared, stage.rate_limit, stage.burst_limit)
    left = account.throttle.rate_limit - account.background.requests
    yield from _bucket(Wall(LEVELS[2], "account"), rate, left, account.throttle.burst_limit)


def _called(demand: Demand, rate: float, hits: float) -> Iterator[tuple[Route, float, float]]:
    """Each route with the rates at which its integration and its authorizer are called [1/s]."""
    scenario = demand.scenario
    for (name, key), share in demand.shares.items():
        api = scenario.apis.get(name)
        route = None if api is None else api.routes.get(key)
        if route is None or share <= 0:
            continue
        misses = 1 - hits * demand.lookups.get((name, key), 0.0)
        calls = demand.authorizer_calls.get((name, key), 0.0)
        yield route, rate * share * misses, rate * share * calls


def _functions(demand: Demand, rate: float, hits: float) -> Iterator[Meeting]:
    scenario = demand.scenario
    rates = dict.fromkeys(scenario.functions, 0.0)
    for route, integrations, checks in _called(demand, rate, hits):
        if route.integration.function in rates:
            rates[route.integration.function or ""] += integrations
        authorizer = scenario.authorizers.get(route.authorizer or "")
        if authorizer is not None and authorizer.function in rates:
            rates[authorizer.function or ""] += checks
    rates = {name: found for name, found in rates.items() if found > 0}
    account, settings = scenario.account, scenario.settings
    shared = [n for n in rates if scenario.functions[n].reserved_concurrency is None]
    aside = sum(function.concurrency_set_aside for function in scenario.functions.values())
    left = account.lambda_concurrency - aside - account.background.lambda_concurrency
    for name in rates:
        reserve = scenario.functions[name].reserved_concurrency
        if reserve is not None:
            yield from _full(Wall("reserved", name), {name: rates[name]}, demand, reserve)
    own = {name: rates[name] for name in shared}
    yield from _full(Wall("concurrency", "account"), own, demand, left)
    if settings.lambda_request_rate:
        most = settings.lambda_request_rate * account.lambda_concurrency
        yield from _bucket(Wall("lambda_rate", "account"), sum(rates.values()), most, most)
    for name, found in rates.items():
        limit = settings.lambda_scaling
        # Until the first invocation is over each call takes an environment of its own.
        for one in _bucket(Wall("scaling", name), found, Fraction(limit, _SCALING_S), limit):
            if limit and one.at_s < demand.cold_s[name]:
                yield one


def _full(wall: Wall, rates: dict[str, float], demand: Demand, places: int) -> Iterator[Meeting]:
    """When the places are taken: those that came are running until the first are over."""
    if not rates:
        return
    if places <= 0:
        yield Meeting(0.0, wall)
        return
    taken, since = 0.0, 0.0
    running = sum(rates.values())
    for name in sorted(rates, key=lambda one: demand.cold_s[one]):
        until = demand.cold_s[name]
        if math.isnan(until):
            return  # it was never called: nobody knows how long it takes
        more = running * (until - since)
        # Call number `places`, from 0, is the first that finds none.
        if taken + more > places:
            yield Meeting(since + (places - taken) / running, wall)
            return
        taken, since, running = taken + more, until, running - rates[name]


def _endpoints(demand: Demand, rate: float, hits: float) -> Iterator[Meeting]:
    scenario = demand.scenario
    rates = dict.fromkeys(scenario.endpoints, 0.0)
    for route, integrations, _ in _called(demand, rate, hits):
        integration = route.integration
        if integration.endpoint in rates:
            rates[integration.endpoint or ""] += integrations
        function = scenario.functions.get(integration.function or "")
        for call in function.calls if function is not None else ():
            if call.endpoint in rates:
                rates[call.endpoint or ""] += integrations
    for name, found in rates.items():
        endpoint = scenario.endpoints[name]
        service_s = mean_s(endpoint.service_time)
        if endpoint.queue_limit is None or service_s <= 0 or found <= 0:
            continue
        servers = endpoint.servers * endpoint.targets
        served = servers / service_s
        if found > served:
            filled = endpoint.queue_limit * endpoint.targets / (found - served)
            yield Meeting(servers / found + filled, Wall("endpoint", name))


def envelope(
    demand: Demand,
    *,
    multiples: Sequence[float],
    hit_ratios: Sequence[float],
    durations_s: Sequence[float],
) -> tuple[EnvelopeCell, ...]:
    """All cells, in the order multiples, hit ratios, durations."""
    found = []
    for multiple in multiples:
        for hit_ratio in hit_ratios:
            met = meetings(demand, multiple, hit_ratio)
            for duration_s in durations_s:
                first = next((one for one in met if one.at_s < duration_s), None)
                found.append(
                    EnvelopeCell(
                        multiple=multiple,
                        rate_rps=demand.rate_rps * multiple,
                        hit_ratio=hit_ratio,
                        duration_s=duration_s,
                        kind=None if first is None else first.wall.kind,
                        of=None if first is None else first.wall.of,
                        at_s=None if first is None else first.at_s,
                    )
                )
    return tuple(found)
