"""The signing keys that a JWT authorizer keeps of its issuer.

Facts (developer guide, "Control access to HTTP APIs with JWT authorizers in API Gateway" and its
REST counterpart): keys are fetched from the issuer when they are needed and kept for 2 hours on
HTTP APIs, for up to 1 hour on REST APIs; a fetch may take 1,500 ms (quotas of HTTP APIs). Our
decisions where AWS is silent: every request that finds no keys fetches them for itself; keys are
kept from the moment they arrive; a fetch that fails is not remembered.
"""

from typing import Final

import numpy as np

from apisim.arrays.jit import inline

__all__ = ["KEY_SET_DTYPE", "NEVER_FETCHED", "has_keys", "keep_keys"]

NEVER_FETCHED: Final = -1

#: Keys of one authorizer of one stage, and what was done to have them.
KEY_SET_DTYPE: Final = np.dtype(
    [
        ("lifetime_ns", "i8"),
        ("fetched_ns", "i8"),  # NEVER_FETCHED: there are none
        ("fetches", "i8"),
        ("failures", "i8"),  # fetches that took too long
    ],
    align=True,
)


@inline
def has_keys(key_set: np.void, now_ns: int) -> bool:
    """Whether keys are at hand: those exactly as old as their lifetime are gone."""
    if key_set["fetched_ns"] < 0:
        return False
    return now_ns - key_set["fetched_ns"] < key_set["lifetime_ns"]  # type: ignore[no-any-return]


@inline
def keep_keys(key_set: np.void, now_ns: int) -> None:
    """Keys have arrived."""
    key_set["fetched_ns"] = now_ns
