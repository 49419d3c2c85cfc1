"""The shipped scenarios run, on both engines alike, and to the same numbers as ever.

A changed digest is a changed result: it belongs into CHANGELOG.md under "Results changed", and the
answers in the scenarios have to be written anew (``test_scenario_answers.py`` says which).
"""

import csv
import gzip
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pytest

import apisim
from apisim.scenario import load
from tests.support.shipped import (
    DAY,
    FOLDER,
    FRIDAY,
    KEYS,
    LEVELS,
    NAMES,
    QUICKSTART,
    REPLAY,
    SPIKE,
    arrivals_a_minute,
    file_of,
    outcomes,
    published_counts,
    result,
)

#: Length of a run that the golden model can do, and limits low enough for it to meet them.
SHORT: Final[dict[str, tuple[str, Sequence[str]]]] = {
    QUICKSTART: ("1s", ["account.throttle={rate_limit: 500, burst_limit: 100}"]),
    DAY: ("3s", ["account.throttle={rate_limit: 100, burst_limit: 20}"]),
    LEVELS: (
        "600ms",
        [
            "account.throttle={rate_limit: 3000, burst_limit: 100}",
            "apis.production.stage.throttle={rate_limit: 1500, burst_limit: 50}",
            "apis.production.routes.GET /users.throttle={rate_limit: 300, burst_limit: 20}",
        ],
    ),
    SPIKE: ("9s", []),
    KEYS: ("10s", ["warm_up=1s"]),
    FRIDAY: (
        "2s",
        [
            "replications=2",
            "warm_up=500ms",
            "functions.checkout.reserved_concurrency=5",
            "traffic.shoppers.phases.0.rate=600",
            "apis.shop.routes.GET /search.throttle={rate_limit: 30, burst_limit: 10}",
        ],
    ),
    REPLAY: ("10m", ["traffic.replayed.trace.speed=100"]),
}

#: Digest, requests by outcome and the exact total of the bill.
Golden = tuple[str, dict[str, int], str]

WHOLE: Final[dict[str, Golden]] = {
    FRIDAY: (
        "74d998cd7c7f151c",
        {
            "served": 455_742,
            "cache_hit": 1_207_336,
            "throttled": 37_860,
            "forbidden": 1_167,
            "backend_error": 90,
            "backend_throttled": 15_877,
        },
        "2.57617081741156690425872802734375",
    ),
    LEVELS: ("f771a34aab8c1781", {"served": 543_472, "throttled": 48_938}, "2.073435"),
    SPIKE: ("21097c4a904d1b4d", {"served": 15_999, "throttled": 4_001}, "0.07"),
    KEYS: ("ac3ad6772ca8c56e", {"served": 50_641, "cache_hit": 309_690}, "1.7095006333"),
    REPLAY: ("e7b8213f3c3472ee", {"served": 48, "cache_hit": 252}, "0.0052447708"),
}
#: The long ones, cut.
CUT: Final[dict[str, tuple[str, Golden]]] = {
    QUICKSTART: (
        "1m",
        ("bf522ea291531e89", {"served": 6_951, "cache_hit": 98_566}, "0.4361060358"),
    ),
    DAY: ("5m", ("57c0d94df8e8cca3", {"served": 9_628, "cache_hit": 69_987}, "0.3351704980")),
}
LONG: Final[dict[str, Golden]] = {
    QUICKSTART: (
        "0ccfc079089486ac",
        {"served": 355_102, "cache_hit": 7_059_362, "throttled": 3_477},
        "29.73670921897714473476409912109375",
    ),
    DAY: (
        "672d7d6dab840c6e",
        {"served": 4_267_574, "cache_hit": 54_500_327, "throttled": 3_057},
        "239.4366611455926802326202392578125",
    ),
}


def test_every_scenario_is_tested_here() -> None:
    assert set(NAMES) == set(SHORT) == set(WHOLE) | set(CUT) == set(WHOLE) | set(LONG)


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_is_valid_and_tells_its_question_and_its_answer(name: str) -> None:
    scenario = load(file_of(name))
    header = scenario.source.text.split("apisim: 1")[0]
    assert scenario.name
    assert scenario.description
    assert re.search(r"^# QUESTION  .*\?$", header, re.MULTILINE | re.DOTALL)
    assert f"apisim run scenarios/{name}.yaml" in header


