"""From plain data to a scenario, with every finding at once.

pydantic stops a model at its first level of findings: a phase with a negative rate hides that the
source has no mix, and no rule between keys can be checked without a scenario. So what is wrong is
cut out of the data, or replaced by something harmless, and the rest is validated again, until a
scenario remains on which the rules between keys are checked. Findings that are only there because
something was cut are left out.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from apisim.scenario.model import Context, Finding, findings_of
from apisim.scenario.problems import Path
from apisim.scenario.scenario import Scenario

__all__ = ["Validation", "validate"]

#: Each pass cuts something; the vocabulary is less deep than this.
_MAX_PASSES: Final = 12

#: What stands in for a required value that is missing or wrong while the rest is looked at.
_STAND_INS: Final[dict[Path, Any]] = {
    ("apisim",): 1,
    ("apis", "*", "type"): "rest",
    ("apis", "*", "routes", "*", "integration"): {"type": "mock"},
    ("apis", "*", "routes", "*", "cache", "keys"): [],
    ("apis", "*", "resource_policy", "*"): {"effect": "allow"},
    ("apis", "*", "resource_policy", "*", "routes", "*"): "*",
    ("apis", "*", "stage", "waf", "rate_based", "*"): {"limit": 10},
    ("authorizers", "*", "type"): "request",
    ("functions", "*", "duration"): "1ms",
    ("endpoints", "*", "servers"): 1,
    ("endpoints", "*", "service_time"): "1ms",
    ("vpc_endpoints", "*", "vpc"): "vpc",
    ("vpc_endpoints", "*", "policy", "*"): {"effect": "allow"},
    ("traffic", "*", "phases"): [{"pause": "1ns"}],
    ("traffic", "*", "phases", "*"): {"pause": "1ns"},
    ("traffic", "*", "sessions"): {"population": 1, "until": "60s"},
    ("traffic", "*", "sessions", "population"): 1,
    ("traffic", "*", "sessions", "connect_over"): "1us",
}

_REQUIRED: Final = " is required"


@dataclass
class Validation:
    """Outcome of one validation.

    Parameters
    ----------
    scenario : Scenario or None
        What is left after cutting; None when nothing is. Only to be run without findings.
    findings : list of Finding
        What is wrong, at paths from the root.
    cut : set of Path
        Places that were cut or replaced.
    written : dict
        The data as it was given.
    """

    scenario: Scenario | None = None
    findings: list[Finding] = field(default_factory=list)
    cut: set[Path] = field(default_factory=set)
    written: dict[str, Any] = field(default_factory=dict)

    def touches(self, path: Path) -> bool:
        """Whether something at, above or below ``path`` was cut."""
        return any(path[: len(cut)] == cut or cut[: len(path)] == path for cut in self.cut)

    def is_lost(self, path: Path) -> bool:
        """Whether ``path`` or something above it was cut."""
        return any(path[: len(cut)] == cut for cut in self.cut)

    def names(self, *path: str) -> list[str]:
        """Keys written under a section, whether what they stand for is right or wrong."""
        here: Any = self.written
        for part in path:
            here = here.get(part) if isinstance(here, dict) else None
        return [str(key) for key in here] if isinstance(here, dict) else []

    def add(
        self, at: Path, message: str, hint: str = "", *, because: tuple[Path, ...] = ()
    ) -> None:
        """Add a finding of a rule between keys, unless it follows from something cut.

        Parameters
        ----------
        at : Path
            Where it is.
        message, hint : str
            What is wrong and what to do.
        because : tuple of Path
            The other places the rule looked at, with all beneath them.
        """
        if not self.is_lost(at) and not any(self.touches(path) for path in because):
            self.findings.append(Finding(at, message, hint))


def _stand_in(path: Path) -> Any:
    for pattern, value in _STAND_INS.items():
        if len(pattern) == len(path) and all(
            wanted in ("*", part) for wanted, part in zip(pattern, path, strict=True)
        ):
            return copy.deepcopy(value)
    return None


def _get(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


def _exists(data: Any, path: Path) -> bool:
    try:
        _get(data, path)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _cut(data: Any, at: Path, cut: set[Path]) -> bool:
    """Take out or replace what is wrong at ``at``; whether anything could be done."""
    path = at
    while path and not _exists(data, path[:-1]):
        path = path[:-1]
    if path in cut and not _exists(data, path):
        return False  # another finding beneath it took it out already
    while path:
        parent: Any = _get(data, path[:-1])
        key: Any = path[-1]
        stand_in = _stand_in(path)
        may_hold = isinstance(parent, dict) or _exists(data, path)
        if stand_in is not None and may_hold:
            if not _exists(data, path) or parent[key] != stand_in:
                parent[key] = stand_in
                cut.add(path)
                return True
        elif isinstance(parent, dict) and key in parent:
            del parent[key]
            cut.add(path)
            return True
        path = path[:-1]
    return False


def _target(finding: Finding) -> Path:
    """What to cut for a finding: the missing key where something can stand in for it."""
    if finding.message.endswith(_REQUIRED):
        missing = (*finding.at, finding.message.removesuffix(_REQUIRED))
        if _stand_in(missing) is not None:
            return missing
    return finding.at


def _follows(finding: Finding, outcome: Validation) -> bool:
    """Whether a finding of a later pass is only there because of what was cut."""
    if _REQUIRED in finding.message:
        words = finding.message.split(_REQUIRED)[0].split(" or ")
        return any((*finding.at, word) in outcome.cut for word in words)
    return outcome.touches(finding.at)


def validate(
    data: dict[str, Any], context: Context, rules: Callable[[Scenario, Validation], None]
) -> Validation:
    """Validate plain data.

    Parameters
    ----------
    data : dict
        The whole scenario, settings merged.
    context : Context
        What single values need to know.
    rules : callable
        Checks the rules between keys and adds what it finds.

    Returns
    -------
    Validation
        With all findings; the scenario is good exactly when there are none.
    """
    outcome = Validation(written=data)
    for attempt in range(_MAX_PASSES):
        try:
            outcome.scenario = Scenario.model_validate(data, context=context)
            break
        except ValidationError as error:
            found = findings_of(error)
        if attempt == 0:
            data = copy.deepcopy(data)
            outcome.findings = found
        else:
            known = {(one.at, one.message) for one in outcome.findings}
            new = [one for one in found if (one.at, one.message) not in known]
            outcome.findings += [one for one in new if not _follows(one, outcome)]
        progress = [_cut(data, _target(finding), outcome.cut) for finding in found]
        if not any(progress):
            break
    if outcome.scenario is not None:
        rules(outcome.scenario, outcome)
    return outcome
