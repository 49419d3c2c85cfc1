"""The scenarios that are shipped: run once for all tests of a file, and what they say they answer."""

import functools
from pathlib import Path
from typing import Any, Final

import apisim
from apisim.gateway.status import ANSWERS
from apisim.results.tally import Tally
from apisim.scenario import Scenario

__all__ = ["FOLDER", "NAMES", "by_refuser", "claims", "file_of", "outcomes", "result"]

FOLDER: Final = Path(__file__).resolve().parents[2] / "scenarios"
#: Names of all scenarios: paths under the folder, without ``.yaml``.
NAMES: Final = sorted(
    str(file.relative_to(FOLDER).with_suffix("")) for file in FOLDER.glob("**/*.yaml")
)


def file_of(name: str) -> Path:
    """File of a scenario."""
    return FOLDER / f"{name}.yaml"


@functools.cache
def result(name: str, *overrides: str, **options: Any) -> apisim.Result:
    """Result of a scenario; the same question is simulated once."""
    return apisim.run(file_of(name), overrides=overrides, **options)


def by_refuser(tally: Tally) -> dict[str, int]:
    """Requests refused by throttling, by the level that refused them; only those that occurred."""
    found = {
        facts.refused_by: int(tally.by_answer[answer])
        for answer, facts in ANSWERS.items()
        if facts.outcome == "throttled"
    }
    return {level: count for level, count in found.items() if count}


def outcomes(found: apisim.Result) -> tuple[str, dict[str, int], str]:
    """What a golden number is about: digest, requests by outcome, and the bill's exact total."""
    return found.run_info.digest, dict(found.requests.by_outcome), str(found.bill.run.total)


def claims(scenario: Scenario) -> str:
    """Answer of a scenario as one line."""
    return " ".join(scenario.description.split())
