"""Settings that each type of API has its own of."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from apisim.scenario.distributions import TimeDistribution
from apisim.scenario.fields import duration
from apisim.scenario.model import Finding, Model, as_written

__all__ = ["BY_TYPE", "AuthorizerTimeout", "GatewayOverhead", "KeySetLifetime", "for_each_type"]


class _ByType(Model):
    """A value for each type of API, or one value for all of them."""

    @classmethod
    def normalise(cls, data: Any) -> Any:
        """One value stands for all types."""
        return _spread(data, cls)

    @classmethod
    def relocate(cls, data: Any, findings: list[Finding]) -> list[Finding]:
        """What is wrong with one value for all is said once."""
        if _spread(data, cls) is data:
            return findings
        return [one._replace(at=one.at[1:]) for one in findings if one.at[:1] in ((), ("rest",))]


def _spread(data: Any, model: type[_ByType]) -> Any:
    types = model.model_fields
    if isinstance(data, Mapping) and (not data or set(data) & set(types)):
        return data
    return dict.fromkeys(types, data)


class GatewayOverhead(_ByType):
    """Time the gateway itself takes for a request it passes on, by API type.

    Attributes
    ----------
    rest, http, websocket : Distribution
        Time [ns].
    """

    rest: TimeDistribution = as_written({"p50": "12ms", "p99": "40ms"})
    http: TimeDistribution = as_written({"p50": "5ms", "p99": "10ms"})
    websocket: TimeDistribution = as_written({"p50": "10ms", "p99": "40ms"})


class AuthorizerTimeout(_ByType):
    """How long the gateway waits for a Lambda authorizer, by API type; WebSocket APIs as REST.

    Attributes
    ----------
    rest, http : int
        Time [ns].
    """

    rest: Annotated[int, duration("50ms", "29s")] = as_written("29s")
    http: Annotated[int, duration("50ms", "10s")] = as_written("10s")


class KeySetLifetime(_ByType):
    """How long a jwt authorizer keeps its issuer's keys, by API type.

    Attributes
    ----------
    rest, http : int
        Time [ns].
    """

    rest: Annotated[int, duration("1s", "1d")] = as_written("1h")
    http: Annotated[int, duration("1s", "1d")] = as_written("2h")


#: Model of each setting whose value goes by type.
BY_TYPE: Final[dict[str, type[_ByType]]] = {
    "gateway_overhead": GatewayOverhead,
    "authorizer_timeout": AuthorizerTimeout,
    "key_set_lifetime": KeySetLifetime,
}


def for_each_type(setting: str, data: Any) -> Any:
    """Value of a setting of ``BY_TYPE`` by type, where one is given for all of them."""
    return _spread(data, BY_TYPE[setting])
