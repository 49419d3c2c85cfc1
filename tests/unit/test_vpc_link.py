"""Load balancers behind a VPC link: which target takes a request, and what is said of one down."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from apisim.backends.targets import LINK_DTYPE, OUTAGE_DTYPE, is_down, pick_target
from apisim.gateway.status import Answer
from tests.support.experiments import Data, endpoint_api, one_source, prepare, rows_of, scenario

S = 1_000_000_000
MS = 1_000_000


def link(targets: int, zones: int, *, cross_zone: bool = False, outages: int = 0) -> Any:
    """One balancer with the first of ``OUTAGES``."""
    return np.array([(0, targets, zones, int(cross_zone), 0, outages, 0)], LINK_DTYPE)[0]


#: Target 0 is down from 100 s to 300 s, and out from 160 s to 450 s; then all of them.
OUTAGES = np.array(
    [(1, 100 * S, 160 * S, 300 * S, 450 * S), (4, 500 * S, 560 * S, 700 * S, 850 * S)],
    OUTAGE_DTYPE,
)


def picked(balancer: Any, zone: int, at_s: int) -> set[int]:
    """Targets that requests of a zone are sent to."""
    return {
        int(pick_target(balancer, OUTAGES, zone, u, at_s * S))
        for u in np.linspace(0.001, 0.999, 97)
    }


def test_all_healthy_targets_of_a_zone_take_its_requests() -> None:
    assert picked(link(4, 2), 0, 0) == {0, 2}
    assert picked(link(4, 2), 1, 0) == {1, 3}
    assert picked(link(4, 2, cross_zone=True), 0, 0) == {0, 1, 2, 3}
    assert picked(link(3, 1), 0, 0) == {0, 1, 2}


def test_each_target_is_as_likely_as_another() -> None:
    counts = Counter(
        int(pick_target(link(5, 1), OUTAGES, 0, u, 0)) for u in (np.arange(1_000) + 0.5) / 1_000
    )
    assert counts == dict.fromkeys(range(5), 200)


@pytest.mark.parametrize(
    ("at_s", "down", "taken"),
    [
        (99, False, {0, 2}),
        (100, True, {0, 2}),  # down, but still sent to
        (159, True, {0, 2}),
        (160, True, {2}),  # known to be down
        (299, True, {2}),
        (300, False, {2}),  # up again, but not yet sent to
        (449, False, {2}),
        (450, False, {0, 2}),
    ],
)
def test_health_checks_are_late_both_ways(at_s: int, down: bool, taken: set[int]) -> None:
    balancer = link(4, 2, outages=1)
    assert is_down(balancer, OUTAGES, 0, at_s * S) is down
    assert not is_down(balancer, OUTAGES, 2, at_s * S)
    assert picked(balancer, 0, at_s) == taken
    assert picked(balancer, 1, at_s) == {1, 3}


def test_a_zone_without_a_healthy_target_is_left() -> None:
    assert picked(link(2, 2, outages=1), 0, 200) == {1}


def test_a_balancer_without_a_healthy_target_sends_to_all() -> None:
    assert picked(link(4, 2, outages=2, cross_zone=True), 0, 600) == {0, 1, 2, 3}
    assert picked(link(4, 2, outages=2), 1, 600) == {0, 1, 2, 3}


#: Down, and out, of 1 target or of 2; checks every 5 s, 2 to be out and 5 to be back.
FLAPPING = [
    # Two that overlap are one of 12 s.
    ([{"at": "10s", "for": "8s"}, {"at": "14s", "for": "8s"}], [(1, 10, 20, 22, 47)]),
    # ... and so are two that touch.
    ([{"at": "16s", "for": "6s"}, {"at": "10s", "for": "6s"}], [(1, 10, 20, 22, 47)]),
    # Neither is noticed of two with a second between them.
    (
        [{"at": "10s", "for": "9s"}, {"at": "20s", "for": "9s"}],
        [(1, 10, 19, 19, 19), (1, 20, 29, 29, 29)],
    ),
    # A target that was on its way back has to pass all its checks again ...
    (
        [{"at": "10s", "for": "20s"}, {"at": "40s", "for": "5s"}],
        [(1, 10, 20, 30, 55), (1, 40, 40, 45, 70)],
    ),
    # ... if one of them has failed meanwhile.
    (
        [{"at": "10s", "for": "20s"}, {"at": "40s", "for": "1s"}],
        [(1, 10, 20, 30, 55), (1, 40, 41, 41, 41)],
    ),
    (
        [{"at": "10s", "for": "20s"}, {"at": "55s", "for": "5s"}],
        [(1, 10, 20, 30, 55), (1, 55, 60, 60, 60)],
    ),
    # The second target is down for the second outage alone.
    (
        [{"at": "10s", "for": "8s"}, {"at": "14s", "for": "20s", "targets": 2}],
        [(1, 10, 20, 34, 59), (2, 14, 24, 34, 59)],
    ),
]


@pytest.mark.parametrize(("outages", "expected"), FLAPPING)
def test_outages_of_a_target_are_one_story(
    outages: list[Data], expected: list[tuple[int, ...]]
) -> None:
    balancer = {"behind": "nlb", "targets": 2, "health_check": {"interval": "5s"}}
    data = endpoint_api({"servers": 1, "service_time": "5ms", "outages": outages, **balancer})
    program = prepare(scenario(**data, traffic=one_source("1/s", "1s")))
    found = [(row[0], *(at // S for at in row[1:])) for row in program.tables.outages.tolist()]
    assert found == expected
    assert program.tables.links[0]["outages"] == len(expected)


def rows(endpoint: Data, **parts: Any) -> Any:
    """Rows of 100 requests/s for 20 s."""
    data = endpoint_api({"servers": 100, "service_time": "5ms", **endpoint})
    source = {"phases": [{"duration": "20s", "rate": 100}], "mix": {"GET /": 1}}
    return rows_of(prepare(scenario(**data, traffic={"web": source}, **parts)))


def test_the_link_and_another_zone_take_their_time() -> None:
    settings = {"vpc_link_time": "3ms", "cross_zone_time": "1ms"}
    _, near = rows({"behind": "nlb", "targets": 2, "zones": 2}, settings=settings)
    assert set(near["latency_ns"].tolist()) == {8 * MS}
    _, far = rows({"behind": "alb", "targets": 2, "zones": 2}, settings=settings)
    assert set(far["latency_ns"].tolist()) == {8 * MS, 9 * MS}
    assert (far["latency_ns"] == 9 * MS).mean() == pytest.approx(0.5, abs=0.05)


def test_a_zone_that_is_left_costs_no_way_between_zones() -> None:
    """Without cross-zone balancing it is out of DNS: requests come in elsewhere."""
    settings = {"vpc_link_time": "3ms", "cross_zone_time": "1ms"}
    for balancer in (
        {"targets": 1, "zones": 2},
        {
            "targets": 2,
            "zones": 2,
            "outages": [{"at": "0s", "for": "1h"}],
            "health_check": {"interval": "5s"},
        },
    ):
        _, found = rows({"behind": "nlb", **balancer}, settings=settings)
        served = found[found["answer"] == Answer.SERVED]
        assert set(served["latency_ns"].tolist()) == {8 * MS}


@pytest.mark.parametrize(
    ("behind", "answer"), [("alb", Answer.TARGET_DOWN), ("nlb", Answer.TARGET_UNREACHABLE)]
)
def test_a_share_of_requests_fails_until_the_checks_have(behind: str, answer: Answer) -> None:
    down = {"outages": [{"at": "2s", "for": "15s"}], "health_check": {"interval": "5s"}}
    _, found = rows({"behind": behind, "targets": 4, **down})
    failed = found["arrival_ns"][found["answer"] == answer]
    assert set(found["answer"].tolist()) == {Answer.SERVED, answer}
    assert 2 * S <= failed.min() <= failed.max() < 12 * S
    between = (found["arrival_ns"] >= 2 * S) & (found["arrival_ns"] < 12 * S)
    assert len(failed) / between.sum() == pytest.approx(0.25, abs=0.06)
