"""Warm pools without a pool: identities and Markov chains, written apart from apisim."""

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import linalg

__all__ = ["PoolLaw", "cold_flags", "cold_starts_by", "lowest_first"]


def cold_flags(
    starts: Sequence[int], ends: Sequence[int], idle_expiry: int, until: int
) -> tuple[list[bool], int]:
    """Which executions are cold, and the integral of the pool's size, from busy times alone.

    With most-recently-used reuse the environments that are alive at t are as many as were ever busy
    at once in (t - idle expiry, t], so an arrival is cold iff all that many are busy.

    Parameters
    ----------
    starts, ends : sequence of int
        Busy times of the executions, by start; ends at one instant come before starts.
    idle_expiry : int
        An environment that has been idle for exactly this long is gone.
    until : int
        End of the integral, not before the last end.
    """
    events = sorted([(time, 0) for time in ends] + [(time, 1) for time in starts])
    states: list[tuple[int, int, int]] = []  # from, to, busy
    flags = []
    window: deque[tuple[int, int]] = deque()  # (to, busy), busy falling

    def alive(now: int, busy: int) -> int:
        while window and window[0][0] <= now - idle_expiry:
            window.popleft()
        return max(busy, window[0][1] if window else 0)

    busy = since = 0
    for time, is_start in events:
        if is_start:
            flags.append(busy == alive(time, busy))
        # The state that ends here is remembered until its last environment has expired.
        while window and window[-1][1] <= busy:
            window.pop()
        window.append((time, busy))
        states.append((since, time, busy))
        busy, since = busy + (1 if is_start else -1), time
    assert busy == 0
    return flags, _integral(states, idle_expiry, until)


def _integral(states: list[tuple[int, int, int]], idle_expiry: int, until: int) -> int:
    """Integral over time of the sliding maximum of a step function."""
    # Each state of `busy` keeps as many alive from its start to its end plus the idle time, cut
    # short only by an earlier or later state that keeps more: a skyline.
    edges = sorted({edge for low, high, _ in states for edge in (low, high + idle_expiry)})
    total = 0
    at = 0
    window: deque[tuple[int, int]] = deque()  # (end of influence, busy), busy falling
    for low, high in pairwise(edges):
        while at < len(states) and states[at][0] <= low:
            end, busy = states[at][1] + idle_expiry, states[at][2]
            while window and window[-1][1] <= busy:
                window.pop()
            window.append((end, busy))
            at += 1
        while window and window[0][0] <= low:
            window.popleft()
        if window and low < until:
            total += window[0][1] * (min(high, until) - low)
    return total


class PoolLaw(NamedTuple):
    """What a warm pool is in the long run."""

    p_cold: float
    mean_size: float


def lowest_first(rate: float, mean: float, idle_expiry: float) -> PoolLaw:
    """Pool of Poisson arrivals with exponential services, the lowest-numbered idle one reused.

    Environment k sees only what overflows 1 .. k-1, which by themselves are a loss system, so the
    number busy among those and whether k is busy are a Markov chain of 2k states; k is cold each
    time it has been idle for longer than the idle expiry. Reuse of the most recently used one
    differs by about 0.2 %.
    """
    speed = 1 / mean
    cold_rate = size = 0.0
    k = 0
    while True:
        k += 1
        lower = np.zeros((k, k))
        for busy in range(k):
            if busy < k - 1:
                lower[busy, busy + 1] += rate
            if busy > 0:
                lower[busy, busy - 1] += busy * speed
        np.fill_diagonal(lower, -lower.sum(axis=1))
        idle = lower.copy()  # until k is taken: by an arrival that finds all lower ones busy
        idle[-1, -1] -= rate
        taken = np.zeros((k, k))
        taken[-1, -1] = rate
        chain = np.block([[idle, taken], [speed * np.eye(k), lower - speed * np.eye(k)]])
        chain_t = chain.T.copy()
        chain_t[-1] = 1.0
        p = np.linalg.solve(chain_t, np.append(np.zeros(2 * k - 1), 1.0))
        busy_share = float(p[k:].sum())
        uses = speed * busy_share
        at_release = p[k:] / busy_share
        stays = linalg.expm(idle * idle_expiry)
        ones = np.ones(k)
        cold_rate += uses * float(at_release @ stays @ ones)
        idle_for = float(at_release @ np.linalg.solve(idle, (stays - np.eye(k)) @ ones))
        size += uses * (mean + idle_for)
        if uses < 1e-9 * rate:
            return PoolLaw(cold_rate / rate, size)


def cold_starts_by(time: float, rate: float, mean: float) -> float:
    """Mean number of environments that M/M/inf from empty, without expiry, has started by then.

    They are as many as were ever busy at once: the chance to have passed each level by ``time``.
    """
    total = 0.0
    level = 0
    while True:
        level += 1
        # The number busy, stopped when it reaches `level`.
        q = np.zeros((level + 1, level + 1))
        for busy in range(level):
            q[busy, busy + 1] = rate
            if busy:
                q[busy, busy - 1] = busy / mean
            q[busy, busy] = -q[busy].sum()
        reached = float(linalg.expm(q * time)[0, level])
        total += reached
        if reached < 1e-10:
            return total
