"""Route keys, mix keys and parameters."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisim.scenario.routes import (
    RouteKey,
    can_match,
    parse_mix_key,
    parse_parameter,
    parse_route_key,
)
from apisim.scenario.units import UnitError


def test_a_route_key_has_a_method_a_path_and_parameters() -> None:
    key = parse_route_key("GET /users/{userId}/files/{proxy+}")
    assert key == RouteKey("GET", "/users/{userId}/files/{proxy+}")
    assert key.segments == ("users", "{userId}", "files", "{proxy+}")
    assert key.parameters == ("userId", "proxy")
    assert key.is_greedy
    assert str(key) == "GET /users/{userId}/files/{proxy+}"


def test_the_root_and_the_default_route_have_no_segments() -> None:
    assert parse_route_key("ANY /").segments == ()
    assert parse_route_key("$default") == RouteKey("$default", "")
    assert str(parse_route_key("$default")) == "$default"


def test_routes_that_differ_in_parameter_names_only_have_one_shape() -> None:
    assert parse_route_key("GET /a/{x}").shape == parse_route_key("GET /a/{y}").shape
    assert parse_route_key("GET /a/{x}").shape != parse_route_key("GET /a/{x+}").shape


@pytest.mark.parametrize(
    "text",
    ["", "GET", "GET ", "get /a", "FETCH /a", "GET a", "GET /a b", "GET /a//b", "GET /a?b=1",
     "GET /{a}{b}", "GET /{}", "GET /{a+}/b", "GET /{a}/{a}", "/a", "GET /" + "a" * 3_000],
)  # fmt: skip
def test_what_is_no_route_is_refused(text: str) -> None:
    with pytest.raises(UnitError):
        parse_route_key(text)


@pytest.mark.parametrize(
    ("text", "api", "stage", "route"),
    [
        ("GET /a", None, None, "GET /a"),
        ("shop GET /a/{x}", "shop", None, "GET /a/{x}"),
        ("shop/prod  POST  /a/7", "shop", "prod", "POST /a/7"),
        ("shop/$default GET /a", "shop", "$default", "GET /a"),
        ("$default", None, None, "$default"),
        ("shop $default", "shop", None, "$default"),
    ],
)
def test_a_mix_key_may_name_api_and_stage(
    text: str, api: str | None, stage: str | None, route: str
) -> None:
    key = parse_mix_key(text)
    assert (key.api, key.stage, str(key.route)) == (api, stage, route)


@pytest.mark.parametrize("text", ["", "shop", "a b GET /x", "/prod GET /x", "shop/ GET /x", "GET"])
def test_what_is_no_mix_key_is_refused(text: str) -> None:
    with pytest.raises(UnitError):
        parse_mix_key(text)


@pytest.mark.parametrize(
    ("route", "wanted", "matches"),
    [
        ("GET /a/{x}", "GET /a/7", True),
        ("GET /a/{x}", "GET /a/{x}", True),
        ("GET /a/{x}", "GET /a/{y}", False),
        ("GET /a/{x}", "GET /a/7/8", False),
        ("GET /a/{x}", "GET /a/", False),
        ("GET /a/{x}", "POST /a/7", False),
        ("ANY /a/{x}", "POST /a/7", True),
        ("ANY /a/{x}", "ANY /a/{x}", True),
        ("ANY /{proxy+}", "GET /a/{x}/b", True),
        ("ANY /{proxy+}", "GET /", False),
        ("GET /", "GET /", True),
        ("$default", "GET /anything", True),
        ("$default", "$default", True),
        ("GET /a", "$default", False),
    ],
)
def test_a_mix_reaches_the_routes_that_match(route: str, wanted: str, matches: bool) -> None:
    assert can_match(parse_route_key(route), parse_route_key(wanted)) is matches


SEGMENT = st.sampled_from(["a", "b", "7"])


@given(
    st.lists(st.sampled_from(["a", "b", "{x}", "{y}"]), max_size=3, unique=True),
    st.booleans(),
    st.lists(SEGMENT, max_size=4),
)
def test_concrete_paths_match_as_a_regular_expression_would(
    template: list[str], is_greedy: bool, path: list[str]
) -> None:
    steps = [*template, "{rest+}"] if is_greedy else template
    pattern = "/" + "/".join(steps)
    pattern = re.sub(r"\{\w+\+\}", "(.+)", re.sub(r"\{\w+\}", "([^/]+)", pattern))
    route, wanted = f"GET /{'/'.join(steps)}", f"GET /{'/'.join(path)}"
    expected = re.fullmatch(pattern, f"/{'/'.join(path)}") is not None
    assert can_match(parse_route_key(route), parse_route_key(wanted)) is expected


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("path.userId", "path.userId"),
        ("method.request.path.userId", "path.userId"),
        ("integration.request.querystring.q", "querystring.q"),
        ("$request.header.X-Token", "header.x-token"),
        ("method.request.header.Authorization", "header.authorization"),
        ("querystring.Q", "querystring.Q"),
    ],
)
def test_a_parameter_has_one_short_form(text: str, short: str) -> None:
    assert parse_parameter(text) == short


@pytest.mark.parametrize("value", ["", "path", "path.", "cookie.a", "body.x", 3, None, "path.a b"])
def test_what_is_no_parameter_is_refused(value: object) -> None:
    with pytest.raises(UnitError):
        parse_parameter(value)


@pytest.mark.parametrize("value", ["$context.routeKey", "stageVariables.x", "context.identity"])
def test_context_and_stage_variables_are_not_modelled_yet(value: str) -> None:
    with pytest.raises(UnitError, match="not modelled yet"):
        parse_parameter(value)
