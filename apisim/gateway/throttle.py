"""The throttle hierarchy: exact token buckets, looked at together, charged together.

API Gateway throttles with token buckets (developer guide, "Throttle requests to your REST APIs"):
*rate* is tokens added per second, *burst* the bucket's capacity, a request costs one token. AWS
applies the most specific limit first and does not say whether a refused request spends tokens; our
decision: all buckets of a request are looked at in order, then all are charged or none, and the
first that refused is the one named. AWS calls its own limits best effort; these are exact.

Exactness: with a rate of ``N/D`` tokens per second a token is cut into ``parts_per_token`` equal
parts such that every nanosecond adds a whole number of parts, so levels are integers and never
drift. The decisions are those of exact rational arithmetic.
"""

from fractions import Fraction
from math import gcd
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import inline, kernel, part
from apisim.arrays.tokens import refill

__all__ = [
    "BUCKET_DTYPE",
    "MAX_LEVELS",
    "NO_BUCKET",
    "admit",
    "change_bucket",
    "charge",
    "fill_bucket",
    "look",
    "note_least",
    "refuse",
    "try_take",
]

NO_BUCKET: Final = -1
#: connections (of WebSocket APIs), method, stage, account: the levels a request passes, in order.
MAX_LEVELS: Final = 4
_LARGEST: Final = 1 << 62
_SECOND_NS: Final = 1_000_000_000

BUCKET_DTYPE: Final = np.dtype(
    [
        ("level", "i8"),  # parts in the bucket now
        ("capacity", "i8"),  # parts of a full bucket
        ("parts_per_token", "i8"),
        ("parts_per_ns", "i8"),
        ("to_full_ns", "i8"),  # a bucket this long untouched is full: caps the product below
        ("last_ns", "i8"),
        ("kind", "i8"),  # the level this bucket stands for: an index into LEVELS
        ("refused", "i8"),
        ("first_refused_ns", "i8"),  # -1: none yet
        ("second", "i8"),  # the second that `in_second` counts
        ("in_second", "i8"),
        ("worst_second", "i8"),
        ("worst_refused", "i8"),
        ("admitted", "i8"),  # tokens that were taken out of it
        ("least", "i8"),  # lowest level since somebody last asked
    ],
    align=True,
)


