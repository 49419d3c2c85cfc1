"""What random scenarios have used and reached so far: keys, forms and fates of requests."""

import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

import numpy as np

import apisim.scenario.scenario  # noqa: F401  (its import defines every model)
from apisim.draws.discrete import UniformKeys, WeightedKeys, ZipfKeys
from apisim.draws.distributions import (
    Constant,
    Distribution,
    Exponential,
    Gamma,
    LogNormal,
    LogNormalMean,
    Mixture,
    Pareto,
    Quantiles,
    Samples,
    Uniform,
)
from apisim.engine.backend_tables import BACKEND_ENDPOINT, BACKEND_LINK
from apisim.engine.flags import (
    FLAG_CLIENT_GONE,
    FLAG_INVALIDATION,
    FLAG_NEW_CONNECTION,
    FLAG_STALE,
    FLAG_TRACED,
    FLAG_WARNED,
    FLAG_WRONG,
)
from apisim.engine.preflights import PREFLIGHT_ATTEMPT
from apisim.engine.recorder import CACHE_HIT
from apisim.gateway.status import API_TYPES, Answer
from apisim.scenario import Scenario
from apisim.scenario.model import Model
from apisim.scenario.stages import split_stages
from apisim.traffic.connections import KEPT
from tests.equivalence.engines import Run
from tests.equivalence.socket_coverage import (
    SOCKET_ANSWERS,
    SOCKET_EVENTS,
    SOCKETS_ONLY,
    happened_to_sockets,
)

__all__ = ["Coverage"]

_LAWS = (
    Constant,
    LogNormal,
    LogNormalMean,
    Exponential,
    Uniform,
    Gamma,
    Pareto,
    Quantiles,
    Samples,
    Mixture,
)
#: Answers of what HTTP APIs lack.
_REST_ONLY = (
    Answer.CACHE_HIT,
    Answer.SCOPE_MISSING_COGNITO,
    Answer.CACHED_ERROR,
    Answer.CACHED_FULL,
    Answer.INVALIDATION_REFUSED,
    Answer.MISSING_PARAMETERS,
    Answer.INVALID_BODY,
    Answer.THROTTLED_PLAN,
    Answer.QUOTA_EXCEEDED,
    Answer.NO_KEY,
    Answer.WAF_BLOCKED,
    Answer.POLICY_DENIED,
    Answer.POLICY_SILENT,
    Answer.PRIVATE_REFUSED,
    Answer.MTLS_FAILED,
    Answer.FUNCTION_ERROR_AS_200,
    Answer.FUNCTION_ERROR_AS_400,
    Answer.FUNCTION_ERROR_AS_500,
    Answer.EVENT_ACCEPTED,
)
_POPULARITIES = (UniformKeys, ZipfKeys, WeightedKeys)
_EVENTS = (
    "a tie between sources",
    "an eviction",
    "an expiry",
    "a warm start",
    "a cold start",
    "a wait in a queue",
    "a row of the warm-up",
    "a late answer",
    "a quota's new period",
    "a stale answer",
    "a wrong answer",
    "an invalidation",
    "an invalidation ignored with a warning",
    "a trace",
    "a request that is not traced beside one that is",
    "a line of an access log",
    "an event of an execution log",
    "a line of a function's log",
    "a new connection",
    "a call on an open connection",
    "a flush",
    "a new instance of a cache",
    "a wait for a cache",
    "a client that has gone",
    "a retry",
    "a retry after a time-out",
    "a call that succeeds at last",
    "a call without tokens for a retry",
    "a retry of a page's call",
    "an execution on provisioned concurrency",
    "a provision that was not enough",
    "too many requests a second for Lambda",
    "a function that grew too fast",
    "a function's time-out",
    "a cold start of an additional version",
    "a request of a canary",
    "a canary's answer from the cache",
    "a call behind a function",
    "a read unit",
    "another unit of a service",
    "a throttle of a service",
    "a function ended while it waited",
    "an event",
    "an event that runs again",
    "an event that is dropped",
    "an event that is throttled",
)


@dataclass
class Coverage:
    """Names of all that was seen."""

    examples: int = 0
    requests: int = 0
    seen: set[str] = field(default_factory=set)

    def add(self, data: dict[str, Any], scenario: Scenario, run: Run) -> None:
        """Note one example."""
        self.examples += 1
        self.requests += len(run.rows)
        self.add_keys(data, scenario)
        self.seen.update(_reached(run))

    def add_keys(self, data: dict[str, Any], scenario: Scenario) -> None:
        """Note what one example uses, which need not be run for it."""
        whole, split, _ = split_stages(data)
        self.seen.update(_used(whole, scenario))
        if split:
            self.seen.add("Api.stages")

    def missing_keys(self) -> list[str]:
        """All that can be written, should have been, and was not."""
        return sorted(_wanted_keys() - self.seen)

    def missing(self) -> list[str]:
        """All that should have been seen and was not."""
        return sorted((_wanted_keys() | _wanted_events()) - self.seen)


