"""Hypothesis strategies for authorizers and for what callers show to them."""

from typing import Any, Final

from tests.equivalence.drawing import Drawing

__all__ = [
    "SCOPES",
    "draw_access_settings",
    "draw_authorizers",
    "draw_credentials",
    "usable_authorizers",
]

_IDENTITIES: Final = ("header.authorization", "header.x-client", "querystring.q", "path.id")
_ROUTE_KEY: Final = "context.routeKey"
#: Scopes of the tokens of a population or source.
SCOPES: Final = ({"read": 3, "read write": 1, "": 1}, {"write": 1, "admin": 1}, "read")
_SHARES: Final = ("30%", "10%", "100%")


def draw_authorizers(drawing: Drawing, functions: list[str]) -> dict[str, Any]:
    """None to four authorizers of all types."""
    authorizers: dict[str, Any] = {}
    for at in range(drawing.one(2, 1, 3, 0, 4)):
        kind = drawing.one("request", "jwt", "iam", "token", "jwt", "cognito", "request", "iam")
        spec: dict[str, Any] = {"type": kind}
        if kind in ("token", "request"):
            spec["function"] = drawing.one(*reversed(functions))
            _decide(drawing, spec)
        elif kind in ("cognito", "jwt"):
            drawing.optional(spec, 25, "invalid_tokens", *_SHARES)
            if drawing.maybe(30):
                spec["identity_sources"] = [drawing.one(*_IDENTITIES[:2])]
        authorizers[f"auth{at}"] = spec
    return authorizers


def _decide(drawing: Drawing, spec: dict[str, Any]) -> None:
    """What a Lambda authorizer keeps, and what its function says."""
    ttls = ("1ms", "2ms", "0s", "50ms") if drawing.is_crowded else ("50ms", "10ms", "0s", "300s")
    drawing.optional(spec, 100 if drawing.is_exact else 80, "ttl", *ttls)
    drawing.optional(spec, 40, "deny_identities", "30%", "60%", "0.5%", "30%", "100%")
    if spec.get("deny_identities") != "100%":
        drawing.optional(spec, 60, "silent_identities", "40%", "30%", "10%")
    drawing.optional(spec, 40, "unauthorized", *_SHARES)
    if spec["type"] == "token":
        drawing.optional(spec, 30, "identity_validation", *_SHARES)
    if spec["type"] == "request" and drawing.maybe(60):
        chosen = [drawing.one(*_IDENTITIES) for _ in range(drawing.one(1, 2))]
        spec["identity_sources"] = list(dict.fromkeys(chosen))
        if drawing.maybe(25):
            spec["identity_sources"].append(_ROUTE_KEY)
        if spec.get("ttl") == "0s" and drawing.maybe(30):
            spec["identity_sources"] = []
    elif drawing.maybe(20):
        spec["identity_sources"] = [drawing.one(*_IDENTITIES[:2])]


def usable_authorizers(authorizers: dict[str, Any], *, is_rest: bool) -> list[str]:
    """Those that an API of a type may use."""
    if is_rest:
        return [
            name
            for name, spec in authorizers.items()
            if _ROUTE_KEY not in spec.get("identity_sources", ())
        ]
    return [name for name, spec in authorizers.items() if spec["type"] not in ("token", "cognito")]


def draw_credentials(drawing: Drawing, of: dict[str, Any]) -> dict[str, Any]:
    """How the callers of a source sign, and the scopes of their tokens."""
    shown: dict[str, Any] = {}
    if drawing.maybe(75):
        shown["credentials"] = credentials = {}
        drawing.optional(credentials, 50, "missing", *_SHARES[:2])
        drawing.optional(credentials, 50, "bad_signature", *_SHARES[:2])
        drawing.optional(credentials, 60, "clock_skew", {"uniform": ["0s", "10m"]}, "301s", "5m")
        policies = ({"allow": 2, "silent": 1, "deny": 1}, "silent", "deny", "allow")
        drawing.optional(credentials, 60, "policy", *policies)
        drawing.optional(credentials, 30, "account", "cross", "same")
    if "scopes" not in of:
        drawing.optional(shown, 50, "scopes", *SCOPES)
    return shown


def draw_access_settings(drawing: Drawing, chosen: dict[str, Any]) -> None:
    """Settings of tokens, keys and signatures."""
    drawing.optional(chosen, 25, "throttle_before_auth", True, False)
    for key in ("credential_check_time", "key_set_time", "sign_in_time"):
        if drawing.is_exact or drawing.maybe(40):
            chosen[key] = drawing.time()
    if drawing.is_exact:
        chosen["key_set_timeout"] = "60ms"
    else:
        drawing.optional(chosen, 30, "key_set_timeout", "1ms", "2ms", "1500ms")
    lifetimes = ("1s", {"rest": "1s"}, {"http": "2s"}, "1h")
    drawing.optional(chosen, 30, "key_set_lifetime", *lifetimes)
    drawing.optional(chosen, 30, "signature_window", "1s", "10m")
    drawing.optional(chosen, 30, "sign_in_burst", "10ms", "1s", "100ms")
