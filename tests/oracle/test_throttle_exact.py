"""One token bucket makes the decisions of exact arithmetic, for ever.

Identities P2, P3 and P7 of the oracle list: they hold on every run, so nothing is allowed for.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numba import njit

from apisim.gateway.throttle import (
    BUCKET_DTYPE,
    MAX_LEVELS,
    NO_BUCKET,
    admit,
    fill_bucket,
    try_take,
)
from tests.support.token_buckets import RationalBucket, gcra, gcra_admitted

pytestmark = pytest.mark.oracle

SECOND_NS = 1_000_000_000
THIRD = Fraction(100, 60)  # 100/min: no decimal

rates = st.one_of(
    st.integers(0, 20_000_000_000).map(lambda n: Fraction(n, 1_000_000)),  # six decimals
    st.integers(1, 100_000).map(lambda n: Fraction(n, 60)),
    st.integers(1, 100_000).map(lambda n: Fraction(n, 3600)),
    st.sampled_from([Fraction(3, 10), THIRD, Fraction(1), Fraction(10), Fraction(0)]),
)
bursts = st.integers(0, 30)


@st.composite
def arrivals(draw: st.DrawFn, rate: Fraction) -> list[int]:
    """Times [ns], many of them just before, at or just after a token is whole."""
    token_ns = Fraction(SECOND_NS) / rate if rate else Fraction(SECOND_NS)
    near = st.builds(
        lambda k, off: max(0, int(k * token_ns) + off), st.integers(0, 40), st.integers(-1, 2)
    )
    gaps = st.one_of(st.just(0), near, st.integers(0, 3 * SECOND_NS))
    total = 0
    return [total := total + gap for gap in draw(st.lists(gaps, min_size=1, max_size=60))]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Fraction, int, list[int]]:
    rate = draw(rates)
    return rate, draw(bursts), draw(arrivals(rate))


def bucket_of(rate: Fraction, burst: int) -> np.void:
    rows = np.zeros(1, BUCKET_DTYPE)
    bucket: np.void = rows[0]
    fill_bucket(bucket, rate, burst, 0)
    return bucket


def decisions(rate: Fraction, burst: int, times_ns: Sequence[int]) -> list[bool]:
    bucket = bucket_of(rate, burst)
    return [bool(try_take(bucket, 1, time_ns)) for time_ns in times_ns]


@given(cases())
@example((Fraction(3, 10), 1, [0, 3_333_333_333, 3_333_333_334, 6_666_666_667, 6_666_666_668]))
@example((THIRD, 2, [0, 0, 599_999_999, 600_000_000, 1_199_999_999, 1_200_000_000]))
@example((Fraction(0), 2, [0, 1, SECOND_NS, 10**15]))
@example((Fraction(5), 0, [0, SECOND_NS]))
def test_a_bucket_decides_as_the_generic_cell_rate_algorithm_does(
    case: tuple[Fraction, int, list[int]],
) -> None:
    """P3: a level that refills, against theoretical arrival times that are never refilled."""
    rate, burst, times_ns = case
    assert decisions(rate, burst, times_ns) == gcra(rate, burst, times_ns)


@given(cases(), st.lists(st.integers(0, 8), min_size=60, max_size=60))
def test_several_tokens_are_taken_at_once_or_not_at_all(
    case: tuple[Fraction, int, list[int]], wanted: list[int]
) -> None:
    rate, burst, times_ns = case
    bucket, reference = bucket_of(rate, burst), RationalBucket(rate, burst)
    for time_ns, n_tokens in zip(times_ns, wanted, strict=False):
        taken = try_take(bucket, n_tokens, time_ns)
        assert taken == reference.take(n_tokens, Fraction(time_ns, SECOND_NS))
        level = Fraction(int(bucket["level"]), int(bucket["parts_per_token"]))
        assert level == reference.tokens  # to the last part of a token
        assert 0 <= level <= burst  # P2, first half


@given(cases())
def test_what_is_admitted_in_any_window_is_at_most_burst_plus_rate_times_its_length(
    case: tuple[Fraction, int, list[int]],
) -> None:
    """P2, second half: over all windows at once, by the running minimum of admitted - rate t."""
    rate, burst, times_ns = case
    lowest = None
    admitted = 0
    for time_ns, accepted in zip(times_ns, decisions(rate, burst, times_ns), strict=True):
        if not accepted:
            continue
        before = admitted - rate * Fraction(time_ns, SECOND_NS)
        lowest = before if lowest is None else min(lowest, before)
        admitted += 1
        assert admitted - rate * Fraction(time_ns, SECOND_NS) - lowest <= burst


@given(cases(), rates, bursts)
def test_a_larger_bucket_admits_no_less(
    case: tuple[Fraction, int, list[int]], more_rate: Fraction, more_burst: int
) -> None:
    """P7."""
    rate, burst, times_ns = case
    admitted = sum(decisions(rate, burst, times_ns))
    assert sum(decisions(rate + more_rate, burst, times_ns)) >= admitted
    assert sum(decisions(rate, burst + more_burst, times_ns)) >= admitted


@given(
    st.lists(st.tuples(rates, bursts), min_size=MAX_LEVELS, max_size=MAX_LEVELS),
    st.lists(st.booleans(), min_size=MAX_LEVELS, max_size=MAX_LEVELS),
    st.lists(st.integers(0, 3 * SECOND_NS), min_size=1, max_size=60),
    st.booleans(),
    st.booleans(),
)
def test_all_levels_are_charged_or_none_and_the_most_specific_refuses(
    limits: list[tuple[Fraction, int]],
    used: list[bool],
    gaps_ns: list[int],
    in_order: bool,
    starts_full: bool,
) -> None:
    """Under ``in_order`` those before the one that refuses are charged all the same."""
    buckets = np.zeros(MAX_LEVELS, BUCKET_DTYPE)
    for kind, (rate, burst) in enumerate(limits):
        fill_bucket(buckets[kind], rate, burst, kind, starts_full=starts_full)
    levels = np.array([at if use else NO_BUCKET for at, use in enumerate(used)], np.int64)
    references = {at: RationalBucket(*limits[at]) for at, use in enumerate(used) if use}
    if not starts_full:
        for bucket in references.values():
            bucket.tokens = Fraction(0)
    total_ns = 0
    refused = [0] * MAX_LEVELS
    for gap_ns in gaps_ns:
        total_ns += gap_ns
        now = Fraction(total_ns, SECOND_NS)
        empty = [at for at, bucket in references.items() if bucket.refill(now) < 1]
        charged = list(references) if not empty else []
        if empty:
            refused[empty[0]] += 1
            charged = [at for at in references if in_order and at < empty[0]]
        for at in charged:
            references[at].take(1, now)
        assert admit(buckets, levels, total_ns, 0, int(in_order)) == (
            empty[0] if empty else NO_BUCKET
        )
    assert buckets["refused"].tolist() == refused


@njit
def offer(bucket, first_ns, gap_ns, n):  # type: ignore[no-untyped-def]
    """Offer ``n`` requests, one each ``gap_ns``; how many were admitted."""
    admitted = 0
    for k in range(n):
        if try_take(bucket, 1, first_ns + k * gap_ns):
            admitted += 1
    return admitted


#: Rates whose token is no whole number of gaps, nor of nanoseconds.
DRIFT = [
    (Fraction(3, 10), 5, 250_000_007),
    (THIRD, 40, 333_333_331),
    (Fraction("999.999999"), 1000, 999_983),
    (Fraction(9_999_991, 7), 50, 641),
]


@pytest.mark.parametrize(("rate", "burst", "gap_ns"), DRIFT)
def test_ten_million_requests_leave_no_drift(rate: Fraction, burst: int, gap_ns: int) -> None:
    n = 10_000_000
    bucket = bucket_of(rate, burst)
    assert offer(bucket, 0, gap_ns, n) == gcra_admitted(rate, burst, gap_ns, n)


@pytest.mark.parametrize(("rate", "burst", "gap_ns"), DRIFT)
@pytest.mark.parametrize("n_before", [10**9 - 1, 10**10, 10**10 + 7])
def test_the_clock_can_jump_past_ten_thousand_million_requests(
    rate: Fraction, burst: int, gap_ns: int, n_before: int
) -> None:
    """The level that exact arithmetic says is left then, and the next 100,000 decisions."""
    last_ns = (n_before - 1) * gap_ns
    bucket = bucket_of(rate, burst)
    admitted = gcra_admitted(rate, burst, gap_ns, n_before)
    parts = int(bucket["parts_per_token"])
    level = (burst - admitted) * parts + last_ns * int(bucket["parts_per_ns"])
    assert 0 <= level < parts  # in overload less than one token is left after each request
    bucket["level"], bucket["last_ns"] = level, last_ns
    n = 100_000
    total = gcra_admitted(rate, burst, gap_ns, n_before + n)
    assert offer(bucket, n_before * gap_ns, gap_ns, n) == total - admitted


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "burst", "gap_ns"), DRIFT[2:3])
def test_ten_thousand_million_requests_leave_no_drift(
    rate: Fraction, burst: int, gap_ns: int
) -> None:
    n = 10**10
    bucket = bucket_of(rate, burst)
    assert offer(bucket, 0, gap_ns, n) == gcra_admitted(rate, burst, gap_ns, n)


def test_a_bucket_left_alone_for_a_century_is_full_and_no_more() -> None:
    for rate, burst, _ in DRIFT:
        bucket = bucket_of(rate, burst)
        assert try_take(bucket, burst, 0)
        century_ns = 100 * 365 * 86_400 * SECOND_NS
        assert not try_take(bucket, burst + 1, century_ns)
        assert try_take(bucket, burst, century_ns)
        assert not try_take(bucket, 1, century_ns)


def test_what_62_bits_cannot_hold_is_refused() -> None:
    with pytest.raises(OverflowError, match="does not fit in 62 bits"):
        bucket_of(Fraction("0.000001"), 10_000_000)
