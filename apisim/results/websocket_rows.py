"""WebSocket APIs and their pushes as rows of tables."""

from dataclasses import asdict
from typing import Any, Final

from apisim.engine.connection_records import CLOSES
from apisim.results.websockets import PushStats, WebSocketStats

__all__ = ["PUSHES", "WEBSOCKETS", "push_row", "websocket_row"]

#: Columns of a row for each API.
WEBSOCKETS: Final = (
    "api", "attempts", "opened", "refused", *(f"closed_{reason}" for reason in CLOSES),
    "lost_disconnects", "mean_open", "peak_open", "peak_open_at_s",
    "peak_connects", "peak_connects_at_s", "duration_s_mean", "duration_s_p50", "duration_s_p99",
    "duration_s_max", "received", "replies", "undelivered_replies", "pushed",
    "connection_minutes", "cost_per_1000_users_hour", "run_cost_per_1000_users_hour",
)  # fmt: skip
_DELIVERY: Final = ("mean", "p50", "p90", "p95", "p99", "p99_9", "max")
#: Columns of a row for each source of pushes.
PUSHES: Final = (
    "push", "arose", "audience", "coalesced", "calls", "sent", "gone", "throttled", "failed",
    "delivered", *(f"delivery_ms_{statistic}" for statistic in _DELIVERY),
)  # fmt: skip


def websocket_row(stats: WebSocketStats) -> dict[str, Any]:
    """One API; costs in the bill's currency, NaN where nobody was connected."""
    found: dict[str, Any] = {
        name: getattr(stats, name) for name in WEBSOCKETS if hasattr(stats, name)
    }
    found["refused"] = sum(stats.refused.values())
    found |= {f"closed_{reason}": stats.closed.get(reason, 0) for reason in CLOSES}
    found |= {f"duration_s_{name}": value for name, value in stats.durations_s.items()}
    found["connection_minutes"] = float(stats.connection_minutes)
    for name, cost in (("", stats.cost), ("run_", stats.run_cost)):
        found[f"{name}cost_per_1000_users_hour"] = float("nan") if cost is None else float(cost)
    return {name: found[name] for name in WEBSOCKETS}


def push_row(push: PushStats) -> dict[str, Any]:
    """One source of pushes."""
    delivery = asdict(push.delivery_ms)
    found = {name: getattr(push, name) for name in PUSHES if hasattr(push, name)}
    return found | {f"delivery_ms_{statistic}": delivery[statistic] for statistic in _DELIVERY}
