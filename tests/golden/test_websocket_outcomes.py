"""What every kind of failure of an upgrade, a message, an end and a push becomes.

Two tables, one line each: status, outcome, who refused it, billed units under AWS's book, and what
goes back to the client. A message of 100 bytes is one unit, a route response of 40,000 bytes two.
Statuses of frames are those of the errors they stand for (docs/decisions.md); an upgrade or an end
is no message and costs nothing, nor does what the gateway refuses (its book's rules). "text" is an
answer of the gateway's own, "nothing" says that nothing was sent. Every run is one of both engines.
"""

import pytest

from apisim.gateway.status import ANSWERS, Answer
from tests.golden.websocket_outcomes import FAILURES, INTEGRATIONS, REFUSALS, ROUTES, ended, line
from tests.support.sockets import SECOND, agreed, answers, chat, closed, of_route, of_source

pytestmark = pytest.mark.equivalence

#: ``reply`` is a message to a route with a route response, the others have none.
INTEGRATED = """
upgrade lambda_proxy served     CONNECTED 101 connected - 0 0
upgrade lambda       served     CONNECTED 101 connected - 0 0
upgrade lambda-400   served     CONNECTED 101 connected - 0 0
upgrade lambda-500   served     CONNECTED 101 connected - 0 0
upgrade lambda-event served     CONNECTED 101 connected - 0 0
upgrade http_proxy   served     CONNECTED 101 connected - 0 0
upgrade http         served     CONNECTED 101 connected - 0 0
upgrade nlb          served     CONNECTED 101 connected - 0 0
upgrade aws_service  served     CONNECTED 101 connected - 0 0
upgrade mock         served     CONNECTED 101 connected - 0 0
upgrade lambda_proxy error      FUNCTION_ERROR 500 backend_error backend 0 text
upgrade lambda       error      CONNECTED 101 connected - 0 0
upgrade lambda-400   error      FUNCTION_ERROR_AS_400 400 backend_error backend 0 0
upgrade lambda-500   error      FUNCTION_ERROR_AS_500 500 backend_error backend 0 0
upgrade lambda-event error      CONNECTED 101 connected - 0 0
upgrade http_proxy   error      ENDPOINT_ERROR 500 backend_error backend 0 0
upgrade http         error      ENDPOINT_ERROR 500 backend_error backend 0 0
upgrade nlb          error      ENDPOINT_ERROR 500 backend_error backend 0 0
upgrade aws_service  error      SERVICE_ERROR 500 backend_error backend 0 0
upgrade lambda_proxy malformed  FUNCTION_MALFORMED 500 backend_error backend 0 text
upgrade lambda       malformed  CONNECTED 101 connected - 0 0
upgrade lambda_proxy slow       TIMEOUT 500 timeout backend 0 text
upgrade lambda       slow       TIMEOUT 500 timeout backend 0 text
upgrade lambda-event slow       CONNECTED 101 connected - 0 0
upgrade http_proxy   slow       TIMEOUT 500 timeout backend 0 text
upgrade http         slow       TIMEOUT 500 timeout backend 0 text
upgrade nlb          slow       TIMEOUT 500 timeout backend 0 text
upgrade aws_service  slow       TIMEOUT 500 timeout backend 0 text
upgrade lambda_proxy full       FUNCTION_THROTTLED 500 backend_throttled backend 0 text
upgrade lambda       full       FUNCTION_THROTTLED 500 backend_throttled backend 0 text
upgrade lambda-event full       CONNECTED 101 connected - 0 0
upgrade http_proxy   full       ENDPOINT_FULL 503 backend_error backend 0 0
upgrade http         full       ENDPOINT_FULL 503 backend_error backend 0 0
upgrade nlb          full       ENDPOINT_FULL 503 backend_error backend 0 0
upgrade aws_service  full       SERVICE_THROTTLED 400 backend_throttled backend 0 0
upgrade nlb          down       TARGET_UNREACHABLE 500 backend_error backend 0 text
message lambda_proxy served     SERVED 200 served - 1 nothing
reply   lambda_proxy served     SERVED 200 served - 3 40000
message lambda       served     SERVED 200 served - 1 nothing
reply   lambda       served     SERVED 200 served - 3 40000
message lambda-400   served     SERVED 200 served - 1 nothing
reply   lambda-400   served     SERVED 200 served - 3 40000
message lambda-500   served     SERVED 200 served - 1 nothing
reply   lambda-500   served     SERVED 200 served - 3 40000
message lambda-event served     EVENT_ACCEPTED 202 served - 1 nothing
reply   lambda-event served     EVENT_ACCEPTED 202 served - 1 0
message http_proxy   served     SERVED 200 served - 1 nothing
reply   http_proxy   served     SERVED 200 served - 3 40000
message http         served     SERVED 200 served - 1 nothing
reply   http         served     SERVED 200 served - 3 40000
message nlb          served     SERVED 200 served - 1 nothing
reply   nlb          served     SERVED 200 served - 3 40000
message aws_service  served     SERVED 200 served - 1 nothing
reply   aws_service  served     SERVED 200 served - 3 40000
message mock         served     SERVED 200 served - 1 nothing
reply   mock         served     SERVED 200 served - 3 40000
message lambda_proxy error      FUNCTION_ERROR 500 backend_error backend 1 text
reply   lambda_proxy error      FUNCTION_ERROR 500 backend_error backend 1 text
message lambda       error      FUNCTION_ERROR_AS_200 200 backend_error backend 1 nothing
reply   lambda       error      FUNCTION_ERROR_AS_200 200 backend_error backend 1 0
message lambda-400   error      FUNCTION_ERROR_AS_400 400 backend_error backend 1 nothing
reply   lambda-400   error      FUNCTION_ERROR_AS_400 400 backend_error backend 1 0
message lambda-500   error      FUNCTION_ERROR_AS_500 500 backend_error backend 1 nothing
reply   lambda-500   error      FUNCTION_ERROR_AS_500 500 backend_error backend 1 0
message lambda-event error      EVENT_ACCEPTED 202 served - 1 nothing
reply   lambda-event error      EVENT_ACCEPTED 202 served - 1 0
message http_proxy   error      ENDPOINT_ERROR 500 backend_error backend 1 nothing
reply   http_proxy   error      ENDPOINT_ERROR 500 backend_error backend 1 0
message http         error      ENDPOINT_ERROR 500 backend_error backend 1 nothing
reply   http         error      ENDPOINT_ERROR 500 backend_error backend 1 0
message nlb          error      ENDPOINT_ERROR 500 backend_error backend 1 nothing
reply   nlb          error      ENDPOINT_ERROR 500 backend_error backend 1 0
message aws_service  error      SERVICE_ERROR 500 backend_error backend 1 nothing
reply   aws_service  error      SERVICE_ERROR 500 backend_error backend 1 0
message lambda_proxy malformed  FUNCTION_MALFORMED 500 backend_error backend 1 text
reply   lambda_proxy malformed  FUNCTION_MALFORMED 500 backend_error backend 1 text
message lambda       malformed  SERVED 200 served - 1 nothing
reply   lambda       malformed  SERVED 200 served - 3 40000
message lambda_proxy slow       TIMEOUT 500 timeout backend 1 text
reply   lambda_proxy slow       TIMEOUT 500 timeout backend 1 text
message lambda       slow       TIMEOUT 500 timeout backend 1 text
reply   lambda       slow       TIMEOUT 500 timeout backend 1 text
message lambda-event slow       EVENT_ACCEPTED 202 served - 1 nothing
reply   lambda-event slow       EVENT_ACCEPTED 202 served - 1 0
message http_proxy   slow       TIMEOUT 500 timeout backend 1 text
reply   http_proxy   slow       TIMEOUT 500 timeout backend 1 text
message http         slow       TIMEOUT 500 timeout backend 1 text
reply   http         slow       TIMEOUT 500 timeout backend 1 text
message nlb          slow       TIMEOUT 500 timeout backend 1 text
reply   nlb          slow       TIMEOUT 500 timeout backend 1 text
message aws_service  slow       TIMEOUT 500 timeout backend 1 text
reply   aws_service  slow       TIMEOUT 500 timeout backend 1 text
message lambda_proxy full       FUNCTION_THROTTLED 500 backend_throttled backend 1 text
reply   lambda_proxy full       FUNCTION_THROTTLED 500 backend_throttled backend 1 text
message lambda       full       FUNCTION_THROTTLED 500 backend_throttled backend 1 text
reply   lambda       full       FUNCTION_THROTTLED 500 backend_throttled backend 1 text
message lambda-event full       EVENT_ACCEPTED 202 served - 1 nothing
reply   lambda-event full       EVENT_ACCEPTED 202 served - 1 0
message http_proxy   full       ENDPOINT_FULL 503 backend_error backend 1 nothing
reply   http_proxy   full       ENDPOINT_FULL 503 backend_error backend 1 0
message http         full       ENDPOINT_FULL 503 backend_error backend 1 nothing
reply   http         full       ENDPOINT_FULL 503 backend_error backend 1 0
message nlb          full       ENDPOINT_FULL 503 backend_error backend 1 nothing
reply   nlb          full       ENDPOINT_FULL 503 backend_error backend 1 0
message aws_service  full       SERVICE_THROTTLED 400 backend_throttled backend 1 nothing
reply   aws_service  full       SERVICE_THROTTLED 400 backend_throttled backend 1 0
message nlb          down       TARGET_UNREACHABLE 500 backend_error backend 1 text
reply   nlb          down       TARGET_UNREACHABLE 500 backend_error backend 1 text
end     lambda_proxy served     SERVED 200 served - 0 nothing
end     lambda       served     SERVED 200 served - 0 nothing
end     lambda-400   served     SERVED 200 served - 0 nothing
end     lambda-500   served     SERVED 200 served - 0 nothing
end     lambda-event served     EVENT_ACCEPTED 202 served - 0 nothing
end     http_proxy   served     SERVED 200 served - 0 nothing
end     http         served     SERVED 200 served - 0 nothing
end     nlb          served     SERVED 200 served - 0 nothing
end     aws_service  served     SERVED 200 served - 0 nothing
end     mock         served     SERVED 200 served - 0 nothing
end     lambda_proxy error      FUNCTION_ERROR 500 backend_error backend 0 nothing
end     lambda       error      FUNCTION_ERROR_AS_200 200 backend_error backend 0 nothing
end     lambda-400   error      FUNCTION_ERROR_AS_400 400 backend_error backend 0 nothing
end     lambda-500   error      FUNCTION_ERROR_AS_500 500 backend_error backend 0 nothing
end     lambda-event error      EVENT_ACCEPTED 202 served - 0 nothing
end     http_proxy   error      ENDPOINT_ERROR 500 backend_error backend 0 nothing
end     http         error      ENDPOINT_ERROR 500 backend_error backend 0 nothing
end     nlb          error      ENDPOINT_ERROR 500 backend_error backend 0 nothing
end     aws_service  error      SERVICE_ERROR 500 backend_error backend 0 nothing
end     lambda_proxy malformed  FUNCTION_MALFORMED 500 backend_error backend 0 nothing
end     lambda       malformed  SERVED 200 served - 0 nothing
end     lambda_proxy slow       TIMEOUT 500 timeout backend 0 nothing
end     lambda       slow       TIMEOUT 500 timeout backend 0 nothing
end     lambda-event slow       EVENT_ACCEPTED 202 served - 0 nothing
end     http_proxy   slow       TIMEOUT 500 timeout backend 0 nothing
end     http         slow       TIMEOUT 500 timeout backend 0 nothing
end     nlb          slow       TIMEOUT 500 timeout backend 0 nothing
end     aws_service  slow       TIMEOUT 500 timeout backend 0 nothing
end     lambda_proxy full       FUNCTION_THROTTLED 500 backend_throttled backend 0 nothing
end     lambda       full       FUNCTION_THROTTLED 500 backend_throttled backend 0 nothing
end     lambda-event full       EVENT_ACCEPTED 202 served - 0 nothing
end     http_proxy   full       ENDPOINT_FULL 503 backend_error backend 0 nothing
end     http         full       ENDPOINT_FULL 503 backend_error backend 0 nothing
end     nlb          full       ENDPOINT_FULL 503 backend_error backend 0 nothing
end     aws_service  full       SERVICE_THROTTLED 400 backend_throttled backend 0 nothing
end     nlb          down       TARGET_UNREACHABLE 500 backend_error backend 0 nothing
"""

