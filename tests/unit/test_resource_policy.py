"""Resource policies: the published tables written out, and addresses against ``ipaddress``."""

from ipaddress import IPv4Address, IPv4Network

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisim.gateway.resource_policy import (
    POLICY_ALLOWS,
    POLICY_DENIES,
    POLICY_DTYPE,
    POLICY_IS_SILENT,
    POLICY_UNATTACHED,
    TABLE_ALONE,
    TABLE_CROSS_ACCOUNT,
    TABLE_SAME_ACCOUNT,
    AddressRule,
    AddressTable,
    address_table,
    combine,
    effect_on,
)

EFFECTS = {
    "allow": POLICY_ALLOWS,
    "silent": POLICY_IS_SILENT,
    "deny": POLICY_DENIES,
    "none": POLICY_UNATTACHED,
}

#: identity side, resource policy: same account (table A), another account (table B).
PUBLISHED = """
    allow   allow   allow   allow
    allow   silent  allow   silent
    allow   deny    deny    deny
    silent  allow   allow   silent
    silent  silent  silent  silent
    silent  deny    deny    deny
    deny    allow   deny    deny
    deny    silent  deny    deny
    deny    deny    deny    deny
    allow   none    allow   silent
    silent  none    silent  silent
    deny    none    deny    deny
"""
#: The policy alone (no authorizer, or a valid token of a user pool): silence denies.
ALONE = """
    allow   allow   allow
    allow   silent  silent
    allow   deny    deny
    allow   none    allow
    deny    allow   deny
    deny    silent  deny
    deny    deny    deny
    deny    none    deny
"""


def _rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.strip().splitlines()]


@pytest.mark.parametrize(("identity", "policy", "same", "cross"), _rows(PUBLISHED))
def test_identity_and_policy_decide_as_published(
    identity: str, policy: str, same: str, cross: str
) -> None:
    sides = EFFECTS[identity], EFFECTS[policy]
    assert combine(*sides, TABLE_SAME_ACCOUNT) == EFFECTS[same]
    assert combine(*sides, TABLE_CROSS_ACCOUNT) == EFFECTS[cross]


@pytest.mark.parametrize(("identity", "policy", "expected"), _rows(ALONE))
def test_a_policy_on_its_own_must_allow(identity: str, policy: str, expected: str) -> None:
    assert combine(EFFECTS[identity], EFFECTS[policy], TABLE_ALONE) == EFFECTS[expected]


def _effect(table: AddressTable, ip: int) -> int:
    policies = np.zeros(2, POLICY_DTYPE)
    # Behind another policy's interval: a row must keep to its own.
    policies[1] = (1, len(table.starts), table.unknown)
    starts = np.array([0, *table.starts], np.int64)
    effects = np.array([99, *table.effects], np.int64)
    return int(effect_on(policies, starts, effects, 1, ip))


def _block(text: str) -> tuple[int, int]:
    network = IPv4Network(text)
    return int(network.network_address), network.num_addresses


def test_a_denial_wins_and_silence_is_the_default() -> None:
    office, guest = _block("203.0.113.0/24"), _block("203.0.113.128/25")
    table = address_table(
        [AddressRule(POLICY_ALLOWS, inside=[office]), AddressRule(POLICY_DENIES, inside=[guest])]
    )
    said = {
        text: _effect(table, int(IPv4Address(text)))
        for text in ("203.0.113.0", "203.0.113.127", "203.0.113.128", "203.0.113.255", "8.8.8.8")
    }
    assert list(said.values()) == [
        POLICY_ALLOWS,
        POLICY_ALLOWS,
        POLICY_DENIES,
        POLICY_DENIES,
        POLICY_IS_SILENT,
    ]
    assert len(table.starts) == 4


def test_an_unknown_address_is_in_no_block() -> None:
    block = _block("203.0.113.0/24")
    inside = address_table([AddressRule(POLICY_ALLOWS, inside=[block])])
    outside = address_table([AddressRule(POLICY_DENIES, outside=[block])])
    everywhere = address_table([AddressRule(POLICY_ALLOWS)])
    assert _effect(inside, -1) == POLICY_IS_SILENT
    assert _effect(outside, -1) == POLICY_DENIES
    assert _effect(everywhere, -1) == POLICY_ALLOWS


def test_an_api_without_policy_has_none() -> None:
    empty = np.zeros(0, np.int64)
    assert effect_on(np.zeros(0, POLICY_DTYPE), empty, empty, -1, 5) == POLICY_UNATTACHED


#: Blocks that overlap often: few bits, at both ends of the address space.
_networks = st.builds(
    lambda base, offset, prefix: IPv4Network((base + offset, prefix), strict=False),
    st.sampled_from([0, 0xCB007100, 0xFFFFFF00]),
    st.integers(0, 255),
    st.integers(20, 32) | st.sampled_from([0, 8]),
)
_lists = st.none() | st.lists(_networks, min_size=1, max_size=3)
_rules = st.lists(
    st.tuples(st.sampled_from([POLICY_ALLOWS, POLICY_DENIES]), _lists, _lists), max_size=4
)


def _applies(
    address: IPv4Address, inside: list[IPv4Network] | None, outside: list[IPv4Network] | None
) -> bool:
    if inside is not None and not any(address in network for network in inside):
        return False
    return outside is None or all(address not in network for network in outside)


@given(
    rules=_rules,
    numbers=st.lists(
        st.integers(0, 2**32 - 1) | st.integers(0xCB007000, 0xCB0071FF) | st.integers(0, 300),
        min_size=1,
    ),
)
def test_intervals_say_what_each_statement_says_of_each_address(
    rules: list[tuple[int, list[IPv4Network] | None, list[IPv4Network] | None]],
    numbers: list[int],
) -> None:
    def blocks(networks: list[IPv4Network] | None) -> list[tuple[int, int]] | None:
        return None if networks is None else [_block(str(network)) for network in networks]

    table = address_table([AddressRule(e, blocks(i), blocks(o)) for e, i, o in rules])
    edges = {int(n[0]) for _, i, o in rules for n in (*(i or ()), *(o or ()))}
    edges |= {int(n[-1]) for _, i, o in rules for n in (*(i or ()), *(o or ()))}
    near = {edge + step for edge in edges for step in (-1, 0, 1)}
    for number in {*numbers, *(n for n in near if 0 <= n < 2**32)}:
        address = IPv4Address(number)
        said = {effect for effect, i, o in rules if _applies(address, i, o)}
        expected = POLICY_IS_SILENT
        if POLICY_ALLOWS in said:
            expected = POLICY_ALLOWS
        if POLICY_DENIES in said:
            expected = POLICY_DENIES
        assert _effect(table, number) == expected
