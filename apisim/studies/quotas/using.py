"""How much of each limit a replication used at most, second by second, in bounded memory.

The rows of a run come in the order in which requests end, with a time below which none will come
any more: seconds before it are added up, looked at once and forgotten. A second is one of the
callers' clocks: what is asked of Lambda in it may arrive there a moment later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.lowering.buckets import LEVELS
from apisim.engine.program import Program
from apisim.engine.run import Replication
from apisim.gateway.quota import window_end
from apisim.gateway.status import LEVEL_ANSWERS, Answer
from apisim.gateway.throttle import NO_BUCKET

__all__ = ["RouteShare", "Usage", "UsageWatch"]

_SECOND_NS: Final = 1_000_000_000
#: Window of what a function may grow by, and of the rate that a launch is a multiple of.
_WINDOW_S: Final = 10
#: Answers that come before the token buckets are looked at, or in place of them.
_EARLIER: Final = (
    Answer.NO_IDENTITY, Answer.DENIED, Answer.AUTHORIZER_FAILED, Answer.NO_ROUTE, Answer.NO_KEY,
    Answer.WAF_BLOCKED, Answer.POLICY_DENIED, Answer.POLICY_SILENT, Answer.PRIVATE_REFUSED,
    Answer.MTLS_FAILED, Answer.IAM_MISSING, Answer.BAD_SIGNATURE, Answer.SIGNATURE_EXPIRED,
    Answer.IAM_DENIED, Answer.TOKEN_INVALID, Answer.TOKEN_EXPIRED, Answer.SCOPE_MISSING,
    Answer.SCOPE_MISSING_COGNITO, Answer.IMPLICITLY_DENIED, Answer.UNAUTHORIZED_BY_FUNCTION,
    Answer.SIGN_IN_THROTTLED, Answer.TOO_LARGE, Answer.URL_TOO_LONG, Answer.HEADERS_TOO_LARGE,
    Answer.NO_MAPPING, Answer.FRAME_TOO_LARGE, Answer.BINARY_FRAME, Answer.UNAVAILABLE,
    Answer.THROTTLED_PLAN, Answer.QUOTA_EXCEEDED,
)  # fmt: skip
#: Those of them that still come after the buckets where ``settings.throttle_before_auth`` is on.
_AFTER_EARLY_THROTTLE: Final = frozenset(_EARLIER) - {
    Answer.NO_ROUTE, Answer.WAF_BLOCKED, Answer.MTLS_FAILED, Answer.SIGN_IN_THROTTLED,
    Answer.TOO_LARGE, Answer.URL_TOO_LONG, Answer.HEADERS_TOO_LARGE, Answer.NO_MAPPING,
    Answer.FRAME_TOO_LARGE, Answer.BINARY_FRAME, Answer.UNAVAILABLE,
}  # fmt: skip
#: Place of each level in the order in which they are looked at, by the kind of its buckets.
_PLACES: Final = {"connections": 0, "method": 1, "stage": 2, "account": 3}


@dataclass(frozen=True, slots=True)
class RouteShare:
    """What one route's requests did, after the warm-up.

    Attributes
    ----------
    api, route : str
    requests, hits, misses : int
        Requests, and answers from the response cache and for it.
    authorizer_calls : int
        Calls of its authorizer's function.
    """

    api: str
    route: str
    requests: int
    hits: int
    misses: int
    authorizer_calls: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Most that one replication used, warm-up included.

    Attributes
    ----------
    rates_rps : mapping of (str, str) to int
        Requests that asked a bucket and were not refused before it, in the busiest second [1/s];
        by level and what it limits.
    sustained_rps : float
        Mean rate of all requests that came as far as the account's throttle or one before it, in
        the busiest 10 s, or in the whole run if that is shorter [1/s].
    invocations_rps : mapping of str to int
        Invocations in the busiest second [1/s]: of ``account``, and of functions with a reserve.
    environments : mapping of str to int
        Environments that a function added within 10 s.
    concurrency : mapping of str to int
        Executions at one time, by function (and version).
    request_bytes, response_bytes : mapping of str to int
        Largest request and answer [bytes], by API.
    integration_s, authorizer_s : mapping of str to float
        Longest integration and authorizer call [s], by API.
    plan_used : mapping of str to int
        Requests of one key in one period of its plan's quota.
    waiting : mapping of str to int
        Longest queue, by endpoint.
    routes : tuple of RouteShare
    busy_s : mapping of str to float
        Mean time of an invocation [s], by function; NaN without any.
    cold_share : mapping of str to float
        Part of the invocations that were cold starts, by function; NaN without any.
    """

    rates_rps: Mapping[tuple[str, str], int]
    sustained_rps: float
    invocations_rps: Mapping[str, int]
    environments: Mapping[str, int]
    concurrency: Mapping[str, int]
    request_bytes: Mapping[str, int]
    response_bytes: Mapping[str, int]
    integration_s: Mapping[str, float]
    authorizer_s: Mapping[str, float]
    plan_used: Mapping[str, int]
    waiting: Mapping[str, int]
    routes: tuple[RouteShare, ...]
    busy_s: Mapping[str, float]
    cold_share: Mapping[str, float]


