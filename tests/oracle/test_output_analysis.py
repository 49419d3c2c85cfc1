"""Output analysis against numbers computed elsewhere: textbook examples and M/M/1 in closed form.

Statistical tests have fixed seeds; each says how often another seed would make it fail.
"""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from apisim.results.statistics import (
    Interval,
    batch_means,
    controlled_interval,
    few_events_interval,
    holm,
    is_precise,
    jackknife_interval,
    mser,
    p_value,
    paired_interval,
    ratio_interval,
    replications_needed,
    sectioned_interval,
    t_interval,
    welch_interval,
    wilson_interval,
)

pytestmark = pytest.mark.oracle

FIVE = (4.1, 3.7, 4.4, 4.0, 3.9)
FIRST, SECOND = (3.2, 4.1, 2.9, 3.8, 3.5), (2.8, 3.6, 2.7, 3.3, 3.2)


def reach(interval: Interval | None) -> float:
    assert interval is not None
    return interval.half_width


# --- Student's t, and how many replications -------------------------------------------------------


def test_the_t_interval_of_five_values() -> None:
    interval = t_interval(FIVE)
    assert interval is not None
    assert interval.mean == pytest.approx(4.02, abs=1e-12)
    assert f"{np.std(FIVE, ddof=1):.6f}" == "0.258844"
    assert f"{interval.half_width:.6f}" == "0.321397"


@pytest.mark.parametrize("values", [(), (1.0,), (1.0, math.nan)])
def test_there_is_no_t_interval_of_less_than_two_values(values: tuple[float, ...]) -> None:
    assert t_interval(values) is None


def test_ten_replications_keep_an_error_of_five_per_cent() -> None:
    assert replications_needed(FIVE, 0.05, least=2) == 10
    assert replications_needed(FIVE, 0.05) == 10
    assert replications_needed(FIVE, 0.10, least=2) == 5
    # By luck alike: the rule is not asked before there are ten.
    assert replications_needed((4.0, 4.0001), 0.05) == 10
    assert replications_needed((-1.0, 1.0), 0.05) is None


def test_precision_is_relative_to_what_the_mean_may_be() -> None:
    # g/(1 + g), not g: 0.0476 for 5 %.
    assert is_precise(Interval(-1.0, -1.0476, -0.9524), 0.05)
    assert not is_precise(Interval(-1.0, -1.0477, -0.9523), 0.05)
    assert is_precise(Interval(0.0, 0.0, 0.0), 0.05)


# --- Two systems --------------------------------------------------------------------------------


def test_the_paired_interval_is_a_quarter_of_welch_s() -> None:
    paired = paired_interval(FIRST, SECOND)
    assert paired is not None
    assert paired.mean == pytest.approx(0.38, abs=1e-12)
    assert f"{paired.half_width:.6f}" == "0.161893"
    # 7.55 degrees of freedom, t 2.3300, standard error 0.26907: 0.6269 (one collection of worked
    # examples prints 0.628, which neither 7, 7.55 nor 8 degrees give).
    assert f"{reach(welch_interval(FIRST, SECOND)):.4f}" == "0.6269"


def test_welch_agrees_with_scipy() -> None:
    from scipy import stats

    theirs = stats.ttest_ind(FIRST, SECOND, equal_var=False).confidence_interval(0.95)
    mine = welch_interval(FIRST, SECOND)
    assert mine is not None
    assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), rel=1e-12)


def test_a_p_value_agrees_with_scipy() -> None:
    from scipy import stats

    differences = [one - two for one, two in zip(FIRST, SECOND, strict=True)]
    assert p_value(differences) == pytest.approx(stats.ttest_rel(FIRST, SECOND).pvalue, rel=1e-12)
    assert p_value([0.0, 0.0]) == 1.0
    assert p_value([2.0, 2.0]) == 0.0


def test_pairs_are_complete() -> None:
    with pytest.raises(ValueError, match="2 values cannot be paired with 1"):
        paired_interval([1.0, 2.0], [1.0])


