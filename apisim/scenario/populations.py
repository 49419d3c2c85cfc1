"""Populations: who is behind the requests.

A population ties together what belongs to one caller: a customer has users, each user a token that
is renewed now and then, and a customer calls from its own addresses. Whatever gate looks at a call
sees the same caller.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Final, Literal, Self

from pydantic import model_validator

from apisim.draws.discrete import UniformKeys
from apisim.scenario.addresses import AddressRange, Ipv4Range, parse_range
from apisim.scenario.authorizers import Scopes
from apisim.scenario.fields import choice, duration, flag, rate, share, whole
from apisim.scenario.formats import counted
from apisim.scenario.model import Model, as_written, fail
from apisim.scenario.plans import PlanShares
from apisim.scenario.popularity import Popularity

__all__ = ["MAX_CUSTOMERS", "MAX_PEOPLE", "Population", "blocks_of"]

MAX_CUSTOMERS: Final = 1_000_000
#: Most users of all customers together.
MAX_PEOPLE: Final = 100_000_000
#: Most users whose tokens are kept one by one: 8 bytes each.
MAX_SIGNED_IN: Final = 10_000_000
#: Addresses of callers whose addresses are not given: a block that no public caller has.
_MADE_UP: Final = "10.0.0.0/8"
_MADE_UP_RANGE: Final = parse_range(_MADE_UP)


class Population(Model):
    """Customers, their users and what each of them calls with.

    Attributes
    ----------
    count : int
        Customers, 1 to 1,000,000.
    activity : UniformKeys, ZipfKeys, WeightedKeys or None
        How the requests are spread over the customers; its number of keys is ``count``. Default:
        all alike. ``{zipf: 0.7}`` needs no ``of``.
    users_each : int
        Users of each customer, all equally active, 1 to 1,000,000, default 1.
    source_ips_each : int or None
        Addresses each customer calls from, 1 to 65,536, taken from ``source_ips`` in order; None:
        unknown, unless ``source_ips`` is given (then 1).
    source_ips : AddressRange
        Where the addresses are taken from, in order from the start of the range: those of the
        first customer, then those of the second, and so on; nothing is drawn, and what is left
        over calls nobody. Two populations with the same range share addresses. Default:
        10.0.0.0/8, of which each population that gives no other has the part after that of the
        one before.
    token_lifetime : int or None
        How long a user's token lives before it is replaced by another [ns]; users renew theirs at
        different times. None: for ever.
    never_refresh : float
        Share of users that go on with their first token when it has expired, in [0, 1].
    scopes : ScopeSets or None
        Scopes of the users' tokens: a user keeps those it was given. None: all that is asked for.
    sign_in_quota : fractions.Fraction or None
        Sign-ins and refreshes that the user pool grants in a second [1/s]; None: any number, and
        nobody waits for a token.
    user_pool_tier : {"lite", "essentials", "plus"} or None
        Feature plan of the Cognito user pool (``UserPoolTier``): what a user costs who signs in
        within a month. It needs ``sign_in_quota``: without one nobody is seen to sign in. None:
        another identity provider, which is not on the bill.
    key_each : bool
        Whether each customer has an API key of its own. Default: yes where ``plans`` is given.
    plans : dict of str to float or None
        Usage plans the customers' keys are in, with the share of customers of each; exactly those
        shares, rounded to whole customers, and who has which is drawn once for all replications.
        None: keys in no plan, which open nothing.
    """

    count: Annotated[int, whole(1, MAX_CUSTOMERS)]
    activity: Popularity | None = None
    users_each: Annotated[int, whole(1, 1_000_000)] = 1
    source_ips_each: Annotated[int, whole(1, 65_536)] | None = None
    source_ips: Ipv4Range = as_written(_MADE_UP)
    token_lifetime: Annotated[int, duration("1ms")] | None = None
    never_refresh: Annotated[float, share()] = as_written(0)
    scopes: Scopes | None = None
    sign_in_quota: Annotated[Fraction, rate()] | None = None
    user_pool_tier: (
        Annotated[Literal["lite", "essentials", "plus"], choice("lite", "essentials", "plus")]
        | None
    ) = None
    key_each: Annotated[bool, flag()] = False
    plans: PlanShares | None = None

    @classmethod
    def normalise(cls, data: Any) -> Any:
        """``activity: {zipf: s}`` is over the population's own customers."""
        if not isinstance(data, dict):
            return data
        filled = dict(data)
        activity = data.get("activity")
        if isinstance(activity, dict) and set(activity) == {"zipf"}:
            filled["activity"] = {**activity, "of": data.get("count", 1)}
        if "source_ips" in data:
            filled.setdefault("source_ips_each", 1)
        if "plans" in data:
            filled.setdefault("key_each", True)
        return filled

    @property
    def n_people(self) -> int:
        """Users of all customers."""
        return self.count * self.users_each

    @property
    def addresses(self) -> AddressRange | None:
        """Where the addresses come from; None where they are unknown."""
        return None if self.source_ips_each is None else self.source_ips

    @property
    def addresses_each(self) -> int:
        """Addresses of each customer; 0 where they are unknown."""
        return self.source_ips_each or 0

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.n_people > MAX_PEOPLE:
            hint = f"allowed: count x users_each up to {MAX_PEOPLE:,}"
            raise fail(f"{self.n_people:,} users are too many", hint, ("users_each",))
        n_keys = self.count
        if self.activity is not None:
            n_keys = getattr(self.activity, "n", 0) or len(getattr(self.activity, "weights", ()))
        if n_keys != self.count:
            hint = "write {zipf: 0.7}, or as many weights as customers"
            are = "is" if self.count == 1 else "are"
            message = f"is over {counted(n_keys, 'customer')}, there {are} {self.count:,}"
            raise fail(message, hint, ("activity",))
        if self.never_refresh and self.token_lifetime is None:
            hint = "write token_lifetime: 1h"
            raise fail("tokens never expire", hint, ("never_refresh",))
        if self.sign_in_quota is not None and self.n_people > MAX_SIGNED_IN:
            hint = f"allowed: up to {MAX_SIGNED_IN:,} users, or no sign_in_quota"
            message = f"the tokens of {self.n_people:,} users are too many to keep"
            raise fail(message, hint, ("sign_in_quota",))
        if self.user_pool_tier is not None and self.sign_in_quota is None:
            hint = "write sign_in_quota: 120/s, or remove user_pool_tier"
            raise fail("nobody signs in where there is no quota", hint, ("user_pool_tier",))
        needed = self.count * self.addresses_each
        if needed > self.source_ips.size:
            has = counted(self.source_ips.size, "address", "addresses")
            message = f"{self.source_ips} has {has}, {needed:,} needed"
            raise fail(message, "give source_ips a larger range", ("source_ips_each",))
        if self.plans is not None and not self.key_each:
            message = "customers without keys are in no plan"
            raise fail(message, "write key_each: true, or remove plans", ("key_each",))
        return self

    @property
    def law(self) -> Any:
        """Popularity of the customers."""
        return self.activity or UniformKeys(self.count)


def blocks_of(populations: Mapping[str, Population]) -> dict[str, AddressRange]:
    """Addresses of the customers of each population, as far as they are known.

    Populations without a range of their own have one part of 10.0.0.0/8 each, in their order: none
    calls from an address of another. A block may end beyond 10.0.0.0/8, which the rules refuse.
    """
    blocks = {}
    made_up = _MADE_UP_RANGE.first
    for name, population in populations.items():
        if population.addresses is None:
            continue
        first, size = population.addresses.first, population.count * population.addresses_each
        if population.addresses == _MADE_UP_RANGE:
            first = made_up
            made_up += size
        blocks[name] = AddressRange(first, size)
    return blocks
