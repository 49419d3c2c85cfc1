"""The projected month: what each window stands for, by hand."""

from fractions import Fraction

import pytest

from apisim.scenario import ScenarioError, loads
from apisim.studies import run

HOURS_S = 730 * 3600

API = """
apisim: 1
profile: ideal
apis:
  a:
    type: rest
    stage: {cache_cluster_size: "0.5"}
    routes: {GET /x: {integration: {type: mock}}}
"""


def source(name, *phases):
    listed = "".join(f"\n      - {phase}" for phase in phases)
    return f"""
  {name}:
    arrivals: uniform
    offset: 0
    phases: {listed}
    mix: {{GET /x: 1}}
"""


def requests_of(bill):
    return bill.line("apigateway.rest.requests").quantity


def test_a_steady_run_is_taken_for_every_hour_of_the_month():
    traffic = "traffic:" + source("web", "{duration: 10s, rate: 2}")
    result = run(loads(f"{API}pricing: {{month: project, represents: steady}}\n{traffic}"))
    assert requests_of(result.bill.month) == Fraction(20 * HOURS_S, 10)
    assert result.bill.month.line("apigateway.cache.0.5").quantity == 730
    assert requests_of(result.bill.run) == 20


def test_what_was_used_in_the_warm_up_is_not_projected():
    traffic = "traffic:" + source("web", "{duration: 10s, rate: 4}", "{duration: 10s, rate: 2}")
    text = f"{API}warm_up: 10s\npricing: {{month: project, represents: steady}}\n{traffic}"
    result = run(loads(text))
    assert requests_of(result.bill.month) == 2 * HOURS_S
    assert requests_of(result.bill.run) == 60


def test_a_counted_phase_happens_so_often_and_the_rest_fills_the_month():
    traffic = "traffic:" + source(
        "web",
        "{name: calm, duration: 10s, rate: 1}",
        "{name: match, duration: 10s, rate: 10, events_per_month: 4}",
    )
    result = run(loads(f"{API}pricing: {{month: project, represents: steady}}\n{traffic}"))
    assert requests_of(result.bill.month) == 4 * 100 + (HOURS_S - 40)
    assert any("match: 4 times a month" in note for note in result.bill.month.notes)


def test_a_source_that_falls_silent_is_silent_for_that_part_of_the_month():
    traffic = "traffic:" + source("web", "{duration: 20s, rate: 1}")
    traffic += source("office", "{name: office, duration: 5s, rate: 4}")
    result = run(loads(f"{API}pricing: {{month: project, represents: steady}}\n{traffic}"))
    assert requests_of(result.bill.month) == Fraction(40 * HOURS_S, 20)


def test_counted_phases_alone_need_no_word_about_the_rest():
    traffic = "traffic:" + source(
        "web", "{name: match, duration: 10s, rate: 10, events_per_month: 4}"
    )
    result = run(loads(f"{API}pricing: {{month: project}}\n{traffic}"))
    assert requests_of(result.bill.month) == 400


def test_the_month_has_a_jackknife_interval():
    text = (
        f"{API}pricing: {{month: project, represents: steady}}\nreplications: 4\n"
        "traffic: {web: {phases: [{duration: 10s, rate: 20}], mix: {GET /x: 1}}}\n"
    )
    result = run(loads(text))
    counts = [replication.requests for replication in result.replications]
    assert requests_of(result.bill.month) == Fraction(sum(counts), 4) * HOURS_S / 10
    interval = result.intervals["cost_month value"]
    assert interval.mean == pytest.approx(float(result.bill.month.total))
    # The bill is linear here (one tier), so the jackknife is the t interval of the counts.
    mean = sum(counts) / 4
    deviation = (sum((count - mean) ** 2 for count in counts) / 3 / 4) ** 0.5
    per_request = (0.0000035 + 1024 / 2**30 * 0.09) * HOURS_S / 10
    assert interval.high - interval.low == pytest.approx(
        2 * 3.182446305 * deviation * per_request, rel=1e-6
    )


@pytest.mark.parametrize(
    ("pricing", "place", "reason"),
    [
        ("{month: project, represents: steady, free_tier: nonsense}", "free_tier", "nonsense"),
        ("{month_to_date: {lambda.nonsense: 5}}", "month_to_date", "no such meter"),
        ("{book: no-such-book}", "book", "there is no price book"),
    ],
)
def test_a_pricing_setting_that_cannot_be_used_is_found_before_the_run(pricing, place, reason):
    traffic = "traffic:" + source("web", "{duration: 10s, rate: 2}")
    with pytest.raises(ScenarioError, match=reason) as caught:
        run(loads(f"{API}pricing: {pricing}\n{traffic}"))
    (problem,) = caught.value.problems
    assert problem.path.startswith(f"pricing.{place}")
    assert problem.line == 9


def test_an_interrupted_run_is_not_taken_for_a_month(monkeypatch):
    from apisim.studies import progress as progress_module

    def stop(progress):
        raise KeyboardInterrupt

    monkeypatch.setattr(progress_module, "_REPORT_EVERY_S", 0.0)
    traffic = "traffic:" + source("web", "{duration: 100s, rate: 2000}")
    text = f"{API}pricing: {{month: project, represents: steady}}\n{traffic}"
    result = run(loads(text), progress=stop)
    assert not result.completed
    assert result.bill.month is None
    text = result.summary()
    assert f"digest {result.run_info.digest} (of a part), " in text
    assert "\ncut short: these numbers cannot be reproduced, only the whole run can\n" in text
    assert "reproduce by" not in text
