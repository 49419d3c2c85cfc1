"""What each type of API has: one table, for the checks, the documentation and the tests.

Sources are AWS's "Choose between REST APIs and HTTP APIs" and "Overview of WebSocket APIs" unless a
row says otherwise. The chapter has a decision matrix of its own; where it differs from AWS, its
cells stand beside, and ``profile: chapter`` goes by them.
"""

from typing import Final, NamedTuple

__all__ = ["FEATURES", "TYPES", "Feature", "has_feature", "lacks"]

#: Types of APIs in the order of the columns.
TYPES: Final = ("rest", "http", "websocket")
_NAMES: Final = {"rest": "REST APIs", "http": "HTTP APIs", "websocket": "WebSocket APIs"}
_BOTH: Final = 'developer guide, "Choose between REST APIs and HTTP APIs"'
_WEBSOCKET: Final = 'developer guide, "WebSocket APIs"'


class Feature(NamedTuple):
    """One row of the table.

    Attributes
    ----------
    words : str
        What it is called in sentences: "HTTP APIs have no ...".
    rest, http, websocket : bool
        Whether the type has it.
    source : str
        Where that is said.
    chapter : tuple of bool or None
        The chapter's cells, in the same order, where its matrix has the row.
    """

    words: str
    rest: bool
    http: bool
    websocket: bool
    source: str = _BOTH
    chapter: tuple[bool, bool, bool] | None = None

    def cells(self, profile: str) -> tuple[bool, bool, bool]:
        """Which types have it, by profile."""
        if profile == "chapter" and self.chapter is not None:
            return self.chapter
        return self.rest, self.http, self.websocket


#: Rows by the name that code uses; the first five are rows of the chapter's matrix.
FEATURES: Final[dict[str, Feature]] = {
    "cache": Feature("response cache", True, False, False, chapter=(True, False, False)),
    "usage_plans": Feature(
        # A WebSocket API's $connect may ask for a key of a usage plan.
        "usage plans or API keys",
        True,
        False,
        True,
        _WEBSOCKET,
        chapter=(True, False, False),
    ),
    "validation": Feature(
        # Models of WebSocket APIs validate the message of a route that is no proxy.
        "request validation",
        True,
        False,
        True,
        _WEBSOCKET,
        chapter=(True, False, False),
    ),
    "mapping": Feature(
        "mapping templates", True, False, True, _WEBSOCKET, chapter=(True, False, False)
    ),
    "jwt": Feature(
        # REST APIs have them since November 2026; $connect takes IAM or a Lambda authorizer.
        "JWT authorizers",
        True,
        True,
        False,
        'developer guide, "JWT authorizers for REST APIs", 2026',
        chapter=(True, True, True),
    ),
    "private": Feature("private endpoints", True, False, False, chapter=(True, False, False)),
    "edge": Feature("edge-optimized endpoints", True, False, False),
    "resource_policy": Feature("resource policies", True, False, False),
    "waf": Feature("AWS WAF", True, False, False),
    "cognito": Feature("Cognito authorizers", True, False, False),
    "token_authorizer": Feature("token authorizers", True, False, False),
    "iam": Feature("IAM authorization", True, True, True),
    "mutual_tls": Feature("mutual TLS", True, True, False),
    "cors": Feature("automatic answers to preflights", False, True, False),
    "canary": Feature("canary releases", True, False, False),
    "mock": Feature("mock integrations", True, False, True),
    "default_route": Feature("$default routes", False, True, True),
    "method_throttle": Feature("throttles of single routes", True, True, True),
    "tracing": Feature("X-Ray tracing", True, False, False),
    "execution_log": Feature("execution logs", True, False, True),
    "streaming": Feature(
        "streamed answers", True, False, False, 'developer guide, "Stream the integration response"'
    ),
    "compression": Feature("payload compression", True, False, False),
}


def has_feature(feature: str, api_type: str, profile: str = "aws") -> bool:
    """Whether APIs of a type have a feature.

    Examples
    --------
    >>> has_feature("jwt", "websocket"), has_feature("jwt", "websocket", "chapter")
    (False, True)
    """
    return FEATURES[feature].cells(profile)[TYPES.index(api_type)]


def lacks(feature: str, api_type: str, profile: str = "aws") -> tuple[str, str] | None:
    """Message and hint where a type of API lacks a feature; None where it has it.

    Examples
    --------
    >>> lacks("validation", "http")
    ('HTTP APIs have no request validation', 'use type: rest, or remove this key')
    """
    if has_feature(feature, api_type, profile):
        return None
    row = FEATURES[feature]
    owners = [name for name in TYPES if has_feature(feature, name, profile)]
    message = f"{_NAMES[api_type]} have no {row.words}"
    if not owners:
        return message, "remove this key"
    # WebSocket APIs are no stand-in for the other two.
    use = owners[0]
    return message, f"use type: {use}, or remove this key"
