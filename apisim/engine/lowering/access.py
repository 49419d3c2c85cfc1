"""Who may call, as arrays: authorizers of stages, and what the callers of each source show them."""

import numpy as np
from numpy.typing import NDArray

from apisim.draws.discrete import WeightedKeys
from apisim.engine.caller_tables import CREDENTIAL_DTYPE
from apisim.engine.calls import NEVER_SENT, SENT, SENT_IF_KNOWN
from apisim.engine.credentials import AUTH_COGNITO, AUTH_IAM, AUTH_JWT, AUTH_LAMBDA
from apisim.engine.lowering.context import Context, name_hash
from apisim.engine.tables import (
    AUTHORIZER_DTYPE,
    GATE_AUTH,
    GATE_CREDENTIALS,
    GATE_SIGN_IN,
    NONE,
)
from apisim.scenario.api import Api
from apisim.scenario.authorizers import ROUTE_KEY
from apisim.scenario.traffic import Source

__all__ = [
    "Credentials",
    "authorizer_row",
    "gates_of",
    "identity_parameters",
    "identity_salt",
    "is_token",
    "missing",
    "scope_mask",
]

_KINDS = {
    "token": AUTH_LAMBDA,
    "request": AUTH_LAMBDA,
    "cognito": AUTH_COGNITO,
    "jwt": AUTH_JWT,
    "iam": AUTH_IAM,
}


class Credentials:
    """Rows of the credentials under construction, one for each source that has some."""

    def __init__(self) -> None:
        self.rows: list[NDArray[np.void]] = []
        #: What the streams of each row are named after: a population or a source.
        self.owners: list[str] = []
        self._known: dict[str, int] = {}

    def table(self) -> NDArray[np.void]:
        """``CREDENTIAL_DTYPE[n]``, at least one row."""
        return np.concatenate(self.rows) if self.rows else np.zeros(1, CREDENTIAL_DTYPE)

    def row_of(self, context: Context, name: str, source: Source, first_person: int) -> int:
        """Row of a source's credentials, or ``NONE`` where nothing can be wrong with them."""
        if name in self._known:
            return self._known[name]
        population = context.scenario.populations.get(source.of or "")
        scopes = source.scopes or (population.scopes if population is not None else None)
        spec = source.credentials
        if spec is None and scopes is None:
            return NONE
        row = np.zeros(1, CREDENTIAL_DTYPE)
        row["skew"] = row["policy"] = row["scopes"] = NONE
        row["first_person"] = first_person
        if scopes is not None:
            row["scopes"] = context.popularities.add(WeightedKeys(scopes.weights))
        if spec is not None:
            row["missing"], row["bad"] = spec.missing, spec.bad_signature
            row["cross"] = int(spec.account == "cross")
            if spec.clock_skew is not None:
                row["skew"] = context.dists.add(spec.clock_skew)
            if any(spec.policy[1:]):
                row["policy"] = context.popularities.add(WeightedKeys(spec.policy))
        self._known[name] = len(self.rows)
        self.rows.append(row)
        self.owners.append(f"source/{name}" if source.of is None else f"population/{source.of}")
        return self._known[name]

    def none_shown(self, name: str) -> int:
        """Row of a source's preflights, which are signed by nobody."""
        owner = f"preflights of {name}"
        if owner not in self._known:
            row = np.zeros(1, CREDENTIAL_DTYPE)
            row["skew"] = row["policy"] = row["scopes"] = NONE
            row["missing"] = 1.0
            self._known[owner] = len(self.rows)
            self.rows.append(row)
            self.owners.append(f"source/{name}/preflights")
        return self._known[owner]


def scope_mask(context: Context, api: str, route: str, source: Source) -> int:
    """A bit for each set of scopes of the source's callers that is good for the route."""
    wanted = set(context.scenario.apis[api].every_route[route].scopes)
    population = context.scenario.populations.get(source.of or "")
    scopes = source.scopes or (population.scopes if population is not None else None)
    if not wanted or scopes is None:
        return NONE
    return sum(1 << at for at, one in enumerate(scopes.sets) if one & wanted)


