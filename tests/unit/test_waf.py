"""Rate-based rules of a web ACL, against a list of all requests and a plain count."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisim.gateway.waf import (
    BLOCK_DTYPE,
    RATE_DTYPE,
    RATE_RULE_DTYPE,
    WAF_DTYPE,
    number_of_address,
    over_any_rate,
)


class Acl:
    """The records of one web ACL, as the lowering lays them out."""

    def __init__(self, rules: list[tuple[int, int, int]], blocks: list[tuple[int, int]]) -> None:
        n_addresses = sum(size for _, size in blocks)
        self.blocks = np.zeros(len(blocks), BLOCK_DTYPE)
        for at, (first, size) in enumerate(blocks):
            self.blocks[at] = (first, size, sum(size for _, size in blocks[:at]))
        self.rules = np.zeros(len(rules), RATE_RULE_DTYPE)
        n_counts = 0
        for at, (limit, window, delay) in enumerate(rules):
            intervals = window // delay
            self.rules[at] = (limit, delay, intervals, n_addresses, at * n_addresses, n_counts)
            n_counts += n_addresses * (intervals + 1)
        self.rates = np.zeros(len(rules) * n_addresses, RATE_DTYPE)
        self.counts = np.zeros(n_counts, np.int32)
        self.waf = np.zeros(1, WAF_DTYPE)
        self.waf[0] = (0, len(rules), 0, len(blocks), 0.0)

    def blocks_call(self, ip: int, now_ns: int) -> bool:
        return bool(
            over_any_rate(self.waf[0], self.rules, self.blocks, self.rates, self.counts, ip, now_ns)
        )


class Reference:
    """The same from the definition: every request is kept, and counted at each look."""

    def __init__(self, rules: list[tuple[int, int, int]]) -> None:
        self.rules = rules
        self.seen: dict[tuple[int, int], list[int]] = defaultdict(list)

    def blocks_call(self, ip: int, now: int) -> bool:
        for at, (limit, window, delay) in enumerate(self.rules):
            seen = self.seen[at, ip]
            looked = now // delay * delay
            is_over = sum(looked - window <= time < looked for time in seen) > limit
            seen.append(now)
            if is_over:
                return True
        return False


_rules = st.tuples(st.integers(0, 6), st.integers(1, 5), st.integers(1, 7)).map(
    lambda rule: (rule[0], rule[1] * rule[2], rule[2])
)


@given(
    rules=st.lists(_rules, min_size=1, max_size=3),
    calls=st.lists(
        st.tuples(st.integers(0, 3) | st.integers(0, 60), st.integers(0, 3)), max_size=120
    ),
)
def test_an_address_is_blocked_as_a_plain_count_says(
    rules: list[tuple[int, int, int]], calls: list[tuple[int, int]]
) -> None:
    acl, reference = Acl(rules, [(10, 4)]), Reference(rules)
    now = 0
    for gap, address in calls:
        now += gap
        assert acl.blocks_call(10 + address, now) == reference.blocks_call(10 + address, now)


def test_a_flood_passes_until_the_counts_are_looked_at_and_is_then_blocked() -> None:
    # 10 calls a second, at most 100 in 30 s, looked at every 10 s.
    acl = Acl([(100, 30, 10)], [(7, 1)])
    blocked = [sum(acl.blocks_call(7, second) for _ in range(10)) for second in range(60)]
    # At 10 s 100 were counted, which is the limit; at 20 s 200. What is blocked is counted too.
    assert blocked == [0] * 20 + [10] * 40
    # Then a call now and then: at 80 s the window has 100 of the flood and one more.
    assert acl.blocks_call(7, 75)
    assert acl.blocks_call(7, 80)
    assert not acl.blocks_call(7, 90)


def test_each_address_is_counted_for_itself() -> None:
    acl = Acl([(2, 10, 10)], [(100, 50), (200, 50)])
    for ip in range(200, 250):
        for _ in range(3 if ip == 225 else 2):
            assert not acl.blocks_call(ip, 0)
    assert [ip for ip in range(200, 250) if acl.blocks_call(ip, 10)] == [225]


def test_an_address_nobody_knows_is_not_counted() -> None:
    acl = Acl([(0, 10, 10)], [(100, 50)])
    assert not any(acl.blocks_call(ip, second) for second in range(30) for ip in (-1, 99, 150))


@pytest.mark.parametrize("blocks", [[(5, 1)], [(5, 3), (8, 2)], [(1, 2), (100, 9), (2**32 - 4, 4)]])
def test_addresses_are_numbered_through(blocks: list[tuple[int, int]]) -> None:
    acl = Acl([], blocks)
    all_of_them = [ip for first, size in blocks for ip in range(first, first + size)]
    numbers = [int(number_of_address(acl.blocks, 0, len(blocks), ip)) for ip in all_of_them]
    assert numbers == list(range(len(all_of_them)))
    outside = {ip + step for ip in all_of_them for step in (-1, 1)} - set(all_of_them)
    assert {int(number_of_address(acl.blocks, 0, len(blocks), ip)) for ip in outside} == {-1}
