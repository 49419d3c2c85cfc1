"""What a call carries: keys, identities and sizes, made from its address alone.

Both engines ask here, so a call's route, cache key, identity and sizes are the same in both.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.bits import mix_in
from apisim.arrays.jit import constant, inline, kernel
from apisim.draws.discrete import sample_key
from apisim.draws.generator import uniform
from apisim.draws.sampling import sample_int
from apisim.engine.tables import PART_CLIENT, PART_DRAWN, PART_TARGET, PART_TOKEN
from apisim.gateway.validation import validation_answer

__all__ = [
    "DRAWS_PER_ATTEMPT",
    "NEVER_SENT",
    "SENT",
    "SENT_IF_KNOWN",
    "compose_key",
    "entry_draw",
    "index_behind",
    "index_of",
    "keyed_size",
    "lacks_identity",
    "part_of",
    "pick_binding",
    "share_at",
    "validate_call",
]

#: Draws of one purpose that one attempt of a call may use.
DRAWS_PER_ATTEMPT: Final = 64
#: Whether a binding's calls carry what the authorizer asks for; a log knows some of its clients.
SENT: Final = 0
NEVER_SENT: Final = 1
SENT_IF_KNOWN: Final = 2
_INDEX_BITS = np.uint64(16)
_CALLS_BEHIND: Final = constant(8)
_FIRST: Final = constant(0)
_SECOND: Final = constant(1)


@inline
def compose_key(
    parts: NDArray[np.void],
    first: int,
    n_parts: int,
    salt: np.uint64,
    popularities: NDArray[np.void],
    cells: NDArray[np.void],
    entity: int,
    target_hash: np.uint64,
    client_hash: np.uint64,
    token: np.uint64,
) -> np.uint64:
    """64-bit key of a cache entry or identity: the values of its parts, folded in order.

    Folding is a bijection for each part, so keys with one varying part never collide; with several
    parts two of n live keys collide with probability below n**2 / 2**65.
    """
    key = mix_in(salt, np.uint64(n_parts))
    for at in range(first, first + n_parts):
        part = parts[at]
        kind = part["kind"]
        if kind == PART_DRAWN:
            value = sample_key(popularities, cells, part["popularity"], part["key"], entity, 0)
            key = mix_in(key, np.uint64(value + 1))
        elif kind == PART_TARGET:
            key = mix_in(key, target_hash)
        elif kind == PART_CLIENT:
            key = mix_in(key, client_hash)
        elif kind == PART_TOKEN:
            key = mix_in(key, token)
        else:
            key = mix_in(key, np.uint64(0))
    return key


@inline
def pick_binding(
    source: np.void,
    popularities: NDArray[np.void],
    cells: NDArray[np.void],
    key: np.uint64,
    entity: int,
) -> int:
    """Binding of a source's k-th call, by the weights of its mix."""
    if source["mix"] < 0:
        return source["first_binding"]  # type: ignore[no-any-return]
    return source["first_binding"] + sample_key(  # type: ignore[no-any-return]
        popularities, cells, source["mix"], key, entity, 0
    )


@inline
def index_of(key: np.uint64) -> int:
    """Index of a key's own draws: its upper 48 bits."""
    return np.int64(key >> _INDEX_BITS)  # type: ignore[return-value]


@inline
def index_behind(entity: int, number: int) -> int:
    """Index of the draws of the ``number``-th call that a function makes for a source's k-th call.

    Functions make eight of them at most, so that no two calls have one index.
    """
    return entity * _CALLS_BEHIND + number


@inline
def keyed_size(
    dists: NDArray[np.void],
    values: NDArray[np.float64],
    row: int,
    key: np.uint64,
    cache_key: np.uint64,
) -> int:
    """Size of a cacheable answer: it belongs to the cache key, not to the call."""
    return sample_int(dists, values, row, key, index_of(cache_key), _FIRST)


@kernel
def entry_draw(key: np.uint64, cache_key: np.uint64, stored_ns: int) -> float:
    """The draw of one cache entry: it belongs to its key and the time it was stored."""
    return uniform(key, index_of(mix_in(cache_key, np.uint64(stored_ns))), _FIRST)


@inline
def lacks_identity(sent: int, client_hash: np.uint64) -> bool:
    """Whether an identity source is missing from a call."""
    return sent == NEVER_SENT or (sent == SENT_IF_KNOWN and client_hash == np.uint64(0))


@inline
def share_at(u: float, n_parts: int) -> int:
    """Which of ``n_parts`` equal parts a uniform draw falls into."""
    return min(np.int64(u * n_parts), n_parts - 1)  # type: ignore[return-value]


@kernel
def part_of(key: np.uint64, entity: int, attempt: int, n_parts: int) -> int:
    """Which of ``n_parts`` equal parts of a divided limit an attempt meets."""
    return share_at(uniform(key, entity, attempt * DRAWS_PER_ATTEMPT), n_parts)


@kernel
def validate_call(validation: np.void, key: np.uint64, entity: int) -> int:
    """Answer of the request validator to a source's k-th call, or ``VALID``.

    What a call lacks, and whether its body is good, belong to the call: it is the same over its
    attempts.
    """
    lacking = validation["lacking"]
    lacks = lacking >= 1.0 or (lacking > 0.0 and uniform(key, entity, _FIRST) < lacking)
    invalid = validation["invalid"]
    is_bad = False
    if not lacks and invalid > 0.0:
        is_bad = uniform(key, entity, _SECOND) < invalid
    return validation_answer(lacks, is_bad)