def test_holm_steps_down() -> None:
    # Sorted .005 .01 .03 .04: times 4, 3, 2, 1, never below what came before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([0.02, math.nan, 0.04])[0] == pytest.approx(0.04)
    assert holm([]) == []
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        holm([1.5])


def test_holm_raises_at_most_one_false_alarm_in_twenty() -> None:
    # 2,000 families of ten questions that have no effect; false alarm of this test about 1e-4.
    random = np.random.default_rng(7)
    families = random.uniform(size=(2_000, 10))
    adjusted = sum(min(holm(list(family))) < 0.05 for family in families) / 2_000
    assert abs(adjusted - 0.05) < 4 * math.sqrt(0.05 * 0.95 / 2_000)
    assert (families.min(axis=1) < 0.05).mean() > 0.3  # without Holm it is 40 %


# --- Shares, quantiles and rare events -----------------------------------------------------------


def test_wilson_s_interval() -> None:
    interval = wilson_interval(13, 1000)
    assert (f"{interval.low:.6f}", f"{interval.high:.6f}") == ("0.007613", "0.022114")
    assert wilson_interval(0, 10).low == 0.0
    assert wilson_interval(10, 10).high == 1.0
    with pytest.raises(ValueError, match="11 of 10"):
        wilson_interval(11, 10)


def test_a_ratio_counts_each_request_alike() -> None:
    # 1 of 10 and 30 of 100: 31 of 110, not the mean of 10 % and 30 %.
    interval = ratio_interval([1, 30], [10, 100])
    assert interval is not None
    assert interval.mean == 31 / 110
    # By hand: residuals 1 - 310/110 and 30 - 3100/110 are -+ 20/11; S^2 = 2 (20/11)^2, t 12.7062.
    assert interval.half_width == pytest.approx(12.706205 * (20 / 11) * 2 / 110, rel=1e-6)


def test_a_replication_without_requests_is_no_obstacle_to_a_share() -> None:
    interval = ratio_interval([0, 3, 5], [0, 10, 10])
    assert interval is not None
    assert interval.mean == 0.4
    assert ratio_interval([0, 0], [0, 0]) is None


def test_the_delta_method_agrees_with_the_jackknife() -> None:
    random = np.random.default_rng(3)
    below = random.poisson(1_000, 20).astype(float)
    above = random.binomial(below.astype(int), 0.1).astype(float)
    mine = ratio_interval(list(above), list(below))
    left_out = [(above.sum() - a) / (below.sum() - b) for a, b in zip(above, below, strict=True)]
    theirs = jackknife_interval(above.sum() / below.sum(), left_out)
    assert reach(mine) == pytest.approx(reach(theirs), rel=0.01)


def test_a_quantile_s_variance_is_about_the_pooled_one() -> None:
    # About the mean of the sections (2) it would be 1; about 2.5 it is 1 + 3 * 0.25 / 2.
    interval = sectioned_interval(2.5, [1.0, 2.0, 3.0])
    assert reach(interval) == pytest.approx(4.302653 * math.sqrt((2.25 + 0.25 + 0.25) / 2 / 3))
    assert sectioned_interval(2.5, [2.0, math.nan]) is None
    assert reach(sectioned_interval(2.0, [2.0, 2.0], resolution=0.1)) == pytest.approx(0.1)


def test_no_event_is_bounded_by_three_in_all() -> None:
    none = few_events_interval(0, 20)
    assert none is not None
    assert (none.low, none.high, none.events) == (0.0, 3 / 20, 0)
    assert none.is_conclusive
    four = few_events_interval(4, 2)
    assert four is not None
    assert not four.is_conclusive
    # Garwood's table: 1.0899 to 10.2416 for 4.
    assert (four.low, four.high) == pytest.approx((1.0899 / 2, 10.2416 / 2), abs=1e-4)
    assert few_events_interval(10, 20) is None


# --- One long run --------------------------------------------------------------------------------


