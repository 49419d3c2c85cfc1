"""Settings that REST and HTTP APIs have each their own of."""

from collections.abc import Mapping
from typing import Annotated, Any

from apisim.scenario.distributions import TimeDistribution
from apisim.scenario.fields import duration
from apisim.scenario.model import Finding, Model, as_written

__all__ = ["AuthorizerTimeout", "GatewayOverhead", "KeySetLifetime", "both_types"]


class _ByType(Model):
    """Two values, one for each type of API, or one value for both."""

    @classmethod
    def normalise(cls, data: Any) -> Any:
        """One value stands for both types."""
        return both_types(data)

    @classmethod
    def relocate(cls, data: Any, findings: list[Finding]) -> list[Finding]:
        """What is wrong with one value for both is said once."""
        if both_types(data) is data:
            return findings
        return [one._replace(at=one.at[1:]) for one in findings if one.at[:1] != ("http",)]


class GatewayOverhead(_ByType):
    """Time the gateway itself takes for a request it passes on, by API type.

    Attributes
    ----------
    rest, http : Distribution
        Time [ns].
    """

    rest: TimeDistribution = as_written({"p50": "12ms", "p99": "40ms"})
    http: TimeDistribution = as_written({"p50": "5ms", "p99": "10ms"})


class AuthorizerTimeout(_ByType):
    """How long the gateway waits for a Lambda authorizer, by API type.

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


def both_types(data: Any) -> Any:
    """``{rest, http}`` of a value given for both."""
    if isinstance(data, Mapping) and (not data or set(data) & {"rest", "http"}):
        return data
    return {"rest": data, "http": data}
