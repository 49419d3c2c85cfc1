"""Usage plans and API keys as arrays.

Keys come in the order of their holders: the customers of each population that have keys, then the
keys that have a name. A key in a plan is a *subscription*, with buckets and a quota of its own.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from apisim.draws.generator import uniform
from apisim.draws.keys import stream_key
from apisim.draws.purposes import Purpose
from apisim.engine.lowering.apis import LoweredApis
from apisim.engine.lowering.buckets import divided_bucket
from apisim.engine.lowering.context import Context
from apisim.engine.lowering.stages import copy_rows
from apisim.gateway.quota import CLOCK_DTYPE, DAY_NS, NO_QUOTA, PERIODS, QUOTA_DTYPE, window_end
from apisim.gateway.throttle import BUCKET_DTYPE, NO_BUCKET
from apisim.gateway.usage_plan import KEY_DTYPE, NOT_ATTACHED, PLAN_LEVELS, SUBSCRIPTION_DTYPE
from apisim.scenario import Scenario
from apisim.scenario.api import Throttle
from apisim.scenario.plans import UsagePlan
from apisim.scenario.populations import Population

__all__ = ["LoweredPlans", "lower_plans"]

#: Kind of a plan's bucket: after those of the route's hierarchy.
_PLAN_KIND = 3
_ROUTE, _PLAN = range(PLAN_LEVELS)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(slots=True)
class LoweredPlans:
    """Plans, keys and subscriptions."""

    clock: NDArray[np.void]  # CLOCK_DTYPE[1]
    quotas: NDArray[np.void]  # by plan
    routes: NDArray[np.int64]  # [n_plans, n_routes, PLAN_LEVELS]
    keys: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, KEY_DTYPE))
    subscriptions: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, SUBSCRIPTION_DTYPE))
    buckets: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, BUCKET_DTYPE))
    #: By customer: whether it has a key of its own. Named keys are customers behind all others.
    has_key: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    first_keys: dict[str, int] = field(default_factory=dict)  # by population
    limits: list[tuple[str, str]] = field(default_factory=list)  # (plan, what it limits)
    named: dict[str, int] = field(default_factory=dict)  # row of each named key
    first_named_customer: int = 0

    def customer_of(self, key: str) -> int:
        """Number of a named key among the customers."""
        return self.first_named_customer + list(self.named).index(key)


def lower_plans(context: Context, apis: LoweredApis) -> LoweredPlans:
    """Lower ``usage_plans:``, ``api_keys:``, and the keys of populations and sources."""
    scenario = context.scenario
    n_plans = len(scenario.usage_plans)
    clock = _clock(scenario)
    lowered = LoweredPlans(
        clock=clock,
        quotas=np.zeros(n_plans, QUOTA_DTYPE),
        routes=np.full((n_plans, len(apis.routes), PLAN_LEVELS), NOT_ATTACHED, np.int64),
    )
    templates = []
    for at, (name, plan) in enumerate(scenario.usage_plans.items()):
        _lower_quota(scenario, plan, lowered.quotas[at], clock[0])
        routes = lowered.routes[at]
        templates.append(_plan_buckets(context, apis, name, plan, routes, lowered.limits))
        copy_rows(routes, apis.canary_of)
    _lower_holders(scenario, lowered, templates)
    return lowered


def _clock(scenario: Scenario) -> NDArray[np.void]:
    clock = np.zeros(1, CLOCK_DTYPE)
    start = scenario.start
    epoch = start.replace(year=1970, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    since = start - epoch
    clock["start_day"] = since.days
    clock["start_ns"] = since.seconds * 1_000_000_000 + since.microseconds * 1000
    clock["week_start"] = _WEEKDAYS.index(scenario.settings.quota_week_start)
    assert 0 <= clock["start_ns"][0] < DAY_NS
    return clock


def _lower_quota(scenario: Scenario, plan: UsagePlan, row: np.void, clock: np.void) -> None:
    row["limit"] = NO_QUOTA
    if plan.quota is None:
        return
    row["limit"], row["offset"] = plan.quota.limit, plan.quota.offset
    row["period"] = PERIODS.index(plan.quota.period)
    row["first_end"] = window_end(row["period"], clock["start_day"], clock["week_start"])
    row["counts_refused"] = int(scenario.settings.refused_use_quota)


def _plan_buckets(
    context: Context,
    apis: LoweredApis,
    name: str,
    plan: UsagePlan,
    routes: NDArray[np.int64],
    limits: list[tuple[str, str]],
) -> NDArray[np.void]:
    """Buckets of one key in a plan, the plan's own first; ``routes`` says who uses which."""
    found: list[NDArray[np.void]] = []
    own = NO_BUCKET
    at: tuple[str, ...] = ("usage_plans", name)
    if plan.throttle is not None:
        own = 0
        limits.append((name, name))
        found.append(_bucket(context, plan.throttle, (*at, "throttle")))
    for stage, overrides in plan.api_stages.items():
        api = plan.api_of(stage)
        for index, (of_api, key) in enumerate(apis.route_names):
            if of_api != api:
                continue
            routes[index] = NO_BUCKET, own
            if key in overrides:
                routes[index, _ROUTE] = sum(map(len, found))
                place = (*at, "api_stages", stage, key)
                limits.append((name, f"{name}: {api} {key}"))
                found.append(_bucket(context, overrides[key], place))
                if context.scenario.settings.plan_method_limit == "replaces_plan":
                    routes[index, _PLAN] = NO_BUCKET
    return np.concatenate([np.zeros(0, BUCKET_DTYPE), *found])


