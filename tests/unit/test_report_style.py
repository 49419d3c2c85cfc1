"""The colours of the figures: told apart by everybody, and on a grey print."""

import itertools
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from apisim.gateway.status import ANSWERS
from apisim.report.style import JOINED, OUTCOMES, Fill, axes, fill_of, theme, time_scale
from tests.support.figures import new_axes

#: Simulation of dichromacy (linear RGB): Machado, Oliveira and Fernandes, "A Physiologically-based
#: Model for Simulation of Color Vision Deficiency", IEEE TVCG 15(6), 2009, severity 1.0.
VISION: dict[str, Any] = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
#: CIE 1931 XYZ of linear sRGB, white D65 (IEC 61966-2-1).
_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> Any:
    """Linear RGB of a colour."""
    encoded = np.array(to_rgb(colour))
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def lab(rgb: Any) -> Any:
    """CIE 1976 L*a*b*, in which a just noticeable difference is about 2.3."""
    ratios = _XYZ @ np.clip(rgb, 0, 1) / _XYZ.sum(axis=1)
    cube = np.where(ratios > (6 / 29) ** 3, np.cbrt(ratios), ratios * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = cube
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_lab_knows_white_black_and_red() -> None:
    assert lab(linear("white")) == pytest.approx([100, 0, 0], abs=0.05)
    assert lab(linear("black")) == pytest.approx([0, 0, 0], abs=0.05)
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)


PAIRS = list(itertools.combinations(OUTCOMES.values(), 2))


@pytest.mark.parametrize("vision", VISION)
def test_all_areas_differ_for_all_eyes(vision: str) -> None:
    seen = {fill: lab(VISION[vision] @ linear(fill.colour)) for fill in OUTCOMES.values()}
    distances = {
        (one.label, other.label): float(np.linalg.norm(seen[one] - seen[other]))
        for one, other in PAIRS
        if one.hatch == other.hatch
    }
    assert min(distances.values()) > 15, distances


def test_all_areas_differ_on_a_grey_print() -> None:
    def lightness(fill: Fill) -> float:
        return float(lab(linear(fill.colour))[0])

    differences = {
        (one.label, other.label): abs(lightness(one) - lightness(other))
        for one, other in PAIRS
        if one.hatch == other.hatch
    }
    assert min(differences.values()) > 12, differences


@pytest.mark.parametrize("vision", [*VISION, "grey"])
def test_on_a_dark_page_a_failure_is_far_from_what_it_lies_on(vision: str) -> None:
    with theme("dark") as dark:
        failure, paper = fill_of("backend"), dark.paper
    account = "#b8481c"  # on the page; in a figure by itself that of the light theme
    others = [
        one.colour for one in OUTCOMES.values() if not one.hatch and one.label != failure.label
    ]
    for other in (*others, account, paper):
        one, two = lab(linear(failure.colour)), lab(linear(other))
        if vision == "grey":
            assert abs(one[0] - two[0]) > 12, other
        else:
            one, two = (lab(VISION[vision] @ linear(at)) for at in (failure.colour, other))
            assert np.linalg.norm(one - two) > 30, other


def test_every_way_to_end_has_its_area() -> None:
    ends = {facts.refused_by or facts.outcome for facts in ANSWERS.values()}
    assert {JOINED.get(end, end) for end in ends} == set(OUTCOMES)


@pytest.mark.parametrize(
    ("length_s", "unit"), [(0.5, "s"), (180, "s"), (181, "min"), (10_801, "h"), (259_201, "d")]
)
def test_time_is_shown_in_a_unit_that_fits(length_s: float, unit: str) -> None:
    assert time_scale(length_s)[1] == unit


def test_the_style_stays_with_our_own_figures() -> None:
    before = dict(mpl.rcParams)
    with axes(None) as ours:
        pass
    assert dict(mpl.rcParams) == before
    assert not ours.spines["top"].get_visible()
    plt.close(ours.figure)  # type: ignore[arg-type]


def test_axes_of_the_caller_stay_as_they_are() -> None:
    theirs = new_axes()
    with axes(theirs) as given:
        assert given is theirs
    assert plt.get_fignums() == []
    assert theirs.spines["top"].get_visible()
