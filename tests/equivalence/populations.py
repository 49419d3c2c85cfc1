"""Hypothesis strategies for populations: who is behind the requests."""

from typing import Any

from tests.equivalence.access import SCOPES
from tests.equivalence.drawing import Drawing

__all__ = ["draw_populations"]


def draw_populations(drawing: Drawing) -> dict[str, Any]:
    """None to two populations of a few customers."""
    return {f"people{at}": _population(drawing) for at in range(drawing.one(1, 1, 2, 1, 0))}


def _population(drawing: Drawing) -> dict[str, Any]:
    count = drawing.one(3, 1, 20, 5)
    population: dict[str, Any] = {"count": count}
    drawing.optional(population, 40, "activity", {"zipf": 0.7}, {"uniform": count})
    drawing.optional(population, 40, "users_each", 1, 4)
    drawing.optional(population, 40, "source_ips_each", 2, 1)
    drawing.optional(population, 20, "source_ips", "198.51.100.0/24")
    lifetimes = ("10ms", "1ms") if drawing.is_crowded else ("100ms", "1s", "60s", "10ms")
    drawing.optional(population, 70, "token_lifetime", *lifetimes)
    if "token_lifetime" in population:
        drawing.optional(population, 75, "never_refresh", "100%", "30%")
    drawing.optional(population, 45, "scopes", *SCOPES)
    drawing.optional(population, 40, "sign_in_quota", "10/s", "100/s", 0)
    if "sign_in_quota" in population:
        drawing.optional(population, 40, "user_pool_tier", "lite", "essentials", "plus")
    return population
