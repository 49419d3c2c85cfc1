"""Sobol indices against functions and scenarios whose indices are known."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from apisim.scenario import ScenarioError, loads
from apisim.studies import sweep
from apisim.studies.over import parse_over, points_of
from apisim.studies.saltelli import indices_of, saltelli_shares
from apisim.studies.sensitivity import noise_share

#: Two sources of evenly spaced requests, each to a mock of its own: whole numbers of requests.
TEXT = """
apisim: 1
name: two
profile: ideal
apis:
  shop:
    type: rest
    routes: {GET /a: {integration: {type: mock}}, GET /b: {integration: {type: mock}}}
traffic:
  one: {arrivals: uniform, phases: [{duration: 10s, rate: 5}], mix: {GET /a: 1}}
  two: {arrivals: uniform, phases: [{duration: 10s, rate: 5}], mix: {GET /b: 1}}
"""
ONE, TWO = "traffic.one.phases.0.rate", "traffic.two.phases.0.rate"


def test_indices_of_the_ishigami_function() -> None:
    """Ishigami and Homma 1990 with a = 7, b = 0.1: indices in closed form.

    Tolerances are about four standard errors of 4,096 points; the seed is fixed.
    """
    x = saltelli_shares(3, 4096, seed=1) * 2 * math.pi - math.pi
    y = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    found = indices_of(y, ["a", "b", "c"], seed=1)
    assert [one.path for one in found] == ["a", "b", "c"]
    assert [one.first for one in found] == pytest.approx([0.3139, 0.4424, 0.0], abs=0.03)
    assert [one.total for one in found] == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.03)
    for one, first, total in zip(
        found, (0.3139, 0.4424, 0.0), (0.5576, 0.4424, 0.2437), strict=True
    ):
        assert one.first_low < first < one.first_high
        assert one.total_low < total < one.total_high
        assert one.first_high - one.first_low < 0.1
    assert found == indices_of(y, ["a", "b", "c"], seed=1)


def test_the_design_is_two_samples_and_each_value_from_the_other() -> None:
    shares = saltelli_shares(3, 16, seed=4)
    a, b, *mixed = np.split(shares, 5)
    for at, one in enumerate(mixed):
        assert np.array_equal(one[:, at], b[:, at])
        rest = [other for other in range(3) if other != at]
        assert np.array_equal(one[:, rest], a[:, rest])
    assert not np.array_equal(a, b)
    # Balanced: each sixteenth of each value is met once in each sample.
    for sample in (a, b):
        assert all(sorted(np.floor(column * 16)) == list(range(16)) for column in sample.T)


def test_what_does_not_vary_or_is_missing_has_no_indices() -> None:
    assert indices_of([2.0] * 40, ["a", "b", "c"], seed=1) == []
    assert indices_of([math.nan, *range(39)], ["a", "b", "c"], seed=1) == []


def test_a_sum_of_two_rates_has_the_indices_of_their_ranges(tmp_path: Path) -> None:
    """Requests are 10 s (x + y): shares are those of the variances of the two ranges.

    Whole numbers from 1 to 41 and from 1 to 81 have variances of (n² - 1) / 12.
    """
    parts = np.array([41**2 - 1, 81**2 - 1])
    expected = parts / parts.sum()
    found = sweep(
        loads(TEXT), [f"{ONE}=1..41", f"{TWO}=1..81"], design="saltelli", n_points=32,
        engine="simpy", duration="1s", out=tmp_path,
    )  # fmt: skip
    assert len(found.points) == 32 * 4
    for measure in ("requests count", "cost_run value"):
        rows = [row for row in found.indices() if row["measure"] == measure]
        assert [row["path"] for row in rows] == [ONE, TWO]
        assert [row["first"] for row in rows] == pytest.approx(expected, abs=0.05)
        assert [row["total"] for row in rows] == pytest.approx(expected, abs=0.05)
        for row, share in zip(rows, expected, strict=True):
            assert row["first_low"] < share < row["first_high"]
            assert row["total_low"] < share < row["total_high"]
    # Nobody is refused and nothing takes time: those do not vary.
    assert {row["measure"] for row in found.indices()} == {
        "requests count", "goodput rate", "cost_run value",
    }  # fmt: skip
    assert "Shares of the variance of cost_run value" in found.summary()
    written = pd.read_csv(tmp_path / "sensitivity.csv")
    assert list(written["first"]) == [row["first"] for row in found.indices()]
    bars = found.plot("cost_run value").containers
    assert [bar.get_width() for bar in bars[0]] == [
        row["first"] for row in found.indices() if row["measure"] == "cost_run value"
    ]
    document = found.to_dict()
    assert document["design"] == "saltelli"
    assert document["sensitivity"][0]["noise"] is None


def test_other_designs_have_no_indices() -> None:
    found = sweep(loads(TEXT), [f"{ONE}=1,2"], engine="simpy", duration="1s")
    with pytest.raises(ValueError, match="need design='saltelli'"):
        found.indices()
    assert "sensitivity" not in found.to_dict()


@pytest.mark.parametrize("n", [0, 1, 3, 100, 2**16])
def test_the_number_of_points_is_a_power_of_two(n: int) -> None:
    with pytest.raises(ScenarioError, match="--sobol"):
        points_of([parse_over(f"{ONE}=1..9"), parse_over(f"{TWO}=1..9")], "saltelli", n_points=n)


def test_the_share_of_chance_is_that_of_the_means() -> None:
    """Points with a variance of 4 and replications with one of 1, of which 10 make a mean."""
    rng = np.random.default_rng(3)
    means = rng.normal(0, 2, 2000)
    values = [list(mean + rng.normal(0, 1, 10)) for mean in means]
    assert noise_share(values) == pytest.approx(0.1 / 4.1, rel=0.1)
    assert math.isnan(noise_share([[1.0], [2.0]]))
