"""Tiny scenarios in which a WebSocket API's upgrade, message, end or push ends in one way.

Everybody is 10 ms away (5 ms there, 5 ms back), nothing else takes time unless a case says so, and
the last row of the errand is what is looked at. Whether anything goes back to a client shows in the
time that the row took.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from apisim.gateway.status import ANSWERS, Answer
from tests.support.experiments import Data
from tests.support.sockets import Served, agreed, chat, of_route

__all__ = ["FAILURES", "INTEGRATIONS", "REFUSALS", "ROUTES", "ended", "line", "told"]

_BACK_NS: Final = 5_000_000
_REPLY: Final = 40_000  # two units of 32 KB
_NOTHING: Final = {"rate_limit": 0, "burst_limit": 0}
_ONE: Final = {"rate_limit": 0, "burst_limit": 1}
_DOWN: Final = [{"at": 0, "for": "1h"}]
#: Route of each errand.
ROUTES: Final = {
    "upgrade": "$connect",
    "message": "say",
    "end": "$disconnect",
    "push": "POST @connections",
    "default": "$default",
    "none": "",
}

#: What may stand behind a route.
INTEGRATIONS: Final[dict[str, Data]] = {
    "lambda_proxy": {"type": "lambda_proxy", "function": "f"},
    "lambda": {"type": "lambda", "function": "f"},
    "lambda-400": {"type": "lambda", "function": "f", "error_status": 400},
    "lambda-500": {"type": "lambda", "function": "f", "error_status": 500},
    "lambda-event": {"type": "lambda", "function": "f", "invocation": "event"},
    "http_proxy": {"type": "http_proxy", "endpoint": "e"},
    "http": {"type": "http", "endpoint": "e"},
    "nlb": {"type": "http_proxy", "endpoint": "nlb"},
    "aws_service": {"type": "aws_service", "service": "q", "action": "SendMessage"},
    "mock": {"type": "mock"},
}
#: How it fails: keys of functions, of endpoints and of services.
FAILURES: Final[dict[str, tuple[Data, Data, Data]]] = {
    "served": ({}, {}, {}),
    "error": ({"errors": "100%"}, {"errors": "100%"}, {"errors": "100%"}),
    "malformed": ({"malformed": "100%"}, {}, {}),
    "slow": ({"duration": "90ms"}, {"service_time": "90ms"}, {"latency": "90ms"}),
    "full": (
        {"reserved_concurrency": 0},
        {"service_time": "9s", "queue_limit": 0},
        {"limit": _NOTHING},
    ),
    "down": ({}, {}, {}),
}


def _behind(failure: str) -> Data:
    function, endpoint, service = FAILURES[failure]
    behind = {"outages": _DOWN} if failure == "down" else {}
    of_all = {"servers": 1, "service_time": "2ms", **endpoint}
    return {
        "functions": {
            "f": {"duration": "5ms", "timeout": "3s", **function},
            "check": {"duration": "5ms"},
        },
        "endpoints": {"e": of_all, "nlb": {**of_all, **behind, "behind": "nlb"}},
        "services": {"q": {"type": "sqs", "latency": "2ms", **service}},
    }


def ended(
    errand: str,
    integration: str = "mock",
    failure: str = "served",
    *,
    replies: bool = False,
    change: Callable[[Data], None] | None = None,
) -> Served:
    """A run in which the errand's route has that integration, which fails like that."""
    route: Data = {"integration": {**INTEGRATIONS[integration], "timeout": "50ms"}}
    if integration == "mock":
        route = {"integration": {"type": "mock"}}
    if errand == "message":
        route |= {"route_response": replies, "response_size": f"{_REPLY}B", "request_size": "100B"}
    routes = {ROUTES[errand]: route} if errand in ("upgrade", "message", "end") else {}
    push = {"rate": "1/s", "arrivals": "uniform", "to": "all", "by": "s", "size": "40000B"}
    data = chat(
        {
            "population": 2,
            "connect_over": "2s",
            "length": "10s",
            "until": "20s",
            "think_time": "2s",
            "messages_per_session": 3,
            "reconnect": "never",
        },
        routes,
        source={
            "network": {"rtt": "10ms"},
            **({"pushes": {"p": push}} if errand == "push" else {}),
        },
        settings={"disconnect_delivery": "100%", "lambda_transport": 0, "http_transport": 0},
        senders={"s": {"call_time": 0}} if errand == "push" else {},
        **_behind(failure),
    )
    if change is not None:
        change(data)
    return agreed(data)


def told(served: Served, row: np.void) -> str:
    """What the client gets: nothing, a frame of the gateway's, or an answer of so many bytes."""
    program = served[0].program
    errand = program.names.cells[int(row["cell"])].route
    way_ns = int(row["latency_ns"]) - int(row["gateway_ns"])
    body = ANSWERS[Answer(int(row["answer"]))].websocket_body
    if errand not in ("$connect", "POST @connections") and way_ns < 2 * _BACK_NS:
        return "nothing"
    if body:
        assert row["response_bytes"] == len(body)
        return "text"
    return str(int(row["response_bytes"]))


