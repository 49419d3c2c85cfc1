"""Tokens and signatures that the gateway checks itself, and what is left of Lambda authorizers.

An authorizer without a function takes two waits at most: for the issuer's keys, and for the check.
"""

from typing import Final

import numpy as np

from apisim.arrays.jit import constant, gate
from apisim.draws.purposes import Purpose
from apisim.engine.calls import compose_key, lacks_identity
from apisim.engine.compiled.calendar import (
    RANK_ANSWER,
    RANK_ARRIVAL,
    RANK_DEADLINE,
    schedule_slot,
)
from apisim.engine.compiled.resource import policy_of
from apisim.engine.compiled.sampling import draw_int
from apisim.engine.compiled.stages import (
    RESULT_OK,
    STAGE_JUDGE,
    STAGE_KEY_SET,
    STAGE_PASSED,
    STAGE_REFUSE,
    STAGE_WAIT,
)
from apisim.engine.credentials import (
    AUTH_IAM,
    AUTH_JWT,
    befalls,
    holder_of,
    is_expired,
    signature_answer,
    token_answer,
)
from apisim.engine.tables import CLOSED, SESSIONS
from apisim.engine.world import World
from apisim.gateway.key_set import has_keys, keep_keys
from apisim.gateway.resource_policy import (
    POLICY_ALLOWS,
    POLICY_DENIES,
    TABLE_SAME_ACCOUNT,
    combine,
)
from apisim.gateway.status import Answer

__all__ = ["answer_to", "fails_validation", "get_keys", "is_unauthorized", "judge", "pass_access"]

_KEY_SET: Final = constant(Purpose.KEY_SET)
_CREDENTIAL_CHECK: Final = constant(Purpose.CREDENTIAL_CHECK)
_SERVED: Final = constant(Answer.SERVED)
_NO_IDENTITY: Final = constant(Answer.NO_IDENTITY)
_TOKEN_INVALID: Final = constant(Answer.TOKEN_INVALID)
_DENIED: Final = constant(Answer.DENIED)
_IMPLICITLY_DENIED: Final = constant(Answer.IMPLICITLY_DENIED)
_POLICY_DENIED: Final = constant(Answer.POLICY_DENIED)


@gate
def pass_access(world: World, at: int, now_ns: int) -> int:
    """Begin to look at what the request in slot ``at`` shows; the next stage."""
    tables, calendar, _, state, _ = world
    slot = calendar.slots[at]
    binding = tables.bindings[slot["binding"]]
    authorizer = tables.authorizers[tables.routes[slot["route"]]["authorizer"]]
    if authorizer["kind"] == AUTH_IAM:
        return _check(world, at, now_ns)
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
    if authorizer["kind"] == AUTH_JWT:
        key_set = state.key_sets[authorizer["key_set"]]
        if not has_keys(key_set, now_ns):
            key_set["fetches"] += 1
            slot["result"] = RESULT_OK
            takes_ns = draw_int(world, slot, tables.rules[0]["key_set_time"], _KEY_SET)
            rank = RANK_ANSWER
            if takes_ns > tables.rules[0]["key_set_timeout_ns"]:
                key_set["failures"] += 1
                takes_ns = tables.rules[0]["key_set_timeout_ns"]
                rank = RANK_DEADLINE
                slot["result"] = _TOKEN_INVALID
            if takes_ns > 0:
                schedule_slot(calendar, now_ns + takes_ns, rank, STAGE_KEY_SET, at)
                return STAGE_WAIT
            keep_keys(key_set, now_ns)
    return _check(world, at, now_ns)


@gate
def get_keys(world: World, at: int, now_ns: int) -> int:
    """The issuer's keys have come, or have not come in time; the next stage."""
    tables, calendar, _, state, _ = world
    slot = calendar.slots[at]
    if slot["result"] != RESULT_OK:
        slot["answer"] = slot["result"]
        return STAGE_REFUSE
    authorizer = tables.authorizers[tables.routes[slot["route"]]["authorizer"]]
    keep_keys(state.key_sets[authorizer["key_set"]], now_ns)
    return _check(world, at, now_ns)


@gate
def _check(world: World, at: int, now_ns: int) -> int:
    """Look at the token or signature, which takes a moment."""
    slot = world.calendar.slots[at]
    takes_ns = draw_int(world, slot, world.tables.rules[0]["credential_check"], _CREDENTIAL_CHECK)
    if takes_ns > 0:
        schedule_slot(world.calendar, now_ns + takes_ns, RANK_ARRIVAL, STAGE_JUDGE, at)
        return STAGE_WAIT
    return judge(world, at, now_ns)


@gate
def judge(world: World, at: int, now_ns: int) -> int:
    """The token or signature has been looked at; the next stage."""
    tables = world.tables
    slot = world.calendar.slots[at]
    binding = tables.bindings[slot["binding"]]
    authorizer = tables.authorizers[tables.routes[slot["route"]]["authorizer"]]
    source = tables.sources[slot["source"]]
    policy = policy_of(world, slot)
    holder = 0
    if binding["credential"] >= 0:
        client_hash = np.uint64(0)
        if slot["target"] >= 0:
            client_hash = tables.client_hashes[slot["client"]]
        holder = holder_of(
            tables.credentials[binding["credential"]],
            slot["person"],
            source["kind"] in (CLOSED, SESSIONS),
            slot["user"],
            client_hash,
            slot["entity"],
        )
    if authorizer["kind"] == AUTH_IAM:
        answer = signature_answer(
            tables.credentials,
            binding["credential"],
            tables.dists,
            tables.dist_values,
            tables.popularities,
            tables.popularity_cells,
            holder,
            tables.rules[0]["signature_window_ns"],
            policy,
        )
    else:
        answer = token_answer(
            authorizer,
            tables.credentials,
            binding["credential"],
            binding["scopes"],
            tables.popularities,
            tables.popularity_cells,
            holder,
            slot["identity"],
            is_expired(
                tables.callers, source["caller"], binding["sends_token"], slot["person"], now_ns
            ),
            policy,
        )
    if answer == _SERVED:
        return STAGE_PASSED
    slot["answer"] = answer
    return STAGE_REFUSE


@gate
def fails_validation(world: World, slot: np.void) -> bool:
    """Whether a token does not match the expression of its Lambda authorizer."""
    authorizer = world.tables.authorizers[world.tables.routes[slot["route"]]["authorizer"]]
    return befalls(authorizer["invalid"], authorizer["invalid_key"], slot["identity"])


@gate
def is_unauthorized(world: World, slot: np.void, now_ns: int) -> bool:
    """Whether a Lambda authorizer's function raises ``Unauthorized``."""
    tables = world.tables
    authorizer = tables.authorizers[tables.routes[slot["route"]]["authorizer"]]
    if befalls(authorizer["unauthorized"], authorizer["unauthorized_key"], slot["identity"]):
        return True
    caller = tables.sources[slot["source"]]["caller"]
    sends_token = tables.bindings[slot["binding"]]["sends_token"]
    return is_expired(tables.callers, caller, sends_token, slot["person"], now_ns)


@gate
def answer_to(world: World, slot: np.void, document: int) -> int:
    """Answer of the gateway to a document that does not allow the route by itself.

    ``SERVED`` where the resource policy does.
    """
    policy = policy_of(world, slot)
    decision = combine(document, policy, TABLE_SAME_ACCOUNT)
    if decision == POLICY_ALLOWS:
        return _SERVED
    if decision == POLICY_DENIES:
        return _DENIED if document == POLICY_DENIES else _POLICY_DENIED
    return _IMPLICITLY_DENIED
