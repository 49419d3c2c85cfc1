"""Usage plans and API keys: what each client of a REST API may ask for.

A key belongs to a client. A plan says what the keys in it may do on the API stages it is attached
to; its numbers hold for each key alone, over all those stages together (developer guide, "Usage
plans and API keys for REST APIs").
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from apisim.scenario.api import Throttle
from apisim.scenario.domains import api_of, refuse_api
from apisim.scenario.fields import Reader, choice, decimal, flag, name, whole
from apisim.scenario.model import Context, Finding, Model, fail, fail_all
from apisim.scenario.routes import parse_route_key
from apisim.scenario.units import UnitError, parse_share, shown
from apisim.scenario.websocket_routes import CONNECT

__all__ = ["ApiKey", "PlanShares", "Quota", "UsagePlan"]

_Name = Annotated[str, name()]
_AMOUNT: Final = decimal("0", "1000000000")
_STAGE: Final = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,127}(/[A-Za-z0-9_$][A-Za-z0-9_-]{0,127})?"


def _read_price(value: Any, context: Context) -> Decimal:
    written = value.strip() if isinstance(value, str) else value
    if isinstance(written, str) and written.endswith("/month"):
        written = written.removesuffix("/month").strip()
    elif isinstance(written, str) and "/" in written:
        raise UnitError(f"{shown(value)} is not a price", "prices are a month: 0 or 499/month")
    elif _AMOUNT.read(written, context) != 0:
        raise UnitError(f"{shown(value)} does not say how often", f"write {value}/month")
    return Decimal(_AMOUNT.read(written, context))


def _read_stage(value: Any, context: Context) -> str:
    if not isinstance(value, str) or not re.fullmatch(_STAGE, value):
        raise UnitError(f"must be an API and its stage, got {shown(value)}", "write API/STAGE")
    if api_of(value, context.apis) is None:
        refuse_api(value, context)
    return value


_PRICE_SCHEMA: Final[dict[str, Any]] = {
    "type": ["number", "string"],
    "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*(/month)?\s*$",
    "description": "Price of a key: 0 or 499/month.",
}


def _read_route(value: Any, context: Context) -> str:
    return CONNECT if value == CONNECT else str(parse_route_key(value))


#: Route that may ask for a key; of a WebSocket API only ``$connect`` does.
_RouteName = Annotated[
    str,
    Reader(_read_route, {"type": "string", "pattern": r"^(\$default|\$connect|[A-Z]+ +/.*)$"}),
]
#: An API's stage as ``API/STAGE``; the stage may be left out.
_StageName = Annotated[str, Reader(_read_stage, {"type": "string", "pattern": f"^{_STAGE}$"})]


class Quota(Model):
    """How many requests a key may make in a period.

    Attributes
    ----------
    limit : int
        Requests of one key in one period, over all stages of the plan, 1 to 10^12.
    period : {"day", "week", "month"}
        Periods are those of the calendar, in UTC.
    offset : int
        Requests subtracted from the limit in the period in which the run begins (API reference,
        ``QuotaSettings``), default 0.
    """

    limit: Annotated[int, whole(1, 10**12)]
    period: Annotated[Literal["day", "week", "month"], choice("day", "week", "month")]
    offset: Annotated[int, whole(0, 10**12)] = 0


class UsagePlan(Model):
    """A usage plan.

    Attributes
    ----------
    throttle : Throttle or None
        Token bucket of each key, shared by all stages and methods of the plan; None: no bucket.
    quota : Quota or None
        None: as many as the throttle lets by.
    price : decimal.Decimal
        What a key costs its owner a month, in the price book's currency: 0 (default) or
        ``499/month``. It changes no number of a bill: what plans bring in stands beside what they
        cost.
    api_keys : list of str
        Keys in the plan, beside those of the populations that have it.
    api_stages : dict of str to dict of str to Throttle
        Stages the plan opens, ``API/STAGE``, each with the routes that have a throttle of their own
        for each key.
    split : tuple of str
        Those that are one of several stages of an API; not written.
    """

    throttle: Throttle | None = None
    quota: Quota | None = None
    price: Annotated[Decimal, Reader(_read_price, _PRICE_SCHEMA)] = Decimal(0)
    api_keys: list[_Name] = Field(default_factory=list)
    api_stages: dict[_StageName, dict[_RouteName, Throttle]] = Field(default_factory=dict)
    split: tuple[str, ...] = ()

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"split"})

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Which of the stages are one of several."""
        stages = data.get("api_stages")
        written = stages if isinstance(stages, dict) else ()
        return {**data, "split": tuple(stage for stage in written if stage in context.split)}

    def api_of(self, stage: str) -> str:
        """Name under ``apis`` of one of the plan's stages."""
        return stage if stage in self.split else stage.partition("/")[0]

    @property
    def apis(self) -> dict[str, dict[str, Throttle]]:
        """Throttles of single routes by API."""
        return {self.api_of(stage): routes for stage, routes in self.api_stages.items()}


class ApiKey(Model):
    """A key by itself; one that is only named in a plan or a source needs no entry.

    Attributes
    ----------
    enabled : bool
        A key that is not is refused as if it were unknown. Default true.
    """

    enabled: Annotated[bool, flag()] = True


def _read_shares(value: Any, context: Context) -> dict[str, float]:
    if not isinstance(value, Mapping) or not value:
        raise fail(f"must be a mapping of plan to share, got {shown(value)}", "write {free: 100%}")
    findings: list[Finding] = []
    shares: dict[str, float] = {}
    for plan, written in value.items():
        try:
            shares[str(plan)] = float(parse_share(written))
        except UnitError as error:
            findings.append(Finding((plan,), error.message, error.hint))
    if findings:
        raise fail_all(findings)
    if abs(sum(shares.values()) - 1) > 1e-9:
        total = f"{100 * sum(shares.values()):g}%"
        raise fail(f"the shares add up to {total}", "each customer has one plan: make it 100%")
    return shares


#: Plans of a population's customers with the share of customers that have each.
PlanShares = Annotated[
    dict[str, float],
    Reader(
        _read_shares,
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": ["string", "integer"]},
            "description": "Shares of the customers by usage plan: {free: 90%, gold: 10%}.",
        },
    ),
]
