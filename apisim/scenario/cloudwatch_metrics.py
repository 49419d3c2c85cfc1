"""Metrics that CloudWatch keeps of APIs, and the words a scenario has for them.

Source: developer guide, "Amazon API Gateway dimensions and metrics", "Monitor HTTP APIs with
CloudWatch metrics", "Monitor WebSocket API execution with CloudWatch metrics".
"""

from typing import Final

__all__ = ["ALARM_METRICS", "METRICS_OF_TYPE", "WEBSOCKET_METRICS", "metric_unit"]

WEBSOCKET_METRICS: Final = (
    "ConnectCount",
    "MessageCount",
    "ClientError",
    "IntegrationError",
    "ExecutionError",
)
#: By type of the API, in order.
METRICS_OF_TYPE: Final[dict[str, tuple[str, ...]]] = {
    "rest": (
        "Count",
        "4XXError",
        "5XXError",
        "CacheHitCount",
        "CacheMissCount",
        "Latency",
        "IntegrationLatency",
    ),
    "http": ("Count", "4xx", "5xx", "Latency", "IntegrationLatency", "DataProcessed"),
    "websocket": (*WEBSOCKET_METRICS, "IntegrationLatency"),
}
#: CloudWatch's metric by the word of a scenario (or CloudWatch's own) and the type of the API.
ALARM_METRICS: Final[dict[str, dict[str, str]]] = {
    "requests": {"rest": "Count", "http": "Count"},
    "errors_4xx": {"rest": "4XXError", "http": "4xx", "websocket": "ClientError"},
    "errors_5xx": {"rest": "5XXError", "http": "5xx"},
    "gateway_latency": {"rest": "Latency", "http": "Latency"},
    "integration_latency": dict.fromkeys(METRICS_OF_TYPE, "IntegrationLatency"),
    "cache_hits": {"rest": "CacheHitCount"},
    "cache_misses": {"rest": "CacheMissCount"},
    "data_processed": {"http": "DataProcessed"},
    "connects": {"websocket": "ConnectCount"},
    "messages": {"websocket": "MessageCount"},
    **{
        name: {kind: name for kind, names in METRICS_OF_TYPE.items() if name in names}
        for of_type in METRICS_OF_TYPE.values()
        for name in of_type
    },
}


def metric_unit(written: str) -> str:
    """Unit of a metric of :data:`ALARM_METRICS`: ``Milliseconds``, ``Bytes`` or ``Count``.

    Examples
    --------
    >>> metric_unit("gateway_latency"), metric_unit("4XXError")
    ('Milliseconds', 'Count')
    """
    name = next(iter(ALARM_METRICS[written].values()))
    if name.endswith("Latency"):
        return "Milliseconds"
    return "Bytes" if name == "DataProcessed" else "Count"
