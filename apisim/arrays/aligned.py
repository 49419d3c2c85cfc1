"""Arrays that begin at a cache line of the machine, so that small records do not straddle two."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["aligned_zeros"]

_LINE_BYTES = 64


def aligned_zeros(size: int, dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """Zeros of a record type whose first byte is at a multiple of 64."""
    n_bytes = size * dtype.itemsize
    raw = np.zeros(n_bytes + _LINE_BYTES, np.uint8)
    start = -raw.ctypes.data % _LINE_BYTES
    return raw[start : start + n_bytes].view(dtype)