def _bucket(context: Context, throttle: Throttle, path: tuple[str, ...]) -> NDArray[np.void]:
    hint = "use a rate with fewer decimals or a smaller burst"
    try:
        return divided_bucket(context.scenario.settings, throttle, _PLAN_KIND)
    except OverflowError as error:
        context.refuse(path, str(error), hint)
        return np.zeros(context.scenario.settings.sloppiness, BUCKET_DTYPE)


def _lower_holders(
    scenario: Scenario, lowered: LoweredPlans, templates: list[NDArray[np.void]]
) -> None:
    plans_of_keys: list[NDArray[np.int64]] = []  # plan of each subscription
    customers: list[NDArray[np.int64]] = []
    keys: list[NDArray[np.void]] = []
    has_key: list[NDArray[np.bool_]] = []
    n_keys = n_subscriptions = n_customers = 0
    plan_names = list(scenario.usage_plans)
    for name, population in scenario.populations.items():
        has_key.append(np.full(population.count, population.key_each))
        if population.key_each:
            rows = np.zeros(population.count, KEY_DTYPE)
            rows["enabled"] = 1
            if population.plans is not None:
                rows["first"] = n_subscriptions + np.arange(population.count)
                rows["count"] = 1
                own = _plans_of_customers(scenario.seed, name, population)
                order = [plan_names.index(plan) for plan in population.plans]
                plans_of_keys.append(np.array(order, np.int64)[own])
                customers.append(n_customers + np.arange(population.count))
                n_subscriptions += population.count
            lowered.first_keys[name] = n_keys
            keys.append(rows)
            n_keys += population.count
        n_customers += population.count
    lowered.first_named_customer = n_customers
    for key in _named_keys(scenario):
        row = np.zeros(1, KEY_DTYPE)
        spec = scenario.api_keys.get(key)
        row["enabled"] = int(spec is None or spec.enabled)
        own_plans = [at for at, p in enumerate(scenario.usage_plans.values()) if key in p.api_keys]
        row["first"], row["count"] = n_subscriptions, len(own_plans)
        plans_of_keys.append(np.array(own_plans, np.int64))
        customers.append(np.full(len(own_plans), n_customers + len(lowered.named)))
        n_subscriptions += len(own_plans)
        lowered.named[key] = n_keys
        keys.append(row)
        n_keys += 1
    has_key.append(np.full(len(lowered.named), True))
    lowered.has_key = np.concatenate(has_key)
    lowered.keys = np.concatenate([lowered.keys, *keys])
    _subscribe(lowered, templates, plans_of_keys, customers)


def _subscribe(
    lowered: LoweredPlans,
    templates: list[NDArray[np.void]],
    plans: list[NDArray[np.int64]],
    customers: list[NDArray[np.int64]],
) -> None:
    """Subscriptions and their buckets; all are as the plan's template says."""
    nothing = np.zeros(0, np.int64)
    plan = np.concatenate([nothing, *plans])
    rows = np.zeros(len(plan), SUBSCRIPTION_DTYPE)
    rows["plan"] = plan
    rows["customer"] = np.concatenate([nothing, *customers])
    rows["exhausted_ns"] = -1
    sizes = np.array([len(template) for template in templates], np.int64)
    of_each = sizes[plan] if len(plan) else nothing
    rows["first_bucket"] = np.cumsum(of_each) - of_each
    lowered.buckets = np.zeros(int(of_each.sum()), BUCKET_DTYPE)
    for at, template in enumerate(templates):
        for offset in range(len(template)):
            lowered.buckets[rows["first_bucket"][plan == at] + offset] = template[offset]
    lowered.subscriptions = rows


def _plans_of_customers(seed: int, name: str, population: Population) -> NDArray[np.int64]:
    """Position of each customer's plan in ``population.plans``.

    Exactly the shares, by largest remainders; who has which plan is drawn, once for all
    replications, so that a customer stays what it is.
    """
    assert population.plans is not None
    shares = np.array(list(population.plans.values()))
    counts = np.floor(shares * population.count + 1e-9).astype(np.int64)
    rest = shares * population.count - counts
    for at in np.argsort(-rest, kind="stable")[: population.count - int(counts.sum())]:
        counts[at] += 1
    if len(shares) == 1:
        return np.zeros(population.count, np.int64)
    key = stream_key(seed, 0, Purpose.PLAN, f"population/{name}")
    draws = np.array([uniform(key, customer, 0) for customer in range(population.count)])
    plans = np.empty(population.count, np.int64)
    plans[np.argsort(draws, kind="stable")] = np.repeat(np.arange(len(shares)), counts)
    return plans


def _named_keys(scenario: Scenario) -> dict[str, None]:
    """All keys with a name, in the order in which they are first written."""
    named = dict.fromkeys(scenario.api_keys)
    for plan in scenario.usage_plans.values():
        named |= dict.fromkeys(plan.api_keys)
    sent = (source.api_key for source in scenario.traffic.values())
    return named | dict.fromkeys(key for key in sent if key is not None)