def gates_of(context: Context, api: str, route: str, source: Source) -> int:
    """Bits of the gates that authentication needs on a route."""
    name = context.scenario.apis[api].every_route[route].authorizer
    if name is None:
        return 0
    authorizer = context.scenario.authorizers[name]
    gates = GATE_AUTH if authorizer.is_lambda else GATE_CREDENTIALS
    population = context.scenario.populations.get(source.of or "")
    if population is not None and population.sign_in_quota is not None:
        parameters = identity_parameters(context, api, route)
        if any(is_token(source, parameter) for parameter in parameters):
            gates |= GATE_SIGN_IN
    return gates


def identity_parameters(context: Context, api: str, route: str) -> list[str]:
    """Parameters that make up the identity on a route."""
    name = context.scenario.apis[api].every_route[route].authorizer
    if name is None or context.scenario.authorizers[name].type == "iam":
        return []
    sources = context.scenario.authorizers[name].identity_sources
    return sorted(parameter for parameter in sources if parameter != ROUTE_KEY)


def identity_salt(context: Context, api: str, route: str) -> int:
    """What tells the identities of different authorizers (and routes) apart."""
    stage = context.scenario.apis[api].stage.name
    name = context.scenario.apis[api].every_route[route].authorizer or ""
    authorizer = context.scenario.authorizers.get(name)
    if authorizer is not None and ROUTE_KEY in authorizer.identity_sources:
        return name_hash("identity", api, stage, name, route)
    return name_hash("identity", api, stage, name)


def missing(context: Context, api: str, route: str, source: Source) -> int:
    """Whether the identity sources reach the authorizer."""
    spec = context.scenario.apis[api]
    authorizer = context.scenario.authorizers.get(spec.every_route[route].authorizer or "")
    is_rest_request = (
        authorizer is not None and authorizer.type == "request" and spec.type == "rest"
    )
    # Optional where no results are kept (developer guide, "Configure a Lambda authorizer").
    if authorizer is not None and is_rest_request and authorizer.ttl_on("rest") == 0:
        return SENT
    parameters = identity_parameters(context, api, route)
    if source.trace is not None:
        is_header = any(parameter.startswith("header.") for parameter in parameters)
        return SENT_IF_KNOWN if is_header else SENT
    is_sent = all(p in source.values or is_token(source, p) for p in parameters)
    return SENT if is_sent else NEVER_SENT


def is_token(source: Source, parameter: str) -> bool:
    """Whether a parameter is the token of a person of the source's population."""
    is_its = parameter == "header.authorization" and source.of is not None
    return is_its and parameter not in source.values


def authorizer_row(
    context: Context, functions: tuple[str, ...], api: Api, name: str
) -> NDArray[np.void]:
    """One authorizer of one stage; its line and its key set are filled in by the caller."""
    spec, settings = context.scenario.authorizers[name], context.scenario.settings
    row = np.zeros(1, AUTHORIZER_DTYPE)
    row["kind"] = _KINDS[spec.type]
    row["function"] = NONE if spec.function is None else functions.index(spec.function)
    row["transport"] = context.dists.add(settings.lambda_transport)
    limits = settings.authorizer_timeout
    row["timeout_ns"] = limits.http if api.type == "http" else limits.rest
    row["deny"], row["silent"] = spec.deny_identities, spec.silent_identities
    row["unauthorized"] = spec.unauthorized
    row["invalid"] = spec.invalid_tokens if spec.checks_tokens else spec.identity_validation
    expires = any(population.never_refresh for population in context.scenario.populations.values())
    row["careful"] = int(
        expires or spec.silent_identities + spec.unauthorized + spec.identity_validation > 0
    )
    row["line"] = row["key_set"] = NONE
    return row
