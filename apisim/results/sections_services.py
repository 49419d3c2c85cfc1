"""The summary's section about AWS services: what they took, refused and metered."""

from collections.abc import Mapping

from apisim.results.mechanisms import ServiceStats
from apisim.results.section import Section, section
from apisim.results.wording import count_text, three_digits

__all__ = ["services_section"]


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
        remarks=("units are metered, not priced: the bill is API Gateway's and Lambda's",),
    )
