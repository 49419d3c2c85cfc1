"""What the figure of requests over time draws, against the frame it is about."""

import itertools
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle, StepPatch

import apisim
from apisim.report import plot_requests
from apisim.report.phases import phase_starts
from apisim.report.requests import limits_that_bind
from apisim.results.result import Result
from tests.support.figures import SHOP, new_axes, result_of

#: Which columns of the frame each area is about, by the beginning of its label.
AREAS = {
    "served from the cache": ["cache_hit"],
    "served,": ["served"],
    "throttled: method": ["throttled_method"],
    "throttled: stage": ["throttled_stage"],
    "throttled: account": ["throttled_account"],
    "refused by an authorizer": ["no_identity", "denied", "authorizer_failed"],
    "failed at the backend": [
        "timeout", "function_error", "function_throttled", "endpoint_error", "endpoint_full",
    ],
}  # fmt: skip

#: One source, a mock, nothing random: ``{phases}`` to be filled in.
PLAIN = """
apisim: 1
profile: ideal
apis: {a: {type: rest, routes: {GET /x: {integration: {type: mock}}}}}
traffic:
  web: {arrivals: uniform, offset: 0, mix: {GET /x: 1}, phases: [{phases}]}
"""
STEPS = "{name: low, duration: 4m, rate: 1}, {name: high, duration: 4m, rate: 3}"


def plain(phases: str) -> Result:
    return result_of(PLAIN.replace("{phases}", phases))


@pytest.fixture(scope="module")
def shop() -> Result:
    return result_of(SHOP)


@pytest.fixture(scope="module")
def ax(shop: Result) -> Axes:
    return plot_requests(shop, new_axes())


def areas(ax: Axes) -> list[StepPatch]:
    return [patch for patch in ax.patches if isinstance(patch, StepPatch)]


def area(ax: Axes, label: str) -> Any:
    (found,) = [one for one in areas(ax) if str(one.get_label()).startswith(label)]
    return found.get_data()


def tops(drawn: Any) -> Any:
    """Upper edge of an area; a part without height is left out of it."""
    return np.where(np.isnan(drawn.values), drawn.baseline, drawn.values)


def test_everybody_who_refused_has_an_area(ax: Axes) -> None:
    labels = [str(one.get_label()) for one in areas(ax)]
    assert len(labels) == len(AREAS)
    assert all(label.startswith(start) for label, start in zip(labels, AREAS, strict=True))


@pytest.mark.parametrize("label", AREAS)
def test_an_area_has_the_counts_of_the_frame(shop: Result, ax: Axes, label: str) -> None:
    frame = shop.frame("series").groupby("time_s")[AREAS[label]].sum().sum(axis=1)
    assert frame.sum() > 0
    drawn = area(ax, label)
    period_s, replications = 1.0, 2
    counts = (tops(drawn) - drawn.baseline) * period_s * replications
    assert counts == pytest.approx(frame.to_numpy())
    # Nothing is drawn where there is nothing: it would still be a thin line on paper.
    assert np.array_equal(np.isnan(drawn.values), frame.to_numpy() == 0)


def test_the_height_of_the_stack_is_all_traffic(shop: Result, ax: Axes) -> None:
    rates = shop.frame("series").groupby("time_s")["rps"].sum()
    assert tops(areas(ax)[-1].get_data()) == pytest.approx(rates.to_numpy())


def test_an_area_stands_on_the_one_before(ax: Axes) -> None:
    stack = [one.get_data() for one in areas(ax)]
    assert not np.any(stack[0].baseline)
    for below, above in itertools.pairwise(stack):
        assert above.baseline == pytest.approx(tops(below))
        assert below.edges == pytest.approx(above.edges)


def test_requests_lie_where_they_arrive(shop: Result, ax: Axes) -> None:
    edges = areas(ax)[0].get_data().edges
    times_s = sorted(set(shop.frame("series")["time_s"]))
    assert edges == pytest.approx([*times_s, 60.0])
    assert ax.get_xlim() == (0, 60)
    assert ax.get_xlabel() == "simulated time [s]"
    assert ax.get_ylabel() == "requests/s, mean of 2 replications"


def test_the_legend_has_the_shares_and_reads_as_the_stack_does(shop: Result, ax: Axes) -> None:
    legend = ax.get_legend()
    assert legend is not None
    texts = [text.get_text() for text in legend.get_texts()]
    limits = ["stage limit of shop/prod", "method limit of shop POST", "account limit"]
    assert len([text for text in texts if text.startswith(tuple(limits))]) == len(limits)
    assert texts[len(limits) : -1] == [one.get_label() for one in reversed(areas(ax))]
    series = shop.frame("series")
    share = series["throttled_account"].sum() / series["requests"].sum()
    (account,) = [text for text in texts if "throttled: account" in text]
    assert account == f"throttled: account limit, {100 * share:.1f}%"


