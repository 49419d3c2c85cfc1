"""Where callers are: what was measured, what is estimated, and that it is a way like any other."""

import json
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from apisim.draws.distributions import Constant, Distribution, Exponential, LogNormal, Uniform
from apisim.engine.run import Engine
from apisim.scenario import ScenarioError, loads
from apisim.scenario.checks import notes_on
from apisim.scenario.places import PER_KM_MS, START_MS, moved, places
from apisim.scenario.regions import REGIONS
from tests.support.experiments import MOCK, Data, prepare, rows_of, scenario

MS = 1_000_000
NEAR = {"p50": "12ms", "p99": "80ms"}


def with_network(network: Data, endpoint: str = "edge") -> Data:
    api = {"api": {"type": "rest", "endpoint": endpoint, "routes": {"GET /": MOCK}}}
    source = {"phases": [{"duration": "20s", "rate": 10}], "mix": {"GET /": 1}, "network": network}
    return scenario(apis=api, traffic={"web": source})


def rows(network: Data, endpoint: str = "edge", engine: Engine = "simpy", **more: Any) -> Any:
    return rows_of(prepare({**with_network(network, endpoint), **more}), engine=engine)[1]


@pytest.mark.parametrize(
    ("one", "other", "measured_ms"),
    # Of the snapshot's own numbers, to the millisecond; either way, so from 1 to 2 ms apart.
    [
        ("us-east-1", "eu-central-1", (93.066, 92.612)),
        ("ap-northeast-1", "us-east-1", (149.152, 149.3758)),
        ("eu-west-1", "eu-west-2", (13.91998, 13.4370)),
        ("sa-east-1", "af-south-1", (339.442, 337.082)),
        ("ap-southeast-1", "ap-southeast-5", (7.994, 9.36399)),
        ("us-west-2", "us-west-2", (3.042, 3.042)),
        ("me-south-1", "il-central-1", (110.4619, 119.6498)),
    ],
)
def test_a_measured_way_is_as_long_as_it_was_measured(
    one: str, other: str, measured_ms: tuple[float, float]
) -> None:
    there, back = places().between(one, other), places().between(other, one)
    assert there == back
    assert there.is_measured
    assert there.time_ns / MS in [round(time) for time in measured_ms]


def test_every_region_has_a_place_and_every_measured_pair_its_time() -> None:
    known = places()
    assert set(known.where) >= REGIONS
    measured = {region for pair in known.measured_ms for region in pair}
    assert len(measured) == 32
    assert measured <= REGIONS
    assert len(known.measured_ms) == 32 * 33 // 2
    assert REGIONS - measured == {
        *("ap-east-2", "ap-southeast-6", "cn-north-1", "cn-northwest-1"),
        *("us-gov-east-1", "us-gov-west-1"),
    }


def test_nothing_is_faster_than_light_in_glass() -> None:
    known = places()
    for (one, other), time_ms in known.measured_ms.items():
        # 204 km/ms in fibre, there and back.
        assert time_ms >= 2 * known.distance_km(one, other) / 204, (one, other)


def test_the_estimate_is_the_least_squares_of_the_relative_error() -> None:
    known = places()
    pairs = [pair for pair in known.measured_ms if pair[0] != pair[1]]
    assert len(pairs) == len(list(combinations(range(32), 2)))
    times = np.array([known.measured_ms[pair] for pair in pairs], float)
    kms = np.array([known.distance_km(*pair) for pair in pairs])
    columns = np.column_stack([1 / times, kms / times])
    start, per_km = np.linalg.lstsq(columns, np.ones(len(pairs)), rcond=None)[0]
    assert round(float(start), 1) == START_MS
    assert round(float(per_km), 5) == PER_KM_MS


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
@pytest.mark.parametrize("endpoint", ["edge", "regional"])
def test_a_place_is_the_round_trips_it_stands_for(endpoint: str, engine: Engine) -> None:
    there = rows({"location": "frankfurt", "edge_rtt": "12ms"}, endpoint, engine)
    spelled = {"rtt": "105ms", "edge_rtt": "12ms", "origin_rtt": "93ms"}
    assert np.array_equal(there, rows(spelled, endpoint, engine))


