"""Integer hashing shared by the tables and the digest.

The finaliser is SplitMix64's (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number
generators"): a bijection of 64-bit words, so distinct keys stay distinct.
"""

import numpy as np

from apisim.arrays.jit import inline

__all__ = ["mix64", "mix_in"]

_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_ODD = np.uint64(0x9E3779B97F4A7C15)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)


@inline
def mix64(word: np.uint64) -> np.uint64:
    """Scramble one 64-bit word; a bijection."""
    word = (word ^ (word >> _S30)) * _M1
    word = (word ^ (word >> _S27)) * _M2
    return word ^ (word >> _S31)


@inline
def mix_in(state: np.uint64, word: np.uint64) -> np.uint64:
    """Fold one more word into a running hash; a bijection of ``word`` for a given state."""
    return mix64((state ^ word) * _ODD + _M2)
