"""What callers show to an authorizer, and what is wrong with it: causes, made from addresses alone.

Both engines ask here. Whether a token is well made belongs to the token, what a user may do and how
wrong its clock is belongs to the user; where nobody is known, each call is another caller.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import constant, inline, kernel
from apisim.draws.discrete import sample_key
from apisim.draws.generator import uniform
from apisim.draws.sampling import sample_int
from apisim.engine.callers import never_refreshes, token_number
from apisim.engine.calls import index_of
from apisim.gateway.resource_policy import (
    POLICY_ALLOWS,
    POLICY_DENIES,
    POLICY_IS_SILENT,
    TABLE_ALONE,
    TABLE_CROSS_ACCOUNT,
    TABLE_SAME_ACCOUNT,
    combine,
)
from apisim.gateway.status import Answer

__all__ = [
    "AUTH_COGNITO",
    "AUTH_IAM",
    "AUTH_JWT",
    "AUTH_LAMBDA",
    "befalls",
    "document_of",
    "holder_of",
    "is_expired",
    "signature_answer",
    "token_answer",
]

#: Kinds of authorizers.
AUTH_LAMBDA: Final = 0
AUTH_COGNITO: Final = 1
AUTH_JWT: Final = 2
AUTH_IAM: Final = 3

_FIRST: Final = constant(0)
_SECOND: Final = constant(1)
_OK: Final = constant(Answer.SERVED)
_IAM_MISSING: Final = constant(Answer.IAM_MISSING)
_BAD_SIGNATURE: Final = constant(Answer.BAD_SIGNATURE)
_SIGNATURE_EXPIRED: Final = constant(Answer.SIGNATURE_EXPIRED)
_IAM_DENIED: Final = constant(Answer.IAM_DENIED)
_DENIED: Final = constant(Answer.DENIED)
_POLICY_DENIED: Final = constant(Answer.POLICY_DENIED)
_POLICY_SILENT: Final = constant(Answer.POLICY_SILENT)
_TOKEN_INVALID: Final = constant(Answer.TOKEN_INVALID)
_TOKEN_EXPIRED: Final = constant(Answer.TOKEN_EXPIRED)
_SCOPE_MISSING: Final = constant(Answer.SCOPE_MISSING)
_SCOPE_MISSING_COGNITO: Final = constant(Answer.SCOPE_MISSING_COGNITO)


@kernel
def befalls(share: float, key: np.uint64, identity: np.uint64) -> bool:
    """Whether something that befalls a share of identities befalls this one."""
    if share <= 0.0:
        return False
    return uniform(key, index_of(identity), _FIRST) < share


@kernel
def document_of(deny: float, silent: float, key: np.uint64, identity: np.uint64) -> int:
    """What a Lambda authorizer's policy says of an identity; it belongs to the identity."""
    if deny + silent <= 0.0:
        return POLICY_ALLOWS
    part = uniform(key, index_of(identity), _FIRST)
    if part < deny:
        return POLICY_DENIES
    return POLICY_IS_SILENT if part < deny + silent else POLICY_ALLOWS


@inline
def holder_of(
    credential: np.void,
    person: int,
    has_users: bool,
    user: int,
    client_hash: np.uint64,
    entity: int,
) -> int:
    """Number of whoever calls in the streams of its population or source."""
    if person >= 0:
        return person - credential["first_person"]  # type: ignore[no-any-return]
    if has_users:
        return user
    if client_hash != np.uint64(0):
        return index_of(client_hash)
    return entity


@kernel
def is_expired(
    callers: NDArray[np.void], caller: int, sends_token: int, person: int, now_ns: int
) -> bool:
    """Whether the token of a user who never refreshes it has expired."""
    if caller < 0 or person < 0 or sends_token == 0:
        return False
    row = callers[caller]
    if not never_refreshes(row, person):
        return False
    return token_number(row, person, now_ns) > 0


