"""Token buckets that fill up by time: exact, in whole parts of a token.

A bucket is a record with the fields ``level``, ``capacity``, ``parts_per_ns``, ``to_full_ns`` and
``last_ns``; whoever takes tokens out of it has fields of its own.
"""

import numpy as np

from apisim.arrays.jit import part

__all__ = ["refill"]


@part
def refill(bucket: np.void, now_ns: int) -> None:
    """Add what has come since the bucket was last looked at; it holds no more than its capacity."""
    elapsed_ns = min(now_ns - bucket["last_ns"], bucket["to_full_ns"])
    bucket["level"] = min(bucket["capacity"], bucket["level"] + elapsed_ns * bucket["parts_per_ns"])
    bucket["last_ns"] = now_ns
