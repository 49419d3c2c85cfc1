"""Usage plans: which plan a key is under, what a plan lets by, and who is told what."""

from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from apisim.engine.lowering import Charging, lower
from apisim.gateway.quota import CLOCK_DTYPE, NO_QUOTA, QUOTA_DTYPE
from apisim.gateway.status import ANSWERS, Answer
from apisim.gateway.throttle import BUCKET_DTYPE, NO_BUCKET, fill_bucket
from apisim.gateway.usage_plan import (
    ADMITTED,
    CUSTOMER_DTYPE,
    DAY_DTYPE,
    KEY_DTYPE,
    NO_SUBSCRIPTION,
    NOT_ATTACHED,
    REFUSED_BY_LEVEL,
    REFUSED_BY_PLAN,
    REFUSED_BY_QUOTA,
    SUBSCRIPTION_DTYPE,
    admit_key,
    find_subscription,
    note_throttled,
)
from apisim.scenario import ScenarioError, loads
from apisim.studies import run

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


# ------------------------------------------------------------------------------------- which plan


def _keys(*rows: tuple[int, int, int]) -> np.ndarray:
    return np.array(list(rows), KEY_DTYPE)


def test_a_key_opens_the_routes_of_the_stages_its_plans_are_attached_to() -> None:
    keys = _keys((1, 0, 2), (1, 2, 0), (0, 2, 1))
    subscriptions = np.zeros(3, SUBSCRIPTION_DTYPE)
    subscriptions["plan"] = 0, 1, 0
    # Plan 0 is attached to the stage of route 0, plan 1 to that of route 1; route 2 has neither.
    routes = np.full((2, 3, 2), NOT_ATTACHED, np.int64)
    routes[0, 0] = routes[1, 1] = NO_BUCKET
    found = [
        [find_subscription(keys, subscriptions, routes, key, route) for route in range(3)]
        for key in (0, 1, 2, -1)
    ]
    nothing = [NO_SUBSCRIPTION] * 3
    assert found == [[0, 1, NO_SUBSCRIPTION], nothing, nothing, nothing]


# ---------------------------------------------------------------------------------- what it lets by


class _Gate:
    """One key before one plan's bucket, a method's, the account's, and a quota."""

    def __init__(self, *bursts: int, quota: int = NO_QUOTA) -> None:
        self.plan = np.zeros(1, BUCKET_DTYPE)
        fill_bucket(self.plan[0], Fraction(0), bursts[0], 3)
        self.buckets = np.zeros(2, BUCKET_DTYPE)
        for at, kind in enumerate((0, 2)):
            fill_bucket(self.buckets[at], Fraction(0), bursts[1 + at], kind)
        self.quota = np.zeros(1, QUOTA_DTYPE)
        self.quota["limit"] = quota
        self.subscription = np.zeros(1, SUBSCRIPTION_DTYPE)
        self.subscription["exhausted_ns"] = -1
        self.days = np.zeros(2, DAY_DTYPE)
        self.clock = np.zeros(1, CLOCK_DTYPE)

    def ask(self, now_ns: int = 0, in_order: int = 0) -> int:
        return int(
            admit_key(
                self.subscription[0],
                self.quota[0],
                self.clock[0],
                self.plan,
                np.array([NO_BUCKET, 0], np.int64),
                self.buckets,
                np.array([0, NO_BUCKET, 1], np.int64),
                self.days,
                now_ns,
                0,
                in_order,
            )
        )

    @property
    def left(self) -> list[int]:
        """Tokens of plan, method and account."""
        return [int(self.plan["level"][0]), *map(int, self.buckets["level"])]


def test_the_first_that_refuses_is_named_plan_method_account_quota() -> None:
    assert _Gate(0, 0, 0, quota=0).ask() == REFUSED_BY_PLAN
    assert _Gate(1, 0, 0, quota=0).ask() == REFUSED_BY_LEVEL + 0
    assert _Gate(1, 1, 0, quota=0).ask() == REFUSED_BY_LEVEL + 2
    assert _Gate(1, 1, 1, quota=0).ask() == REFUSED_BY_QUOTA
    assert _Gate(1, 1, 1, quota=1).ask() == ADMITTED


