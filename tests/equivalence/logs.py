"""Hypothesis strategies for logs and traces of stages and functions."""

from typing import Any, Final

from tests.equivalence.drawing import Drawing

__all__ = ["draw_function_log", "draw_stage_logs", "draw_trace_formats"]

_FORMATS: Final = {
    "rest": "$context.requestId $context.responseLatency $context.integrationLatency "
    "$context.authorizer.latency $context.authorizer.status $context.responseLength "
    "$context.error.message $context.xrayTraceId",
    "http": "$context.requestId $context.dataProcessed $context.integration.latency "
    "$context.authorizer.latency $context.responseLatency $context.error.responseType",
    "websocket": "$context.requestId $context.eventType $context.integrationLatency",
}
_REPLAYED: Final = (
    "$context.requestTimeEpoch|$context.identity.sourceIp|$context.httpMethod|$context.path|"
    "$context.status|$context.responseLength"
)
_PRESETS: Final = ("json", "clf", "csv", "xml")
_RETENTIONS: Final = ("7d", "never", "1d")


def draw_stage_logs(
    drawing: Drawing, kind: str, stage: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Logs and traces of a stage; changes ``stage`` and ``settings``."""
    drawing.optional(stage, 35, "access_log", _FORMATS[kind], *_PRESETS)
    if kind != "http" and drawing.maybe(30):
        log: dict[str, Any] = {"level": drawing.one("info", "error")}
        drawing.optional(log, 50, "data_trace", True, False)
        stage["execution_log"] = drawing.one(log, log["level"])
        drawing.optional(settings, 40, "execution_log_size", "300B", "0B")
    drawing.optional(stage, 20, "log_retention", *_RETENTIONS)
    # A reservoir is that of a second, whatever the traffic.
    if kind == "rest" and not drawing.is_exact and drawing.maybe(35):
        rule: dict[str, Any] = {"rate": drawing.one("30%", "5%", "0%", "100%")}
        drawing.optional(rule, 60, "reservoir", "2/s", 1, 7)
        stage["tracing"] = drawing.one(rule, rule, True, False)


def draw_function_log(drawing: Drawing, spec: dict[str, Any]) -> None:
    """Log of a function; changes ``spec``."""
    drawing.optional(spec, 20, "log_size", "300B", "0B")
    drawing.optional(spec, 20, "logs", True, False)
    drawing.optional(spec, 10, "log_retention", *_RETENTIONS)


def draw_trace_formats(drawing: Drawing, data: dict[str, Any]) -> None:
    """Some traces as a gateway writes them, not as tidy columns; changes their files."""
    for source in data["traffic"].values():
        # Times of an exact scenario are those of its file, and may be made longer there.
        if drawing.is_exact or "trace" not in source or not drawing.maybe(25):
            continue
        source["trace"]["format"] = _REPLAYED
        file = source["trace"]["file"]
        _, *rows = drawing.files[file].splitlines()
        cells = [row.split(",") for row in rows]
        lines = [[one[0].replace(".", ""), *(cell or "-" for cell in one[1:])] for one in cells]
        drawing.files[file] = "\n".join("|".join(line) for line in lines) + "\n"
