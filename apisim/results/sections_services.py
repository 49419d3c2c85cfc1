"""The summary's sections about what is called: HTTP endpoints and AWS services."""

from collections.abc import Mapping

from apisim.results.mechanisms import EndpointStats, ServiceStats
from apisim.results.section import Section, section
from apisim.results.wording import count_text, share_text, three_digits

__all__ = ["endpoints_section", "services_section"]


def endpoints_section(endpoints: Mapping[str, EndpointStats]) -> Section | None:
    """One row for each endpoint, or target of a load balancer."""
    rows = [
        (
            name,
            count_text(stats.served),
            count_text(stats.refused),
            count_text(stats.errors),
            three_digits(round(stats.mean_concurrency, 2)),
            count_text(stats.max_waiting),
            share_text(stats.utilization),
        )
        for name, stats in endpoints.items()
    ]
    columns = "Endpoint|>Served|>Refused|>Errors|>Mean conc.|>Longest queue|>Busy"
    in_vain = ", ".join(
        f"{name} {count_text(stats.abandoned)}"
        for name, stats in endpoints.items()
        if stats.abandoned
    )
    remarks = (f"For functions that had been ended before: {in_vain}.",) if in_vain else ()
    return section("HTTP endpoints, whole run", columns, rows, None, remarks)


def services_section(services: Mapping[str, ServiceStats]) -> Section | None:
    """One row for each service."""
    rows = [
        (
            name,
            stats.type,
            count_text(stats.requests),
            count_text(stats.throttled),
            count_text(stats.errors),
            three_digits(stats.read_units),
            three_digits(stats.units),
        )
        for name, stats in services.items()
    ]
    return section(
        "AWS services, whole run",
        "Service|Type|>Requests|>Throttled|>Errors|>Read units|>Units",
        rows,
    )
