"""CORS rules against a second reading of the Fetch standard, which works on the header texts."""

from itertools import product
from typing import Final, NamedTuple

import pytest

from apisim.gateway.cors import (
    BROWSER_CAPS_NS,
    CorsHeaders,
    CorsPolicy,
    Message,
    check_answer,
    check_preflight,
    headers_for,
    keeps_preflight_ns,
    needs_preflight,
    seen_answer,
    unsafe_headers,
)
from apisim.gateway.status import Answer

PAGE: Final = "https://app.example.com"
SECOND_NS: Final = 1_000_000_000


# ------------------------------------------------------------------- the standard, step by step


class Response(NamedTuple):
    """An answer as it is on the wire."""

    status: int
    headers: dict[str, str]


def cors_check(origin: str, *, include: bool, response: Response) -> bool:
    """Fetch, section 4.10, "CORS check"."""
    allowed = response.headers.get("access-control-allow-origin")
    if allowed is None:  # step 2
        return False
    if not include and allowed == "*":  # step 3
        return True
    if origin != allowed:  # step 4
        return False
    if not include:  # step 5
        return True
    return response.headers.get("access-control-allow-credentials") == "true"  # steps 6 to 8


def preflight_passes(
    origin: str, method: str, unsafe: list[str], *, include: bool, response: Response
) -> bool:
    """Fetch, section 4.8, "CORS-preflight fetch", step 7."""
    if not cors_check(origin, include=include, response=response):
        return False
    if not 200 <= response.status <= 299:
        return False
    methods = _values(response, "access-control-allow-methods")
    names = [name.lower() for name in _values(response, "access-control-allow-headers")]
    if (
        method not in methods
        and method not in ("GET", "HEAD", "POST")
        and (include or "*" not in methods)
    ):
        return False
    for name in unsafe:
        if name == "authorization" and name not in names:
            return False
    return all(name in names or (not include and "*" in names) for name in unsafe)


def _values(response: Response, name: str) -> list[str]:
    return [one.strip() for one in response.headers.get(name, "").split(",") if one.strip()]


def on_the_wire(headers: CorsHeaders, status: int) -> Response:
    """The headers as texts."""
    if headers.allow_origin is None:
        return Response(status, {})
    texts = {"access-control-allow-origin": headers.allow_origin}
    if headers.allow_credentials:
        texts["access-control-allow-credentials"] = "true"
    if headers.allow_methods:
        texts["access-control-allow-methods"] = ", ".join(headers.allow_methods)
    if headers.allow_headers:
        texts["access-control-allow-headers"] = ", ".join(headers.allow_headers)
    return Response(status, texts)


CASES: Final = list(
    product(
        (None, "*", PAGE, "https://other.example.com"),
        (True, False),  # Access-Control-Allow-Credentials
        ((), ("GET", "PUT"), ("*",), ("*", "PUT")),
        ((), ("content-type",), ("*",), ("authorization", "*")),
        (True, False),  # credentials mode
        ("GET", "PUT", "DELETE"),
        ((), ("content-type",), ("authorization", "x-client")),
        (200, 204, 403, 429),
    )
)


def test_every_combination_is_what_the_standard_makes_of_it() -> None:
    passed = 0
    for origin, allows, methods, names, include, method, unsafe, status in CASES:
        headers = CorsHeaders(
            allow_origin=origin,
            allow_credentials=allows,
            allow_methods=methods,
            allow_headers=names,
        )
        wire = on_the_wire(headers, status)
        seen = check_answer(headers, PAGE, with_credentials=include) == Message.NONE
        assert seen == cors_check(PAGE, include=include, response=wire), headers
        may = check_preflight(
            headers, PAGE, method, unsafe, with_credentials=include, is_ok=status < 300
        )
        wanted = preflight_passes(PAGE, method, list(unsafe), include=include, response=wire)
        assert (may == Message.NONE) == wanted, (headers, include, method, unsafe, status)
        passed += wanted
    assert 0 < passed < len(CASES) / 2  # both verdicts are there


# --------------------------------------------------------------------------- written-out rows


