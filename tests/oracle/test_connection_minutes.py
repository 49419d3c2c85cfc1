"""Little's law and the expected minutes of connections (oracles 4.1 and 4.5).

Connections of exponential length in Poisson arrivals, drawn here and not by the engine: the records
are what is tested. Of a connection of mean ``m`` minutes ``E[ceil(D)] = 1 / (1 - exp(-1/m))`` are
billed when each is rounded up; rounded to the nearest minute (half of one is one) it is
``exp(-1/2m) / (1 - exp(-1/m))``.
"""

import math

import numpy as np
import pytest

from apisim.engine.connection_records import (
    ROUNDINGS,
    ConnectionRecords,
    new_connection_records,
    record_closed,
    record_opened,
    settle,
)
from tests.support.verdicts import assert_matches

_MINUTE = 60_000_000_000
_LENGTH, _WARM_UP = 20 * 60, 2 * 60  # minutes
_PER_MINUTE = 5


def simulated(mean_minutes: float, seed: int, rounding: str, until_ns: int) -> ConnectionRecords:
    random = np.random.default_rng(seed)
    n = random.poisson(_LENGTH * _PER_MINUTE)
    opened = np.sort(random.uniform(0, _LENGTH * _MINUTE, n)).astype(np.int64)
    closed = opened + random.exponential(mean_minutes * _MINUTE, n).astype(np.int64)
    records = new_connection_records(
        1, warm_up_ns=_WARM_UP * _MINUTE, rounding=ROUNDINGS.index(rounding)
    )
    times = np.concatenate([opened, closed])
    for at in np.argsort(times, kind="stable"):
        if times[at] > until_ns:
            settle(records, until_ns)
            break
        if at < n:
            record_opened(records, 0, times[at])
        else:
            record_closed(records, 0, 0, times[at], opened[at - n], 0)
    return records


@pytest.mark.parametrize("mean_minutes", [1.0, 20.0])
def test_concurrency_is_the_rate_times_the_length(mean_minutes: float) -> None:
    means = []
    for seed in range(20):
        mine = simulated(mean_minutes, seed, "up", _LENGTH * _MINUTE).times[0, 0]
        open_s = int(mine["open_s"]) + int(mine["open_rest_ns"]) / 1e9
        means.append(open_s / 60 / (_LENGTH - _WARM_UP))
    assert_matches(np.array(means), _PER_MINUTE * mean_minutes)
    with pytest.raises(AssertionError):
        assert_matches(np.array(means), _PER_MINUTE * mean_minutes * 1.05)


@pytest.mark.parametrize(
    ("mean_minutes", "rounding", "billed"),
    [
        (1.0, "up", 1.58198),
        (20.0, "up", 20.50417),
        (1.0, "exact", 1.0),
        (20.0, "exact", 20.0),
        (1.0, "nearest", math.exp(-0.5) / (1 - math.exp(-1))),
        (20.0, "nearest", math.exp(-0.025) / (1 - math.exp(-0.05))),
    ],
)
def test_each_connection_is_billed_by_the_minute(
    mean_minutes: float, rounding: str, billed: float
) -> None:
    means = []
    for seed in range(20):
        records = simulated(mean_minutes, 100 + seed, rounding, 1 << 62)
        mine, minutes = records.apis[0], records.minutes[0, 0]
        total = minutes["minutes"].sum() + minutes["rest_ns"].sum() / _MINUTE
        means.append(total / (mine["opened"] + mine["warm_up_opened"]))
        assert mine["now_open"] == 0
    assert_matches(np.array(means), billed)
    with pytest.raises(AssertionError):
        assert_matches(np.array(means), billed * 1.05)
