"""What notebooks show of scenarios and results: well formed, escaped, and the right things."""

from html import unescape

import pytest

from apisim.results.result import Result
from apisim.scenario import Scenario, load, loads
from tests.support.figures import SHOP, result_of
from tests.support.html_page import Page
from tests.support.shipped import NAMES, file_of

#: Names that a scenario may hold and that HTML must not.
EVIL = """
apisim: 1
name: '<script>alert("&amp;")</script>'
description: '</p><b>bold</b> & co'
profile: ideal
apis:
  a:
    type: rest
    routes:
      GET /items/{id}: {integration: {type: mock}, throttle: {rate_limit: 2, burst_limit: 1}}
traffic:
  web: {phases: [{name: calm, duration: 5s, rate: 4}], mix: {"GET /items/{id}": 1}}
thresholds: {throttled: ["rate<1%"]}
"""


def shown(thing: Scenario | Result) -> Page:
    return Page(thing._repr_html_())


def test_the_reader_refuses_what_is_not_well_formed() -> None:
    for html in ("<p><b></p></b>", "<p>", "</p>", "<p onclick='x()'></p>", "<td></td>"):
        with pytest.raises(AssertionError):
            Page(html)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_scenario_is_shown_with_its_routes_and_traffic(name: str) -> None:
    scenario = load(file_of(name))
    page = shown(scenario)
    routes = [route for api in scenario.apis.values() for route in api.routes]
    assert [row[1] for row in page.rows[1 : 1 + len(routes)]] == routes
    assert [row[0] for row in page.rows[2 + len(routes) :]] == list(scenario.traffic)


def test_a_scenario_tells_limits_caches_and_phases() -> None:
    rows = shown(loads(SHOP)).rows
    assert rows[1] == [
        "shop (rest)", "GET /items/{id}", "http_proxy stock", "", "30/s, 30 (stage)",
        "5s by path.id",
    ]  # fmt: skip
    assert rows[2][3:5] == ["visitor", "10/s, 10"]
    assert rows[4] == ["other (http)", "GET /feed", "http_proxy stock", "", "", ""]
    assert rows[-2] == ["web", "calm 20s 10/s; break 10s nothing; rush 30s 80/s"]


@pytest.mark.parametrize(
    ("phases", "told"),
    [
        ("{name: up, duration: 1m, rate: 10, ramp_to: 100/min}", "up 1m 10/s to 100/min"),
        ("{name: desk, duration: 2m, users: 30, think_time: 6s}", "desk 2m 30 users"),
        (
            "{name: desk, duration: 2m, users: 1, ramp_to: 9, think_time: 6s}",
            "desk 2m 1 to 9 users",
        ),
        ("{name: log, per: 1m, counts: [1000, 500]}", "log 2m 1,500 requests"),
        (
            ", ".join(f"{{name: p{number}, duration: 1s, rate: 1}}" for number in range(9)),
            "p0 1s 1/s; p1 1s 1/s; p2 1s 1/s; p3 1s 1/s; p4 1s 1/s; p5 1s 1/s; and 3 more",
        ),
    ],
)
def test_phases_are_told_in_a_few_words(phases: str, told: str) -> None:
    text = EVIL.replace("{name: calm, duration: 5s, rate: 4}", phases)
    assert shown(loads(text)).rows[-1] == ["web", told]


def test_names_are_escaped() -> None:
    for thing in (loads(EVIL), result_of(EVIL)):
        page = shown(thing)
        assert '<script>alert("&amp;")</script>' in page.text
        assert "script" not in page.tags
        assert "b" not in page.tags


def test_a_result_shows_what_its_summary_says() -> None:
    result = result_of(SHOP)
    page = shown(result)
    # The summary breaks lines where HTML does not.
    words = set(result.summary(width=200).split()) - {"note:"}
    ruled = {word for word in words if set(word) <= {"─"}}
    missing = {word for word in words - ruled if word not in page.text}
    assert missing == set()


def test_verdicts_come_first_and_a_failed_one_is_marked() -> None:
    html = result_of(EVIL)._repr_html_()
    page = Page(html)
    assert page.rows[0][:2] == ["Verdict", "Metric"]
    assert page.rows[1][0] == "FAILED"
    row = html[html.index("<tr style=") :]
    assert unescape(row).startswith('<tr style="font-weight: bold; color:')


def test_text_consoles_get_one_line() -> None:
    assert repr(loads(SHOP)) == "<Scenario '<string>': shop, other>"
    assert str(loads(SHOP)) == repr(loads(SHOP))
    result = result_of(EVIL)
    assert repr(result).endswith(f": {result.requests.total} requests, thresholds failed>")
    assert repr(result_of(SHOP)).endswith(" requests>")
