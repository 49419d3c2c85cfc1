"""Which route answers: the tables AWS and others published, and the rules at the edges."""

import pytest

from apisim.gateway.routing import METHODS, Match, Router

PETS = ["GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"]


def answered_by(router: Router, keys: list[str], request: str) -> str | None:
    method, path = request.split(" ")
    match = router.match(method, path)
    return None if match is None else keys[match.route_index]


@pytest.mark.parametrize(
    ("request_line", "route"),
    [
        # AWS developer guide, "Create routes for HTTP APIs", worked example
        ("GET /pets/dog/1", "GET /pets/dog/1"),
        ("GET /pets/dog/2", "GET /pets/dog/{id}"),
        ("GET /pets/cat/1", "GET /pets/{proxy+}"),
        ("POST /test/5", "ANY /{proxy+}"),
    ],
)
def test_http_follows_the_worked_example_of_aws(request_line: str, route: str) -> None:
    for keys in (PETS, PETS[::-1]):
        assert answered_by(Router("http", keys), keys, request_line) == route


@pytest.mark.parametrize(
    ("request_line", "route"),
    [
        # measured on the real service, eu-central-1: ministackorg/ministack pull request 1423
        ("GET /jobs/reboot", "GET /jobs/{operation_type}"),
        ("GET /jobs", "ANY /{proxy+}"),
        ("POST /jobs", "ANY /{proxy+}"),
        ("POST /jobs/reboot", "ANY /{proxy+}"),
        ("GET /cors_only", "ANY /{proxy+}"),
        ("OPTIONS /cors_only", "OPTIONS /cors_only"),
    ],
)
def test_rest_looks_for_resource_and_method_together(request_line: str, route: str) -> None:
    keys = ["ANY /{proxy+}", "GET /jobs/{operation_type}", "OPTIONS /cors_only"]
    assert answered_by(Router("rest", keys), keys, request_line) == route


@pytest.mark.parametrize(
    ("request_line", "route"),
    [
        # measured on the real service, us-west-2: floci-io/floci pull request 3399
        ("GET /users/me", "GET /users/{userId}"),
        ("PATCH /users/me", "PATCH /users/me"),
        ("GET /users/abc123", "GET /users/{userId}"),
        ("POST /users/me", None),
        ("POST /roles/provision", "POST /roles/provision"),
        ("GET /roles/provision", "GET /roles/{roleId}"),
        ("GET /things/real", "GET /things/real"),
        ("POST /things/real", "ANY /things/{proxy+}"),
    ],
)
def test_rest_falls_back_to_a_sibling_with_the_method(request_line: str, route: str) -> None:
    keys = [
        "GET /users/{userId}",
        "PATCH /users/me",
        "POST /roles/provision",
        "GET /roles/{roleId}",
        "GET /things/real",
        "ANY /things/{proxy+}",
    ]
    assert answered_by(Router("rest", keys), keys, request_line) == route


@pytest.mark.parametrize("api_type", ["rest", "http"])
def test_a_dead_end_is_left_again(api_type: str) -> None:
    keys = ["GET /a/{x}/c", "GET /a/b/{y}/d"]
    router = Router(api_type, keys)
    assert router.match("GET", "/a/b/c") == Match(0, {"x": "b"})
    assert router.match("GET", "/a/b/q/d") == Match(1, {"y": "q"})
    assert router.match("GET", "/a/b/q/e") is None


@pytest.mark.parametrize("api_type", ["rest", "http"])
def test_the_literal_branch_wins_where_both_lead_to_a_route(api_type: str) -> None:
    keys = ["GET /a/{x}/c", "GET /a/b/{y}"]
    router = Router(api_type, keys)
    assert router.match("GET", "/a/b/c") == Match(1, {"y": "c"})
    assert router.match("GET", "/a/b/d") == Match(1, {"y": "d"})
    assert router.match("GET", "/a/q/c") == Match(0, {"x": "q"})


def test_a_full_match_beats_a_greedy_one_on_http_but_not_the_nearer_branch_on_rest() -> None:
    keys = ["GET /{owner}/{pet}", "GET /pets/{proxy+}"]
    assert answered_by(Router("http", keys), keys, "GET /pets/dog") == "GET /{owner}/{pet}"
    assert answered_by(Router("rest", keys), keys, "GET /pets/dog") == "GET /pets/{proxy+}"


@pytest.mark.parametrize("api_type", ["rest", "http"])
def test_a_method_beats_any_and_any_means_the_seven_methods(api_type: str) -> None:
    keys = ["ANY /a", "GET /a"]
    router = Router(api_type, keys)
    assert answered_by(router, keys, "GET /a") == "GET /a"
    for method in METHODS - {"GET"}:
        assert answered_by(router, keys, f"{method} /a") == "ANY /a"
    for method in ("TRACE", "get", "PROPFIND", "ANY"):
        assert answered_by(router, keys, f"{method} /a") is None