class _Seconds:
    """Counts by series and second, and the most of each in one second and in 10 in a row."""

    def __init__(self, n_series: int) -> None:
        self._base = 0  # first second that is kept
        self._counts = np.zeros((n_series, 0), np.int64)
        self._tail = np.zeros((n_series, _WINDOW_S - 1), np.int64)
        self.most = {window: np.zeros(n_series, np.int64) for window in (1, _WINDOW_S)}
        self.total = np.zeros(n_series, np.int64)

    def add(self, series: int, seconds: NDArray[np.int64]) -> None:
        if not len(seconds):
            return
        counted = np.bincount(seconds - self._base)
        missing = len(counted) - self._counts.shape[1]
        if missing > 0:
            self._counts = np.pad(self._counts, ((0, 0), (0, missing)))
        self._counts[series, : len(counted)] += counted

    def finish(self, before: int) -> None:
        """Nothing more will come for seconds below ``before``."""
        n_done = min(max(before - self._base, 0), self._counts.shape[1])
        if not n_done:
            return
        done = np.concatenate([self._tail, self._counts[:, :n_done]], axis=1)
        sums = np.pad(done.cumsum(axis=1), ((0, 0), (1, 0)))
        for window, most in self.most.items():
            ends = sums[:, _WINDOW_S:] - sums[:, _WINDOW_S - window : sums.shape[1] - window]
            np.maximum(most, ends.max(axis=1), out=most)
        self.total += self._counts[:, :n_done].sum(axis=1)
        self._tail = done[:, n_done:]
        self._counts = self._counts[:, n_done:]
        self._base += n_done


