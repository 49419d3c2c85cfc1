"""The compiled engine's calendar: who comes next, and room for requests in flight."""

from typing import Final

from apisim.arrays.heap import heap_push
from apisim.arrays.jit import constant, inline, part
from apisim.engine.state import MAX_STEPS, Calendar

__all__ = [
    "RANK_ANSWER",
    "RANK_ARRIVAL",
    "RANK_DEADLINE",
    "RANK_END_OF_WORK",
    "RANK_GIVE_UP",
    "RANK_TIMELINE",
    "at_once",
    "free_slot",
    "major_word",
    "minor_word",
    "schedule",
    "schedule_slot",
    "take_slot",
]

# Ranks of events at one instant (design C1): capacity is freed before it is asked for, and an
# answer at its deadline is in time. Rank 0, steps that take no time, never enters the heap.
RANK_TIMELINE: Final = constant(1)
RANK_END_OF_WORK: Final = constant(2)
RANK_ANSWER: Final = constant(3)
RANK_DEADLINE: Final = constant(4)
RANK_ARRIVAL: Final = constant(5)
# Behind all answers of the instant, which reach clients as arrivals.
RANK_GIVE_UP: Final = constant(6)

_GENERATIONS: Final = (1 << 24) - 1


@inline
def major_word(rank: int, source: int, user: int) -> int:
    """First word of an event's place among those of its instant."""
    return (rank << 60) | (source << 44) | user


@inline
def minor_word(ordinal: int, attempt: int) -> int:
    """Second word of an event's place among those of its instant."""
    return (ordinal << 12) | attempt


@part
def schedule(
    calendar: Calendar, time_ns: int, major: int, minor: int, stage: int, slot: int, generation: int
) -> None:
    """Put an event into the calendar; the main loop has made sure of the room."""
    clock = calendar.clock[0]
    item = (stage << 56) | ((generation & _GENERATIONS) << 32) | slot
    clock["pending"] = heap_push(calendar.heap, clock["pending"], time_ns, major, minor, item)


@part
def schedule_slot(calendar: Calendar, time_ns: int, rank: int, stage: int, at: int) -> None:
    """Put the next step of a request in flight into the calendar."""
    slot = calendar.slots[at]
    schedule(
        calendar,
        time_ns,
        major_word(rank, slot["source"], slot["user"]),
        minor_word(slot["ordinal"], slot["attempt"]),
        stage,
        at,
        slot["generation"],
    )


@part
def at_once(calendar: Calendar, stage: int, at: int) -> None:
    """Let a request go on at this instant, after the steps that arose before."""
    clock = calendar.clock[0]
    step = calendar.steps[(clock["first_step"] + clock["steps"]) & (MAX_STEPS - 1)]
    step["stage"] = stage
    step["slot"] = at
    clock["steps"] += 1


@part
def take_slot(calendar: Calendar) -> int:
    """A free slot."""
    clock = calendar.clock[0]
    at = clock["free"]
    clock["free"] = calendar.slots[at]["entity"]
    clock["n_free"] -= 1
    return at  # type: ignore[no-any-return]


@part
def free_slot(calendar: Calendar, at: int) -> None:
    """Give a slot back; events still under way to it are stale from now on."""
    clock = calendar.clock[0]
    slot = calendar.slots[at]
    slot["generation"] += 1
    slot["entity"] = clock["free"]
    clock["free"] = at
    clock["n_free"] += 1


@part
def is_stale(calendar: Calendar, item: int) -> bool:
    """Whether an event's request has gone in the meantime."""
    at = item & 0xFFFFFFFF
    generation = (item >> 32) & _GENERATIONS
    return bool((calendar.slots[at]["generation"] & _GENERATIONS) != generation)