REFUSED = """
connections          THROTTLED_CONNECTIONS 429 throttled connections 0 text
route                THROTTLED_METHOD 429 throttled method 0 text
stage                THROTTLED_STAGE 429 throttled stage 0 text
account              THROTTLED_ACCOUNT 429 throttled account 0 text
no identity          NO_IDENTITY 401 unauthorized authorizer 0 text
denied               DENIED 403 forbidden authorizer 0 text
silent               IMPLICITLY_DENIED 403 forbidden authorizer 0 text
unauthorized         UNAUTHORIZED_BY_FUNCTION 401 unauthorized authorizer 0 text
broken authorizer    AUTHORIZER_FAILED 500 authorizer_failed authorizer 0 text
iam                  CONNECTED 101 connected - 0 0
iam missing          IAM_MISSING 403 unauthorized authorizer 0 text
iam bad              BAD_SIGNATURE 403 unauthorized authorizer 0 text
iam late             SIGNATURE_EXPIRED 403 unauthorized authorizer 0 text
iam silent           IAM_DENIED 403 forbidden authorizer 0 text
no key               NO_KEY 403 no_key api_key 0 text
plan                 THROTTLED_PLAN 429 throttled usage_plan 0 text
quota                QUOTA_EXCEEDED 429 quota quota 0 text
outage               UNAVAILABLE 503 unavailable outage 0 text
route of messages    THROTTLED_METHOD 429 throttled method 0 text
stage of messages    THROTTLED_STAGE 429 throttled stage 0 text
account of messages  THROTTLED_ACCOUNT 429 throttled account 0 text
unmatched            NO_ROUTE 403 not_found routing 1 text
by default           SERVED 200 served - 1 nothing
bad body             INVALID_BODY 400 invalid validation 1 text
too large            FRAME_TOO_LARGE 1009 invalid limits 0 nothing
binary               BINARY_FRAME 1003 invalid limits 0 nothing
account of pushes    THROTTLED_ACCOUNT 429 throttled account 0 text
"""

