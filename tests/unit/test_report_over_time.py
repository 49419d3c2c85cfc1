"""What figures of authorizers, cold starts, connections and tails draw, in which colours."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import StepPatch

import apisim
from apisim.report import theme
from apisim.results.result import Result
from tests.support.figures import SHOP, new_axes, result_of

#: Nothing random: a mock that takes no time, behind a gateway that takes none.
MOCK = """
apisim: 1
profile: ideal
apis: {a: {type: rest, routes: {GET /x: {integration: {type: mock}}}}}
traffic:
  web:
    {arrivals: uniform, offset: 0, mix: {GET /x: 1}, phases: [{name: p, duration: 5s, rate: RATE}]}
"""
#: A function of one second, so that several instances are needed.
FUNCTION = """
apisim: 1
replications: 2
apis: {a: {type: rest, routes: {GET /x: {integration: {type: lambda_proxy, function: f}}}}}
functions: {f: {memory: 128MB, duration: 1s, init: 200ms}}
traffic: {web: {mix: {GET /x: 1}, phases: [{name: p, duration: 10s, rate: 5}]}}
"""
SESSIONS = """
apisim: 1
apis:
  live:
    type: websocket
    routes: {$connect: {integration: {type: mock}}, $default: {integration: {type: mock}}}
traffic:
  users: {sessions: {population: 40, connect_over: 10s, length: 30s}, mix: {$default: 1}}
