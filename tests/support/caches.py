"""Caches without a cache: probabilities, renewal functions and stack distances."""

import math
from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

__all__ = [
    "che",
    "che_expiring",
    "covered",
    "expected_misses",
    "hits_with_random_latency",
    "lru_of_two",
    "misses_with_latency",
    "stack_distances",
    "zipf",
]

Floats = NDArray[np.float64]


def zipf(exponent: float, n: int) -> Floats:
    """Popularity of ranks 1 to n."""
    weights = np.arange(1, n + 1, dtype=np.float64) ** -exponent
    return np.asarray(weights / weights.sum())


def lru_of_two(popularity: Sequence[float]) -> float:
    """Hit ratio of a least-recently-used cache of two entries (King 1971, exact)."""
    p = np.asarray(popularity)
    last_two = [
        a + sum(b * a / (1 - b) for other, b in enumerate(p) if other != at)
        for at, a in enumerate(p)
    ]
    return float(p @ last_two)


def che(popularity: Floats, capacity: int) -> tuple[float, float]:
    """Characteristic time [requests] and hit ratio of a large LRU (Che, Tung and Wang 2002)."""
    time = _root(lambda t: float((1 - np.exp(-popularity * t)).sum()), capacity)
    return time, float(popularity @ (1 - np.exp(-popularity * time)))


def che_expiring(
    popularity: Floats, rate: float, ttl: float, capacity: int, *, lazy: bool
) -> float:
    """Hit ratio of a large LRU whose entries also expire, ``ttl`` after they were stored.

    An entry is hit as long as it is young enough and no gap between requests was longer than the
    characteristic time. ``lazy`` leaves expired entries where they are until they are evicted or
    asked for; otherwise they make room first, and only live ones count towards the capacity.

    Notes
    -----
    A key with Poisson requests has had no gap of t by age x with probability a(x), where a = 1 up
    to t, loses exp(-lambda t) there, and a'(x) = -lambda exp(-lambda t) a(x - t) beyond. It is
    alive at age x with that probability, and the requests that find it so are the hits.
    """
    rates = popularity * rate
    lazy_time = che(popularity, capacity)[0] / rate
    time = lazy_time
    if not lazy:

        def surplus(time: float) -> float:
            lives = _time_alive(rates, ttl, time)
            return float((lives * rates / (1 + rates * lives)).sum()) - capacity

        # With room for all that are young enough, nothing is evicted at all.
        time = ttl if surplus(ttl) <= 0 else optimize.brentq(surplus, min(lazy_time, ttl), ttl)
    hits = rates * _time_alive(rates, ttl, time)
    return float(popularity @ (hits / (1 + hits)))


def _time_alive(rates: Floats, ttl: float, longest_gap: float) -> Floats:
    """Mean time from storing to expiry or eviction: the integral of a(x), term by term."""
    total = np.full_like(rates, ttl)
    missed = np.exp(-rates * longest_gap)
    for k in range(1, math.ceil(ttl / longest_gap)):
        left = rates * (ttl - k * longest_gap)
        terms = left ** (k + 1) / math.factorial(k + 1) + left**k / math.factorial(k)
        total += (-missed) ** k * terms / rates
    return total


def expected_misses(rate: float, ttl: float, until: float) -> float:
    """Mean misses by ``until`` of one key with Poisson requests, from an empty unbounded cache.

    A miss starts a cycle: ``ttl``, then the time to the next request. So the n-th miss comes at
    Gamma(n) + (n - 1) ttl, and misses are counted exactly however short the run; in the long run
    they are 1 / (1 + rate ttl) of all requests.
    """
    return misses_with_latency(rate, ttl, 0.0, until)


def misses_with_latency(rate: float, ttl: float, latency: float, until: float) -> float:
    """The same where an answer takes a constant time to come and misses meanwhile go through."""
    total = 0.0
    n = 0
    while True:
        n += 1
        left = until - (n - 1) * (ttl + latency)
        if left <= 0:
            return total
        starts = float(special.gammainc(n, rate * left))
        # Every request in the first `latency` of a cycle misses too: the integral of the chance
        # that the cycle has begun, over that window.
        during = rate * (_gamma_integral(n, rate, left) - _gamma_integral(n, rate, left - latency))
        total += starts + during
        if starts < 1e-12:
            return total


def hits_with_random_latency(rate: float, ttl: float, mean_latency: float) -> float:
    """Hit ratio of one key whose answers take exponential times, in the long run.

    The first answer to arrive is stored and later ones change nothing. What was still under way
    when the entry expired is what the next cycle begins with: a Markov chain of that number.
    """
    most = int(20 + 10 * rate * mean_latency)
    leave = np.arange(most + 1) / mean_latency
    # Before an entry is stored: requests join those under way, until the first of them arrives.
    joins = rate / (rate + leave)
    joins[-1] = 0.0
    stored = np.zeros((most + 1, most + 1))  # from under way at the start, to others at the storing
    misses = np.zeros(most + 1)
    for n in range(most, -1, -1):
        stored[n, max(n - 1, 0)] = 1 - joins[n] if n else 0.0
        if n < most:
            stored[n] += joins[n] * stored[n + 1]
            misses[n] = joins[n] * (1 + misses[n + 1])
    stays = math.exp(-ttl / mean_latency)
    number = np.arange(most + 1)
    left = special.comb(number[:, None], number[None, :])
    left *= stays ** number[None, :] * (1 - stays) ** np.maximum(number[:, None] - number, 0)
    chain = stored @ left
    equations = chain.T - np.eye(most + 1)
    equations[-1] = 1.0
    start = np.linalg.solve(equations, np.append(np.zeros(most), 1.0))
    return float(rate * ttl / (rate * ttl + start @ misses))


def _gamma_integral(n: int, rate: float, until: float) -> float:
    """Integral of the distribution function of Gamma(n, rate) from 0 to ``until``."""
    if until <= 0:
        return 0.0
    x = rate * until
    return float(until * special.gammainc(n, x) - n / rate * special.gammainc(n + 1, x))


def stack_distances(keys: Sequence[Hashable]) -> list[int | None]:
    """For each request how many keys have been used since its own (Mattson 1970); None if never.

    A least-recently-used cache of c entries of any trace hits exactly where this is below c.
    """
    stack: list[Hashable] = []  # most recently used last
    distances: list[int | None] = []
    for key in keys:
        if key in stack:
            at = len(stack) - 1 - stack[::-1].index(key)
            distances.append(len(stack) - 1 - at)
            del stack[at]
        else:
            distances.append(None)
        stack.append(key)
    return distances


def covered(times: Sequence[int], length: int) -> int:
    """Fewest intervals of one length, each starting at a point, that cover all points: greedily."""
    intervals = 0
    end = -math.inf
    for time in times:
        if time >= end:
            intervals += 1
            end = time + length
    return intervals


def _root(occupied: Callable[[float], float], capacity: int) -> float:
    high = float(capacity)
    while occupied(high) < capacity:
        high *= 2
    return float(optimize.brentq(lambda t: occupied(t) - capacity, 0.0, high, xtol=1e-10))