LINES = [text.split() for text in INTEGRATED.strip().splitlines()]
REFUSED_LINES = {text[:21].strip(): text[21:] for text in REFUSED.strip().splitlines()}


@pytest.mark.parametrize("errand", ["upgrade", "message", "reply", "end"])
def test_whatever_an_integration_does_becomes_what_the_table_says(errand: str) -> None:
    mine = [words for words in LINES if words[0] == errand]
    assert len(mine) == 36
    for _, integration, failure, *expected in mine:
        what = "message" if errand == "reply" else errand
        served = ended(what, integration, failure, replies=errand == "reply")
        assert line(served, ROUTES[what]).split() == expected, (integration, failure)
        if errand == "upgrade":
            is_in = expected[0] == "CONNECTED"
            assert closed(served) == ({"left": 2} if is_in else {})
            assert bool(len(of_route(served, "say"))) is is_in


@pytest.mark.parametrize("case", REFUSALS)
def test_whatever_the_gateway_refuses_becomes_what_the_table_says(case: str) -> None:
    errand, change = REFUSALS[case]
    served = ended(errand, change=change)
    assert line(served, ROUTES[errand]) == REFUSED_LINES[case]
    if errand == "message" and case not in ("too large", "binary"):
        assert set(closed(served)) == {"left"}  # an error is a frame, and the connection stays


