"""Every decision of one bucket on the requests of real logs, through whole studies."""

import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.support.experiments import MOCK, UNLIMITED, Data, scenario
from tests.support.logs import LogRow, nanoseconds, read_rows, replay, write_log
from tests.support.studies import Columns, request_columns, request_columns_of_command

pytestmark = pytest.mark.real

#: Trace, rate, burst; the level that holds the one bucket.
NASA, AZURE = "nasa_19950801_a.csv.gz", "azure_llm_2023_conv_a.csv.gz"
CASES = [
    (NASA, "0.5", 1, "method"),
    (NASA, "0.5", 1, "stage"),
    (NASA, "0.5", 1, "account"),
    (NASA, "0.5", 5, "stage"),
    (NASA, "1", 10, "account"),
    (NASA, "0.25", 20, "method"),
    (NASA, "2", 4, "stage"),
    (AZURE, "2", 2, "method"),
    (AZURE, "2", 2, "account"),
    (AZURE, "4", 10, "stage"),
    (AZURE, "5", 50, "account"),
    (AZURE, "8", 4, "method"),
]


@pytest.fixture(scope="module")
def results(shared: Path) -> dict[tuple[str, str, int], dict[str, Any]]:
    file = shared / "data" / "token_bucket" / "real_arrivals.json"
    results = json.loads(file.read_text(encoding="utf-8"))["results"]
    return {(r["trace"], f"{r['rate_per_s']:g}", r["burst"]): r for r in results}


def rounded(rows: list[dict[str, str]]) -> Iterator[LogRow]:
    """The rows with whole milliseconds, below one path that has a route of its own."""
    for row in rows:
        yield LogRow(
            nanoseconds(round(Decimal(row["timestamp_s"]), 3)),
            "/log" + row["path"],
            row["method"],
            int(row.get("bytes") or 0),
            row["client"],
        )


@pytest.fixture(scope="module")
def logs(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("rounded")
    return {
        name: write_log(
            folder / name.removesuffix(".gz"), rounded(read_rows(shared / "data/traces" / name))
        )
        for name in (NASA, AZURE)
    }


def limited(level: str, rate: str, burst: int, log: Path) -> Data:
    """One bucket at one level; the others refuse nothing."""
    bucket = {"rate_limit": f"{rate}/s", "burst_limit": burst}
    route: Data = {**MOCK, **({"throttle": bucket} if level == "method" else {})}
    stage = {"throttle": {**bucket, "scope": "shared"}} if level == "stage" else {}
    api = {"type": "rest", "stage": stage, "routes": {"ANY /{proxy+}": route}}
    account = {"throttle": bucket if level == "account" else UNLIMITED}
    return scenario(apis={"api": api}, account=account, traffic=replay(log))


def check(columns: Columns, expected: dict[str, Any], level: str) -> None:
    outcomes = zip(*(columns[name] for name in ("outcome", "refused_by", "status")), strict=True)
    assert set(outcomes) == {("served", "", "200"), ("throttled", level, "429")}
    decisions = "".join("1" if outcome == "served" else "0" for outcome in columns["outcome"])
    assert len(decisions) == expected["requests"]
    refused = [at for at, decision in enumerate(decisions) if decision == "0"]
    assert refused[: len(expected["first_throttled_rows"])] == expected["first_throttled_rows"]
    assert len(refused) == expected["throttled"]
    digest = hashlib.sha256(decisions.encode()).hexdigest()
    assert digest == expected["sha256_of_decisions"]


def test_no_result_is_left_out(results: dict[tuple[str, str, int], Any]) -> None:
    assert set(results) == {case[:3] for case in CASES}
    both = set(product((NASA, AZURE), ("method", "stage", "account")))
    assert {(case[0], case[3]) for case in CASES} == both


@pytest.mark.parametrize(("trace", "rate", "burst", "level"), CASES)
def test_every_request_of_a_real_log_is_let_through_or_refused_as_exact_arithmetic_says(
    results: dict[tuple[str, str, int], Any],
    logs: dict[str, Path],
    tmp_path: Path,
    trace: str,
    rate: str,
    burst: int,
    level: str,
) -> None:
    columns = request_columns(limited(level, rate, burst, logs[trace]), tmp_path)
    check(columns, results[trace, rate, burst], level)


def test_the_command_decides_the_same_and_counts_it(
    results: dict[tuple[str, str, int], Any], logs: dict[str, Path], tmp_path: Path
) -> None:
    columns, told = request_columns_of_command(limited("method", "8", 4, logs[AZURE]), tmp_path)
    expected = results[AZURE, "8", 4]
    check(columns, expected, "method")
    assert told["requests"]["total"] == expected["requests"]
    assert told["requests"]["refused_by"] == {"method": expected["throttled"]}
    assert told["requests"]["by_status"] == {
        "200": expected["allowed"],
        "429": expected["throttled"],
    }
