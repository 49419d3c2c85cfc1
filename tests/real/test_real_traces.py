"""The logs of real servers, read whole and compared with what their own pages say of them."""

import csv
import gzip
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from apisim.scenario.problems import TraceError
from apisim.traffic.trace import Trace, read_trace

pytestmark = pytest.mark.real

#: File, rows, paths, clients, in order: from the README beside the traces, and counted with awk.
TIDY = [
    ("nasa_19950801_a.csv.gz", 15_000, 1_541, 1_290, True),
    ("apache_semicomplete_2015_a.csv.gz", 5_000, 1_013, 965, False),
    ("azure_llm_2023_conv_a.csv.gz", 9_000, 1, 0, True),
]
OTHERS = [
    "keys_cache2k_web07.csv.gz",
    "nginx_org_cache_counters_a.csv.gz",
    "twitter_2020mar_cluster_stats.csv",
    "wc98_per_minute_june10_16.csv.gz",
]


def rows_of(file: Path) -> list[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def rows_again(trace: Trace) -> list[tuple[str, str, str, int]]:
    return [
        (trace.clients[c] if c >= 0 else "", *trace.targets[t], b)
        for c, t, b in zip(
            trace.client_index, trace.target_index, trace.response_bytes.tolist(), strict=True
        )
    ]


@pytest.mark.parametrize(("name", "n_rows", "n_paths", "n_clients", "in_order"), TIDY)
def test_a_tidy_log_is_read_whole(
    shared: Path, name: str, n_rows: int, n_paths: int, n_clients: int, in_order: bool
) -> None:
    file = shared / "data" / "traces" / name
    trace = read_trace(file, sort=not in_order)
    assert len(trace) == n_rows
    assert len({path for _, path in trace.targets}) == n_paths
    assert len(trace.clients) == n_clients
    assert trace.arrival_ns[0] == 0
    assert np.all(np.diff(trace.arrival_ns) >= 0)
    assert trace.n_skipped == 0

    rows = sorted(rows_of(file), key=lambda row: Decimal(row["timestamp_s"]))
    first = Decimal(rows[0]["timestamp_s"])
    assert trace.arrival_ns.tolist() == [
        int((Decimal(row["timestamp_s"]) - first) * 10**9) for row in rows
    ]
    assert rows_again(trace) == [
        (row["client"], row["method"], row["path"], int(row.get("bytes") or -1)) for row in rows
    ]


def test_an_unsorted_log_is_refused_with_the_row_where_it_steps_back(shared: Path) -> None:
    file = shared / "data" / "traces" / "apache_semicomplete_2015_a.csv.gz"
    with pytest.raises(TraceError) as caught:
        read_trace(file)
    # The fourth request (line 5) is the first that is earlier than the one before it.
    assert str(caught.value.problems[0]) == (
        f"{file}:5:1: timestamp_s: steps back in time by 35 s "
        "(write sort: true to put the rows in order)"
    )
    assert len(caught.value.problems) == 20


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_of_another_form_is_refused_by_its_header(shared: Path, name: str) -> None:
    with pytest.raises(TraceError, match="the header has no column timestamp_s") as caught:
        read_trace(shared / "data" / "traces" / name)
    assert len(caught.value.problems) == 1


def test_a_microsecond_clock_keeps_its_microseconds_at_any_speed(shared: Path) -> None:
    file = shared / "data" / "traces" / "azure_llm_2023_conv_a.csv.gz"
    stamps = [Fraction(row["timestamp_s"]) for row in rows_of(file)]
    for speed in (Fraction(1), Fraction(7, 3)):
        trace = read_trace(file, speed=speed)
        assert trace.arrival_ns.tolist() == [
            round((stamp - stamps[0]) * 10**9 / speed) for stamp in stamps
        ]
