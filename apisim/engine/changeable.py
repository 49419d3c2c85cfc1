"""Tables whose numbers may change while a scenario runs, and how they lie in memory.

The tables stand one behind the other in one array of 64-bit words, of which each is a view: a
change is then a place in that array and a new value, whatever the table, and compiled code needs no
branch for each of them. All their fields have eight bytes.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from apisim.engine.tables import Tables

__all__ = ["NUMBERS", "differences", "laid_out"]

#: Fields that may change, by table. What says where something stands (an index, a stream) may not,
#: but for what a deployment changes, nor what is read only when a request is over: that would count
#: for requests before the change.
NUMBERS: Final[dict[str, tuple[str, ...]]] = {
    "rules": (
        "hit_time",
        "refusal_time",
        "edge_hop",
        "cache_max_object",
        "cache_entry_overhead",
        "waf_latency",
        "mutual_tls_time",
        "charges_in_order",
        "credential_check",
        "key_set_time",
        "key_set_timeout_ns",
        "signature_window_ns",
        "sign_in_time",
        "environment_setup",
        "vpc_link_time",
        "cross_zone_time",
    ),
    "sources": (
        "rtt",
        "edge_rtt",
        "origin_rtt",
        "kbps",
        "keep_alive_ns",
        "reuse",
        "handshake_trips",
    ),
    "keys": ("enabled",),
    "quotas": ("limit", "offset", "counts_refused"),
    "bindings": ("cache_salt",),
    "routes": (
        "index",  # another function or endpoint of the same kind: a deployment
        "timeout_ns",
        "transport",
        "response_size",
        "max_request",
        "max_answer",
        "request_time",
        "response_time",
        "request_ppm",
        "response_ppm",
    ),
    "apis": (
        "overhead",
        "invalid_certificates",
        "max_url",
        "max_headers",
        "max_head",
        "max_body",
        "canary_percent",
        "reservoir",
        "traced",
    ),
    "authorizers": (
        "timeout_ns",
        "transport",
        "deny",
        "silent",
        "careful",
        "unauthorized",
        "invalid",
    ),
    "functions": (
        "duration",
        "init",
        "timeout_ns",
        "errors",
        "malformed",
        "other_share",
        "max_retries",
        "max_age_ns",
    ),
    "endpoints": ("service_time", "errors"),
    "services": ("latency", "item_size", "errors"),
    "caching": ("updates_per_s", "needs_permission", "unauthorized", "inflation_ppm"),
    "wafs": ("block",),
    "rate_rules": ("limit",),
}
_WORD: Final = 8


def laid_out(tables: Tables) -> Tables:
    """The same tables, those that may change as views of ``words``: private to one replication."""
    sizes = {name: getattr(tables, name).nbytes // _WORD for name in NUMBERS}
    words = np.zeros(sum(sizes.values()), np.int64)
    views: dict[str, Any] = {}
    first = 0
    for name, size in sizes.items():
        table = getattr(tables, name)
        if size:
            view = words[first : first + size].view(table.dtype)
            view[:] = table
            views[name] = view
        first += size
    return tables._replace(words=words, **views)


def differences(before: Tables, after: Tables) -> Iterator[tuple[str, str, int, int]]:
    """Table, field, place among the words and new value, wherever two of the tables differ.

    Both have as many rows.
    """
    first = 0
    for name in NUMBERS:
        old, new = getattr(before, name), getattr(after, name)
        fields = old.dtype.fields
        of_word = {offset // _WORD: field for field, (_, offset, *_) in fields.items()}
        assert all(dtype.itemsize == _WORD for dtype, *_ in fields.values())
        n_words = old.dtype.itemsize // _WORD
        if len(old):
            old, new = old.view(np.int64), new.view(np.int64)
            for at in np.flatnonzero(old != new).tolist():
                yield name, of_word[at % n_words], first + at, int(new[at])
        first += len(old)
