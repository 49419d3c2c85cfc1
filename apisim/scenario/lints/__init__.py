"""Static lints: what a scenario says that may not be meant, found without simulating it.

``lint`` puts together what the rules' own notes say of caches, keys, plans and CORS, and what this
package adds: ``limits`` (limits that let nothing by, or that nobody ever meets), ``cache_keys``
(answers cached too briefly, for too few, or that must not be), ``calling`` (how callers behave and
what they see), ``guards`` (what lets callers in). A lint is an opinion with a source, never an
error: a scenario may be about just that.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from apisim.scenario.caches import cache_remarks
from apisim.scenario.checks_plans import plan_remarks
from apisim.scenario.cors_rules import cors_remarks
from apisim.scenario.lints.cache_keys import cache_key_remarks
from apisim.scenario.lints.calling import calling_remarks
from apisim.scenario.lints.guards import guard_remarks
from apisim.scenario.lints.limits import limit_remarks
from apisim.scenario.remarks import Remark
from apisim.scenario.scenario import Scenario

__all__ = ["Lint", "lint"]

_RULES: Final[tuple[Callable[[Scenario], Iterator[Remark]], ...]] = (
    limit_remarks,
    plan_remarks,
    cache_remarks,
    cache_key_remarks,
    guard_remarks,
    cors_remarks,
    calling_remarks,
)


@dataclass(frozen=True, slots=True)
class Lint:
    """One finding.

    Attributes
    ----------
    code : str
        What kind of finding it is, in kebab case.
    file : str
        Name of the scenario's file as it was given, or the option that says it.
    line, column : int
        Where the key is written, from 1.
    path : str
        The key, dotted; empty for the scenario as a whole.
    message : str
        What may not be meant, and what comes of it.
    hint : str
        What to write instead; may be empty.
    source : str
        Where that is known from.
    """

    code: str
    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str
    source: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: "
        path = f"{self.path}: " if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{path}{self.message}{hint} [{self.code}]"


def lint(scenario: Scenario) -> list[Lint]:
    """What may not be meant, in the order of the file.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    list of Lint
        Empty where nothing is to be said.

    Examples
    --------
    >>> from apisim.scenario import loads
    >>> text = '''
    ... apisim: 1
    ... apis: {a: {type: http, routes: {GET /: {integration: {type: http_proxy, endpoint: e}}}}}
    ... endpoints: {e: {servers: 1, service_time: 1ms}}
    ... account: {throttle: {burst_limit: 0}}
    ... traffic: {web: {phases: [{duration: 1m, rate: 40}], mix: {GET /: 1}}}
    ... '''
    >>> [(one.code, one.line) for one in lint(loads(text)) if "zero" in one.code]
    [('zero-limit', 5)]
    """
    found = []
    for rule in _RULES:
        for remark in rule(scenario):
            at = scenario.problem(remark.path, remark.message, remark.hint)
            found.append(
                Lint(
                    code=remark.code,
                    file=at.file,
                    line=at.line,
                    column=at.column,
                    path=at.path,
                    message=at.message,
                    hint=at.hint,
                    source=remark.source,
                )
            )
    # What is wrong with a route is found in each stage of its API.
    once = dict.fromkeys(found)
    return sorted(once, key=lambda one: (one.file, one.line, one.column))
