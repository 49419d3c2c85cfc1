"""What is behind the API: Lambda functions and HTTP endpoints, and the account they run in."""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from apisim.draws.distributions import Distribution
from apisim.scenario.actions import ServiceAction
from apisim.scenario.api import Throttle
from apisim.scenario.distributions import TimeDistribution
from apisim.scenario.fields import choice, duration, flag, name, rate, share, size, whole
from apisim.scenario.logs import LogRetention
from apisim.scenario.model import Context, Finding, Model, as_written, fail, fail_all
from apisim.scenario.regions import account_throttle
from apisim.scenario.runtimes import PACKAGES, RUNTIMES, init_of
from apisim.scenario.stage import MAX_BURST
from apisim.scenario.units import SIZE_UNITS_BYTES, UnitError, parse_rate

__all__ = [
    "MAX_CALLS",
    "Account",
    "AdditionalVersion",
    "Background",
    "CallBehind",
    "LambdaFunction",
    "NewConnections",
]

#: Most calls of one invocation to what is behind its function; a bound of ours.
MAX_CALLS: Final = 8

#: Concurrent executions an account may be given by quota increase; a documented bound of ours.
MAX_CONCURRENCY = 1_000_000


class Background(Model):
    """What the rest of the account uses all the time, beside the scenario's own traffic.

    Attributes
    ----------
    lambda_concurrency : int
        Executions of other functions at a time, default 0; what they take, the scenario's
        functions without a reserve do not have.
    requests : fractions.Fraction
        Requests of other APIs [1/s], default 0: tokens that the account's bucket loses evenly, and
        before anybody else.
    """

    lambda_concurrency: Annotated[int, whole(0, MAX_CONCURRENCY)] = 0
    requests: Annotated[Fraction, rate()] = Fraction(0)


class NewConnections(Model):
    """Token bucket of the connections that all WebSocket APIs of the account accept.

    Attributes
    ----------
    rate_limit : fractions.Fraction
        New connections a second, default 500 (quotas of WebSocket APIs; it can be raised).
    burst_limit : int
        How many may come at once; default a second's worth (assumed).
    """

    rate_limit: Annotated[Fraction, rate()] = as_written(500)
    burst_limit: Annotated[int, whole(0, MAX_BURST)]

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """A burst of one second."""
        try:
            burst = ceil(parse_rate(data.get("rate_limit", 500)))
        except UnitError:
            burst = 0  # what is wrong is said of the rate
        return {"burst_limit": min(max(burst, 0), MAX_BURST), **data}


class Account(Model):
    """What all APIs and functions of the account share in the region.

    Attributes
    ----------
    throttle : Throttle
        Bucket every request of every API draws from. What is left out is the region's (10,000/s
        and 5,000, in thirteen regions 2,500/s and 1,250; less where an integration of a REST API
        has more than 29 s, see ``settings.raised_timeout_rate``).
    lambda_concurrency : int
        Executions at a time over all functions, default 1,000 (Lambda quotas); 0 lets nothing run.
    background : Background
        What the rest of the account takes of both.
    new_connections : NewConnections
        Connections that the account's WebSocket APIs accept, all together.
    """

    throttle: Throttle
    lambda_concurrency: Annotated[int, whole(0, MAX_CONCURRENCY)] = 1_000
    background: Background = as_written({})
    new_connections: NewConnections = as_written({})

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """The region's default throttle, as far as the time-outs of integrations leave it."""
        throttle = data.get("throttle", {})
        if not isinstance(throttle, dict):
            return data
        return {
            **data,
            "throttle": {**account_throttle(context.region, context.timeout_ns), **throttle},
        }


