"""What each type of API has: the chapter's decision matrix, and AWS's where they differ."""

from typing import Any

import pytest
import yaml

from apisim.scenario import ScenarioError, loads
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


#: The smallest use of each feature that is modelled: where it stands below the API "a", and what.
USES: dict[str, tuple[str, Any]] = {
    "cache": ("stage.cache_cluster_size", "0.5"),
    "usage_plans": ("route.api_key_required", True),
    "validation": ("route.validate", {"reject": "1%"}),
    "private": ("endpoint", "private"),
    "edge": ("endpoint", "edge"),
    "resource_policy": ("resource_policy", [{"effect": "allow"}]),
    "waf": ("stage.waf", {"rules": 1}),
    "cognito": ("authorizer", {"type": "cognito"}),
    "token_authorizer": ("authorizer", {"type": "token", "function": "f"}),
    "jwt": ("authorizer", {"type": "jwt"}),
    "iam": ("authorizer", {"type": "iam"}),
    "mutual_tls": ("mutual_tls", {}),
    "mock": ("route.integration", {"type": "mock"}),
    "default_route": ("default", True),
    "method_throttle": ("route.throttle", {"rate_limit": 1, "burst_limit": 1}),
}


def _scenario(api_type: str, place: str, value: Any) -> str:
    route: dict[str, Any] = {"integration": {"type": "lambda_proxy", "function": "f"}}
    api: dict[str, Any] = {"type": api_type, "stage": {}, "routes": {"GET /x": route}}
    data: dict[str, Any] = {
        "apisim": 1,
        "apis": {"a": api},
        "functions": {"f": {"duration": "1ms"}},
        "traffic": {"web": {"phases": [{"duration": "1s", "rate": 1}], "mix": {"GET /x": 1}}},
    }
    part, _, key = place.rpartition(".")
    if place == "authorizer":
        data["authorizers"] = {"auth": value}
        route["authorizer"] = "auth"
    elif place == "default":
        api["routes"]["$default"] = route
    else:
        {"": api, "stage": api["stage"], "route": route}[part][key] = value
    return yaml.safe_dump(data)


@pytest.mark.parametrize("feature", USES)
@pytest.mark.parametrize("api_type", ["rest", "http"])
def test_the_checks_refuse_what_the_table_says_is_lacking_and_name_who_has_it(
    feature: str, api_type: str
) -> None:
    text = _scenario(api_type, *USES[feature])
    if has_feature(feature, api_type):
        loads(text)
        return
    with pytest.raises(ScenarioError) as found:
        loads(text)
    assert len(found.value.problems) == 1
    said = str(found.value).lower()
    assert api_type in said
    others = {"token_authorizer": "type: request", "cognito": "rest", "default_route": "type: http"}
    assert others.get(feature, "type: rest") in said