def test_batch_means_of_ten_batches() -> None:
    values = (1.2, 0.9, 1.4, 1.1, 1.3, 0.8, 1.0, 1.5, 1.2, 1.1)
    found = batch_means(values, batches=10)
    assert found.interval.mean == pytest.approx(1.15, abs=1e-12)
    assert f"{found.interval.half_width:.6f}" == "0.155452"
    assert not found.is_correlated
    # Each observation three times over: the batches are the same.
    assert batch_means([v for v in values for _ in range(3)], batches=10).interval == found.interval


def test_what_does_not_fill_a_batch_is_left_out_at_the_beginning() -> None:
    found = batch_means([100.0, *map(float, range(20))], batches=10)
    assert (found.size, found.interval.mean) == (2, 9.5)


def test_batches_that_go_on_alike_are_told() -> None:
    assert batch_means([float(one) for one in range(100)], batches=20).is_correlated
    # 1,000 runs of independent observations: 5 % are told by mistake; false alarm about 1e-4.
    random = np.random.default_rng(11)
    told = np.mean([batch_means(list(random.normal(size=20))).is_correlated for _ in range(1_000)])
    assert abs(told - 0.05) < 4 * math.sqrt(0.05 * 0.95 / 1_000)


@pytest.mark.parametrize(("n", "batches"), [(5, 10), (100, 9), (100, 31)])
def test_batches_have_a_number_and_a_size(n: int, batches: int) -> None:
    with pytest.raises(ValueError, match="batches"):
        batch_means([1.0] * n, batches=batches)


def waits(rho: float, n: int, runs: int, seed: int) -> NDArray[np.float64]:
    """Mean waits in queue of n customers of M/M/1 (mu = 1) from its steady state, run by run.

    Lindley's recursion as a random walk and its running minimum.
    """
    random = np.random.default_rng(seed)
    means = []
    for _ in range(runs):
        steps = random.exponential(size=n) - random.exponential(1 / rho, size=n)
        first = random.exponential(1 / (1 - rho)) if random.uniform() < rho else 0.0
        walk = np.concatenate([[first], first + np.cumsum(steps[:-1])])
        means.append(np.mean(walk - np.minimum(np.minimum.accumulate(walk), 0.0)))
    return np.array(means)


@pytest.mark.parametrize(
    ("rho", "n", "runs", "truth"), [(0.5, 5_000, 1_000, 29.0), (0.8, 50_000, 400, 1976.0)]
)
def test_the_asymptotic_variance_of_m_m_1(rho: float, n: int, runs: int, truth: float) -> None:
    """rho (2 + 5 rho - 4 rho^2 + rho^3)/(1 - rho)^4 (Blomqvist 1967); false alarm about 1e-4."""
    formula = rho * (2 + 5 * rho - 4 * rho**2 + rho**3) / (1 - rho) ** 4
    assert formula == pytest.approx(truth, rel=1e-9)
    means = waits(rho, n, runs, seed=5)
    interval = t_interval(list(means))
    assert interval is not None
    assert abs(interval.mean - rho / (1 - rho)) < 2 * interval.half_width
    error = math.sqrt(2 / (runs - 1))
    assert abs(n * means.var(ddof=1) / truth - 1) < 4 * error


def test_batch_means_find_that_variance_in_one_run() -> None:
    """30 batches of 100,000 customers; a chi-square with 29 degrees, false alarm 1e-3."""
    rho, size = 0.5, 100_000
    random = np.random.default_rng(2)
    walk = np.cumsum(random.exponential(size=30 * size) - random.exponential(1 / rho, 30 * size))
    found = batch_means(list(walk - np.minimum(np.minimum.accumulate(walk), 0.0)), batches=30)
    assert not found.is_correlated
    assert abs(found.interval.mean - 1.0) < 2 * found.interval.half_width
    variance = (found.interval.half_width / 2.04523) ** 2 * 30 * size
    assert 13.1 < 29 * variance / 29.0 < 58.3