@kernel
def signature_answer(
    credentials: NDArray[np.void],
    credential: int,
    dists: NDArray[np.void],
    values: NDArray[np.float64],
    popularities: NDArray[np.void],
    cells: NDArray[np.void],
    holder: int,
    window_ns: int,
    policy: int,
) -> int:
    """Answer of an ``iam`` authorizer; ``SERVED`` where the request may go on.

    The time is looked at before the signature: a signature is made for a time. AWS gives no order.

    Parameters
    ----------
    credentials, credential
        CREDENTIAL_DTYPE table and a row of it; negative: well signed and allowed.
    dists, values, popularities, cells
        The laws of ``draws``.
    holder : int
        See :func:`holder_of`.
    window_ns : int
        How far a clock may be off [ns].
    policy : int
        What the resource policy says of the call.
    """
    identity = POLICY_ALLOWS
    table = TABLE_SAME_ACCOUNT
    if credential >= 0:
        row = credentials[credential]
        if row["missing"] > 0.0 and uniform(row["key"], holder, _FIRST) < row["missing"]:
            return _IAM_MISSING
        if row["skew"] >= 0:
            off_ns = sample_int(dists, values, row["skew"], row["skew_key"], holder, _FIRST)
            if off_ns > window_ns:
                return _SIGNATURE_EXPIRED
        if row["bad"] > 0.0 and uniform(row["key"], holder, _SECOND) < row["bad"]:
            return _BAD_SIGNATURE
        if row["policy"] >= 0:
            # Weights are those of allow, silent and deny, in this order.
            said = sample_key(popularities, cells, row["policy"], row["policy_key"], holder, 0)
            if said == 1:
                identity = POLICY_IS_SILENT
            elif said == 2:
                identity = POLICY_DENIES
        if row["cross"] == 1:
            table = TABLE_CROSS_ACCOUNT
    decision = combine(identity, policy, table)
    if decision == POLICY_ALLOWS:
        return _OK
    if decision == POLICY_IS_SILENT:
        return _IAM_DENIED
    return _DENIED if identity == POLICY_DENIES else _POLICY_DENIED


@kernel
def token_answer(
    authorizer: np.void,
    credentials: NDArray[np.void],
    credential: int,
    scopes: int,
    popularities: NDArray[np.void],
    cells: NDArray[np.void],
    holder: int,
    identity: np.uint64,
    has_expired: bool,
    policy: int,
) -> int:
    """Answer of a ``cognito`` or ``jwt`` authorizer; ``SERVED`` where the request may go on.

    Parameters
    ----------
    authorizer : AUTHORIZER_DTYPE record
    credentials, credential
        CREDENTIAL_DTYPE table and a row of it; negative: the token has all scopes.
    scopes : int
        A bit for each set of scopes of the row that is good for the route; negative: the route
        asks for none.
    popularities, cells
        The laws of ``draws``.
    holder : int
        See :func:`holder_of`.
    identity : uint64
        The token.
    has_expired : bool
    policy : int
        What the resource policy says of the call: it must allow it (developer guide, "How API
        Gateway resource policies affect authorization workflow").
    """
    if befalls(authorizer["invalid"], authorizer["invalid_key"], identity):
        return _TOKEN_INVALID
    if has_expired:
        return _TOKEN_EXPIRED
    if scopes >= 0 and credential >= 0 and credentials[credential]["scopes"] >= 0:
        row = credentials[credential]
        chosen = sample_key(popularities, cells, row["scopes"], row["scope_key"], holder, 0)
        if (scopes >> chosen) & 1 == 0:
            if authorizer["kind"] == AUTH_COGNITO:
                return _SCOPE_MISSING_COGNITO
            return _SCOPE_MISSING
    decision = combine(POLICY_ALLOWS, policy, TABLE_ALONE)
    if decision == POLICY_ALLOWS:
        return _OK
    return _POLICY_SILENT if decision == POLICY_IS_SILENT else _POLICY_DENIED
