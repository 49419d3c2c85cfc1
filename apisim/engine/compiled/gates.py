"""Gates of the gateway in the compiled engine: authorizer, cache, and what the integration said."""

from typing import Final

import numpy as np

from apisim.arrays.jit import constant, part
from apisim.draws.purposes import Purpose
from apisim.engine.backend_tables import BACKEND_FUNCTION
from apisim.engine.calls import compose_key, lacks_identity
from apisim.engine.compiled.access import answer_to, fails_validation, is_unauthorized
from apisim.engine.compiled.bodies import answer_bytes, is_limited, pass_on
from apisim.engine.compiled.caching import keep_answer
from apisim.engine.compiled.sampling import draw_int
from apisim.engine.compiled.stages import (
    CALL_AUTHORIZER,
    RESULT_OK,
    STAGE_CALL,
    STAGE_DONE,
    STAGE_REFUSE,
    STAGE_WAIT,
)
from apisim.engine.credentials import document_of
from apisim.engine.functions import mapped_answer
from apisim.engine.world import World
from apisim.gateway.authorizer import ALLOW, UNKNOWN, cached_decision, keep_decision
from apisim.gateway.response_cache import cache_store
from apisim.gateway.status import Answer

__all__ = ["apply_policy", "authorize", "cache_key_of", "give_up_waiting", "respond"]

_TRANSPORT: Final = constant(Purpose.AUTH_TRANSPORT)
_SERVED: Final = constant(Answer.SERVED)
_NO_IDENTITY: Final = constant(Answer.NO_IDENTITY)
_TOKEN_INVALID: Final = constant(Answer.TOKEN_INVALID)
_UNAUTHORIZED: Final = constant(Answer.UNAUTHORIZED_BY_FUNCTION)
_AUTHORIZER_FAILED: Final = constant(Answer.AUTHORIZER_FAILED)
_TIMEOUT: Final = constant(Answer.TIMEOUT)


@part
def give_up_waiting(slot: np.void, now_ns: int) -> int:
    """The deadline of a call has come; if its answer has not, the caller is answered now."""
    # The deadline of a preflight that this slot carried first, or of the authorizer's call, may
    # still stand here while the integration's call runs.
    if slot["waiting"] == 0 or slot["deadline_ns"] != now_ns:
        return STAGE_WAIT
    slot["waiting"] = 0
    if slot["call"] == CALL_AUTHORIZER:
        slot["authorizer_ns"] = now_ns - slot["call_start_ns"]
        slot["answer"] = _AUTHORIZER_FAILED
        return STAGE_REFUSE
    slot["integration_ns"] = now_ns - slot["call_start_ns"]
    slot["answer"] = _TIMEOUT
    return STAGE_DONE


@part
def authorize(world: World, slot: np.void, now_ns: int, rare: int | None) -> int:
    """Ask the authorizer's cache, or call its function; the next stage."""
    tables, _, store, _, _ = world
    binding = tables.bindings[slot["binding"]]
    authorizer = tables.authorizers[tables.routes[slot["route"]]["authorizer"]]
    identity_hash = np.uint64(0)
    client_hash = np.uint64(0)
    if slot["target"] >= 0:
        identity_hash = tables.targets[slot["target"]]["identity_hash"]
        client_hash = tables.client_hashes[slot["client"]]
    if lacks_identity(binding["identity_missing"], client_hash):
        slot["answer"] = _NO_IDENTITY
        return STAGE_REFUSE
    slot["identity"] = compose_key(
        tables.parts,
        binding["identity_part"],
        binding["identity_parts"],
        binding["identity_salt"],
        tables.popularities,
        tables.popularity_cells,
        slot["entity"],
        identity_hash,
        client_hash,
        slot["token"],
    )
    if authorizer["line"] >= 0:
        decision = cached_decision(store, slot["identity"], now_ns)
        if decision == ALLOW:
            return binding["after_access"]  # type: ignore[no-any-return]
        if decision != UNKNOWN:
            slot["answer"] = answer_to(world, slot, decision)
            return binding["after_access"] if slot["answer"] == _SERVED else STAGE_REFUSE
    # What fails the expression is never called for, so nothing of it is ever kept.
    if rare is not None and authorizer["careful"] == 1 and fails_validation(world, slot):
        slot["answer"] = _TOKEN_INVALID
        return STAGE_REFUSE
    slot["call"] = CALL_AUTHORIZER
    slot["backend"] = BACKEND_FUNCTION
    slot["index"] = authorizer["function"]
    slot["call_start_ns"] = now_ns
    slot["deadline_ns"] = now_ns + authorizer["timeout_ns"]
    slot["transport_back_ns"] = draw_int(world, slot, authorizer["transport"], _TRANSPORT)
    return STAGE_CALL


