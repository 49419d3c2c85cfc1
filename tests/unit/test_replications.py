"""Replications until a figure is known, and a warm-up that is chosen: scenarios and runs."""

import pytest

from apisim.results.statistics import is_precise
from apisim.scenario import ScenarioError, loads
from apisim.studies import compare, run
from apisim.studies.until import STEP, batches, with_fixed_replications
from apisim.studies.warm_up import chosen_warm_up, with_chosen_warm_up

BASE = """
apisim: 1
profile: ideal
apis: {a: {type: rest, routes: {GET /x: {integration: {type: http_proxy, endpoint: e}}}}}
endpoints: {e: {servers: 1, queue_limit: 1000, service_time: {exponential: 100ms}}}
traffic: {web: {phases: [{duration: 60s, rate: 5}], mix: {GET /x: 1}}}
"""


def until(half_width: str = "10%", metric: str = "latency mean", more: str = "") -> str:
    return f"replications: {{until: {{metric: {metric}, half_width: {half_width}}}{more}}}\n"


# --- until ------------------------------------------------------------------------------------


def test_a_run_goes_on_until_the_interval_is_narrow_enough() -> None:
    result = run(loads(BASE + until()))
    n = result.run_info.replications
    assert 10 < n < 200
    assert (n - 10) % STEP == 0
    assert result.completed
    assert is_precise(result.intervals["latency mean"], 0.10)
    # Five fewer were not enough, and are the same replications.
    before = run(loads(BASE), replications=n - STEP)
    assert not is_precise(before.intervals["latency mean"], 0.10)
    assert [one.digest for one in before.replications] == [
        one.digest for one in result.replications[: n - STEP]
    ]
    (note,) = [note for note in result.notes if "known to" in note]
    assert note.startswith(f"{n} replications: latency mean is known to ±")
    assert note.endswith("a relative error of at most 10%")


def test_the_same_number_whoever_works_on_them() -> None:
    scenario = loads(BASE + until())
    one, three = run(scenario), run(scenario, workers=3)
    assert one.run_info.digest == three.run_info.digest
    assert one.intervals == three.intervals
    assert one.notes == three.notes


def test_a_run_until_is_the_run_of_that_many() -> None:
    result = run(loads(BASE + until()))
    fixed = run(loads(BASE), replications=result.run_info.replications)
    assert fixed.run_info.digest == result.run_info.digest
    assert fixed.bill.run.total == result.bill.run.total
    assert with_fixed_replications(loads(BASE + until())).replications == len(fixed.replications)


def test_the_most_there_may_be_is_said_when_it_is_not_enough() -> None:
    result = run(loads(BASE + until("1%", more=", min: 4, max: 7")))
    assert result.run_info.replications == 7
    assert result.completed
    assert any(
        note.startswith("7 replications are the most allowed (max)") for note in result.notes
    )


def test_what_happens_too_seldom_is_never_known() -> None:
    result = run(loads(BASE + until(metric="throttled rate", more=", max: 12")))
    assert result.run_info.replications == 12
    assert any("throttled rate has no interval to go by" in note for note in result.notes)


def test_steps_end_at_the_most_there_may_be() -> None:
    scenario = loads(BASE + until(more=", min: 4, max: 12"))
    assert [list(one) for one in batches(scenario)] == [
        [0, 1, 2, 3], [4, 5, 6, 7, 8], [9, 10, 11],
    ]  # fmt: skip
    assert [list(one) for one in batches(loads(BASE))] == [[0]]


def test_variants_that_are_compared_have_the_number_of_the_first() -> None:
    scenario = loads(BASE + until(more=", max: 40"))
    comparison = compare(scenario, variants={"faster": ["endpoints.e.service_time=50ms"]})
    assert comparison.base.until is None
    assert {len(rows) for rows in comparison.rows} == {run(scenario).run_info.replications}


