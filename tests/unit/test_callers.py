"""Who calls: customers, users, addresses and tokens of a population."""

from collections import Counter

import numpy as np
import pytest

from apisim.engine.caller_tables import CALLER_DTYPE
from apisim.engine.callers import address_of, customer_of, key_of, token_number, token_of
from apisim.engine.program import Program, new_world
from apisim.engine.run import Engine, run_replication
from apisim.engine.tables import NONE
from apisim.scenario import ScenarioError, loads
from apisim.scenario.addresses import parse_range
from apisim.scenario.units import UnitError
from tests.equivalence.engines import lowered

_KEY = np.uint64(0x9123456789ABCDEF)


_LOAD = "phases: [{duration: 1s, rate: 50}], mix: {GET /x: 1}"


def _program(populations: str, *sources: str) -> Program:
    """An API that anybody may call, and who calls it."""
    api = "{type: rest, stage: {waf: {rate_based: [{limit: 100}]}}, routes: {GET /x: "
    api += "{integration: {type: mock}, authorizer: pool}}}"
    lines = ["apisim: 1", f"apis: {{a: {api}}}", "authorizers: {pool: {type: cognito}}"]
    lines += [f"populations: {populations}", "traffic:", *(f"  {source}" for source in sources)]
    return lowered(loads("\n".join(lines)))


def _caller(**columns: int) -> np.void:
    row = np.zeros(1, CALLER_DTYPE)
    for name in ("activity", "first_key", "fixed_key", "first_address"):
        row[name] = NONE
    row["users_each"] = row["n_customers"] = row["addresses_each"] = 1
    row["token_salt"], row["token_key"] = 7, _KEY
    for name, value in columns.items():
        row[name] = value
    return row[0]


def test_users_belong_to_customers_in_blocks() -> None:
    caller = _caller(first_customer=10, first_person=100, users_each=4)
    assert [customer_of(caller, person) for person in (100, 103, 104, 111)] == [10, 10, 11, 12]
    assert customer_of(caller, -1) == -1


def test_a_customers_addresses_are_its_own_and_all_are_used() -> None:
    caller = _caller(first_customer=10, first_address=1000, addresses_each=3, by_customer=1)
    seen = Counter(int(address_of(caller, 12, _KEY, entity)) for entity in range(3000))
    assert set(seen) == {1006, 1007, 1008}
    # Binomial(3000, 1/3): five standard deviations are 129.
    assert all(abs(n - 1000) < 129 for n in seen.values())
    assert address_of(_caller(), -1, _KEY, 0) == -1


def test_a_source_without_population_calls_from_its_whole_range() -> None:
    caller = _caller(first_address=50, addresses_each=256)
    seen = {int(address_of(caller, -1, _KEY, entity)) for entity in range(5000)}
    assert seen == set(range(50, 306))


def test_customers_behind_a_source_with_a_range_call_from_that_range() -> None:
    more = "source_ip: 203.0.113.8/29,"
    program = _program("{d: {count: 2}, c: {count: 50}}", f"web: {{of: c, {more} {_LOAD}}}")
    caller = program.tables.callers[0]
    block = parse_range("203.0.113.8/29")
    customers = range(int(caller["first_customer"]), int(caller["first_customer"]) + 50)
    seen = {int(address_of(caller, c, _KEY, entity)) for c in customers for entity in range(50)}
    assert seen == set(range(block.first, block.first + block.size))


def test_populations_without_a_range_share_no_address() -> None:
    populations = "{a: {count: 3, source_ips_each: 4}, b: {count: 9, source_ips: 192.0.2.0/24},"
    populations += " c: {count: 7}, d: {count: 5, source_ips_each: 1}}"
    program = _program(populations, *(f"{name}: {{of: {name}, {_LOAD}}}" for name in "abcd"))
    first = parse_range("10.0.0.0/8").first
    documentation = parse_range("192.0.2.0/24").first
    assert program.tables.callers["first_address"].tolist() == [
        first,
        documentation,
        NONE,
        first + 12,
    ]
    blocks = program.tables.waf_blocks
    assert list(zip(blocks["first"], blocks["size"], strict=True)) == [
        (first, 17),
        (documentation, 9),
    ]