@pytest.mark.parametrize(
    ("method", "headers", "content_type", "asks"),
    [
        ("GET", [], None, False),
        ("HEAD", ["Accept-Language"], None, False),
        ("POST", [], "text/plain", False),
        ("POST", [], "multipart/form-data; boundary=x", False),
        ("POST", [], "application/x-www-form-urlencoded", False),
        ("POST", [], "application/json", True),
        ("GET", [], "application/json", False),  # it has no body
        ("GET", ["Authorization"], None, True),
        ("GET", ["x-api-key"], None, True),
        ("GET", ["Cookie", "User-Agent", "Sec-Fetch-Mode"], None, False),  # the browser's own
        ("PUT", [], None, True),
        ("DELETE", [], None, True),
        ("PATCH", [], "text/plain", True),
    ],
)
def test_which_requests_are_simple(
    method: str, headers: list[str], content_type: str | None, *, asks: bool
) -> None:
    assert needs_preflight(method, unsafe_headers(method, headers, content_type)) == asks


@pytest.mark.parametrize(
    ("api_type", "origins", "sent"),
    [
        ("http", ["*"], "*"),
        ("http", [PAGE], PAGE),
        ("http", ["https://*"], PAGE),
        ("http", ["http://*"], None),
        ("http", ["https://a.example.com"], None),
        ("http", ["https://a.example.com", PAGE], PAGE),
        ("rest", ["*"], "*"),
        ("rest", [PAGE], PAGE),
        ("rest", ["https://a.example.com"], "https://a.example.com"),  # as written, whoever asks
        ("rest", ["https://a.example.com", PAGE], PAGE),
        ("rest", ["https://a.example.com", "https://b.example.com"], None),
    ],
)
def test_which_origin_an_api_sends(api_type: str, origins: list[str], sent: str | None) -> None:
    policy = CorsPolicy(allow_origins=tuple(origins))
    assert headers_for(policy, api_type, PAGE).allow_origin == sent  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said_s", "browser", "kept_s"),
    [
        (None, "chromium", 5),
        (-1, "chromium", 0),
        (0, "firefox", 0),
        (60, "safari", 60),
        (3_600, "safari", 600),
        (86_400, "chromium", 7_200),
        (86_400, "firefox", 86_400),
    ],
)
def test_how_long_a_browser_keeps_an_answer(said_s: int | None, browser: str, kept_s: int) -> None:
    said_ns = None if said_s is None else said_s * SECOND_NS
    headers = CorsHeaders(allow_origin="*", max_age_ns=said_ns)
    assert keeps_preflight_ns(headers, BROWSER_CAPS_NS[browser]) == kept_s * SECOND_NS


@pytest.mark.parametrize(
    ("policy", "include", "message"),
    [
        (None, False, Message.NO_ORIGIN),
        (CorsPolicy(allow_origins=("https://a.example.com",)), False, Message.OTHER_ORIGIN),
        (CorsPolicy(allow_origins=("*",)), True, Message.WILDCARD_WITH_CREDENTIALS),
        (CorsPolicy(allow_origins=(PAGE,)), True, Message.NO_CREDENTIALS),
        (CorsPolicy(allow_origins=(PAGE,), allow_methods=("GET",)), False, Message.METHOD),
        (CorsPolicy(allow_origins=(PAGE,), allow_methods=("PUT",)), False, Message.HEADER),
    ],
)
def test_the_misconfigurations_have_a_message_each(
    policy: CorsPolicy | None, message: Message, *, include: bool
) -> None:
    headers = headers_for(policy, "rest", PAGE)
    said = check_preflight(
        headers, PAGE, "PUT", ("content-type",), with_credentials=include, is_ok=True
    )
    assert said == message


def test_a_refusal_stays_what_it_is_and_an_answer_may_be_hidden() -> None:
    hidden = int(Message.NO_ORIGIN)
    assert seen_answer(Answer.SERVED, 0, 0) == Answer.SERVED
    assert seen_answer(Answer.SERVED, hidden, 0) == Answer.CORS_BLOCKED
    assert seen_answer(Answer.CACHE_HIT, hidden, 0) == Answer.CORS_BLOCKED
    assert seen_answer(Answer.SERVED, 0, 1) == Answer.PREFLIGHT
    assert seen_answer(Answer.SERVED, hidden, 1) == Answer.PREFLIGHT_FAILED
    assert seen_answer(Answer.THROTTLED_STAGE, hidden, 1) == Answer.THROTTLED_STAGE
