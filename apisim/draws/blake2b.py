"""BLAKE2b with 64-byte digests, compiled: hundreds of digests are needed for one key.

RFC 7693. The standard library has the same function, against which this one is tested; called from
Python for every candidate it took ten times as long, 9 ms of each replication.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from apisim.arrays.jit import inline

__all__ = ["BLOCK_BYTES", "blake2b_words"]

BLOCK_BYTES: Final = 128
_ROUNDS: Final = 12
_WORD_BITS: Final = np.uint64(64)
_ALL_ONES: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
#: Digest length, no key, fan-out and depth of 1 (RFC 7693, section 2.5).
_PARAMETERS: Final = np.uint64(0x01010040)

_IV: Final = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    np.uint64,
)  # fmt: skip
#: Which words each round mixes; rounds 10 and 11 are 0 and 1 again (RFC 7693, section 2.7).
_SIGMA: Final = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ],
    np.int64,
)  # fmt: skip


@inline
def blake2b_words(
    words: npt.NDArray[np.uint64], length: int, state: npt.NDArray[np.uint64]
) -> None:
    """Digest of a message, as eight words.

    Parameters
    ----------
    words : uint64[16 * n_blocks]
        The message, little-endian, padded with zeros to whole blocks of 128 bytes; one block at
        least.
    length : int
        Its length [bytes].
    state : uint64[24]
        The digest is written to the first eight; the others are room to work in.
    """
    for at in range(8):
        state[at] = _IV[at]
    state[0] ^= _PARAMETERS
    n_blocks = words.size // 16
    for block in range(n_blocks):
        is_last = block == n_blocks - 1
        done = length if is_last else BLOCK_BYTES * (block + 1)
        _compress(words[16 * block : 16 * block + 16], np.uint64(done), is_last, state)


@inline
def _compress(
    words: npt.NDArray[np.uint64], done: np.uint64, is_last: bool, state: npt.NDArray[np.uint64]
) -> None:
    mixed = state[8:]
    for at in range(8):
        mixed[at] = state[at]
        mixed[at + 8] = _IV[at]
    mixed[12] ^= done
    if is_last:
        mixed[14] ^= _ALL_ONES
    for number in range(_ROUNDS):
        order = _SIGMA[number % 10]
        for column in range(4):
            _mix(
                mixed, column, column + 4, column + 8, column + 12,
                words[order[2 * column]], words[order[2 * column + 1]],
            )  # fmt: skip
        for column in range(4):
            _mix(
                mixed, column, (column + 1) % 4 + 4, (column + 2) % 4 + 8, (column + 3) % 4 + 12,
                words[order[2 * column + 8]], words[order[2 * column + 9]],
            )  # fmt: skip
    for at in range(8):
        state[at] ^= mixed[at] ^ mixed[at + 8]


@inline
def _mix(
    mixed: npt.NDArray[np.uint64], a: int, b: int, c: int, d: int, x: np.uint64, y: np.uint64
) -> None:
    mixed[a] = mixed[a] + mixed[b] + x
    mixed[d] = _rotated(mixed[d] ^ mixed[a], np.uint64(32))
    mixed[c] = mixed[c] + mixed[d]
    mixed[b] = _rotated(mixed[b] ^ mixed[c], np.uint64(24))
    mixed[a] = mixed[a] + mixed[b] + y
    mixed[d] = _rotated(mixed[d] ^ mixed[a], np.uint64(16))
    mixed[c] = mixed[c] + mixed[d]
    mixed[b] = _rotated(mixed[b] ^ mixed[c], np.uint64(63))


@inline
def _rotated(word: np.uint64, bits: np.uint64) -> np.uint64:
    return (word >> bits) | (word << (_WORD_BITS - bits))
