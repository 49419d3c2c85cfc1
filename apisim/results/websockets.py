"""WebSocket APIs: connections, messages both ways, pushes, and what a thousand users cost an hour.

Times and counts leave the warm-up out and are sums over replications, as everywhere; the cost is of
the whole run, warm-up included, as the bill is.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from apisim.engine.connection_records import CLOSES
from apisim.engine.program import Program
from apisim.gateway.status import ANSWERS, Answer
from apisim.gateway.websocket_metrics import METRICS, Errand, websocket_metrics
from apisim.pricing import Bill, Usage
from apisim.pricing.charges import API_METERS
from apisim.pricing.exact import as_decimal, plain
from apisim.results.connections import Connections, ConnectionTotals
from apisim.results.latency import LatencyStats
from apisim.results.sockets import push_names
from apisim.results.tally import LatencyTally, Measurements
from apisim.scenario.websocket_routes import CONNECT, CONNECTIONS, DISCONNECT

__all__ = ["PushStats", "WebSocketStats", "errand_of", "requests_by_errand", "websocket_stats"]

_SECOND: Final = 1_000_000_000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 3600 * _SECOND
_USERS: Final = 1000
_MINUTES_METER: Final = "apigateway.websocket.connection_minutes"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushStats:
    """One source of pushes, after the warm-up, summed over replications.

    Attributes
    ----------
    push : str
        ``SOURCE.PUSH``, its name as traffic.
    arose, audience, coalesced : int
        Events to be told; connections on their lists, of which a share or one may have been meant;
        events that a newer one replaced before they were sent.
    calls, sent, gone, throttled, failed : int
        Calls of ``POST @connections``, each try counted; by what they came to: 200, 410, 429, and
        anything else.
    delivered : int
        Messages that clients got.
    delivery_ms : LatencyStats
        From the event to the client [ms].
    """

    push: str
    arose: int
    audience: int
    coalesced: int
    calls: int
    sent: int
    gone: int
    throttled: int
    failed: int
    delivered: int
    delivery_ms: LatencyStats

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return found | {"delivery_ms": self.delivery_ms.to_dict()}


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketStats:
    """One WebSocket API.

    Attributes
    ----------
    api : str
        Its name, with the stage where it has several.
    attempts, opened : int
        Upgrades that were asked for, and connections that were opened.
    refused : dict of str to int
        Upgrades that came to nothing, by outcome.
    closed : dict of str to int
        Connections that were closed, by reason, as in ``engine/connection_records.py``.
    lost_disconnects : int
        Closes for which ``$disconnect`` was not called.
    mean_open : float
        Connections that were open, a mean over time; NaN for no time.
    peak_open, peak_open_at_s : int, float
        Most at one time in any replication, and when there first were so many [s].
    peak_connects, peak_connects_at_s : int, float
        Most connections opened in one second, and which one [s].
    durations : LatencyTally
        How long connections lasted that were closed.
    received, replies, undelivered_replies, pushed : int
        Messages from clients; route responses sent, and those whose connection was gone; messages
        pushed.
    outcomes : dict of str to int
        Messages from clients by outcome.
    pushes : tuple of PushStats
    connection_minutes : Decimal
        On the bill, warm-up included; a mean over replications.
    cost, run_cost : Decimal or None
        Of 1,000 connected users for an hour, in the bill's currency: messages and minutes of the
        API; and the whole bill, where the API is the only one. None where nobody was connected.
    cloudwatch : dict of str to int
        Metrics by name.
    """

    api: str
    attempts: int
    opened: int
    refused: Mapping[str, int]
    closed: Mapping[str, int]
    lost_disconnects: int
    mean_open: float
    peak_open: int
    peak_open_at_s: float
    peak_connects: int
    peak_connects_at_s: float
    durations: LatencyTally
    received: int
    replies: int
    undelivered_replies: int
    pushed: int
    outcomes: Mapping[str, int]
    pushes: tuple[PushStats, ...]
    connection_minutes: Decimal
    cost: Decimal | None
    run_cost: Decimal | None
    cloudwatch: Mapping[str, int]

    @property
    def durations_s(self) -> dict[str, float]:
        """Mean, median, 99th percentile and maximum of how long connections lasted [s]."""
        lasted = self.durations
        of = {"p50": lasted.quantile_ns(50), "p99": lasted.quantile_ns(99)}
        of = {"mean": lasted.mean_ns, **of, "max": lasted.max_ns}
        return {name: round(value / _SECOND, 9) for name, value in of.items()}

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` prints it; what does not exist is None."""
        return {
            "api": self.api,
            "connections": {
                "attempts": self.attempts,
                "opened": self.opened,
                "refused": dict(self.refused),
                "closed": dict(self.closed),
                "lost_disconnects": self.lost_disconnects,
            },
            "concurrent": {
                "mean": _number(self.mean_open),
                "peak": self.peak_open,
                "peak_at_s": _number(self.peak_open_at_s),
            },
            "connects_per_s": {
                "peak": self.peak_connects,
                "peak_at_s": _number(self.peak_connects_at_s),
            },
            "duration_s": {name: _number(value) for name, value in self.durations_s.items()},
            "messages": {
                "received": self.received,
                "by_outcome": dict(self.outcomes),
                "replies": self.replies,
                "undelivered_replies": self.undelivered_replies,
                "pushed": self.pushed,
            },
            "pushes": [push.to_dict() for push in self.pushes],
            "connection_minutes": plain(self.connection_minutes),
            "cost_per_1000_users_hour": {
                "api": None if self.cost is None else plain(self.cost),
                "run": None if self.run_cost is None else plain(self.run_cost),
            },
            "cloudwatch": dict(self.cloudwatch),
        }


