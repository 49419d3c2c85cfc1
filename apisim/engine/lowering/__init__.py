"""From a scenario to arrays: names become indices, laws become rows, limits become buckets."""

from apisim.engine.lowering.lower import Charging, lower

__all__ = ["Charging", "lower"]