def test_the_tables_have_every_case() -> None:
    assert {(words[1], words[2]) for words in LINES} >= {(name, "served") for name in INTEGRATIONS}
    assert {words[2] for words in LINES} == set(FAILURES)
    assert set(REFUSED_LINES) == set(REFUSALS)


def test_frames_say_what_clients_have_seen() -> None:
    """Captures and AWS's pages: behaviour.md 5.8 and 6.1; "Too Many Requests" is assumed."""
    for answer, text in [
        (Answer.NO_ROUTE, "Forbidden"),
        (Answer.INVALID_BODY, "Bad request body"),
        (Answer.THROTTLED_METHOD, "Too Many Requests"),
        (Answer.FUNCTION_ERROR, "Internal server error"),
        (Answer.TIMEOUT, "Internal server error"),
    ]:
        assert ANSWERS[answer].websocket_body.startswith(f'{{"message": "{text}", "connectionId":')


def test_an_authorizer_is_asked_at_every_upgrade_and_of_no_message() -> None:
    """Connections of 7 s, two users for 20 s: 0-7, 7-14, 14-20."""
    who = {"who": {"type": "request", "function": "check"}}
    session = {
        "population": 2,
        "connect_over": "2us",
        "until": "20s",
        "think_time": "2s",
        "reconnect": "at_once",
        "size": "1B",
    }
    data = chat(
        session,
        {"$connect": {"authorizer": "who"}},
        authorizers=who,
        functions={"check": {"duration": 0}},
        settings={"websocket_max_age": "7s"},
        source={"values": {"header.authorization": {"uniform": 1}}},
    )
    served = agreed(data)
    assert len(of_route(served, "$connect")) == 6
    assert (of_route(served, "$connect")["authorizer_ns"] >= 0).all()
    assert (of_route(served, "say")["authorizer_ns"] == -1).all()
    assert served[0].pools["invocations"].tolist() == [6]


