"""Throttle limits as buckets, and which of them each route's requests have to pass."""

from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from apisim.engine.lowering.context import Context
from apisim.gateway.throttle import BUCKET_DTYPE, MAX_LEVELS, NO_BUCKET, fill_bucket
from apisim.scenario.api import Route, StageThrottle
from apisim.scenario.settings import Settings
from apisim.scenario.websocket_routes import CONNECT, CONNECTIONS, DISCONNECT

if TYPE_CHECKING:
    from apisim.engine.lowering.apis import LoweredApis

__all__ = [
    "ACCOUNT_PLACE",
    "LEVELS",
    "AccountBuckets",
    "divided_bucket",
    "lower_levels",
    "shared_bucket",
]

#: Levels of the throttle hierarchy by the kind of their buckets.
LEVELS = ("method", "stage", "account", "connections")
_METHOD, _STAGE, _ACCOUNT, _CONNECTIONS = range(MAX_LEVELS)
#: Where the bucket of each kind stands among a route's: new connections are looked at first.
_PLACE = (1, 2, 3, 0)
ACCOUNT_PLACE = _PLACE[_ACCOUNT]


class _Limit(Protocol):
    """Rate and burst of a bucket."""

    @property
    def rate_limit(self) -> Fraction: ...
    @property
    def burst_limit(self) -> int: ...


class AccountBuckets:
    """What all APIs of the account share."""

    def __init__(self, context: Context, lowered: "LoweredApis") -> None:
        account = context.scenario.account
        left_rps = account.throttle.rate_limit - account.background.requests
        left = account.throttle.model_copy(update={"rate_limit": left_rps})
        path = ("account", "throttle")
        self.requests = _bucket(context, lowered, left, _ACCOUNT, "account", path)
        self.connections = NO_BUCKET
        if any(api.type == "websocket" for api in context.scenario.apis.values()):
            limit, path = account.new_connections, ("account", "new_connections")
            self.connections = _bucket(context, lowered, limit, _CONNECTIONS, "account", path)


def shared_bucket(
    context: Context, lowered: "LoweredApis", api: str, stage: str, throttle: StageThrottle | None
) -> int:
    """The one bucket of a stage under ``scope: shared``; none under ``scope: method``."""
    if throttle is None or throttle.scope != "shared":
        return NO_BUCKET
    path = ("apis", api, "stage", "throttle")
    return _bucket(context, lowered, throttle, _STAGE, stage, path)


def lower_levels(
    context: Context,
    lowered: "LoweredApis",
    index: int,
    route: Route,
    account: AccountBuckets,
    shared: int,
) -> None:
    """Buckets of the route with this index, by the level they are looked at.

    Under ``scope: method`` a stage's limit is a default that each method gets for itself and a
    method's own limit replaces it (AWS); under ``scope: shared`` it is one bucket for the whole
    stage, and ``settings.method_limit`` says whether a method with its own limit is held to both.

    Of a WebSocket API's routes, ``$connect`` passes the account's limit of new connections too, a
    push the account's limit of requests alone, and the end of a connection none.
    """
    api, key = lowered.route_names[index]
    levels = lowered.levels[index]
    is_websocket = context.scenario.apis[api].type == "websocket"
    if is_websocket and key == DISCONNECT:
        return
    levels[ACCOUNT_PLACE] = account.requests
    if is_websocket and key == CONNECTIONS:
        return
    if is_websocket and key == CONNECT:
        levels[_PLACE[_CONNECTIONS]] = account.connections
    path: tuple[str, ...] = ("apis", api, "routes", key, "throttle")
    stage = context.scenario.apis[api].stage.throttle
    if route.throttle is not None:
        label = f"{api} {key}"
        levels[_PLACE[_METHOD]] = _bucket(context, lowered, route.throttle, _METHOD, label, path)
        if context.scenario.settings.method_limit == "replaces_stage":
            return
    if shared != NO_BUCKET:
        levels[_PLACE[_STAGE]] = shared
    elif stage is not None and route.throttle is None:
        path = ("apis", api, "stage", "throttle")
        levels[_PLACE[_STAGE]] = _bucket(context, lowered, stage, _STAGE, f"{api} {key}", path)


def _bucket(
    context: Context,
    lowered: "LoweredApis",
    throttle: _Limit,
    kind: int,
    label: str,
    path: tuple[str, ...],
) -> int:
    """First bucket of a limit: one, or one for each part that ``sloppiness`` divides it into."""
    settings = context.scenario.settings
    n_parts = settings.sloppiness
    rows = np.zeros(n_parts, BUCKET_DTYPE)
    try:
        rows = divided_bucket(settings, throttle, kind)
    except OverflowError as error:
        context.refuse(path, str(error), "use a rate with fewer decimals or a smaller burst")
    first = len(lowered.bucket_names)
    for at in range(n_parts):
        part = f", part {at + 1} of {n_parts}" if n_parts > 1 else ""
        lowered.bucket_names.append((LEVELS[kind], f"{label}{part}"))
    lowered.bucket_rows.append(rows)
    return first


def divided_bucket(settings: Settings, throttle: _Limit, kind: int) -> NDArray[np.void]:
    """Buckets of one limit, one for each part that ``settings.sloppiness`` divides it into.

    Raises
    ------
    OverflowError
        If they cannot be held exactly.
    """
    n_parts = settings.sloppiness
    rows = np.zeros(n_parts, BUCKET_DTYPE)
    rate = Fraction(throttle.rate_limit) / n_parts
    whole, left = divmod(throttle.burst_limit, n_parts)
    for at, row in enumerate(rows):
        is_full = settings.buckets_start == "full"
        fill_bucket(row, rate, whole + (at < left), kind, starts_full=is_full)
    return rows
