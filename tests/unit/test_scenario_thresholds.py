"""Thresholds: metric, tags, statistic, operator and limit in its unit."""

from fractions import Fraction

import pytest

from apisim.scenario import ScenarioError, Threshold, loads
from apisim.scenario.thresholds import METRICS

TEXT = """\
apisim: 1
apis:
  shop: {type: rest, routes: {GET /a: {integration: {type: mock}}}}
traffic:
  web: {phases: [{name: spike, duration: 1m, rate: 10}], mix: {GET /a: 1}}
pricing: {month: project, represents: steady}
thresholds:
"""


def threshold(key: str, condition: str) -> Threshold:
    (only,) = loads(f"{TEXT}  '{key}': ['{condition}']\n").thresholds
    return only


@pytest.mark.parametrize(
    ("key", "condition", "statistic", "operator", "limit", "unit"),
    [
        ("latency", "p(95)<200ms", "p", "<", 200 * 10**6, "ns"),
        ("latency", "p(99.9) <= 1.5s", "p", "<=", 1_500 * 10**6, "ns"),
        ("call_latency", "mean<1m", "mean", "<", 60 * 10**9, "ns"),
        ("call_latency", "avg<1m", "mean", "<", 60 * 10**9, "ns"),
        ("gateway_latency", "max<29s", "max", "<", 29 * 10**9, "ns"),
        ("integration_latency", "min>=1ms", "min", ">=", 10**6, "ns"),
        ("availability", "rate>99.9%", "rate", ">", Fraction(999, 1000), "share"),
        ("throttled", "rate<0.1%", "rate", "<", Fraction(1, 1000), "share"),
        ("throttled", "count==0", "count", "==", 0, "count"),
        ("throttled{window: 1m}", "max<5%", "max", "<", Fraction(1, 20), "share"),
        ("requests", "rate>500", "rate", ">", 500, "per_second"),
        ("requests", "rate>30/min", "rate", ">", Fraction(1, 2), "per_second"),
        ("requests", "count>10", "count", ">", 10, "count"),
        ("data_processed", "count<10MB", "count", "<", 10 * 1024**2, "bytes"),
        ("cost_run", "value<0.05", "value", "<", Fraction(1, 20), "money"),
        ("cost_month", "value<5", "value", "<", 5, "money"),
    ],
)
def test_a_condition_is_read_in_the_metric_s_unit(
    key: str, condition: str, statistic: str, operator: str, limit: Fraction, unit: str
) -> None:
    read = threshold(key, condition)
    assert (read.key, read.expression) == (key, condition)
    assert read.metric == key.split("{", maxsplit=1)[0]
    assert (read.statistic, read.operator, read.limit, read.unit) == (
        statistic, operator, limit, unit,
    )  # fmt: skip


def test_a_quantile_is_a_percentage_and_med_is_the_median() -> None:
    assert threshold("latency", "p(99.9)<1s").quantile == 99.9
    assert threshold("latency", "med<1s").quantile == 50
    assert threshold("latency", "mean<1s").quantile is None


@pytest.mark.parametrize(
    ("key", "tags"),
    [
        ("latency", ()),
        ("latency{}", ()),
        ('latency{route:"GET /a",phase:spike}', (("route", "GET /a"), ("phase", "spike"))),
        ("latency{ api = shop , stage: prod }", (("api", "shop"), ("stage", "prod"))),
        ("latency{traffic: web, status: 200}", (("traffic", "web"), ("status", "200"))),
    ],
)
def test_tags_narrow_a_metric_down(key: str, tags: tuple[tuple[str, str], ...]) -> None:
    assert threshold(key, "p(95)<1s").tags == tags


def test_every_metric_has_a_condition_that_can_be_written() -> None:
    limits = {"ns": "1s", "share": "5%", "count": "5", "per_second": "5/s", "bytes": "5KB"}
    for metric, statistics in METRICS.items():
        for statistic, unit in statistics.items():
            word = "p(50)" if statistic == "p" else statistic
            key = f"{metric}{{window: 1m}}"
            assert threshold(key, f"{word}<{limits.get(unit, '5')}").unit == unit


@pytest.mark.parametrize(
    ("operator", "below", "at", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
        ("==", False, True, False),
    ],
)
def test_a_value_meets_a_condition_or_not(
    operator: str, below: bool, at: bool, above: bool
) -> None:
    condition = threshold("requests", f"count{operator}10")
    assert [condition.holds(value) for value in (9, 10, 11)] == [below, at, above]
    assert not condition.holds(float("nan"))


@pytest.mark.parametrize(
    ("key", "condition"),
    [
        ("latency", "p(95)"), ("latency", "p(95)<"), ("latency", "<200ms"), ("latency", "p(95)~1s"),
        ("latency", "p(100)<1s"), ("latency", "p(1e9)<1s"), ("latency", "p(95)<200"),
        ("latency", "p(95)<5%"), ("latency", "rate<5%"), ("availability", "rate>1.5"),
        ("availability", "p(95)>1%"), ("cost_run", "value<$5"), ("requests", "count<-1"),
        ("throttled", "max<5%"), ("requests", "count<" + "9" * 30), ("latency{", "p(95)<1s"),
        ("latency{phase}", "p(95)<1s"), ("latency{phase: spike, phase: spike}", "p(95)<1s"),
        ("latency{window: 5}", "p(95)<1s"), ("latency{window: 0s}", "p(95)<1s"),
        ("latency{api: cart}", "p(95)<1s"), ("latency{traffic: wep}", "p(95)<1s"),
        ("latency{stage: dev}", "p(95)<1s"), ("lat ency", "p(95)<1s"), ("", "p(95)<1s"),
        ("x" * 2_000, "p(95)<1s"),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_is_refused(key: str, condition: str) -> None:
    with pytest.raises(ScenarioError):
        threshold(key, condition)