def test_a_scenario_with_until_survives_being_written_and_changed() -> None:
    scenario = loads(BASE + until(more=", max: 40") + "warm_up: auto\n")
    assert loads(scenario.to_yaml()) == scenario
    assert (scenario.replications, scenario.until.min, scenario.until.max) == (40, 10, 40)
    assert scenario.with_(replications=3).until is None
    assert scenario.with_("replications.max=50").replications == 50
    assert "up to 40 replications" in scenario._repr_html_()


@pytest.mark.parametrize(
    ("written", "at", "message"),
    [
        ("{until: {metric: latency, half_width: 5%}}", "until.metric", "is no figure"),
        ("{until: {metric: latency p(999), half_width: 5%}}", "until.metric", "is no figure"),
        ("{until: {metric: latencies p(9), half_width: 5%}}", "until.metric", "unknown metric"),
        ("{until: {metric: latency rate, half_width: 5%}}", "until.metric", "has no rate"),
        ("{until: {metric: latency{phase:y} mean, half_width: 5%}}", "until.metric", "no phase"),
        ("{until: {metric: cost_month value, half_width: 5%}}", "until.metric", "no bill of a"),
        ("{until: {metric: latency mean, half_width: 5}}", "until.half_width", "no percent sign"),
        ("{until: {metric: latency mean, half_width: 60%}}", "until.half_width", "at most 50%"),
        ("{until: {metric: latency mean, half_width: 0%}}", "until.half_width", "above 0%"),
        ("{until: {metric: latency mean}}", "until", "half_width is required"),
        ("{until: {metric: latency mean, half_width: 5%}, min: 1}", "min", "below the 2 minimum"),
        ("{until: {metric: latency mean, half_width: 5%}, max: 9}", "max", "below min, 10"),
        ("{until: {metric: latency mean, half_width: 5%}, mox: 9}", "mox", "unknown key"),
        ("{min: 3}", "", "until is required"),
        ("often", "", "must be a whole number"),
        ("0", "", "below the 1 minimum"),
    ],
)
def test_what_is_wrong_with_until_is_told_at_its_place(written, at, message) -> None:
    text = written.replace("latency{phase:y} mean", "'latency{phase:y} mean'")
    with pytest.raises(ScenarioError, match=message) as caught:
        loads(f"{BASE}replications: {text}\n")
    (problem,) = caught.value.problems
    assert problem.path == ".".join(filter(None, ["replications", at]))
    assert problem.line == BASE.count("\n") + 1


def test_what_is_not_measured_cannot_be_waited_for() -> None:
    scenario = loads(BASE + until(metric="call_latency mean"))
    with pytest.raises(ScenarioError, match=r"until\.metric: call_latency is not measured"):
        run(scenario)


# --- warm_up: auto ----------------------------------------------------------------------------


#: A hundred users, half of whom are waiting once the queue has filled.
CROWD = (
    BASE.replace("{duration: 60s, rate: 5}", "{duration: 10m, users: 100, think_time: 10s}")
    .replace("exponential: 100ms", "exponential: 200ms")
    .replace("think_time: 10s", "think_time: {exponential: 10s}")
    + "warm_up: auto\n"
)


def test_a_queue_that_fills_is_left_out_until_it_is_full() -> None:
    """From 0 to 10 s of waiting (100 users, 0.2 s each, 10 s of thought), as fast as users come."""
    text = CROWD
    chosen = chosen_warm_up(loads(text))
    assert chosen.of == ""
    assert 5e9 < chosen.warm_up_ns < 120e9
    assert chosen.warm_up_ns >= chosen.mser_ns
    result = run(loads(text), replications=3)
    assert result.scenario.warm_up == chosen.warm_up_ns
    assert chosen.note in result.notes
    assert chosen.note.startswith("warm_up: auto is ")
    # The same as the duration written, in every number.
    seconds = f"{chosen.warm_up_ns // 1_000_000}ms"
    written = run(loads(text).with_(warm_up=seconds), replications=3)
    assert written.run_info.digest == result.run_info.digest
    assert written.intervals == result.intervals
    assert written.requests.warm_up == result.requests.warm_up > 0


