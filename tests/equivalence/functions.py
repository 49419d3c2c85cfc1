"""Functions in depth: what is provisioned, what others use, how fast all may be used and grow."""

from typing import Any

from tests.equivalence.drawing import Drawing
from tests.equivalence.logs import draw_function_log

__all__ = ["add_background", "draw_function_depth", "draw_lambda_settings", "set_aside"]


def draw_function_depth(drawing: Drawing, spec: dict[str, Any]) -> None:
    """Add to a function what few have."""
    drawing.optional(spec, 25, "malformed", "50%", "10%", "100%")
    if drawing.maybe(25):
        spec["additional_version"] = other = {"weight": drawing.one("50%", "10%", "100%", "0%")}
        drawing.optional(other, 30, "version", "v2", "2")
        drawing.optional(other, 30, "errors", "50%", "0%")
        drawing.optional(other, 30, "malformed", "50%", "0%")
        if drawing.maybe(50):
            other["duration"] = drawing.time()
        if drawing.maybe(30):
            other["init"] = drawing.time()
    if drawing.maybe(25):
        reserved = spec.get("reserved_concurrency")
        if reserved is None or reserved >= 1:
            spec["provisioned_concurrency"] = drawing.one(1, 1, 2) if reserved is None else 1
    draw_function_log(drawing, spec)
    if drawing.is_exact:
        return
    drawing.optional(spec, 25, "maximum_retry_attempts", 1, 0, 2)
    drawing.optional(spec, 25, "maximum_event_age", "60s", "6h", "3m", "10m")
    if "init" not in spec and drawing.maybe(30):
        spec["runtime"] = drawing.one("rust", "go", "python3.13", "dotnet8")
        drawing.optional(spec, 70, "package", "hello", "typical", "heavy")
    if drawing.maybe(15):
        spec["measured_at"] = drawing.one("256MB", "3008MB")
        drawing.optional(spec, 50, "cpu_share", "50%", "0%")
        drawing.optional(spec, 50, "threads", 2, 1, 6)


def draw_lambda_settings(drawing: Drawing, settings: dict[str, Any]) -> None:
    """Add settings of Lambda; limits that have a pace of their own only where time has none."""
    if not drawing.is_exact:
        drawing.optional(settings, 60, "lambda_request_rate", 10, 1, 3, 0)
        drawing.optional(settings, 40, "lambda_scaling", 1, 2, 5, 0)
    drawing.optional(settings, 25, "lambda_init_billed", False, True)
    if drawing.maybe(30):
        settings["environment_setup"] = drawing.time()


def set_aside(functions: dict[str, Any]) -> int:
    """Concurrency that functions do not share."""
    return sum(
        spec.get("reserved_concurrency", spec.get("provisioned_concurrency", 0))
        for spec in functions.values()
    )


def add_background(drawing: Drawing, account: dict[str, Any], functions: dict[str, Any]) -> None:
    """Let the rest of the account use some of it."""
    if not drawing.maybe(20):
        return
    background: dict[str, Any] = {}
    room = account.get("lambda_concurrency", 1_000) - set_aside(functions)
    if room > 0:
        background["lambda_concurrency"] = drawing.one(1, room, max(room - 1, 0), 0)
    if not drawing.is_exact and "throttle" not in account:
        background["requests"] = drawing.one("9900/s", "2500/s", 0)
        account["throttle"] = {"rate_limit": "10000/s", "burst_limit": drawing.one(5000, 3)}
    if background:
        account["background"] = background
