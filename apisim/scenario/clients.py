"""Clients: how long they wait for an answer, and whether they try again."""

import re
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field

from apisim.scenario.fields import Reader, choice, duration, flag, whole
from apisim.scenario.model import Context, Model, as_written
from apisim.scenario.problems import did_you_mean
from apisim.scenario.units import UnitError, shown

__all__ = ["MODES", "Client", "Retries", "RetryQuota", "RetryStatus"]

#: Most retries of one call.
_MOST: Final = 100
_LONGEST: Final = "1h"
_CLASSES: Final = ("4xx", "5xx")
_WORDS: Final = ("timeout", "network")
_BACKOFFS: Final = (
    "none",
    "fixed",
    "exponential",
    "full_jitter",
    "equal_jitter",
    "decorrelated_jitter",
)

#: What each mode stands for, key by key. SDK reference guide, "Retry behavior": three attempts,
#: statuses 500, 502, 503 and 504, throttling, and calls without an answer; waits of up to 20 s with
#: full jitter; 500 tokens. ``standard`` as in the SDKs up to 2026 (botocore 1.40, smithy's
#: ``util-retry`` 2: base 1 s, 5 tokens a retry and 10 after a time-out), ``standard_2026`` as with
#: ``AWS_NEW_RETRIES_2026`` (base 50 ms, 1 s when throttled; 14 tokens, 5 when throttled).
MODES: Final[dict[str, dict[str, Any]]] = {
    "standard": {
        "base": "1s",
        "on": [429, 500, 502, 503, 504, "timeout", "network"],
        "quota": {"tokens": 500, "cost": 5, "timeout_cost": 10},
    },
    "standard_2026": {
        "base": "50ms",
        "throttled_base": "1s",
        "on": [429, 500, 502, 503, 504, "timeout", "network"],
        "quota": {"tokens": 500, "cost": 14, "throttled_cost": 5},
    },
}

#: A status, a class of them (``5xx``), ``timeout`` or ``network``.
RetryStatus: TypeAlias = int | str


def _read_status(value: Any, context: Context) -> RetryStatus:
    if value in (*_CLASSES, *_WORDS):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if 400 <= value <= 599:
            return value
        raise UnitError(f"{value} is no error", "allowed: 400 to 599")
    if isinstance(value, str) and re.fullmatch(r"[0-9]{3}", value):
        raise UnitError(f"must be a number, got {shown(value)}", f"remove the quotes: {value}")
    words = ", ".join((*_CLASSES, *_WORDS))
    hint = (
        did_you_mean(value, (*_CLASSES, *_WORDS), may_list=False) if isinstance(value, str) else ""
    )
    raise UnitError(f"must be a status or one of {words}, got {shown(value)}", hint)


_STATUS_SCHEMA: Final = {
    "anyOf": [{"type": "integer", "minimum": 400, "maximum": 599}, {"enum": [*_CLASSES, *_WORDS]}]
}


class RetryQuota(Model):
    """Tokens that retries take, of one client process.

    Attributes
    ----------
    tokens : int
        Of a full quota, with which each process begins.
    cost : int
        Of a retry.
    timeout_cost, throttled_cost : int or None
        After a time-out of the client, and after a 429; None is ``cost``.
    """

    tokens: Annotated[int, whole(1, 1_000_000)] = 500
    cost: Annotated[int, whole(0, 1_000_000)] = 5
    timeout_cost: Annotated[int, whole(0, 1_000_000)] | None = None
    throttled_cost: Annotated[int, whole(0, 1_000_000)] | None = None


class Retries(Model):
    """When a call is tried again, and after which wait.

    Attributes
    ----------
    mode : {"standard", "standard_2026"} or None
        The AWS SDKs' standard mode before and since 2026: what the other keys are unless given.
    max : int
        Retries after the first attempt, default 2.
    backoff : str
        ``none`` (at once), ``fixed``, ``exponential``, ``full_jitter``, ``equal_jitter`` or
        ``decorrelated_jitter``; default ``full_jitter``.
    base : int
        Wait that the backoff starts from [ns], default 100 ms.
    throttled_base : int or None
        Instead of it after a 429; None is ``base``.
    cap : int
        Longest wait of a growing backoff [ns], default 20 s.
    on : list of int and str
        What is tried again: statuses, ``4xx``, ``5xx``, ``timeout`` (the client's own) and
        ``network`` (no status was to be seen: a browser hid it, a handshake failed). Default 429,
        5xx, timeout and network.
    obey_retry_after : bool
        Whether no retry is made before the time that a 429 names in its ``Retry-After`` header.
        AWS's 429s have none; see ``settings.rate_limit_headers``.
    quota : RetryQuota or None
        None: retries are free.
    """

    mode: Annotated[Literal["standard", "standard_2026"], choice(*MODES)] | None = None
    max: Annotated[int, whole(0, _MOST)] = 2
    backoff: Annotated[
        Literal[
            "none", "fixed", "exponential", "full_jitter", "equal_jitter", "decorrelated_jitter"
        ],
        choice(*_BACKOFFS),
    ] = "full_jitter"
    base: Annotated[int, duration("0s", _LONGEST)] = as_written("100ms")
    throttled_base: Annotated[int, duration("0s", _LONGEST)] | None = None
    cap: Annotated[int, duration("0s", _LONGEST)] = as_written("20s")
    on: Annotated[
        list[Annotated[RetryStatus, Reader(_read_status, _STATUS_SCHEMA)]],
        Field(min_length=1, max_length=100, validate_default=True),
    ] = as_written([429, "5xx", "timeout", "network"])
    obey_retry_after: Annotated[bool, flag()] = False
    quota: RetryQuota | None = None

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """What the mode says, where nothing else is said."""
        mode = data.get("mode")
        return {**MODES[mode], **data} if isinstance(mode, str) and mode in MODES else data

    def retries(self, status: int) -> bool:
        """Whether an answer with this status is tried again."""
        return status in self.on or f"{status // 100}xx" in self.on


class Client(Model):
    """How the callers of a source behave.

    Attributes
    ----------
    timeout : int or None
        How long they wait for the answer to an attempt [ns], its preflight, handshake and sign-in
        included; None: for ever.
    retries : Retries or None
        None: they try once.
    processes : int
        Client processes that calls of nobody known are dealt out to, each with a retry quota of
        its own, default 1. A person of a population or a closed user is a process of its own.
    """

    timeout: Annotated[int, duration("1ms", _LONGEST)] | None = None
    retries: Retries | None = None
    processes: Annotated[int, whole(1, 1_000_000)] = 1
