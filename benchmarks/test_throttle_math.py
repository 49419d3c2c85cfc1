"""Throttle math as benchmarks: each asserts an exact count, and times how long it takes to get it.

``make bench`` runs them with timing; the numbers are hand-computed (a bucket of burst b and rate r
admits at most b + r t of any t seconds, and all of them when it is kept busy).
"""

from fractions import Fraction

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from apisim.arrays.jit import kernel
from apisim.gateway.throttle import BUCKET_DTYPE, fill_bucket, try_take

pytestmark = pytest.mark.benchmark(group="throttle math")


@kernel
def _admitted(bucket, gap_ns, n_requests):  # type: ignore[no-untyped-def]
    admitted = 0
    for k in range(n_requests):
        if try_take(bucket, 1, k * gap_ns):
            admitted += 1
    return admitted


@pytest.mark.parametrize(
    ("rate", "burst", "offered", "seconds", "expected"),
    [
        # 800/s against 750/500: the bucket is empty after 10 s, then 750/s pass.
        (Fraction(750), 500, 800, 60, 500 + 750 * 60 - 1),
        # An overload of two: after the burst, every second request passes.
        (Fraction(1000), 2000, 2000, 10, 2000 + 1000 * 10 - 1),
        # oracles: r = 10, b = 5, 15/s for 10 s admits 104 of 150.
        (Fraction(10), 5, 15, 10, 104),
    ],
)
def test_uniform_overload_admits_exactly(
    benchmark: BenchmarkFixture,
    rate: Fraction,
    burst: int,
    offered: int,
    seconds: int,
    expected: int,
) -> None:
    def run() -> int:
        buckets = np.zeros(1, BUCKET_DTYPE)
        fill_bucket(buckets[0], rate, burst, 0)
        return int(_admitted(buckets[0], 1_000_000_000 // offered, offered * seconds))

    assert benchmark(run) == expected


def test_a_million_requests_without_drift(benchmark: BenchmarkFixture) -> None:
    def run() -> int:
        buckets = np.zeros(1, BUCKET_DTYPE)
        fill_bucket(buckets[0], Fraction(3, 10), 1, 0)
        # One request every 10/3 s is exactly the rate: a request each 4 s always finds a token.
        return int(_admitted(buckets[0], 4_000_000_000, 1_000_000))

    assert benchmark(run) == 1_000_000
