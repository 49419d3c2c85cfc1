"""One attempt of one call on its way through the golden model."""

from dataclasses import dataclass, field

import numpy as np

from apisim.engine.recorder import CACHE_NONE
from apisim.engine.simpy_model.environment import Address
from apisim.gateway.status import Answer
from apisim.traffic.arrivals import NEVER

__all__ = ["Call", "Refused"]

_NO_KEY = np.uint64(0)


class Refused(Exception):
    """The gateway answers a request itself."""

    def __init__(self, answer: Answer, *, at_once: bool = False) -> None:
        super().__init__(answer.name)
        self.answer = answer
        #: Answered without the time a refusal takes (the caller has waited for a time-out).
        self.at_once = at_once


@dataclass(slots=True)
class Call:
    """What the model knows of a call; times in ns, sizes in bytes, -1 for "not there"."""

    source: int
    user: int
    ordinal: int
    entity: int
    binding: int
    phase: int
    arrival_ns: int
    attempt: int = 0
    client: int = -1
    target: int = -1
    trace_bytes: int = -1
    door_ns: int = 0
    back_ns: int = 0
    latency_ns: int = 0
    gateway_ns: int = 0
    integration_ns: int = -1
    authorizer_ns: int = -1
    request_bytes: int = 0
    response_bytes: int = 0
    cache_key: np.uint64 = _NO_KEY
    identity: np.uint64 = _NO_KEY
    answer: Answer = Answer.SERVED
    cache: int = CACHE_NONE
    cold: bool = False
    customer: int = -1
    person: int = -1
    ip: int = -1  # IPv4 address as a number
    key: int = -1
    token: np.uint64 = _NO_KEY
    flags: int = 0
    subscription: int = -1  # key in a plan under which it passes
    about: np.uint64 = _NO_KEY  # hash of what the answer depends on
    give_up_ns: int = NEVER  # when its client stops waiting
    connection: int = -1  # that carries it; -1: none is kept
    is_new: bool = True  # it has come on a connection of its own
    kbps: int = -1  # line of an answer that takes time to be given, as it was when that was decided
    follows: bool = False  # a preflight has come the same way
    runs: int = 0  # of an event: how often its function has run for it
    socket: int = -1  # row of the connection that carries it, of WebSocket APIs
    serial: int = 0
    replied: bool = False  # a message that something is sent back for
    address: Address = field(init=False)

    def __post_init__(self) -> None:
        self.address = (self.source, self.user, self.ordinal, self.attempt)

    @property
    def is_answered(self) -> bool:
        """Whether the gateway has the integration's answer, or has stopped waiting for it."""
        return self.integration_ns >= 0
