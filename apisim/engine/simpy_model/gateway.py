"""API Gateway in the golden model: one request's way, gate by gate.

The order of the gates is the design's (C4), built from what AWS documents: route, authorizer,
throttle, then the gateway's own overhead, the response cache and the integration.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import simpy
from numpy.typing import NDArray

from apisim.draws.purposes import Purpose
from apisim.engine.backend_tables import BACKEND_MOCK
from apisim.engine.calls import compose_key, part_of
from apisim.engine.functions import mapped_answer
from apisim.engine.recorder import CACHE_HIT, CACHE_MISS
from apisim.engine.simpy_model.access import authorize, check_credentials
from apisim.engine.simpy_model.bodies import answer_bytes, map_request, map_response, pass_on
from apisim.engine.simpy_model.caching import ask_cache, keep_answer
from apisim.engine.simpy_model.call import Call, Refused
from apisim.engine.simpy_model.connecting import arrive_back, set_out
from apisim.engine.simpy_model.environment import ARRIVAL, DEADLINE, Process
from apisim.engine.simpy_model.keys import admit_with_key, pass_key
from apisim.engine.simpy_model.limits import pass_limits
from apisim.engine.simpy_model.mutual_tls import pass_mutual_tls
from apisim.engine.simpy_model.resource import pass_resource
from apisim.engine.simpy_model.sign_in import sign_in
from apisim.engine.simpy_model.sockets import open_connection, pass_outage
from apisim.engine.simpy_model.stages import compress, note_trace, pick_deployment
from apisim.engine.simpy_model.validate import pass_validation
from apisim.engine.simpy_model.waf import pass_waf
from apisim.engine.tables import (
    GATE_AUTH,
    GATE_CANARY,
    GATE_CREDENTIALS,
    GATE_EARLY_THROTTLE,
    GATE_KEY,
    GATE_LIMITS,
    GATE_RESOURCE,
    GATE_SIGN_IN,
    GATE_TLS,
    GATE_TRACE,
    GATE_UNMAPPED,
    GATE_UPGRADE,
    GATE_VALIDATE,
    GATE_WAF,
)
from apisim.gateway.response_cache import cache_lookup, cache_store
from apisim.gateway.status import LEVEL_ANSWERS, Answer
from apisim.gateway.throttle import NO_BUCKET, admit
from apisim.gateway.usage_plan import note_throttled

if TYPE_CHECKING:
    from apisim.engine.simpy_model.backends import Backend
    from apisim.engine.simpy_model.link import Link
    from apisim.engine.simpy_model.model import Model

__all__ = ["Gateway"]

_INTEGRATION = {
    "transport": Purpose.TRANSPORT,
    "service": Purpose.SERVICE,
    "init": Purpose.INIT,
    "setup": Purpose.SETUP,
    "malformed": Purpose.MALFORMED,
    "version": Purpose.VERSION,
    "error": Purpose.ERROR,
}


class Gateway:
    """The gates between a caller and the integration."""

    def __init__(self, model: "Model") -> None:
        self.model = model
        self.tables = model.tables
        self.draws = model.draws

    def request(self, call: Call) -> Process:
        """One request's way through the API, from the client and back to it."""
        there_ns = self._network(call)
        yield from self.model.wait(call, there_ns, ARRIVAL)
        call.door_ns = self.model.now
        try:
            gates = self.binding(call).gates
            if gates & GATE_SIGN_IN:
                yield from sign_in(self, call)
            if gates & GATE_UPGRADE:
                pass_outage(self, call)
            if gates & GATE_TLS:
                yield from pass_mutual_tls(self, call)
            if gates & GATE_LIMITS:
                yield from pass_limits(self, call)
            if gates & GATE_TRACE:
                note_trace(self, call)
            if gates & GATE_CANARY:
                pick_deployment(self, call)
            route = self.route(call)
            if gates & GATE_WAF:
                yield from pass_waf(self, call)
            if gates & GATE_EARLY_THROTTLE:
                self._throttle(call, self.tables.early_levels)
            if gates & GATE_RESOURCE:
                yield from pass_resource(self, call)
            if gates & GATE_AUTH:
                yield from authorize(self, call, route)
            elif gates & GATE_CREDENTIALS:
                yield from check_credentials(self, call, route)
            if gates & GATE_KEY:
                yield from pass_key(self, call)
            self.throttle(call)
            yield from self.overhead(call)
            if gates & GATE_VALIDATE:
                yield from pass_validation(self, call)
            if (yield from self._is_in_cache(call)):
                yield from self._hit(call)
            else:
                yield from self.integrate(call, route)
            if gates & GATE_UPGRADE:
                open_connection(self, call)
        except Refused as refusal:
            call.answer = refusal.answer
            if not refusal.at_once:
                yield from self.refuse(call)
        call.gateway_ns = self.model.now - call.door_ns
        self._write_answer(call)
        arrive_back(self.model, call)
        # Nothing happens when an answer comes that nobody waits for any more, be it days later.
        gone_ns = max(call.give_up_ns + 1 - self.model.now, 0)
        yield from self.model.wait(call, min(call.back_ns, gone_ns), ARRIVAL)
        self.model.record(call)

    def _write_answer(self, call: Call) -> None:
        """How large the answer is that leaves the gateway."""
        api = self.model.apis[self.binding(call).api]
        if call.answer > Answer.CACHE_HIT:
            call.response_bytes = int(self.tables.body[api.type, call.answer])
        elif api.compress_from >= 0:
            compress(self.model, call)

    def _network(self, call: Call) -> int:
        """Time to the gateway's door [ns]; the way back is remembered in the call."""
        source = self.model.sources[call.source]
        is_edge = self.model.apis[self.binding(call).api].edge
        rtt = source.edge_rtt if is_edge else source.rtt
        there_ns = round_trip_ns = 0
        if rtt >= 0:
            round_trip_ns = self.draws.amount(call, rtt, Purpose.RTT)
            there_ns = round_trip_ns // 2
            call.back_ns = round_trip_ns - there_ns
        if is_edge:
            hop_ns = self.draws.amount(call, self.model.rules.edge_hop, Purpose.EDGE)
            there_ns += hop_ns // 2
            call.back_ns += hop_ns - hop_ns // 2
        return there_ns + set_out(self.model, call, round_trip_ns)

    def binding(self, call: Call) -> Any:
        """Which route a call goes to, and what its keys are made of."""
        return self.model.bindings[call.binding]

    def route(self, call: Call) -> Any:
        """The route that takes a call."""
        at = self.binding(call).route
        if self.binding(call).gates & GATE_UNMAPPED:
            raise Refused(Answer.NO_MAPPING)
        if at < 0:
            raise Refused(Answer.NO_ROUTE)
        return self.model.routes[at]

    def throttle(self, call: Call) -> None:
        """The buckets that a call has to pass."""
        self._throttle(call, self.tables.route_levels)

    def _throttle(self, call: Call, levels: NDArray[np.int64]) -> None:
        """All buckets of a call and, with a key, its quota: all are charged or none."""
        of_route = levels[self.binding(call).route]
        rules = self.model.rules
        part = 0
        if rules.limit_parts > 1:
            key = self.tables.draw_keys[call.source, Purpose.LIMIT_PART]
            part = int(part_of(key, call.entity, call.attempt, rules.limit_parts))
        try:
            if call.subscription >= 0:
                admit_with_key(self, call, part)
            else:
                self._admit(of_route, part)
        except Refused as refusal:
            if call.customer >= 0 and refusal.answer != Answer.QUOTA_EXCEEDED:
                note_throttled(self.model.state.customers[call.customer], self.model.now)
            raise

    def _admit(self, levels: NDArray[np.int64], part: int) -> None:
        buckets, in_order = self.model.state.buckets, self.model.rules.charges_in_order
        refused_by = admit(buckets, levels, self.model.now, part, in_order)
        if refused_by != NO_BUCKET:
            level = int(buckets[refused_by]["kind"])
            raise Refused(LEVEL_ANSWERS[level])

    def overhead(self, call: Call) -> Process:
        """The time that the gateway itself takes."""
        api = self.model.apis[self.binding(call).api]
        yield from self.model.wait(
            call, self.draws.amount(call, api.overhead, Purpose.OVERHEAD), ARRIVAL
        )

    def _is_in_cache(self, call: Call) -> Process:
        binding = self.binding(call)
        if binding.cache_line < 0:
            return False
        call.cache_key = self.key_of(
            call, binding.cache_part, binding.cache_parts, binding.cache_salt, "cache_hash"
        )
        if binding.caching >= 0:
            return (yield from ask_cache(self, call))
        found = cache_lookup(self.model.store, call.cache_key, self.model.now)
        if found < 0:
            call.cache = CACHE_MISS
            return False
        call.cache = CACHE_HIT
        call.answer = Answer.CACHE_HIT
        call.response_bytes = int(found)
        return True

    def _hit(self, call: Call) -> Process:
        call.kbps = self.model.sources[call.source].kbps
        hit_ns = self.draws.amount(call, self.model.rules.hit_time, Purpose.HIT_TIME)
        yield from self.model.wait(call, hit_ns, ARRIVAL)

    def integrate(self, call: Call, route: Any) -> Process:
        """Call the integration; its answer goes into the cache, if it may."""
        yield from self._integrate(call, route)
        self._keep_answer(call, route)

    def _integrate(self, call: Call, route: Any) -> Process:
        """Call the integration and wait for its answer, or for the time-out."""
        if route.request_time >= 0:
            yield from map_request(self, call, route)
        started_ns = self.model.now
        if route.backend == BACKEND_MOCK:
            call.integration_ns = 0
            call.answer = Answer.SERVED
            return
        backend = self.model.backend(route.backend, route.index)
        answer = yield from self.call_backend(
            call, backend, route.transport, route.timeout_ns, _INTEGRATION
        )
        call.integration_ns = self.model.now - started_ns
        if answer == Answer.TIMEOUT:
            raise Refused(answer, at_once=True)
        if route.error_answer:
            answer = Answer(mapped_answer(answer, route.error_answer))
        call.answer = answer
        if route.response_time >= 0 or route.streams:
            yield from map_response(self, call, route)

    def call_backend(
        self,
        call: Call,
        backend: "Backend | Link",
        transport: int,
        timeout_ns: int,
        purposes: dict[str, Purpose],
    ) -> Process:
        """Call a backend; its answer, or ``TIMEOUT`` if that comes first."""
        transport_ns = self.draws.amount(call, transport, purposes["transport"])
        deadline_ns = self.model.now + timeout_ns
        answered = backend.start(call, transport_ns, purposes)
        deadline = self.model.env.moment(deadline_ns, DEADLINE, call.address)
        # Not `answered | deadline`: a condition would be one more step at the same instant.
        deadline.callbacks.append(lambda _: _give_up(answered))
        return (yield answered)

    def _keep_answer(self, call: Call, route: Any) -> None:
        """Size of the integration's answer, and into the cache with it."""
        is_plain = self.binding(call).caching < 0
        if call.answer == Answer.SERVED:
            call.response_bytes = answer_bytes(self.model, call)
            pass_on(call, route)
        if call.answer != Answer.SERVED:
            if not is_plain:
                keep_answer(self, call)
            return
        line = self.binding(call).cache_line
        if not is_plain:
            keep_answer(self, call)
        elif line >= 0:
            self.model.make_room()
            cache_store(
                self.model.store,
                line,
                call.cache_key,
                call.response_bytes,
                self.model.rules.cache_max_object,
                self.model.rules.cache_entry_overhead,
                self.model.now,
            )

    def refuse(self, call: Call) -> Process:
        """The time that an answer of the gateway's own takes."""
        call.kbps = self.model.sources[call.source].kbps
        refusal_ns = self.draws.amount(call, self.model.rules.refusal_time, Purpose.REFUSAL_TIME)
        yield from self.model.wait(call, refusal_ns, ARRIVAL)

    def key_of(self, call: Call, part: int, parts: int, salt: int, column: str) -> Any:
        """Hash of some parts of a call: a cache key, an identity, what an answer depends on."""
        target_hash = np.uint64(0)
        if call.target >= 0:
            target_hash = self.tables.targets[column][call.target]
        tables = self.tables
        return np.uint64(
            compose_key(
                tables.parts,
                part,
                parts,
                np.uint64(salt),
                tables.popularities,
                tables.popularity_cells,
                call.entity,
                target_hash,
                self.client_hash(call),
                call.token,
            )
        )

    def client_hash(self, call: Call) -> Any:
        """Hash of the client of a log; 0: unknown."""
        return self.tables.client_hashes[call.client] if call.target >= 0 else np.uint64(0)


def _give_up(answered: simpy.Event) -> None:
    if not answered.triggered:
        answered.succeed(Answer.TIMEOUT)