@dataclass
class UsageWatch:
    """Takes the rows of one replication."""

    program: Program
    _maxima: dict[str, NDArray[np.int64]] = field(init=False)

    def __post_init__(self) -> None:
        program, scenario = self.program, self.program.scenario
        names = program.names
        route_at: dict[tuple[str, str], int] = {}
        for at, names_of_route in enumerate(names.routes):
            route_at.setdefault(names_of_route, at)
        self._route_of_cell = np.array(
            [route_at.get((cell.api, cell.route), -1) for cell in names.cells], np.int64
        )
        n_routes = len(names.routes)
        self._function = np.full(n_routes + 1, -1, np.int64)  # the last is that of no route
        self._checker = np.full(n_routes + 1, -1, np.int64)
        functions = {name: at for at, name in enumerate(names.functions)}
        for (api, key), at in route_at.items():
            route = scenario.apis[api].every_route.get(key)
            if route is None:
                continue
            if route.integration.function and route.integration.invocation != "event":
                self._function[at] = functions[route.integration.function]
            authorizer = scenario.authorizers.get(route.authorizer or "")
            if authorizer is not None and authorizer.function is not None:
                self._checker[at] = functions[authorizer.function]
        self._buckets = _buckets(program)
        self._groups = np.array([pool.group for pool in program.pools] or [0], np.int64)
        self._n_functions = len(names.functions)
        self._first_group = len(self._buckets)
        self._first_cold = self._first_group + len(program.groups)
        self._seconds = _Seconds(self._first_cold + self._n_functions)
        n_apis = len(names.apis)
        self._maxima = {
            key: np.zeros(n_apis, np.int64)
            for key in ("request_bytes", "response_bytes", "integration_ns", "authorizer_ns")
        }

    def add(self, rows: NDArray[np.void], watermark_ns: int) -> None:
        """Some rows, and the arrival time [ns] below which no more will come."""
        route, answer = self._route_of_cell[rows["cell"]], rows["answer"]
        seconds = rows["arrival_ns"] // _SECOND_NS
        for at, (_, member, passes) in enumerate(self._buckets):
            self._seconds.add(at, seconds[member[route] & passes[answer]])
        called = np.where(rows["integration_ns"] >= 0, self._function[route], -1)
        checked = np.where(rows["authorizer_ns"] >= 0, self._checker[route], -1)
        for function in (called, checked):
            is_one = function >= 0
            self._add_invocations(self._groups[function[is_one]], seconds[is_one])
        cold = (rows["cold"] > 0) & (called >= 0)
        for at in range(self._n_functions):
            self._seconds.add(self._first_cold + at, seconds[cold & (called == at)])
        for key, most in self._maxima.items():
            np.maximum.at(most, rows["api"], rows[key])
        self._seconds.finish(min(watermark_ns // _SECOND_NS, 1 << 50))

    def _add_invocations(self, groups: NDArray[np.int64], seconds: NDArray[np.int64]) -> None:
        # The account's quota counts them all, a reserve's those of its function.
        self._seconds.add(self._first_group, seconds)
        for group in range(1, len(self.program.groups)):
            self._seconds.add(self._first_group + group, seconds[groups == group])

    def usage(self, replication: Replication) -> Usage:
        """What was used, when all rows have come."""
        program, names, seconds = self.program, self.program.names, self._seconds
        most = seconds.most[1].tolist()
        length_s = min(max(replication.program.horizon_ns / _SECOND_NS, 1e-9), _WINDOW_S)
        reserves = {
            pool.group: name
            for name, pool in zip(names.functions, program.pools, strict=True)
            if pool.group and ":" not in name
        }
        cold = seconds.most[_WINDOW_S][self._first_cold :].tolist()
        pools = replication.pools
        return Usage(
            rates_rps={name: most[at] for at, (name, *_) in enumerate(self._buckets[:-1])},
            sustained_rps=int(seconds.most[_WINDOW_S][self._first_group - 1]) / length_s,
            invocations_rps={
                "account": most[self._first_group],
                **{name: most[self._first_group + group] for group, name in reserves.items()},
            },
            environments=dict(zip(names.functions, cold, strict=True)),
            concurrency=dict(zip(names.functions, pools["max_busy"].tolist(), strict=True)),
            request_bytes=self._by_api("request_bytes"),
            response_bytes=self._by_api("response_bytes"),
            integration_s={k: v / _SECOND_NS for k, v in self._by_api("integration_ns").items()},
            authorizer_s={k: v / _SECOND_NS for k, v in self._by_api("authorizer_ns").items()},
            plan_used=_plan_used(replication),
            waiting=_waiting(replication),
            routes=_routes(replication),
            busy_s=_per_invocation(replication, "busy_ns", _SECOND_NS),
            cold_share=_per_invocation(replication, "cold_starts", 1),
        )

    def _by_api(self, key: str) -> dict[str, int]:
        return dict(zip(self.program.names.apis, self._maxima[key].tolist(), strict=True))


_Bucket = tuple[tuple[str, str], NDArray[np.bool_], NDArray[np.bool_]]


def _buckets(program: Program) -> list[_Bucket]:
    """Name of each limit, the routes whose requests ask it, and the answers of those that do.

    The last stands for no limit: all requests that ask any of them.
    """
    levels = program.tables.early_levels[: len(program.names.routes)]
    early = program.scenario.settings.throttle_before_auth
    comes = np.ones(len(Answer), np.bool_)
    earlier = set(_EARLIER) - (set(_AFTER_EARLY_THROTTLE) if early else set())
    comes[[int(answer) for answer in earlier]] = False
    found: list[_Bucket] = []
    for at, (level, label) in enumerate(program.names.buckets):
        name = (level, label.partition(", part ")[0])
        if any(other == name for other, *_ in found):
            continue  # a part of a divided limit: the first stands for all
        member = np.zeros(len(levels) + 1, np.bool_)
        member[:-1] = (levels == at).any(axis=1)
        passes = comes.copy()
        for kind, answer in enumerate(LEVEL_ANSWERS):
            passes[answer] = _PLACES[LEVELS[kind]] >= _PLACES[level]
        found.append((name, member, passes))
    anywhere = np.append((levels != NO_BUCKET).any(axis=1), False)
    return [*found, (("", "all"), anywhere, comes)]


def _plan_used(replication: Replication) -> dict[str, int]:
    """Requests of the key that used most in one period, by plan."""
    names, clock = replication.program.names, replication.program.tables.quota_clock[0]
    quotas = replication.program.tables.quotas
    found = dict.fromkeys(names.plans, 0)
    for subscription, days in zip(replication.subscriptions, replication.plan_days, strict=True):
        plan = int(subscription["plan"])
        of_period: dict[int, int] = {}
        for row in days[days["used"] > 0]:
            end = int(window_end(quotas[plan]["period"], int(row["day"]), clock["week_start"]))
            of_period[end] = of_period.get(end, 0) + int(row["used"])
        most = max(of_period.values(), default=0)
        found[names.plans[plan]] = max(found[names.plans[plan]], most)
    return found


def _per_invocation(replication: Replication, field_name: str, unit: int) -> dict[str, float]:
    found = {}
    for name, row in zip(replication.program.names.functions, replication.pools, strict=True):
        n_invocations = int(row["invocations"])
        found[name] = int(row[field_name]) / n_invocations / unit if n_invocations else float("nan")
    return found


def _waiting(replication: Replication) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, row in zip(replication.program.names.endpoints, replication.endpoints, strict=True):
        endpoint = name.partition("/")[0]
        found[endpoint] = max(found.get(endpoint, 0), int(row["max_waiting"]))
    return found


def _routes(replication: Replication) -> tuple[RouteShare, ...]:
    sums: dict[tuple[str, str], list[int]] = {}
    columns = ("requests", "cache_hits", "cache_misses", "authorizer_calls")
    for cell, row in zip(replication.program.names.cells, replication.recorder.cells, strict=False):
        found = sums.setdefault((cell.api, cell.route), [0] * len(columns))
        for at, column in enumerate(columns):
            found[at] += int(row[column])
    return tuple(RouteShare(api, route, *found) for (api, route), found in sums.items())