def fill_bucket(
    row: np.void, rate: Fraction, burst: int, kind: int, *, starts_full: bool = True
) -> None:
    """Make ``row`` a bucket as it is before the first request.

    Parameters
    ----------
    row : BUCKET_DTYPE record
        Overwritten.
    rate : Fraction
        Tokens per second, >= 0; 0 never refills.
    burst : int
        Capacity [tokens], >= 0; 0 refuses everything.
    kind : int
        Level of the hierarchy, for the record of who refused.
    starts_full : bool
        Whether the bucket is full at time 0 or empty.

    Raises
    ------
    OverflowError
        If the bucket cannot be held exactly in 62 bits (a very fine rate with a very large burst).
    """
    per_ns = rate / _SECOND_NS
    parts_per_token, parts_per_ns = per_ns.denominator, per_ns.numerator
    if parts_per_ns == 0:
        parts_per_token = 1
    common = gcd(parts_per_token, parts_per_ns)
    parts_per_token, parts_per_ns = parts_per_token // common, parts_per_ns // common
    capacity = burst * parts_per_token
    if capacity + parts_per_ns >= _LARGEST or parts_per_token >= _LARGEST:
        raise OverflowError(
            f"a rate of {rate}/s with a burst of {burst} does not fit in 62 bits exactly"
        )
    row["capacity"] = capacity
    row["level"] = capacity if starts_full else 0
    row["parts_per_token"], row["parts_per_ns"] = parts_per_token, parts_per_ns
    row["to_full_ns"] = -(-capacity // parts_per_ns) if parts_per_ns else _LARGEST
    row["last_ns"] = 0
    row["kind"] = kind
    row["refused"], row["first_refused_ns"] = 0, -1
    row["second"], row["in_second"] = -1, 0
    row["worst_second"], row["worst_refused"] = -1, 0
    row["admitted"], row["least"] = 0, row["level"]


@kernel
def try_take(bucket: np.void, n_tokens: int, now_ns: int) -> bool:
    """Take ``n_tokens`` at once or none.

    Parameters
    ----------
    bucket : BUCKET_DTYPE record
        Updated in place.
    n_tokens : int
        Tokens asked for, >= 0; more than the capacity is always refused.
    now_ns : int
        Time [ns]; must not decrease between calls for one bucket.

    Returns
    -------
    bool
        True if the tokens were taken. A refused request spends nothing.
    """
    refill(bucket, now_ns)
    # Compared by division: n_tokens * parts_per_token could overflow for a silly n_tokens.
    if n_tokens > bucket["level"] // bucket["parts_per_token"]:
        return False
    bucket["level"] -= n_tokens * bucket["parts_per_token"]
    return True


@kernel
def change_bucket(
    bucket: np.void, capacity: int, parts_per_ns: int, to_full_ns: int, now_ns: int
) -> None:
    """Give a bucket another rate and burst from now on; a token has as many parts as before.

    It keeps the tokens it has, but no more than the new burst: a larger burst fills up at the new
    rate, a smaller one is full at once. AWS does not say what its own buckets do.

    Parameters
    ----------
    bucket : BUCKET_DTYPE record
        Updated in place.
    capacity, parts_per_ns, to_full_ns : int
        As :func:`fill_bucket` computes them for the new rate and burst.
    now_ns : int
        Time of the change [ns].
    """
    refill(bucket, now_ns)
    bucket["capacity"] = capacity
    bucket["parts_per_ns"] = parts_per_ns
    bucket["to_full_ns"] = to_full_ns
    bucket["level"] = min(bucket["level"], capacity)


@inline
def refuse(bucket: np.void, now_ns: int) -> None:
    """Write down that this bucket refused a request: how many, when first, the worst second."""
    bucket["refused"] += 1
    if bucket["first_refused_ns"] < 0:
        bucket["first_refused_ns"] = now_ns
    second = now_ns // _SECOND_NS
    if second != bucket["second"]:
        bucket["second"] = second
        bucket["in_second"] = 0
    bucket["in_second"] += 1
    if bucket["in_second"] > bucket["worst_refused"]:
        bucket["worst_refused"] = bucket["in_second"]
        bucket["worst_second"] = second


@inline
def admit(
    buckets: NDArray[np.void], levels: NDArray[np.int64], now_ns: int, part: int, in_order: int
) -> int:
    """Let one request past all its buckets, or none.

    Parameters
    ----------
    buckets : BUCKET_DTYPE[n_buckets]
        Updated in place.
    levels : int64[MAX_LEVELS]
        The request's buckets in the order in which they are looked at; ``NO_BUCKET`` where a level
        has no limit.
    now_ns : int
        Time of the request [ns].
    part : int
        Which of a limit's equal parts the request meets: they stand one behind the other. 0 where
        limits are whole.
    in_order : int
        1: a level that admits is charged even if a later one refuses. 0: all or none.

    Returns
    -------
    int
        -1 if admitted, else the index of the first bucket, in that order, that had no token.
    """
    refused_by = look(buckets, levels, now_ns, part, in_order)
    if refused_by == NO_BUCKET and in_order == 0:
        charge(buckets, levels, part)
    return refused_by


@inline
def look(
    buckets: NDArray[np.void], levels: NDArray[np.int64], now_ns: int, part: int, in_order: int
) -> int:
    """The first of a request's buckets that has no token, or -1; see :func:`admit`.

    Nothing is spent unless ``in_order``; :func:`charge` does that when all have been looked at.
    """
    for at in levels:
        if at != NO_BUCKET:
            bucket = buckets[at + part]
            refill(bucket, now_ns)
            if bucket["level"] < bucket["parts_per_token"]:
                refuse(bucket, now_ns)
                return at + part  # type: ignore[no-any-return]
            if in_order == 1:
                _take(bucket)
    return NO_BUCKET


@inline
def charge(buckets: NDArray[np.void], levels: NDArray[np.int64], part: int) -> None:
    """Take a token from each of a request's buckets, which :func:`look` has found to have one."""
    for at in levels:
        if at != NO_BUCKET:
            _take(buckets[at + part])


@part
def _take(bucket: np.void) -> None:
    bucket["level"] -= bucket["parts_per_token"]
    bucket["admitted"] += 1
    if bucket["level"] < bucket["least"]:
        bucket["least"] = bucket["level"]


@inline
def note_least(bucket: np.void) -> None:
    """Something else than a request has taken tokens out of the bucket: how few it has now."""
    bucket["least"] = min(bucket["least"], bucket["level"])
