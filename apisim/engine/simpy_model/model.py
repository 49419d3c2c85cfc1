"""The golden model as a whole: clients, gateway and backends around one clock.

It calls the same mechanisms as the compiled engine and must write the same record of every
request; only the control flow is its own. Slow (about 30,000 requests/s) and plain on purpose.
"""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.expiring_lru import grow_store, room
from apisim.backends.function_log import invocation_log_bytes
from apisim.backends.lambda_ import COLD, PROVISIONED, billed_ms
from apisim.draws.purposes import Purpose
from apisim.engine.backend_tables import BACKEND_FUNCTION, BACKEND_LINK, BACKEND_SERVICE
from apisim.engine.callers import address_of, customer_of, key_of, person_of, token_of, token_shown
from apisim.engine.clients import record_late
from apisim.engine.executions import record_execution, record_log
from apisim.engine.flags import FLAG_CLIENT_GONE
from apisim.engine.frames import units_of
from apisim.engine.recorder import REQUEST_DTYPE, note_end, record
from apisim.engine.senders import grow_senders, has_room_for_broadcasts
from apisim.engine.simpy_model.backends import Backend, Endpoint, Function
from apisim.engine.simpy_model.browsers import look_as_browser
from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.clients import closed_user, open_source, trace_source
from apisim.engine.simpy_model.draws import Draws
from apisim.engine.simpy_model.environment import Address, OrderedEnvironment, Process
from apisim.engine.simpy_model.gateway import Gateway
from apisim.engine.simpy_model.link import Link
from apisim.engine.simpy_model.pushes import arise, push_source
from apisim.engine.simpy_model.rows import Rows
from apisim.engine.simpy_model.service import Service
from apisim.engine.simpy_model.sessions import Session, session_source
from apisim.engine.simpy_model.timeline import timeline_action
from apisim.engine.state import SLOT_DTYPE
from apisim.engine.tables import (
    CLOSED,
    GATE_MESSAGE,
    GATE_POST,
    GATES_OF_SESSIONS,
    PUSHES,
    SESSIONS,
    TRACE,
)
from apisim.engine.world import World
from apisim.gateway.metering import metered_units
from apisim.gateway.sockets import grow_sockets, has_room

__all__ = ["Model"]

#: Entries that one step of the model may add.
_MARGIN = 4


