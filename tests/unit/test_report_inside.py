"""What figures of what happens inside draw, against the frames they are about."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import StepPatch

import apisim
from apisim.results.result import Result
from tests.support.figures import SHOP, new_axes, result_of

SILENT = """
apisim: 1
apis: {a: {type: rest, routes: {GET /x: {integration: {type: mock}}}}}
traffic: {web: {mix: {GET /x: 1}, phases: [{name: p, duration: 5s, rate: 0}]}}
"""
#: Figure, beginning of a label, frame, column, factor, and which rows.
LINES: list[tuple[Callable[..., Axes], str, str, str, float, str]] = [
    (apisim.plot_latency_over_time, "shop p99", "latency_series", "latency_ms_p99", 1, "shop"),
    (apisim.plot_latency_over_time, "other p50", "latency_series", "latency_ms_p50", 1, "other"),
    (apisim.plot_concurrency, "check, mean", "function_series", "concurrency_mean", 1, "check"),
    (apisim.plot_concurrency, "check, peak", "function_series", "concurrency_peak", 1, "check"),
    (apisim.plot_cache, "hit ratio", "cache_series", "hit_ratio", 100, "shop"),
    (apisim.plot_cache, "occupied", "cache_series", "bytes", 1 / 1024, "shop"),
    (apisim.plot_queues, "stock: mean", "endpoint_series", "queue_mean", 1, "stock"),
    (apisim.plot_queues, "stock: longest", "endpoint_series", "queue_peak", 1, "stock"),
    (apisim.plot_queues, "stock: util", "endpoint_series", "utilization", 100, "stock"),
    (apisim.plot_tokens, "account: 60/s", "bucket_series", "tokens_min", 5 / 3, "account"),
]  # fmt: skip


@pytest.fixture(scope="module")
def shop() -> Result:
    return result_of(SHOP)


def steps(ax: Axes, label: str) -> Any:
    (found,) = [
        one
        for axes in ax.figure.axes
        for one in axes.patches
        if isinstance(one, StepPatch) and str(one.get_label()).startswith(label)
    ]
    return found.get_data()


@pytest.mark.parametrize(("plot", "label", "name", "column", "factor", "of"), LINES)
def test_a_line_has_the_numbers_of_its_frame(
    shop: Result,
    plot: Callable[..., Axes],
    label: str,
    name: str,
    column: str,
    factor: float,
    of: str,
) -> None:
    frame = shop.frame(name)
    rows = frame[frame.iloc[:, 0] == of]
    assert len(rows) > 1
    drawn = steps(plot(shop, new_axes()), label)
    expected = rows[column].to_numpy(float) * factor
    assert np.asarray(drawn.values, float) == pytest.approx(expected, nan_ok=True)
    assert drawn.edges[:-1] == pytest.approx(rows["time_s"].to_numpy(float))


@pytest.mark.parametrize("plot", sorted({line[0] for line in LINES}, key=lambda one: one.__name__))
def test_without_anything_to_draw_a_figure_says_so(plot: Callable[..., Axes]) -> None:
    ax = plot(result_of(SILENT), new_axes())
    if plot is apisim.plot_tokens:  # the account has its bucket, full all the time
        assert np.all(np.asarray(steps(ax, "account").values) == 100)
    else:
        (text,) = ax.texts
        assert text.get_text().startswith("no ")
    ax.figure.canvas.draw()