def test_limits_that_refused_are_level_lines_at_their_rates(shop: Result, ax: Axes) -> None:
    # Hand-written in the scenario: 60/s of the account, 30/s of the stage, 10/s of the method.
    drawn = {
        str(line.get_label()).split(" ")[0]: line.get_segments()  # type: ignore[attr-defined]
        for line in ax.collections
    }
    rates = {"account": 60.0, "stage": 30.0, "method": 10.0}
    assert set(drawn) == set(rates)
    for level, rate in rates.items():
        (segment,) = drawn[level]
        assert segment.tolist() == [[0.0, rate], [60.0, rate]]
    refused = limits_that_bind(shop)["refused"].tolist()
    assert refused == sorted(refused, reverse=True)
    assert min(refused) > 0
    assert len(plot_requests(two_steps(), new_axes()).collections) == 0


def test_the_warm_up_is_pale(ax: Axes) -> None:
    (veil,) = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert (veil.get_x(), veil.get_width()) == (0, 10)
    assert "warm-up" in str(veil.get_label())
    assert max(one.get_zorder() for one in areas(ax)) < veil.get_zorder()
    assert not [patch for patch in plot_requests(two_steps(), new_axes()).patches
                if isinstance(patch, Rectangle)]  # fmt: skip


def test_the_warm_up_is_in_the_unit_of_the_axis() -> None:
    result = result_of(PLAIN.replace("{phases}", STEPS) + "warm_up: 90s\n")
    patches = plot_requests(result, new_axes()).patches
    assert [patch.get_width() for patch in patches if isinstance(patch, Rectangle)] == [1.5]


def two_steps() -> Result:
    return plain(STEPS)


def test_rates_and_minutes_of_a_run_without_chance() -> None:
    ax = plot_requests(two_steps(), new_axes())
    drawn = area(ax, "served,")
    assert drawn.values == pytest.approx([1.0] * 240 + [3.0] * 240)
    assert drawn.edges == pytest.approx(np.arange(481) / 60)
    assert ax.get_xlabel() == "simulated time [min]"
    assert ax.get_ylabel() == "requests/s"
    assert names_of(ax) == [(0.0, "low"), (4.0, "high")]
    assert lines_of(ax) == [4.0]


def names_of(ax: Axes) -> list[tuple[float, str]]:
    (above,) = ax.child_axes
    labels = [text.get_text() for text in above.get_xticklabels()]
    return list(zip(above.get_xticks().tolist(), labels, strict=True))


def lines_of(ax: Axes) -> list[float]:
    return [line.get_xdata()[0] for line in ax.lines]  # type: ignore[index]


def test_phases_are_marked_where_they_begin(shop: Result, ax: Axes) -> None:
    # Neither the pause nor the phase that lasts the whole run.
    assert phase_starts(shop) == [(0.0, "calm"), (30.0, "rush")]
    assert names_of(ax) == [(0.0, "calm"), (30.0, "rush")]
    assert lines_of(ax) == [30.0]


def test_names_without_room_go_up_and_then_away() -> None:
    phases = ["{name: a-long-beginning, duration: 96s, rate: 1}"]
    phases += [f"{{name: short-{number}, duration: 1s, rate: 1}}" for number in range(4)]
    ax = plot_requests(plain(", ".join(phases)), new_axes())
    assert names_of(ax) == [
        (0.0, "a-long-beginning"),
        (96.0, "short-0"),
        (97.0, "short-1\n"),
        (98.0, "short-2\n\n"),
    ]
    assert lines_of(ax) == [96.0, 97.0, 98.0, 99.0]


def test_a_run_without_requests_says_so() -> None:
    ax = plot_requests(plain("{name: silence, duration: 5s, rate: 0}"), new_axes())
    assert [text.get_text() for text in ax.texts] == ["no requests"]
    assert areas(ax) == []


def test_a_figure_of_its_own_draws_without_a_warning(shop: Result) -> None:
    ax = apisim.plot_requests(shop)
    assert plt.get_fignums() == [1]
    ax.figure.canvas.draw()
    plt.close("all")


def test_importing_the_figures_does_not_import_matplotlib() -> None:
    code = "import sys, apisim; apisim.plot_requests; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
