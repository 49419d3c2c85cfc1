"""Request validators and size limits of each binding: which gates it has, and how many fail."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from apisim.draws.distributions import Distribution
from apisim.gateway.limits import (
    BODY_BYTES,
    HEADER_BYTES,
    HTTP_HEAD_BYTES,
    URL_BYTES,
    WEBSOCKET_URL_BYTES,
)
from apisim.gateway.validation import VALIDATION_DTYPE
from apisim.scenario.api import Api, Route
from apisim.scenario.traffic import Source
from apisim.scenario.validators import invalid_share

__all__ = ["Validations", "can_be_too_large", "can_exceed", "lacking_share"]

#: What happens more rarely is taken not to happen: unbounded laws would all reach 10 MB otherwise.
_NEVER = 1e-9


class Validations:
    """Rows of the table of validations under construction; equal ones are one row."""

    def __init__(self) -> None:
        self._rows: dict[tuple[float, float], int] = {}

    def add(self, route: Route, source: Source, line: str, lacking: float) -> int | None:
        """Row of what a source sends to a route; None where nothing can fail.

        Parameters
        ----------
        route : Route
        source : Source
        line : str
            The source's line of the mix; empty for a log.
        lacking : float
            Share of its calls that lack a required parameter.
        """
        asked = route.validation
        if asked is None:
            return None
        invalid = asked.reject or 0.0
        if asked.body is not None and line in source.bodies:
            invalid = invalid_share(asked.body, source.bodies[line])
        if not lacking and not invalid:
            return None
        return self._rows.setdefault((lacking, invalid), len(self._rows))

    def table(self) -> NDArray[np.void]:
        """``VALIDATION_DTYPE[n]``."""
        return np.array(list(self._rows), VALIDATION_DTYPE)


def lacking_share(
    route: Route,
    source: Source,
    said: Mapping[str, str] | None = None,
    *,
    has_keys: bool = False,
) -> float:
    """Share of a source's calls of a route that lack a required parameter.

    Parameters
    ----------
    route : Route
    source : Source
    said : mapping of str to str, optional
        Of a log: parameters of path and query. What headers it had is not known: they count as
        sent.
    has_keys : bool
        Whether the customers behind the source have API keys of their own, which they send.
    """
    if route.validation is None:
        return 0.0
    sent = source.sent_parameters | ({"header.x-api-key"} if has_keys else set())
    whole = 1.0
    for parameter in route.validation.parameters:
        kind = parameter.partition(".")[0]
        if said is not None:
            # Blank counts as missing (developer guide, "Request validation for REST APIs").
            if kind != "header" and not said.get(parameter, "").strip():
                return 1.0
        elif kind != "path":  # a path that lacks one would be another route's
            if parameter not in sent:
                return 1.0
            whole *= 1.0 - source.missing.get(parameter, 0.0)
    return 1.0 - whole


def can_be_too_large(api: Api, route: Route | None, source: Source) -> bool:
    """Whether a source's requests can be over a size limit."""
    if api.type == "websocket":  # of the upgrade; how large messages are is asked elsewhere
        return can_exceed(source.url_size, WEBSOCKET_URL_BYTES)
    url, head = HTTP_HEAD_BYTES // 2, HTTP_HEAD_BYTES // 2
    if api.type == "rest":
        url, head = URL_BYTES[api.endpoint], HEADER_BYTES
    # An HTTP API limits both together: one of them is over half of it then.
    given = [(source.url_size, url), (source.header_size, head)]
    if route is not None:
        given.append((route.request_size, BODY_BYTES))
    return any(can_exceed(law, limit) for law, limit in given)


def can_exceed(law: Distribution | None, limit_bytes: float) -> bool:
    """Whether sizes of a law are larger than a limit often enough to count."""
    return law is not None and 1.0 - law.cdf(float(limit_bytes)) > _NEVER
