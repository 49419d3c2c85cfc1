"""What the figure of latencies by route draws, against the frame it is about."""

from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

import apisim
from apisim.report import plot_latency_by_route
from apisim.report.log_axis import ticks_around
from apisim.results.result import Result
from tests.support.figures import SHOP, new_axes, result_of

#: Three routes that take 20 ms, 1 s and nothing (it is never called); ideal: nothing else does.
TIMES = """
apisim: 1
profile: ideal
apis:
  a:
    type: rest
    routes:
      GET /quick: {integration: {type: lambda_proxy, function: quick}}
      GET /slow: {integration: {type: lambda_proxy, function: slow}}
      GET /never: {integration: {type: mock}}
functions:
  quick: {memory: 128MB, duration: 20ms, init: 0s}
  slow: {memory: 128MB, duration: 1s, init: 0s}
traffic:
  web:
    phases: [{name: load, duration: 60s, rate: 20}]
    mix: {GET /quick: 1, GET /slow: 1}
"""


@pytest.fixture(scope="module")
def shop() -> Result:
    return result_of(SHOP)


@pytest.fixture(scope="module")
def ax(shop: Result) -> Axes:
    return plot_latency_by_route(shop, new_axes())


def markers(ax: Axes) -> dict[str, tuple[Any, Any]]:
    """Values and rows of each quantile, by its label."""
    return {str(line.get_label()): line.get_data() for line in ax.lines}


def names(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


@pytest.mark.parametrize("quantile", ["p50", "p90", "p99"])
def test_markers_stand_at_the_quantiles_of_the_frame(shop: Result, ax: Axes, quantile: str) -> None:
    frame = shop.frame("routes")
    called = frame[frame["requests"] > 0]
    values, rows = markers(ax)[quantile]
    assert np.array_equal(values, called[f"latency_ms_{quantile}"])
    assert list(rows) == [0, 1, 2]


def test_rows_are_the_routes_that_were_called_from_top_to_bottom(ax: Axes) -> None:
    assert names(ax) == ["shop GET /items/{id}", "shop POST /orders", "other GET /feed"]
    bottom, top = ax.get_ylim()
    assert bottom > top


def test_a_range_goes_from_the_median_to_the_99th_percentile(ax: Axes) -> None:
    thin, thick = (one for one in ax.collections if isinstance(one, LineCollection))
    drawn = markers(ax)
    for lines, end in ((thin, "p99"), (thick, "p90")):
        expected = [
            [[low, row], [high, row]]
            for row, (low, high) in enumerate(zip(drawn["p50"][0], drawn[end][0], strict=True))
        ]
        assert np.array_equal(lines.get_segments(), expected)


def test_values_are_written_at_their_markers() -> None:
    ax = plot_latency_by_route(result_of(TIMES), new_axes())
    assert names(ax) == ["GET /quick", "GET /slow"]
    written = {(text.xy, text.get_text()) for text in ax.texts}  # type: ignore[attr-defined]
    assert written == {((20.0, 0), "20 ms"), ((1000.0, 1), "1 s")}
    assert len(ax.texts) == 6


def test_the_axis_is_logarithmic_and_its_ticks_are_plain_numbers() -> None:
    ax = plot_latency_by_route(result_of(TIMES), new_axes())
    assert ax.get_xscale() == "log"
    assert ax.get_xlim() == (10, 2000)
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    ticks = [
        label.get_text()
        for tick, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        if low <= tick <= high
    ]
    assert ticks == ["10", "20", "50", "100", "200", "500", "1,000", "2,000"]
    assert ax.get_xlabel() == "latency at the client, refusals included [ms]"


def test_many_decades_have_a_tick_each() -> None:
    text = TIMES.replace("duration: 20ms", "duration: 10us")
    ax = plot_latency_by_route(result_of(text), new_axes())
    low, high = ax.get_xlim()
    ticks = [float(tick) for tick in ax.get_xticks() if low <= tick <= high]
    assert ticks == pytest.approx([0.01, 0.1, 1, 10, 100, 1000])


def test_a_latency_of_nothing_is_drawn_too(shop: Result, ax: Axes) -> None:
    assert shop.frame("routes")["latency_ms_p50"][0] == 0
    assert ax.get_xscale() == "symlog"
    low, high = ax.get_xlim()
    assert low < 0 < shop.frame("routes")["latency_ms_p99"].max() < high
    ax.figure.canvas.draw()


def test_ticks_around_a_range_hold_it() -> None:
    for low in (0.0123, 0.99, 1.0, 1.01, 49.9, 7e6):
        first, last = ticks_around(low, 3 * low)
        assert first <= low < 3 * low <= last
        assert f"{first:e}"[0] in "125"
        assert f"{last:e}"[0] in "125"


def test_a_run_without_requests_says_so() -> None:
    text = TIMES.replace("rate: 20", "rate: 0")
    ax = plot_latency_by_route(result_of(text), new_axes())
    assert [text.get_text() for text in ax.texts] == ["no requests"]


def test_a_figure_of_its_own_grows_with_the_routes(shop: Result) -> None:
    heights = []
    for result in (shop, result_of(TIMES)):
        ax = apisim.plot_latency_by_route(result)
        ax.figure.canvas.draw()
        heights.append(ax.get_figure(root=True).get_figheight())  # type: ignore[union-attr]
        plt.close("all")
    assert heights[0] > heights[1]
