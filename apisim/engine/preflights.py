"""What both engines know of preflights: their address, and where a browser remembers an answer."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.bits import mix_in
from apisim.arrays.expiring_lru import Store, lru_find, lru_store
from apisim.arrays.jit import constant, kernel
from apisim.engine.calls import compose_key

__all__ = ["PREFLIGHT_ATTEMPT", "is_remembered", "preflight_key", "remember"]

#: Added to a call's attempt in the address and the draws of its preflight. Draws take 64 numbers an
#: attempt of 65,536, so attempts below and above 512 never share one.
PREFLIGHT_ATTEMPT: Final = constant(512)
_NOTHING: Final = np.uint64(0)
_WEIGHTLESS: Final = constant(0)


@kernel
def preflight_key(
    preflight: np.void,
    parts: NDArray[np.void],
    popularities: NDArray[np.void],
    cells: NDArray[np.void],
    entity: int,
    browser: int,
) -> np.uint64:
    """Key of what a browser remembers: itself, the page's origin, and the URL of the call."""
    url = compose_key(
        parts,
        preflight["part"],
        preflight["parts"],
        preflight["salt"],
        popularities,
        cells,
        entity,
        _NOTHING,
        _NOTHING,
        _NOTHING,
    )
    return mix_in(url, np.uint64(browser + 1))


@kernel
def is_remembered(store: Store, key: np.uint64, now_ns: int) -> bool:
    """Whether the browser has an answer that lets it send the request without asking."""
    return lru_find(store, key, now_ns) >= 0


@kernel
def remember(store: Store, line: int, key: np.uint64, now_ns: int) -> bool:
    """Keep an answer that has just arrived; one that is live stays as old as it is."""
    return lru_store(store, line, key, _WEIGHTLESS, _WEIGHTLESS, now_ns)