def test_the_table_of_scenarios_lists_each_with_its_question_and_its_command() -> None:
    table = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[[^]]+\]\((\S+)\.yaml\) \| .+\?.* \| `(.+)` \|$", table, re.MULTILINE)
    assert sorted(name for name, _ in rows) == NAMES
    for name, command in rows:
        assert command.startswith(f"apisim run scenarios/{name}.yaml")


@pytest.mark.equivalence
@pytest.mark.parametrize("name", NAMES)
def test_both_engines_agree_on_a_scenario(name: str) -> None:
    duration, overrides = SHORT[name]
    compiled, golden = (
        apisim.run(file_of(name), overrides=overrides, duration=duration, engine=engine).to_dict()
        for engine in ("compiled", "simpy")
    )
    assert compiled["requests"]["refused_by"] or name == KEYS
    assert compiled["run"]["digest"] == golden["run"]["digest"]
    for found in (compiled, golden):
        del found["run"]  # how long it took
    assert compiled == golden


@pytest.mark.parametrize("name", WHOLE)
def test_a_scenario_ends_as_it_always_did(name: str) -> None:
    assert outcomes(result(name)) == WHOLE[name]


@pytest.mark.parametrize("name", CUT)
def test_the_beginning_of_a_long_scenario_ends_as_it_always_did(name: str) -> None:
    duration, expected = CUT[name]
    assert outcomes(result(name, duration=duration)) == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_a_long_scenario_ends_as_it_always_did(name: str) -> None:
    assert outcomes(result(name)) == LONG[name]


# --------------------------------------------------------------------------- the World Cup's counts


@pytest.mark.parametrize(
    ("name", "minutes", "total", "peak"),
    [(QUICKSTART, 60, 7_421_393, 49), (DAY, 1_440, 58_769_608, 14 * 60 + 29)],
)
def test_the_world_cup_counts_are_the_published_ones(
    name: str, minutes: int, total: int, peak: int
) -> None:
    counts = published_counts(name)
    assert (len(counts), sum(counts)) == (minutes, total)
    assert counts[peak] == max(counts) == 153_878


@pytest.mark.real
@pytest.mark.parametrize(("name", "first"), [(QUICKSTART, "13:40:00"), (DAY, "00:00:00")])
def test_the_world_cup_counts_are_those_of_the_published_file(
    name: str, first: str, shared: Path
) -> None:
    file = shared / "data" / "traces" / "wc98_per_minute_june10_16.csv.gz"
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    start = next(at for at, row in enumerate(rows) if row["minute_utc"] == f"1998-06-15 {first}")
    counts = published_counts(name)
    assert counts == [int(row["requests"]) for row in rows[start : start + len(counts)]]


def test_the_day_and_its_busiest_hour_are_about_the_same_api() -> None:
    hour, day = load(file_of(QUICKSTART)), load(file_of(DAY))
    for part in ("region", "account", "apis", "authorizers", "functions", "settings"):
        assert getattr(hour, part) == getattr(day, part)
    for part in ("mix", "values", "network", "arrivals"):
        assert getattr(hour.traffic["visitors"], part) == getattr(day.traffic["visitors"], part)
    counts = published_counts(DAY)
    assert published_counts(QUICKSTART) == counts[13 * 60 + 40 : 14 * 60 + 40]


def test_evenly_spaced_arrivals_are_as_many_a_minute_as_were_published() -> None:
    found = result(QUICKSTART, "traffic.visitors.arrivals=uniform", duration="3m")
    assert arrivals_a_minute(found) == published_counts(QUICKSTART)[:3]


def test_poisson_arrivals_are_as_many_a_minute_as_were_published_within_sampling() -> None:
    published = np.array(published_counts(DAY)[:30])
    z = (np.array(arrivals_a_minute(result(DAY, duration="30m"))) - published) / np.sqrt(published)
    assert np.abs(z).max() < 4
    # The sum of 30 squares of normal numbers is 30 +- 7.7.
    assert abs(float(np.square(z).sum()) - 30) < 4 * 7.746
