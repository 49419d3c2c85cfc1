"""Frames of studies have the columns, the order and the dtypes that their schema says."""

import pandas as pd
import pytest

import apisim
from apisim.scenario import Scenario, loads
from apisim.studies.frames import STUDY_FRAMES, study_columns, study_frame
from tests.unit.test_frames import check_columns

RATE = "traffic.web.phases.0.rate"
TTL = "apis.shop.routes.GET /{id}.cache.ttl"
TEXT = """
apisim: 1
name: small
replications: 3
apis:
  shop:
    type: rest
    stage: {throttle: {rate_limit: 20, burst_limit: 5}, cache_cluster_size: "0.5"}
    routes:
      GET /{id}:
        integration: {type: lambda_proxy, function: f}
        cache: {ttl: 2s, keys: [path.id]}
functions: {f: {duration: {p50: 20ms, p99: 100ms}}}
traffic:
  web:
    phases: [{duration: 2s, rate: 30}]
    mix: {"GET /{id}": 1}
    values: {path.id: {zipf: 1.0, of: 50}}
thresholds: {throttled: ["rate<50%"]}
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return loads(TEXT)


def test_a_sweep_has_its_paths_and_measures(scenario: Scenario) -> None:
    found = apisim.sweep(scenario, [f"{RATE}=10,40", f"{TTL}=2s,0s"], engine="simpy")
    frame = found.frame()
    measures = list(found.rows[0][0].values)
    check_columns(frame, study_columns("sweep", paths=[RATE, TTL], measures=measures))
    assert list(frame)[:4] == ["point", RATE, TTL, "replication"]
    # Numbers where all values are numbers; a time has a unit.
    assert str(frame[RATE].dtype) == "int64"
    assert frame[TTL].tolist() == ["2s"] * 3 + ["0s"] * 3 + ["2s"] * 3 + ["0s"] * 3
    assert len(frame) == 4 * 3
    assert frame.loc[frame["point"] == 2, "requests count"].sum() == sum(
        row.values["requests count"] for row in found.rows[2]
    )


def test_a_sweep_of_which_nothing_is_done_has_its_columns(scenario: Scenario) -> None:
    found = apisim.sweep(scenario, [f"{RATE}=10"], engine="simpy")
    nothing = type(found)(
        scenario=found.scenario, over=found.over, points=found.points, rows={}, completed=False
    )
    assert list(nothing.frame()) == ["point", RATE, "replication", "digest"]
    assert len(nothing.frame()) == 0


def test_a_comparison_has_a_row_for_each_variant_and_measure(scenario: Scenario) -> None:
    found = apisim.compare(scenario, variants={"twice": [f"{RATE}=60"]}, engine="simpy")
    frame = found.frame()
    check_columns(frame, study_columns("compare"))
    row = frame[frame["measure"] == "requests count"].iloc[0]
    assert row["difference"] == pytest.approx(row["value"] - row["base"])
    assert list(frame["variant"].cat.categories) == ["twice"]


def test_a_search_has_a_row_for_each_setting(scenario: Scenario) -> None:
    conditions = ["throttled rate<20%"]
    grid = [f"{RATE}=10,20,60"]
    found = apisim.search(scenario, grid, subject_to=conditions, maximize=RATE, engine="simpy")
    measures = ["throttled rate"]
    check_columns(found.frame(), study_columns("search", paths=[RATE], measures=measures))
    assert set(found.frame()["verdict"]) <= {"feasible", "infeasible", "unclear"}


def test_advice_has_a_row_for_each_candidate_and_measure(scenario: Scenario) -> None:
    found = apisim.advise(scenario, engine="simpy")
    frame = found.frame()
    check_columns(frame, study_columns("advise"))
    assert list(frame["candidate"].cat.categories) == [one.candidate.name for one in found.advice]


@pytest.mark.parametrize("name", ["limits", "envelope"])
def test_limits_have_two_frames(scenario: Scenario, name: str) -> None:
    found = apisim.limits(scenario, engine="simpy", up_to=2, precision=0.5)
    frame = found.frame(name)
    check_columns(frame, study_columns(name))
    rows = found.rows if name == "limits" else found.envelope
    assert frame["kind"].isna().tolist() == [row.kind is None for row in rows]
    assert frame["kind"].dropna().tolist() == [row.kind for row in rows if row.kind is not None]
    assert len(rows) > 3


def test_assumptions_have_a_row_for_each_effect(scenario: Scenario) -> None:
    found = apisim.assumptions(scenario, replications=2, engine="simpy")
    check_columns(found.frame(), study_columns("assumptions"))
    assert len(found.frame()) == len(found.effects)


@pytest.mark.parametrize("name", STUDY_FRAMES)
def test_without_rows_a_frame_has_the_same_columns(name: str) -> None:
    frame = study_frame(name, [], paths=[RATE], measures=["latency mean"])
    columns = study_columns(name, paths=[RATE], measures=["latency mean"])
    assert list(frame) == [column.name for column in columns]
    known = [column for column in columns if column.kind not in ("text or none", "as varied")]
    check_columns(frame[[column.name for column in known]], known)


def test_what_is_missing_stays_missing() -> None:
    row = {column.name: None for column in study_columns("limits")}
    row |= {"quota": "a", "refused": 0, "requestable": False, "code": None, "service": "lambda"}
    frame = study_frame("limits", [row, {**row, "code": "L-8A5B8E43"}])
    assert frame["code"].isna().tolist() == [True, False]
    assert frame["service"].tolist() == ["lambda"] * 2
    assert pd.isna(frame["limit"]).all()
