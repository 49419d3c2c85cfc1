"""X-Ray's sampling at a stage: which requests leave a trace.

A rule has a reservoir, so many requests of each second that are traced whatever they are, and a
share of all others (X-Ray developer guide, "Configuring sampling rules"; the default rule has 1/s
and 5 %). The reservoir is that of each second of the clock, and the first requests of the second
have it. AWS shares the default rule's among all services of an account; here each stage has its
own. A request is asked once its stage is known, whatever answer it gets; a trace that begins before
the gateway is not modelled.
"""

from typing import Final

import numpy as np

from apisim.arrays.jit import constant, kernel

__all__ = ["BY_CHANCE", "NOT_TRACED", "SAMPLER_DTYPE", "TRACED", "sample"]

#: What :func:`sample` says.
NOT_TRACED: Final = constant(0)
TRACED: Final = constant(1)
BY_CHANCE: Final = constant(2)  # with the rule's share

#: The reservoir of one stage.
SAMPLER_DTYPE: Final = np.dtype(
    [
        ("second", "i8"),  # the last one in which a request came
        ("taken", "i8"),  # of its reservoir
    ],
    align=True,
)
_NS_PER_S: Final = 1_000_000_000


@kernel
def sample(sampler: np.void, reservoir: int, share: float, clock_ns: int) -> int:
    """Decide about one request.

    Parameters
    ----------
    sampler : SAMPLER_DTYPE record
        Updated in place.
    reservoir : int
        Requests of each second that are traced in any case.
    share : float
        Share of the others, in [0, 1].
    clock_ns : int64
        Time since a whole second of the clock [ns]; must not decrease.

    Returns
    -------
    int
        ``TRACED``, ``NOT_TRACED``, or ``BY_CHANCE``: only then is anything to be drawn.

    Examples
    --------
    >>> sampler = np.zeros(1, SAMPLER_DTYPE)[0]
    >>> [sample(sampler, 1, 0.05, at) for at in (0, 1, 999_999_999, 1_000_000_000)]
    [1, 2, 2, 1]
    """
    second = clock_ns // _NS_PER_S
    if sampler["second"] != second:
        sampler["second"] = second
        sampler["taken"] = 0
    if sampler["taken"] < reservoir:
        sampler["taken"] += 1
        return TRACED
    if share >= 1.0:
        return TRACED
    return BY_CHANCE if share > 0.0 else NOT_TRACED
