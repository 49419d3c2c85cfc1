"""Lambda's limits, one decision at a time, by numbers that can be checked by hand."""

import numpy as np
import pytest

from apisim.arrays.deques import lay_out_rings
from apisim.backends.lambda_ import (
    COLD,
    GROUP_DTYPE,
    NO_PROVISION,
    POOL_DTYPE,
    PROVISIONED,
    SCALING_WINDOW_NS,
    THROTTLED,
    UNLIMITED,
    WARM,
    close_pool,
    fill_group,
    invoke,
    release,
)

SECOND = 1_000_000_000
MS = 1_000_000


class Lambda:
    """One function in an account."""

    def __init__(
        self,
        *,
        concurrency: int = 1_000,
        rate: int = UNLIMITED,
        reserved: tuple[int, int] | None = None,
        provisioned: tuple[int, int] | None = None,
        scaling: int = UNLIMITED,
        idle_expiry_ns: int = 600 * SECOND,
    ) -> None:
        groups = [(concurrency, rate)]
        self.pools = np.zeros(1, POOL_DTYPE)
        pool = self.pools[0]
        pool["idle_expiry_ns"], pool["scaling"] = idle_expiry_ns, scaling
        pool["level"] = max(scaling, 0) * SCALING_WINDOW_NS
        pool["provision"] = NO_PROVISION
        if reserved is not None:
            pool["group"] = len(groups)
            groups.append(reserved)
        if provisioned is not None:
            pool["provision"] = len(groups)
            groups.append(provisioned)
        self.groups = np.zeros(len(groups), GROUP_DTYPE)
        for row, (limit, per_second) in zip(self.groups, groups, strict=True):
            fill_group(row, limit, per_second)
        self.idle, self.idle_since = lay_out_rings([20_000])

    def invoke(self, now_ns: int) -> int:
        return invoke(self.pools, self.groups, self.idle, self.idle_since, 0, now_ns, False)

    def release(self, started: int, now_ns: int) -> None:
        release(self.pools, self.groups, self.idle, self.idle_since, 0, started, now_ns)

    def at_once(self, n: int, now_ns: int) -> list[int]:
        """So many that come together and take no time."""
        found = [self.invoke(now_ns) for _ in range(n)]
        for started in found:
            if started != THROTTLED:
                self.release(started, now_ns)
        return found


def test_an_account_takes_ten_requests_a_second_for_each_unit_of_concurrency() -> None:
    """The developer guide's example: 20,000/s of 50 ms need 1,000, and 10,000/s are refused."""
    account = Lambda(concurrency=1_000, rate=10_000)
    busy: list[tuple[int, int]] = []
    refused = [0] * 4
    for step in range(4 * 20_000):
        now_ns = step * 50_000
        while busy and busy[0][0] <= now_ns:
            end_ns, started = busy.pop(0)
            account.release(started, end_ns)
        started = account.invoke(now_ns)
        if started == THROTTLED:
            refused[step // 20_000] += 1
        else:
            busy.append((now_ns + 50 * MS, started))
    # The first second may spend what the bucket held.
    assert refused[0] <= 1
    assert refused[1:] == [10_000] * 3
    assert account.pools["rate_throttles"] == account.pools["throttles"] == sum(refused)
    assert account.pools["max_busy"] <= 1_000


def test_a_reserve_takes_ten_requests_a_second_for_each_of_its_own() -> None:
    f = Lambda(concurrency=990, rate=10_000, reserved=(10, 100))
    results = [f.at_once(1, 0)[0] for _ in range(101)]
    assert results == [COLD] + [WARM] * 99 + [THROTTLED]
    assert f.at_once(1, 10 * MS - 1) == [THROTTLED]  # one more each 10 ms
    assert f.at_once(1, 10 * MS) == [WARM]
    assert f.groups["level"][1] == 0


def test_unspent_requests_are_kept_for_one_second_and_no_longer() -> None:
    f = Lambda(rate=5)
    assert f.at_once(6, 0)[-1] == THROTTLED
    assert f.at_once(6, 3_600 * SECOND).count(THROTTLED) == 1


def test_a_function_adds_a_thousand_environments_at_once_and_a_hundred_a_second() -> None:
    f = Lambda(concurrency=10_000, scaling=1_000)
    first = [f.invoke(0) for _ in range(1_500)]
    assert first.count(COLD) == 1_000
    assert first.count(THROTTLED) == 500
    assert [f.invoke(10 * MS - 1), f.invoke(10 * MS), f.invoke(10 * MS)] == [
        THROTTLED,
        COLD,
        THROTTLED,
    ]
    assert [f.invoke(SECOND) for _ in range(120)].count(COLD) == 99
    # What is not used is not added to the next ten seconds.
    assert [f.invoke(100 * SECOND) for _ in range(1_200)].count(COLD) == 1_000
    assert f.pools["scaling_throttles"] == f.pools["throttles"]


def test_warm_environments_are_no_growth() -> None:
    f = Lambda(scaling=2)
    assert f.at_once(3, 0) == [COLD, COLD, THROTTLED]
    assert [f.at_once(2, SECOND * second) for second in range(1, 5)] == [[WARM, WARM]] * 4


def test_what_a_provision_cannot_take_runs_on_demand() -> None:
    f = Lambda(concurrency=1, provisioned=(2, UNLIMITED))
    assert [f.invoke(0) for _ in range(4)] == [PROVISIONED, PROVISIONED, COLD, THROTTLED]
    f.release(PROVISIONED, 5 * MS)
    f.release(COLD, 6 * MS)
    assert [f.invoke(7 * MS) for _ in range(3)] == [PROVISIONED, WARM, THROTTLED]
    assert f.pools["provisioned"] == 3
    assert f.pools["invocations"] == 5
    assert f.pools["cold_starts"] == 1


def test_a_provision_has_a_rate_of_its_own_and_what_is_beyond_runs_on_demand() -> None:
    f = Lambda(provisioned=(1, 10))
    found = [f.at_once(1, 0)[0] for _ in range(12)]
    assert found == [PROVISIONED] * 10 + [COLD, WARM]


def test_a_refused_request_counts_for_no_limit() -> None:
    f = Lambda(concurrency=10, rate=100, reserved=(1, 2), scaling=1)
    assert f.at_once(2, 0) == [COLD, THROTTLED]  # one at a time
    assert f.at_once(1, 0) == [WARM]
    assert f.at_once(1, 0) == [THROTTLED]  # two a second
    assert f.groups["level"].tolist() == [98 * SECOND, 0]
    assert f.pools["level"] == 0
    assert f.pools["throttles"] == 2
    assert f.pools["rate_throttles"] == 1


@pytest.mark.parametrize("end_ns", [SECOND, 700 * SECOND])
def test_provisioned_environments_live_all_the_time(end_ns: int) -> None:
    f = Lambda(provisioned=(3, UNLIMITED))
    f.release(f.invoke(0), 400 * MS)
    close_pool(f.pools, f.groups, f.idle, f.idle_since, 0, end_ns)
    assert f.pools["busy_ns"] == 400 * MS
    assert f.pools["alive_ns"] == 3 * end_ns
