"""The addressed generator: every draw is a pure function of (key, index, draw).

A counter-based generator turns a counter into 64 random bits under a key, with no state to carry
or to share, so a draw belongs to *what it is for* and not to the order in which it was asked for.
The key stands for the stream (``keys.stream_key``), the counter for the place in it:
``counter = index * 2^16 + draw``, with the index (the k-th call of a source) below 2^48 and the
draw (the attempt, or a number within it) below 2^16, so no two places share a counter.

Two published generators stand behind one door: Squares (five rounds, 64-bit output), which is the
default, and Philox4x32-10, which costs about three times as much and exists so that every result
can be checked against a generator of another family. ``APISIM_GENERATOR=philox`` chooses it for
the whole process; the choice is compiled in.

References
----------
.. [1] B. Widynski, "Squares: A Fast Counter-Based RNG", arXiv:2004.06278.
.. [2] J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as
   1, 2, 3", SC'11.
"""

import os
from typing import Final, TypeAlias

import numpy as np

from apisim.arrays.jit import inline

__all__ = [
    "DRAW_LIMIT",
    "GENERATOR",
    "INDEX_LIMIT",
    "UInt64",
    "bits",
    "philox4x32_10",
    "philox64",
    "squares64",
    "uniform",
]

#: Name of the generator behind :func:`bits` in this process: ``squares`` or ``philox``.
GENERATOR: Final = os.environ.get("APISIM_GENERATOR", "squares")
if GENERATOR not in ("squares", "philox"):
    raise ValueError(f"APISIM_GENERATOR must be squares or philox, got {GENERATOR!r}")

#: What a key or a word of bits may be. From Python, numbers from 2^63 on must come as np.uint64:
#: numba takes a Python integer for an int64.
UInt64: TypeAlias = np.uint64 | int

#: Indices are in [0, INDEX_LIMIT), draws of one index in [0, DRAW_LIMIT).
INDEX_LIMIT: Final = 1 << 48
DRAW_LIMIT: Final = 1 << 16

# numba turns uint64 combined with int64 into float64, so every operand is a uint64 of its own.
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_DRAW_BITS = np.uint64(16)
_INDEX_LIMIT = np.uint64(INDEX_LIMIT)
_DRAW_LIMIT = np.uint64(DRAW_LIMIT)
_DROPPED_BITS = np.uint64(12)

_PHILOX_MULTIPLIER_0 = np.uint64(0xD2511F53)
_PHILOX_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_PHILOX_WEYL_0 = np.uint64(0x9E3779B9)
_PHILOX_WEYL_1 = np.uint64(0xBB67AE85)


@inline
def squares64(counter: UInt64, key: UInt64) -> np.uint64:
    """64 random bits from a counter and a key by Squares, the five-round 64-bit variant [1]_.

    Parameters
    ----------
    counter : uint64
        Any value.
    key : uint64
        A key of the digit form that ``keys.stream_key`` makes; others give visibly poor streams.

    Returns
    -------
    uint64
        Random bits.
    """
    weyl = np.uint64(counter) * np.uint64(key)
    shifted = weyl + np.uint64(key)
    x = weyl * weyl + weyl
    x = (x >> _HALF) | (x << _HALF)
    x = x * x + shifted
    x = (x >> _HALF) | (x << _HALF)
    x = x * x + weyl
    x = (x >> _HALF) | (x << _HALF)
    fourth = x * x + shifted
    x = (fourth >> _HALF) | (fourth << _HALF)
    return fourth ^ ((x * x + weyl) >> _HALF)


@inline
def philox4x32_10(
    c0: UInt64, c1: UInt64, c2: UInt64, c3: UInt64, k0: UInt64, k1: UInt64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Four 32-bit words from a 128-bit counter and a 64-bit key by Philox4x32-10 [2]_.

    Parameters
    ----------
    c0, c1, c2, c3 : uint64
        Words of the counter, each below 2^32, least significant first.
    k0, k1 : uint64
        Words of the key, each below 2^32, least significant first.

    Returns
    -------
    tuple of four uint64
        Random words, each below 2^32.
    """
    x0, x1, x2, x3 = np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3)
    key0, key1 = np.uint64(k0), np.uint64(k1)
    for _ in range(10):
        product0 = _PHILOX_MULTIPLIER_0 * x0
        product1 = _PHILOX_MULTIPLIER_1 * x2
        x0, x1, x2, x3 = (
            (product1 >> _HALF) ^ x1 ^ key0,
            product1 & _LOW,
            (product0 >> _HALF) ^ x3 ^ key1,
            product0 & _LOW,
        )
        key0 = (key0 + _PHILOX_WEYL_0) & _LOW
        key1 = (key1 + _PHILOX_WEYL_1) & _LOW
    return x0, x1, x2, x3


@inline
def philox64(counter: UInt64, key: UInt64) -> np.uint64:
    """64 random bits from a 64-bit counter and key: the first two words of a Philox block.

    Parameters
    ----------
    counter, key : uint64
        Any values; the upper half of Philox's 128-bit counter is zero.

    Returns
    -------
    uint64
        Random bits.
    """
    place = np.uint64(counter)
    stream = np.uint64(key)
    zero = np.uint64(0)
    word0, word1, _, _ = philox4x32_10(
        place & _LOW, place >> _HALF, zero, zero, stream & _LOW, stream >> _HALF
    )
    return word0 | (word1 << _HALF)


_generate = philox64 if GENERATOR == "philox" else squares64


@inline
def bits(key: UInt64, index: int, draw: int) -> np.uint64:
    """64 random bits at one address of one stream.

    Parameters
    ----------
    key : uint64
        Stream, from ``keys.stream_key``.
    index : int64
        Entity of the stream (k-th call of a source, k-th arrival ...), in [0, 2^48).
    draw : int64
        Number of the draw for that entity, in [0, 2^16).

    Returns
    -------
    uint64
        Random bits.

    Raises
    ------
    AssertionError
        If the index or the draw is outside its range: two addresses would share a counter.
    """
    # A negative index or draw becomes a huge unsigned one, so one comparison covers both ends.
    assert np.uint64(index) < _INDEX_LIMIT, "the index of a draw is out of range"
    assert np.uint64(draw) < _DRAW_LIMIT, "the number of a draw is out of range"
    return _generate((np.uint64(index) << _DRAW_BITS) | np.uint64(draw), key)


@inline
def uniform(key: UInt64, index: int, draw: int) -> float:
    """Uniform draw strictly inside (0, 1) at one address of one stream.

    The upper 52 bits x give ``(x + 0.5) * 2^-52``: an odd multiple of 2^-53, exactly
    representable, never 0 or 1, and symmetric (u and 1 - u are equally likely and both exact).

    Parameters
    ----------
    key, index, draw
        As in :func:`bits`.

    Returns
    -------
    float64
        In [2^-53, 1 - 2^-53].
    """
    return float((np.int64(bits(key, int(index), int(draw)) >> _DROPPED_BITS) + 0.5) * 2.0**-52)
