"""Quotas of API Gateway and Lambda: name, code, value, and whether one can ask for more.

Values and what is adjustable are those of the quota tables of both services (API Gateway developer
guide, "Quotas and important notes", 2025; Lambda developer guide, "Lambda quotas"). Of the codes of
Service Quotas only the one that those pages print is here; the console of the account has the
others.
"""

from dataclasses import dataclass
from typing import Final

__all__ = ["ADJUSTABLE", "FIXED", "OF_RATE", "OURS", "QUOTAS", "Quota"]

#: Who decides about a limit.
ADJUSTABLE: Final = "AWS, on request"
FIXED: Final = "nobody: AWS fixes it"
OF_RATE: Final = "AWS, from the rate"
OURS: Final = "you"

_GATEWAY: Final = "apigateway"
_LAMBDA: Final = "lambda"


@dataclass(frozen=True, slots=True)
class Quota:
    """One quota.

    Attributes
    ----------
    name : str
        As the quota tables have it.
    service : str
        Service code of Service Quotas: ``apigateway`` or ``lambda``.
    limit : float or None
        Default; None where it depends on the region, the endpoint or the scenario.
    unit : str
        What it counts: ``1/s``, ``requests``, ``executions``, ``bytes``, ``s`` or a thing.
    decided_by : str
        :data:`ADJUSTABLE`, :data:`FIXED` or :data:`OF_RATE`.
    code : str or None
        Quota code of Service Quotas; None where no source at hand names it.

    Examples
    --------
    >>> QUOTAS["account_rate"].code, QUOTAS["account_burst"].is_requestable
    ('L-8A5B8E43', False)
    """

    name: str
    service: str
    limit: float | None
    unit: str
    decided_by: str
    code: str | None = None

    @property
    def is_requestable(self) -> bool:
        """Whether Service Quotas takes a request for more."""
        return self.decided_by == ADJUSTABLE


#: By the name that code uses.
QUOTAS: Final[dict[str, Quota]] = {
    # AWS sets the burst from the rate; it is no quota that anybody can ask for.
    "account_rate": Quota("Throttle rate", _GATEWAY, None, "1/s", ADJUSTABLE, "L-8A5B8E43"),
    "account_burst": Quota("Throttle burst", _GATEWAY, None, "requests", OF_RATE),
    "new_connections": Quota(
        "New WebSocket connections per second", _GATEWAY, 500, "1/s", ADJUSTABLE
    ),
    # AWS names a rate and no burst; a second's worth is assumed.
    "connection_burst": Quota(
        "Burst of new WebSocket connections, assumed", _GATEWAY, None, "connections", OF_RATE
    ),
    "concurrency": Quota("Concurrent executions", _LAMBDA, 1_000, "executions", ADJUSTABLE),
    # Ten for each unit of concurrency: it grows with that quota and with nothing else.
    "lambda_rate": Quota(
        "Invocation requests per second (10 x concurrency)", _LAMBDA, None, "1/s", FIXED
    ),
    "scaling": Quota(
        "Concurrency scaling rate per function in 10 s", _LAMBDA, 1_000, "environments", FIXED
    ),
    "rest_timeout": Quota("Integration timeout (REST)", _GATEWAY, 29, "s", ADJUSTABLE),
    "edge_timeout": Quota("Integration timeout (edge-optimized)", _GATEWAY, 29, "s", FIXED),
    "http_timeout": Quota("Integration timeout (HTTP)", _GATEWAY, 30, "s", FIXED),
    "websocket_timeout": Quota("Integration timeout (WebSocket)", _GATEWAY, 29, "s", FIXED),
    "stream_timeout": Quota("Response streaming, longest", _GATEWAY, 900, "s", FIXED),
    "authorizer_timeout": Quota("Authorizer response timeout (HTTP)", _GATEWAY, 10, "s", FIXED),
    "payload": Quota("Payload size", _GATEWAY, 10 * 1024**2, "bytes", FIXED),
    "message": Quota("WebSocket message size", _GATEWAY, 128 * 1024, "bytes", FIXED),
    "frame": Quota("WebSocket frame size", _GATEWAY, 32 * 1024, "bytes", FIXED),
    "lambda_payload": Quota("Synchronous payload", _LAMBDA, 6 * 1024**2, "bytes", FIXED),
    "cached_response": Quota("Cached response size", _GATEWAY, 1_048_576, "bytes", FIXED),
    "url": Quota("URL length", _GATEWAY, None, "bytes", FIXED),
    "headers": Quota("Headers, all together", _GATEWAY, 10_240, "bytes", FIXED),
    "head": Quota("Request line and headers", _GATEWAY, 10_240, "bytes", FIXED),
    "regional_apis": Quota("Regional APIs", _GATEWAY, 600, "APIs", FIXED),
    "edge_apis": Quota("Edge-optimized APIs", _GATEWAY, 120, "APIs", FIXED),
    "private_apis": Quota("Private APIs", _GATEWAY, 600, "APIs", FIXED),
    "resources": Quota("Resources per API (REST)", _GATEWAY, 300, "resources", ADJUSTABLE),
    "routes": Quota("Routes per API", _GATEWAY, 300, "routes", ADJUSTABLE),
    "stages": Quota("Stages per API", _GATEWAY, 10, "stages", ADJUSTABLE),
    "authorizers": Quota("Authorizers per API", _GATEWAY, 10, "authorizers", ADJUSTABLE),
    "variables": Quota("Stage variables per stage", _GATEWAY, 100, "variables", FIXED),
    "usage_plans": Quota("Usage plans", _GATEWAY, 300, "usage plans", ADJUSTABLE),
    "api_keys": Quota("API keys", _GATEWAY, 10_000, "API keys", FIXED),
    "plans_per_key": Quota("Usage plans per API key", _GATEWAY, 10, "usage plans", ADJUSTABLE),
    "plan_methods": Quota(
        "Method throttles per stage and usage plan", _GATEWAY, 20, "methods", ADJUSTABLE
    ),
    "vpc_links": Quota("VPC links", _GATEWAY, None, "VPC links", ADJUSTABLE),
    "domains": Quota("Custom domains", _GATEWAY, 120, "domains", ADJUSTABLE),
    "mappings": Quota("Multi-level API mappings per domain", _GATEWAY, 200, "mappings", FIXED),
    "cache_ttl": Quota("Cache TTL", _GATEWAY, 3_600, "s", FIXED),
    "function_timeout": Quota("Function timeout", _LAMBDA, 900, "s", FIXED),
}
