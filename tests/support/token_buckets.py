"""Token buckets written another way: exact fractions, theoretical arrival times, Markov chains."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special

__all__ = ["RationalBucket", "gcra", "gcra_admitted", "m_d_1_k", "map_d_1_k", "two_state_poisson"]

Matrix = NDArray[np.float64]


class RationalBucket:
    """A token bucket in exact rational arithmetic; tokens per second, time in seconds."""

    def __init__(self, rate: Fraction, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self.tokens, self.last = Fraction(burst), Fraction(0)

    def refill(self, now: Fraction) -> Fraction:
        """Tokens at time ``now``."""
        self.tokens = min(Fraction(self.burst), self.tokens + (now - self.last) * self.rate)
        self.last = now
        return self.tokens

    def take(self, n_tokens: int, now: Fraction) -> bool:
        """Take all of ``n_tokens``, or none."""
        if self.refill(now) < n_tokens:
            return False
        self.tokens -= n_tokens
        return True


def gcra(rate: Fraction, burst: int, times_ns: Sequence[int]) -> list[bool]:
    """Decisions of the generic cell rate algorithm (ITU-T I.371): no bucket, no level.

    Accept iff now >= TAT - (b - 1) T, then TAT = max(now, TAT) + T, where T = 1 / rate. In whole
    nanoseconds times the rate's numerator, so nothing is rounded.
    """
    if rate == 0:
        return [at < burst for at in range(len(times_ns))]
    step, scale = rate.denominator * 1_000_000_000, rate.numerator
    theoretical = -(10**40)
    decisions = []
    for time_ns in times_ns:
        now = time_ns * scale
        accepted = burst > 0 and now >= theoretical - (burst - 1) * step
        if accepted:
            theoretical = max(now, theoretical) + step
        decisions.append(accepted)
    return decisions


def gcra_admitted(rate: Fraction, burst: int, gap_ns: int, n: int) -> int:
    """How many of the first ``n`` arrivals, one each ``gap_ns`` > 0 from 0, a full bucket admits.

    In overload (gap times rate < 1) a bucket of two tokens or more is never full again, so what has
    been admitted is the whole part of the tokens there have been, burst + rate * time, at most all.
    """
    assert rate * gap_ns < 1_000_000_000
    assert burst >= 2
    if n == 0:
        return 0
    tokens = burst + rate * Fraction((n - 1) * gap_ns, 1_000_000_000)
    return min(n, tokens.numerator // tokens.denominator)


def m_d_1_k(utilisation: float, room: int) -> float:
    """Share of Poisson arrivals that a full M/D/1/K turns away; stable up to K of about 60.

    A token bucket is this queue: its deficit drains at ``rate``, an arrival adds one if the deficit
    is at most ``burst - 1``; so K is the burst and the utilisation is lambda / rate (Gross et al.,
    M/G/1/K by the embedded chain).
    """
    k = np.arange(room + 1)
    arrivals = np.exp(-utilisation + k * np.log(utilisation) - special.gammaln(k + 1))
    p = [1.0]
    for j in range(room - 1):
        inside = sum(p[i] * arrivals[j - i + 1] for i in range(1, j + 1))
        p.append((p[j] - p[0] * arrivals[j] - inside) / arrivals[0])
    return float(1 - 1 / (p[0] / sum(p) + utilisation))


def map_d_1_k(d0: Matrix, d1: Matrix, service: float, room: int) -> float:
    """Share of the arrivals of a Markovian arrival process that a full MAP/D/1/K turns away.

    Parameters
    ----------
    d0, d1 : ndarray, shape (m, m)
        Rates of phase changes without and with an arrival.
    service : float
        Time of one service.
    room : int
        K, the one in service included.

    Notes
    -----
    Embedded chain at departures (Blondia 1989): one customer leaves per service, and before a
    service that finds nobody there is an idle time.
    """
    m = len(d0)
    counts = _count_matrices(d0, d1, service, room)
    all_counts = linalg.expm((d0 + d1) * service)
    tails = all_counts - np.cumsum(counts, axis=0) + counts  # n or more arrivals
    into_service = np.linalg.solve(-d0, d1)  # phase change over an idle time
    chain = np.zeros((room, m, room, m))
    for left in range(room):
        start = max(left, 1)
        for after in range(start - 1, room):
            n = after - start + 1
            # The room that is left caps what is seen: the last level takes all larger counts.
            step = counts[n] if after < room - 1 else tails[n]
            chain[left, :, after, :] = into_service @ step if left == 0 else step
    p = _stationary(chain.reshape(room * m, room * m) - np.eye(room * m)).reshape(room, m)
    idle = float(p[0] @ np.linalg.solve(-d0, np.ones(m)))
    rate = float(_stationary(d0 + d1) @ d1.sum(axis=1))
    return 1 - 1 / (service + idle) / rate


def two_state_poisson(
    mean_rate: float, ratio: float, peak_s: float, base_s: float
) -> tuple[Matrix, Matrix]:
    """D0 and D1 of a Poisson process that alternates between two rates (MMPP), by its mean."""
    share = peak_s / (peak_s + base_s)
    base = mean_rate / (share * ratio + 1 - share)
    d1 = np.diag([ratio * base, base])
    change = np.array([[-1 / peak_s, 1 / peak_s], [1 / base_s, -1 / base_s]])
    return change - d1, d1


def _count_matrices(d0: Matrix, d1: Matrix, time: float, n: int) -> Matrix:
    """P(k arrivals in ``time``, phase to phase) for k < n, by uniformisation."""
    m = len(d0)
    theta = float(-d0.diagonal().min())
    stay, arrive = np.eye(m) + d0 / theta, d1 / theta
    steps = int(theta * time + 12 * np.sqrt(theta * time) + 60)
    k = np.arange(steps)
    weights = np.exp(-theta * time + k * np.log(theta * time) - special.gammaln(k + 1))
    now = np.zeros((n, m, m))
    now[0] = np.eye(m)
    total = np.zeros((n, m, m))
    for weight in weights:
        total += weight * now
        after = now @ stay
        after[1:] += now[:-1] @ arrive
        now = after
    return total


def _stationary(generator: Matrix) -> Matrix:
    """Distribution that ``generator`` leaves as it is."""
    equations = generator.T.copy()
    equations[-1] = 1.0  # one equation follows from the others; the sum is 1 instead
    return np.linalg.solve(equations, np.append(np.zeros(len(generator) - 1), 1.0))