def test_who_has_no_credentials_has_none_next_time_either() -> None:
    """Forty users try four times each, or are let in at once."""
    session = {
        "population": 40,
        "connect_over": "1s",
        "until": "20s",
        "reconnect": {"backoff": "fixed", "base": "1s", "max": 3},
    }
    data = chat(
        session,
        {"$connect": {"authorizer": "who"}},
        authorizers={"who": {"type": "iam"}},
        source={"credentials": {"missing": "50%"}},
    )
    connects = of_route(agreed(data), "$connect")
    by_user = [answers(connects[connects["user"] == user]) for user in range(1, 41)]
    refused = [Answer.IAM_MISSING] * 4
    assert all(mine in ([Answer.CONNECTED], refused) for mine in by_user)
    assert 10 <= by_user.count(refused) <= 30


@pytest.mark.parametrize("fails", [False, True])
def test_what_comes_for_a_connection_that_has_gone_meanwhile_is_not_sent(fails: bool) -> None:
    """The function takes 3 s and its client leaves 2 s after it has asked."""
    function = {"duration": "3s", "timeout": "9s", "errors": "100%" if fails else "0%"}
    integration = {"type": "lambda_proxy", "function": "slow"}
    say = {"integration": integration, "route_response": True, "response_size": "40000B"}
    session = {
        "population": 1,
        "connect_over": "1s",
        "until": "10s",
        "think_time": "8s",
        "reconnect": "never",
    }
    served = agreed(
        chat(
            session,
            {"say": say},
            functions={"slow": function},
            source={"network": {"rtt": "20ms"}},
            settings={"lambda_transport": 0},
        )
    )
    message = of_route(served, "say")[0]
    assert message["answer"] == (Answer.FUNCTION_ERROR if fails else Answer.SERVED)
    assert message["latency_ns"] == 3 * SECOND + 10_000_000  # there, and not back
    assert message["response_bytes"] == 0
    assert message["units"] == 1
    mine = served[0].recorder.connections.apis[0]
    assert mine["undelivered_replies"] == (0 if fails else 1)


@pytest.mark.parametrize("fails", [False, True])
def test_an_end_that_fails_leaves_the_connection_in_the_application_s_list(fails: bool) -> None:
    integration = {"type": "lambda_proxy", "function": "strike"}
    pushes = {"p": {"rate": "1/s", "arrivals": "uniform", "to": "all", "by": "s"}}
    session = {
        "population": 1,
        "connect_over": "1us",
        "until": "10s",
        "length": "5s",
        "reconnect": "never",
    }
    served = agreed(
        chat(
            session,
            {"$disconnect": {"integration": integration}},
            functions={"strike": {"duration": "1ms", "errors": "100%" if fails else "0%"}},
            source={"pushes": pushes},
            senders={"s": {"call_time": 0}},
            settings={"disconnect_delivery": "100%", "lambda_transport": 0},
        )
    )
    posts = answers(of_source(served, "users.p"))
    assert posts == [Answer.SENT] * 5 + [Answer.CONNECTION_GONE] * fails
