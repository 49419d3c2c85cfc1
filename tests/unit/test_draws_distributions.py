"""Distributions: what is refused, how rows are shared, and how draws are rounded."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisim.draws.distributions import (
    Constant,
    Distribution,
    DistributionTable,
    Exponential,
    Gamma,
    LogNormal,
    LogNormalMean,
    Mixture,
    Pareto,
    Quantiles,
    Samples,
    Uniform,
    quantile,
    sample,
    sample_int,
    to_int,
)
from apisim.draws.generator import uniform
from apisim.draws.keys import stream_key
from apisim.draws.purposes import Purpose

KEY = stream_key(1, 0, Purpose.SERVICE, "distributions")

LAWS: list[Distribution] = [
    LogNormal(20.0, 100.0),
    LogNormalMean(25.0, 100.0),
    Exponential(4.0),
    Uniform(5.0, 9.0),
    Gamma(10.0, 0.1),
    Gamma(10.0, 1.0),
    Gamma(10.0, 3.0),
    Pareto(2.0, 1.5),
    Quantiles(((0, 1), (50, 10), (90, 20), (99, 40))),
    Samples((3.0, 1.0, 2.0)),
]


def frozen(law: Distribution) -> tuple[Any, Any, int]:
    table = DistributionTable()
    row = table.add(law)
    return *table.freeze(), row


# ------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(-1.0), "a constant must be finite and >= 0, got -1.0"),
        (lambda: Constant(math.nan), "a constant must be finite"),
        (lambda: Constant(math.inf), "a constant must be finite"),
        (lambda: LogNormal(0.0, 1.0), "p50 must be finite and > 0, got 0.0"),
        (lambda: LogNormal(20.0, 10.0), "p99 must be finite and at least p50, got p50 20.0 and"),
        (lambda: LogNormal(1.0, math.inf), "p99 must be finite"),
        (lambda: LogNormal(1.0, math.nan), "p99 must be finite"),
        (lambda: LogNormal(5e-324, 1e300), "p99 must be finite"),
        (lambda: LogNormalMean(0.0, 1.0), "the mean must be finite and > 0"),
        (lambda: LogNormalMean(10.0, 9.0), "p99 must be finite and at least the mean"),
        (lambda: LogNormalMean(10.0, 149.7), "p99 must be at most 14.968 times the mean"),
        (lambda: LogNormalMean(10.0, math.nan), "p99 must be finite"),
        (lambda: Exponential(0.0), "the mean must be finite and > 0, got 0.0"),
        (lambda: Exponential(math.nan), "the mean must be finite"),
        (lambda: Uniform(5.0, 4.0), "0 <= low <= high, got low 5.0 and high 4.0"),
        (lambda: Uniform(-1.0, 4.0), "0 <= low <= high"),
        (lambda: Uniform(0.0, math.inf), "the ends must be finite"),
        (lambda: Gamma(0.0, 1.0), "the mean must be finite and > 0"),
        (lambda: Gamma(1.0, 0.0), r"cv must be in \[0.01, 100\]"),
        (lambda: Gamma(1.0, 101.0), r"cv must be in \[0.01, 100\]"),
        (lambda: Pareto(0.0, 1.0), "the minimum must be finite and > 0"),
        (lambda: Pareto(1.0, 0.0), "alpha must be finite and > 0"),
        (lambda: Quantiles(((50, 1),)), "at least two points, got 1"),
        (lambda: Quantiles(((50, 1), (50, 2))), "must ascend in percentage"),
        (lambda: Quantiles(((50, 2), (90, 1))), "not descend in value"),
        (lambda: Quantiles(((-1, 1), (90, 2))), r"percentages of quantiles must be in \[0, 100\]"),
        (lambda: Quantiles(((50, 1), (101, 2))), r"percentages of quantiles must be in \[0, 100\]"),
        (lambda: Quantiles(((50, -1), (90, 2))), r"values of quantiles must be in \[0, 1e300\]"),
        (
            lambda: Quantiles(((50, 1), (90, math.nan))),
            r"values of quantiles must be in \[0, 1e300\]",
        ),
        (lambda: Samples(()), "at least one sample"),
        (lambda: Samples((1.0, -2.0)), r"samples must be in \[0, 1e300\], got -2.0"),
        (lambda: Samples((1.0, math.nan, 0.5)), r"samples must be in \[0, 1e300\], got nan"),
        (lambda: Mixture(()), "a mixture needs at least one part"),
        (lambda: Mixture(((0.0, Constant(1.0)),)), r"weights of a mixture must be in \(0, 1e300\]"),
        (
            lambda: Mixture(((math.nan, Constant(1.0)),)),
            r"weights of a mixture must be in \(0, 1e300\]",
        ),
    ],
)
def test_impossible_parameters_are_refused_with_a_sentence(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("law", [*LAWS, Constant(1.0)], ids=repr)
@pytest.mark.parametrize("q", [0.0, 1.0, -0.1, math.nan])
def test_quantiles_exist_inside_0_and_1_only(law: Distribution, q: float) -> None:
    with pytest.raises(ValueError, match=r"inside \(0, 1\)"):
        law.quantile(q)


# ------------------------------------------------------------------------------------- the table


def test_equal_descriptions_share_a_row() -> None:
    table = DistributionTable()
    rows = [
        table.add(law) for law in (Constant(1), LogNormal(1, 2), Constant(1.0), LogNormal(1, 2))
    ]
    assert rows == [0, 1, 0, 1]
    assert table.freeze()[0].size == 2


def test_rows_keep_their_numbers_when_more_are_added() -> None:
    table = DistributionTable()
    first = [table.add(law) for law in LAWS]
    before, _ = table.freeze()
    table.add(Samples(range(100)))
    assert [table.add(law) for law in LAWS] == first
    rows, values = table.freeze()
    assert (rows[: before.size] == before).all()
    for law, row in zip(LAWS, first, strict=True):
        assert quantile(rows, values, row, 0.7) == law.quantile(0.7)


def test_parameters_may_be_given_by_name() -> None:
    assert Exponential(mean=4) == Exponential(4.0)
    assert Gamma(mean=4, cv=2) == Gamma(4, 2)
    assert LogNormalMean(mean=4, p99=20) == LogNormalMean(4, 20)
    assert hash(Exponential(mean=4)) == hash(Exponential(4.0))


def test_samples_are_the_same_in_any_order() -> None:
    assert Samples((3, 1, 2)) == Samples([1.0, 2.0, 3.0])


# ----------------------------------------------------------------------------------------- draws


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_a_draw_is_the_quantile_of_its_uniform(law: Distribution) -> None:
    rows, values, row = frozen(law)
    for index in range(200):
        expected = law.quantile(uniform(KEY, index, 3))
        assert sample(rows, values, row, KEY, index, 3) == expected
        assert sample_int(rows, values, row, KEY, index, 3) == round(expected)


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_a_larger_uniform_gives_a_larger_value(law: Distribution) -> None:
    ends = [2.0**-53, 1e-12, 1e-6]
    grid = [*ends, *np.linspace(0.001, 0.999, 999).tolist(), *(1 - q for q in reversed(ends))]
    draws = [law.quantile(q) for q in grid]
    assert draws == sorted(draws)
    assert all(0 <= x < math.inf for x in draws)


def test_a_constant_computes_no_draw() -> None:
    rows, values, row = frozen(Constant(2.5))
    # A negative index is refused as soon as a draw is computed.
    assert sample(rows, values, row, KEY, -1, 0) == 2.5
    assert sample_int(rows, values, row, KEY, -1, 0) == 2
    rows, values, row = frozen(Uniform(2.5, 2.5))
    with pytest.raises(AssertionError):
        sample(rows, values, row, KEY, -1, 0)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (0.0, 0),
        (0.5, 0),
        (1.5, 2),
        (2.5, 2),
        (0.49999999999999994, 0),
        (2**52 - 0.5, 2**52),
        (2.0**52 + 1, 2**52 + 1),
        (2.0**53 - 1, 2**53 - 1),
        (1e300, 2**53),
        (math.inf, 2**53),
    ],
)
def test_whole_numbers_are_rounded_to_even_and_end_at_2_to_53(value: float, rounded: int) -> None:
    assert to_int(value) == rounded
    if value < math.inf:
        rows, values, row = frozen(Constant(value))
        assert sample_int(rows, values, row, KEY, 0, 0) == rounded


@given(st.floats(0, 2.0**53))
def test_rounding_is_that_of_python(value: float) -> None:
    assert to_int(value) == round(value)


def test_a_heavy_tail_is_cut_at_2_to_53() -> None:
    rows, values, row = frozen(Pareto(1.0, 0.01))
    draws = [sample_int(rows, values, row, KEY, index, 0) for index in range(100)]
    assert max(draws) == 2**53


# ------------------------------------------------------------------- quantiles, samples, mixtures


@pytest.mark.parametrize(
    ("q", "value"),
    [(0.01, 10), (0.5, 10), (0.7, 15), (0.9, 20), (0.945, 30), (0.99, 40), (0.9999, 40)],
)
def test_given_quantiles_are_linear_between_and_flat_outside(q: float, value: float) -> None:
    law = Quantiles(((50, 10), (90, 20), (99, 40)))
    assert law.quantile(q) == pytest.approx(value, rel=1e-14)


def test_the_mean_of_given_quantiles_is_the_area_under_them() -> None:
    # 0.5 * 10 + 0.4 * 15 + 0.09 * 30 + 0.01 * 40
    assert Quantiles(((50, 10), (90, 20), (99, 40))).mean() == pytest.approx(14.1, rel=1e-15)
    assert Quantiles(((0, 0), (100, 8))).mean() == 4.0


def test_samples_are_drawn_as_they_are() -> None:
    law = Samples((7.0, 1.0, 3.0, 3.0))
    assert [law.quantile(q) for q in (0.01, 0.25, 0.26, 0.75, 0.76, 0.99)] == [1, 1, 3, 3, 7, 7]
    assert law.mean() == 3.5


def test_a_mixture_gives_each_part_its_share_of_the_uniform() -> None:
    law = Mixture(((3, Uniform(0, 30)), (1, Constant(1000))))
    rows, values, row = frozen(law)
    assert quantile(rows, values, row, 0.375) == pytest.approx(15)
    assert quantile(rows, values, row, 0.7499) == pytest.approx(29.996)
    assert quantile(rows, values, row, 0.75) == 1000
    assert law.mean() == pytest.approx(0.75 * 15 + 250)


def test_a_mixture_of_mixtures_is_flat() -> None:
    inner = Mixture(((1, Constant(1)), (1, Constant(2))))
    law = Mixture(((1, inner), (1, Mixture(((1, Constant(3)),)))))
    assert law.shares() == [(0.25, Constant(1)), (0.25, Constant(2)), (0.5, Constant(3))]
    rows, values, row = frozen(law)
    assert [quantile(rows, values, row, q) for q in (0.2, 0.3, 0.6, 0.9)] == [1, 2, 3, 3]


@pytest.mark.parametrize("u", [2.0**-53, 0.5, 0.5 - 2.0**-53, 0.9 - 2**-53, 1 - 2.0**-53])
def test_the_ends_of_a_mixtures_shares_stay_finite(u: float) -> None:
    parts = ((0.5, Exponential(1)), (0.4, LogNormal(1, 5)), (0.1, Pareto(1, 1)))
    rows, values, row = frozen(Mixture(parts))
    assert 0 < quantile(rows, values, row, u) < math.inf


def test_the_quantile_of_a_mixture_is_that_of_the_whole() -> None:
    law = Mixture(((0.9, Uniform(0, 10)), (0.1, Constant(5))))
    # Up to 5: 0.45 below it, then an atom of 0.1.
    assert law.quantile(0.36) == pytest.approx(4)
    assert [law.quantile(q) for q in (0.46, 0.5, 0.54)] == [5, 5, 5]
    assert law.quantile(0.64) == pytest.approx(6)
    assert Mixture(((1, Constant(3)), (1, Constant(4)))).quantile(0.5) == 3


@pytest.mark.parametrize(
    "law", [*LAWS, Constant(2.0), Mixture(((1, LAWS[0]), (2, LAWS[2])))], ids=repr
)
def test_the_distribution_function_undoes_the_quantile(law: Distribution) -> None:
    assert law.cdf(-1.0) == 0.0
    for q in (1e-6, 0.1, 0.5, 0.9, 0.999):
        x = law.quantile(q)
        assert law.cdf(x) >= q * (1 - 1e-9)
        if x > 0:
            assert law.cdf(x * (1 - 1e-9)) <= q * (1 + 1e-6)


def test_log_normal_degenerates_to_a_constant() -> None:
    for law in (LogNormal(5, 5), LogNormalMean(5, 5)):
        assert law.sigma == 0
        assert law.quantile(0.999) == law.mean() == 5
        assert (law.cdf(4.9), law.cdf(5.0)) == (0, 1)
