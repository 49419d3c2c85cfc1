"""Sessions of WebSocket APIs as arrays."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apisim.draws.discrete import WeightedKeys
from apisim.draws.distributions import Constant, Exponential
from apisim.engine.lowering.apis import LoweredApis
from apisim.engine.lowering.bindings import Bindings
from apisim.engine.lowering.clients import Clients, lower_backoff
from apisim.engine.lowering.context import Context
from apisim.engine.lowering.message_bindings import add_life
from apisim.engine.senders import PUSH_DTYPE, SENDER_SPEC_DTYPE
from apisim.engine.session_tables import ALWAYS, SESSIONS_DTYPE
from apisim.engine.tables import NONE, SESSIONS
from apisim.scenario.popularity import Popularity
from apisim.scenario.sessions import Sessions
from apisim.scenario.traffic import Source
from apisim.scenario.websocket_routes import CONNECT, DISCONNECT
from apisim.traffic.arrivals import NEVER
from apisim.traffic.connections import EACH_CALL

__all__ = ["LoweredSessions", "lower_sessions"]

_SECOND_NS = 1_000_000_000


@dataclass(slots=True)
class LoweredSessions:
    """What the sessions of all sources have become so far."""

    rows: list[NDArray[np.void]] = field(default_factory=list)
    pushes: list[tuple[int, str, str]] = field(default_factory=list)  # sessions, source, name
    push_rows: list[tuple[Any, ...]] = field(default_factory=list)
    senders: list[NDArray[np.void]] = field(default_factory=list)
    n_lists: int = 0

    def table(self) -> NDArray[np.void]:
        """``SESSIONS_DTYPE[n]``."""
        return np.concatenate([np.zeros(0, SESSIONS_DTYPE), *self.rows])

    def push_table(self) -> NDArray[np.void]:
        """``PUSH_DTYPE[n]``."""
        return np.array(self.push_rows, PUSH_DTYPE)

    def sender_table(self) -> NDArray[np.void]:
        """``SENDER_SPEC_DTYPE[n]``."""
        return np.concatenate([np.zeros(0, SENDER_SPEC_DTYPE), *self.senders])


def lower_sessions(
    context: Context,
    apis: LoweredApis,
    bindings: Bindings,
    clients: Clients,
    lowered: LoweredSessions,
    row: np.void,
    at: int,
    name: str,
    source: Source,
) -> None:
    """Lower ``sessions:`` and ``pushes:`` of a source whose messages have their bindings."""
    spec = source.sessions
    assert spec is not None
    api = source.mix[0].api
    row["kind"] = SESSIONS
    row["sessions"] = len(lowered.rows)
    if spec.size is not None:
        row["message_size"] = context.dists.add(spec.size)
    if source.network is not None:
        # An upgrade has a connection of its own, whatever else the client keeps.
        row["way"], row["connects"] = 1, EACH_CALL
    life = np.zeros(1, SESSIONS_DTYPE)
    mine = life[0]
    mine["source"], mine["api"] = at, apis.api_names.index(api)
    mine["upgrade"] = add_life(bindings, context, apis, name, source, api, CONNECT)
    mine["disconnect"] = NONE
    if DISCONNECT in context.scenario.apis[api].routes:
        mine["disconnect"] = add_life(bindings, context, apis, name, source, api, DISCONNECT)
    limit_ns = context.scenario.duration_limit_ns
    until_ns = NEVER if spec.until is None else spec.until
    mine["until_ns"] = (
        until_ns if limit_ns is None or spec.until is None else min(until_ns, limit_ns)
    )
    mine["length"] = NONE if spec.length is None else context.dists.add(spec.length)
    mine["away"] = NONE if spec.away is None else context.dists.add(spec.away)
    mine["messages"] = spec.messages_per_session or ALWAYS
    _lower_gap(context, mine, spec)
    mine["pings_ns"] = 0
    if spec.pings is not None and context.scenario.settings.pings_keep_alive:
        mine["pings_ns"] = spec.pings
    mine["reconnect"] = NONE
    if spec.reconnect is not None:
        wait = spec.reconnect
        mine["reconnect"] = lower_backoff(clients, wait.backoff, wait.base, wait.cap, wait.max)
    mine["binary"], mine["max_frame"] = spec.binary, spec.max_frame
    mine["list"] = lowered.n_lists
    lowered.n_lists += 1
    mine["topics"] = NONE
    if spec.topics is not None:
        mine["topics"] = context.popularities.add(spec.topics)
        mine["first_topic"] = lowered.n_lists
        lowered.n_lists += _count(spec.topics)
    mine["listed"] = int(bool(source.pushes))
    lowered.pushes += [(len(lowered.rows), name, push) for push in source.pushes]
    lowered.rows.append(life)


def _count(topics: Popularity) -> int:
    return len(topics.weights) if isinstance(topics, WeightedKeys) else topics.n


def _lower_gap(context: Context, mine: np.void, spec: Sessions) -> None:
    """Time from one message to the next."""
    mine["gap"] = NONE
    if spec.messages:
        mine["gap"] = context.dists.add(Exponential(float(_SECOND_NS / Fraction(spec.messages))))
    elif spec.think_time is not None:
        mine["gap"] = context.dists.add(spec.think_time)
    elif spec.messages_per_session is not None and spec.messages is None:
        if spec.length is not None:
            time_ns = int(spec.length.mean())
        else:
            assert spec.until is not None
            # The last to connect has this long.
            time_ns = spec.until - (spec.connect_over if spec.population is not None else 0)
        mine["gap"] = context.dists.add(Constant(time_ns // spec.messages_per_session))
        mine["even"] = 1