class Model:
    """One replication of one scenario.

    Parameters
    ----------
    world : World
        Tables and fresh records; its calendar is not used.
    services : mapping of int to object, optional
        A user's own service for functions, by index: ``serve(call, draws)`` yields times [ns].
    """

    def __init__(self, world: World, services: Mapping[int, Any] | None = None) -> None:
        self.env = OrderedEnvironment()
        self._rows: list[Rows] = []
        self.tables, self.state = world.tables, world.state
        self.store, self.recorder = world.store, world.recorder
        tables = world.tables
        self.rules = self._read(tables.rules)[0]
        self.sources = self._read(tables.sources)
        self.callers = self._read(tables.callers)
        self.bindings = self._read(tables.bindings)
        self.preflights = self._read(tables.preflights)
        self.routes = self._read(tables.routes)
        self.caching = self._read(tables.caching)
        self.apis = self._read(tables.apis)
        self.authorizers = self._read(tables.authorizers)
        self.credentials = self._read(tables.credentials)
        self.functions = self._read(tables.functions)
        self.endpoints = self._read(tables.endpoints)
        self.calls = self._read(tables.calls)
        self.services = self._read(tables.services)
        self.sessions = self._read(tables.sessions)
        self.pushes = self._read(tables.pushes)
        self.senders_specs = self._read(tables.senders)
        self.sockets, self.senders = world.state.sockets, world.state.senders
        self.members: dict[tuple[int, int], Session] = {}
        self.draws = Draws(tables)
        self.gateway = Gateway(self)
        self.function_backends = [Function(self, at) for at in range(len(self.functions))]
        self.links = [Link(self, at) for at in range(len(tables.links))]
        self.service_backends = [Service(self, at) for at in range(len(self.services))]
        self.endpoint_backends = [Endpoint(self, at) for at in range(len(self.endpoints))]
        for at, service in (services or {}).items():
            self.function_backends[at].service = service
        self.following = np.zeros(64, np.int64)
        self._tickets = list(range(64))
        # A slot of the compiled engine: what records it is then compiled once for both.
        self._slot = np.zeros(1, SLOT_DTYPE)
        self._row = self._slot[list(REQUEST_DTYPE.names or ())]
        self._in_flight: dict[Address, int] = {}
        for at, source in enumerate(self.sources):
            if source.kind == TRACE:
                self.env.process(trace_source(self, at))
            elif source.kind == SESSIONS:
                self.env.process(session_source(self, at))
            elif source.kind == PUSHES:
                self.env.process(push_source(self, at))
            elif source.kind != CLOSED:
                self.env.process(open_source(self, at))
        for at in range(len(tables.timeline)):
            self.env.process(timeline_action(self, at))
        for _, active_times in groupby(Rows(tables.jobs), lambda job: (job.source, job.user)):
            self.env.process(closed_user(self, list(active_times)))

    def _read(self, table: NDArray[np.void]) -> Rows:
        rows = Rows(table)
        self._rows.append(rows)
        return rows

    def read_tables(self) -> None:
        """The timeline has changed numbers: what rows say is read again."""
        for rows in self._rows:
            rows.read()

    @property
    def now(self) -> int:
        """The clock [ns]."""
        return int(self.env.now)

    def backend(self, kind: int, index: int) -> Backend | Link:
        """Function or endpoint behind a route."""
        if kind == BACKEND_FUNCTION:
            return self.function_backends[index]
        if kind == BACKEND_SERVICE:
            return self.service_backends[index]
        if kind == BACKEND_LINK:
            return self.links[index]
        return self.endpoint_backends[index]

    def wait(self, call: Call, time_ns: int, rank: int) -> Process:
        """Let time pass for a call; a wait of no time is no event at all."""
        if time_ns > 0:
            yield self.env.moment(self.now + time_ns, rank, call.address)

    def take_ticket(self) -> int:
        """A number to queue under."""
        if not self._tickets:
            size = len(self.following)
            self.following = np.concatenate([self.following, np.zeros(size, np.int64)])
            self._tickets = list(range(size, 2 * size))
        return self._tickets.pop()

    def give_ticket_back(self, ticket: int) -> None:
        """The number may be used again."""
        self._tickets.append(ticket)

    def make_room(self) -> None:
        """Let the pool of cache entries grow before something is stored."""
        if room(self.store) < _MARGIN:
            self.store = grow_store(self.store)

    def make_room_for_sockets(self) -> None:
        """Let the table of connections grow before one is opened."""
        if not has_room(self.sockets):
            self.sockets = grow_sockets(self.sockets)

    def make_room_for_broadcasts(self) -> None:
        """Let the table of broadcasts grow before one arises."""
        if not has_room_for_broadcasts(self.senders):
            self.senders = grow_senders(self.senders)

    def phase_of(self, source: int) -> int:
        """The phase that a source is in, its last one after its end."""
        piece = int(self.state.phase_piece[source])
        pieces, last = self.tables.pieces, self.sources[source].last_piece
        while pieces["end_ns"][piece] <= self.now and piece + 1 < last:
            piece += 1
        self.state.phase_piece[source] = piece
        return int(pieces["phase"][piece])

    def size_of(self, call: Call) -> int:
        """Distribution of the size of a call's body; -1: it has none."""
        binding, own = self.bindings[call.binding], self.sources[call.source].message_size
        if own >= 0 and binding.gates & (GATE_MESSAGE | GATE_POST):
            return int(own)
        return int(self.routes[binding.route].request_size) if binding.route >= 0 else -1

    def arise(self, push: int, message: Call) -> None:
        """A message has been served, and something is pushed for it."""
        arise(self, push, message)

    def meter_execution(self, call: Call, function: int, busy_ns: int, started: int) -> None:
        """Count one execution of a function for the bill."""
        is_warm_up = int(call.arrival_ns < self.rules.warm_up_ns)
        record_execution(
            self.recorder.executions,
            call.phase,
            function,
            is_warm_up,
            billed_ms(busy_ns),
            started == PROVISIONED,
        )
        spec = self.functions[function]
        if spec.log_warm > 0:
            log_bytes = invocation_log_bytes(spec.log_warm, spec.log_cold, busy_ns, started == COLD)
            record_log(self.recorder.executions, call.phase, function, is_warm_up, log_bytes)

    def end_work(self) -> None:
        """A backend is done with a call: the run lasts at least until now."""
        note_end(self.recorder.total, self.now)

    def watermark_ns(self) -> int:
        """Arrival time [ns] below which every request has been written down."""
        return min(self._in_flight.values(), default=self.now)

    def admit(self, call: Call) -> Call:
        """A call has been issued."""
        self.identify(call)
        self._in_flight[call.address] = call.arrival_ns
        return call

    def identify(self, call: Call) -> None:
        """Who calls, where something is known of it."""
        tables = self.tables
        source = self.sources[call.source]
        if source.caller < 0:
            return
        caller, keys = tables.callers[source.caller], tables.draw_keys[call.source]
        call.person = person_of(
            caller,
            tables.popularities,
            tables.popularity_cells,
            keys[Purpose.CUSTOMER],
            keys[Purpose.PERSON],
            call.entity,
            call.user if source.kind in (CLOSED, SESSIONS) else -1,
        )
        call.customer = customer_of(caller, call.person)
        call.ip = address_of(caller, call.customer, keys[Purpose.ADDRESS], call.entity)
        call.key = key_of(caller, call.customer)
        number = token_shown(caller, call.person, self.now)
        call.token = np.uint64(token_of(caller, call.person, number))
        if call.customer < 0:
            call.customer = int(caller["fixed_customer"])

    def cell_of(self, call: Call) -> int:
        """Where a call is counted: its phase, source and route."""
        source = self.sources[call.source]
        return int(
            source.first_cell
            + (call.phase - source.first_phase) * source.n_bindings
            + (call.binding - source.first_binding)
        )

    def record(self, call: Call) -> None:
        """The caller has its answer: write the request down."""
        del self._in_flight[call.address]
        tables = self.tables
        binding = self.bindings[call.binding]
        api = self.apis[binding.api]
        if binding.cors >= 0:
            look_as_browser(self, call)
        size = self.size_of(call)
        if size >= 0:
            call.request_bytes = self.draws.amount(call, size, Purpose.REQUEST_SIZE)
        meter = self.routes[binding.route].meter if binding.route >= 0 else binding.api
        increment_bytes, basis = tables.meters[meter]
        if binding.gates & GATES_OF_SESSIONS:
            units = units_of(
                binding.gates,
                tables.charged[meter],
                int(call.answer),
                increment_bytes,
                call.request_bytes,
                call.response_bytes,
                call.replied,
            )
        else:
            units = metered_units(
                tables.charged[meter],
                int(call.answer),
                increment_bytes,
                basis,
                call.request_bytes,
                call.response_bytes,
            )
        cell, latency_ns = self.cell_of(call), self.now - call.arrival_ns
        if self.now > call.give_up_ns:
            latency_ns = call.give_up_ns - call.arrival_ns
            call.flags |= FLAG_CLIENT_GONE
            warm_up_ns = self.rules.warm_up_ns
            record_late(self.recorder.calls, cell, call.answer, call.arrival_ns, warm_up_ns)
        row = self._row
        row[0] = (
            call.arrival_ns,
            latency_ns,
            call.gateway_ns,
            call.integration_ns,
            call.authorizer_ns,
            call.request_bytes,
            call.response_bytes,
            units,
            call.ordinal,
            call.user,
            call.source,
            call.attempt,
            cell,
            binding.api,
            call.client,
            tables.status[api.type, call.answer],
            call.answer,
            call.cache,
            call.cold,
            call.customer,
            call.flags,
        )
        record(
            self.recorder,
            self._slot[0],
            tables.cell_hashes,
            tables.log_lines,
            tables.log_texts,
            tables.log_executions,
            1,
        )
