"""The waits before retries and the retry quota, decision by decision."""

from typing import Any

import numpy as np
import pytest
from botocore.retries import quota, standard
from botocore.retries.base import BaseRetryableChecker

from apisim.scenario.clients import Client, Retries
from apisim.traffic.retries import (
    CLIENT_DTYPE,
    DECORRELATED,
    EQUAL,
    EXPONENTIAL,
    FIXED,
    FULL,
    GIVE_UP,
    IMMEDIATE,
    NO_QUOTA,
    SEEN_RETRYABLE,
    SEEN_THROTTLED,
    SEEN_TIMEOUT,
    backoff_ns,
    give_back,
    process_of,
    take_tokens,
)
from tests.support.experiments import mock_api, one_source, prepare, scenario

MS = 1_000_000
S = 1_000_000_000


def client(**columns: int) -> Any:
    row = np.zeros(1, CLIENT_DTYPE)
    defaults = {"base_ns": 100 * MS, "cap_ns": 20 * S, "first_quota": -1, "processes": 1}
    columns = {"throttled_base_ns": columns.get("base_ns", 100 * MS), **columns}
    for name, value in (defaults | columns).items():
        row[name] = value
    return row[0]


def waits(kind: int, drawn: float, n_retries: int = 10, **columns: int) -> list[float]:
    """Waits of a call that fails again and again [ms]."""
    one, previous_ns = client(backoff=kind, **columns), 0
    found = []
    for retry in range(1, n_retries + 1):
        previous_ns = backoff_ns(one, retry, SEEN_RETRYABLE, previous_ns, drawn)
        found.append(previous_ns / MS)
    return found


CEILINGS = [100, 200, 400, 800, 1600, 3200, 6400, 12800, 20000, 20000]


@pytest.mark.parametrize(
    ("kind", "drawn", "expected"),
    [
        (IMMEDIATE, 0.5, [0] * 10),
        (FIXED, 0.5, [100] * 10),
        (EXPONENTIAL, 0.5, CEILINGS),
        (FULL, 0.25, [ceiling / 4 for ceiling in CEILINGS]),
        (EQUAL, 0.5, [ceiling * 3 / 4 for ceiling in CEILINGS]),
        (DECORRELATED, 0.5, [200, 350, 575, 912.5, 1418.75]),
    ],
)
def test_waits_grow_as_the_backoff_says(kind: int, drawn: float, expected: list[float]) -> None:
    assert waits(kind, drawn, len(expected)) == expected


def test_a_full_jitter_of_ten_retries_waits_32_75_seconds_on_average() -> None:
    """Oracle 5.9: the mean of each wait is half its ceiling."""
    assert sum(waits(FULL, 0.5, 5)) == 1550
    assert sum(waits(FULL, 0.5, 10)) == 32_750


def test_a_decorrelated_wait_is_never_above_the_cap_nor_below_the_base() -> None:
    assert waits(DECORRELATED, 1 - 2**-53, 10, cap_ns=2 * S)[-1] == 2000
    assert set(waits(DECORRELATED, 2**-53, 10)) == {100}


def test_waits_of_a_hundred_retries_do_not_overflow() -> None:
    assert waits(EXPONENTIAL, 0.5, 100, base_ns=3600 * S, cap_ns=3600 * S)[-1] == 3_600_000


def test_a_cap_below_the_base_is_the_wait() -> None:
    assert waits(EXPONENTIAL, 0.5, 3, cap_ns=MS) == [1, 1, 1]


def test_retry_after_is_the_least_that_a_throttled_client_waits() -> None:
    one = client(backoff=FULL, retry_after_ns=S)
    assert backoff_ns(one, 1, SEEN_THROTTLED, 0, 0.5) == S
    assert backoff_ns(one, 6, SEEN_THROTTLED, 0, 0.5) == 1600 * MS
    assert backoff_ns(one, 1, SEEN_RETRYABLE, 0, 0.5) == 50 * MS


def test_a_throttled_client_may_start_from_another_base() -> None:
    one = client(backoff=EXPONENTIAL, throttled_base_ns=S)
    assert backoff_ns(one, 2, SEEN_THROTTLED, 0, 0.5) == 2 * S
    assert backoff_ns(one, 2, SEEN_TIMEOUT, 0, 0.5) == 200 * MS


def test_persons_and_users_are_processes_and_strangers_are_dealt_out() -> None:
    one = client(first_quota=10, processes=4)
    assert process_of(one, 102, 100, 3, 7) == 12
    assert process_of(one, -1, 0, 3, 7) == 13
    assert [process_of(one, -1, 0, -1, k) for k in range(6)] == [10, 11, 12, 13, 10, 11]
    assert process_of(client(), -1, 0, -1, 7) == NO_QUOTA


def test_without_a_quota_retries_are_free() -> None:
    tokens = np.zeros(1, np.int64)
    assert take_tokens(client(), tokens, NO_QUOTA, SEEN_RETRYABLE) == 0
    give_back(client(), tokens, NO_QUOTA, 0, 0)
    assert tokens.tolist() == [0]


