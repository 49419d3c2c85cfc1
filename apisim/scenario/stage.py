"""One stage of an API: throttle, cache, web ACL, variables, canary, compression."""

from fractions import Fraction
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from apisim.scenario.access_log import AccessLog
from apisim.scenario.fields import Reader, choice, flag, name, rate, size, whole
from apisim.scenario.logs import ExecutionLog, LogRetention
from apisim.scenario.model import Context, Model
from apisim.scenario.perimeter import Waf
from apisim.scenario.stages import Canary, Variables
from apisim.scenario.tracing import Tracing
from apisim.scenario.units import SIZE_UNITS_BYTES, UnitError, shown

__all__ = ["CACHE_SIZES", "Stage", "StageName", "StageThrottle", "Throttle"]

#: Cache clusters a REST stage can have [GB] (``CacheClusterSize`` of the API reference).
CACHE_SIZES: Final = ("0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237")
#: Highest burst taken; a bucket of one second at the highest rate.
MAX_BURST: Final = 10_000_000


class Throttle(Model):
    """Token bucket: ``rate_limit`` tokens a second, at most ``burst_limit`` of them at once.

    Attributes
    ----------
    rate_limit : fractions.Fraction
        Refill rate [1/s], 0 to 10,000,000; 0 admits the burst and then nothing.
    burst_limit : int
        Capacity of the bucket [requests], 0 to 10,000,000.
    """

    rate_limit: Annotated[Fraction, rate()]
    burst_limit: Annotated[int, whole(0, MAX_BURST)]


class StageThrottle(Throttle):
    """A stage's throttle.

    Attributes
    ----------
    rate_limit : fractions.Fraction
        Refill rate [1/s], 0 to 10,000,000.
    burst_limit : int
        Capacity of the bucket [requests], 0 to 10,000,000.
    scope : {"method", "shared"}
        ``method``: each route has a bucket of its own with these numbers, which is what AWS does
        (developer guide, "Throttle requests to your REST APIs"). ``shared``: one bucket for all
        routes of the stage, as in the chapter. Default: the profile's.
    """

    scope: Annotated[Literal["method", "shared"], choice("method", "shared")] = "method"

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """The profile's scope."""
        return {"scope": context.throttle_scope, **data}


def _read_stage_name(value: Any, context: Context) -> str:
    return "$default" if value == "$default" else str(name().read(value, context))


#: Name of a stage.
StageName = Annotated[
    str, Reader(_read_stage_name, {"type": "string", "pattern": r"^(\$default|[\w-]{1,128})$"})
]


def _read_cache_size(value: Any, context: Context) -> str:
    written = str(value)
    if isinstance(value, bool) or written not in CACHE_SIZES:
        raise UnitError(f"must be one of {', '.join(CACHE_SIZES)} (GB), got {shown(value)}")
    return written


class Stage(Model):
    """The deployed stage of an API.

    Attributes
    ----------
    name : str
        Default: ``prod`` on REST APIs, ``$default`` on HTTP APIs.
    throttle : StageThrottle or None
        Default throttle of the stage's routes; None has no bucket at this level.
    cache_cluster_size : str or None
        Size of the cache cluster [GB], one of ``CACHE_SIZES``; what is billed by the hour.
    cache_capacity : int or None
        For experiments: capacity [bytes] instead of the cluster's.
    cache_max_entries : int or None
        For experiments: entries the cache holds at most.
    waf : Waf or None
        Web ACL in front of the stage; REST only.
    variables : dict of str to str
        Stage variables; ``function: get-user-${env}`` uses one.
    canary : Canary or None
        Another deployment behind a part of the requests; REST only.
    minimum_compression_size : int or None
        Answers from this size on [bytes] are compressed for callers that say they take it, 0 to
        10 MB; REST only. None, the default: nothing is compressed. (AWS has it once for all stages
        of an API.)
    deployment : int
        Number of the deployment the stage has, default 1. Cache keys have it in them, so that what
        another deployment left in the cache is not found (assumed); ``timeline:`` may set it.
    detailed_metrics : bool
        Whether CloudWatch gets metrics of each route that is called, which are billed (those of the
        API and the stage are free).
    access_log : str or None
        Format of the access log: ``json``, ``clf``, ``csv`` or ``xml``, the formats of the console,
        or a line of your own with ``$context`` variables, at most 3 KB, ``requestId`` or
        ``extendedRequestId`` among them. None, the default: nothing is logged.
    tracing : Tracing or None
        Which requests X-Ray traces; REST only. None, the default: none.
    execution_log : ExecutionLog or None
        What API Gateway itself writes about requests; REST and WebSocket only. None, the default:
        nothing.
    log_retention : int or None
        Days after which what is logged expires; None: never, the default.
    """

    name: StageName = "prod"
    throttle: StageThrottle | None = None
    cache_cluster_size: (
        Annotated[str, Reader(_read_cache_size, {"enum": [*CACHE_SIZES, *map(float, CACHE_SIZES)]})]
        | None
    ) = None
    cache_capacity: Annotated[int, size("1B", "1TB")] | None = None
    cache_max_entries: Annotated[int, whole(1, 1_000_000_000)] | None = None
    waf: Waf | None = None
    variables: Variables = Field(default_factory=dict)
    canary: Canary | None = None
    minimum_compression_size: Annotated[int, size("0B", "10485760B", "API Gateway")] | None = None
    deployment: Annotated[int, whole(1, 1_000_000)] = 1
    detailed_metrics: Annotated[bool, flag()] = False
    access_log: AccessLog | None = None
    tracing: Tracing | None = None
    execution_log: ExecutionLog | None = None
    log_retention: LogRetention = None

    @property
    def has_cache(self) -> bool:
        """Whether the stage has a response cache."""
        given = (self.cache_cluster_size, self.cache_capacity, self.cache_max_entries)
        return any(value is not None for value in given)

    @property
    def cache_bytes(self) -> int | None:
        """Capacity of the cache [bytes]; None when only the number of entries is limited."""
        if self.cache_capacity is not None or self.cache_cluster_size is None:
            return self.cache_capacity
        return round(Fraction(self.cache_cluster_size) * SIZE_UNITS_BYTES["GB"])
