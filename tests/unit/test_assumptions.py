"""What a verdict rests on: settings and inputs replaced by what they might as well be."""

import re

import pytest

from apisim.report import plot_tornado, report_html
from apisim.report.tornado import tornado_frame
from apisim.scenario import loads
from apisim.studies import Assumptions, assumptions, run
from apisim.studies.assuming import assumptions_of
from tests.support.figures import new_axes

#: An answer takes 100 ms of the endpoint's and 1 ms of transport's, and nothing is random.
TEXT = """
apisim: 1
profile: ideal
name: plain
replications: 2
settings: {http_transport: 1ms}
apis: {a: {type: http, routes: {GET /x: {integration: {type: http_proxy, endpoint: e}}}}}
endpoints: {e: {servers: 50, service_time: 100ms}}
traffic: {web: {arrivals: uniform, phases: [{duration: 4s, rate: 10}], mix: {GET /x: 1}}}
thresholds: {latency: ["p(99)<110ms"], cost_run: ["value<1"]}
"""


@pytest.fixture(scope="module")
def found() -> Assumptions:
    return assumptions(loads(TEXT), replications=2, engine="simpy")


def test_times_are_halved_and_doubled_and_inputs_are_off_by_a_quarter() -> None:
    by_name = {one.name: one for one in assumptions_of(loads(TEXT))}
    assert by_name["settings.http_transport"].alternatives == ("500us", "2ms")
    assert by_name["endpoints.e.service_time"].alternatives == ("80ms", "125ms")
    assert by_name["endpoints.e.service_time"].is_ours
    assert by_name["settings.throttle_charging"].alternatives == ("in_order",)
    assert by_name["settings.buckets_start"].overrides == (("settings.buckets_start=empty",),)
    # There are no plans, caches, functions, sockets or browsers that these could be about.
    for name in ("refused_use_quota", "cache_statuses", "idle_expiry", "http_preflights"):
        assert f"settings.{name}" not in by_name
    # What AWS documents is no assumption.
    assert "settings.cache_create_time" not in by_name
    assert "settings.websocket_max_age" not in by_name


def test_what_turns_a_verdict_comes_first(found: Assumptions) -> None:
    """By hand: 101 ms; the service's 125 ms make 126 ms, which is no longer below 110 ms."""
    first = found.rows[0]
    assert first["assumption"] == "endpoints.e.service_time"
    assert (first["alternative"], first["measure"]) == ("125ms", "latency p(99)")
    assert first["base"] == pytest.approx(101)
    assert first["value"] == pytest.approx(126)
    assert first["change"] == pytest.approx(25 / 101)
    assert first["flips"] == "p(99)<110ms"
    assert found.flipping == ("endpoints.e.service_time",)
    assert "the verdict rests on: endpoints.e.service_time" in found.summary()


def test_what_changes_less_than_a_hundredth_has_no_line(found: Assumptions) -> None:
    """Half of the transport's 1 ms is 0.5 % of 101 ms, twice of it 1 %: 0.99 %."""
    assert "settings.http_transport" in found.without_effect
    assert {row["assumption"] for row in found.rows} == {"endpoints.e.service_time"}
    assert list(found.frame()["alternative"]) == ["125ms", "80ms"]


def test_the_tornado_goes_from_the_least_to_the_largest_value(found: Assumptions) -> None:
    table = tornado_frame(found)
    assert list(table["assumption"]) == ["endpoints.e.service_time"]
    ax = plot_tornado(found, ax=new_axes())
    (bar,) = ax.patches
    assert bar.get_x() == pytest.approx(81)
    assert bar.get_width() == pytest.approx(126 - 81)
    assert ax.lines[0].get_xdata()[0] == pytest.approx(101)
    assert bar.get_hatch()
    assert ax.get_xlabel() == "latency p(99) [ms], from the least to the largest"
    legend = ax.get_legend()
    assert legend is not None
    assert {text.get_text() for text in legend.get_texts()} == {"as assumed", "turns a verdict"}
    low, high = ax.get_xlim()
    assert low < 81 - 5
    assert high > 126 + 5
    with pytest.raises(ValueError, match="no assumption changes cost_run value"):
        tornado_frame(found, "cost_run value")


def test_the_report_says_what_the_verdict_rests_on(found: Assumptions) -> None:
    result = run(loads(TEXT), engine="simpy")
    page = report_html(result, assumed=found)
    assert "the verdict rests on: endpoints.e.service_time" in page
    assert "What the verdict rests on" in page
    labels = re.findall(r'aria-label="([^"]+)"', page)
    assert len(labels) == len(set(labels))  # regions are told apart by their names
    assert "What the verdict rests on" not in report_html(result)
