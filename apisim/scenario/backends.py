"""What is behind the API: Lambda functions and HTTP endpoints, and the account they run in."""

from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

from apisim.scenario.api import Throttle
from apisim.scenario.distributions import TimeDistribution
from apisim.scenario.fields import choice, duration, share, size, whole
from apisim.scenario.model import Context, Model, as_written
from apisim.scenario.regions import account_throttle
from apisim.scenario.units import SIZE_UNITS_BYTES

__all__ = ["Account", "HttpEndpoint", "LambdaFunction"]

#: Concurrent executions an account may be given by quota increase; a documented bound of ours.
MAX_CONCURRENCY = 1_000_000


class Account(Model):
    """What all APIs and functions of the account share in the region.

    Attributes
    ----------
    throttle : Throttle
        Bucket every request of every API draws from. What is left out is the region's (10,000/s
        and 5,000, in thirteen regions 2,500/s and 1,250).
    lambda_concurrency : int
        Executions at a time over all functions, default 1,000 (Lambda quotas); 0 lets nothing run.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"background"})

    throttle: Throttle
    lambda_concurrency: Annotated[int, whole(0, MAX_CONCURRENCY)] = 1_000

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """The region's default throttle."""
        throttle = data.get("throttle", {})
        if not isinstance(throttle, dict):
            return data
        return {**data, "throttle": {**account_throttle(context.region), **throttle}}


class LambdaFunction(Model):
    """Lambda function.

    Attributes
    ----------
    memory : int
        Memory [bytes], whole megabytes from 128 MB (default) to 10,240 MB (Lambda quotas).
    architecture : {"x86", "arm64"}
        Decides the price of a GB-second.
    duration : Distribution
        Time of one invocation without a cold start [ns].
    init : Distribution
        Additional time of a cold start [ns], default 0.
    timeout : int or None
        Invocations are ended after this time [ns], 1 ms to 900 s. None, the default, ends none:
        what bounds the caller's wait is the integration's timeout (Lambda's own default is 3 s).
    errors : float
        Share of invocations that fail, in [0, 1], default 0.
    reserved_concurrency : int or None
        Executions set aside for this function, and its limit; 0 lets nothing run. None shares
        what the others leave.
    """

    LATER: ClassVar[frozenset[str]] = frozenset(
        {"calls", "ephemeral_storage", "provisioned", "provisioned_concurrency", "snap_start"}
    )

    memory: Annotated[int, size("128MB", "10240MB", "Lambda", "1MB")] = as_written("128MB")
    architecture: Annotated[Literal["x86", "arm64"], choice("x86", "arm64")] = "x86"
    duration: TimeDistribution
    init: TimeDistribution = as_written("0s")
    timeout: Annotated[int, duration("1ms", "900s", "Lambda")] | None = None
    errors: Annotated[float, share()] = as_written(0)
    reserved_concurrency: Annotated[int, whole(0, MAX_CONCURRENCY)] | None = None

    @property
    def memory_mb(self) -> int:
        """Memory [MB]."""
        return self.memory // SIZE_UNITS_BYTES["MB"]

    @property
    def memory_gb(self) -> Fraction:
        """Memory [GB], exact: what a GB-second is counted with."""
        return Fraction(self.memory, SIZE_UNITS_BYTES["GB"])


class HttpEndpoint(Model):
    """HTTP backend: a number of servers with one queue.

    Attributes
    ----------
    servers : int
        Requests served at a time, 1 to 1,000,000.
    queue_limit : int or None
        Requests that may wait; more are answered with an error. None has no limit.
    service_time : Distribution
        Time a server needs for one request [ns].
    errors : float
        Share of requests that fail, in [0, 1], default 0.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"behind", "calls", "discipline"})

    servers: Annotated[int, whole(1, 1_000_000)]
    queue_limit: Annotated[int, whole(0, 1_000_000_000)] | None = None
    service_time: TimeDistribution
    errors: Annotated[float, share()] = as_written(0)
