"""CloudWatch's metrics of WebSocket APIs: which of them count what happened.

====================  ==========================================================================
``ConnectCount``      upgrades that came to the integration of ``$connect``
``MessageCount``      messages from clients, whatever became of them, and messages to clients: route
                      responses and what was pushed
``ClientError``       upgrades and messages that the gateway refused before the integration: 401,
                      403, 429, a body that is not valid, frames that close the connection
``IntegrationError``  the integration answered with an error
``ExecutionError``    the integration could not be called, or did not answer in time or properly; an
                      authorizer that failed
====================  ==========================================================================

Names and meanings are the developer guide's ("Monitor WebSocket APIs with CloudWatch metrics").
What it does not say is assumed: messages that are throttled are in ``MessageCount`` too, error
frames are not; ``$disconnect`` counts only where its integration fails; calls of ``POST
@connections`` that are refused are errors of the application that made them, and none of the API's
clients'.
"""

from collections.abc import Iterator
from typing import Final, Literal

from apisim.gateway.status import Answer

__all__ = ["ERRANDS", "METRICS", "Errand", "websocket_metrics"]

Errand = Literal["upgrade", "message", "disconnect", "push"]

#: What a request of a WebSocket API is for.
ERRANDS: Final[tuple[Errand, ...]] = ("upgrade", "message", "disconnect", "push")
METRICS: Final = (
    "ConnectCount",
    "MessageCount",
    "ClientError",
    "IntegrationError",
    "ExecutionError",
)

_WELL: Final = frozenset(
    {Answer.SERVED, Answer.EVENT_ACCEPTED, Answer.FUNCTION_ERROR_AS_200, Answer.CONNECTED}
)
_ANSWERED_WITH_ERROR: Final = frozenset(
    {
        Answer.FUNCTION_ERROR,
        Answer.FUNCTION_ERROR_AS_400,
        Answer.FUNCTION_ERROR_AS_500,
        Answer.ENDPOINT_ERROR,
        Answer.ENDPOINT_FULL,
        Answer.SERVICE_ERROR,
        Answer.SERVICE_THROTTLED,
    }
)
_NOT_EXECUTED: Final = frozenset(
    {
        Answer.TIMEOUT,
        Answer.FUNCTION_MALFORMED,
        Answer.FUNCTION_THROTTLED,
        Answer.FUNCTION_ANSWER_TOO_LARGE,
        Answer.FUNCTION_REQUEST_TOO_LARGE,
        Answer.ANSWER_TOO_LARGE,
        Answer.TARGET_DOWN,
        Answer.TARGET_UNREACHABLE,
    }
)
#: What came to no gateway, or to none that knew its connection.
_NEVER_ARRIVED: Final = frozenset({Answer.UNAVAILABLE, Answer.CONNECTION_GONE})


def websocket_metrics(answer: Answer, errand: Errand) -> tuple[str, ...]:
    """Metrics that count one request, in order.

    A route response that its client got is a message to it, one ``MessageCount`` more.

    Parameters
    ----------
    answer : Answer
        How it ended.
    errand : {"upgrade", "message", "disconnect", "push"}
        What it was for.

    Examples
    --------
    >>> websocket_metrics(Answer.SERVED, "message")
    ('MessageCount',)
    >>> websocket_metrics(Answer.ENDPOINT_ERROR, "upgrade")
    ('ConnectCount', 'IntegrationError')
    """
    return tuple(_metrics(answer, errand))


def _metrics(answer: Answer, errand: Errand) -> Iterator[str]:
    if answer in _NEVER_ARRIVED:
        return
    if errand == "push":
        if answer == Answer.SENT:
            yield "MessageCount"
        return
    is_called = answer in _WELL | _ANSWERED_WITH_ERROR | _NOT_EXECUTED
    if errand == "upgrade" and is_called:
        yield "ConnectCount"
    if errand == "message":
        yield "MessageCount"
    if answer in _ANSWERED_WITH_ERROR:
        yield "IntegrationError"
    elif answer in _NOT_EXECUTED or answer == Answer.AUTHORIZER_FAILED:
        yield "ExecutionError"
    elif not is_called and errand != "disconnect":
        yield "ClientError"
