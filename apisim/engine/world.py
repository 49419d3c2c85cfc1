"""All that one replication is made of, and what its callers are told while it runs."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.expiring_lru import Store
from apisim.engine.recorder import Recorder
from apisim.engine.state import Calendar, State
from apisim.engine.tables import Tables

__all__ = ["Flush", "Progress", "World"]

#: Told how far the run is: simulated time [ns] and requests so far.
Progress = Callable[[int, int], None]
#: Given full rows whenever the buffer is full, and the arrival time [ns] below which no more come.
Flush = Callable[[NDArray[np.void], int], None]


class World(NamedTuple):
    """Tables and records of one replication; all a kernel sees."""

    tables: Tables
    calendar: Calendar
    store: Store
    state: State
    recorder: Recorder