def test_the_choice_does_not_depend_on_the_number_of_replications() -> None:
    scenario = loads(BASE.replace("60s", "5m") + "warm_up: auto\n")
    assert len({chosen_warm_up(scenario.with_(replications=n)).warm_up_ns for n in (1, 2, 9)}) == 1


def test_what_expires_late_has_to_have_expired_twice() -> None:
    cached = """
apisim: 1
profile: ideal
warm_up: auto
apis:
  a:
    type: rest
    stage: {cache_cluster_size: "0.5"}
    routes:
      GET /x: {integration: {type: lambda_proxy, function: f}, cache: {ttl: 90s, keys: []}}
functions: {f: {duration: 10ms}}
settings: {idle_expiry: 60s}
traffic: {web: {phases: [{duration: 10m, rate: 5}], mix: {GET /x: 1}}}
"""
    chosen = chosen_warm_up(loads(cached))
    assert chosen.least_ns == 180 * 10**9 <= chosen.warm_up_ns
    assert chosen.of == "apis.a.routes.GET /x.cache.ttl"
    with pytest.raises(ScenarioError, match=r"at least twice settings\.idle_expiry, 8m: more"):
        chosen_warm_up(loads(cached, overrides=["settings.idle_expiry=4m"]))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ("traffic.web.phases=[{duration: 60s, rate: 5, ramp_to: 9}]", "phase-1 is a ramp"),
        (
            "traffic.web.phases=[{duration: 30s, rate: 5}, {duration: 30s, rate: 6}]",
            "traffic.web has phases of different rates",
        ),
        ("traffic.web.phases=[{duration: 30s, rate: 5}, {pause: 5s}]", "phase-2 pauses"),
        (
            "traffic.web.phases=[{per: 1m, counts: [5, 6]}]",
            "phase-1 follows published counts",
        ),
        (
            "traffic.more={phases: [{duration: 30s, rate: 5}], mix: {GET /x: 1}}",
            "traffic.more ends after 30s, before the run",
        ),
        ("timeline=[{at: 5s, set: {endpoints.e.servers: 2}}]", "timeline changes something"),
        ("traffic.web.phases=[{duration: 60s, rate: 0.1}]", "too few requests"),
        # It fills faster than it is emptied, to the end.
        ("traffic.web.phases=[{duration: 60s, rate: 20}]", "finds no end of the transient"),
    ],
)
def test_traffic_that_is_not_constant_has_no_warm_up_of_its_own(changed, message) -> None:
    scenario = loads(BASE + "warm_up: auto\n").with_(changed)
    with pytest.raises(ScenarioError, match=message) as caught:
        run(scenario)
    (problem,) = caught.value.problems
    assert problem.path == "warm_up"
    assert problem.line == BASE.count("\n") + 1
    assert problem.hint


def test_equal_phases_are_one() -> None:
    phases = "[{name: a, duration: 2m, rate: 5}, {name: b, duration: 3m, rate: 5, ramp_to: 5}]"
    scenario = loads(BASE + "warm_up: auto\n").with_(f"traffic.web.phases={phases}")
    assert chosen_warm_up(scenario).warm_up_ns < 150e9


def test_variants_that_are_compared_are_truncated_alike() -> None:
    scenario = loads(CROWD + "replications: 2\n")
    chosen = with_chosen_warm_up(scenario)
    assert not chosen.has_auto_warm_up
    assert chosen.warm_up == chosen_warm_up(scenario).warm_up_ns
    slower = scenario.with_("endpoints.e.service_time={exponential: 150ms}")
    assert chosen_warm_up(slower).warm_up_ns != chosen.warm_up
    alike = [chosen, slower.with_(warm_up=f"{chosen.warm_up // 10**6}ms")]
    by_hand, by_itself = compare(*alike), compare(scenario, slower)
    # As text: what was not measured is no number, and equals nothing.
    assert str(by_hand.rows) == str(by_itself.rows)
