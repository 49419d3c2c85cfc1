"""The summary's table of stages with two deployments."""

from apisim.results.result import Result
from apisim.results.section import Section, section
from apisim.results.wording import count_text, share_text, time_text

__all__ = ["variant_section"]


def variant_section(result: Result) -> Section | None:
    """What the stage and its canary answered, route by route."""
    several = len(result.scenario.apis) > 1
    rows = [
        (
            f"{row.labels['api']} {row.labels['route']}" if several else row.labels["route"],
            row.labels["variant"],
            count_text(row.requests),
            share_text(row.errors_4xx / row.requests),
            share_text(row.errors_5xx / row.requests),
            time_text(row.latency.p50),
            time_text(row.latency.p95),
            time_text(row.latency.p99),
        )
        for row in result.variants
        if row.requests
    ]
    return section(
        "Canary, by route and deployment",
        "Route|Deployment|>Requests|>4xx|>5xx|>p50|>p95|>p99",
        rows,
    )