def _models(model: type[Model] = Model) -> Iterator[type[Model]]:
    for inner in model.__subclasses__():
        yield inner
        yield from _models(inner)


def _choices(annotation: Any) -> Iterator[Any]:
    """Values of a Literal anywhere in an annotation."""
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for inner in get_args(annotation):
            yield from _choices(inner)


def _wanted_events() -> set[str]:
    wanted = {*_EVENTS, *SOCKET_EVENTS}
    for api_type in ("rest", "http"):
        wanted |= {f"{api_type} {answer.name}" for answer in Answer if answer not in SOCKETS_ONLY}
    wanted |= {f"websocket {answer.name}" for answer in SOCKET_ANSWERS}
    return wanted - {f"http {answer.name}" for answer in _REST_ONLY}


def _wanted_keys() -> set[str]:
    wanted = {f"law {law.__name__}" for law in _LAWS}
    wanted |= {f"popularity {form.__name__}" for form in _POPULARITIES}
    wanted |= {f"arrivals {process}" for process in ("poisson", "uniform", "bursty")}
    for model in _models():
        if model.__module__.startswith("apisim.") and model.__name__ != "_ByType":
            wanted |= {f"{model.__name__}.{key}" for key in model.key_names()}
            for name in model.model_fields:
                annotation = typing.get_type_hints(model, include_extras=True).get(name)
                wanted |= {f"{model.__name__}.{name}={x}" for x in _choices(annotation)}
    return wanted


def _used(written: Any, read: Any) -> Iterator[str]:
    """What a part of a scenario uses, from what was written and what it was read as."""
    if isinstance(read, Model):
        written = type(read).normalise(written)
        kind = type(read).__name__
        if not isinstance(written, dict):  # one word for all of it
            return
        for key, value in written.items():
            name = next((n for n, f in type(read).model_fields.items() if f.alias == key), key)
            inner = getattr(read, name)
            if key == "replications" and isinstance(read, Scenario) and read.until is not None:
                inner = read.until  # written there, and read as a number and this
            yield f"{kind}.{key}"
            if isinstance(inner, str | int):
                yield f"{kind}.{name}={inner}"
            elif isinstance(inner, list | tuple):
                yield from (f"{kind}.{name}={one}" for one in inner if isinstance(one, str))
            yield from _used(value, inner)
    elif isinstance(read, dict) and isinstance(written, dict):
        for key, value in written.items():
            yield from _used(value, read.get(key))
    elif isinstance(read, list) and isinstance(written, list):
        for value, inner in zip(written, read, strict=True):
            yield from _used(value, inner)
    elif isinstance(read, Distribution):
        yield f"law {type(read).__name__}"
    elif isinstance(read, _POPULARITIES):
        yield f"popularity {type(read).__name__}"
    elif hasattr(read, "process"):
        yield f"arrivals {read.process}"
        if isinstance(written, dict):
            yield from (f"_Bursty.{key}" for key in written["bursty"])


def _begins_anew(run: Run) -> bool:
    """Whether a key was used in two periods of its quota."""
    subscriptions, program = run.result.subscriptions, run.result.program
    ends = program.tables.quotas["first_end"][subscriptions["plan"]]
    return bool((subscriptions["window_end"] > ends).any())


def _uses_one_again(run: Run) -> bool:
    """Whether a connection that is kept has carried a second call."""
    connects = run.result.program.tables.sources["connects"][run.rows["source"]]
    return bool(((connects == KEPT) & (run.rows["flags"] & FLAG_NEW_CONNECTION == 0)).any())


def _n_behind(run: Run) -> int:
    """Calls that endpoints served for functions: more than routes sent them."""
    rows, result = run.rows, run.result
    cells = result.program.names.cells
    routes = {name: at for at, name in enumerate(result.program.names.routes)}
    to_endpoint = [
        cell.route != ""
        and result.program.tables.routes["backend"][routes[cell.api, cell.route]]
        in (BACKEND_ENDPOINT, BACKEND_LINK)
        for cell in cells
    ]
    sent = int(np.array(to_endpoint)[rows["cell"]].sum())
    return int(result.endpoints["served"].sum()) - sent


def _outlives_its_function(run: Run) -> bool:
    """Whether a function was over before its time was, and what it had called was not."""
    return bool(run.result.endpoints["abandoned"].any())


