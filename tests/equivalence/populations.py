"""Hypothesis strategies for populations: who is behind the requests."""

from typing import Any

from tests.equivalence.drawing import Drawing

__all__ = ["draw_populations"]


def draw_populations(drawing: Drawing) -> dict[str, Any]:
    """None to two populations of a few customers."""
    return {f"people{at}": _population(drawing) for at in range(drawing.one(0, 1, 1, 2))}


def _population(drawing: Drawing) -> dict[str, Any]:
    count = drawing.one(3, 1, 20, 5)
    population: dict[str, Any] = {"count": count}
    drawing.optional(population, 40, "activity", {"zipf": 0.7}, {"uniform": count})
    drawing.optional(population, 40, "users_each", 1, 4)
    drawing.optional(population, 40, "source_ips_each", 2, 1)
    drawing.optional(population, 20, "source_ips", "198.51.100.0/24")
    drawing.optional(population, 50, "token_lifetime", "1s", "60s")
    return population
