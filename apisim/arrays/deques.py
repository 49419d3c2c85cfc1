"""Double-ended queues of 64-bit integers: many rings in one array.

Each ring has a fixed power-of-two share of the array, chosen when it is laid out; callers know a
bound for each ring (a warm pool never holds more idle instances than its concurrency limit).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import inline

__all__ = [
    "RING_DTYPE",
    "lay_out_rings",
    "ring_first",
    "ring_pop_first",
    "ring_pop_last",
    "ring_push",
]

RING_DTYPE: Final = np.dtype(
    [("offset", "i8"), ("mask", "i8"), ("head", "i8"), ("size", "i8")], align=True
)


def lay_out_rings(bounds: Sequence[int]) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """Empty rings that hold at least ``bounds[i]`` values each, and the array behind them."""
    rings = np.zeros(max(1, len(bounds)), RING_DTYPE)
    offset = 0
    for ring, bound in zip(rings, bounds, strict=False):
        capacity = 1 << max(0, (max(1, bound) - 1).bit_length())
        ring["offset"], ring["mask"] = offset, capacity - 1
        offset += capacity
    return rings, np.zeros(max(1, offset), np.int64)


@inline
def ring_push(ring: np.void, values: NDArray[np.int64], value: int) -> None:
    """Put a value behind the last one; the caller knows that there is room."""
    values[ring["offset"] + ((ring["head"] + ring["size"]) & ring["mask"])] = value
    ring["size"] += 1


@inline
def ring_first(ring: np.void, values: NDArray[np.int64]) -> int:
    """The value that has waited longest; the ring may not be empty."""
    return values[ring["offset"] + ring["head"]]  # type: ignore[no-any-return]


@inline
def ring_pop_first(ring: np.void, values: NDArray[np.int64]) -> int:
    """Take the value that has waited longest; the ring may not be empty."""
    value = values[ring["offset"] + ring["head"]]
    ring["head"] = (ring["head"] + 1) & ring["mask"]
    ring["size"] -= 1
    return value  # type: ignore[no-any-return]


@inline
def ring_pop_last(ring: np.void, values: NDArray[np.int64]) -> int:
    """Take the value put in last; the ring may not be empty."""
    ring["size"] -= 1
    return values[ring["offset"] + ((ring["head"] + ring["size"]) & ring["mask"])]  # type: ignore[no-any-return]
