"""The compiled hash against the standard library's."""

import hashlib

import numpy as np
import pytest

from apisim.arrays.jit import kernel
from apisim.draws.blake2b import BLOCK_BYTES, blake2b_words
from apisim.draws.keys import has_digit_form, stream_key
from apisim.draws.purposes import Purpose


@kernel
def _digest(words: np.ndarray, length: int, state: np.ndarray) -> None:
    blake2b_words(words, length, state)


@pytest.mark.parametrize("length", [0, 1, 3, 8, 127, 128, 129, 255, 256, 257, 1000])
def test_digests_are_those_of_the_standard_library(length: int) -> None:
    message = bytes((7 * at + length) % 256 for at in range(length))
    n_blocks = max(1, -(-length // BLOCK_BYTES))
    words = np.frombuffer(message.ljust(n_blocks * BLOCK_BYTES, b"\0"), "<u8").copy()
    state = np.empty(24, np.uint64)
    _digest(words, length, state)
    assert state[:8].tobytes() == hashlib.blake2b(message).digest()


@pytest.mark.parametrize("name", ["", "web", "a/b", "x" * 41, "y" * 42, "z" * 43, "ä€" * 40])
def test_a_key_is_the_first_word_that_fits(name: str) -> None:
    """Made again as the docstring says it, with hashlib."""
    address = hashlib.blake2b()
    parts = (
        b"apisim-draws-1",
        (7).to_bytes(8, "little"),
        (3).to_bytes(8, "little"),
        int(Purpose.KEY).to_bytes(8, "little"),
        name.encode(),
    )
    for part in parts:
        address.update(len(part).to_bytes(8, "little") + part)
    words = []
    for counter in range(1000):
        rehashed = address.copy()
        rehashed.update(counter.to_bytes(8, "little"))
        words += np.frombuffer(rehashed.digest(), "<u8").tolist()
    expected = next(word for word in words if has_digit_form(word))
    assert int(stream_key(7, 3, Purpose.KEY, name)) == expected