def test_a_quota_that_is_used_up_lets_nobody_retry_until_calls_succeed() -> None:
    """The SDKs' 500 tokens: 100 retries at 5, or 50 after time-outs at 10, then none."""
    one = client(first_quota=0, tokens=500, cost=5, throttled_cost=5, timeout_cost=10)
    tokens = np.array([500], np.int64)
    taken = [take_tokens(one, tokens, 0, SEEN_TIMEOUT) for _ in range(50)]
    assert (taken, tokens[0]) == ([10] * 50, 0)
    assert take_tokens(one, tokens, 0, SEEN_RETRYABLE) == GIVE_UP
    for _ in range(5):
        give_back(one, tokens, 0, 0, 0)
    assert take_tokens(one, tokens, 0, SEEN_RETRYABLE) == 5
    give_back(one, tokens, 0, 1, 5)
    assert tokens[0] == 5
    give_back(one, tokens, 0, 1, 10_000)
    assert tokens[0] == 500


# the AWS SDK for Python as it is installed


class _Answers(BaseRetryableChecker):  # type: ignore[misc]
    """Says whether an answer is throttling: the detector of botocore, without its parsers."""

    def is_retryable(self, context: Any) -> bool:
        return bool(context.is_throttling)

    is_throttling_error_from_context = is_retryable


def _context(attempt: int, *, is_throttling: bool) -> Any:
    context = standard.RetryContext(attempt_number=attempt, request_context={})
    context.is_throttling = is_throttling
    return context


def _lowered(retries: dict[str, Any]) -> tuple[Any, Any]:
    """A source's clients as the engines have them, and their full quotas."""
    source = one_source("1", "1s", client={"retries": retries})
    program = prepare(scenario(apis=mock_api(), traffic=source))
    return program.tables.clients[0], program.retry_tokens.copy()


def test_the_standard_mode_of_2026_is_that_of_the_sdk_that_is_installed() -> None:
    """Costs, waits and what comes back, over 3,000 calls of botocore's own code."""
    one, tokens = _lowered({"mode": "standard_2026"})
    detector = _Answers()
    theirs = quota.RetryQuota()
    checker = standard.RetryQuotaChecker(theirs, detector)
    if getattr(checker, "_RETRY_COST", 5) == 5:
        pytest.skip("an SDK from before 2026")
    drawn = np.random.default_rng(7)
    previous = 0.0
    backoff = standard.ExponentialBackoff(random=lambda: previous, throttling_detector=detector)
    kinds = drawn.integers(0, 4, 3000)
    outcomes = set()
    for kind in kinds.tolist():
        attempt = int(drawn.integers(1, 9))
        if kind == 3:
            give_back(one, tokens, 0, 0, 0)
            checker.release_retry_quota({}, _Ok())
            continue
        is_throttling = kind == 1
        seen = SEEN_THROTTLED if is_throttling else SEEN_TIMEOUT if kind == 2 else SEEN_RETRYABLE
        context = _context(attempt, is_throttling=is_throttling)
        taken = take_tokens(one, tokens, 0, seen)
        assert (taken != GIVE_UP) == checker.acquire_retry_quota(context)
        outcomes.add(int(taken))
        assert tokens[0] == theirs.available_capacity
        previous = float(drawn.random())
        wait_ns = backoff_ns(one, attempt, seen, 0, previous)
        assert wait_ns == pytest.approx(backoff.delay_amount(context) * S, abs=1)
        if taken != GIVE_UP and drawn.random() < 0.3:
            give_back(one, tokens, 0, attempt, taken)
            checker.release_retry_quota(context.request_context, _Ok())
            assert tokens[0] == theirs.available_capacity
    assert outcomes == {GIVE_UP, 5, 14}


class _Ok:
    status_code = 200


def test_the_standard_mode_before_2026_takes_5_tokens_and_10_after_a_time_out() -> None:
    """smithy's ``util-retry`` 2: INITIAL_RETRY_TOKENS, RETRY_COST, TIMEOUT_RETRY_COST."""
    one, tokens = _lowered({"mode": "standard"})
    assert tokens.tolist() == [500]
    costs = [one[name] for name in ("tokens", "cost", "throttled_cost", "timeout_cost")]
    assert costs == [500, 5, 5, 10]
    assert (one["max_retries"], one["backoff"]) == (2, FULL)
    assert (one["base_ns"], one["throttled_base_ns"], one["cap_ns"]) == (S, S, 20 * S)


def test_what_is_given_stands_before_what_the_mode_says() -> None:
    retries = Retries(mode="standard_2026", base="10ms", on=[503])  # type: ignore[arg-type]
    assert (retries.base, retries.throttled_base, retries.on) == (10 * MS, S, [503])
    assert [retries.retries(status) for status in (503, 500, 429)] == [True, False, False]


def test_a_client_of_whom_nothing_is_said_waits_for_ever_and_tries_once() -> None:
    assert (Client().timeout, Client().retries, Client().processes) == (None, None, 1)
