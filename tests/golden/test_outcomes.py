"""Every way a request can end: status, body, headers, bill and metrics, for each type of API."""

import json
from pathlib import Path

import pytest

from apisim.gateway.replies import RATE_LIMIT_HEADERS
from apisim.results.answers import AnswerStats
from apisim.studies import run
from tests.golden.outcomes import CASES, EXPECTED, Case

ROWS = [line.split() for line in EXPECTED.strip().splitlines()]
WANTED = {(row[0], row[1]): row for row in ROWS}
PAIRS = [(case, kind) for case in CASES for kind in case.types]
IDS = [f"{case.answer.name.lower()}-{kind}" for case, kind in PAIRS]

#: Answers that come from behind the gateway, whose bodies it passes on, or from its cache.
_PASSED_ON = (
    *("SERVED", "CORS_BLOCKED", "ENDPOINT_ERROR", "ENDPOINT_FULL"),
    *(f"FUNCTION_ERROR_AS_{status}" for status in (200, 400, 500)),
    *("SERVICE_THROTTLED", "SERVICE_ERROR", "TARGET_DOWN", "EVENT_ACCEPTED"),
)
_CACHED = ("CACHE_HIT", "CACHED_ERROR", "CACHED_FULL")


def answered(case: Case, kind: str, profile: str, folder: Path) -> AnswerStats:
    """What the scenario's requests of this answer look like."""
    result = run(case.scenario(kind, profile, folder))
    name = case.answer.name.lower()
    found = [stats for stats in result.answers if stats.answer == name]
    assert found, f"no {name} among {[stats.answer for stats in result.answers]}"
    return found[0]


def body_of(stats: AnswerStats) -> str:
    name = stats.answer.upper()
    if name in _PASSED_ON or name in _CACHED:
        assert stats.body == ""
        return "cached" if name in _CACHED else "backend"
    if not stats.body:
        return "nothing"
    assert isinstance(json.loads(stats.body), dict)
    return "json"


def row_of(case: Case, stats: AnswerStats) -> list[str]:
    prefix = "x-amzn-ErrorType: "
    kinds = [one.removeprefix(prefix) for one in stats.headers if one.startswith(prefix)]
    return [
        case.answer.name,
        stats.type,
        str(stats.status),
        body_of(stats),
        *(kinds or ["-"]),
        "billed" if stats.billed else "free",
        *(stats.metrics or ["-"]),
    ]


@pytest.mark.parametrize(("case", "kind"), PAIRS, ids=IDS)
def test_an_answer_is_what_the_table_says(case: Case, kind: str, tmp_path: Path) -> None:
    stats = answered(case, kind, "aws", tmp_path)
    assert row_of(case, stats) == WANTED[case.answer.name, kind]
    assert not set(RATE_LIMIT_HEADERS) & set(stats.headers)
    identity = "x-amzn-RequestId" if kind == "rest" else "apigw-requestid"
    assert (identity in stats.headers) is bool(stats.metrics)


@pytest.mark.parametrize(("case", "kind"), PAIRS, ids=IDS)
def test_the_chapter_s_429s_say_when_to_try_again(case: Case, kind: str, tmp_path: Path) -> None:
    stats = answered(case, kind, "chapter", tmp_path)
    says = set(RATE_LIMIT_HEADERS) <= set(stats.headers)
    assert says is (stats.status == 429)


def test_the_table_has_one_row_for_each_case() -> None:
    assert len(WANTED) == len(ROWS) >= 40
    assert set(WANTED) == {(case.answer.name, kind) for case, kind in PAIRS}
