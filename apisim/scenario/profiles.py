"""Profiles: the settings that go together.

``aws`` is the service as it is known, ``chapter`` what the chapter says, ``ideal`` a gateway that
takes no time and a Lambda that is limited by its concurrency alone, which formulae are about.
"""

from collections.abc import Mapping
from typing import Any, Final

from apisim.scenario.by_type import BY_TYPE, for_each_type

__all__ = ["PROFILES", "merge_settings"]

#: What each profile sets differently from the defaults above.
PROFILES: Final[dict[str, dict[str, Any]]] = {
    "aws": {},
    "chapter": {
        "method_limit": "within_stage",
        "throttle_scope": "shared",
        "path_in_cache_key": True,
        "rate_limit_headers": True,
    },
    "ideal": {
        "gateway_overhead": {"rest": 0, "http": 0, "websocket": 0},
        "hit_time": 0,
        "refusal_time": 0,
        "lambda_transport": 0,
        "lambda_request_rate": 0,
        "lambda_scaling": 0,
        "http_transport": 0,
        "service_transport": 0,
        "vpc_link_time": 0,
        "cross_zone_time": 0,
        "edge_hop": 0,
        "edge_rtt": 0,
        "cache_entry_overhead": "0B",
        "credential_check_time": 0,
        "key_set_time": 0,
        "sign_in_time": 0,
        "cache_encryption_inflation": "0%",
        "waf_latency": 0,
        "mutual_tls_time": 0,
        "tls_time": 0,
    },
}


def merge_settings(profile: str, written: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a profile with a scenario's own on top, as a scenario would write them.

    Parameters
    ----------
    profile : str
        One of ``PROFILES``; an unknown one counts as ``aws``.
    written : mapping
        What stands under ``settings:``; not yet validated.
    """
    base = PROFILES.get(profile, {})
    merged = {**base, **written}
    for key in BY_TYPE:
        if key in base and key in written:
            own = for_each_type(key, written[key])
            merged[key] = {**base[key], **own} if isinstance(own, Mapping) else own
    return merged
