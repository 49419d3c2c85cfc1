"""Figures of studies: what is drawn is what the study says, and that is what arithmetic says."""

import numpy as np
import pytest
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.colors import to_rgb

import apisim
from apisim.report import plot_sweep, plot_sweep_heat, theme
from apisim.scenario import loads
from apisim.studies import Sweep
from tests.support.figures import new_axes
from tests.unit.test_report_style import lab, linear

RATE, LENGTH = "traffic.web.phases.0.rate", "traffic.web.phases.0.duration"
EVEN = """
apisim: 1
name: even
profile: ideal
apis: {shop: {type: rest, routes: {GET /: {integration: {type: mock}}}}}
traffic: {web: {arrivals: uniform, phases: [{duration: 1s, rate: 10}], mix: {GET /: 1}}}
"""


@pytest.fixture(scope="module")
def grid() -> Sweep:
    """Even arrivals: as many requests as rate times length; the last length is refused."""
    return apisim.sweep(
        loads(EVEN), {RATE: [10, 40], LENGTH: ["1s", "2s", "none"]}, replications=2, engine="simpy"
    )


def test_a_heat_map_has_the_requests_that_arithmetic_says(grid: Sweep) -> None:
    drawn = plot_sweep_heat(grid, "requests count", ax=new_axes())
    (mesh,) = (one for one in drawn.collections if isinstance(one, QuadMesh))
    cells = mesh.get_array()
    assert cells.shape == (3, 2)
    assert cells[0].tolist() == [10, 40]
    assert cells[1].tolist() == [20, 80]
    assert cells.mask[2].all()
    assert [tick.get_text() for tick in drawn.get_xticklabels()] == ["10", "40"]
    assert [tick.get_text() for tick in drawn.get_yticklabels()] == ["1s", "2s", "none"]
    assert (drawn.get_xlabel(), drawn.get_ylabel()) == (RATE, LENGTH)
    words = {text.get_position(): text.get_text() for text in drawn.texts}
    assert words == {
        (0.5, 0.5): "10", (1.5, 0.5): "40", (0.5, 1.5): "20", (1.5, 1.5): "80",
        (0.5, 2.5): "-", (1.5, 2.5): "-",
    }  # fmt: skip


def test_a_heat_map_is_the_frame_in_the_unit_of_its_colour_bar(grid: Sweep) -> None:
    drawn = grid.plot("availability rate", ax=new_axes(), kind="heat")
    (mesh,) = (one for one in drawn.collections if isinstance(one, QuadMesh))
    means = grid.frame().groupby([LENGTH, RATE], sort=False)["availability rate"].mean()
    assert mesh.get_array().compressed().tolist() == [100.0 * one for one in means]
    assert drawn.figure is not None
    assert drawn.figure.axes[1].get_ylabel() == "availability rate [%]"


@pytest.mark.parametrize("name", ["light", "dark"])
def test_a_heat_map_is_in_order_on_a_grey_print_and_its_words_are_seen(
    grid: Sweep, name: str
) -> None:
    with theme(name):
        drawn = plot_sweep_heat(grid, "requests count", ax=new_axes())
    (mesh,) = (one for one in drawn.collections if isinstance(one, QuadMesh))
    values = np.linspace(10, 80, 9)
    lightness = [float(lab(linear(colour[:3]))[0]) for colour in mesh.to_rgba(values)]
    steps = np.diff(lightness) * (-1 if name == "light" else 1)  # what is large stands out
    assert steps.min() > 5
    for text in drawn.texts:
        column, row = (int(place) for place in text.get_position())
        if text.get_text() != "-":
            below = linear(mesh.to_rgba(mesh.get_array()[row, column])[:3])
            of_text = float(lab(linear(to_rgb(text.get_color())))[0])
            assert abs(of_text - float(lab(below)[0])) > 40


def test_lines_have_bands_from_the_low_to_the_high_end(grid: Sweep) -> None:
    lines = grid.lines("cost_run value")
    drawn = plot_sweep(grid, "cost_run value", ax=new_axes())
    known = {line.get_label(): line for line in drawn.lines}
    assert list(known) == ["duration 1s", "duration 2s", "duration none"]
    for name, rows in lines.groupby("line"):
        assert known[str(name)].get_xdata().tolist() == [10, 40]
        np.testing.assert_array_equal(known[str(name)].get_ydata(), rows["mean"])
    band = next(one for one in drawn.collections if isinstance(one, PolyCollection))
    first = lines[lines["line"] == "duration 1s"]
    corners = {tuple(point) for point in band.get_paths()[0].vertices.tolist()}
    for end in ("low", "high"):
        assert set(zip(first["x"], first[end], strict=True)) <= corners
    assert lines[lines["line"] == "duration none"]["mean"].isna().all()


def test_what_is_no_grid_over_two_paths_has_no_heat_map(grid: Sweep) -> None:
    one = apisim.sweep(loads(EVEN), {RATE: [10]}, replications=1, engine="simpy")
    with pytest.raises(ValueError, match=r"design 'grid' over 1 path$"):
        plot_sweep_heat(one, "requests count", ax=new_axes())
    with pytest.raises(
        ValueError, match=r"no measure 'requests' \(did you mean requests count\?\);"
    ):
        plot_sweep_heat(grid, "requests", ax=new_axes())
    with pytest.raises(ValueError, match="kind must be lines or heat, got 'bars'"):
        grid.plot("requests count", kind="bars")  # type: ignore[arg-type]
