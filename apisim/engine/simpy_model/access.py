"""Who may call, in the golden model: Lambda authorizers, tokens and signatures."""

from typing import TYPE_CHECKING, Any

import numpy as np

from apisim.draws.purposes import Purpose
from apisim.engine.calls import lacks_identity
from apisim.engine.credentials import (
    AUTH_IAM,
    AUTH_JWT,
    befalls,
    document_of,
    holder_of,
    is_expired,
    signature_answer,
    token_answer,
)
from apisim.engine.simpy_model.call import Call, Refused
from apisim.engine.simpy_model.environment import ANSWER, ARRIVAL, DEADLINE, Process
from apisim.engine.simpy_model.resource import policy_of
from apisim.engine.tables import CLOSED, SESSIONS
from apisim.gateway.authorizer import UNKNOWN, cached_decision, keep_decision
from apisim.gateway.key_set import has_keys, keep_keys
from apisim.gateway.resource_policy import (
    POLICY_ALLOWS,
    POLICY_DENIES,
    TABLE_SAME_ACCOUNT,
    combine,
)
from apisim.gateway.status import Answer

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway

__all__ = ["authorize", "check_credentials"]

_PURPOSES = {
    "transport": Purpose.AUTH_TRANSPORT,
    "service": Purpose.AUTH_SERVICE,
    "init": Purpose.AUTH_INIT,
    "setup": Purpose.AUTH_SETUP,
    "malformed": Purpose.AUTH_MALFORMED,
    "version": Purpose.AUTH_VERSION,
    "error": Purpose.AUTH_ERROR,
}


def authorize(gateway: "Gateway", call: Call, route: Any) -> Process:
    """The Lambda authorizer, or what its cache remembers of this identity."""
    model = gateway.model
    authorizer = model.authorizers[route.authorizer]
    _identify(gateway, call)
    document = UNKNOWN
    if authorizer.line >= 0:
        document = cached_decision(model.store, call.identity, model.now)
    if document == UNKNOWN:
        if befalls(authorizer.invalid, np.uint64(authorizer.invalid_key), call.identity):
            raise Refused(Answer.TOKEN_INVALID)
        document = yield from _ask_function(gateway, call, authorizer)
    decision = combine(document, policy_of(gateway, call), TABLE_SAME_ACCOUNT)
    if decision == POLICY_DENIES:
        raise Refused(Answer.DENIED if document == POLICY_DENIES else Answer.POLICY_DENIED)
    if decision != POLICY_ALLOWS:
        raise Refused(Answer.IMPLICITLY_DENIED)


def _identify(gateway: "Gateway", call: Call) -> None:
    """What the identity sources of a call say together."""
    binding = gateway.binding(call)
    if lacks_identity(binding.identity_missing, gateway.client_hash(call)):
        raise Refused(Answer.NO_IDENTITY)
    call.identity = gateway.key_of(
        call,
        binding.identity_part,
        binding.identity_parts,
        binding.identity_salt,
        "identity_hash",
    )


def _ask_function(gateway: "Gateway", call: Call, authorizer: Any) -> Process:
    """Call the authorizer's function; what its document says of the route."""
    model = gateway.model
    started_ns = model.now
    answer = yield from gateway.call_backend(
        call,
        model.function_backends[authorizer.function],
        authorizer.transport,
        authorizer.timeout_ns,
        _PURPOSES,
    )
    call.authorizer_ns = model.now - started_ns
    if answer != Answer.SERVED:
        raise Refused(Answer.AUTHORIZER_FAILED)
    is_unauthorized = befalls(
        authorizer.unauthorized, np.uint64(authorizer.unauthorized_key), call.identity
    )
    if is_unauthorized or _has_expired(gateway, call):
        raise Refused(Answer.UNAUTHORIZED_BY_FUNCTION)
    document = int(
        document_of(
            authorizer.deny, authorizer.silent, np.uint64(authorizer.deny_key), call.identity
        )
    )
    if authorizer.line >= 0:
        model.make_room()
        keep_decision(model.store, authorizer.line, call.identity, document, model.now)
    return document


def _has_expired(gateway: "Gateway", call: Call) -> bool:
    model = gateway.model
    caller = model.sources[call.source].caller
    sends_token = gateway.binding(call).sends_token
    return bool(is_expired(model.tables.callers, caller, sends_token, call.person, model.now))


def check_credentials(gateway: "Gateway", call: Call, route: Any) -> Process:
    """A token or signature that the gateway checks itself, without a function."""
    model = gateway.model
    authorizer = model.authorizers[route.authorizer]
    if authorizer.kind != AUTH_IAM:
        _identify(gateway, call)
    if authorizer.kind == AUTH_JWT:
        yield from _get_keys(gateway, call, model.state.key_sets[authorizer.key_set])
    check_ns = model.draws.amount(call, model.rules.credential_check, Purpose.CREDENTIAL_CHECK)
    yield from model.wait(call, check_ns, ARRIVAL)
    answer = Answer(_judge(gateway, call, route))
    if answer != Answer.SERVED:
        raise Refused(answer)


def _get_keys(gateway: "Gateway", call: Call, key_set: Any) -> Process:
    """The issuer's keys: at hand, or fetched by every request that finds none."""
    model = gateway.model
    if has_keys(key_set, model.now):
        return
    key_set["fetches"] += 1
    takes_ns = model.draws.amount(call, model.rules.key_set_time, Purpose.KEY_SET)
    limit_ns = model.rules.key_set_timeout_ns
    if takes_ns > limit_ns:
        key_set["failures"] += 1
        yield from model.wait(call, limit_ns, DEADLINE)
        raise Refused(Answer.TOKEN_INVALID)
    yield from model.wait(call, takes_ns, ANSWER)
    keep_keys(key_set, model.now)


def _judge(gateway: "Gateway", call: Call, route: Any) -> int:
    model = gateway.model
    tables, binding = model.tables, gateway.binding(call)
    policy = policy_of(gateway, call)
    holder = 0
    if binding.credential >= 0:
        holder = holder_of(
            tables.credentials[binding.credential],
            call.person,
            model.sources[call.source].kind in (CLOSED, SESSIONS),
            call.user,
            gateway.client_hash(call),
            call.entity,
        )
    if model.authorizers[route.authorizer].kind == AUTH_IAM:
        return signature_answer(
            tables.credentials,
            binding.credential,
            tables.dists,
            tables.dist_values,
            tables.popularities,
            tables.popularity_cells,
            holder,
            model.rules.signature_window_ns,
            policy,
        )
    return token_answer(
        tables.authorizers[route.authorizer],
        tables.credentials,
        binding.credential,
        binding.scopes,
        tables.popularities,
        tables.popularity_cells,
        holder,
        call.identity,
        _has_expired(gateway, call),
        policy,
    )