"""
FIGURES: list[tuple[Callable[..., Axes], str]] = [
    (apisim.plot_authorizers, "no authorizer was called"),
    (apisim.plot_cold_starts, "no cold starts"),
    (apisim.plot_connections, "no WebSocket connections"),
    (apisim.plot_cost_over_volume, "no requests"),
    (apisim.plot_latency_ccdf, "no requests"),
]


@pytest.fixture(scope="module")
def shop() -> Result:
    return result_of(SHOP)


def steps(ax: Axes, label: str) -> Any:
    (found,) = [
        one for one in ax.patches
        if isinstance(one, StepPatch) and str(one.get_label()).startswith(label)
    ]  # fmt: skip
    return found.get_data()


def test_calls_of_authorizers_are_those_of_the_series(shop: Result) -> None:
    ax = apisim.plot_authorizers(shop, new_axes())
    series = shop.frame("series").query("api == 'shop'")
    drawn = steps(ax, "shop, for ")
    # Two replications, periods of a second.
    assert drawn.values * 2 == pytest.approx(series["authorizer_calls"].to_numpy())
    assert drawn.values.sum() * 2 == shop.frame("functions")["invocations"].sum()
    assert drawn.edges == pytest.approx([*series["time_s"], 60.0])
    assert len([one for one in ax.patches if isinstance(one, StepPatch)]) == 1  # not ``other``


def test_cold_starts_are_those_of_the_functions() -> None:
    result = result_of(FUNCTION)
    ax = apisim.plot_cold_starts(result, new_axes())
    drawn = steps(ax, "a, ")
    assert np.array_equal(drawn.values - drawn.baseline, result.frame("series")["cold_starts"])
    assert np.sum(drawn.values - drawn.baseline) == result.functions["f"].cold_starts > 0
    assert ax.get_ylabel() == "cold starts in 1 s, sum of 2 replications"


def test_tails_are_those_of_the_distribution(shop: Result) -> None:
    ax = apisim.plot_latency_ccdf(shop, new_axes())
    frame = shop.frame("latency_distribution")
    assert [str(line.get_label()) for line in ax.lines] == [
        "shop GET /items/{id}", "shop POST /orders", "other GET /feed",
    ]  # fmt: skip
    for line in ax.lines:
        api, _, route = str(line.get_label()).partition(" ")
        rows = frame[(frame["api"] == api) & (frame["route"] == route)]
        assert np.array_equal(line.get_xdata(), rows["latency_ms"])
        assert line.get_ydata() == pytest.approx(100 * rows["share_above"].to_numpy())
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    ax.figure.canvas.draw()


def test_a_tail_falls_from_what_is_above_the_least_to_nothing(shop: Result) -> None:
    for (api, route), rows in shop.frame("latency_distribution").groupby(["api", "route"]):
        assert rows["share_above"].is_monotonic_decreasing
        assert rows["share_above"].iloc[-1] == 0
        (called,) = [
            row for row in shop.routes if row.labels == {"api": api, "route": route}
        ]  # fmt: skip
        assert rows["latency_ms"].iloc[-1] == called.latency.max
        for percent, value in ((50, called.latency.p50), (99, called.latency.p99)):
            # At the end of the bin in which the quantile lies no more than the rest is left.
            beyond = rows[rows["latency_ms"] >= value]["share_above"].iloc[0]
            before = rows[rows["latency_ms"] < value]["share_above"]
            assert beyond <= 1 - percent / 100 + 0.01
            assert before.empty or before.iloc[-1] >= 1 - percent / 100 - 0.01


def test_connections_are_those_of_the_series() -> None:
    result = result_of(SESSIONS)
    ax = apisim.plot_connections(result, new_axes())
    series = result.frame("series")
    assert np.array_equal(steps(ax, "open, mean").values, series["mean_open"])
    assert np.array_equal(steps(ax, "open, peak").values, series["peak_open"])
    # Everybody connects: forty, whatever the periods.
    (right,) = [one for one in ax.figure.axes if one is not ax]
    new = steps(right, "new")
    assert np.sum(new.values * np.diff(new.edges)) == pytest.approx(series["connects"].sum())
    assert series["connects"].sum() >= 40
    assert (ax.get_ylabel(), right.get_ylabel()) == ("open connections", "new connections/s")
    ax.figure.canvas.draw()


@pytest.mark.parametrize(("plot", "words"), FIGURES)
def test_without_anything_to_draw_a_figure_says_so(plot: Callable[..., Axes], words: str) -> None:
    ax = plot(result_of(MOCK.replace("RATE", "0")), new_axes())
    assert [text.get_text() for text in ax.texts] == [words]
    ax.figure.canvas.draw()


def test_what_takes_no_time_is_drawn_too() -> None:
    result = result_of(MOCK.replace("RATE", "1"))
    assert result.frame("latency_distribution").to_dict("list") == {
        "api": ["a"], "route": ["GET /x"], "latency_ms": [0.0], "share_above": [0.0],
    }  # fmt: skip
    apisim.plot_latency_ccdf(result, new_axes()).figure.canvas.draw()


@pytest.mark.parametrize("duration", ["0s", "1s"])
def test_a_single_request_falls_from_all_to_nothing(duration: str) -> None:
    text = FUNCTION.replace("replications: 2", "replications: 1").replace("rate: 5", "rate: 0.1")
    text = text.replace("web: {mix", "web: {arrivals: uniform, mix")
    result = result_of(text.replace("duration: 1s, init: 200ms", f"duration: {duration}, init: 0s"))
    assert result.requests.total == 1
    ax = apisim.plot_latency_ccdf(result, new_axes())
    (line,) = ax.lines
    assert list(line.get_ydata()) == [100, 0]
    x = [float(one) for one in line.get_xdata()]
    assert x[0] <= x[1] == result.latency_ms.max
    assert ax.get_xlim()[0] <= x[0]
    assert x[1] <= ax.get_xlim()[1]
    assert 0 < ax.get_ylim()[0] < 10
    assert ax.get_ylim()[1] > 100
    ax.figure.canvas.draw()
    assert "100" in [tick.get_text() for tick in ax.get_yticklabels()]


@pytest.mark.parametrize(
    "plot",
    [apisim.plot_requests, apisim.plot_latency_by_route, *(plot for plot, _ in FIGURES)],
)
def test_a_dark_figure_is_light_on_dark(shop: Result, plot: Callable[..., Axes]) -> None:
    def luminance(colour: Any) -> float:
        code = to_hex(colour).removeprefix("#")
        parts = [int(code[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                  for part in parts]  # fmt: skip
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    for name, is_dark in (("dark", True), ("light", False)):
        with theme(name) as now:
            ax = plot(shop)
        paper = luminance(ax.figure.get_facecolor())
        texts = [ax.title, ax.xaxis.label, ax.yaxis.label]
        legend = ax.get_legend()
        texts += legend.get_texts() if legend else []
        for ink in [luminance(text.get_color()) for text in texts]:
            assert (ink > paper) == is_dark
            # Contrast of WCAG 2.2, 1.4.3: 4.5 for text, and 3 for what is drawn (1.4.11).
            assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) > 4.5
        for stroke in now.strokes:
            drawn = luminance(stroke.colour)
            assert (max(drawn, paper) + 0.05) / (min(drawn, paper) + 0.05) > 3
    plt.close("all")


def test_there_are_two_themes() -> None:
    with pytest.raises(ValueError, match="there is no theme 'blue'; there are light, dark"):
        theme("blue").__enter__()