# --- The beginning of a run ----------------------------------------------------------------------


def test_mser_5_of_twenty_averages() -> None:
    z = [9.0, 7.0, 5.0, 3.0] + [1.0, -1.0] * 8
    found = mser([value for value in z for _ in range(5)])
    assert (found.batches, found.observations, found.is_too_short) == (4, 20, False)
    assert f"{found.statistic:.5f}" == "0.06250"


def test_each_statistic_of_mser_5() -> None:
    from apisim.results.statistics.mser import _statistics

    z = np.array([9.0, 7.0, 5.0, 3.0] + [1.0, -1.0] * 8)
    told = [f"{value:.5f}" for value in _statistics(z)[:6]]
    assert told == ["0.37800", "0.24143", "0.14335", "0.08467", "0.06250", "0.06637"]


def test_a_run_that_never_settles_is_too_short() -> None:
    assert mser([float(one) for one in range(100)]).is_too_short
    assert not mser([3.0] * 100).is_too_short
    assert mser([3.0] * 100).batches == 0


def test_five_averages_of_a_transient_are_left_out_of_noise() -> None:
    random = np.random.default_rng(4)
    values = random.normal(size=1_000)
    values[:100] += 10 * np.linspace(1, 0, 100)
    assert 40 <= mser(list(values)).observations <= 200
    with pytest.raises(ValueError, match="at least 10 observations, got 9"):
        mser([1.0] * 9)


# --- Control variates ----------------------------------------------------------------------------


def test_a_regression_agrees_with_least_squares_of_statistics() -> None:
    """The intercept and its error by scipy, with the control moved to its known mean."""
    from scipy import stats

    random = np.random.default_rng(8)
    control = random.normal(100, 5, 30)
    values = 3 * control + random.normal(0, 4, 30)
    theirs = stats.linregress(control - 100, values)
    mine = controlled_interval(list(values), [list(control)], [100.0])
    assert mine is not None
    assert mine.interval.mean == pytest.approx(theirs.intercept, rel=1e-12)
    quantile = stats.t.ppf(0.975, 28)
    assert mine.interval.half_width == pytest.approx(quantile * theirs.intercept_stderr, rel=1e-9)
    assert mine.coefficients[0] == pytest.approx(theirs.slope, rel=1e-9)


def test_the_gain_is_what_the_correlation_leaves() -> None:
    """1/(1 - r^2) (R - q - 2)/(R - 2) for one control; 4,000 replications, error 2 %."""
    random = np.random.default_rng(9)
    control = random.normal(size=4_000)
    values = 3 * control + random.normal(size=4_000)  # r^2 = 0.9
    found = controlled_interval(list(values), [list(control)], [0.0])
    assert found is not None
    assert found.gain == pytest.approx(10.0, rel=0.09)


def test_the_interval_with_a_control_covers_its_mean() -> None:
    """10 replications, 4,000 times over: 95 % within 4 errors of 0.0034; false alarm 1e-4."""
    random = np.random.default_rng(10)
    covered = 0
    for _ in range(4_000):
        control = random.normal(size=10)
        values = 5 + 2 * control + random.normal(size=10)
        found = controlled_interval(list(values), [list(control)], [0.0])
        assert found is not None
        covered += found.interval.low <= 5 <= found.interval.high
    assert abs(covered / 4_000 - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 4_000)


@pytest.mark.parametrize(
    "controls",
    [
        [],
        [[1.0] * 6],  # does not vary
        [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]] * 2,  # says the same twice
        [[1.0, 2.0, 3.0, 4.0, 5.0, math.nan]],
        [list(np.eye(6)[at]) for at in range(4)],  # too many
    ],
)
def test_controls_that_say_nothing_are_not_used(controls: list[list[float]]) -> None:
    values = [1.0, 3.0, 2.0, 5.0, 4.0, 6.0]
    assert controlled_interval(values, controls, [0.0] * len(controls)) is None
