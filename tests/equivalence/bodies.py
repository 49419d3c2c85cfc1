"""Bodies too large for what is behind a route, and what templates make of them."""

from typing import Any, Final

from tests.equivalence.drawing import Drawing
from tests.equivalence.laws import payloads

__all__ = ["LARGE_ANSWERS", "draw_bodies", "is_plain_size"]

#: Some of them more than Lambda gives, more than the gateway passes on, and nearly so.
LARGE_ANSWERS: Final = {"mixture": [[4, "1KB"], [2, "7MB"], [3, "11MB"], [1, "6MB"]]}
_LARGE_REQUESTS: Final = (
    {"mixture": [[0.7, "1KB"], [0.3, "11MB"]]},
    {"mixture": [[6, "1KB"], [2, "7MB"], [1, "6MB"], [1, "11MB"]]},
)


def draw_bodies(
    drawing: Drawing, route: dict[str, Any], functions: dict[str, Any], *, is_rest: bool
) -> None:
    """Sizes of a route's bodies, the templates of a custom integration, and who waits for it."""
    for size in ("request_size", "response_size"):
        if drawing.maybe(30):
            route[size] = drawing.draw(payloads())
    if drawing.maybe(15):
        route["request_size"] = drawing.one(*_LARGE_REQUESTS)
    if drawing.maybe(12):
        route["response_size"] = LARGE_ANSWERS
    integration = route["integration"]
    kind = integration["type"]
    # What is streamed has a pace of its own.
    may_stream = is_rest and kind.endswith("_proxy") and "cache" not in route
    if may_stream and not drawing.is_exact and drawing.maybe(25):
        integration["response_transfer_mode"] = drawing.one("stream", "buffered")
    if kind == "lambda" and not drawing.is_exact and drawing.maybe(60):
        integration["invocation"] = drawing.one("event", "event", "event", "request_response")
        if integration["invocation"] == "event":
            integration.pop("error_status", None)
            function = functions[integration["function"]]
            if drawing.maybe(25) and "provisioned_concurrency" not in function:
                function["reserved_concurrency"] = 0
    has_templates = kind in ("lambda", "http") or (kind == "aws_service" and is_rest)
    if not has_templates or not drawing.maybe(55):
        return
    integration["transformation"] = mapping = {}
    for time in ("request_time", "response_time"):
        if drawing.maybe(70):
            mapping[time] = drawing.time()
    drawing.optional(mapping, 75, "response_ratio", 2, 0.5, 0.001, 1)
    if drawing.maybe(25):
        route["response_size"] = LARGE_ANSWERS
    if kind == "lambda":
        drawing.optional(mapping, 40, "request_ratio", 0.9, 2, 0.1, 1)


def is_plain_size(law: Any) -> bool:
    """Whether a size never comes near a limit."""
    if not isinstance(law, dict):
        return True
    return "p50" not in law and law not in (LARGE_ANSWERS, *_LARGE_REQUESTS)