@pytest.mark.parametrize("bursts", [(5, 5, 0), (5, 0, 5), (0, 5, 5)])
def test_a_refused_request_spends_nothing_anywhere(bursts: tuple[int, ...]) -> None:
    gate = _Gate(*bursts, quota=9)
    assert gate.ask() != ADMITTED
    assert gate.left == list(bursts)
    assert gate.subscription["used"] == 0


def test_a_quota_refusal_spends_no_token() -> None:
    gate = _Gate(5, 5, 5, quota=2)
    assert [gate.ask() for _ in range(4)] == [ADMITTED] * 2 + [REFUSED_BY_QUOTA] * 2
    assert gate.left == [3, 3, 3]
    assert gate.subscription["refused"] == 2


def test_charged_in_order_the_levels_before_are_charged() -> None:
    gate = _Gate(5, 5, 0, quota=2)
    assert gate.ask(in_order=1) == REFUSED_BY_LEVEL + 2
    assert gate.left == [4, 4, 0]


def test_the_worst_minute_is_the_one_with_most() -> None:
    customer = np.zeros(1, CUSTOMER_DTYPE)
    customer["minute"] = customer["worst_minute"] = -1
    times = [0, 1, MINUTE - 1, MINUTE, MINUTE + 1, *range(5 * MINUTE, 5 * MINUTE + 4), 9 * MINUTE]
    for now_ns in times:
        note_throttled(customer[0], now_ns)
    assert (customer["worst_minute"][0], customer["worst_throttled"][0]) == (5, 4)


# ------------------------------------------------------------------------------ who is told what

_TEXT = """
apisim: 1
profile: ideal
apis:
  shop:
    type: rest
    api_key_source: {source}
    routes:
      GET /x: {{integration: {{type: mock}}, api_key_required: true, authorizer: who}}
      GET /open: {{integration: {{type: mock}}}}
authorizers: {{who: {{type: request, function: f, identity_sources: [header.authorization]}}}}
functions: {{f: {{duration: 1ms}}}}
usage_plans:
  free: {{api_keys: [mine, off], api_stages: {{shop: {{}}}}}}
  apart: {{api_keys: [elsewhere]}}
api_keys: {{off: {{enabled: false}}, loose: {{}}}}
populations: {{people: {{count: 4, plans: {{free: 50%, apart: 50%}}}}}}
traffic:
  web:
    {who}
    phases: [{{duration: 2s, rate: 50}}]
    mix: {{GET /x: 1}}
    {more}
"""


def _answers(who: str, source: str = "header", more: str = "") -> Counter[Answer]:
    values = more or "values: {header.authorization: {uniform: 5}}"
    scenario = loads(_TEXT.format(who=who, source=source, more=values))
    counts = run(scenario).measurements.counts.sum(axis=0)
    return Counter({answer: int(counts[answer]) for answer in Answer if counts[answer]})


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("api_key: mine", {Answer.SERVED}),
        ("api_key: off", {Answer.NO_KEY}),
        ("api_key: loose", {Answer.NO_KEY}),
        ("api_key: elsewhere", {Answer.NO_KEY}),
        ("api_key: unheard-of", {Answer.NO_KEY}),
        ("source_ip: 192.0.2.1", {Answer.NO_KEY}),
        ("of: people", {Answer.SERVED, Answer.NO_KEY}),
    ],
)
def test_only_enabled_keys_of_a_plan_for_the_stage_open_it(who: str, expected: set[Answer]) -> None:
    assert set(_answers(who)) == expected


def test_a_missing_and_a_wrong_key_are_answered_alike_and_not_billed() -> None:
    facts = ANSWERS[Answer.NO_KEY]
    assert (facts.outcome, facts.refused_by, facts.rest) == ("no_key", "api_key", 403)
    assert facts.rest_body == '{"message":"Forbidden"}'
    values = "values: {header.authorization: {uniform: 5}}"
    result = run(loads(_TEXT.format(who="api_key: loose", source="header", more=values)))
    assert result.requests.by_outcome == {"no_key": result.requests.total}
    lines = {line["meter"]: line for line in result.to_dict()["bill"]["run"]["lines"]}
    assert lines["lambda.requests"]["quantity"] != "0"  # the authorizer stands before the key
    assert "apigateway.rest.requests" not in lines


