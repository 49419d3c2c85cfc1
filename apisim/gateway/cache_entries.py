"""What an entry of the response cache weighs, and whether what it says is still and really true.

*Stale*: what lies behind a key changes at random times (``updates:``), and an entry that was stored
before the latest change answers with what was. Changes come as a Poisson process, so the first one
after storing comes after an exponential time, whatever happened before; one draw for each *entry*,
addressed by key and time of storing, decides for all its hits. That is the process itself, not only
its mean: a hit of age ``a`` is stale with probability ``1 - exp(-rate a)``, and an entry that is
stale once stays so. A change between the backend's reading and the storing is left out.

*Wrong*: an answer depends on some parameters (``depends_on:``); what is not among the cache's keys
does not tell entries apart. Each entry remembers a hash of the parameters it was made for, and a
hit by a call with others is an answer to somebody else's request. AWS serves it without a word
(developer guide, "Enabling API caching": parameters that are not chosen are ignored).

*Encrypted*: "may increase the size of the response when it is being cached" (same page); by how
much is ``settings.cache_encryption_inflation``, and it counts against the largest size, too.
"""

from typing import Final

import numpy as np

from apisim.arrays.jit import inline, kernel
from apisim.draws.kernels import log

__all__ = ["UNKNOWN", "is_stale", "is_wrong", "stored_bytes"]

#: An entry or a call of which nobody said what its answer depends on.
UNKNOWN: Final = np.uint64(0)

_NANOSECOND: Final = 1e-9
_MILLION: Final = 1_000_000


@kernel
def is_stale(age_ns: int, updates_per_s: float, u: float) -> bool:
    """Whether what lies behind an entry has changed since it was stored.

    Parameters
    ----------
    age_ns : int
        Age of the entry [ns].
    updates_per_s : float
        Changes of what lies behind one key [1/s], >= 0.
    u : float
        The entry's draw, in (0, 1).

    Examples
    --------
    The first change comes after ``-log(u) / rate``, here after 6.93 s.

    >>> is_stale(6_900_000_000, 0.1, 0.5), is_stale(6_950_000_000, 0.1, 0.5)
    (False, True)
    """
    return age_ns * _NANOSECOND * updates_per_s >= -log(u)


@inline
def is_wrong(kept: np.uint64, own: np.uint64) -> bool:
    """Whether an entry was made for a call with other parameters."""
    return kept != own and kept != UNKNOWN and own != UNKNOWN  # type: ignore[no-any-return]


@inline
def stored_bytes(body_bytes: int, inflation_ppm: int) -> int:
    """Size of a body as it is stored [bytes]; ``inflation_ppm`` is what encryption adds [1e-6]."""
    return body_bytes + (body_bytes * inflation_ppm + _MILLION - 1) // _MILLION