def _reached(run: Run) -> Iterator[str]:
    rows, result = run.rows, run.result
    kinds = result.program.tables.apis["type"]
    for api, answer in np.unique(rows[["api", "answer"]]).tolist():
        yield f"{API_TYPES[kinds[api]]} {Answer(answer).name}"
    yield from happened_to_sockets(run)
    first = rows[np.unique(rows["arrival_ns"], return_index=True)[1]]
    of_instant = dict(zip(first["arrival_ns"].tolist(), first["source"].tolist(), strict=True))
    instants = zip(rows["arrival_ns"].tolist(), rows["source"].tolist(), strict=True)
    variants = np.array([cell.variant for cell in result.program.names.cells])
    is_canary = variants[rows["cell"]] == "canary"
    happened = {
        "a tie between sources": any(of_instant[at] != source for at, source in instants),
        "an eviction": result.caches["evictions"].any(),
        "an expiry": result.caches["expirations"].any(),
        "a warm start": (result.pools["invocations"] > result.pools["cold_starts"]).any(),
        "a cold start": rows["cold"].any(),
        "a wait in a queue": result.endpoints["max_waiting"].any(),
        "a row of the warm-up": result.recorder.usage["requests"][:, 1].any(),
        "a quota's new period": _begins_anew(run),
        "a late answer": (rows["answer"] == Answer.TIMEOUT).any(),
        "a stale answer": (rows["flags"] & FLAG_STALE).any(),
        "a wrong answer": (rows["flags"] & FLAG_WRONG).any(),
        "an invalidation": (rows["flags"] & FLAG_INVALIDATION).any(),
        "an invalidation ignored with a warning": (rows["flags"] & FLAG_WARNED).any(),
        "a trace": (rows["flags"] & FLAG_TRACED).any(),
        "a request that is not traced beside one that is": np.unique(
            rows["flags"][result.program.tables.apis["traced"][rows["api"]] > 0] & FLAG_TRACED
        ).size
        == 2,
        "a line of an access log": result.recorder.usage["log_bytes"].any(),
        "an event of an execution log": result.recorder.usage["execution_bytes"].any(),
        "a line of a function's log": result.recorder.executions["log_bytes"].any(),
        "a new connection": (rows["flags"] & FLAG_NEW_CONNECTION).any(),
        "a call on an open connection": _uses_one_again(run),
        "a flush": result.clusters["flushes"].any(),
        "a new instance of a cache": result.clusters["available_ns"].any(),
        "a request of a canary": is_canary.any(),
        "a canary's answer from the cache": (is_canary & (rows["cache"] == CACHE_HIT)).any(),
        "a wait for a cache": result.clusters["max_wait_ns"].any(),
        **_tried_again(run),
        "an execution on provisioned concurrency": result.pools["provisioned"].any(),
        "a provision that was not enough": (
            (result.pools["provisioned"] > 0)
            & (result.pools["invocations"] > result.pools["provisioned"])
        ).any(),
        "too many requests a second for Lambda": result.pools["rate_throttles"].any(),
        "a function that grew too fast": result.pools["scaling_throttles"].any(),
        "a function's time-out": result.pools["timeouts"].any(),
        "a cold start of an additional version": result.pools["cold_starts"][
            result.program.tables.functions["other"].max(initial=-1) :
        ][:1].any()
        and (result.program.tables.functions["other"] >= 0).any(),
        "a read unit": result.services["read_units"].any(),
        "another unit of a service": result.services["units"].any(),
        "a throttle of a service": result.services["throttled"].any(),
        "a call behind a function": _n_behind(run) > 0,
        "an event": result.pools["events"].any(),
        "an event that runs again": result.pools["event_retries"].any(),
        "an event that is dropped": result.pools["events_dropped"].any(),
        "an event that is throttled": (
            (result.pools["events"] > 0) & (result.pools["throttles"] > result.pools["events"])
        ).any(),
        "a function ended while it waited": _outlives_its_function(run),
    }
    yield from (event for event, is_so in happened.items() if is_so)


def _tried_again(run: Run) -> dict[str, Any]:
    """What clients did."""
    rows, calls = run.rows, run.result.recorder.calls.sums
    tried = rows["attempt"] % PREFLIGHT_ATTEMPT
    gone = rows["flags"] & FLAG_CLIENT_GONE > 0
    call = ["source", "user", "ordinal"]
    later = set(rows[tried > 0][call].tolist())
    return {
        "a client that has gone": gone.any(),
        "a retry": (tried > 0).any(),
        "a retry after a time-out": not later.isdisjoint(rows[gone][call].tolist()),
        "a call that succeeds at last": (calls["attempts"] > calls["calls"]).any()
        and calls["succeeded"].any(),
        "a call without tokens for a retry": calls["out_of_tokens"].any(),
        "a retry of a page's call": (rows["attempt"] > PREFLIGHT_ATTEMPT).any(),
    }