def test_tokens_are_renewed_once_a_lifetime_each_user_at_a_time_of_its_own() -> None:
    caller = _caller(lifetime_ns=1000)
    renewals = []
    for person in range(200):
        numbers = [token_number(caller, person, t) for t in range(0, 5001, 50)]
        assert numbers == sorted(numbers)
        assert numbers[-1] - numbers[0] == 5
        renewals.append(next(k for k, n in enumerate(numbers) if n > numbers[0]))
    assert len(set(renewals)) > 15
    assert token_number(_caller(), 3, 10**15) == 0


@pytest.mark.parametrize("engine", ["compiled", "simpy"])
def test_only_users_with_a_sign_in_quota_take_room_for_their_tokens(engine: Engine) -> None:
    populations = "{a: {count: 900}, b: {count: 3, users_each: 2, sign_in_quota: 3/s},"
    populations += " c: {count: 70}, d: {count: 5, sign_in_quota: 1000/s}}"
    sources = [f"{name}: {{of: {name}, {_LOAD}}}" for name in "abcd"]
    program = _program(populations, *sources)
    assert len(new_world(program, 0).state.held) == 6 + 5
    done = run_replication(program, 0, engine=engine)
    assert done.sign_ins["sign_ins"].tolist() == [5, 5]
    assert (done.sign_ins["refused"] > 0).tolist() == [True, False]


def test_no_two_tokens_are_alike() -> None:
    caller = _caller()
    tokens = {int(token_of(caller, person, number)) for person in range(300) for number in range(9)}
    assert len(tokens) == 2700
    assert 0 not in tokens
    assert token_of(caller, -1, 0) == 0


def test_customers_have_keys_of_their_own_or_the_source_has_one() -> None:
    assert key_of(_caller(first_customer=5, first_key=40), 7) == 42
    assert key_of(_caller(fixed_key=3), -1) == 3
    assert key_of(_caller(), -1) == -1


@pytest.mark.parametrize(
    ("written", "first", "size"),
    [("203.0.113.0/24", 3405803776, 256), ("0.0.0.1", 1, 1), (" 10.0.0.0/8 ", 167772160, 1 << 24)],
)
def test_ranges_are_read_as_cidr(written: str, first: int, size: int) -> None:
    found = parse_range(written)
    assert (found.first, found.size) == (first, size)
    assert str(found) == written.strip()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("203.0.113.7/24", "is not an IPv4"),
        ("::1", "IPv6"),
        ("300.1.1.1", "is not an IPv4"),
        (7, "must be an address"),
    ],
)
def test_other_ranges_are_refused(written: object, said: str) -> None:
    with pytest.raises(UnitError, match=said):
        parse_range(written)


_TEXT = """
apisim: 1
apis: {{a: {{type: http, routes: {{GET /x: {{integration: {{type: mock}}}}}}}}}}
populations: {{c: {population}}}
traffic:
  web: {{of: {of}, {more} phases: [{{duration: 1s, rate: 5}}], mix: {{GET /x: 1}}}}
"""


@pytest.mark.parametrize(
    ("population", "of", "more", "said"),
    [
        ("{count: 3}", "d", "", "is not defined under populations"),
        ("{count: 3, activity: {uniform: 4}}", "c", "", "is over 4 customers, there are 3"),
        ("{count: 1000000, users_each: 1000}", "c", "", "1,000,000,000 users are too many"),
        ("{count: 300, source_ips: 192.0.2.0/24}", "c", "", "has 256 addresses, 300 needed"),
        (
            "{count: 3, source_ips_each: 2}",
            "c",
            "source_ip: 1.2.3.4,",
            "have addresses of their own",
        ),
        ("{count: 3, plans: {gold: 100%}}", "c", "", "is not defined under usage_plans"),
    ],
)
def test_populations_that_cannot_be_are_refused(
    population: str, of: str, more: str, said: str
) -> None:
    with pytest.raises(ScenarioError) as found:
        loads(_TEXT.format(population=population, of=of, more=more))
    assert said in str(found.value)


_REST = _TEXT.replace("type: http", "type: rest")


def test_populations_beyond_the_addresses_there_are_are_refused() -> None:
    half = "{count: 256, source_ips_each: 32768}"
    both = f"{half}, d: {half}"
    loads(_REST.format(population=both, of="d", more=""))
    three = f"{both}, e: {{count: 1, source_ips_each: 1}}"
    with pytest.raises(ScenarioError) as found:
        loads(_REST.format(population=three, of="d", more=""))
    assert "populations.e.source_ips_each: those before leave no 1 address of 10.0.0.0/8" in str(
        found.value
    )
    assert "source_ips of its own" in str(found.value)
