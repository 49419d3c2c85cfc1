"""Sobol indices: how much of a measure's variance each varied value stands for.

The first index of a value is the share of the variance that it brings about by itself, its total
index the share that it has a part in, together with others as well. Both are estimated from a
design of its own (Saltelli): two samples A and B of a Sobol sequence, and for each value the sample
A with that value from B.

References
----------
.. [1] Saltelli et al., Variance based sensitivity analysis of model output, Computer Physics
   Communications 181(2), 2010: design, and the estimators that SciPy has.
.. [2] Archer, Saltelli and Sobol, Sensitivity measures, ANOVA-like techniques and the use of
   bootstrap, Journal of Statistical Computation and Simulation 58, 1997.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Index", "indices_of", "saltelli_shares"]

_RESAMPLES: Final = 1000
_CONFIDENCE: Final = 0.95
#: Numbers that are resampled at a time.
_AT_A_TIME: Final = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What one varied value stands for, with 95 % intervals.

    Attributes
    ----------
    path : str
    first, first_low, first_high : float
        Share of the variance that it brings about by itself.
    total, total_low, total_high : float
        Share of the variance that it has a part in.
    """

    path: str
    first: float
    first_low: float
    first_high: float
    total: float
    total_low: float
    total_high: float


def saltelli_shares(n_values: int, n: int, seed: int) -> "NDArray[np.float64]":
    """Points of the design in the unit cube: A, B, then A with each value from B.

    Parameters
    ----------
    n_values : int
        How many values are varied.
    n : int
        Points of each sample: a power of two, so that the sequence is balanced.
    seed : int
        Decides the scrambling.

    Returns
    -------
    numpy.ndarray
        Of shape ``(n * (n_values + 2), n_values)``.

    Examples
    --------
    >>> saltelli_shares(3, 8, 1).shape
    (40, 3)
    """
    from scipy.stats import qmc

    both = qmc.Sobol(2 * n_values, rng=seed).random_base2((n - 1).bit_length())
    a, b = both[:, :n_values], both[:, n_values:]
    mixed = []
    for at in range(n_values):
        one = a.copy()
        one[:, at] = b[:, at]
        mixed.append(one)
    return np.concatenate([a, b, *mixed])


def indices_of(values: Sequence[float], paths: Sequence[str], seed: int) -> list[Index]:
    """Indices of each value, from what was measured at the points of the design.

    Parameters
    ----------
    values : sequence of float
        In the order of :func:`saltelli_shares`.
    paths : sequence of str
        What was varied.
    seed : int
        Decides what the bootstrap draws.

    Returns
    -------
    list of Index
        Empty where the measure is the same at every point, or is missing at one.
    """
    n = len(values) // (len(paths) + 2)
    found = np.reshape(np.asarray(values, dtype=np.float64), (len(paths) + 2, n))
    if not np.isfinite(found).all() or np.ptp(found) == 0:
        return []
    first, total = _estimates(found[:, None, :])
    drawn = np.random.default_rng(seed).integers(n, size=(_RESAMPLES, n))
    step = max(1, _AT_A_TIME // found.size)
    # A resample may hold one value only: there is no variance to be divided.
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = [_estimates(found[:, drawn[at : at + step]]) for at in range(0, _RESAMPLES, step)]
    ends = [50 - 50 * _CONFIDENCE, 50 + 50 * _CONFIDENCE]
    firsts, totals = (
        np.nanpercentile(np.concatenate([part[which] for part in parts]), ends, axis=0)
        for which in (0, 1)
    )
    return [
        Index(
            path=path,
            first=float(first[0, at]),
            first_low=float(firsts[0, at]),
            first_high=float(firsts[1, at]),
            total=float(total[0, at]),
            total_low=float(totals[0, at]),
            total_high=float(totals[1, at]),
        )
        for at, path in enumerate(paths)
    ]


def _estimates(
    found: "NDArray[np.float64]",
) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """First and total indices of several samples: of shape (samples, values)."""
    from scipy.stats import sobol_indices

    evaluations: Any = {"f_A": found[0], "f_B": found[1], "f_AB": found[2:]}
    indices: Any = sobol_indices(func=evaluations, n=found.shape[-1])
    n_samples = found.shape[1]
    return (
        np.reshape(indices.first_order, (n_samples, -1)),
        np.reshape(indices.total_order, (n_samples, -1)),
    )
