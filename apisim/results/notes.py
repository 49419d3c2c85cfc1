"""What a reader must know to read the numbers rightly."""

from collections.abc import Iterator
from typing import Final

from apisim.engine.program import Program
from apisim.gateway.quota import DAY_NS
from apisim.gateway.status import Answer
from apisim.results.collect import Collector
from apisim.results.tally import Tally
from apisim.results.wording import counted
from apisim.scenario.formats import format_duration
from apisim.scenario.log_formats import form_of

__all__ = ["notes_on"]

#: Least days of each period of a quota.
_DAYS: Final = {"day": 1, "week": 7, "month": 28}


def notes_on(collector: Collector, everything: Tally) -> list[str]:
    """Notes on a result.

    Parameters
    ----------
    collector : Collector
        The replications.
    everything : Tally
        All their requests.
    """
    program = collector.program
    notes = [*program.scenario.notes, *program.notes]
    if not all(summary.completed for summary in collector.summaries):
        notes.append("interrupted: the numbers are about what was simulated so far")
    notes += _notes_on_traffic(program)
    unmatched = int(everything.by_answer[Answer.NO_ROUTE])
    if unmatched:
        notes.append(f"{counted(unmatched, 'request')} matched no route")
    preflights = int(everything.by_answer[Answer.PREFLIGHT])
    if preflights:
        notes.append(
            f"latencies include {counted(preflights, 'preflight')}; availability and failed leave "
            "them out"
        )
    over_quota = everything.with_outcome("quota")
    if over_quota and any(one.metric == "throttled" for one in program.scenario.thresholds):
        notes.append(
            f"thresholds on throttled leave out {counted(over_quota, 'request')} that quotas "
            "refused, a 429 as well: quota_refused counts those"
        )
    if any(int(state.buckets["refused"].sum()) for state in collector.states):
        notes.append(
            "limits are configured-exact: AWS applies them on a best-effort basis, so that single "
            "requests above a limit may pass there"
        )
    for name, api in program.scenario.apis.items():
        if api.stage.has_cache and api.stage.cache_cluster_size is None:
            notes.append(f"the cache of {name} has no cluster size, so its hours are not billed")
    notes += _notes_on_bill(program)
    warm_up_ns = program.scenario.warm_up
    if warm_up_ns:
        notes.append(
            f"the first {format_duration(warm_up_ns)} are warm-up: in the bill, and in what "
            "functions, endpoints, services and buckets did, but in no other number"
        )
    if len(collector.summaries) == 1:
        notes.append("one replication: no number has a confidence interval")
    return list(dict.fromkeys(notes))


def _notes_on_bill(program: Program) -> list[str]:
    notes = [
        f"new connections of the load balancer before {name} are in no capacity unit: write "
        "requests_per_connection"
        for name, one in program.scenario.endpoints.items()
        if one.behind is not None and one.requests_per_connection is None
    ]
    longer = [
        name
        for name, plan in program.scenario.usage_plans.items()
        if plan.quota is not None and _DAYS[plan.quota.period] * DAY_NS > program.horizon_ns
    ]
    if longer and program.scenario.pricing.month == "project":
        notes.append(
            "the projected month repeats what the run let by: the quota of "
            f"{', '.join(longer)}, whose period is longer than the run, may refuse more in a month"
        )
    return notes


def _notes_on_log(log_format: str) -> Iterator[str]:
    form = form_of(log_format)
    if form.is_coarse:
        yield (
            "the log's times are whole seconds: the requests of a second come at once, and more of "
            "them may be refused than were (log $context.requestTimeEpoch as well)"
        )


def _notes_on_traffic(program: Program) -> list[str]:
    notes = []
    traffic = program.scenario.traffic
    at_the_door = [name for name, source in traffic.items() if source.network is None]
    if at_the_door:
        who = (
            "latencies exclude"
            if len(at_the_door) == len(traffic)
            else (f"latencies of {', '.join(at_the_door)} exclude")
        )
        notes.append(f"{who} the network between caller and gateway (no network: is given)")
    for name, source in traffic.items():
        if source.trace is not None:
            notes += [f"traffic.{name}: {text}" for text in _notes_on_log(source.trace.format)]
    if program.n_skipped_rows:
        rows = counted(program.n_skipped_rows, "row")
        notes.append(f"{rows} of logs could not be read, left out")
    return notes
