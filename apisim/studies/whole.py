"""Replications that are nothing worth before their end."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from apisim.engine.program import Program
from apisim.engine.run import Engine, Replication, run_replication

__all__ = ["whole_replication"]


def whole_replication(
    program: Program,
    number: int,
    *,
    engine: Engine,
    flush: Callable[[NDArray[np.void], int], None] | None = None,
) -> Replication:
    """Run one replication to its end.

    :func:`apisim.engine.run.run_replication` keeps what was simulated before Ctrl-C, which a run
    reports as such. A point of a study that stopped there would be taken for the whole.

    Raises
    ------
    KeyboardInterrupt
        If it was interrupted.
    """
    replication = run_replication(program, number, engine=engine, flush=flush)
    if not replication.completed:
        raise KeyboardInterrupt
    return replication
