"""What each type of API has: the chapter's decision matrix, and AWS's where they differ."""

import pytest

from apisim.scenario.features import FEATURES, TYPES, has_feature, lacks

#: The chapter's decision matrix, written out: REST, HTTP, WebSocket.
CHAPTER = {
    "cache": (True, False, False),
    "usage_plans": (True, False, False),
    "validation": (True, False, False),
    "mapping": (True, False, False),
    "jwt": (True, True, True),
    "private": (True, False, False),
}
#: Where AWS's documentation says otherwise, and what: WebSocket APIs can ask for keys on $connect,
#: validate and map messages of routes that are no proxies, and have no JWT authorizers.
CORRECTED = {
    "usage_plans": (True, False, True),
    "validation": (True, False, True),
    "mapping": (True, False, True),
    "jwt": (True, True, False),
}
#: What the chapter's list of HTTP APIs leaves out, from the page that compares the two.
HTTP_LACKS = ("waf", "resource_policy", "tracing", "execution_log", "canary", "mock", "private")


@pytest.mark.parametrize("feature", CHAPTER)
@pytest.mark.parametrize("profile", ["chapter", "aws", "ideal"])
def test_the_decision_matrix_is_the_chapter_s_under_its_profile(feature: str, profile: str) -> None:
    expected = (
        CHAPTER[feature] if profile == "chapter" else CORRECTED.get(feature, CHAPTER[feature])
    )
    assert tuple(has_feature(feature, kind, profile) for kind in TYPES) == expected


@pytest.mark.parametrize("feature", HTTP_LACKS)
def test_http_apis_lack_what_rest_apis_have(feature: str) -> None:
    assert has_feature(feature, "rest")
    found = lacks(feature, "http")
    assert found is not None
    message, hint = found
    assert message == f"HTTP APIs have no {FEATURES[feature].words}"
    assert hint == "use type: rest, or remove this key"


def test_what_a_type_has_is_not_refused() -> None:
    assert lacks("cache", "rest") is None
    assert lacks("default_route", "http") is None
    found = lacks("default_route", "rest")
    assert found is not None
    assert found[1].startswith("use type: http")


def test_every_row_names_its_source() -> None:
    assert all(row.source and row.words for row in FEATURES.values())
