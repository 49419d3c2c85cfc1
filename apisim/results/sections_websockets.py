"""The summary's sections about WebSocket APIs: connections, messages, pushes."""

from collections.abc import Iterator, Sequence
from typing import Final

from apisim.pricing import dollars
from apisim.results.section import Section, section
from apisim.results.websockets import PushStats, WebSocketStats
from apisim.results.wording import (
    count_text,
    counted,
    moment_text,
    share_text,
    three_digits,
    time_text,
)

__all__ = ["websocket_sections"]

#: Why connections close, as a sentence says it.
_REASONS: Final = {
    "left": "by their clients",
    "idle": "idle for too long (1001)",
    "age": "at their largest age (1001)",
    "too_large": "over a message or frame too large (1009)",
    "binary": "over a binary frame (1003)",
    "cut": "cut off by the timeline (1006)",
}
_MOST_DIGITS: Final = 1000


def websocket_sections(websockets: Sequence[WebSocketStats]) -> list[Section | None]:
    """All sections about WebSocket APIs."""
    return [_connections(websockets), _messages(websockets), _pushes(websockets)]


def _connections(websockets: Sequence[WebSocketStats]) -> Section | None:
    rows = [
        (
            stats.api,
            count_text(stats.opened),
            count_text(sum(stats.refused.values())),
            _mean_text(stats.mean_open),
            f"{count_text(stats.peak_open)} at {moment_text(stats.peak_open_at_s)}",
            time_text(stats.durations_s["mean"] * 1e3),
            time_text(stats.durations_s["max"] * 1e3),
        )
        for stats in websockets
    ]
    return section(
        "WebSocket connections",
        "API|>Opened|>Refused|>Mean open|>Most open|>Mean length|>Longest",
        rows,
        remarks=tuple(remark for stats in websockets for remark in _on_connections(stats)),
    )


def _on_connections(stats: WebSocketStats) -> Iterator[str]:
    """What else is to be said of an API's connections, a sentence each."""
    if stats.peak_connects:
        when = moment_text(stats.peak_connects_at_s)
        opened = counted(stats.peak_connects, "connection")
        yield f"{stats.api}: up to {opened} opened in one second, at {when}."
    if stats.refused:
        why = ", ".join(f"{name} {count_text(count)}" for name, count in stats.refused.items())
        share = share_text(sum(stats.refused.values()) / stats.attempts)
        yield f"{stats.api}: {share} of the upgrades were refused: {why}."
    if stats.closed:
        how = ", ".join(
            f"{count_text(count)} {_REASONS[reason]}" for reason, count in stats.closed.items()
        )
        yield f"{stats.api}: closed were {how}."
    if stats.lost_disconnects:
        yield f"{stats.api}: {counted(stats.lost_disconnects, 'close')} without $disconnect."
    if stats.cost is not None:
        whole = "" if stats.run_cost is None else f"; {dollars(stats.run_cost)} with all behind it"
        cost = dollars(stats.cost)
        yield f"{stats.api}: 1,000 connected users cost {cost} an hour{whole}."


def _mean_text(value: float) -> str:
    if value != value:  # not a number
        return "-"
    return f"{value:,.0f}" if value >= _MOST_DIGITS else three_digits(float(f"{value:.3g}"))


def _messages(websockets: Sequence[WebSocketStats]) -> Section | None:
    rows = [
        (
            stats.api,
            count_text(stats.received),
            _part(_served(stats), stats.received),
            _part(stats.outcomes.get("throttled", 0), stats.received),
            _part(
                stats.received - _served(stats) - stats.outcomes.get("throttled", 0),
                stats.received,
            ),
            count_text(stats.replies),
            count_text(stats.pushed),
        )
        for stats in websockets
        if stats.received or stats.pushed
    ]
    remarks = tuple(
        f"{stats.api}: {counted(stats.undelivered_replies, 'reply', 'replies')} came too late."
        for stats in websockets
        if stats.undelivered_replies
    )
    columns = "API|>From clients|>Served|>Throttled|>Otherwise|>Replies|>Pushed"
    return section("WebSocket messages", columns, rows, remarks=remarks)


def _served(stats: WebSocketStats) -> int:
    return stats.outcomes.get("served", 0)


def _part(count: int, of: int) -> str:
    return share_text(count / of) if of else share_text(float("nan"))


def _pushes(websockets: Sequence[WebSocketStats]) -> Section | None:
    pushes = [push for stats in websockets for push in stats.pushes]
    rows = [
        (
            push.push,
            count_text(push.arose),
            count_text(push.delivered),
            count_text(push.gone),
            count_text(push.throttled),
            time_text(push.delivery_ms.p50),
            time_text(push.delivery_ms.p99),
            time_text(push.delivery_ms.max),
        )
        for push in pushes
    ]
    return section(
        "Pushes, from the event to the client",
        "Push|>Events|>Delivered|>Gone (410)|>429|>p50|>p99|>max",
        rows,
        remarks=tuple(remark for push in pushes for remark in _on_pushes(push)),
    )


def _on_pushes(push: PushStats) -> Iterator[str]:
    if push.coalesced:
        share = share_text(push.coalesced / push.arose) if push.arose else "0%"
        yield f"{push.push}: {share} of the events gave way to a newer one before they were sent."
    if push.failed:
        yield f"{push.push}: {counted(push.failed, 'call')} failed otherwise."
