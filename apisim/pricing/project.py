"""From a window of a run to the expected usage of a month.

Usage is scaled by exact fractions and averaged over replications, before tiers and free tier. Cache
clusters, load balancers, interface endpoints and capacity that is held cost the month's hours
whatever the traffic, and each user of a user pool is one a month. A log holds what is written
within its retention, as it does when it has been there for that long. What does not scale (quotas,
cold caches) is not in the projection: the caller leaves the warm-up out of the windows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Literal

from apisim.pricing.book import PriceBook
from apisim.pricing.counting import NS_PER_HOUR
from apisim.pricing.doubts import Doubt, added
from apisim.pricing.neighbours import ServiceUsage
from apisim.pricing.usage import Usage
from apisim.pricing.windows import Represents, Window, factors_of, month_hours

__all__ = [
    "month_doubts",
    "month_events",
    "month_of",
    "month_parts",
    "month_quantities",
    "scaling_part",
]


def month_quantities(
    replications: Sequence[Sequence[Window]],
    book: PriceBook,
    *,
    represents: Represents | None,
    hours: int | Literal["calendar"],
    start: datetime,
) -> dict[str, Fraction]:
    """Expected quantities of a month, in the units of the book's meters, exact.

    Parameters
    ----------
    replications, book, start
        As :func:`apisim.pricing.billing.bill_of_month`.
    represents : Represents or None
        What windows without ``events_per_month`` stand for.
    hours : int or "calendar"
        Hours of the month.

    Raises
    ------
    SettingError
        As :func:`apisim.pricing.billing.bill_of_month`.
    """
    used, held = month_parts(replications, book, represents=represents, hours=hours, start=start)
    return {meter: used.get(meter, 0) + held.get(meter, Fraction(0)) for meter in {**used, **held}}


def scaling_part(usage: Usage, month_h: Fraction | None = None) -> Usage:
    """The part of a usage that grows with the traffic; what is left is paid for being there.

    With the hours of a month, what is stored of logs is a part of it.

    Clusters exist whether or not they are busy; so do web ACLs, of which only the requests scale,
    provisioned concurrency, tables and streams with capacity, load balancers, interface endpoints,
    detailed metrics, and the users of a user pool.
    """
    return Usage(
        apis=usage.apis,
        functions=tuple(replace(function, provisioned_ns=0) for function in usage.functions),
        wafs=tuple(replace(waf, provisioned_ns=0) for waf in usage.wafs),
        services=tuple(replace(service, provisioned_ns=0) for service in usage.services),
        balancers=tuple(replace(balancer, provisioned_ns=0) for balancer in usage.balancers),
        logs=tuple(replace(log, month_h=month_h) for log in usage.logs),
        traces=usage.traces,
    )


def month_parts(
    replications: Sequence[Sequence[Window]],
    book: PriceBook,
    *,
    represents: Represents | None,
    hours: int | Literal["calendar"],
    start: datetime,
) -> tuple[dict[str, Fraction], dict[str, Fraction]]:
    """What a month uses as its traffic does, and what it has whatever the traffic.

    Parameters, and what is raised, as :func:`month_quantities`.
    """
    used: dict[str, Fraction] = {}
    for windows in replications:
        found = month_of(windows, book, represents=represents, hours=hours, start=start)
        for meter, quantity in found.items():
            used[meter] = used.get(meter, Fraction(0)) + quantity / len(replications)
    held = _held(replications, book, Fraction(month_hours(hours, start)))
    return used, {meter: quantity for meter, quantity in held.items() if quantity}


def month_of(
    windows: Sequence[Window],
    book: PriceBook,
    *,
    represents: Represents | None,
    hours: int | Literal["calendar"],
    start: datetime,
) -> dict[str, Fraction]:
    """What a month uses as its traffic does, if it is like one replication.

    Parameters, and what is raised, as :func:`month_quantities`.
    """
    used: dict[str, Fraction] = {}
    month = Fraction(month_hours(hours, start))
    factors = factors_of(windows, represents, hours, start)
    for window, factor in zip(windows, factors, strict=True):
        for meter, quantity in scaling_part(window.usage, month).quantities(book).items():
            used[meter] = used.get(meter, Fraction(0)) + quantity * factor
    return {meter: quantity for meter, quantity in used.items() if quantity}


def _held(
    replications: Sequence[Sequence[Window]], book: PriceBook, month: Fraction
) -> dict[str, Fraction]:
    """What is paid for being there all the month."""
    quantities: dict[str, Fraction] = {}
    held = {
        function.name: replace(
            function,
            invocations=0, billed_ms=0, provisioned_ms=0,
            provisioned_ns=int(month * NS_PER_HOUR),
        )
        for windows in replications
        for window in windows
        for function in window.usage.functions
        if function.provisioned_concurrency
    }  # fmt: skip
    for meter, quantity in Usage(functions=tuple(held.values())).quantities(book).items():
        quantities[meter] = quantities.get(meter, Fraction(0)) + quantity
    for meter, hours in _of_clusters(replications, month):
        quantities[meter] = quantities.get(meter, Fraction(0)) + hours
    acls = {
        (waf.api, waf.stage, waf.rules)
        for windows in replications
        for window in windows
        for waf in window.usage.wafs
    }
    if acls:
        quantities["waf.web_acls"] = Fraction(len(acls))
    if n_rules := sum(rules for _, _, rules in acls):
        quantities["waf.rules"] = Fraction(n_rules)
    for meter, quantity in _of_time(replications, book, month):
        quantities[meter] = quantities.get(meter, Fraction(0)) + quantity
    return quantities


def month_events(
    replications: Sequence[Sequence[Window]], factors: Sequence[Sequence[Fraction]]
) -> dict[str, Fraction]:
    """Calls of the month behind metered units, by meter.

    Parameters
    ----------
    replications : sequence of sequences of Window
        The windows of each replication.
    factors : sequence of sequences of Fraction
        How many times a month each of them happens, as :func:`factors_of` says.
    """
    found: dict[str, Fraction] = {}
    for windows, times in zip(replications, factors, strict=True):
        for window, factor in zip(windows, times, strict=True):
            for meter, calls in window.usage.events().items():
                share = calls * factor / len(replications)
                found[meter] = found.get(meter, Fraction(0)) + share
    return found


def month_doubts(
    replications: Sequence[Sequence[Window]], factors: Sequence[Sequence[Fraction]]
) -> tuple[Doubt, ...]:
    """What else the month might be; parameters as :func:`month_events`."""
    return added(
        doubt.times(factor / len(replications))
        for windows, times in zip(replications, factors, strict=True)
        for window, factor in zip(windows, times, strict=True)
        for doubt in window.usage.doubts
    )


def _of_clusters(
    replications: Sequence[Sequence[Window]], month: Fraction
) -> Iterator[tuple[str, Fraction]]:
    """Hours of each cluster; of one that was resized, each size has its share of the run."""
    held_ns: dict[tuple[str, str], dict[str, int]] = {}
    for windows in replications:
        for cache in (cache for window in windows for cache in window.usage.caches):
            sizes = held_ns.setdefault((cache.api, cache.stage), {})
            sizes[cache.size] = sizes.get(cache.size, 0) + cache.provisioned_ns
    for sizes in held_ns.values():
        whole = sum(sizes.values())
        for size, part_ns in sizes.items():
            share = Fraction(part_ns, whole) if whole else Fraction(1, len(sizes))
            yield f"apigateway.cache.{size}", month * share


def _of_time(
    replications: Sequence[Sequence[Window]], book: PriceBook, month: Fraction
) -> Iterator[tuple[str, Fraction]]:
    """What neighbours cost a month for being there, and the users there are in a month.

    A table whose capacity was changed has each of its capacities for the share of the month that it
    had of the run. All users of a pool are taken to sign in once a month.
    """
    usages = [window.usage for windows in replications for window in windows]
    held_ns: dict[str, dict[ServiceUsage, int]] = {}
    for usage in usages:
        for service in usage.services:
            if service.is_provisioned and service.provisioned_ns:
                kind = replace(
                    service, requests=0, half_reads=0, units=0, provisioned_ns=NS_PER_HOUR
                )
                of_service = held_ns.setdefault(service.name, {})
                of_service[kind] = of_service.get(kind, 0) + service.provisioned_ns
    for of_service in held_ns.values():
        for kind, part_ns in of_service.items():
            for meter, hourly in kind.quantities(book):
                yield meter, hourly * month * Fraction(part_ns, sum(of_service.values()))
    balancers = {one.name: one.kind for usage in usages for one in usage.balancers}
    for balancer in balancers.values():
        yield f"elb.{balancer}.hours", month
    zones = {one.name: one.zones or 0 for usage in usages for one in usage.vpc_endpoints}
    yield "privatelink.endpoint_hours", month * sum(zones.values())
    metrics = {(one.api, one.route): one.metrics for usage in usages for one in usage.route_metrics}
    yield "cloudwatch.metrics", Fraction(sum(metrics.values()))
    pools = {one.name: one for usage in usages for one in usage.user_pools}
    for pool in pools.values():
        yield f"cognito.mau.{pool.tier}", Fraction(pool.population)
