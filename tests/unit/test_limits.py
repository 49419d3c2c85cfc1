"""Size and URL limits: tables written out from the quotas, and requests that meet them."""

import numpy as np
import pytest

from apisim.engine.tables import GATE_LIMITS
from apisim.gateway.limits import UNLIMITED, WITHIN, limits_answer
from apisim.gateway.status import Answer
from apisim.scenario import Scenario, loads
from tests.equivalence.engines import lowered, run

_MB = 1024 * 1024
_URL, _HEADERS, _BODY = Answer.URL_TOO_LONG, Answer.HEADERS_TOO_LARGE, Answer.TOO_LARGE


@pytest.mark.parametrize(
    ("url", "headers", "body", "answer"),
    [
        (10_240, 10_240, 10 * _MB, WITHIN),
        (10_241, 0, 0, _URL),
        (0, 10_241, 0, _HEADERS),
        (0, 0, 10 * _MB + 1, _BODY),
        (10_241, 10_241, 11 * _MB, _URL),  # what arrives first is looked at first
        (0, 10_241, 11 * _MB, _HEADERS),
    ],
)
def test_a_regional_rest_api_looks_at_each_part(
    url: int, headers: int, body: int, answer: int
) -> None:
    assert limits_answer(url, headers, body, 10_240, 10_240, UNLIMITED, 10 * _MB) == answer


@pytest.mark.parametrize(
    ("url", "headers", "answer"),
    [(5000, 5240, WITHIN), (5000, 5241, _HEADERS), (10_240, 0, WITHIN), (10_241, 0, _URL)],
)
def test_an_http_api_looks_at_url_and_headers_together(url: int, headers: int, answer: int) -> None:
    assert limits_answer(url, headers, 0, 10_240, UNLIMITED, 10_240, 10 * _MB) == answer


_TEXT = """
apisim: 1
profile: ideal
apis:
  a:
    type: {type}
    endpoint: {endpoint}
    routes: {{GET /x: {{integration: {{type: http_proxy, endpoint: e}}, request_size: {body}}}}}
endpoints: {{e: {{servers: 1, service_time: 0s}}}}
traffic:
  web:
    phases: [{{duration: 20s, rate: 100}}]
    arrivals: uniform
    mix: {{GET /x: 1}}
    {sent}
{more}
"""


def _scenario(
    sent: str = "",
    kind: str = "rest",
    endpoint: str = "regional",
    body: str = "1KB",
    more: str = "",
) -> Scenario:
    return loads(_TEXT.format(type=kind, endpoint=endpoint, sent=sent, body=body, more=more))


def _rows(scenario: Scenario) -> np.ndarray:
    return run(lowered(scenario), "compiled").rows


@pytest.mark.parametrize(
    ("sent", "kind", "endpoint", "body", "answer", "status"),
    [
        ("url_size: 9KB", "rest", "regional", "1KB", Answer.SERVED, 200),
        ("url_size: 9KB", "rest", "edge", "1KB", _URL, 414),
        ("url_size: 9KB", "http", "regional", "1KB", Answer.SERVED, 200),
        ("url_size: 10241B", "http", "regional", "1KB", _URL, 414),
        ("{url_size: 6KB, header_size: 5KB}", "http", "regional", "1KB", _HEADERS, 431),
        ("{url_size: 6KB, header_size: 5KB}", "rest", "regional", "1KB", Answer.SERVED, 200),
        ("header_size: 11KB", "rest", "regional", "1KB", _HEADERS, 431),
        ("", "rest", "regional", "10MB", Answer.SERVED, 200),
        ("", "rest", "regional", "11MB", _BODY, 413),
        ("", "http", "regional", "11MB", _BODY, 413),
    ],
)
def test_each_type_and_endpoint_has_its_limits(
    sent: str, kind: str, endpoint: str, body: str, answer: Answer, status: int
) -> None:
    lines = sent.strip("{}").split(", ")
    rows = _rows(_scenario("\n    ".join(lines), kind, endpoint, body))
    assert set(rows["answer"].tolist()) == {int(answer)}
    assert set(rows["status"].tolist()) == {status}


def test_the_share_that_is_too_large_is_the_law_s() -> None:
    rows = _rows(_scenario("url_size: {uniform: [0B, 20480B]}"))
    # 2,000 calls, a half of them over: five standard deviations are 0.056.
    assert np.mean(rows["answer"] == _URL) == pytest.approx(0.5, abs=0.056)


def test_a_body_that_is_written_down_is_the_one_that_was_refused() -> None:
    rows = _rows(_scenario(body="{mixture: [[0.5, 1KB], [0.5, 11MB]]}"))
    too_large = rows["answer"] == _BODY
    assert 0 < too_large.sum() < len(rows)
    assert (rows["request_bytes"][too_large] == 11 * _MB).all()
    assert (rows["request_bytes"][~too_large] == 1024).all()


def test_what_is_always_small_enough_has_no_gate() -> None:
    for sent in ("", "url_size: 8KB", "header_size: {uniform: [0B, 10240B]}"):
        gates = lowered(_scenario(sent)).tables.bindings["gates"]
        assert not (gates & GATE_LIMITS).any()
    # A log-normal has no end, but 10 MB is beyond any request of a run.
    small = lowered(_scenario(body="{p50: 1KB, p99: 20KB}")).tables.bindings["gates"]
    assert not (small & GATE_LIMITS).any()
    large = lowered(_scenario(body="{p50: 1MB, p99: 20MB}")).tables.bindings["gates"]
    assert (large & GATE_LIMITS).all()


@pytest.mark.parametrize(
    ("order", "answer"),
    [("before_routing", _URL), ("after_routing", Answer.NO_ROUTE)],
)
def test_what_has_no_route_and_a_long_url_is_answered_in_the_order_of_the_setting(
    order: str, answer: Answer, tmp_path: object
) -> None:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    header = "timestamp_s,client,method,path,status,bytes"
    (tmp_path / "log.csv").write_text(f"{header}\n0,c,GET,/nowhere,200,5\n")
    text = f"""
apisim: 1
apis: {{a: {{type: rest, routes: {{GET /x: {{integration: {{type: mock}}}}}}}}}}
traffic: {{log: {{trace: {{file: log.csv}}, url_size: 11KB}}}}
settings: {{size_limits: {order}}}
"""
    rows = run(lowered(loads(text, base=tmp_path)), "compiled").rows
    assert rows["answer"].tolist() == [int(answer)]


def test_the_status_of_too_many_headers_is_a_setting() -> None:
    scenario = _scenario("header_size: 11KB", more="settings: {header_limit_status: 400}")
    assert set(_rows(scenario)["status"].tolist()) == {400}
