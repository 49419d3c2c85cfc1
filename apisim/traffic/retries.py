"""Clients that try again: how long they wait before it, and what their retry quota lets them.

Backoff with jitter after M. Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog,
2015): before the k-th retry the *ceiling* is ``min(cap, base * 2**(k-1))``.

==============  ==========================================================================
``none``        0
``fixed``       ``base``
``exponential`` the ceiling
``full``        uniform between 0 and the ceiling
``equal``       half the ceiling, and uniform up to the other half
``decorrelated`` ``min(cap, uniform(base, 3 * previous wait))``, the first from ``base`` on
==============  ==========================================================================

The retry quota is that of the AWS SDKs' standard mode (SDK reference guide, "Retry behavior"): a
process holds tokens, a retry takes some and is not made where they do not suffice, a call that
succeeds gives back what its last retry took, or one if it needed none. What a client makes of an
answer is decided where answers are known; here it is one of the ``SEEN_...`` codes.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import constant, kernel

__all__ = [
    "CLIENT_DTYPE",
    "DECORRELATED",
    "EQUAL",
    "EXPONENTIAL",
    "FIXED",
    "FULL",
    "GIVE_UP",
    "IMMEDIATE",
    "NO_QUOTA",
    "SEEN_FAILURE",
    "SEEN_RETRYABLE",
    "SEEN_SUCCESS",
    "SEEN_THROTTLED",
    "SEEN_TIMEOUT",
    "backoff_ns",
    "give_back",
    "needs_draw",
    "process_of",
    "take_tokens",
]

IMMEDIATE: Final = constant(0)
FIXED: Final = constant(1)
EXPONENTIAL: Final = constant(2)
FULL: Final = constant(3)
EQUAL: Final = constant(4)
DECORRELATED: Final = constant(5)

#: What an attempt is to its client.
SEEN_SUCCESS: Final = constant(0)
SEEN_FAILURE: Final = constant(1)  # that it does not try again after
SEEN_RETRYABLE: Final = constant(2)
SEEN_THROTTLED: Final = constant(3)  # a 429 that it tries again after
SEEN_TIMEOUT: Final = constant(4)  # no answer in time, and it tries again after that
#: No quota: an index of the tokens.
NO_QUOTA: Final = constant(-1)
#: Instead of a wait: there is no retry.
GIVE_UP: Final = constant(-1)

_ONE: Final = constant(1)

#: How the clients of a source behave.
CLIENT_DTYPE: Final = np.dtype(
    [
        ("timeout_ns", "i8"),  # 0: they wait for ever
        ("max_retries", "i8"),
        ("backoff", "i8"),
        ("base_ns", "i8"),
        ("throttled_base_ns", "i8"),  # instead of it after a 429
        ("cap_ns", "i8"),
        ("retry_after_ns", "i8"),  # what a 429 says, where it is obeyed; 0 otherwise
        ("retries_timeout", "i8"),  # 1: they try again when they have waited long enough
        ("retries_hidden", "i8"),  # 1: ... when there is no status to be seen
        ("first_quota", "i8"),  # tokens of the first process; NO_QUOTA: retries are free
        ("processes", "i8"),
        ("tokens", "i8"),  # of a full quota
        ("cost", "i8"),  # of a retry
        ("throttled_cost", "i8"),
        ("timeout_cost", "i8"),
    ],
    align=True,
)


@kernel
def _ceiling_ns(base_ns: int, cap_ns: int, retry: int) -> int:
    """Longest wait before a retry [ns]: doubled each time, without overflow."""
    ceiling_ns = base_ns
    for _ in range(1, retry):
        if ceiling_ns >= cap_ns:
            break
        ceiling_ns *= 2
    return min(ceiling_ns, cap_ns)


@kernel
def _grown_ns(
    kind: int, base_ns: int, cap_ns: int, retry: int, previous_ns: int, drawn: float
) -> int:
    """The wait as the table above has it [ns]."""
    if kind == IMMEDIATE:
        return 0
    if kind == FIXED:
        return base_ns
    if kind == DECORRELATED:
        highest_ns = 3 * max(previous_ns, base_ns)
        return min(cap_ns, base_ns + int(drawn * (highest_ns - base_ns)))
    ceiling_ns = _ceiling_ns(base_ns, cap_ns, retry)
    if kind == FULL:
        return int(drawn * ceiling_ns)
    if kind == EQUAL:
        half_ns = ceiling_ns // 2
        return ceiling_ns - half_ns + int(drawn * half_ns)
    return ceiling_ns


@kernel
def needs_draw(client: np.void) -> bool:
    """Whether the wait is drawn."""
    return client["backoff"] >= FULL  # type: ignore[no-any-return]


@kernel
def backoff_ns(client: np.void, retry: int, seen: int, previous_ns: int, drawn: float) -> int:
    """Wait before a retry [ns].

    Parameters
    ----------
    client : CLIENT_DTYPE record
    retry : int
        1 for the first retry of a call.
    seen : int
        ``SEEN_...`` code of the attempt before it.
    previous_ns : int
        Wait before the retry before [ns]; 0 before the first.
    drawn : float
        In (0, 1); not looked at unless :func:`needs_draw`.
    """
    base_ns = client["throttled_base_ns"] if seen == SEEN_THROTTLED else client["base_ns"]
    wait_ns = _grown_ns(client["backoff"], base_ns, client["cap_ns"], retry, previous_ns, drawn)
    if seen == SEEN_THROTTLED:
        wait_ns = max(wait_ns, client["retry_after_ns"])
    return wait_ns


@kernel
def process_of(client: np.void, person: int, first_person: int, user: int, entity: int) -> int:
    """Index of the tokens of the process that a call comes from, or ``NO_QUOTA``.

    A known person or closed user (-1: none) is a process of its own; other calls are dealt out to
    the processes in turn.
    """
    if client["first_quota"] < 0:
        return NO_QUOTA
    one = entity
    if person >= 0:
        one = person - first_person
    elif user >= 0:
        one = user
    return client["first_quota"] + one % client["processes"]  # type: ignore[no-any-return]


@kernel
def take_tokens(client: np.void, tokens: NDArray[np.int64], process: int, seen: int) -> int:
    """Pay for a retry.

    Returns
    -------
    int
        Tokens it took, 0 without a quota, or ``GIVE_UP`` where there were too few.
    """
    if process == NO_QUOTA:
        return 0
    cost = client["cost"]
    if seen == SEEN_THROTTLED:
        cost = client["throttled_cost"]
    elif seen == SEEN_TIMEOUT:
        cost = client["timeout_cost"]
    if cost > tokens[process]:
        return GIVE_UP
    tokens[process] -= cost
    return cost  # type: ignore[no-any-return]


@kernel
def give_back(
    client: np.void, tokens: NDArray[np.int64], process: int, attempt: int, taken: int
) -> None:
    """A call has succeeded: its process gets tokens back, up to a full quota.

    Parameters
    ----------
    client : CLIENT_DTYPE record
    tokens : int64 array
    process : int
        As :func:`process_of` says.
    attempt : int
        0 if the call needed no retry.
    taken : int
        What its last retry took.
    """
    if process == NO_QUOTA:
        return
    returned = taken if attempt > 0 else _ONE
    tokens[process] = min(client["tokens"], tokens[process] + returned)
