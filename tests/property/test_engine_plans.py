"""The compiled engine against plans, keys and quotas told again by plain Python.

Everything takes no time (``profile: ideal``, mocks), so requests reach their throttles in the
order of their rows. The reference keeps a bucket in exact fractions for each limit of each key, and
counts quotas in a dictionary by the end of a period, found with Python's own calendar.
"""

from collections import Counter
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apisim.engine.program import Program
from apisim.gateway.status import Answer
from tests.support.experiments import MOCK, Data, prepare, rows_of, scenario
from tests.support.token_buckets import RationalBucket

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: Each begins a new day, week or month within a second or two; the last in a leap year.
STARTS = (
    "2026-05-31T23:59:59.500Z",
    "2026-12-31T23:59:58Z",
    "2024-02-28T23:59:59Z",
    "2024-02-29T23:59:59.900Z",
    "2026-06-10T12:00:00Z",
)
throttle = st.fixed_dictionaries(
    {"rate_limit": st.sampled_from([0, 1, 5, "0.3", 40]), "burst_limit": st.integers(0, 6)}
)
quota = st.fixed_dictionaries(
    {
        "limit": st.integers(1, 12),
        "period": st.sampled_from(["day", "week", "month"]),
        "offset": st.sampled_from([0, 0, 1, 5, 20]),
    }
)


@st.composite
def _plans(draw: Any) -> Data:
    """One or two plans for two APIs with two routes each; the keys k1 and k2 are in one each."""
    plans: Data = {}
    for name, key in (("one", "k1"), ("two", "k2")):
        plan: Data = {"api_keys": [key], "api_stages": {}}
        if draw(st.booleans()):
            plan["throttle"] = draw(throttle)
        if draw(st.booleans()):
            plan["quota"] = draw(quota)
        for api in ("a", "b"):
            if draw(st.integers(0, 4)):
                own = {"GET /x": draw(throttle)} if draw(st.booleans()) else {}
                plan["api_stages"][draw(st.sampled_from([api, f"{api}/prod"]))] = own
        plans[name] = plan
    return plans


@st.composite
def _cases(draw: Any) -> Data:
    asks = {**MOCK, "api_key_required": True}
    routes = {"GET /x": dict(asks), "GET /y": dict(asks), "GET /free": dict(MOCK)}
    if draw(st.booleans()):
        routes["GET /x"]["throttle"] = draw(throttle)
    apis = {"a": {"type": "rest", "routes": routes}, "b": {"type": "rest", "routes": routes}}
    traffic = {}
    for key in ("k1", "k2", "lost", "off", None):
        rate = draw(st.sampled_from([0, 20, 60]))
        traffic[f"s-{key}"] = {
            "phases": [{"name": "load", "duration": "3s", "rate": rate}],
            "mix": {"a GET /x": 2, "a GET /y": 1, "b GET /x": 1, "a GET /free": 1},
            **({"api_key": key} if key else {}),
        }
    plans = draw(_plans())
    people = {"count": 6, "plans": draw(st.sampled_from([{"one": "50%", "two": "50%"}]))}
    traffic["people"] = {
        "of": "people",
        "phases": [{"name": "load", "duration": "3s", "rate": 60}],
        "mix": {"a GET /x": 1, "b GET /y": 1},
    }
    plans["one"]["api_keys"].append("off")
    options: Data = {
        "quota_week_start": draw(st.sampled_from(DAYS)),
        "plan_method_limit": draw(st.sampled_from(["replaces_plan", "within_plan"])),
        "refused_use_quota": draw(st.booleans()),
        "throttle_charging": draw(st.sampled_from(["all_or_none", "in_order"])),
    }
    account = {"throttle": draw(throttle)} if draw(st.booleans()) else {}
    return scenario(
        seed=draw(st.integers(1, 1000)),
        start=draw(st.sampled_from(STARTS)),
        apis=apis,
        usage_plans=plans,
        api_keys={"off": {"enabled": False}},
        populations={"people": people},
        traffic=traffic,
        settings=options,
        account=account,
    )


