"""Evenly spaced arrivals against one bucket: numbers worked out by hand, to the unit."""

from fractions import Fraction
from pathlib import Path

import pytest

from apisim.engine.program import Program
from apisim.gateway.status import Answer
from tests.support.experiments import (
    Data,
    answered,
    mock_api,
    one_source,
    prepare,
    refused,
    rows_of,
    run,
    scenario,
)
from tests.support.logs import LogRow, replay, write_log
from tests.support.token_buckets import gcra, gcra_admitted

pytestmark = pytest.mark.oracle

SECOND_NS = 1_000_000_000
OK, SLOW_DOWN = 200, 429


def throttled(rate: str, burst: int, load: Data, **more: object) -> Program:
    bucket = {"rate_limit": rate, "burst_limit": burst}
    return prepare(scenario(apis=mock_api({"throttle": bucket}), traffic=load, **more))


def uniform(rate: str, duration: str, **more: object) -> Data:
    return one_source(rate, duration, arrivals="uniform", **more)


def test_800_a_second_for_a_minute_on_750_and_500_refuses_2501() -> None:
    """The bucket loses 50 tokens a second, so it is empty when 499 of 500 are gone: at 9.98 s."""
    program = throttled("750/s", 500, uniform("800/s", "60s", offset=0))
    done, rows = rows_of(program)
    assert len(rows) == 48_000
    assert refused(done) == 2_501
    accepted = rows["status"] == OK
    assert accepted.tolist() == gcra(Fraction(750), 500, rows["arrival_ns"].tolist())
    first = rows["arrival_ns"][~accepted][0]
    # The k-th request (from 0) comes at k/800 s and needs k + 1 <= 500 + 750 k/800: k <= 7,984.
    assert first == 7_985 * SECOND_NS // 800 == 9_981_250_000
    assert sorted(done.buckets["refused"]) == [0, 2_501]
    assert sorted(done.buckets["first_refused_ns"]) == [-1, first]


def test_whatever_the_phase_2501_are_refused() -> None:
    """48,000 arrive and 500 + 750 * 47,999/800 = 45,499.06 tokens have been there by the last."""
    firsts = []
    for offset in [0.25, 0.5, 0.75, 0.999, 0.999999, None]:
        phase = {} if offset is None else {"offset": offset}
        program = throttled("750/s", 500, uniform("800/s", "60s", **phase))
        for number in range(1 if phase else 6):  # without an offset each replication draws one
            done, rows = rows_of(program, number)
            assert refused(done) == 2_501
            firsts.append(rows["arrival_ns"][rows["status"] == SLOW_DOWN][0])
    assert all(9_981_250_000 < first < 9_982_500_000 for first in firsts)
    assert len(set(firsts)) == len(firsts)


def test_150_in_ten_seconds_on_10_and_5_admits_104() -> None:
    """Oracle 5.1: the bound burst + rate t is 105; the last arrival is at 149/15 s."""
    done = run(throttled("10/s", 5, uniform("15/s", "10s", offset=0)))
    assert done.n_requests - refused(done) == 104


@pytest.mark.parametrize("offset", [0, 0.5, 0.999999])
def test_a_bucket_of_half_a_second_is_empty_after_a_second_at_one_and_a_half_times_its_rate(
    offset: float,
) -> None:
    """Oracle 5.1, fluid: admitted in 2 s = b + r t = 25,000, to the one request that is cut off."""
    program = throttled("10000/s", 5000, uniform("15000/s", "2s", offset=offset))
    done, rows = rows_of(program)
    accepted = rows["status"] == OK
    assert done.n_requests - refused(done) in (24_999, 25_000)
    # Before the bucket is empty at b / (lambda - r) = 1 s nobody is refused, then a third is.
    first = int(rows["arrival_ns"][~accepted][0])
    assert abs(first - SECOND_NS) <= 2 * SECOND_NS // 15_000
    late = accepted[rows["arrival_ns"] >= SECOND_NS]
    assert abs(late.sum() - 10_000) <= 1


@pytest.mark.parametrize(("n", "burst"), [(2_000, 500), (500, 500), (499, 500), (1, 0)])
def test_a_burst_at_one_instant_gets_what_is_in_the_bucket(
    tmp_path: Path, n: int, burst: int
) -> None:
    """Oracle 5.2."""
    log = write_log(tmp_path / "burst.csv", [LogRow(0)] * n)
    done = run(throttled("1000/s", burst, replay(log)))
    assert done.n_requests == n
    assert n - refused(done) == min(n, burst)


def test_a_bucket_of_2000_at_1000_a_second_keeps_1000_after_2000_in_a_second() -> None:
    """Oracle 5.2: what is refilled meanwhile is still there."""
    done = run(throttled("1000/s", 2000, uniform("2000/s", "1s", offset=0)))
    assert refused(done) == 0
    (bucket,) = [row for row in done.buckets if row["capacity"] == 2000 * row["parts_per_token"]]
    tokens = Fraction(int(bucket["level"]), int(bucket["parts_per_token"]))
    # The 2,000th request takes its token at 1,999/2,000 s.
    assert tokens == 2000 - 2000 + 1000 * Fraction(1999, 2000)


@pytest.mark.parametrize(
    ("rate", "exact", "burst"),
    [
        ("0.3/s", Fraction(3, 10), 1),
        ("0.3", Fraction(3, 10), 4),
        ("100/min", Fraction(5, 3), 1),
        ("100/min", Fraction(5, 3), 7),
        ("7/h", Fraction(7, 3600), 2),
        ("0.000001/s", Fraction(1, 1_000_000), 1),
        ("0/s", Fraction(0), 3),
        ("5/s", Fraction(5), 0),
    ],
)
def test_a_rate_is_the_decimal_as_it_is_written(rate: str, exact: Fraction, burst: int) -> None:
    """Decisions of an hour at 4/s, through the scenario; 0 never refills, a burst of 0 is shut."""
    load = uniform("4/s", "1h", offset=0)
    _, rows = rows_of(throttled(rate, burst, load))
    times_ns = rows["arrival_ns"].tolist()
    assert len(times_ns) == 14_400
    accepted = (rows["status"] == OK).tolist()
    assert accepted == gcra(exact, burst, times_ns)
    if exact < 4 and burst >= 2:
        assert sum(accepted) == gcra_admitted(exact, burst, SECOND_NS // 4, 14_400)


def test_two_sources_in_step_share_a_bucket_by_the_order_of_their_names_in_the_scenario() -> None:
    """Design C1: two at 500/s in step on 500/500; the first is asked first, and gets everything."""
    first = uniform("500/s", "20s", offset=0)["open"]
    program = throttled("500/s", 500, {"a": first, "b": first})
    _, rows = rows_of(program)
    late = rows[rows["arrival_ns"] > 2 * SECOND_NS]
    for source, status in ((0, OK), (1, SLOW_DOWN)):
        assert set(late["status"][late["source"] == source]) == {status}
    # Half a gap out of step, each token goes to whoever comes next after it is whole.
    second = uniform("500/s", "20s", offset=0.5)["open"]
    done, rows = rows_of(throttled("500/s", 500, {"a": first, "b": second}))
    assert answered(done, Answer.SERVED) == 10_499