def errand_of(route: str) -> Errand:
    """What the requests on a route of a WebSocket API are for."""
    life: dict[str, Errand] = {CONNECT: "upgrade", DISCONNECT: "disconnect", CONNECTIONS: "push"}
    return life.get(route, "message")


def websocket_stats(
    measurements: Measurements,
    totals: ConnectionTotals | None,
    usages: Sequence[Usage],
    bill: Bill,
) -> tuple[WebSocketStats, ...]:
    """One for each WebSocket API.

    Parameters
    ----------
    measurements : Measurements
    totals : ConnectionTotals or None
        None where there is no WebSocket API.
    usages : sequence of Usage
        Of each replication.
    bill : Bill
        Of the run.
    """
    if totals is None:
        return ()
    apis = measurements.program.scenario.apis
    return tuple(
        _stats(measurements, totals, at, name, _Costs.of(name, totals.apis[at], usages, bill))
        for at, name in enumerate(measurements.program.names.apis)
        if apis[name].type == "websocket"
    )


def _stats(
    measurements: Measurements,
    totals: ConnectionTotals,
    at: int,
    name: str,
    costs: "_Costs",
) -> WebSocketStats:
    program, connections = measurements.program, totals.apis[at]
    counts = requests_by_errand(measurements, name)
    upgrades, messages = counts["upgrade"], counts["message"]
    replies = _replies(measurements, name) - connections.undelivered_replies
    pushes = tuple(
        _push_stats(measurements, totals, push, label)
        for push, label in enumerate(push_names(program))
        if label in _sources_of(program, name)
    )
    opened = connections.opened
    return WebSocketStats(
        api=name,
        attempts=sum(upgrades.values()),
        opened=opened,
        refused=_by_outcome(upgrades, Answer.CONNECTED),
        closed={why: n for why, n in zip(CLOSES, connections.closes, strict=True) if n},
        lost_disconnects=connections.lost_disconnects,
        mean_open=_ratio(connections.open_ns, totals.measured_ns),
        peak_open=connections.peak,
        peak_open_at_s=connections.peak_ns / _SECOND if connections.peak else math.nan,
        peak_connects=connections.most_in_second,
        peak_connects_at_s=float(connections.busiest_second) if opened else math.nan,
        durations=connections.durations,
        received=sum(messages.values()),
        replies=replies,
        undelivered_replies=connections.undelivered_replies,
        pushed=counts["push"].get(Answer.SENT, 0),
        outcomes=_by_outcome(messages),
        pushes=pushes,
        connection_minutes=costs.minutes,
        cost=costs.api,
        run_cost=costs.run if len(program.scenario.apis) == 1 else None,
        cloudwatch=_cloudwatch(counts, replies),
    )


