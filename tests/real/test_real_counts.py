"""Published counts are taken as they stand in the file."""

from pathlib import Path

import pandas as pd
import pytest

from apisim.scenario import CountsPhase, loads

pytestmark = pytest.mark.real

TEXT = """\
apisim: 1
apis:
  site: {type: http, routes: {$default: {integration: {type: http_proxy, endpoint: web}}}}
endpoints:
  web: {servers: 100, service_time: 1ms}
traffic:
  fans:
    phases:
      - per: 1m
        counts_from:
          file: wc98_per_minute_june10_16.csv.gz
          column: requests
          from: "1998-06-15 13:40:00"
          time_column: minute_utc
          rows: 60
      - {per: 1m, counts_from: {file: wc98_per_minute_june10_16.csv.gz, column: requests}}
    mix: {$default: 1}
"""


def test_an_hour_and_a_week_of_the_world_cup_are_read_in_place(shared: Path) -> None:
    folder = shared / "data" / "traces"
    hour, week = loads(TEXT, base=folder).traffic["fans"].phases
    table = pd.read_csv(folder / "wc98_per_minute_june10_16.csv.gz")
    first = int(table.index[table["minute_utc"] == "1998-06-15 13:40:00"][0])
    assert isinstance(hour, CountsPhase)
    assert list(hour.counts) == table["requests"].iloc[first : first + 60].tolist()
    assert hour.length_ns == 3_600 * 10**9
    assert isinstance(week, CountsPhase)
    assert list(week.counts) == table["requests"].tolist()