def test_a_line_of_ones_own_leads_to_the_edge_and_to_the_region() -> None:
    network = {"location": "tokyo", "edge_rtt": "10ms"}
    regional, edge = (rows(network, endpoint)["latency_ns"] for endpoint in ("regional", "edge"))
    spelled = rows({"rtt": "159ms"}, "regional")["latency_ns"]
    assert np.array_equal(regional, spelled)
    assert np.array_equal(edge, rows({"edge_rtt": "10ms", "origin_rtt": "149ms"})["latency_ns"])


@pytest.mark.parametrize("near", [LogNormal(12e6, 80e6), Exponential(5e6), Uniform(3e6, 9e6)])
def test_a_line_is_moved_whatever_its_law(near: Distribution) -> None:
    far = moved(near, 93 * MS)
    for share in (0.001, 0.01, 0.05, 0.5, 0.95, 0.99, 0.999):
        assert far.quantile(share) == pytest.approx(near.quantile(share) + 93e6, rel=1e-9)
    assert far.quantile(1e-9) > 93e6
    # What is cut off above 99.99 % and added between the points is less than a hundredth.
    assert far.mean() - 93e6 == pytest.approx(near.mean(), rel=0.01)
    assert moved(Constant(5.0), 7) == Constant(12.0)


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_what_is_drawn_is_the_moved_line(engine: Engine) -> None:
    near = rows({"rtt": NEAR}, "regional", engine)["latency_ns"]
    far = rows({"location": "tokyo", "edge_rtt": NEAR}, "regional", engine)["latency_ns"]
    for share in (10, 50, 90):
        moved_by = np.percentile(far, share) - np.percentile(near, share)
        assert moved_by == pytest.approx(149e6, abs=8e6)
    assert far.min() > 149 * MS


def test_where_the_callers_are_may_change() -> None:
    moves = [{"at": "10s", "set": {"traffic.web.network.location": "tokyo"}}]
    network = {"location": "us-east-1", "edge_rtt": "10ms"}
    found = rows(network, timeline=moves)
    before, after = rows(network), rows({**network, "location": "tokyo"})
    is_late = found["arrival_ns"] >= 10_000 * MS
    assert np.array_equal(found["latency_ns"][~is_late], before["latency_ns"][~is_late])
    assert np.array_equal(found["latency_ns"][is_late], after["latency_ns"][is_late])


def test_notes_say_how_far_it_is_and_how_that_is_known() -> None:
    def notes(network: Data) -> list[str]:
        return notes_on(loads(json.dumps(with_network(network))))

    assert notes({"location": "frankfurt"}) == [
        "traffic.web: from frankfurt to us-east-1 93ms (measured), and the callers' own line "
        "(settings.edge_rtt)"
    ]
    assert notes({"location": "lagos", "edge_rtt": "5ms"}) == [
        "traffic.web: from lagos to us-east-1 149ms (estimated from the distance, not measured), "
        "and the callers' own line (edge_rtt)"
    ]


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({"location": "frankfrut"}, "did you mean frankfurt?"),
        ({"location": "eu-wets-1"}, "did you mean eu-west-1?"),
        ({"location": "moon"}, '"moon" is not a place that is known'),
        ({"location": 7}, "7 is not a place that is known"),
        ({"location": "paris", "rtt": "1ms"}, "rtt: location says already how far it is"),
        ({"location": "paris", "origin_rtt": "1ms"}, "origin_rtt: location says already"),
    ],
)
def test_a_place_that_says_nothing_is_refused(network: Data, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(json.dumps(with_network(network)))
    assert said in str(caught.value)
    assert len(caught.value.problems) == 1
