"""A SimPy environment whose events have a total order.

SimPy breaks ties between events of one instant by the order in which they were scheduled, which
depends on how the model is written. Here every wait names its *rank* and the *address* of the call
it belongs to, and events are ordered by ``(time, rank, address)``; steps that take no time (an
event that has just been triggered) come first, in the order in which they arose.
"""

from collections.abc import Generator
from heapq import heappop, heappush
from itertools import count
from typing import Any

import simpy
from simpy.core import EmptySchedule
from simpy.events import URGENT

__all__ = [
    "ANSWER",
    "ARRIVAL",
    "AT_ONCE",
    "DEADLINE",
    "END_OF_WORK",
    "GIVE_UP",
    "TIMELINE",
    "Address",
    "Moment",
    "OrderedEnvironment",
    "Process",
]

AT_ONCE = 0
TIMELINE = 1
END_OF_WORK = 2
ANSWER = 3
DEADLINE = 4
ARRIVAL = 5
GIVE_UP = 6  # a client goes, behind all answers of the instant
_STARTING = -1  # a process that was just started runs before anything else

#: (source, user, ordinal, attempt) of a call.
Address = tuple[int, int, int, int]
Process = Generator[simpy.Event, Any, Any]
_NOBODY: Address = (-1, -1, -1, -1)


class Moment(simpy.Event):
    """A point in time to wait for, at a rank and for a call."""

    def __init__(
        self, env: "OrderedEnvironment", time_ns: int, rank: int, address: Address
    ) -> None:
        super().__init__(env)
        self._ok = True
        self._value = None
        env.schedule_at(self, time_ns, rank, address)


class OrderedEnvironment(simpy.Environment):
    """Integer nanoseconds, ordered by ``(time, rank, address)``."""

    def __init__(self) -> None:
        super().__init__(initial_time=0)
        self._calendar: list[tuple[int, int, Address, int, simpy.Event]] = []
        self._arose = count()

    def schedule_at(self, event: simpy.Event, time_ns: int, rank: int, address: Address) -> None:
        """Put a triggered event into the calendar."""
        heappush(self._calendar, (time_ns, rank, address, next(self._arose), event))

    def schedule(self, event: simpy.Event, priority: int = 1, delay: float = 0) -> None:
        """Called by SimPy itself: processes that start and events that have been triggered."""
        rank = _STARTING if priority == URGENT else AT_ONCE
        self.schedule_at(event, int(self._now) + int(delay), rank, _NOBODY)

    def peek(self) -> float:
        """Time of the next event [ns], infinity if there is none."""
        return self._calendar[0][0] if self._calendar else float("inf")

    def step(self) -> None:
        """Handle the next event."""
        if not self._calendar:
            raise EmptySchedule
        self._now, _, _, _, event = heappop(self._calendar)
        callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
        for callback in callbacks or ():
            callback(event)
        if not event._ok and not event.defused:
            raise event._value

    def moment(self, time_ns: int, rank: int, address: Address) -> Moment:
        """Something to wait for."""
        return Moment(self, time_ns, rank, address)
