"""What a stage does beside its gates: X-Ray, its canary, and compression of what it sends."""

from typing import TYPE_CHECKING

from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.engine.flags import FLAG_TRACED
from apisim.engine.simpy_model.call import Call
from apisim.gateway.compression import compressed_bytes
from apisim.gateway.tracing import BY_CHANCE, TRACED, sample

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway
    from apisim.engine.simpy_model.model import Model

__all__ = ["compress", "note_trace", "pick_deployment"]


def note_trace(gateway: "Gateway", call: Call) -> None:
    """X-Ray looks at a request; whether it is drawn, each attempt is by itself."""
    tables, at = gateway.tables, gateway.binding(call).api
    api = gateway.model.apis[at]
    clock_ns = int(tables.quota_clock["start_ns"][0]) + gateway.model.now
    verdict = sample(gateway.model.state.samplers[at], api.reservoir, api.traced, clock_ns)
    if verdict == TRACED or (
        verdict == BY_CHANCE and gateway.draws.happens(call, api.traced, Purpose.TRACE)
    ):
        call.flags |= FLAG_TRACED


def pick_deployment(gateway: "Gateway", call: Call) -> None:
    """The stage's deployment answers, or its canary: each attempt is drawn by itself."""
    binding = gateway.binding(call)
    share = float(gateway.tables.apis["canary_percent"][binding.api]) / 100
    if gateway.draws.happens(call, share, Purpose.CANARY):
        call.binding = binding.canary


def compress(model: "Model", call: Call) -> None:
    """An integration's answer, or one from the cache, leaves a stage that compresses."""
    tables, binding = model.tables, model.bindings[call.binding]
    share = model.sources[call.source].accept_encoding
    if share < 1:
        key = tables.draw_keys[call.source, Purpose.ACCEPT_ENCODING]
        # A caller's software says so with all of a call's attempts, or with none.
        if uniform(key, call.entity, 0) >= share:
            return
    call.response_bytes = int(
        compressed_bytes(
            call.response_bytes,
            int(tables.apis["compress_from"][binding.api]),
            model.routes[binding.route].compressed_ppm,
        )
    )
