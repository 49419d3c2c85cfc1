"""Measured loads of a Lambda function, replayed with their measured durations.

Every request of two 28-hour Poisson loads is known: when it came, how long it ran and whether it
was cold. A pool that reuses the newest idle environment and keeps one for 10 minutes starts 54 and
33 (the figures of another program, in the README beside the logs) where 37 and 29 were seen; for 9
and 11 minutes 68 and 34, 47 and 32.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.experiments import Data, function_api, scenario
from tests.support.logs import LogRow, nanoseconds, read_rows, replay, write_log
from tests.support.studies import request_columns

pytestmark = pytest.mark.real

LOADS = {
    "lambda_poisson_2020-05-17.csv.gz": (5_050, {"9m": 68, "10m": 54, "11m": 47}),
    "lambda_poisson_2020-05-26.csv.gz": (1_648, {"9m": 34, "10m": 33, "11m": 32}),
}


class Measured:
    """A service that takes as long as each request was measured to take."""

    def __init__(self, durations_ns: list[int]) -> None:
        self.durations_ns = durations_ns

    def serve(self, call: Any, draws: Any) -> Iterator[int]:
        yield self.durations_ns[call.ordinal]


@pytest.mark.parametrize("name", LOADS)
def test_a_replayed_load_starts_as_many_environments_as_another_program_counts(
    shared: Path, tmp_path: Path, name: str
) -> None:
    n_rows, cold_starts = LOADS[name]
    rows = read_rows(shared / "data" / "latency" / name)
    assert len(rows) == n_rows
    log = write_log(tmp_path / "load.csv", [LogRow(nanoseconds(row["arrival_s"])) for row in rows])
    durations = [nanoseconds(row["lambda_duration_ms"]) // 1000 for row in rows]
    for idle_expiry, expected in cold_starts.items():
        # The function is reached 40 ms after the request came.
        settings = {"lambda_transport": "80ms", "idle_expiry": idle_expiry}
        data: Data = function_api({"duration": "1s"})
        columns = request_columns(
            scenario(**data, traffic=replay(log), settings=settings),
            tmp_path,
            extend={"functions.f": Measured(durations)},
        )
        assert columns["cold_start"].count("1") == expected
        assert columns["integration_latency_ns"] == [str(ns + 80_000_000) for ns in durations]
