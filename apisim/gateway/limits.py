"""Size and URL limits: what is too large is answered before anything else looks at it.

The parts of a request are looked at in the order in which they arrive: the URL (414), the headers,
the body (413). REST APIs limit the URL by endpoint and the headers by themselves; HTTP APIs limit
the request line and the headers together, WebSocket APIs the URL of the upgrade (quotas of each).
AWS documents neither the order nor the status of too many headers; 431 is what the standard has for
it (RFC 6585, section 5).
"""

from typing import Final

from apisim.arrays.jit import constant, kernel
from apisim.gateway.status import Answer

__all__ = [
    "BODY_BYTES",
    "HEADER_BYTES",
    "HTTP_HEAD_BYTES",
    "UNLIMITED",
    "URL_BYTES",
    "WEBSOCKET_URL_BYTES",
    "WITHIN",
    "limits_answer",
]

#: Largest body of a request, and of an answer [bytes]; not adjustable.
BODY_BYTES: Final = 10 * 1024 * 1024
#: All headers of a request to a REST API [bytes].
HEADER_BYTES: Final = 10_240
#: Longest URL of a request to a REST API by its endpoint [bytes].
URL_BYTES: Final = {"edge": 8_192, "private": 8_192, "regional": 10_240}
#: Longest URL of the upgrade to a WebSocket API [bytes].
WEBSOCKET_URL_BYTES: Final = 4_096
#: Request line and all headers of a request to an HTTP API [bytes].
HTTP_HEAD_BYTES: Final = 10_240
#: Where there is no limit.
UNLIMITED: Final = 1 << 62

WITHIN: Final = constant(-1)
_URL: Final = constant(Answer.URL_TOO_LONG)
_HEADERS: Final = constant(Answer.HEADERS_TOO_LARGE)
_BODY: Final = constant(Answer.TOO_LARGE)


@kernel
def limits_answer(
    url_bytes: int,
    header_bytes: int,
    body_bytes: int,
    max_url: int,
    max_headers: int,
    max_head: int,
    max_body: int,
) -> int:
    """Answer to a request of these sizes, or ``WITHIN``.

    Parameters
    ----------
    url_bytes, header_bytes, body_bytes : int
        Sizes of the request's parts [bytes]; 0 where one is not known.
    max_url, max_headers, max_head, max_body : int
        Limits of URL, headers, both together and body [bytes]; what is just as large may pass.
    """
    if url_bytes > max_url:
        return _URL
    if header_bytes > max_headers or url_bytes + header_bytes > max_head:
        return _HEADERS
    if body_bytes > max_body:
        return _BODY
    return WITHIN
