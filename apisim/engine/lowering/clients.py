"""Clients as arrays: what they do, and what each answer is to them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from apisim.engine.lowering.context import Context
from apisim.engine.tables import NONE
from apisim.gateway.status import ANSWERS, Answer
from apisim.scenario.clients import Retries
from apisim.scenario.traffic import Source
from apisim.traffic.retries import (
    CLIENT_DTYPE,
    DECORRELATED,
    EQUAL,
    EXPONENTIAL,
    FIXED,
    FULL,
    IMMEDIATE,
    NO_QUOTA,
    SEEN_FAILURE,
    SEEN_RETRYABLE,
    SEEN_SUCCESS,
    SEEN_THROTTLED,
)

__all__ = ["Clients", "lower_backoff", "lower_client", "lower_retries"]

_BACKOFFS = {
    "none": IMMEDIATE,
    "fixed": FIXED,
    "exponential": EXPONENTIAL,
    "full_jitter": FULL,
    "equal_jitter": EQUAL,
    "decorrelated_jitter": DECORRELATED,
    "jitter": FULL,  # of one length
}
_TOO_MANY = 429
#: Calls whose client never sees a status.
_NO_STATUS = frozenset({Answer.MTLS_FAILED})


@dataclass(slots=True)
class Clients:
    """Rows of clients under construction.

    Attributes
    ----------
    rows : list of arrays
        ``CLIENT_DTYPE``, one for each source with ``client:``.
    given : list of Retries or None
        What each says about retries.
    tokens : list of int
        Full quota of each process.
    """

    rows: list[NDArray[np.void]] = field(default_factory=list)
    given: list[Retries | None] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)

    def table(self) -> NDArray[np.void]:
        """``CLIENT_DTYPE[n]``."""
        return np.concatenate([np.zeros(0, CLIENT_DTYPE), *self.rows])

    def verdicts(self, status: NDArray[np.int64]) -> NDArray[np.uint8]:
        """``uint8[n, 2, n_answers]``: what each answer is, by its status."""
        table = np.full((len(self.given), *status.shape), SEEN_FAILURE, np.uint8)
        for mine, retries in zip(table, self.given, strict=True):
            for (api_type, answer), code in np.ndenumerate(status):
                mine[api_type, answer] = _verdict(retries, Answer(answer), int(code))
        return table


def _verdict(retries: Retries | None, answer: Answer, status: int) -> int:
    if status // 100 == 2 and ANSWERS[answer].outcome != "cors_blocked":
        return int(SEEN_SUCCESS)
    if retries is None:
        return int(SEEN_FAILURE)
    if answer == Answer.SIGN_IN_THROTTLED and retries.mode is not None:
        status = _TOO_MANY  # the SDKs know TooManyRequestsException for what it is
    if answer in _NO_STATUS:
        return int(SEEN_RETRYABLE if "network" in retries.on else SEEN_FAILURE)
    if not retries.retries(status):
        return int(SEEN_FAILURE)
    return int(SEEN_THROTTLED if status == _TOO_MANY else SEEN_RETRYABLE)


def lower_client(context: Context, clients: Clients, source: Source, n_callers: int) -> int:
    """Row of a source's clients, or NONE.

    Parameters
    ----------
    context : Context
    clients : Clients
        Gets the row.
    source : Source
    n_callers : int
        Persons or closed users behind it, each a process of its own; 0: nobody is known.
    """
    client = source.client
    if client is None:
        return NONE
    row = np.zeros(1, CLIENT_DTYPE)
    row["timeout_ns"] = client.timeout or 0
    row["first_quota"] = NO_QUOTA
    row["processes"] = n_callers or client.processes
    if client.retries is not None:
        _lower_retries(context, clients, row[0], client.retries)
    clients.rows.append(row)
    clients.given.append(client.retries)
    return len(clients.rows) - 1


def lower_retries(context: Context, clients: Clients, retries: Retries) -> int:
    """Row of somebody with one quota of retries, if it has one, who is no source's client."""
    row = np.zeros(1, CLIENT_DTYPE)
    row["first_quota"], row["processes"] = NO_QUOTA, 1
    _lower_retries(context, clients, row[0], retries)
    clients.rows.append(row)
    clients.given.append(retries)
    return len(clients.rows) - 1


def lower_backoff(clients: Clients, backoff: str, base_ns: int, cap_ns: int, most: int) -> int:
    """Row of somebody who tries again whatever was answered."""
    row = np.zeros(1, CLIENT_DTYPE)
    row["first_quota"], row["processes"] = NO_QUOTA, 1
    row["max_retries"], row["backoff"] = most, _BACKOFFS[backoff]
    row["base_ns"] = row["throttled_base_ns"] = base_ns
    row["cap_ns"] = cap_ns
    clients.rows.append(row)
    clients.given.append(None)
    return len(clients.rows) - 1


def _lower_retries(context: Context, clients: Clients, row: np.void, retries: Retries) -> None:
    row["max_retries"] = retries.max
    row["backoff"] = _BACKOFFS[retries.backoff]
    row["base_ns"] = row["throttled_base_ns"] = retries.base
    if retries.throttled_base is not None:
        row["throttled_base_ns"] = retries.throttled_base
    row["cap_ns"] = retries.cap
    settings = context.scenario.settings
    if retries.obey_retry_after and settings.rate_limit_headers:
        row["retry_after_ns"] = settings.retry_after
    row["retries_timeout"] = int("timeout" in retries.on)
    row["retries_hidden"] = int("network" in retries.on)
    quota = retries.quota
    if quota is not None:
        row["first_quota"] = len(clients.tokens)
        row["tokens"] = quota.tokens
        row["cost"] = row["throttled_cost"] = row["timeout_cost"] = quota.cost
        if quota.throttled_cost is not None:
            row["throttled_cost"] = quota.throttled_cost
        if quota.timeout_cost is not None:
            row["timeout_cost"] = quota.timeout_cost
        clients.tokens += [quota.tokens] * int(row["processes"])
