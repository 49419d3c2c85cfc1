"""Options that somebody asks about: which are feasible, and what stands against the others.

``type``, ``integration`` and ``auth``: each option is set in the scenario, and the scenario says
what it thinks of that. A feasible one is a candidate like any other; of an infeasible one, the key
that blocks it and why is told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from apisim.scenario import Scenario, ScenarioError
from apisim.scenario.problems import Problem
from apisim.studies.advice.candidates import Candidate, place_of

__all__ = ["CHOICES", "Option", "options_of"]

CHOICES: Final = ("type", "integration", "auth")

_TYPES: Final = ("rest", "http")
_INTEGRATIONS: Final = ("lambda_proxy", "lambda", "http_proxy", "http", "aws_service", "mock")
_AUTH: Final = ("token", "request", "cognito", "jwt", "iam")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a choice.

    Attributes
    ----------
    choice, of, option : str
        What is chosen, of what (an API, a route, an authorizer), and which.
    is_current : bool
        Whether the scenario has it already.
    key, message : str
        What blocks it, and why; both empty where it is feasible.
    candidate : Candidate
        What sets it.
    """

    choice: str
    of: str
    option: str
    is_current: bool
    key: str
    message: str
    candidate: Candidate

    @property
    def is_feasible(self) -> bool:
        """Whether the scenario takes it."""
        return not self.message


def options_of(scenario: Scenario, choices: Sequence[str]) -> list[Option]:
    """All options of some choices.

    Raises
    ------
    ScenarioError
        If there is no such choice.
    """
    unknown = [choice for choice in choices if choice not in CHOICES]
    if unknown:
        message, hint = f"there is no choice {unknown[0]}", f"choices: {', '.join(CHOICES)}"
        raise ScenarioError([Problem("--choose", 1, 1, "", message, hint)])
    found = []
    for choice in choices:
        for of, option, current, path in _all(scenario, choice):
            candidate = Candidate(name=f"{of}: {option}", overrides=(f"{path}={option}",))
            key, message = ("", "") if option == current else _against(scenario, candidate)
            found.append(
                Option(
                    choice=choice,
                    of=of,
                    option=option,
                    is_current=option == current,
                    key=key,
                    message=message,
                    candidate=candidate,
                )
            )
    return found


def _against(scenario: Scenario, candidate: Candidate) -> tuple[str, str]:
    try:
        scenario.with_(*candidate.overrides)
    except ScenarioError as error:
        problem = error.problems[0]
        return problem.path, problem.message
    return "", ""


def _all(scenario: Scenario, choice: str) -> Iterator[tuple[str, str, str, str]]:
    """What is chosen of, an option, the one there is, and the path that says it."""
    for name, api in scenario.apis.items():
        if choice == "type" and api.type != "websocket":
            for option in _TYPES:
                yield name, option, api.type, f"{place_of(name)}.type"
        for key, route in api.routes.items() if choice == "integration" else ():
            for option in _INTEGRATIONS:
                path = f"{place_of(name)}.routes.{key}.integration.type"
                yield f"{name} {key}", option, route.integration.type, path
    for name, authorizer in scenario.authorizers.items() if choice == "auth" else ():
        for option in _AUTH:
            yield name, option, authorizer.type, f"authorizers.{name}.type"