def test_a_key_that_the_authorizer_names_is_the_customers_own() -> None:
    """What the client sends beside its token is not looked at (``AUTHORIZER`` key source)."""
    of_people = _answers("of: people", "authorizer", "values: {}")
    # Two customers of four are in the plan that is attached.
    assert set(of_people) == {Answer.SERVED, Answer.NO_KEY}
    assert of_people == _answers("of: people", "header", "values: {}")
    assert set(_answers("api_key: mine", "authorizer")) == {Answer.NO_KEY}


def test_shares_of_plans_are_exact_and_drawn_once_for_all_replications() -> None:
    text = _TEXT.format(who="of: people", source="header", more="").replace("count: 4", "count: 7")
    charging = Charging({facts.outcome: True for facts in ANSWERS.values()}, {"rest": 0, "http": 0})

    def plans(seed: int, shares: str) -> list[int]:
        changed = text.replace("{free: 50%, apart: 50%}", shares)
        program = lower(loads(changed, seed=seed), charging)
        own = program.subscriptions[program.subscriptions["customer"] < 7]
        return [int(plan) for plan in own["plan"]]

    half = plans(1, "{free: 50%, apart: 50%}")
    assert Counter(half) == {0: 4, 1: 3}
    assert half == plans(1, "{free: 50%, apart: 50%}")
    assert len({tuple(plans(seed, "{free: 50%, apart: 50%}")) for seed in range(9)}) > 3
    # A larger share holds the customers of the smaller.
    most = plans(1, "{free: 80%, apart: 20%}")
    assert all(m == 0 for h, m in zip(half, most, strict=True) if h == 0)
    assert plans(1, "{apart: 100%}") == [1] * 7


def test_a_key_has_one_plan_for_each_stage() -> None:
    text = _TEXT.format(who="api_key: mine", source="header", more="")
    with pytest.raises(ScenarioError) as caught:
        loads(text.replace("{api_keys: [elsewhere]}", "{api_keys: [mine], api_stages: {shop: {}}}"))
    assert "mine opens the stage of shop by the plan free already" in str(caught.value)


@pytest.mark.parametrize(
    ("who", "mix", "said"),
    [
        ("api_key: unheard-of", "GET /x", "no usage plan has the key unheard-of"),
        ("api_key: mine", "GET /open", "its keys are not asked for"),
        ("source_ip: 192.0.2.1", "GET /x", "it has no API key"),
    ],
)
def test_what_may_not_be_meant_is_noted(who: str, mix: str, said: str) -> None:
    text = _TEXT.format(who=who, source="header", more="values: {header.authorization: {a: 1}}")
    notes = loads(text.replace("mix: {GET /x: 1}", f"mix: {{{mix}: 1}}")).notes
    assert any(said in note for note in notes)


# ----------------------------------------------------------------------------------- the results

_SHOP = """
apisim: 1
profile: ideal
replications: 2
warm_up: 1s
start: 2026-05-30T23:59:58Z
apis: {{a: {{type: rest, routes: {{GET /x: {{integration: {{type: mock}}, api_key_required: true}}}}}}}}
usage_plans:
  day: {{quota: {{limit: {limit}, period: day}}, api_keys: [one], api_stages: {{a: {{}}}}, price: 9.50/month}}
  none: {{throttle: {{rate_limit: 0, burst_limit: 30}}, api_keys: [two], api_stages: {{a: {{}}}}}}
traffic:
  one: {{api_key: one, arrivals: uniform, offset: 0, phases: [{{duration: 4s, rate: 20}}], mix: {{GET /x: 1}}}}
  two: {{api_key: two, arrivals: uniform, offset: 0, phases: [{{duration: 4s, rate: 10}}], mix: {{GET /x: 1}}}}
"""  # noqa: E501


@pytest.fixture(scope="module")
def shop() -> Any:
    return run(loads(_SHOP.format(limit=25)))


