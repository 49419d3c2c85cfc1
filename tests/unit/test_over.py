"""What is varied: values, steps, ranges, and the points of designs."""

import numpy as np
import pytest
from scipy.stats import kstest, qmc

from apisim.scenario import ScenarioError
from apisim.studies.over import parse_over, points_of


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a.b=1,2,3", ("1", "2", "3")),
        ("a.b=0:100:25", ("0", "25", "50", "75", "100")),
        ("a.b=0:10:4", ("0", "4", "8")),
        ("a.b=0.1:0.3:0.1", ("0.1", "0.2", "0.3")),
        ("a.b=50ms:150ms:50ms", ("50ms", "100ms", "150ms")),
        ("a.b={p50: 1ms, p99: 2ms},3ms", ("{p50: 1ms, p99: 2ms}", "3ms")),
        ("a.b=[1, 2],'x, y'", ("[1, 2]", "'x, y'")),
        ("a.b=x=1,y=2", ("x=1", "y=2")),
    ],
)
def test_values_are_read_as_written(text: str, values: tuple[str, ...]) -> None:
    assert parse_over(text).values == values


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a.b", "is no path=values"),
        ("=1,2", "is no path=values"),
        ("a.b=", "is no path=values"),
        ("a.b=1,,2", "has an empty value"),
        ("a.b=5..5", "is no range"),
        ("a.b=9..5", "is no range"),
        ("a.b=1ms..5s", "ends in ms and s"),
        ("a.b=0:10:0", "in steps of 0"),
        ("a.b=10:0:1", "no numbers from 10 to 0"),
        ("a.b=12:00:00", "no numbers from 12 to 0"),
        ("a.b=0ms:10s:1", "numbers in ms and s"),
        ("a.b=0:1000000:1", "1,000,001 values"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(text: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_over(text)
    (problem,) = caught.value.problems
    assert words in problem.message
    assert problem.file == "--over"


def test_a_grid_has_all_combinations_with_the_last_path_fastest() -> None:
    over = [parse_over("a=1,2"), parse_over("b=x,y,z")]
    assert points_of(over) == [
        ("1", "x"),
        ("1", "y"),
        ("1", "z"),
        ("2", "x"),
        ("2", "y"),
        ("2", "z"),
    ]


def test_a_zip_has_values_side_by_side() -> None:
    over = [parse_over("a=1,2"), parse_over("b=x,y")]
    assert points_of(over, "zip") == [("1", "x"), ("2", "y")]
    with pytest.raises(ScenarioError, match="as many values of each"):
        points_of([parse_over("a=1,2"), parse_over("b=x")], "zip")


def test_a_path_is_varied_once_and_a_grid_has_no_ranges() -> None:
    with pytest.raises(ScenarioError, match="varied twice"):
        points_of([parse_over("a=1,2"), parse_over("a=3")])
    with pytest.raises(ScenarioError, match="of which a grid has no points"):
        points_of([parse_over("a=1..5")])


def test_a_latin_hypercube_has_one_point_in_each_row_and_column() -> None:
    over = [parse_over("a=0.0..1.0"), parse_over("b=0.0..10.0")]
    points = points_of(over, "lhs", n_points=50, seed=3)
    for column, width in ((0, 1.0), (1, 10.0)):
        cells = sorted(int(float(point[column]) / width * 50) for point in points)
        assert cells == list(range(50))
    assert points == points_of(over, "lhs", n_points=50, seed=3)
    assert points != points_of(over, "lhs", n_points=50, seed=4)


def test_sobol_points_fill_the_square_better_than_chance() -> None:
    over = [parse_over("a=0.0..1.0"), parse_over("b=0.0..1.0")]
    points = np.array(points_of(over, "sobol", n_points=256, seed=3), float)
    chance = np.random.default_rng(3).random((256, 2))
    assert qmc.discrepancy(points) < qmc.discrepancy(chance) / 5


def test_whole_numbers_of_a_range_are_equally_likely() -> None:
    """False alarm: 1e-4."""
    over = [parse_over("a=1..8")]
    drawn = [int(value) for (value,) in points_of(over, "lhs", n_points=4000, seed=5)]
    assert {1, 8} <= set(drawn) <= set(range(1, 9))
    counts = np.bincount(drawn)[1:]
    assert counts.max() - counts.min() <= 2  # a hypercube is stratified
    continuous = [float(v) for (v,) in points_of([parse_over("a=0.0..1.0")], "lhs", n_points=500)]
    assert kstest(continuous, "uniform").pvalue > 1e-4