class AdditionalVersion(Model):
    """Second version of a function behind its alias, with environments of its own.

    Attributes
    ----------
    version : str
        Its name in results, which call it FUNCTION:VERSION; default ``2``.
    weight : float
        Share of invocations that it gets, in [0, 1], each by itself (Lambda developer guide,
        "weighted alias").
    duration, init : Distribution or None
        Times [ns]; None: those of the function.
    errors, malformed : float or None
        Shares, in [0, 1]; None: those of the function.
    """

    version: Annotated[str, name()] = "2"
    weight: Annotated[float, share()]
    duration: TimeDistribution | None = None
    init: TimeDistribution | None = None
    errors: Annotated[float, share()] | None = None
    malformed: Annotated[float, share()] | None = None


class CallBehind(Model):
    """One call that a function makes while it runs, and waits for.

    Attributes
    ----------
    endpoint, service : str or None
        Name under ``endpoints:`` or ``services:``, one of them. A call queues at an endpoint with
        all others; what it takes includes the network in between.
    action : str or None
        What is done to the service; default ``GetItem`` of a DynamoDB table, else the only one.
    on_error : {"fail", "ignore"}
        What a call does to the function that comes back as an error or finds the queue full: the
        function fails at once (default), or it goes on.
    """

    endpoint: Annotated[str, name()] | None = None
    service: Annotated[str, name()] | None = None
    action: ServiceAction | None = None
    on_error: Annotated[Literal["fail", "ignore"], choice("fail", "ignore")] = "fail"

    @model_validator(mode="after")
    def _has_one_target(self) -> Self:
        if (self.endpoint is None) == (self.service is None):
            raise fail("must have an endpoint or a service", "write {endpoint: NAME}")
        if self.action is not None and self.service is None:
            raise fail("an endpoint has no action", "remove the key", ("action",))
        return self


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
    measured_at : int or None
        Memory [bytes] at which ``duration`` was measured. None, the default: at ``memory``, or it
        does not depend on it.
    cpu_share : float
        Share of ``duration``, as measured, in which the processor works, in [0, 1], default all:
        what gets longer with less memory, where ``measured_at`` is given.
    threads : int
        How many processors the work can use, 1 (default) to 6: with 1, more than 1,769 MB are of
        no use, which is one processor (Lambda developer guide, "Configure function memory").
    init : Distribution
        Additional time of a cold start [ns], default 0, or that of ``runtime``.
    runtime : str or None
        Measured times to start instead of ``init``: ``python3.13`` and others.
    package : {"hello", "typical", "heavy"}
        How much the runtime has to load, default ``typical``: 1, 2 and 5 times hello-world, which
        is what was measured.
    timeout : int
        Invocations are ended after this time [ns], 1 ms to 900 s, default 3 s as AWS; the caller
        gets what a failed function gives. The time of a cold start is not counted.
    errors : float
        Share of invocations that fail, in [0, 1], default 0.
    malformed : float
        Share of the others whose result is no answer, in [0, 1], default 0: a proxy integration
        makes it an error, a custom one takes whatever it is.
    additional_version : AdditionalVersion or None
        A second version behind the alias that is called; both share the function's concurrency,
        what is provisioned belongs to the first.
    reserved_concurrency : int or None
        Executions set aside for this function, and its limit; 0 lets nothing run. None shares
        what the others leave.
    provisioned_concurrency : int
        Environments that are always ready, default 0, out of the function's reserve or of what all
        share; billed by time whether or not they work. Requests beyond them run on demand.
    maximum_retry_attempts : int
        How often an event runs again whose run has failed, 0 to 2 (default); of integrations with
        ``invocation: event``.
    maximum_event_age : int
        Age at which an event is dropped [ns], 60 s to 6 h (default).
    calls : list of CallBehind
        What it calls when its own ``duration`` is over, one after the other, 8 at most. Its
        instance is held until the last has answered.
    logs : bool
        Whether Lambda's own lines around each invocation, and what the code writes, go to
        CloudWatch Logs and on the bill. On AWS they do unless its role forbids it; the default is
        true where ``log_size`` is given, else false.
    log_size : int
        What the code itself writes in one invocation [bytes], default 0.
    log_retention : int or None
        Days after which what is logged expires; None: never, the default.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"ephemeral_storage"})
    REFUSED: ClassVar[Mapping[str, tuple[str, str]]] = {
        "snap_start": (
            "SnapStart is not modelled: nobody has published how long restoring takes",
            "write what you measured as init:",
        )
    }

    memory: Annotated[int, size("128MB", "10240MB", "Lambda", "1MB")] = as_written("128MB")
    architecture: Annotated[Literal["x86", "arm64"], choice("x86", "arm64")] = "x86"
    duration: TimeDistribution
    measured_at: Annotated[int, size("128MB", "10240MB", "Lambda", "1MB")] | None = None
    cpu_share: Annotated[float, share()] = as_written("100%")
    threads: Annotated[int, whole(1, 6)] = 1
    init: TimeDistribution = as_written("0s")
    runtime: Annotated[str, choice(*RUNTIMES)] | None = None
    package: Annotated[Literal["hello", "typical", "heavy"], choice(*PACKAGES)] = "typical"
    timeout: Annotated[int, duration("1ms", "900s", "Lambda")] = as_written("3s")
    errors: Annotated[float, share()] = as_written(0)
    malformed: Annotated[float, share()] = as_written(0)
    additional_version: AdditionalVersion | None = None
    reserved_concurrency: Annotated[int, whole(0, MAX_CONCURRENCY)] | None = None
    provisioned_concurrency: Annotated[int, whole(0, MAX_CONCURRENCY)] = 0
    maximum_retry_attempts: Annotated[int, whole(0, 2)] = 2
    maximum_event_age: Annotated[int, duration("60s", "6h", "Lambda")] = as_written("6h")
    calls: Annotated[list[CallBehind], Field(max_length=MAX_CALLS)] = Field(default_factory=list)
    logs: Annotated[bool, flag()] = False
    log_size: Annotated[int, size("0B", "1GB")] = as_written("0B")
    log_retention: LogRetention = None

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Who says how much is logged says that it is."""
        return {"logs": "log_size" in data, **data}

    @model_validator(mode="after")
    def _starts_in_one_way(self) -> Self:
        given, findings = self.model_fields_set, []
        if self.runtime is not None and "init" in given:
            findings.append(Finding(("runtime",), "init is given too", "keep one of them"))
        if self.runtime is None and "package" in given:
            message = "nothing is known of its runtime"
            findings.append(Finding(("package",), message, f"write runtime: {RUNTIMES[1]}"))
        for key in ("cpu_share", "threads"):
            if self.measured_at is None and key in given:
                message = "nothing is known of the memory that duration was measured at"
                findings.append(Finding((key,), message, "write measured_at: 1024MB"))
        if findings:
            raise fail_all(findings)
        return self

    @property
    def cold_start(self) -> Distribution:
        """What a cold start adds to an invocation [ns]."""
        if self.runtime is None:
            return self.init
        return init_of(self.runtime, self.package, self.architecture, self.memory_mb)

    @property
    def duration_factor(self) -> Fraction:
        """How much longer an invocation takes with this memory than as measured, exact.

        Processor time is given in proportion to memory, one processor at 1,769 MB.
        """
        if self.measured_at is None:
            return Fraction(1)
        most = 1_769 * SIZE_UNITS_BYTES["MB"] * self.threads
        slower = Fraction(min(self.measured_at, most), min(self.memory, most))
        working = Fraction(str(self.cpu_share))
        return 1 - working + working * slower

    @property
    def concurrency_set_aside(self) -> int:
        """What this function takes from what the others share."""
        if self.reserved_concurrency is not None:
            return self.reserved_concurrency
        return self.provisioned_concurrency

    @property
    def memory_mb(self) -> int:
        """Memory [MB]."""
        return self.memory // SIZE_UNITS_BYTES["MB"]

    @property
    def memory_gb(self) -> Fraction:
        """Memory [GB], exact: what a GB-second is counted with."""
        return Fraction(self.memory, SIZE_UNITS_BYTES["GB"])
