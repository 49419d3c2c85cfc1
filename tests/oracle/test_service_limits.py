"""Limits of AWS services against exact fractions, and against AWS's own example."""

import random
from fractions import Fraction
from math import ceil

import numpy as np
import pytest

from apisim.backends.service import request_service
from apisim.engine.program import Program, new_world
from apisim.gateway.status import Answer
from tests.support.experiments import Data, answered, one_source, prepare, rows_of, run, scenario

pytestmark = pytest.mark.oracle

S = 10**9
_TO_TABLE = {"integration": {"type": "aws_service", "service": "s"}}


def table(route: str, service: Data, **source: object) -> Program:
    """One route that does what its method says to one service."""
    routes = {route: {"integration": {"type": "aws_service", "service": "s"}}}
    load = {"open": {"phases": [{"duration": "1s", "rate": 1}], "mix": {route: 1}, **source}}
    return prepare(
        scenario(
            apis={"api": {"type": "rest", "routes": routes}},
            services={"s": {"latency": 0, **service}},
            traffic=load,
        )
    )


class Capacity:
    """Provisioned capacity as the developer guide has it, in fractions of a unit."""

    def __init__(self, units: int) -> None:
        self.rate, self.most = Fraction(units), Fraction(300 * units)
        self.level, self.last = self.most, Fraction(0)

    def take(self, now_ns: int, units: Fraction) -> bool:
        """Whether ``units`` are there at ``now_ns``; they are gone then."""
        now = Fraction(now_ns, S)
        self.level = min(self.most, self.level + (now - self.last) * self.rate)
        self.last = now
        if units > self.level:
            return False
        self.level -= units
        return True


@pytest.mark.parametrize("consistency", ["eventual", "strong", "transactional"])
@pytest.mark.parametrize("route", ["GET /", "POST /"])
def test_a_table_decides_as_exact_arithmetic_does(route: str, consistency: str) -> None:
    capacity = {"read_capacity_units": 7, "write_capacity_units": 3}
    program = table(route, {"type": "dynamodb", "consistency": consistency, **capacity})
    state, action = new_world(program, 0).state, program.tables.actions[0]
    exact = Capacity(7 if route == "GET /" else 3)
    dice = random.Random(7)
    now_ns, admitted, n = 0, 0, 20_000
    for _ in range(n):
        now_ns += dice.choice([1, 333, 10**6, 10**8, 41 * 10**8 // 10])
        size = dice.choice([0, 1, 1_024, 1_025, 4_096, 4_097, 400_000])
        if route == "GET /":
            each = {"eventual": Fraction(1, 2), "strong": Fraction(1), "transactional": Fraction(2)}
            units = each[consistency] * max(1, ceil(size / 4_096))
        else:
            units = Fraction(max(1, ceil(size / 1_024)))
            units *= 2 if consistency == "transactional" else 1
        said = request_service(state.services, state.service_limits, 0, 0, action, size, now_ns)
        assert said is exact.take(now_ns, units)
        admitted += said
    assert 0 < admitted < n
    assert state.services["throttled"][0] == n - admitted


def test_unused_capacity_lasts_as_long_as_aws_says() -> None:
    """150 units provisioned, 200 used: 45,000 kept units carry it for 15 minutes (re:Post)."""
    source = {
        "phases": [{"duration": "20m", "rate": 200}],
        "arrivals": "uniform",
        "offset": 0,
    }
    capacity = {"read_capacity_units": 150, "write_capacity_units": 1, "consistency": "strong"}
    program = table("GET /", {"type": "dynamodb", "item_size": "4KB", **capacity}, **source)
    done, rows = rows_of(program)
    refused = rows["arrival_ns"][rows["answer"] == Answer.SERVICE_THROTTLED]
    # From 15 minutes on one in four.
    assert len(refused) == pytest.approx(50 * 300, abs=2)
    assert refused[0] / S == pytest.approx(900, abs=0.05)
    assert done.services["read_units"][0] == 2 * (len(rows) - len(refused))


def test_a_stream_takes_a_mebibyte_and_a_thousand_records_a_second_and_shard() -> None:
    """Kinesis developer guide, quotas; overloaded, so that only the limits count."""
    for size, wanted in (("100B", 1_000), ("16KB", 64)):
        for shards in (1, 4):
            source = one_source("20000/s", "10s")["open"]
            stream = {"type": "kinesis", "shards": shards, "item_size": size}
            program = table("POST /", stream, phases=source["phases"])
            # Ten seconds, and the second that a full bucket holds.
            served = answered(run(program), Answer.SERVED)
            # In each shard less than one record is left at the end, and what comes in before the
            # first call and after the last is lost: 0.4 ms of 1 ms a record, and more than 2 ms
            # with a chance of 5e-4.
            assert 0 <= 11 * wanted * shards - served <= 3 * shards


def test_records_go_to_all_shards_alike() -> None:
    stream = {"type": "kinesis", "shards": 8, "item_size": "16KB"}
    program = table("POST /", stream, phases=[{"duration": "10s", "rate": 2_000}])
    refused = run(program).service_limits["refused"][1::2]
    assert len(refused) == 8
    assert refused.min() > 0.9 * refused.mean()
    assert np.all(run(program).service_limits["refused"][0::2] == 0)


def test_the_quota_of_a_queue_is_a_bucket() -> None:
    """A FIFO queue takes 300 messages a second without batches (SQS quotas)."""
    queue = {"type": "sqs", "fifo": True}
    phases = [{"duration": "20s", "rate": 500}]
    program = table("POST /", queue, phases=phases, arrivals="uniform", offset=0)
    done = run(program)
    assert answered(done, Answer.SERVED) == pytest.approx(300 * 21, abs=1)
    assert done.services["units"][0] == answered(done, Answer.SERVED)


def test_a_table_with_other_capacity_keeps_what_it_had_kept() -> None:
    """10 writes a second on 4 units; after 100 s on 8, after 200 s on 10: by hand.

    The burst of 300 s of 4 units, 1,200, is worth 200 s of the 6 that are short: 100 s take 600 of
    them; then 2 are short, and 100 s take 200; then nothing is, and 400 are left. With 4 units to
    the end, all are gone after 200 s.
    """
    steps = [
        {"at": "100s", "set": {"services.s.write_capacity_units": 8}},
        {"at": "200s", "set": {"services.s.write_capacity_units": 10}},
    ]
    for timeline, refused in ((steps, 0), (steps[:1], 0), ([], 600)):
        program = prepare(
            scenario(
                apis={"api": {"type": "rest", "routes": {"POST /": _TO_TABLE}}},
                services={
                    "s": {
                        "type": "dynamodb",
                        "latency": 0,
                        "read_capacity_units": 1,
                        "write_capacity_units": 4,
                    }
                },
                traffic={
                    "open": {
                        "arrivals": "uniform",
                        "phases": [{"duration": "300s", "rate": 10}],
                        "mix": {"POST /": 1},
                    }
                },
                timeline=timeline,
            )
        )
        assert abs(answered(run(program), Answer.SERVICE_THROTTLED) - refused) <= 1
