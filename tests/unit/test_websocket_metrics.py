"""Which of CloudWatch's metrics count a request of a WebSocket API."""

import pytest

from apisim.gateway.status import ANSWERS, Answer
from apisim.gateway.websocket_metrics import ERRANDS, METRICS, Errand, websocket_metrics

_ERRORS = {"ClientError", "IntegrationError", "ExecutionError"}


@pytest.mark.parametrize(
    ("answer", "errand", "metrics"),
    [
        (Answer.CONNECTED, "upgrade", ["ConnectCount"]),
        (Answer.THROTTLED_CONNECTIONS, "upgrade", ["ClientError"]),
        (Answer.NO_IDENTITY, "upgrade", ["ClientError"]),
        (Answer.AUTHORIZER_FAILED, "upgrade", ["ExecutionError"]),
        (Answer.TIMEOUT, "upgrade", ["ConnectCount", "ExecutionError"]),
        (Answer.FUNCTION_ERROR, "upgrade", ["ConnectCount", "IntegrationError"]),
        (Answer.UNAVAILABLE, "upgrade", []),
        (Answer.SERVED, "message", ["MessageCount"]),
        (Answer.THROTTLED_ACCOUNT, "message", ["MessageCount", "ClientError"]),
        (Answer.NO_ROUTE, "message", ["MessageCount", "ClientError"]),
        (Answer.FRAME_TOO_LARGE, "message", ["MessageCount", "ClientError"]),
        (Answer.FUNCTION_THROTTLED, "message", ["MessageCount", "ExecutionError"]),
        (Answer.ENDPOINT_FULL, "message", ["MessageCount", "IntegrationError"]),
        (Answer.CONNECTION_GONE, "message", []),
        (Answer.SERVED, "disconnect", []),
        (Answer.FUNCTION_ERROR, "disconnect", ["IntegrationError"]),
        (Answer.SENT, "push", ["MessageCount"]),
        (Answer.CONNECTION_GONE, "push", []),
        (Answer.THROTTLED_ACCOUNT, "push", []),
    ],
)
def test_what_counts_what(answer: Answer, errand: Errand, metrics: list[str]) -> None:
    assert list(websocket_metrics(answer, errand)) == metrics


@pytest.mark.parametrize("errand", ERRANDS)
def test_no_request_is_an_error_twice(errand: Errand) -> None:
    for answer in ANSWERS:
        found = websocket_metrics(answer, errand)
        assert set(found) <= set(METRICS)
        assert len(_ERRORS.intersection(found)) <= 1
        assert len(set(found)) == len(found)
