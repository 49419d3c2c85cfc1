"""The exports ``hgrm`` and ``openmetrics``: latencies and counts for programs that plot them.

Both are of the requests after the warm-up of all replications together (cost and simulated time are
of one, and ``apisim_replications`` says how many there were), from the same histograms as the
summary (bins of at most 0.8 %). ``hgrm`` is HdrHistogram's percentile output of the latency at the
client, in milliseconds: at half of what is left above, five steps, and so on. ``openmetrics`` is
OpenMetrics 1.0 text: counters by API, route, status, outcome and who refused, and a histogram of
each latency by API and route. A bin that reaches over the limit of a bucket counts in the next one.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from apisim.gateway.status import ANSWERS, Answer
from apisim.results.exporter import INTERRUPTED, Export, ExportKind
from apisim.results.result import Result
from apisim.results.tally import LatencyTally, Measurements

__all__ = ["HGRM", "OPENMETRICS", "HdrPercentiles", "OpenMetricsText", "percentile_steps"]

_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000
#: Steps in each half of what is left above, HdrHistogram's own default.
_TICKS: Final = 5
#: Upper limits of buckets [s]: Prometheus' own, to the 30 s that an integration has.
_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SUMMED: Final = "of all replications together"
_LATENCIES: Final = {
    "latency": "Latency at the client, refusals included.",
    "gateway_latency": "Latency at the gateway, CloudWatch's Latency.",
    "integration_latency": "Latency of the integration.",
}


def percentile_steps(total: int) -> Iterator[float]:
    """Shares in [0, 1) at which percentiles are written, so many as ``total`` values tell apart.

    Examples
    --------
    >>> [round(share, 3) for share in percentile_steps(3)]
    [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65]
    """
    share = 0.0
    while share <= 1 - 1 / max(total, 1):
        yield share
        halvings = int(math.log2(1 / (1 - share))) + 1
        share += 1 / (_TICKS * 2**halvings)


class HdrPercentiles(Export):
    """HdrHistogram's percentile output."""

    def write(self, result: Result) -> None:
        """Write the percentiles of the latency."""
        tally = result.measurements.select().latency()
        bins = tally.bins[tally.bins["count"] > 0]
        below = np.cumsum(bins["count"]) if tally.count else np.zeros(0, np.int64)
        lines = [f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}\n"]
        for share in percentile_steps(tally.count) if tally.count else ():
            rank = max(math.ceil(share * tally.count), 1)
            at = int(np.searchsorted(below, rank))
            value = int(bins["high"][at]) / _NS_PER_MS
            above = 1 / (1 - share)
            lines.append(f"{value:12.3f} {share:2.12f} {int(below[at]):10d} {above:14.2f}")
        if tally.count:
            lines.append(f"{tally.max_ns / _NS_PER_MS:12.3f} {1.0:2.12f} {tally.count:10d}")
        mean, deviation = _moments(tally)
        largest = tally.max_ns / _NS_PER_MS if tally.count else 0.0
        if not result.completed:
            lines.append(f"#[{INTERRUPTED}]")
        n_bins = len(tally.bins)
        lines += [
            f"#[Mean    = {mean:12.3f}, StdDeviation   = {deviation:12.3f}]",
            f"#[Max     = {largest:12.3f}, Total count    = {tally.count:12d}]",
            f"#[Buckets = {n_bins // 128:12d}, SubBuckets     = {128:12d}]",
        ]
        self.write_text("\n".join(lines) + "\n")
        self.file.keep()


def _moments(tally: LatencyTally) -> tuple[float, float]:
    """Mean (exact) and standard deviation (of the middles of the bins) [ms]."""
    if not tally.count:
        return 0.0, 0.0
    bins = tally.bins[tally.bins["count"] > 0]
    middles = (bins["low"] + bins["high"]) / 2
    variance = np.average((middles - tally.mean_ns) ** 2, weights=bins["count"])
    return tally.mean_ns / _NS_PER_MS, math.sqrt(float(variance)) / _NS_PER_MS