def line(served: Served, route: str) -> str:
    """The last row of a route: answer, status, outcome, who refused it, units, what goes back."""
    row = of_route(served, route)[-1]
    answer = Answer(int(row["answer"]))
    facts = ANSWERS[answer]
    return " ".join(
        [
            answer.name,
            str(int(row["status"])),
            facts.outcome,
            facts.refused_by or "-",
            str(int(row["units"])),
            told(served, row),
        ]
    )


def _route(errand: str, **keys: Any) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        routes = data["apis"]["chat"]["routes"]
        route = ROUTES[errand]
        routes[route] = {**routes.get(route, {}), **keys}

    return change


def _top(**parts: Data) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        for name, part in parts.items():
            data[name] = {**data.get(name, {}), **part}

    return change


def _all(*changes: Callable[[Data], None]) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        for one in changes:
            one(data)

    return change


def _users(**keys: Any) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        data["traffic"]["users"].update(keys)

    return change


def _sessions(**keys: Any) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        data["traffic"]["users"]["sessions"].update(keys)

    return change


def _asked(**authorizer: Any) -> Callable[[Data], None]:
    keys = {"type": "request", "function": "check", **authorizer}
    if keys["type"] == "iam":
        del keys["function"]
    return _all(_route("upgrade", authorizer="who"), _top(authorizers={"who": keys}))


def _plan(**plan: Any) -> Callable[[Data], None]:
    plans = {"p": {"api_keys": ["k"], "api_stages": {"chat": {}}, **plan}}
    asks = _route("upgrade", api_key_required=True)
    return _all(asks, _top(usage_plans=plans), _users(api_key="k"))


def _stage(data: Data) -> None:
    data["apis"]["chat"]["stage"] = {"throttle": _ONE}


def _cut(data: Data) -> None:
    cut = {"at": "500ms", "disconnect": "chat/prod", "share": "0%", "for": "10s"}
    data["timeline"] = [cut]


def _only(route: str) -> Callable[[Data], None]:
    """No route but one takes messages, and ``say`` is none of them."""

    def change(data: Data) -> None:
        del data["apis"]["chat"]["routes"]["say"]
        data["apis"]["chat"]["routes"][route] = {"integration": {"type": "mock"}}

    return change


_SHOWS: Final = {"values": {"header.authorization": {"uniform": 3}}}
#: How the gateway itself refuses something: an errand, and what is changed for it.
REFUSALS: Final[dict[str, tuple[str, Callable[[Data], None]]]] = {
    "connections": ("upgrade", _top(account={"new_connections": _ONE})),
    "route": ("upgrade", _route("upgrade", throttle=_ONE)),
    "stage": ("upgrade", _stage),
    "account": ("upgrade", _top(account={"throttle": _ONE})),
    "no identity": ("upgrade", _asked(identity_sources=["header.authorization"])),
    "denied": ("upgrade", _all(_asked(deny_identities="100%"), _users(**_SHOWS))),
    "silent": ("upgrade", _all(_asked(silent_identities="100%"), _users(**_SHOWS))),
    "unauthorized": ("upgrade", _all(_asked(unauthorized="100%"), _users(**_SHOWS))),
    "broken authorizer": (
        "upgrade",
        _all(
            _asked(),
            _users(**_SHOWS),
            _top(functions={"check": {"duration": "5ms", "errors": "100%"}}),
        ),
    ),
    "iam": ("upgrade", _all(_asked(type="iam"), _users(credentials={"policy": "allow"}))),
    "iam missing": ("upgrade", _all(_asked(type="iam"), _users(credentials={"missing": "100%"}))),
    "iam bad": ("upgrade", _all(_asked(type="iam"), _users(credentials={"bad_signature": "100%"}))),
    "iam late": ("upgrade", _all(_asked(type="iam"), _users(credentials={"clock_skew": "6m"}))),
    "iam silent": ("upgrade", _all(_asked(type="iam"), _users(credentials={"policy": "silent"}))),
    "no key": ("upgrade", _route("upgrade", api_key_required=True)),
    "plan": ("upgrade", _plan(throttle=_ONE)),
    "quota": ("upgrade", _plan(quota={"limit": 1, "period": "day"})),
    "outage": ("upgrade", _cut),
    "route of messages": ("message", _route("message", throttle=_ONE)),
    "stage of messages": ("message", _stage),
    "account of messages": (
        "message",
        _top(account={"throttle": {"rate_limit": 0, "burst_limit": 3}}),
    ),
    "unmatched": ("none", _only("sing")),
    "by default": ("default", _only("$default")),
    "bad body": ("message", _route("message", validate={"reject": "100%"})),
    "too large": ("message", _sessions(size="131073B")),
    "binary": ("message", _sessions(binary="100%")),
    "account of pushes": (
        "push",
        _top(account={"throttle": {"rate_limit": 0, "burst_limit": 9}}),
    ),
}
