"""Populations and the callers of each source as arrays."""

import numpy as np
from numpy.typing import NDArray

from apisim.engine.caller_tables import CALLER_DTYPE
from apisim.engine.lowering.context import Context, name_hash
from apisim.engine.lowering.plans import LoweredPlans
from apisim.engine.tables import NONE
from apisim.gateway.throttle import BUCKET_DTYPE, fill_bucket
from apisim.scenario.populations import Population, blocks_of

__all__ = ["Callers", "lower_callers"]

_SECOND_NS = 1_000_000_000


class Callers:
    """Rows of the caller table under construction, and the streams they draw from."""

    def __init__(self, context: Context, plans: LoweredPlans) -> None:
        self.plans = plans
        self.rows: list[NDArray[np.void]] = []
        #: Population of each row ("" where the source has none): its tokens' stream.
        self.populations: list[str] = []
        self.customers: list[str] = []
        self.first_customer: dict[str, int] = {}
        self.first_person: dict[str, int] = {}
        #: Populations with a sign-in quota, each with its bucket.
        self.pools: dict[str, NDArray[np.void]] = {}
        populations = context.scenario.populations
        self.blocks = blocks_of(populations)
        for name, population in populations.items():
            self.first_customer[name] = len(self.customers)
            width = len(str(population.count))
            self.customers += [f"{name}-{k:0{width}d}" for k in range(1, population.count + 1)]
            if population.sign_in_quota is not None:
                self.pools[name] = _quota(context, name, population)
        # Users whose tokens are kept one by one are numbered first, so that no others take room.
        people = 0
        for name in [*self.pools, *(name for name in populations if name not in self.pools)]:
            self.first_person[name] = people
            people += populations[name].n_people
        #: Users whose tokens are kept one by one: those of populations with a sign-in quota.
        self.n_signed_in = sum(populations[name].n_people for name in self.pools)

    @property
    def quotas(self) -> NDArray[np.void]:
        """Buckets of the user pools that have a quota, full."""
        return np.concatenate([np.zeros(0, BUCKET_DTYPE), *self.pools.values()])

    def table(self) -> NDArray[np.void]:
        """``CALLER_DTYPE[n]``."""
        if not self.rows:
            return np.zeros(0, CALLER_DTYPE)
        return np.concatenate(self.rows)


def _quota(context: Context, name: str, population: Population) -> NDArray[np.void]:
    """Bucket of a user pool's quota, full."""
    rate = population.sign_in_quota
    assert rate is not None
    burst = max(1, int(rate * context.scenario.settings.sign_in_burst / _SECOND_NS))
    row = np.zeros(1, BUCKET_DTYPE)
    try:
        fill_bucket(row[0], rate, burst, 0)
    except OverflowError as error:
        path = ("populations", name, "sign_in_quota")
        context.refuse(path, str(error), "use a rate with fewer decimals")
    return row


def lower_callers(context: Context, callers: Callers, name: str) -> int:
    """Row of a source's callers, or ``NONE`` where nothing is known of them."""
    source = context.scenario.traffic[name]
    population = None if source.of is None else context.scenario.populations[source.of]
    if population is None and source.source_ip is None and source.api_key is None:
        return NONE
    row = np.zeros(1, CALLER_DTYPE)
    for column in (
        "activity",
        "first_key",
        "fixed_key",
        "fixed_customer",
        "first_address",
        "sign_in",
    ):
        row[column] = NONE
    row["users_each"] = row["n_customers"] = 1
    if source.api_key is not None:
        row["fixed_key"] = callers.plans.named[source.api_key]
        row["fixed_customer"] = callers.plans.customer_of(source.api_key)
    addresses = source.source_ip
    if addresses is not None:
        row["first_address"], row["addresses_each"] = addresses.first, addresses.size
    if population is not None:
        assert source.of is not None
        row["activity"] = context.popularities.add(population.law)
        row["first_customer"] = callers.first_customer[source.of]
        row["n_customers"] = population.count
        row["first_person"] = callers.first_person[source.of]
        row["users_each"] = population.users_each
        row["first_key"] = callers.plans.first_keys.get(source.of, NONE)
        row["lifetime_ns"] = population.token_lifetime or 0
        row["token_salt"] = name_hash("token", source.of)
        row["never_refresh"] = population.never_refresh
        if source.of in callers.pools:
            row["sign_in"] = list(callers.pools).index(source.of)
        if source.of in callers.blocks:
            row["first_address"] = callers.blocks[source.of].first
            row["addresses_each"] = population.addresses_each
            row["by_customer"] = 1
    callers.rows.append(row)
    callers.populations.append(source.of or "")
    return len(callers.rows) - 1
