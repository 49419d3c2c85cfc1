"""From the sums of all replications to the result."""

import math
from collections.abc import Mapping, Sequence

from apisim.gateway.status import ANSWERS
from apisim.results.access import authorizer_stats, notes_on_access, sign_in_stats
from apisim.results.alarms import AlarmHistory
from apisim.results.answers import answer_stats
from apisim.results.calls import GONE
from apisim.results.collect import Collector
from apisim.results.controls import CONTROLLED, ControlledFigure, controlled_figures
from apisim.results.cors import cors_stats
from apisim.results.customers import Customers
from apisim.results.estimates import interval_of
from apisim.results.groups import phase_rows, route_rows, traffic_rows, variant_rows
from apisim.results.latency import LatencyStats
from apisim.results.mechanisms import cache_stats, endpoint_stats, function_stats, service_stats
from apisim.results.metrics import Costs, Gauge, Measure
from apisim.results.notes import notes_on
from apisim.results.result import RequestCounts, Result, RunInfo
from apisim.results.statistics import Interval, jackknife_interval
from apisim.results.tally import Measurements, Tally
from apisim.results.throttles import plan_throttle_stats, throttle_stats
from apisim.results.verdicts import judge
from apisim.results.web_acls import web_acl_stats
from apisim.results.websockets import websocket_stats
from apisim.results.whose_costs import WhoseCosts

__all__ = ["summarise"]

_MONTH = Measure("cost_month", "value")


def summarise(
    collector: Collector,
    run_info: RunInfo,
    *,
    notes: Sequence[str] = (),
    alarms: Sequence[AlarmHistory] = (),
) -> Result:
    """Result of at least one replication.

    Parameters
    ----------
    collector : Collector
        Holds the sums.
    run_info : RunInfo
        How they came about.
    notes : sequence of str
        What the reader should know beyond what the numbers themselves call for.
    alarms : sequence of AlarmHistory
        Of each replication.
    """
    measurements, series = collector.measurements, collector.series
    assert measurements is not None, "no replication was added"
    assert series is not None
    assert collector.latency_series is not None
    assert collector.mechanism_series is not None
    assert collector.customers is not None
    assert collector.grouped is not None
    customers = Customers(collector.program, collector.customers)
    program, states, ends_ns = collector.program, collector.states, collector.ends_ns
    summaries = collector.summaries
    # An interruption may also fall between two replications.
    is_whole = len(summaries) == collector.planned
    completed = is_whole and all(summary.completed for summary in summaries)
    # A part of a run does not stand for what the scenario says the run stands for.
    projects = completed and collector.windows and collector.windows[0]
    bills = collector.accounts.bills(collector.usages, collector.windows if projects else None)
    costs = Costs(
        run=float(bills.run.total),
        month=None if bills.month is None else float(bills.month.total),
    )
    gauge = Gauge(measurements, ends_ns, costs, collector.connections)
    intervals = _intervals(collector, gauge)
    if costs.month is not None and len(states) > 1:
        left_out = collector.accounts.months_left_out(collector.windows)
        month = jackknife_interval(costs.month, left_out)
        intervals |= {} if month is None else {_MONTH: month}
    everything = measurements.select()
    return Result(
        scenario=program.scenario,
        run_info=run_info,
        completed=completed,
        requests=_counts(measurements, everything),
        latency_ms=LatencyStats.of(everything.latency("latency")),
        integration_latency_ms=LatencyStats.of(everything.latency("integration_latency")),
        gateway_latency_ms=LatencyStats.of(everything.latency("gateway_latency")),
        routes=route_rows(measurements, ends_ns),
        variants=variant_rows(measurements, ends_ns),
        traffic=traffic_rows(measurements, ends_ns),
        phases=phase_rows(measurements, ends_ns),
        cache=cache_stats(measurements, states),
        authorizers=authorizer_stats(measurements, states),
        sign_ins=sign_in_stats(measurements, states),
        web_acls=web_acl_stats(program, states),
        functions=function_stats(measurements, states),
        endpoints=endpoint_stats(measurements, states),
        services=service_stats(measurements, states),
        throttles=(*throttle_stats(measurements, states), *plan_throttle_stats(customers)),
        answers=answer_stats(measurements),
        customers=customers,
        cors=cors_stats(measurements),
        websockets=websocket_stats(
            measurements, collector.connections, collector.usages, bills.run
        ),
        bill=bills,
        costs=WhoseCosts(
            program=program,
            book=collector.accounts.book,
            bills=bills,
            grouped=collector.grouped,
            usages=collector.usages,
            windows=collector.windows,
            plans=customers.plans_of(),
        ),
        intervals=_by_label(intervals),
        controlled=_controlled(collector),
        thresholds=judge(
            program.scenario.thresholds,
            gauge,
            len(states),
            intervals,
        ),
        alarms=tuple(alarms),
        series=series,
        latency_series=collector.latency_series,
        mechanism_series=collector.mechanism_series,
        connections=collector.connections,
        replications=tuple(summaries),
        notes=(
            *notes,
            *notes_on(collector, everything),
            *notes_on_access(measurements),
        ),
        measurements=measurements,
    )


def _counts(measurements: Measurements, tally: Tally) -> RequestCounts:
    by_outcome: dict[str, int] = {}
    refused_by: dict[str, int] = {}
    for answer, facts in ANSWERS.items():
        count, late = int(tally.by_answer[answer]), int(tally.calls.late[answer])
        if count > late:
            by_outcome[facts.outcome] = by_outcome.get(facts.outcome, 0) + count - late
        if count and facts.refused_by:
            refused_by[facts.refused_by] = refused_by.get(facts.refused_by, 0) + count
    if tally.calls.gone:
        by_outcome[GONE] = by_outcome.get(GONE, 0) + tally.calls.gone
    return RequestCounts(
        total=tally.requests,
        warm_up=int(measurements.cells["warm_up_requests"].sum()),
        by_status=tally.by_status,
        by_outcome=by_outcome,
        refused_by=refused_by,
        new_connections=tally.sums["new_connections"],
    )


def _intervals(collector: Collector, gauge: Gauge) -> dict[Measure, Interval]:
    """Interval of each measure over the replications that came to their end."""
    if sum(summary.completed for summary in collector.summaries) < 2:
        return {}
    found = {
        wanted: interval_of(
            wanted,
            collector.readings_of(wanted),
            gauge.read(wanted)[0] if wanted.quantile is not None else math.nan,
        )
        for wanted in collector.measures
    }
    return {wanted: interval for wanted, interval in found.items() if interval is not None}


def _controlled(collector: Collector) -> dict[str, ControlledFigure]:
    """Figures with control variates, over the replications that came to their end."""
    whole = [summary.completed for summary in collector.summaries]
    controls = [one for one, is_whole in zip(collector.controls, whole, strict=False) if is_whole]
    if len(controls) < 2:
        return {}
    values = {
        wanted: [reading.value for reading in collector.readings_of(wanted)]
        for wanted in CONTROLLED
    }
    return controlled_figures(values, controls)


def _by_label(intervals: Mapping[Measure, Interval]) -> dict[str, Interval]:
    return {
        wanted.label: interval.scaled(1 / wanted.shown_unit[1])
        for wanted, interval in intervals.items()
    }
