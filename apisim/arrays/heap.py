"""A 4-ary heap of events ordered by ``(time, major, minor)``.

The order is total as long as callers give each pending event its own ``(major, minor)``: two heaps
fed the same events in any order pop them alike. The heap never grows by itself; callers check the
room beforehand.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import inline, part

__all__ = ["EVENT_DTYPE", "heap_pop", "heap_push", "heap_replace"]

#: One pending event: ``time`` [ns], the two words that break ties, and what it is about.
EVENT_DTYPE: Final = np.dtype(
    [("time", "i8"), ("major", "i8"), ("minor", "i8"), ("item", "i8")], align=True
)


@part
def _before(event: np.void, time: int, major: int, minor: int) -> bool:
    if event["time"] != time:
        return event["time"] < time  # type: ignore[no-any-return]
    if event["major"] != major:
        return event["major"] < major  # type: ignore[no-any-return]
    return event["minor"] < minor  # type: ignore[no-any-return]


@part
def _put(heap: NDArray[np.void], at: int, time: int, major: int, minor: int, item: int) -> None:
    event = heap[at]
    event["time"] = time
    event["major"] = major
    event["minor"] = minor
    event["item"] = item


@part
def _move(heap: NDArray[np.void], to: int, origin: int) -> None:
    event = heap[origin]
    _put(heap, to, event["time"], event["major"], event["minor"], event["item"])


@inline
def heap_push(
    heap: NDArray[np.void], size: int, time: int, major: int, minor: int, item: int
) -> int:
    """Add an event to ``heap[:size]``; returns the new size."""
    at = size
    while at > 0:
        parent = (at - 1) >> 2
        if not _before(heap[parent], time, major, minor):
            _move(heap, at, parent)
            at = parent
        else:
            break
    _put(heap, at, time, major, minor, item)
    return size + 1


@inline
def heap_replace(
    heap: NDArray[np.void], size: int, time: int, major: int, minor: int, item: int
) -> None:
    """Take the first event off ``heap[:size]`` and put another in, in one pass."""
    at = 0
    while True:
        child = 4 * at + 1
        if child >= size:
            break
        best = child
        last = min(child + 4, size)
        for other in range(child + 1, last):
            first = heap[best]
            if _before(heap[other], first["time"], first["major"], first["minor"]):
                best = other
        if not _before(heap[best], time, major, minor):
            break
        _move(heap, at, best)
        at = best
    _put(heap, at, time, major, minor, item)


@inline
def heap_pop(heap: NDArray[np.void], size: int) -> int:
    """Take the first event off ``heap[:size]``; returns the new size. Read ``heap[0]`` before."""
    size -= 1
    if size > 0:
        last = heap[size]
        heap_replace(heap, size, last["time"], last["major"], last["minor"], last["item"])
    return size
