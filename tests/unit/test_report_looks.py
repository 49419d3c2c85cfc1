"""What was mended after looking: numbers on axes, legends in their place, captions that fit."""

import re
from importlib.resources import files

import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import StepPatch

import apisim
from apisim.report.log_axis import label_log_axis
from apisim.report.page.figures import FIGURES
from apisim.report.style import fill_of, look, theme
from apisim.report.time_axis import legend_below
from tests.support.figures import SHOP, new_axes, result_of

#: Servers of an even second each; three functions of one account, of which one has its own reserve.
SEVERAL = """
apisim: 1
profile: ideal
account: {lambda_concurrency: 60}
apis:
  a:
    type: http
    routes:
      GET /e1: {integration: {type: http_proxy, endpoint: e1}}
      GET /e2: {integration: {type: http_proxy, endpoint: e2}}
      GET /f: {integration: {type: lambda_proxy, function: f}}
      GET /g: {integration: {type: lambda_proxy, function: g}}
      GET /h: {integration: {type: lambda_proxy, function: h}}
endpoints: {e1: {servers: 9, service_time: 1s}, e2: {servers: 9, service_time: 1s}}
functions:
  f: {duration: 1s}
  g: {duration: 1s}
  h: {duration: 1s, reserved_concurrency: 9}
traffic:
  web:
    arrivals: uniform
    phases: [{duration: 20s, rate: 50}]
    mix: {GET /e1: 1, GET /e2: 1, GET /f: 1, GET /g: 1, GET /h: 1}
"""


def shown_ticks(ax: Axes, which: str) -> list[float]:
    low, high = ax.get_xlim() if which == "x" else ax.get_ylim()
    axis = ax.xaxis if which == "x" else ax.yaxis
    return [tick for tick in axis.get_majorticklocs() if low <= tick <= high]


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (318.0, 361.0, [320, 330, 340, 350, 360]),
        (36.0, 1050.0, [50, 100, 200, 500, 1000]),
        (0.5, 5000.0, [1, 10, 100, 1000]),
    ],
)
def test_a_logarithmic_axis_has_numbers_however_little_it_shows(
    low: float, high: float, wanted: list[float]
) -> None:
    ax = new_axes()
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    label_log_axis(ax.yaxis, low, high)
    assert shown_ticks(ax, "y") == pytest.approx(wanted)
    ax.figure.canvas.draw()
    words = [tick.get_text() for tick in ax.get_yticklabels() if tick.get_text()]
    assert {f"{one:,g}" for one in wanted} <= set(words)
    assert not [one.get_text() for one in ax.get_yticklabels(minor=True) if one.get_text()]


def test_latencies_that_hardly_differ_have_an_axis_with_numbers() -> None:
    text = SEVERAL.replace("duration: 1s}", "duration: {uniform: [300ms, 350ms]}}")
    text = text.replace("service_time: 1s", "service_time: {uniform: [300ms, 350ms]}")
    result = result_of(text.replace("reserved_concurrency: 9", "memory: 128MB"))
    for plot, which in (
        (apisim.plot_latency_over_time, "y"), (apisim.plot_latency_ccdf, "x"),
        (apisim.plot_latency_by_route, "x"),
    ):  # fmt: skip
        assert len(shown_ticks(plot(result, new_axes()), which)) >= 2


@pytest.mark.parametrize("height", [1.8, 4.0, 8.0])
def test_a_legend_below_leaves_the_axis_its_label(height: float) -> None:
    figure, ax = plt.subplots(figsize=(8, height), layout="constrained")
    for name in ("one", "two", "three"):
        ax.plot([0, 1], label=name)
    ax.set_xlabel("simulated time [s]")
    legend_below(ax)
    figure.canvas.draw()
    legend, label = ax.get_legend(), ax.xaxis.label.get_window_extent()
    assert legend is not None
    top = legend.get_window_extent().y1
    assert label.y0 - 12 < top < label.y0 + 1
    assert legend.get_window_extent().y0 > 0
    plt.close(figure)


