"""The resource policy of a REST API: what it says of an address, and who may pass in the end.

A policy is a list of statements, each with an effect and conditions (developer guide, "Control
access to a REST API with API Gateway resource policies"). What it says depends on the route and the
VPC endpoint, which are known before the run, and on the caller's address, which is not: for each
combination of the first two the policy is turned into a sorted list of address intervals with one
effect each, and a call looks its address up by halving.

Where an API has an authorizer too, :func:`combine` says what both together decide (developer guide,
"How API Gateway resource policies affect authorization workflow"). Left out: conditions on time,
user agent, referer and principals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import inline

__all__ = [
    "POLICY_ALLOWS",
    "POLICY_DENIES",
    "POLICY_DTYPE",
    "POLICY_IS_SILENT",
    "POLICY_UNATTACHED",
    "TABLE_ALONE",
    "TABLE_CROSS_ACCOUNT",
    "TABLE_SAME_ACCOUNT",
    "AddressRule",
    "AddressTable",
    "address_table",
    "combine",
    "decide_before",
    "effect_on",
]

#: What one side says; an authorizer's side has the first three.
POLICY_IS_SILENT: Final = 0
POLICY_ALLOWS: Final = 1
POLICY_DENIES: Final = 2
#: The API has no policy at all.
POLICY_UNATTACHED: Final = 3

#: How the two sides are put together.
TABLE_ALONE: Final = 0  # no authorizer, or Cognito: the policy itself must allow
TABLE_SAME_ACCOUNT: Final = 1  # Lambda authorizer, IAM in the API's account: either may allow
TABLE_CROSS_ACCOUNT: Final = 2  # IAM in another account: both must allow

_END: Final = 1 << 32

#: A policy for one route and VPC endpoint: its intervals, and what it says of unknown addresses.
POLICY_DTYPE: Final = np.dtype([("first", "i8"), ("count", "i8"), ("unknown", "i8")], align=True)


@dataclass(frozen=True, slots=True)
class AddressRule:
    """A statement whose other conditions hold.

    Parameters
    ----------
    effect : int
        ``POLICY_ALLOWS`` or ``POLICY_DENIES``.
    inside : sequence of (int, int) or None
        Blocks (first address, size) of which one must hold the address; None: no such condition.
    outside : sequence of (int, int) or None
        Blocks of which none may hold it. As in IAM, this condition is true of a call that has no
        address at all (IAM user guide, "Condition operators").
    """

    effect: int
    inside: Sequence[tuple[int, int]] | None = None
    outside: Sequence[tuple[int, int]] | None = None

    def applies(self, ip: int) -> bool:
        """Whether the statement is about this address; -1 is an unknown one."""
        if self.inside is not None and not _holds(self.inside, ip):
            return False
        return self.outside is None or not _holds(self.outside, ip)


class AddressTable(NamedTuple):
    """Intervals by their first addresses, ascending from 0, and the effect in each."""

    starts: list[int]
    effects: list[int]
    unknown: int


def _holds(blocks: Sequence[tuple[int, int]], ip: int) -> bool:
    return any(first <= ip < first + size for first, size in blocks)


def _effect(rules: Sequence[AddressRule], ip: int) -> int:
    said = {rule.effect for rule in rules if rule.applies(ip)}
    if POLICY_DENIES in said:
        return POLICY_DENIES
    return POLICY_ALLOWS if POLICY_ALLOWS in said else POLICY_IS_SILENT


def address_table(rules: Sequence[AddressRule]) -> AddressTable:
    """What statements say together of every address: a denial wins, silence is the default."""
    blocks = [block for rule in rules for block in (*(rule.inside or ()), *(rule.outside or ()))]
    cuts = {0, *(first for first, _ in blocks), *(first + size for first, size in blocks)}
    starts: list[int] = []
    effects: list[int] = []
    for cut in sorted(cuts - {_END}):
        effect = _effect(rules, cut)
        if not effects or effects[-1] != effect:
            starts.append(cut)
            effects.append(effect)
    return AddressTable(starts, effects, _effect(rules, -1))


@inline
def effect_on(
    policies: NDArray[np.void],
    starts: NDArray[np.int64],
    effects: NDArray[np.int64],
    policy: int,
    ip: int,
) -> int:
    """What a policy says of a call.

    Parameters
    ----------
    policies : POLICY_DTYPE array
    starts, effects : int64 arrays
        Intervals of all policies, one policy's together.
    policy : int
        Row of ``policies``; negative where the API has none.
    ip : int
        IPv4 address as a number; -1: unknown.

    Returns
    -------
    int
        One of the ``POLICY_...`` constants.
    """
    if policy < 0:
        return POLICY_UNATTACHED
    row = policies[policy]
    if ip < 0:
        return row["unknown"]  # type: ignore[no-any-return]
    low = row["first"]
    high = low + row["count"]
    while high - low > 1:
        middle = (low + high) // 2
        if starts[middle] <= ip:
            low = middle
        else:
            high = middle
    return effects[low]  # type: ignore[no-any-return]


@inline
def combine(identity: int, policy: int, table: int) -> int:
    """What an authorizer's side and the resource policy decide together.

    Parameters
    ----------
    identity : int
        ``POLICY_ALLOWS``, ``POLICY_IS_SILENT`` or ``POLICY_DENIES``: what the identity's own policy
        says, or the document of a Lambda authorizer. Without one, and for a token that is valid:
        ``POLICY_ALLOWS``.
    policy : int
        What :func:`effect_on` said.
    table : int
        One of the ``TABLE_...`` constants.

    Returns
    -------
    int
        ``POLICY_ALLOWS``; ``POLICY_IS_SILENT`` for an implicit and ``POLICY_DENIES`` for an
        explicit denial.
    """
    if identity == POLICY_DENIES or policy == POLICY_DENIES:
        return POLICY_DENIES
    if table == TABLE_ALONE:
        return identity if policy == POLICY_UNATTACHED else policy
    if table == TABLE_SAME_ACCOUNT:
        is_allowed = identity == POLICY_ALLOWS or policy == POLICY_ALLOWS
    else:
        is_allowed = identity == POLICY_ALLOWS and policy == POLICY_ALLOWS
    return POLICY_ALLOWS if is_allowed else POLICY_IS_SILENT


@inline
def decide_before(endpoint: int, policy: int, table: int, has_authorizer: int) -> int:
    """What is decided before anybody is authenticated.

    Parameters
    ----------
    endpoint : int
        What the policy of the VPC endpoint says; ``POLICY_UNATTACHED`` where there is none.
    policy : int
        What the API's policy says.
    table : int
        How an authorizer is put together with it.
    has_authorizer : int
        0 if the route has none: then all is decided here.

    Returns
    -------
    int
        ``POLICY_ALLOWS``: the call may go on, to the authorizer if there is one;
        ``POLICY_IS_SILENT`` or ``POLICY_DENIES``: it is refused.
    """
    if endpoint in (POLICY_DENIES, POLICY_IS_SILENT):
        return endpoint
    if has_authorizer == 0:
        return combine(POLICY_ALLOWS, policy, TABLE_ALONE)
    # A user pool's token is checked first, and then the policy.
    if policy == POLICY_DENIES and table != TABLE_ALONE:
        return POLICY_DENIES
    return POLICY_ALLOWS
