"""Hypothesis strategies for CORS: what APIs allow, and the browsers that ask."""

from typing import Any, Final

from tests.equivalence.drawing import Drawing

__all__ = ["add_cors_settings", "draw_browser", "draw_cors", "draw_route_cors"]

_PAGE: Final = "https://app.example.com"
_OTHER: Final = "https://other.example.org:8443"
_HEADERS: Final = ("authorization", "Content-Type", "x-client", "x-api-key")


def draw_cors(drawing: Drawing, *, is_rest: bool) -> dict[str, Any]:
    """What an API or a route allows; mostly enough for a page to be let in."""
    origins = [[_PAGE], ["*"], [_PAGE, _OTHER], [_OTHER]]
    if not is_rest:
        origins.append(["https://*"])
    cors: dict[str, Any] = {"allow_origins": drawing.one(*origins)}
    everything = ["GET", "POST", "DELETE", "OPTIONS"]
    drawing.optional(cors, 80, "allow_methods", everything, ["*"], ["GET"])
    drawing.optional(cors, 80, "allow_headers", list(_HEADERS), ["*"], ["content-type"])
    drawing.optional(cors, 10, "expose_headers", ["x-client"])
    if is_rest or cors["allow_origins"] != ["*"]:
        drawing.optional(cors, 50, "allow_credentials", True, False)
    ages = ("50ms", "10ms", "1h", "0s", -1)
    # Unsaid is 5 s, which cannot be ten times as long.
    drawing.optional(cors, 100 if drawing.is_exact else 70, "max_age", *ages)
    if is_rest:
        drawing.optional(cors, 40, "error_headers", True, False)
    return cors


def draw_route_cors(drawing: Drawing) -> Any:
    """The method that was forgotten, or one that says something else."""
    return False if drawing.maybe(50) else draw_cors(drawing, is_rest=True)


def draw_browser(drawing: Drawing) -> dict[str, Any]:
    """The pages of a source."""
    browser: dict[str, Any] = {"origin": _PAGE}
    drawing.optional(browser, 30, "credentials", True, False)
    drawing.optional(browser, 40, "content_type", "text/plain", "application/json")
    drawing.optional(browser, 30, "headers", ["Accept", "x-client"], ["X-Client"])
    drawing.optional(browser, 50, "max_age_cap", "firefox", "safari", "chromium", "20ms")
    return browser


def add_cors_settings(drawing: Drawing, chosen: dict[str, Any]) -> None:
    """What AWS leaves open about CORS."""
    drawing.optional(chosen, 15, "preflight_status", 204, 200)
    drawing.optional(chosen, 15, "http_preflights", "free", "counted")
    drawing.optional(chosen, 15, "http_preflight_refusal", "silent", "lists")
    drawing.optional(chosen, 15, "http_error_cors", False, True)
