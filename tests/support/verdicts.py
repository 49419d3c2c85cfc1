"""Whether replications agree with a truth, and whether the test would have seen that they do not.

A comparison takes R independent replications, z = (mean - truth) / (s / sqrt(R)), and asks for
``|z| < 4``. With R = 20 and fresh seeds a right engine fails one comparison in 1,300 (Student's t
with 19 degrees of freedom: 7.7e-4); seeds are fixed, so a test that passes stays passing.
"""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["assert_matches", "assert_sees", "z_score"]

Z_MAX = 4.0


def z_score(samples: ArrayLike, truth: float) -> float:
    """Distance of the replications' mean from ``truth`` in its own standard errors."""
    values = np.asarray(samples, np.float64)
    standard_error = values.std(ddof=1) / math.sqrt(values.size)
    # Nothing random came of them, as where a mechanism does nothing.
    assert standard_error > 0, f"all {values.size} replications say {values[0]:.6g}"
    return float((values.mean() - truth) / standard_error)


def assert_matches(samples: ArrayLike, truth: float, *, z_max: float = Z_MAX) -> None:
    """Replication means agree with ``truth`` within their own standard error."""
    values = np.asarray(samples, np.float64)
    assert values.size >= 20, f"{values.size} replications are too few for a verdict"
    z = z_score(values, truth)
    told = f"mean {values.mean():.6g}, truth {truth:.6g}, z = {z:+.2f}, R = {values.size}"
    assert abs(z) < z_max, told


def assert_sees(samples: ArrayLike, *wrong: float | Iterable[float]) -> None:
    """The test has power: none of these wrong truths would have passed."""
    for truth in wrong:
        for value in truth if isinstance(truth, Iterable) else [truth]:
            z = z_score(samples, value)
            assert abs(z) >= Z_MAX, f"the wrong value {value:.6g} would pass with z = {z:+.2f}"
