"""What the timeline does, as arrays: actions in order of time, and the patches of a change."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ACTION_DTYPE",
    "CHANGE",
    "DROP",
    "FLUSH",
    "PATCH_BUCKET",
    "PATCH_DTYPE",
    "PATCH_ENDPOINT",
    "PATCH_GROUP",
    "PATCH_LINE",
    "PATCH_PLAN_BUCKET",
    "PATCH_POOL",
    "PATCH_QUOTA",
    "PATCH_SERVICE_LIMIT",
    "PATCH_SIGN_IN_BUCKET",
    "PATCH_WORD",
    "RESIZE",
    "TAKE_IN",
    "patches_of",
]

FLUSH: Final = 0
RESIZE: Final = 1
CHANGE: Final = 2  # some numbers
DROP: Final = 4  # connections of a WebSocket API
TAKE_IN: Final = 3  # requests that wait at an endpoint that has got more servers
#: What the timeline does, in order of time.
ACTION_DTYPE: Final = np.dtype(
    [
        ("at_ns", "i8"),
        ("kind", "i8"),
        ("cache", "i8"),
        ("max_weight", "i8"),  # of a resized cache
        ("lookup_ns", "i8"),
        ("create_ns", "i8"),
        ("first", "i8"),  # first of the patches of a change
        ("last", "i8"),  # one after the last
        ("endpoint", "i8"),
        ("api", "i8"),  # whose connections are cut
        ("share", "f8"),  # ... of them
        ("lasts_ns", "i8"),  # for so long there are no new ones
        ("cut", "i8"),  # which of its API's cuts it is: index of its draws
    ],
    align=True,
)
PATCH_WORD: Final = 0  # of a table, see ``words``: new value
PATCH_BUCKET: Final = 1  # capacity, parts_per_ns, to_full_ns
PATCH_PLAN_BUCKET: Final = 2
PATCH_SIGN_IN_BUCKET: Final = 3
PATCH_GROUP: Final = 4  # limit
PATCH_POOL: Final = 5  # idle_expiry_ns
PATCH_ENDPOINT: Final = 6  # servers, queue_limit
PATCH_QUOTA: Final = 7  # of a plan: more requests, more of an offset
PATCH_LINE: Final = 8  # ttl_ns
PATCH_SERVICE_LIMIT: Final = 9  # capacity, parts_per_ns, to_full_ns
#: A new value of something; ``index`` is its row, or its place among the words of the tables.
PATCH_DTYPE: Final = np.dtype(
    [("kind", "i8"), ("index", "i8"), ("a", "i8"), ("b", "i8"), ("c", "i8")], align=True
)


def patches_of(
    timeline: NDArray[np.void], patches: NDArray[np.void], kind: int, index: int
) -> Iterator[tuple[int, tuple[int, int, int]]]:
    """When one thing changes [ns], and its new numbers, in order of time."""
    for action in timeline[timeline["kind"] == CHANGE]:
        for patch in patches[action["first"] : action["last"]]:
            if patch["kind"] == kind and patch["index"] == index:
                yield int(action["at_ns"]), (int(patch["a"]), int(patch["b"]), int(patch["c"]))
