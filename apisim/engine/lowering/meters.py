"""What the requests of a route are metered by: whether each answer is charged, and what a unit is.

Most routes have the meter of their API. Those with a mock integration are charged as the book
charges mocks, and those whose answers are streamed have units of their own.
"""

import numpy as np
from numpy.typing import NDArray

from apisim.engine.lowering.context import Context
from apisim.engine.tables import METER_DTYPE
from apisim.gateway.metering import BASES, RESPONSE_PAYLOAD
from apisim.gateway.status import ANSWERS, Answer
from apisim.scenario.api import Api, Route

__all__ = ["Meters"]

#: Outcomes of requests that an integration has answered.
_ANSWERED = ("served", "cors_blocked")


class Meters:
    """The meters of all APIs: first one of each, in order, then those of single routes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        charged = context.charging.charged
        self._mock_is_charged = charged.get("mock", charged["served"])
        apis = context.scenario.apis.values()
        self._rows = [self._of_api(api) for api in apis]
        self._charged = [self._charged_of(api) for api in apis]
        self._known: dict[tuple[int, bool, bool], int] = {}

    def of_route(self, at: int, route: Route) -> int:
        """Meter of a route of the ``at``-th API."""
        is_mock, streams = route.integration.type == "mock", route.integration.is_streamed
        if not is_mock and not streams:
            return at
        key = at, is_mock, streams
        if key not in self._known:
            row, charged = self._rows[at], self._charged[at].copy()
            if is_mock:
                for answer, facts in ANSWERS.items():
                    if facts.outcome in _ANSWERED:
                        charged[answer] = self._mock_is_charged
            if streams:
                row = (self._context.charging.stream_increment_bytes, RESPONSE_PAYLOAD)
            self._known[key] = self._add(row, charged)
        return self._known[key]

    def of_automatic(self, at: int) -> int:
        """Meter of what answers the preflights of the ``at``-th API, an HTTP API."""
        if self._context.scenario.settings.http_preflights == "counted":
            return at
        charged = self._charged[at].copy()
        charged[[Answer.PREFLIGHT, Answer.PREFLIGHT_FAILED]] = 0
        return self._add(self._rows[at], charged)

    def tables(self) -> tuple[NDArray[np.void], NDArray[np.uint8]]:
        """METER_DTYPE[n_meters], and whether each charges each answer."""
        charged = np.array(self._charged, np.uint8).reshape(len(self._rows), len(ANSWERS))
        return np.array(self._rows, METER_DTYPE), charged

    def _add(self, row: tuple[int, int], charged: NDArray[np.uint8]) -> int:
        self._rows.append(row)
        self._charged.append(charged)
        return len(self._rows) - 1

    def _of_api(self, api: Api) -> tuple[int, int]:
        basis = self._context.scenario.settings.http_metering_basis
        return self._context.charging.increment_bytes[api.type], BASES.index(basis)

    def _charged_of(self, api: Api) -> NDArray[np.uint8]:
        rules = self._context.charging.charged
        charged = np.zeros(len(ANSWERS), np.uint8)
        for answer, facts in ANSWERS.items():
            charged[answer] = rules[facts.outcome]
        if api.type == "http":
            # There a function that raises is one that fails, whatever it raises.
            charged[Answer.UNAUTHORIZED_BY_FUNCTION] = charged[Answer.AUTHORIZER_FAILED]
        # A handshake that fails is no request, whatever a book says of those that are forbidden.
        charged[Answer.MTLS_FAILED] = 0
        # Nor is one that no API was found for.
        charged[Answer.NO_MAPPING] = 0
        # A preflight that fails is one all the same.
        charged[Answer.PREFLIGHT_FAILED] = charged[Answer.PREFLIGHT]
        return charged
