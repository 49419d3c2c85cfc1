"""Hypothesis strategies for clients: how long they wait, and whether they try again."""

from typing import Any

from tests.equivalence.drawing import Drawing

__all__ = ["draw_client", "draw_retries"]

_BACKOFFS = (
    "full_jitter",
    "none",
    "fixed",
    "exponential",
    "equal_jitter",
    "decorrelated_jitter",
)
#: Time-outs that fall on the same instants as answers, and some that hardly anything meets.
_TIMEOUTS = ("2ms", "1ms", "5ms", "10ms", "50ms", "1s")


def draw_client(drawing: Drawing) -> dict[str, Any]:
    """The clients of a source that is no log."""
    client: dict[str, Any] = {}
    drawing.optional(client, 70, "timeout", *_TIMEOUTS)
    drawing.optional(client, 30, "processes", 2, 1, 5)
    if drawing.maybe(85):
        client["retries"] = draw_retries(drawing)
    return client


def draw_retries(drawing: Drawing) -> dict[str, Any]:
    retries: dict[str, Any] = {}
    drawing.optional(retries, 80, "max", 2, 1, 3, 5, 0)
    # Jitter is no whole number of milliseconds.
    backoffs = ("fixed", "none", "exponential") if drawing.is_exact else _BACKOFFS
    drawing.optional(retries, 100 if drawing.is_exact else 80, "backoff", *backoffs)
    # Unsaid they are times of their own, which cannot be ten times as long.
    often = 100 if drawing.is_exact else 90
    drawing.optional(retries, often, "base", "1ms", "0s", "2ms", "10ms")
    drawing.optional(retries, 20, "throttled_base", "2ms", "20ms", "0s")
    drawing.optional(retries, 100 if drawing.is_exact else 60, "cap", "4ms", "20ms", "1ms", "0s")
    what = ([429, "5xx"], ["5xx", "timeout"], ["4xx", "5xx", "timeout", "network"], [503, 429])
    drawing.optional(retries, 60, "on", *what)
    drawing.optional(retries, 30, "obey_retry_after", True, False)
    if drawing.maybe(25):
        retries["mode"] = drawing.one("standard", "standard_2026")
        retries.setdefault("base", "1ms")
        if drawing.is_exact:
            retries.setdefault("throttled_base", "2ms")
    if drawing.maybe(35):
        quota: dict[str, Any] = {}
        drawing.optional(quota, 80, "tokens", 10, 1, 5, 25)
        drawing.optional(quota, 60, "cost", 5, 1, 0)
        drawing.optional(quota, 40, "timeout_cost", 10, 2)
        drawing.optional(quota, 40, "throttled_cost", 3, 1)
        retries["quota"] = quota
    return retries