@part
def apply_policy(world: World, slot: np.void, now_ns: int, rare: int | None) -> int:
    """The authorizer's function has answered; the next stage."""
    tables, _, store, _, _ = world
    slot["authorizer_ns"] = now_ns - slot["call_start_ns"]
    if slot["result"] != RESULT_OK:
        slot["answer"] = _AUTHORIZER_FAILED
        return STAGE_REFUSE
    authorizer = tables.authorizers[tables.routes[slot["route"]]["authorizer"]]
    if rare is not None and authorizer["careful"] == 1 and is_unauthorized(world, slot, now_ns):
        slot["answer"] = _UNAUTHORIZED
        return STAGE_REFUSE
    decision = document_of(
        authorizer["deny"], authorizer["silent"], authorizer["deny_key"], slot["identity"]
    )
    if authorizer["line"] >= 0:
        keep_decision(store, authorizer["line"], slot["identity"], decision, now_ns)
    after = tables.bindings[slot["binding"]]["after_access"]
    if decision == ALLOW:
        return after  # type: ignore[no-any-return]
    slot["answer"] = answer_to(world, slot, decision)
    return after if slot["answer"] == _SERVED else STAGE_REFUSE


@part
def cache_key_of(world: World, slot: np.void, binding: np.void) -> np.uint64:
    """Key of the answer this call may find in the response cache."""
    tables = world.tables
    target_hash = np.uint64(0)
    client_hash = np.uint64(0)
    if slot["target"] >= 0:
        target_hash = tables.targets[slot["target"]]["cache_hash"]
        client_hash = tables.client_hashes[slot["client"]]
    return compose_key(
        tables.parts,
        binding["cache_part"],
        binding["cache_parts"],
        binding["cache_salt"],
        tables.popularities,
        tables.popularity_cells,
        slot["entity"],
        target_hash,
        client_hash,
        slot["token"],
    )


@part
def respond(world: World, slot: np.void, now_ns: int, rare: int | None) -> None:
    """The integration has answered: keep the answer if it may be kept."""
    tables, _, store, _, _ = world
    error_answer = tables.routes[slot["route"]]["error_answer"]
    if rare is not None and error_answer != 0 and slot["result"] != RESULT_OK:
        slot["result"] = mapped_answer(slot["result"], error_answer)
    if slot["result"] != RESULT_OK:
        slot["answer"] = slot["result"]
        if rare is not None and tables.bindings[slot["binding"]]["caching"] >= 0:
            keep_answer(world, slot, now_ns)
        return
    slot["answer"] = _SERVED
    route = tables.routes[slot["route"]]
    binding = tables.bindings[slot["binding"]]
    line = binding["cache_line"]
    slot["response_bytes"] = answer_bytes(world, slot, route, line)
    if rare is not None and is_limited(route):
        pass_on(world, slot)
        if slot["answer"] != _SERVED:
            return  # nothing of it is kept
    if rare is not None and binding["caching"] >= 0:
        keep_answer(world, slot, now_ns)
    elif line >= 0:
        rules = tables.rules[0]
        cache_store(
            store,
            line,
            slot["cache_key"],
            slot["response_bytes"],
            rules["cache_max_object"],
            rules["cache_entry_overhead"],
            now_ns,
        )
