"""Published tests and worked examples of token buckets, step by step."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apisim.gateway.throttle import BUCKET_DTYPE, fill_bucket, try_take

pytestmark = pytest.mark.real

IDS = [
    "go-burst1",
    "go-zero-rate",
    "go-long-running",
    "envoy-max-size",
    "envoy-refill-half",
    "throttled-gcra",
    "aws-ec2-describe",
]


@pytest.fixture(scope="module")
def cases(shared: Path) -> dict[str, Any]:
    file = shared / "data" / "token_bucket" / "cases.json"
    # Numbers as they are written: 3.1 s is 3.1 s.
    cases = json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    return {case["id"]: case for case in cases}


def nanoseconds(seconds: int | Decimal) -> int:
    time = Fraction(seconds) * 10**9
    assert time.denominator == 1
    return time.numerator


def tokens(bucket: np.void, rate: Fraction, now_ns: int) -> Fraction:
    """Level of a bucket at a time, by its own numbers."""
    level = Fraction(int(bucket["level"]), int(bucket["parts_per_token"]))
    elapsed = Fraction(now_ns - int(bucket["last_ns"]), 10**9)
    burst = int(bucket["capacity"]) // int(bucket["parts_per_token"])
    return min(Fraction(burst), level + elapsed * rate)


def test_no_case_is_left_out(cases: dict[str, Any]) -> None:
    assert list(cases) == IDS
    assert {case["initial"] for case in cases.values()} == {"full"}
    steps = [step for case in cases.values() for step in case.get("steps", [])]
    known = {"t", "n", "allowed", "repeat", "tokens_before"}
    known |= {"whole_tokens_after", "seconds_to_full_after"}
    assert {key for step in steps for key in step} == known


@pytest.mark.parametrize("name", IDS)
def test_the_bucket_decides_each_step_as_published(cases: dict[str, Any], name: str) -> None:
    case = cases[name]
    rate, burst = Fraction(case["rate_per_s"]), case["burst"]
    bucket = np.zeros(1, BUCKET_DTYPE)[0]
    fill_bucket(bucket, rate, burst, 0)
    for step in case.get("steps", []):
        now_ns = nanoseconds(step["t"])
        if "tokens_before" in step:
            assert tokens(bucket, rate, now_ns) == step["tokens_before"]
        for _ in range(step.get("repeat", 1)):
            assert try_take(bucket, step["n"], now_ns) == step["allowed"]
        left = tokens(bucket, rate, now_ns)
        if "whole_tokens_after" in step:
            assert left // 1 == step["whole_tokens_after"]
        if "seconds_to_full_after" in step:
            assert (burst - left) / rate == Fraction(step["seconds_to_full_after"])
    if "arrivals" in case:
        spec, expected = case["arrivals"], case["expect_allowed"]
        times = range(
            nanoseconds(spec["start"]),
            nanoseconds(spec["end_exclusive"]),
            nanoseconds(spec["step"]),
        )
        allowed = sum(bool(try_take(bucket, spec["n"], now_ns)) for now_ns in times)
        assert expected["min"] <= allowed <= expected["max"]
        # Exactly: 100 tokens, 100/s for 4.998 s, and the remaining 0.8 is no token.
        assert allowed == (burst + rate * Fraction(times[-1], 10**9)) // 1
