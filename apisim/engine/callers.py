"""Who calls: customer, user, address and token of a call, made from its address alone.

Both engines ask here. Which customer calls, and from which of its addresses, belongs to the call;
when a user's token is renewed belongs to the user, whichever source the user calls from.
"""

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.bits import mix_in
from apisim.arrays.jit import kernel
from apisim.draws.discrete import sample_key
from apisim.draws.generator import uniform

__all__ = [
    "address_of",
    "certificate_draw",
    "customer_of",
    "key_of",
    "never_refreshes",
    "person_of",
    "token_number",
    "token_of",
    "token_shown",
]


@kernel
def person_of(
    caller: np.void,
    popularities: NDArray[np.void],
    cells: NDArray[np.void],
    customer_key: np.uint64,
    person_key: np.uint64,
    entity: int,
    user: int,
) -> int:
    """Number of the calling user over all populations, or -1.

    Parameters
    ----------
    caller : CALLER_DTYPE record
    popularities, cells
        The laws of ``draws.discrete``.
    customer_key, person_key : uint64
        Streams of the source.
    entity : int
        k-th issued call of the source.
    user : int
        Closed user that calls: always the same person; -1 on open sources, which draw one.
    """
    if caller["activity"] < 0:
        return -1
    n_each = caller["users_each"]
    if user >= 0:
        return caller["first_person"] + user % (caller["n_customers"] * n_each)  # type: ignore[no-any-return]
    customer = sample_key(popularities, cells, caller["activity"], customer_key, entity, 0)
    person = caller["first_person"] + customer * n_each
    if n_each > 1:
        person += min(np.int64(uniform(person_key, entity, 0) * n_each), n_each - 1)
    return person  # type: ignore[no-any-return]


@kernel
def customer_of(caller: np.void, person: int) -> int:
    """Number of a user's customer over all populations; -1 for nobody."""
    if person < 0:
        return -1
    return caller["first_customer"] + (person - caller["first_person"]) // caller["users_each"]  # type: ignore[no-any-return]


@kernel
def address_of(caller: np.void, customer: int, address_key: np.uint64, entity: int) -> int:
    """IPv4 address of a call as a number; -1 where it is unknown."""
    if caller["first_address"] < 0:
        return -1
    n_each = caller["addresses_each"]
    address = caller["first_address"]
    if customer >= 0 and caller["by_customer"]:
        address += (customer - caller["first_customer"]) * n_each
    if n_each > 1:
        address += min(np.int64(uniform(address_key, entity, 0) * n_each), n_each - 1)
    return address  # type: ignore[no-any-return]


@kernel
def key_of(caller: np.void, customer: int) -> int:
    """Row of the API key that a call carries; -1: none."""
    if customer >= 0 and caller["first_key"] >= 0:
        return caller["first_key"] + customer - caller["first_customer"]  # type: ignore[no-any-return]
    return caller["fixed_key"]  # type: ignore[no-any-return]


@kernel
def token_number(caller: np.void, person: int, now_ns: int) -> int:
    """How many times a user's token has been renewed, from 0; users renew at different times."""
    lifetime_ns = caller["lifetime_ns"]
    if lifetime_ns <= 0 or person < 0:
        return 0
    phase_ns = np.int64(
        uniform(caller["token_key"], person - caller["first_person"], 0) * lifetime_ns
    )
    return (now_ns + phase_ns) // lifetime_ns  # type: ignore[no-any-return]


@kernel
def never_refreshes(caller: np.void, person: int) -> bool:
    """Whether a user goes on with its first token for ever; it belongs to the user."""
    share = caller["never_refresh"]
    if share <= 0.0:
        return False
    return uniform(caller["refresh_key"], person - caller["first_person"], 0) < share  # type: ignore[no-any-return]


@kernel
def token_shown(caller: np.void, person: int, now_ns: int) -> int:
    """Number of the token that a user sends: its newest, or its first if it never refreshes."""
    number = token_number(caller, person, now_ns)
    if number > 0 and never_refreshes(caller, person):
        return 0
    return number


@kernel
def token_of(caller: np.void, person: int, number: int) -> np.uint64:
    """Identity of a user's token; 0 where nobody has one."""
    if person < 0:
        return np.uint64(0)
    one = mix_in(caller["token_salt"], np.uint64(person - caller["first_person"] + 1))
    return mix_in(one, np.uint64(number + 1)) | np.uint64(1)


@kernel
def certificate_draw(
    callers: NDArray[np.void], row: int, person: int, call_key: np.uint64, entity: int
) -> float:
    """Uniform number that decides whether a caller's certificate is good: a user's own.

    Where nobody is known it is the call's: ``call_key`` is the source's stream.
    """
    if row >= 0 and person >= 0:
        caller = callers[row]
        return uniform(caller["certificate_key"], person - caller["first_person"], 0)
    return uniform(call_key, entity, 0)