def test_functions_with_the_same_limit_share_its_line() -> None:
    result = result_of(SEVERAL)
    ax = apisim.plot_concurrency(result, new_axes())
    limits = {
        str(one.get_label()): [path.vertices[0, 1] for path in one.get_paths()]
        for one in ax.collections
        if isinstance(one, LineCollection) and "limit" in str(one.get_label())
    }
    frame = result.frame("function_series").groupby("function")["limit"].first()
    assert limits == {"limit of each: f, g": [frame["f"]], "h, limit": [9]}
    assert frame["f"] == frame["g"] == 60 - 9


def test_several_endpoints_share_the_words_for_their_lines() -> None:
    ax = apisim.plot_queues(result_of(SEVERAL), new_axes())
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "e1: mean queue (left)", "longest queue, dotted (left)", "e2: mean queue (left)",
        "utilisation, thin (right)",
    ]  # fmt: skip


def test_the_caption_of_the_requests_has_the_shares_of_the_legend() -> None:
    result = result_of(SHOP)
    figure = next(one for one in FIGURES if one.title == "Requests over time")
    said = figure.alt(result)
    legend = apisim.plot_requests(result, new_axes()).get_legend()
    assert legend is not None
    words = [text.get_text() for text in legend.get_texts() if text.get_text().endswith("%")]
    assert len(words) > 4
    for text in words:
        assert re.sub(r", (?=[\d.]+%$)", " ", text) in said
    assert "warm-up included" in said  # 10 s of them are
    assert f"{result.frame('series')['requests'].sum():,} requests" in said


@pytest.mark.parametrize(
    ("before_s", "top", "words"),
    [
        (299, 1.1 * 1.4 * 10, ["up to 1,000/s here"]),  # one of 300 periods cannot be seen
        (99, 1050, []),  # one of a hundred can
    ],
)
def test_a_second_that_cannot_be_seen_hides_nothing(
    before_s: int, top: float, words: list[str]
) -> None:
    result = result_of(f"""
apisim: 1
profile: ideal
apis: {{a: {{type: rest, routes: {{GET /: {{integration: {{type: mock}}}}}}}}}}
traffic:
  web:
    arrivals: uniform
    offset: 0
    phases: [{{duration: {before_s}s, rate: 10}}, {{duration: 1s, rate: 1000}}]
    mix: {{GET /: 1}}
""")
    ax = apisim.plot_requests(result, new_axes())
    assert ax.get_ylim()[1] == pytest.approx(top)
    assert [one.get_text() for one in ax.texts if "here" in one.get_text()] == words
    (stack,) = (one for one in ax.patches if isinstance(one, StepPatch))
    assert stack.get_data().values.max() == 1000  # it is drawn all the same


def test_the_title_of_the_caller_takes_the_place_of_ours() -> None:
    ax = apisim.plot_requests(result_of(SHOP), new_axes())
    ax.set_title("as decided")
    assert [ax.get_title(loc) for loc in ("left", "center", "right")] == ["", "as decided", ""]


def test_captions_name_the_api_where_there_are_several() -> None:
    figure = next(one for one in FIGURES if one.title == "Latency by route")
    said = figure.alt(result_of(SHOP))
    for name in ("shop GET /items/{id}: median", "other GET /feed: median"):
        assert name in said


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_style_sheet_has_the_lines_of_the_theme(name: str) -> None:
    sheet = (files("apisim.report.page") / "page.css").read_text(encoding="utf-8")
    found = re.findall(r"--s(\d): (#\w{6});", sheet)
    by_theme = {"light": found[:6], "dark": found[6:12]}
    assert found[12:] == found[:6]  # paper is light
    with theme(name):
        strokes = [(str(at), stroke.colour) for at, stroke in enumerate(look().strokes)]
        failure = fill_of("backend").colour
    assert by_theme[name] == strokes
    assert re.findall(r"--failure: (#\w{6});", sheet)[("light", "dark").index(name)] == failure