def test_customers_tell_what_each_key_got(shop: Any) -> None:
    one, two = shop.customers.rows()
    # 20/s for 4 s, one second of warm-up; midnight is at 2 s: 25 of each day's 40, the first 20 of
    # them in the warm-up. Sums over two replications.
    assert (one.key, one.plan, one.offered, one.served) == ("one", "day", 2 * 60, 2 * 30)
    assert (one.throttled, one.quota_refused, one.worst_minute_throttled) == (0, 2 * 30, 0)
    assert one.quota_exhausted_at_s == 1.2
    # 30 tokens and no more: the first ten in the warm-up.
    assert (two.plan, two.offered, two.served, two.throttled) == ("none", 60, 40, 20)
    assert (two.worst_minute_throttled, two.quota_exhausted_at_s) == (10, None)
    told = shop.to_dict()
    assert [row["key"] for row in told["customers"]] == ["one", "two"]
    summary = told["customers_summary"]
    assert (summary["customers"], summary["active"], summary["exhausted_keys"]) == (2, 2, 1)
    # Jain: (60 + 40)^2 / (2 (60^2 + 40^2)).
    assert summary["fairness"] == pytest.approx(10_000 / (2 * 5_200))
    assert [row["price"] for row in told["usage_plans"]] == ["9.50", "0"]


def test_a_plan_tells_what_else_became_of_its_requests(shop: Any) -> None:
    assert [stats.otherwise for stats in shop.customers.plans()] == [0, 0]
    assert "otherwise:" not in shop.summary()
    # A key of the same plan at a stage that the plan does not open: nobody but the key's gate.
    text = _SHOP.format(limit=25).replace(
        "api_keys: [two], api_stages: {a: {}}", "api_keys: [two], api_stages: {}"
    )
    closed = run(loads(text))
    _, none = closed.customers.plans()
    assert (none.offered, none.served, none.throttled, none.otherwise) == (60, 0, 0, 60)
    assert "otherwise: refused by another gate" in closed.summary()
    assert closed.frame("usage_plans")["otherwise"].tolist() == [0, 60]


_STAGES = """
apisim: 1
apis:
  a: {type: rest, routes: {GET /x: {integration: {type: mock}, api_key_required: true}}}
  b: {type: rest, routes: {GET /x: {integration: {type: mock}, api_key_required: true}}}
usage_plans: {p: {api_keys: [k], api_stages: %s}}
traffic: {web: {api_key: k, phases: [{duration: 1s, rate: 1}], mix: {%s: 1}}}
"""


@pytest.mark.parametrize(
    ("stages", "called", "said"),
    [
        ("{}", "a GET /x", "usage_plans.p: it opens no stage (api_stages)"),
        ("{a: {}}", "b GET /x", "traffic.web: no plan of the key k opens the stage of b"),
        ("{a: {}}", "a GET /x", ""),
        ("{a: {}, b: {}}", "b GET /x", ""),
    ],
)
def test_a_key_whose_plans_open_nothing_is_a_note(stages: str, called: str, said: str) -> None:
    notes = [note for note in loads(_STAGES % (stages, called)).notes if " opens " in note]
    assert [note.startswith(said) for note in notes] == ([True] if said else [])


def test_usage_by_day_has_the_shape_of_get_usage(shop: Any) -> None:
    frame = shop.frame("usage")
    rows = [tuple(row) for row in frame.itertuples(index=False)]
    assert rows[:2] == [
        ("day", "one", "2026-05-30", 25, 0),
        ("day", "one", "2026-05-31", 25, 0),
    ]
    assert [(row[1], row[2], row[3]) for row in rows[2:]] == [
        ("two", "2026-05-30", 20),
        ("two", "2026-05-31", 10),
    ]
    assert frame["remaining"].isna().tolist() == [False, False, True, True]


def test_throttles_of_a_plan_are_told_over_all_its_keys(shop: Any) -> None:
    found = {stats.limits: stats for stats in shop.throttles if stats.level == "usage_plan"}
    assert list(found) == ["none"]
    assert (found["none"].refused, found["none"].burst) == (20, 30)
    assert found["none"].first_refused_s == 3.0


def test_days_without_requests_carry_what_was_left() -> None:
    text = _SHOP.format(limit=1000).replace("period: day", "period: week")
    text = text.replace("phases: [{duration: 4s, rate: 20}]", "phases: [{duration: 1s, rate: 20}]")
    frame = run(loads(text, overrides=["traffic.two.phases.0={duration: 3d, rate: 1/h}"])).frame(
        "usage"
    )
    one = frame[frame["key"] == "one"]
    # Saturday, Sunday, and the Monday that begins a week.
    assert one["date"].tolist()[:3] == ["2026-05-30", "2026-05-31", "2026-06-01"]
    assert one["used"].tolist()[:3] == [20, 0, 0]
    assert one["remaining"].tolist()[:3] == [980, 980, 1000]
