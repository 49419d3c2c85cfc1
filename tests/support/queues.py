"""Queueing theory in closed form, written apart from apisim.

Each function says its source; each was checked against the tables of Gross, Shortle, Thompson and
Harris, *Fundamentals of Queueing Theory*, or of its own paper.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "erlang_b",
    "erlang_c",
    "finite_queue",
    "m_g_1_wait",
    "mean_value_analysis",
    "offered_mean",
]


def erlang_b(servers: int, offered: float) -> float:
    """Share of Poisson arrivals that find all servers of a loss system busy."""
    blocking = 1.0
    for k in range(1, servers + 1):
        blocking = offered * blocking / (k + offered * blocking)
    return blocking


def erlang_c(servers: int, offered: float) -> float:
    """Share of Poisson arrivals that have to wait for one of ``servers`` exponential servers."""
    blocking = erlang_b(servers, offered)
    utilisation = offered / servers
    return blocking / (1 - utilisation * (1 - blocking))


def finite_queue(servers: int, room: int, offered: float) -> NDArray[np.float64]:
    """Distribution of the number in M/M/c/K: birth-death weights, cut off and normalised.

    Parameters
    ----------
    servers, room : int
        c, and K: the most that are in the system, in service included.
    offered : float
        a = lambda / mu.
    """
    weights = [1.0]
    for n in range(1, room + 1):
        weights.append(weights[-1] * offered / min(n, servers))
    return np.array(weights) / math.fsum(weights)


def m_g_1_wait(rate: float, mean: float, squared_cv: float) -> float:
    """Mean wait in queue of M/G/1 (Pollaczek and Khinchine, exact)."""
    utilisation = rate * mean
    return utilisation * mean * (1 + squared_cv) / (2 * (1 - utilisation))


def mean_value_analysis(users: int, think: float, service: float) -> tuple[float, float]:
    """Throughput and response time of ``users`` who think and share one exponential server.

    Exact mean value analysis (Reiser and Lavenberg 1980): an arrival sees the queue of a system
    with one user fewer.
    """
    queue = throughput = response = 0.0
    for n in range(1, users + 1):
        response = service * (1 + queue)
        throughput = n / (response + think)
        queue = throughput * response
    return throughput, response


def offered_mean(rates: Sequence[tuple[float, float]], mean: float, at: float) -> float:
    """Mean number busy at time ``at`` in M_t/M/inf from empty, whose rate is piecewise linear.

    Parameters
    ----------
    rates : sequence of (time, rate)
        Corners of the rate.
    mean : float
        Mean service time; exponential.
    at : float
        Not before the last corner.

    Notes
    -----
    m(t) is the integral of rate(u) exp(-(t - u) / mean) (Eick, Massey and Whitt 1993).
    """
    total = 0.0
    for (start, low), (end, high) in pairwise(rates):
        slope = (high - low) / (end - start)
        # Integral of (low + slope (u - start)) exp(-(at - u) / mean) over the piece, by parts.
        at_end = (high - slope * mean) * math.exp(-(at - end) / mean)
        at_start = (low - slope * mean) * math.exp(-(at - start) / mean)
        total += mean * (at_end - at_start)
    return total
