"""The shipped scenarios: exact numbers, and descriptions that say what a run prints.

A changed digest is a changed result: it belongs into CHANGELOG.md under "Results changed", and the
descriptions have to be written anew.
"""

import csv
import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np
import pytest

import apisim
from apisim.engine.recorder import N_ANSWERS
from apisim.scenario import load
from tests.equivalence.engines import run as run_engine
from tests.equivalence.engines import lowered
from tests.support.shipped import FOLDER, NAMES, by_refuser, claims, file_of, outcomes, result
from tests.support.token_buckets import RationalBucket, gcra, gcra_admitted

QUICKSTART: Final = "quickstart"
DAY: Final = "world-cup-day"
LEVELS: Final = "chapter/three-level-throttling"
SPIKE: Final = "chapter/burst-spike"
KEYS: Final = "chapter/cache-keys"
FRIDAY: Final = "black-friday"
REPLAY: Final = "trace-replay"

#: What makes refusals happen at once, so that a short run on the slow engine has some.
SHORT: Final[dict[str, tuple[str, Sequence[str]]]] = {
    QUICKSTART: ("1s", ["account.throttle={rate_limit: 500, burst_limit: 100}"]),
    DAY: ("3s", ["account.throttle={rate_limit: 100, burst_limit: 20}"]),
    LEVELS: (
        "600ms",
        [
            "account.throttle={rate_limit: 3000, burst_limit: 100}",
            "apis.production.stage.throttle={rate_limit: 1500, burst_limit: 50}",
            "apis.production.routes.GET /users.throttle={rate_limit: 300, burst_limit: 20}",
        ],
    ),
    SPIKE: ("9s", []),
    KEYS: ("10s", ["warm_up=1s"]),
    FRIDAY: (
        "2s",
        [
            "replications=2",
            "warm_up=500ms",
            "functions.checkout.reserved_concurrency=5",
            "traffic.shoppers.phases.0.rate=600",
            "apis.shop.routes.GET /search.throttle={rate_limit: 30, burst_limit: 10}",
        ],
    ),
    REPLAY: ("10m", ["traffic.replayed.trace.speed=100"]),
}
