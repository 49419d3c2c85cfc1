"""Periods of a series over time: how many there are, and how long the first ones are.

A series has a fixed number of periods; when the run outlasts them they are joined two by two, so
that a run of a month uses no more memory than one of an hour.
"""

from typing import Final

__all__ = ["FIRST_PERIOD_NS", "MAX_PERIODS"]

MAX_PERIODS: Final = 4096
FIRST_PERIOD_NS: Final = 1_000_000_000