class OpenMetricsText(Export):
    """OpenMetrics text, the exposition format of Prometheus."""

    def write(self, result: Result) -> None:
        """Write all families."""
        info = result.run_info
        lines = [
            *_family("apisim_run", "info", "What was run."),
            "apisim_run_info"
            + _labels(
                {
                    "version": info.version,
                    "scenario": result.scenario.title,
                    "seed": str(info.seed),
                    "replications": str(info.replications),
                    "digest": info.digest,
                }
            )
            + " 1",
            *_family("apisim_simulated_seconds", "gauge", "Simulated time of one replication."),
            f"apisim_simulated_seconds {info.simulated_s!r}",
            *_family("apisim_completed", "gauge", "1, or 0 of an interrupted run."),
            f"apisim_completed {int(result.completed)}",
            *_family("apisim_replications", "gauge", "Replications that counts are the sums of."),
            f"apisim_replications {info.replications}",
            *_family("apisim_requests", "counter", f"Requests after the warm-up, {_SUMMED}."),
            *_requests(result.measurements),
        ]
        for name, words in _LATENCIES.items():
            lines += _family(f"apisim_{name}_seconds", "histogram", f"{words[:-1]}, {_SUMMED}.")
            lines += _histograms(result.measurements, name)
        currency = result.bill.run.currency
        lines += _family(
            "apisim_cost_run",
            "gauge",
            "What a run costs, warm-up included, the mean of all replications.",
        )
        lines.append(f"apisim_cost_run{_labels({'currency': currency})} {result.bill.run.total:f}")
        if result.bill.month is not None:
            lines += _family("apisim_cost_month", "gauge", "What the projected month costs.")
            total = result.bill.month.total
            lines.append(f"apisim_cost_month{_labels({'currency': currency})} {total:f}")
        self.write_text("\n".join([*lines, "# EOF"]) + "\n")
        self.file.keep()


def _family(name: str, kind: str, words: str) -> list[str]:
    unit = ["# UNIT " + name + " seconds"] if name.endswith("_seconds") else []
    return [f"# TYPE {name} {kind}", *unit, f"# HELP {name} {words}"]


def _requests(found: Measurements) -> Iterator[str]:
    counts: dict[tuple[str, str, str, str, str], int] = {}
    names = ("api", "route", "status", "outcome", "refused_by")
    statuses = found.statuses()
    for at, cell in enumerate(found.program.names.cells):
        for answer in np.flatnonzero(found.counts[at]).tolist():
            facts = ANSWERS[Answer(answer)]
            status = str(statuses[at, answer])
            key = (cell.api, cell.route, status, facts.outcome, facts.refused_by)
            counts[key] = counts.get(key, 0) + int(found.counts[at, answer])
    for key, count in counts.items():
        yield f"apisim_requests_total{_labels(dict(zip(names, key, strict=True)))} {count}"


def _histograms(found: Measurements, latency: str) -> Iterator[str]:
    name = f"apisim_{latency}_seconds"
    routes = dict.fromkeys((cell.api, cell.route) for cell in found.program.names.cells)
    for api, route in routes:
        tally = found.select(api=api, route=route).latency(latency)
        if not tally.count:
            continue
        bins = tally.bins[tally.bins["count"] > 0]
        labels = {"api": api, "route": route}
        for limit in _BUCKETS_S:
            inside = bins["high"] <= round(limit * _NS_PER_S)
            count = int(bins["count"][inside].sum())
            yield f"{name}_bucket{_labels({**labels, 'le': repr(limit)})} {count}"
        yield f"{name}_bucket{_labels({**labels, 'le': '+Inf'})} {tally.count}"
        yield f"{name}_sum{_labels(labels)} {tally.total_ns / _NS_PER_S!r}"
        yield f"{name}_count{_labels(labels)} {tally.count}"


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


HGRM: Final = ExportKind(
    name="hgrm",
    endings=(".hgrm", ".txt"),
    description="percentiles of the latency, as HdrHistogram prints them",
    opens=HdrPercentiles,
)
OPENMETRICS: Final = ExportKind(
    name="openmetrics",
    endings=(".txt", ".prom", ".om"),
    description="counts and latency histograms as OpenMetrics text",
    opens=OpenMetricsText,
)
