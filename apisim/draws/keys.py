"""Keys of streams: from what a draw is for to the 64 bits that the generator wants.

A stream is named by (seed, replication, purpose, entity name). Names, never positions: adding a
route to a scenario changes no other route's luck. The name is hashed with BLAKE2b, and hashed
again with a counter until a candidate has the digit form below; raw or consecutive keys would make
Squares fail badly.

The digit form is the one of Widynski's key utility (``keys.c`` of the Squares distribution, March
2022; ``init_rand_digits`` of its predecessor, the Middle-Square Weyl Sequence generator, words it
alike). Of the 16 hexadecimal digits

- none is 0, and the last one is odd;
- the upper eight differ from one another, and so do the lower eight;
- the eighth and the ninth, which meet in the middle, differ too.

The utility also keeps any two of its keys apart in their lowest nine digits. That is left out: no
likeness shows between streams of the 64-bit variant whose keys differ in one upper digit only
(``tests/oracle/test_draws_independence.py``), and it could not be kept over streams made on
different days.
"""

import functools
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from apisim.arrays.jit import inline, kernel
from apisim.draws.blake2b import BLOCK_BYTES, blake2b_words
from apisim.draws.purposes import Purpose

__all__ = ["find_equal", "has_digit_form", "stream_key"]

# Part of every key: raise it when streams are meant to change, and list the change as such.
_VERSION: Final = b"apisim-draws-1"

_ONES: Final = 0x1111111111111111
_EIGHTS: Final = 0x8888888888888888

_NOTHING: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_FIFTEEN: Final = np.uint64(15)
_WORD_BITS: Final = np.uint64(64)
_COUNTER_BYTES: Final = 8
_STATE_WORDS: Final = 24


def has_digit_form(key: int) -> bool:
    """Whether ``key`` has the form that Squares asks of its keys (see the module).

    Parameters
    ----------
    key : int
        Any integer.

    Returns
    -------
    bool
        True if every rule holds.

    Examples
    --------
    >>> has_digit_form(0xA6C2DB48E7B3915D)
    True
    >>> has_digit_form(1)
    False
    """
    # Cheapest first: three of four candidates end here. Taking 1 from each digit borrows into the
    # top bit of a digit that had it clear only where there is a 0.
    if not key & 1 or not 0 < key < 1 << 64 or (key - _ONES) & ~key & _EIGHTS:
        return False
    digits = f"{key:016x}"
    upper, lower = digits[:8], digits[8:]
    return len(set(lower)) == 8 and len(set(upper)) == 8 and upper[-1] != lower[0]


@functools.lru_cache(maxsize=1 << 16)
def stream_key(seed: int, replication: int, purpose: Purpose, entity: str) -> np.uint64:
    """Key of the stream of one purpose of one entity in one replication.

    The parts (version, seed, replication, purpose, entity) are hashed, each with its length in
    front so that no two lists of parts run together, by BLAKE2b with 64-byte digests; a counter
    follows, and the first 64-bit word (little-endian) of digest 0, 1, 2, ... that has the digit
    form is the key. It takes about 0.03 ms: make keys once, not per draw.

    Parameters
    ----------
    seed : int
        Seed of the run, in [0, 2^64).
    replication : int
        Number of the replication, in [0, 2^64).
    purpose : Purpose
        What the draws are for.
    entity : str
        Name of what draws: a source, a route, a function ...

    Returns
    -------
    numpy.uint64
        Key with :func:`has_digit_form`. Not a Python integer: numba takes those for int64, which
        half of the keys exceed.

    Raises
    ------
    ValueError
        If the seed or the replication is out of range.
    """
    for name, value in (("seed", seed), ("replication", replication)):
        if not 0 <= value < 1 << 64:
            raise ValueError(f"the {name} must be in [0, 2^64), got {value}")
    message = b"".join(
        len(part).to_bytes(8, "little") + part
        for part in (
            _VERSION,
            seed.to_bytes(8, "little"),
            replication.to_bytes(8, "little"),
            int(purpose).to_bytes(8, "little"),
            entity.encode(),
        )
    )
    length = len(message) + _COUNTER_BYTES
    words = np.frombuffer(message.ljust(-(-length // BLOCK_BYTES) * BLOCK_BYTES, b"\0"), "<u8")
    state = np.empty(_STATE_WORDS, np.uint64)
    return np.uint64(_first_fitting(words.copy(), len(message), state))


@kernel
def _first_fitting(
    words: npt.NDArray[np.uint64], at: int, state: npt.NDArray[np.uint64]
) -> np.uint64:
    """First word of the digests of counters 0, 1, 2, ... that has the digit form.

    Some 500 are looked at for a key.

    Parameters
    ----------
    words : uint64[16 * n_blocks]
        Message, padded with zeros; the counter is written behind it.
    at : int
        Length of the message, and where the counter begins [bytes].
    state : uint64[24]
        Room to work in.
    """
    place, shift = at // 8, np.uint64(8 * (at % 8))
    first = words[place]
    counter = _NOTHING
    while True:
        words[place] = first | (counter << shift)
        if shift != _NOTHING:
            # Nothing but zeros follows, so the rest of the counter needs no mask.
            words[place + 1] = counter >> (_WORD_BITS - shift)
        blake2b_words(words, at + 8, state)
        for word in state[:8]:
            if _fits(word):
                return word  # type: ignore[no-any-return]
        counter += _ONE


@inline
def _fits(word: np.uint64) -> bool:
    """Whether a word has the digit form."""
    if word & _ONE == 0:
        return False
    seen = _NOTHING
    before = _NOTHING
    for place in range(16):
        if place == 8:
            seen = _NOTHING
        digit = (word >> np.uint64(60 - 4 * place)) & _FIFTEEN
        bit = _ONE << digit
        if digit == 0 or seen & bit != 0 or digit == before:
            return False
        seen |= bit
        before = digit
    return True


def find_equal(keys: Iterable[np.uint64 | int]) -> tuple[int, int] | None:
    """Positions of the first two equal keys, if there are any.

    Two streams of a run with one key would draw the same numbers. There are 2^55 keys, so a
    thousand streams collide once in 7e10 runs; whoever makes the keys refuses it all the same.

    Parameters
    ----------
    keys : iterable of numpy.uint64
        Keys of all streams of a run.

    Returns
    -------
    tuple of two int, or None
        Positions in the order given, the smaller one first.
    """
    seen: dict[np.uint64 | int, int] = {}
    for position, key in enumerate(keys):
        first = seen.setdefault(key, position)
        if first != position:
            return first, position
    return None
