"""The shipped scenarios: run once for all tests of a file, and what they say they answer."""

import functools
from pathlib import Path
from typing import Any, Final

import apisim
from apisim.gateway.status import ANSWERS
from apisim.results.tally import Tally
from apisim.scenario import load

__all__ = [
    "ALLOWLIST",
    "AUTHORIZER",
    "BENEFIT",
    "CANARY",
    "CHAT",
    "DASHBOARD",
    "DAY",
    "DDOS",
    "EDGE",
    "FOLDER",
    "FRIDAY",
    "IOT",
    "KEYS",
    "LEVELS",
    "LINK",
    "NAMES",
    "NOISY",
    "OUTAGE",
    "PITFALL",
    "POLLING",
    "QUICKSTART",
    "RECONNECTS",
    "REPLAY",
    "REST_HTTP",
    "RETRIES",
    "SIZES",
    "SLOW",
    "SPIKE",
    "STORM",
    "TABLE",
    "TIERS",
    "WALL",
    "arrivals_a_minute",
    "by_level",
    "dollars",
    "file_of",
    "outcomes",
    "percent",
    "published_counts",
    "result",
    "says",
]

FOLDER: Final = Path(__file__).resolve().parents[2] / "scenarios"
#: Names of all scenarios: paths under the folder, without ``.yaml``.
NAMES: Final = sorted(
    file.relative_to(FOLDER).with_suffix("").as_posix() for file in FOLDER.glob("**/*.yaml")
)
QUICKSTART: Final = "quickstart"
DAY: Final = "world-cup-day"
FRIDAY: Final = "black-friday"
REPLAY: Final = "trace-replay"
TIERS: Final = "usage-plan-tiers"
NOISY: Final = "noisy-neighbour"
LEVELS: Final = "chapter/three-level-throttling"
SPIKE: Final = "chapter/burst-spike"
KEYS: Final = "chapter/cache-keys"
AUTHORIZER: Final = "authorizer-ttl"
ALLOWLIST: Final = "ip-allowlist"
DDOS: Final = "ddos"
EDGE: Final = "edge-or-regional"
PITFALL: Final = "cache-key-pitfall"
CANARY: Final = "canary-slow-release"
STORM: Final = "cors-preflight-storm"
RETRIES: Final = "retry-storm"
OUTAGE: Final = "backend-outage"
WALL: Final = "lambda-concurrency-wall"
SLOW: Final = "slow-database"
LINK: Final = "vpc-link-private-api"
TABLE: Final = "dynamodb-direct-vs-lambda"
FORGET: Final = "fire-and-forget"
CHAT: Final = "chapter/websocket-chat"
DASHBOARD: Final = "websocket-dashboard"
RECONNECTS: Final = "websocket-reconnect-storm"
IOT: Final = "iot-devices"
POLLING: Final = "rest-polling-vs-websocket"
BENEFIT: Final = "chapter/cache-benefit"
REST_HTTP: Final = "chapter/rest-or-http"
SIZES: Final = "cache-sizes"


def file_of(name: str) -> Path:
    """File of a scenario."""
    return FOLDER / f"{name}.yaml"


@functools.cache
def result(name: str, *overrides: str, **options: Any) -> apisim.Result:
    """Result of a scenario; the same question is simulated once."""
    return apisim.run(file_of(name), overrides=overrides, **options)


def outcomes(found: apisim.Result) -> tuple[str, dict[str, int], str]:
    """What a golden number is about: digest, requests by outcome, and the bill's exact total."""
    return found.run_info.digest, dict(found.requests.by_outcome), str(found.bill.run.total)


def by_level(tally: Tally) -> dict[str, int]:
    """Requests refused by throttling, by the level that refused them; only those that occurred."""
    found = {
        facts.refused_by: int(tally.by_answer[answer])
        for answer, facts in ANSWERS.items()
        if facts.outcome == "throttled"
    }
    return {level: count for level, count in found.items() if count}


def published_counts(name: str) -> list[int]:
    """Requests a minute that a World Cup scenario was written with."""
    phases = load(file_of(name)).traffic["visitors"].phases
    assert all(phase.per == 60_000_000_000 for phase in phases)
    return [count for phase in phases for count in phase.counts or ()]


def arrivals_a_minute(found: apisim.Result) -> list[int]:
    """Arrivals at the first API in each minute, by the clients' clock."""
    series = found.series
    periods = 60_000_000_000 // series.period_ns
    assert periods * series.period_ns == 60_000_000_000
    arrivals = series.values[0, :, : len(ANSWERS)].sum(axis=1)
    return [int(arrivals[at : at + periods].sum()) for at in range(0, len(arrivals), periods)]


def says(name: str, *expected: str) -> None:
    """Fail unless the answer that stands in a scenario holds these words.

    A number is asked for with the words around it, so that it cannot be right in the wrong place.
    """
    answer = " ".join(load(file_of(name)).description.split())
    missing = [words for words in expected if words not in answer]
    assert not missing, f"{name}: {missing} not in: {answer}"


def dollars(found: apisim.Result) -> str:
    """Bill of the run, to the cent."""
    return f"${found.bill.run.total:,.2f}"


def percent(share: float) -> str:
    """A share, to a tenth of a percent."""
    return f"{100 * share:.1f} %"
