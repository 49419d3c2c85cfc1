"""Users of a WebSocket API in the golden model: they connect, send, are cut off and come back."""

from functools import partial
from typing import TYPE_CHECKING

import simpy

from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.engine.calls import pick_binding
from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.environment import ARRIVAL, Process
from apisim.engine.simpy_model.sockets import hang_up, message
from apisim.gateway.sockets import let_go
from apisim.traffic.arrivals import NEVER, next_arrival
from apisim.traffic.retries import SEEN_RETRYABLE, backoff_ns, needs_draw

if TYPE_CHECKING:
    from apisim.engine.simpy_model.model import Model

__all__ = ["Session", "session_source"]


def session_source(model: "Model", source: int) -> Process:
    """New users come, whatever becomes of those before."""
    tables, state = model.tables, model.state
    keys = tables.draw_keys[source]
    n_users = 0
    while True:
        due_ns = next_arrival(
            state.flows, tables.pieces, source, keys[Purpose.ARRIVAL], keys[Purpose.SOJOURN]
        )
        if due_ns == NEVER:
            return
        yield model.env.moment(due_ns, ARRIVAL, (source, 0, n_users, 0))
        n_users += 1
        session = Session(model, source, n_users)
        model.env.process(session.run())


class Session:
    """One user, who is online once or, being away in between, several times."""

    def __init__(self, model: "Model", source: int, user: int) -> None:
        self.model, self.source, self.user = model, source, user
        self.spec = model.sessions[model.sources[source].sessions]
        self._ordinal = 0
        self._end_ns = self._next_ns = NEVER
        self._over_ns = 0  # when a session is over whose user is not connected, if that is later
        self._left = 0
        self._told: simpy.Event | None = None
        self._serial = 0  # of the connection that is open as far as the user knows

    def run(self) -> Process:
        """Come, and come back."""
        model = self.model
        model.members[self.source, self.user] = self
        while True:
            call = yield from self._be_online()
            if self.spec.away < 0:
                break
            away_ns = model.draws.amount(call, self.spec.away, Purpose.AWAY)
            over_ns = max(model.now, self._over_ns)
            if over_ns + away_ns >= self.spec.until_ns:
                break
            yield self._moment(over_ns + away_ns)
        del model.members[self.source, self.user]

    def hear_of_close(self, serial: int) -> None:
        """The gateway has closed a connection, and its client knows now."""
        if serial == self._serial and self._told is not None and not self._told.triggered:
            self._told.succeed(True)

    def _moment(self, time_ns: int) -> simpy.Event:
        address = (self.source, self.user, self._ordinal, 0)
        return self.model.env.moment(time_ns, ARRIVAL, address)

    def _be_online(self) -> Process:
        """From the first attempt to connect until the user has had enough; the last upgrade."""
        model, spec = self.model, self.spec
        self._end_ns = spec.until_ns
        self._over_ns = 0
        self._left = spec.messages
        has_begun = False
        n_failed = wait_ns = 0
        while True:
            call = self._call(spec.upgrade)
            self._ordinal += 1  # kept for its $disconnect
            yield from model.gateway.request(model.admit(call))
            if call.socket >= 0:
                n_failed = wait_ns = 0
                if not has_begun:
                    self._begin(call)
                has_begun = True
                if (yield from self._stay(call)):
                    return call
            else:
                n_failed += 1
            if spec.reconnect < 0:
                return call
            client = model.tables.clients[spec.reconnect]
            if n_failed > client["max_retries"]:
                return call
            # After a loss the first wait is before any failure, at first it is after one.
            wait_ns = self._wait_ns(call, n_failed + int(has_begun), wait_ns)
            if model.now + wait_ns >= self._end_ns:
                self._over_ns = self._end_ns
                return call
            yield self._moment(model.now + wait_ns)

    def _wait_ns(self, call: Call, attempt: int, before_ns: int) -> int:
        client = self.model.tables.clients[self.spec.reconnect]
        drawn = 0.0
        if needs_draw(client):
            key = self.model.tables.draw_keys[self.source, Purpose.RECONNECT]
            drawn = float(uniform(key, call.entity, 0))
        return int(backoff_ns(client, attempt, SEEN_RETRYABLE, before_ns, drawn))

    def _begin(self, call: Call) -> None:
        """The user is connected for the first time: how long it stays, and when it sends."""
        model, spec = self.model, self.spec
        if spec.length >= 0:
            length_ns = model.draws.amount(call, spec.length, Purpose.SESSION_LENGTH)
            self._end_ns = min(self._end_ns, model.now + length_ns)
        self._next_ns = NEVER
        if spec.gap >= 0 and self._left > 0:
            gap_ns = model.draws.amount(call, spec.gap, Purpose.MESSAGE_GAP)
            if spec.even:
                key = model.tables.draw_keys[self.source, Purpose.FIRST_MESSAGE]
                gap_ns = int(uniform(key, call.entity, 0) * gap_ns)
            self._next_ns = model.now + gap_ns

    def _stay(self, upgrade: Call) -> Process:
        """Send messages until the user leaves, or hears that the connection is closed."""
        model = self.model
        at, serial = upgrade.socket, upgrade.serial
        self._serial = serial
        while True:
            # What was due while nobody was connected is sent now.
            due_ns = max(min(self._next_ns, self._end_ns), model.now)
            told = self._told = model.env.event()
            if due_ns < NEVER:
                self._moment(due_ns).callbacks.append(partial(_tell, told))
            is_closed = yield told
            if is_closed:
                let_go(model.sockets, at)
                return False
            if model.now >= self._end_ns:
                hang_up(model, upgrade)
                let_go(model.sockets, at)
                return True
            self._send(at, serial)

    def _send(self, at: int, serial: int) -> None:
        model, tables = self.model, self.model.tables
        k = int(model.state.issued[self.source])
        binding = pick_binding(
            tables.sources[self.source],
            tables.popularities,
            tables.popularity_cells,
            tables.draw_keys[self.source, Purpose.ROUTE],
            k,
        )
        call = self._call(int(binding))
        call.socket, call.serial = at, serial
        self._left -= 1
        self._next_ns = NEVER
        if self._left > 0:
            gap_ns = model.draws.amount(call, self.spec.gap, Purpose.MESSAGE_GAP)
            self._next_ns = model.now + gap_ns
        model.env.process(message(model.gateway, model.admit(call)))

    def _call(self, binding: int) -> Call:
        model = self.model
        k = int(model.state.issued[self.source])
        model.state.issued[self.source] = k + 1
        phase = model.phase_of(self.source)
        call = Call(self.source, self.user, self._ordinal, k, binding, phase, model.now)
        self._ordinal += 1
        return call


def _tell(told: simpy.Event, _: simpy.Event) -> None:
    if not told.triggered:
        told.succeed(False)
