"""Which requests a price book charges, and how it cuts them into units: what the engine is told.

The one official list of exemptions was withdrawn by AWS in January 2022 and two later answers of
its staff repeat it, so whether an outcome is charged is data of the book, with its evidence, and
not code. An outcome without a rule is charged if the book says so by default: that is the case of
an authorizer that *fails* (500), which the list of exemptions never named. A book without rules
charges everything; the textbook's book is one, because the chapter does not say.
"""

from typing import Final

from apisim.pricing.book import PriceBook

__all__ = [
    "API_METERS",
    "NOT_REQUESTS",
    "OUTCOME_RULES",
    "RULE_NAMES",
    "billable_units",
    "charge_table",
    "metering_increment",
    "stream_increment",
]

#: Meter of the requests (messages) of each API type.
API_METERS: Final = {
    "rest": "apigateway.rest.requests",
    "http": "apigateway.http.requests",
    "websocket": "apigateway.websocket.messages",
}

#: Outcomes of requests, as the engine names them, with the book's rule for each ("" for none).
#: ``throttled`` is the rule of throttling by the gateway; AWS exempts usage plans alike.
OUTCOME_RULES: Final = {
    "served": "integration_response",
    "cache_hit": "cache_hit",
    "mock": "mock_integration",
    "preflight": "options_preflight",
    "throttled": "gateway_throttled",
    "quota": "usage_plan_throttled_or_over_quota",
    "unauthorized": "authentication_or_authorization_failure",
    "forbidden": "authentication_or_authorization_failure",
    "authorizer_failed": "",
    "no_key": "api_key_missing_or_invalid",
    "blocked": "waf_blocked",
    "invalid": "request_validation_failure",
    "not_found": "no_such_route",
    "timeout": "integration_error_or_timeout",
    "backend_error": "integration_error_or_timeout",
    "backend_throttled": "integration_throttled",
    "cors_blocked": "integration_response",  # the browser hides an answer that was given
    "sent": "",  # a message to a connection
}

#: Outcomes of calls that never reached an API, or a client: no book charges them.
NOT_REQUESTS: Final = ("no_token", "gone", "unavailable")

#: Upgrades and closes are no messages: they are charged only where a book says so.
_NO_MESSAGES: Final = {"connected": "websocket_connect_disconnect"}

#: Every rule a book may have.
RULE_NAMES: Final = frozenset(
    {*OUTCOME_RULES.values(), *_NO_MESSAGES.values(), "websocket_ping_pong"} - {""}
)


def charge_table(book: PriceBook) -> dict[str, bool]:
    """Whether a request is charged, by its outcome.

    Parameters
    ----------
    book : PriceBook
        Supplies the rules and the default.

    Returns
    -------
    dict of str to bool
        One entry for each name in :data:`OUTCOME_RULES` and :data:`NOT_REQUESTS`, and one for
        ``connected``, which is about everything that opens or closes a WebSocket connection.
    """
    rules = book.charge_rules
    charged = {
        outcome: rules[rule].is_charged if rule in rules else book.is_charged_by_default
        for outcome, rule in OUTCOME_RULES.items()
    }
    for outcome, rule in _NO_MESSAGES.items():
        charged[outcome] = rule in rules and rules[rule].is_charged
    return charged | dict.fromkeys(NOT_REQUESTS, False)


def metering_increment(book: PriceBook, api_type: str) -> int | None:
    """Size of one billed unit of an API type.

    Parameters
    ----------
    book : PriceBook
        A regional book inherits the increments of the book it extends.
    api_type : str
        ``rest``, ``http`` or ``websocket``.

    Returns
    -------
    int or None
        Bytes, or None where a request is one unit whatever its size.

    Raises
    ------
    PricingError
        If the book has no meter for that API type.
    """
    return book.meter(API_METERS[api_type]).increment_bytes


def stream_increment(book: PriceBook) -> int | None:
    """Size of one billed unit of an answer that a REST API streams [bytes]; None: one is a unit."""
    meter = book.meters.get(API_METERS["rest"])
    return None if meter is None else meter.stream_increment_bytes


def billable_units(book: PriceBook, meter: str, size_bytes: int) -> int:
    """Units billed for one event of ``size_bytes``.

    Parameters
    ----------
    book : PriceBook
        Supplies the meter's increment.
    meter : str
        Name of the meter.
    size_bytes : int
        What the meter's basis measures [bytes], >= 0; an empty event is one unit.

    Raises
    ------
    PricingError
        If the book has no such meter.
    ValueError
        If ``size_bytes`` is negative.

    Examples
    --------
    >>> from apisim.pricing import load_book
    >>> billable_units(load_book("aws-us-east-1"), "apigateway.http.requests", 4_718_592)
    9
    """
    if size_bytes < 0:
        raise ValueError(f"need size_bytes >= 0, got {size_bytes}")
    increment = book.meter(meter).increment_bytes
    if increment is None:
        return 1
    return -(-max(size_bytes, 1) // increment)
