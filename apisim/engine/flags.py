"""What else is true of a request: bits of its ``flags``, and how they are counted."""

from typing import Final

import numpy as np

from apisim.arrays.jit import gate

__all__ = [
    "FLAG_CLIENT_GONE",
    "FLAG_CORS_BLOCKED",
    "FLAG_INVALIDATION",
    "FLAG_NEW_CONNECTION",
    "FLAG_STALE",
    "FLAG_TRACED",
    "FLAG_WARNED",
    "FLAG_WRONG",
    "count_flags",
]

#: At most eight: the digest has room for no more.
FLAG_STALE: Final = 1  # a cached answer that has changed behind the cache
FLAG_WRONG: Final = 2  # a cached answer made for another request
FLAG_WARNED: Final = 4  # an invalidation ignored with a warning header
FLAG_CORS_BLOCKED: Final = 8  # the browser hides the answer from its page
FLAG_INVALIDATION: Final = 16  # the call may ask for a fresh answer, and did
FLAG_CLIENT_GONE: Final = 32  # the client had stopped waiting for the answer
FLAG_NEW_CONNECTION: Final = 64  # a handshake came before the call
FLAG_TRACED: Final = 128  # X-Ray records it


@gate
def count_flags(sums: np.void, flags: int) -> None:
    """Add a request's flags to the sums of its cell (``CELL_DTYPE``)."""
    if flags & FLAG_STALE:
        sums["stale_answers"] += 1
    if flags & FLAG_WRONG:
        sums["wrong_answers"] += 1
    if flags & FLAG_INVALIDATION:
        sums["invalidations"] += 1
    if flags & FLAG_WARNED:
        sums["ignored_invalidations"] += 1
    if flags & FLAG_NEW_CONNECTION:
        sums["new_connections"] += 1
