"""What authorizers and user pools did, and whether the place of the throttle mattered.

Counts come from the requests and leave the warm-up out; fetches of keys and sign-ins are read from
the mechanisms' own records and are about the whole run.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from apisim.gateway.status import LEVEL_ANSWERS, Answer
from apisim.results.collect import FinalState
from apisim.results.tally import Measurements, Tally
from apisim.results.wording import counted

__all__ = [
    "AuthorizerStats",
    "SignInStats",
    "authorizer_stats",
    "notes_on_access",
    "sign_in_stats",
]

#: What is answered before a Lambda authorizer is asked, its cache included.
_BEFORE: Final = (
    Answer.SIGN_IN_THROTTLED,
    Answer.MTLS_FAILED,
    Answer.TOO_LARGE,
    Answer.URL_TOO_LONG,
    Answer.HEADERS_TOO_LARGE,
    Answer.WAF_BLOCKED,
    Answer.POLICY_DENIED,
    Answer.POLICY_SILENT,
    Answer.PRIVATE_REFUSED,
    Answer.PREFLIGHT,
    Answer.PREFLIGHT_FAILED,
    Answer.NO_IDENTITY,
    Answer.TOKEN_INVALID,
    Answer.UNAVAILABLE,
)
_DENIED: Final = (Answer.DENIED, Answer.IMPLICITLY_DENIED, Answer.IAM_DENIED)
_MISSING: Final = (Answer.NO_IDENTITY, Answer.IAM_MISSING)
_INVALID: Final = (Answer.TOKEN_INVALID, Answer.BAD_SIGNATURE)
_EXPIRED: Final = (Answer.TOKEN_EXPIRED, Answer.SIGNATURE_EXPIRED)
_NO_SCOPE: Final = (Answer.SCOPE_MISSING, Answer.SCOPE_MISSING_COGNITO)
#: What authentication and authorization refuse.
_REFUSED: Final = (
    *_DENIED,
    *_MISSING,
    *_INVALID,
    *_EXPIRED,
    *_NO_SCOPE,
    Answer.UNAUTHORIZED_BY_FUNCTION,
    Answer.AUTHORIZER_FAILED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizerStats:
    """One authorizer over all APIs that use it, after the warm-up, summed.

    Attributes
    ----------
    hits : int
        Requests decided by a result kept from before; Lambda authorizers only.
    invocations : int
        Requests for which the function was called.
    denied, no_identity, failed : int
        Requests refused by its decision, for want of an identity, and because the call failed.
    unauthorized : int
        Requests for which its function raised ``Unauthorized``.
    invalid, expired, scope_missing : int
        Requests with a token or signature that is wrong, too old, or not good for the route.
    key_set_fetches, key_set_failures : int
        Fetches of an issuer's keys, and those that took too long; whole run.
    """

    hits: int
    invocations: int
    denied: int
    no_identity: int
    failed: int
    unauthorized: int = 0
    invalid: int = 0
    expired: int = 0
    scope_missing: int = 0
    key_set_fetches: int = 0
    key_set_failures: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The numbers by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInStats:
    """One population whose user pool has a quota, whole run, summed over replications.

    Attributes
    ----------
    quota_rps : float
        Sign-ins and refreshes that are granted in a second [1/s].
    sign_ins, refreshes : int
        Tokens that were issued to users without one, and in the place of an older one.
    refused : int
        Requests for a token above the quota; the call that needed it was not made.
    """

    quota_rps: float
    sign_ins: int
    refreshes: int
    refused: int

    def to_dict(self) -> dict[str, Any]:
        """The numbers by name."""
        return asdict(self)


def authorizer_stats(
    measurements: Measurements, states: Sequence[FinalState]
) -> dict[str, AuthorizerStats]:
    """By authorizer."""
    program = measurements.program
    stats = {}
    for name, authorizer in program.scenario.authorizers.items():
        tallies = _tallies(measurements, name)
        invocations = sum(tally.sums["authorizer_calls"] for tally in tallies)
        reached = _reached(measurements, tallies)
        sets = [at for at, (_, user) in enumerate(program.names.key_sets) if user == name]
        stats[name] = AuthorizerStats(
            hits=reached - invocations if authorizer.is_lambda else 0,
            invocations=invocations,
            denied=_sum(tallies, _DENIED),
            no_identity=_sum(tallies, _MISSING),
            failed=_sum(tallies, (Answer.AUTHORIZER_FAILED,)),
            unauthorized=_sum(tallies, (Answer.UNAUTHORIZED_BY_FUNCTION,)),
            invalid=_sum(tallies, _INVALID),
            expired=_sum(tallies, _EXPIRED),
            scope_missing=_sum(tallies, _NO_SCOPE),
            key_set_fetches=sum(int(state.key_sets["fetches"][sets].sum()) for state in states),
            key_set_failures=sum(int(state.key_sets["failures"][sets].sum()) for state in states),
        )
    return stats


def sign_in_stats(
    measurements: Measurements, states: Sequence[FinalState]
) -> dict[str, SignInStats]:
    """By population; only those with a quota."""
    program = measurements.program
    stats = {}
    for at, name in enumerate(program.names.pools):
        quota = program.scenario.populations[name].sign_in_quota
        assert quota is not None
        rows = [state.sign_ins[at] for state in states]
        stats[name] = SignInStats(
            quota_rps=float(quota),
            sign_ins=sum(int(row["sign_ins"]) for row in rows),
            refreshes=sum(int(row["refreshes"]) for row in rows),
            refused=sum(int(row["refused"]) for row in rows),
        )
    return stats


def notes_on_access(measurements: Measurements) -> list[str]:
    """Authorizers that nobody has an identity for, and what hangs on their place in the order."""
    return [*_notes_on_strangers(measurements), *_notes_on_order(measurements)]


def _notes_on_order(measurements: Measurements) -> list[str]:
    """Where the result hangs on which comes first, the throttle or authentication.

    Only routes with an authorizer are counted: elsewhere, preflights included, nothing hangs on it.
    """
    program = measurements.program
    if not program.names.buckets:
        return []
    tallies = [
        measurements.select(api=api, route=key)
        for api, key in program.names.routes
        if (route := program.scenario.apis[api].routes.get(key)) and route.authorizer
    ]
    refused, throttled = _sum(tallies, _REFUSED), _sum(tallies, LEVEL_ANSWERS)
    if not refused and not throttled:
        return []
    if program.scenario.settings.throttle_before_auth:
        return [
            f"throttle_before_auth is on: {counted(throttled, 'throttled request')} asked no "
            f"authorizer, {counted(refused, 'request')} refused by one had spent tokens"
        ]
    return [
        f"throttle_before_auth is off: {counted(refused, 'request')} refused by an authorizer "
        f"spent no tokens, {counted(throttled, 'throttled request')} had passed one; AWS documents "
        "neither order"
    ]


def _notes_on_strangers(measurements: Measurements) -> list[str]:
    """Authorizers that nobody has an identity for, which is hardly ever meant."""
    program = measurements.program
    notes = []
    for name, authorizer in program.scenario.authorizers.items():
        tallies = _tallies(measurements, name)
        missing = _sum(tallies, _MISSING)
        if missing and not _reached(measurements, tallies):
            sent = next(iter(authorizer.identity_sources), "header.authorization")
            notes.append(
                f"nobody has an identity for authorizer {name}: {counted(missing, 'request')} "
                f"refused (401); write values: {{{sent}: ...}} under their traffic, or of: a "
                "population"
            )
    return notes


def _tallies(measurements: Measurements, authorizer: str) -> list[Tally]:
    """Of the routes that an authorizer guards."""
    program = measurements.program
    return [
        measurements.select(api=api, route=key)
        for api, key in program.names.routes
        if (route := program.scenario.apis[api].routes.get(key)) and route.authorizer == authorizer
    ]


def _reached(measurements: Measurements, tallies: Sequence[Tally]) -> int:
    """Requests that came to their authorizer."""
    before: tuple[Answer, ...] = _BEFORE
    if measurements.program.scenario.settings.throttle_before_auth:
        before = (*_BEFORE, *LEVEL_ANSWERS)
    return sum(tally.requests - _count(tally, before) for tally in tallies)


def _count(tally: Tally, answers: Sequence[Answer]) -> int:
    return sum(int(tally.by_answer[answer]) for answer in answers)


def _sum(tallies: Sequence[Tally], answers: Sequence[Answer]) -> int:
    return sum(_count(tally, answers) for tally in tallies)
