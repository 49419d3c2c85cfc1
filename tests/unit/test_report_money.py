"""Figures of money: what is drawn is the frame, and the frame is what prices say."""

from decimal import Decimal
from itertools import pairwise

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import apisim
from apisim.report.money import plot_cost_over_volume, plot_cost_waterfall
from apisim.results.money import volume_frame, waterfall_frame
from apisim.results.result import Result
from apisim.scenario import loads
from apisim.studies import run
from tests.support.figures import SHOP, new_axes, result_of

TEXT = """
apisim: 1
name: small
apis: {shop: {type: rest, routes: {GET /: {integration: {type: lambda_proxy, function: f}}}}}
functions: {f: {duration: 40ms}}
traffic: {web: {phases: [{duration: 20s, rate: 50}], mix: {GET /: 1}, arrivals: uniform}}
pricing: {month: project, free_tier: always-free, represents: steady}
"""


@pytest.fixture(scope="module")
def result() -> Result:
    return run(loads(TEXT), engine="simpy")


def test_a_waterfall_ends_at_the_total_and_grants_the_free_tier(result: Result) -> None:
    frame = waterfall_frame(result)
    assert result.bill.month is not None
    assert frame["end"].iloc[-1] == result.bill.month.total
    assert list(frame["start"].iloc[1:-1]) == list(frame["end"].iloc[:-2])
    # The free tier of a month: 1,000,000 invocations at $0.20 a million, 400,000 GB-seconds at
    # $0.0000166667 and 100 GB of transfer at $0.09, of which less is used.
    used = result.bill.month.line("datatransfer.out.internet")
    assert used is not None
    transfer = min(used.quantity, 100) * Decimal("0.09").as_integer_ratio()[0] / 100
    expected = 0.2 + 400_000 * 0.0000166667 + float(transfer)
    taken = frame.loc[frame["step"] == "free tier", "amount"].iloc[0]
    assert float(taken) == pytest.approx(-expected, rel=1e-9)


def test_a_waterfall_draws_its_frame(result: Result) -> None:
    frame = waterfall_frame(result)
    drawn = plot_cost_waterfall(result, ax=new_axes())
    bars = [patch for patch in drawn.patches if isinstance(patch, Rectangle)]
    assert [bar.get_x() for bar in bars] == pytest.approx([float(x) for x in frame["start"]])
    ends = [bar.get_x() + bar.get_width() for bar in bars]
    assert ends == pytest.approx([float(x) for x in frame["end"]])
    assert [tick.get_text() for tick in drawn.get_yticklabels()] == list(frame["step"])
    assert drawn.get_xlabel() == "USD for a month"


def test_the_smallest_lines_share_a_step(result: Result) -> None:
    frame = waterfall_frame(result, "run", most=2)
    assert list(frame["step"].iloc[:2]) == ["apigateway.rest.requests", "other lines"]
    assert frame["end"].iloc[-1] == result.bill.run.total


def test_a_volume_has_the_prices_of_the_tiers(result: Result) -> None:
    """REST: 333 M at $3.50, 667 M at $2.80, then $2.38; HTTP: 300 M at $1.00, then $0.90."""
    frame = volume_frame(result, [333_000_000, 1_000_000_000, 1_100_000_000])
    rest = frame[frame["prices"] == "REST"]
    assert [str(x) for x in rest["api"]] == ["1165.5", "3033.1", "3271.1"]
    assert [float(x) for x in rest["price_from_here"].iloc[:2]] == [2.8, 2.38]
    http = frame[frame["prices"] == "HTTP"]
    assert [float(x) for x in http["api"]] == [329.7, 930.0, 1020.0]
    # All else is the same whatever the API's type.
    others = [list(line["total"] - line["api"]) for line in (rest, http)]
    assert others[0] == others[1]


def test_the_bill_s_own_volume_has_the_bill_s_own_total(result: Result) -> None:
    assert result.bill.month is not None
    line = result.bill.month.line("apigateway.rest.requests")
    assert line is not None
    frame = volume_frame(result, [int(line.quantity)])
    assert frame["total"].iloc[0] == result.bill.month.total


def test_a_cost_over_volume_draws_its_frame_and_marks_tiers(result: Result) -> None:
    frame = volume_frame(result)
    drawn = plot_cost_over_volume(result, ax=new_axes())
    lines = {line.get_label(): line for line in drawn.lines}
    rest = frame[frame["prices"] == "REST"]
    assert list(lines["REST prices"].get_xdata()) == list(rest["units"])
    assert list(lines["REST prices"].get_ydata()) == [float(x) for x in rest["per_million"]]
    ends = [line for line in drawn.lines if line.get_label() == "_ends"]
    assert [list(line.get_xdata())[:1] for line in ends] == [[333e6], [300e6]]
    texts = [text.get_text() for text in drawn.texts]
    assert "$2.80 from here" in texts
    assert "$0.90 from here" in texts


@pytest.mark.parametrize("size", [(8, 4), (5, 3), (4, 4), (12, 3)])
def test_words_of_near_tiers_stand_apart_and_on_no_line(
    result: Result, size: tuple[float, float]
) -> None:
    figure = Figure(figsize=size, layout="constrained")
    drawn = plot_cost_over_volume(result, ax=figure.subplots())
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in drawn.texts]
    assert len(boxes) == 3
    for at, box in enumerate(boxes):
        assert not box.count_overlaps(boxes[:at])
        for line in drawn.lines:
            if line.get_label() != "_ends":
                path = line.get_path().transformed(drawn.transData)
                assert not path.intersects_bbox(box, filled=False)


@pytest.mark.parametrize("duration", ["20ms", "20s"])
def test_amounts_on_the_axis_are_written_out(duration: str) -> None:
    run_ = run(loads(TEXT, overrides=["pricing={}"]), engine="simpy", duration=duration)
    drawn = plot_cost_waterfall(run_, ax=new_axes())
    assert drawn.figure is not None
    drawn.figure.canvas.draw()
    assert drawn.xaxis.get_offset_text().get_text() == ""
    ticks = drawn.get_xticklabels()
    assert len(ticks) > 2
    assert [float(tick.get_text()) for tick in ticks] == pytest.approx(drawn.get_xticks())
    boxes = [tick.get_window_extent() for tick in ticks]
    assert not any(two.x0 < one.x1 for one, two in pairwise(boxes))


def test_four_figures_on_a_grid_have_room_for_their_legends() -> None:
    figure = Figure(figsize=(13, 8), layout="constrained")
    plots = (
        apisim.plot_requests, apisim.plot_latency_by_route, apisim.plot_latency_over_time,
        plot_cost_waterfall,
    )  # fmt: skip
    grid = figure.subplots(2, 2)
    for plot, ax in zip(plots, grid.flat, strict=True):
        plot(result_of(SHOP), ax=ax)
    figure.draw_without_rendering()
    boxes = [ax.get_tightbbox().shrunk(0.99, 0.99) for ax in grid.flat]
    for at, box in enumerate(boxes):
        assert not box.count_overlaps(boxes[:at])


def test_a_bill_that_was_not_made_is_refused(result: Result) -> None:
    plain = run(loads(TEXT, overrides=["pricing={}"]), engine="simpy", duration="1s")
    with pytest.raises(ValueError, match="no month was projected"):
        plot_cost_waterfall(plain, "month", ax=new_axes())
    assert plot_cost_waterfall(plain, ax=new_axes()).get_xlabel() == "USD for the run"
    with pytest.raises(ValueError, match="run or month"):
        waterfall_frame(result, "year")  # type: ignore[arg-type]
