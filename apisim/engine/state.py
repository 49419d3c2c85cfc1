"""What changes while a scenario runs: the mechanisms' records, built fresh for each replication."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.heap import EVENT_DTYPE
from apisim.engine.recorder import REQUEST_FIELDS
from apisim.engine.senders import Senders
from apisim.engine.session_tables import Sessions
from apisim.gateway.sockets import Sockets

__all__ = [
    "CLOCK_DTYPE",
    "PATIENCE_DTYPE",
    "SLOT_DTYPE",
    "STEP_DTYPE",
    "Calendar",
    "State",
    "new_calendar",
]

#: Room for steps that take no time; a handful are ever pending at one instant.
MAX_STEPS: Final = 64

CLOCK_DTYPE: Final = np.dtype(
    [
        ("now_ns", "i8"),
        ("pending", "i8"),  # events in the heap
        ("first_step", "i8"),
        ("steps", "i8"),
        ("free", "i8"),  # chain of free slots
        ("n_free", "i8"),
        ("n_events", "i8"),
        ("in_flight", "i8"),
    ],
    align=True,
)
STEP_DTYPE: Final = np.dtype([("stage", "i8"), ("slot", "i8")], align=True)

#: A request in flight in the compiled engine: its row, then what the engine needs on the way.
SLOT_DTYPE: Final = np.dtype(
    [
        *REQUEST_FIELDS,
        ("generation", "i8"),
        ("entity", "i8"),  # k-th issued call of its source: the index of its draws
        ("binding", "i8"),
        ("route", "i8"),
        ("phase", "i8"),
        ("job", "i8"),  # of a closed user; -1 otherwise
        ("target", "i8"),  # of a trace row
        ("door_ns", "i8"),  # when it reached the gateway
        ("back_ns", "i8"),  # network time from the gateway back to the client
        ("cache_key", "u8"),
        ("identity", "u8"),
        ("trace_bytes", "i8"),
        ("call", "i8"),  # what is called: the authorizer's function or the integration
        ("call_start_ns", "i8"),
        ("deadline_ns", "i8"),
        ("transport_back_ns", "i8"),
        ("backend", "i8"),
        ("index", "i8"),
        ("work_start_ns", "i8"),  # from when on it is billed
        ("environment", "i8"),  # what a function's work was started in
        ("result", "i8"),
        ("waiting", "i8"),  # somebody waits for the answer
        ("working", "i8"),  # a backend still works on it
        ("guarded", "i8"),  # a deadline event stands in the calendar
        ("person", "i8"),  # user number over all populations; -1: nobody known
        ("ip", "i8"),  # IPv4 address as a number; -1: unknown
        ("key", "i8"),  # row of the API key that is sent; -1: none
        ("token", "u8"),  # identity of the token that is sent; 0: none
        ("subscription", "i8"),  # key in a plan under which the request passes
        ("about", "u8"),  # hash of what the call's answer depends on
    ],
    align=True,
)

#: What is known of the client of a request in flight, where it may give up or try again, of its
#: connection, and of an event for a function; apart from the slots, which are as small as they can
#: be.
PATIENCE_DTYPE: Final = np.dtype(
    [
        ("first_ns", "i8"),  # when the first attempt left the client
        ("give_up_ns", "i8"),  # when the client stops waiting
        ("decided", "i8"),  # 1: the client has done with this attempt
        ("seen", "i8"),  # what the attempt was to it
        ("retry_wait_ns", "i8"),  # before the latest retry
        ("retry_cost", "i8"),  # tokens it took
        ("connection", "i8"),  # row of the connection that carries it; -1: none is kept
        ("is_new", "i8"),  # 1: it has come on a connection of its own
        ("cut_ns", "i8"),  # when the function's own time limit ends it
        ("calls", "i8"),  # calls that it has made behind itself
        ("nested", "i8"),  # state of the one under way, see ``compiled/nested.py``
        ("nested_end_ns", "i8"),  # end of its service; -1: it queues
        ("function", "i8"),  # of an event: the one that it was sent to
        ("accepted_ns", "i8"),  # ... when Lambda took it
        ("runs", "i8"),  # ... how often it has run
        ("throttles", "i8"),  # ... how often it has been throttled since
        ("socket", "i8"),  # of a call of a WebSocket API: its connection
        ("serial", "i8"),
        ("session", "i8"),  # ... the session that it is a call of
        ("push", "i8"),  # ... what is pushed
        ("arose_ns", "i8"),  # ... since when
        ("replied", "i8"),  # ... 1: something went back for a message
    ],
    align=True,
)


class Calendar(NamedTuple):
    """Pending events and requests in flight of the compiled engine."""

    clock: NDArray[np.void]  # CLOCK_DTYPE[1]
    heap: NDArray[np.void]  # EVENT_DTYPE[room]
    steps: NDArray[np.void]  # STEP_DTYPE[MAX_STEPS]
    slots: NDArray[np.void]  # SLOT_DTYPE[room]
    patience: NDArray[np.void]  # PATIENCE_DTYPE[room]


class State(NamedTuple):
    """Records of the mechanisms."""

    flows: NDArray[np.void]
    issued: NDArray[np.int64]  # [n_sources] calls issued so far
    phase_piece: NDArray[np.int64]  # [n_sources] piece a closed source is in
    user_ordinals: NDArray[np.int64]  # [n_users] calls issued by each closed user
    buckets: NDArray[np.void]
    pools: NDArray[np.void]
    groups: NDArray[np.void]
    idle: NDArray[np.void]
    idle_since: NDArray[np.int64]
    endpoints: NDArray[np.void]
    following: NDArray[np.int64]  # [room for tickets]
    key_sets: NDArray[np.void]  # KEY_SET_DTYPE of each jwt authorizer
    held: NDArray[np.int64]  # [n_signed_in] number of the token that each user has
    sign_ins: NDArray[np.void]  # SIGN_IN_DTYPE of each user pool
    sign_in_buckets: NDArray[np.void]  # its quota
    subscriptions: NDArray[np.void]  # SUBSCRIPTION_DTYPE
    plan_buckets: NDArray[np.void]
    plan_days: NDArray[np.void]  # DAY_DTYPE[n_subscriptions, n_days]
    customers: NDArray[np.void]  # CUSTOMER_DTYPE
    clusters: NDArray[np.void]  # CLUSTER_DTYPE[n_caches]
    rates: NDArray[np.void]  # RATE_DTYPE, addresses of rate-based rules
    rate_counts: NDArray[np.int32]
    connections: NDArray[np.void]  # CONNECTION_DTYPE
    inspections: NDArray[np.void]  # INSPECTION_DTYPE[n_phases, n_apis, 2], 1: warm-up
    retry_tokens: NDArray[np.int64]  # [n_processes] of clients with a retry quota
    services: NDArray[np.void]  # SERVICE_DTYPE
    service_limits: NDArray[np.void]  # LIMIT_DTYPE
    sockets: Sockets
    sessions: Sessions
    senders: Senders
    drops: NDArray[np.void]  # DROP_DTYPE[n_actions]
    samplers: NDArray[np.void]  # SAMPLER_DTYPE[n_apis]
    outage_until: NDArray[np.int64]  # [n_apis] before which nobody connects [ns]


def new_calendar(room: int) -> Calendar:
    """An empty calendar for ``room`` requests in flight."""
    clock = np.zeros(1, CLOCK_DTYPE)
    clock["n_free"] = room
    slots = np.zeros(room, SLOT_DTYPE)
    # A free slot's `entity` is the next free one.
    slots["entity"] = np.arange(1, room + 1)
    return Calendar(
        clock,
        np.zeros(4 * room, EVENT_DTYPE),
        np.zeros(MAX_STEPS, STEP_DTYPE),
        slots,
        np.zeros(room, PATIENCE_DTYPE),
    )