@pytest.mark.parametrize("api_type", ["rest", "http"])
def test_greedy_needs_something_to_take_and_takes_it_as_sent(api_type: str) -> None:
    router = Router(api_type, ["ANY /files/{path+}"])
    assert router.match("GET", "/files") is None
    assert router.match("GET", "/") is None
    assert router.match("GET", "/files/a") == Match(0, {"path": "a"})
    assert router.match("GET", "/files/a//b%2F/?q=/x") == Match(0, {"path": "a//b%2F/"})
    everything = Router(api_type, ["ANY /{proxy+}"])
    assert everything.match("GET", "/") is None
    assert everything.match("GET", "//favicon.ico") == Match(0, {"proxy": "/favicon.ico"})


def test_a_trailing_slash_is_nothing_on_rest() -> None:
    keys = ["GET /", "GET /todos", "GET /todos/{id}", "GET /files/{proxy+}"]
    router = Router("rest", keys)
    assert answered_by(router, keys, "GET /todos/") == "GET /todos"
    assert router.match("GET", "/todos/7/") == Match(2, {"id": "7"})
    assert router.match("GET", "/files/") is None
    assert router.match("GET", "/files/x/") == Match(3, {"proxy": "x/"})
    assert answered_by(router, keys, "GET /") == "GET /"


def test_a_trailing_slash_is_an_empty_segment_on_http() -> None:
    keys = ["GET /", "GET /todos", "GET /todos/{id}", "GET /files/{proxy+}"]
    router = Router("http", keys)
    assert router.match("GET", "/todos/") is None
    assert router.match("GET", "/todos/7/") is None
    assert router.match("GET", "/files/") == Match(3, {"proxy": ""})
    assert router.match("GET", "/files/x/") == Match(3, {"proxy": "x/"})
    assert answered_by(router, keys, "GET /?a=b") == "GET /"


def test_http_tells_variables_of_one_place_apart_by_route() -> None:
    router = Router("http", ["GET /u/{id}", "GET /u/{user}/orders/{id}", "DELETE /u/{name}"])
    assert router.match("GET", "/u/1") == Match(0, {"id": "1"})
    assert router.match("GET", "/u/1/orders/2") == Match(1, {"user": "1", "id": "2"})
    assert router.match("DELETE", "/u/1") == Match(2, {"name": "1"})


def test_default_takes_whatever_is_left() -> None:
    router = Router("http", ["GET /a", "$default"])
    for method, path in (("POST", "/a"), ("GET", "/b/c"), ("PROPFIND", "/"), ("GET", "/A")):
        assert router.match(method, path) == Match(1, {})


def test_paths_are_told_apart_by_case_and_not_decoded() -> None:
    keys = ["GET /Users", "GET /us%65rs"]
    router = Router("http", keys)
    assert router.match("GET", "/users") is None
    assert answered_by(router, keys, "GET /us%65rs") == "GET /us%65rs"


@pytest.mark.parametrize(
    ("api_type", "keys", "message"),
    [
        ("rest", ["$default"], r"\$default is a route of HTTP APIs"),
        ("http", ["$default", "$default"], "given twice"),
        ("rest", ["GET /u/{id}", "PUT /u/{uid}"], r"\{id\} is already where \{uid\} would be"),
        ("rest", ["ANY /{proxy+}", "GET /{id}"], "an HTTP API may have both"),
        ("http", ["GET /u/{id}", "GET /u/{uid}"], "catches the same requests as GET /u/{id}"),
        ("http", ["GET /a", "GET /a"], "catches the same requests"),
        ("http", ["GET /{p+}/x"], "comes last"),
        ("http", ["GET /{id}/{id}"], "two variables are called id"),
        ("http", ["GET users"], "a method and a path"),
        ("http", ["/users"], "a method and a path"),
        ("http", ["get /users"], "the method is ANY or one of"),
        ("http", ["GET /users/"], "segment of the path is empty"),
        ("http", ["GET //users"], "segment of the path is empty"),
        ("http", ["GET /users?x=1"], "neither text nor a variable"),
        ("http", ["GET /a{id}"], "neither text nor a variable"),
        ("http", ["GET /{}"], "neither text nor a variable"),
        ("http", ["GET /{+}"], "neither text nor a variable"),
        ("http", ["GET /{a b}"], "neither text nor a variable"),
        ("http", ["GET /{a+b}"], "neither text nor a variable"),
        ("http", ["GET " + "/a" * 101], "at most 100 segments"),
    ],
)
def test_a_route_that_cannot_be_is_refused(api_type: str, keys: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Router(api_type, keys)


def test_a_path_starts_with_a_slash() -> None:
    with pytest.raises(ValueError, match="starts with '/'"):
        Router("http", ["$default"]).match("GET", "users")


def test_long_paths_are_no_trouble() -> None:
    router = Router("rest", ["GET /a" + "/b" * 90 + "/{proxy+}"])
    assert router.match("GET", "/a" + "/b" * 90 + "/x" * 100_000) is not None