class _Reference:
    """Who passes, by the words of the scenario."""

    def __init__(self, data: Data, program: Program) -> None:
        self.data, self.options = data, data["settings"]
        self.start = datetime.fromisoformat(data["start"])
        self.buckets: dict[Any, RationalBucket] = {}
        self.used: Counter[Any] = Counter()
        self.people = {
            int(row["customer"]): program.names.plans[int(row["plan"])]
            for row in program.subscriptions
        }

    def _bucket(self, name: Any, limit: Data) -> tuple[Any, RationalBucket]:
        if name not in self.buckets:
            rate = Fraction(str(limit["rate_limit"]).removesuffix("/s"))
            self.buckets[name] = RationalBucket(rate, limit["burst_limit"])
        return name, self.buckets[name]

    def _period_end(self, period: str, moment: datetime) -> datetime:
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        following = day + timedelta(1)
        if period == "week":
            while following.weekday() != DAYS.index(self.options["quota_week_start"]):
                following += timedelta(1)
        if period == "month":
            while following.day != 1:
                following += timedelta(1)
        return following

    def _plan_of(self, customer: int, key: str | None, api: str) -> str | None:
        name = self.people.get(customer)
        if key == "off" or name is None:
            return None
        stages = {stage.partition("/")[0] for stage in self.data["usage_plans"][name]["api_stages"]}
        return name if api in stages else None

    def answer(self, at_ns: int, customer: int, key: str | None, api: str, route: str) -> Answer:
        """What a request is told."""
        now = Fraction(at_ns, 10**9)
        spec = self.data["apis"][api]["routes"][route]
        levels: list[tuple[Any, RationalBucket, Answer]] = []
        counter, left = None, True
        if spec.get("api_key_required"):
            name = self._plan_of(customer, key, api)
            if name is None:
                return Answer.NO_KEY
            plan = self.data["usage_plans"][name]
            stages = {stage.partition("/")[0]: own for stage, own in plan["api_stages"].items()}
            own = stages[api].get(route)
            if own is not None:
                bucket = self._bucket((customer, api, route), own)
                levels.append((*bucket, Answer.THROTTLED_PLAN))
            if "throttle" in plan and (
                own is None or self.options["plan_method_limit"] == "within_plan"
            ):
                bucket = self._bucket((customer, "plan"), plan["throttle"])
                levels.append((*bucket, Answer.THROTTLED_PLAN))
            if "quota" in plan:
                moment = self.start + timedelta(microseconds=at_ns // 1000)
                end = self._period_end(plan["quota"]["period"], moment)
                allowed = plan["quota"]["limit"]
                if end == self._period_end(plan["quota"]["period"], self.start):
                    allowed -= plan["quota"]["offset"]
                counter = (customer, end)
                left = self.used[counter] < allowed
                if self.options["refused_use_quota"]:
                    self.used[counter] += 1
        if "throttle" in spec:
            bucket = self._bucket((api, route), spec["throttle"])
            levels.append((*bucket, Answer.THROTTLED_METHOD))
        account = self._bucket("account", self.data["account"]["throttle"])
        levels.append((*account, Answer.THROTTLED_ACCOUNT))
        in_order = self.options["throttle_charging"] == "in_order"
        for _, bucket_, refusal in levels:
            if bucket_.refill(now) < 1:
                return refusal
            if in_order:
                bucket_.take(1, now)
        if not left:
            return Answer.QUOTA_EXCEEDED
        for _, bucket_, _ in levels:
            if not in_order:
                bucket_.take(1, now)
        if counter is not None and not self.options["refused_use_quota"]:
            self.used[counter] += 1
        return Answer.SERVED


@settings(max_examples=120)
@given(data=_cases())
def test_every_request_is_told_what_the_plans_say(data: Data) -> None:
    program = prepare(data)
    done, rows = rows_of(program)
    reference = _Reference(data, program)
    keys = [spec.get("api_key") for spec in data["traffic"].values()]
    for row in rows:
        cell = program.names.cells[int(row["cell"])]
        key = keys[int(row["source"])]
        expected = reference.answer(
            int(row["arrival_ns"]), int(row["customer"]), key, cell.api, cell.route
        )
        assert Answer(int(row["answer"])) == expected, (row, cell)
    counts = done.recorder.customers
    for customer in range(len(program.names.customers)):
        own = rows[rows["customer"] == customer]
        assert counts["offered"][customer] == len(own)
        assert counts["served"][customer] == (own["answer"] == Answer.SERVED).sum()
        assert counts["quota_refused"][customer] == (own["answer"] == Answer.QUOTA_EXCEEDED).sum()
        is_slow = (own["status"] == 429) & (own["answer"] != Answer.QUOTA_EXCEEDED)
        assert counts["throttled"][customer] == is_slow.sum()
        # Three seconds are one minute.
        assert done.customers["worst_throttled"][customer] == is_slow.sum()