def requests_by_errand(measurements: Measurements, api: str) -> dict[Errand, dict[Answer, int]]:
    """Requests of one API by what they were for, and by answer; only those that occurred."""
    found: dict[Errand, dict[Answer, int]] = {
        "upgrade": {}, "message": {}, "disconnect": {}, "push": {},
    }  # fmt: skip
    for cell, row in zip(measurements.program.names.cells, measurements.counts, strict=True):
        if cell.api != api:
            continue
        mine = found[errand_of(cell.route)]
        for answer in Answer:
            if row[answer]:
                mine[answer] = mine.get(answer, 0) + int(row[answer])
    return found


def _by_outcome(counts: Mapping[Answer, int], *but: Answer) -> dict[str, int]:
    found: dict[str, int] = {}
    for answer, count in counts.items():
        if answer not in but:
            outcome = ANSWERS[answer].outcome
            found[outcome] = found.get(outcome, 0) + count
    return found


def _replies(measurements: Measurements, api: str) -> int:
    """Messages whose route response was due."""
    routes = measurements.program.scenario.apis[api].every_route
    return sum(
        int(row[Answer.SERVED])
        for cell, row in zip(measurements.program.names.cells, measurements.counts, strict=True)
        if cell.api == api and cell.route and routes[cell.route].route_response
    )


def _cloudwatch(counts: Mapping[Errand, Mapping[Answer, int]], replies: int) -> dict[str, int]:
    found = dict.fromkeys(METRICS, 0)
    for errand, answers in counts.items():
        for answer, count in answers.items():
            for metric in websocket_metrics(answer, errand):
                found[metric] += count
    found["MessageCount"] += replies
    return found


def _sources_of(program: Program, api: str) -> set[str]:
    return {cell.source for cell in program.names.cells if cell.api == api}


def _push_stats(
    measurements: Measurements, totals: ConnectionTotals, at: int, name: str
) -> PushStats:
    pushes = totals.pushes[at]
    tally = measurements.select(traffic=name)
    sent, gone = (int(tally.by_answer[a]) for a in (Answer.SENT, Answer.CONNECTION_GONE))
    throttled = tally.with_outcome("throttled")
    return PushStats(
        push=name,
        arose=pushes.arose,
        audience=pushes.audience,
        coalesced=pushes.coalesced,
        calls=tally.requests,
        sent=sent,
        gone=gone,
        throttled=throttled,
        failed=tally.requests - sent - gone - throttled,
        delivered=pushes.deliveries.count,
        delivery_ms=LatencyStats.of(pushes.deliveries),
    )


@dataclass(frozen=True, slots=True)
class _Costs:
    """Minutes on the bill, and what 1,000 connected users cost an hour."""

    minutes: Decimal
    api: Decimal | None = None
    run: Decimal | None = None

    @classmethod
    def of(
        cls, name: str, connections: Connections, usages: Sequence[Usage], bill: Bill
    ) -> "_Costs":
        step = bill.conventions.line_step
        minutes = as_decimal(Fraction(connections.billed_ns, _MINUTE * len(usages)), step)
        if not connections.lifetime_ns:
            return cls(minutes)
        user_hours = Fraction(connections.lifetime_ns, _HOUR * len(usages)) / _USERS
        apis = [api for api in sum(usages, Usage()).apis if api.type == "websocket"]
        own = Fraction(0)
        for meter, field in (
            (API_METERS["websocket"], "requests_charged"),
            (_MINUTES_METER, "connection_ns"),
        ):
            used = {api.name: getattr(api, field) for api in apis}
            line, everything = bill.line(meter), sum(used.values())
            if line is not None and everything:
                # Tiers are the account's: an API has its share of what the meter costs.
                own += line.amount * Fraction(used[name], everything)
        return cls(
            minutes,
            as_decimal(own / user_hours, step),
            as_decimal(bill.exact_total / user_hours, step),
        )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
