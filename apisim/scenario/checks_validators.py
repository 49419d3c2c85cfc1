"""Rules between request validators and what sources send."""

from collections.abc import Iterable

from apisim.scenario.api import Api, Route
from apisim.scenario.problems import Path, did_you_mean
from apisim.scenario.routes import can_match
from apisim.scenario.scenario import Scenario
from apisim.scenario.traffic import MixEntry, Source
from apisim.scenario.units import UnitError
from apisim.scenario.validation import Validation
from apisim.scenario.validators import invalid_share

__all__ = ["check_validators"]


def check_validators(scenario: Scenario, outcome: Validation) -> None:
    """Required path parameters exist; what is said to be sent is looked at by a validator."""
    for api_name, api in scenario.apis.items():
        for key, route in api.routes.items():
            _check_parameters(outcome, ("apis", api_name, "routes", key), api, key, route)
    for name, source in scenario.traffic.items():
        if source.trace is None and not outcome.touches(("traffic", name, "mix")):
            _check_missing(scenario, outcome, name, source)
            _check_bodies(scenario, outcome, name, source)


def _check_parameters(outcome: Validation, at: Path, api: Api, key: str, route: Route) -> None:
    if route.validation is None or api.type != "rest":
        return
    known = api.route_keys()[key].parameters
    for index, parameter in enumerate(route.validation.parameters):
        kind, _, wanted = parameter.partition(".")
        if kind == "path" and wanted.removesuffix("+") not in known:
            message = f"the path of {key} has no parameter {wanted}"
            place = (*at, "validate", "parameters", index)
            outcome.add(place, message, did_you_mean(wanted, known))


def _reached(scenario: Scenario, entry: MixEntry) -> Iterable[tuple[Path, Api, Route]]:
    """Routes a line of a mix can reach."""
    api = scenario.apis.get(entry.api)
    keys = {} if api is None else api.route_keys()
    if str(entry.route) in keys:
        keys = {str(entry.route): keys[str(entry.route)]}
    for key, route_key in keys.items():
        if api is not None and can_match(route_key, entry.route):
            yield ("apis", entry.api, "routes", key), api, api.routes[key]


def _check_missing(scenario: Scenario, outcome: Validation, name: str, source: Source) -> None:
    """A parameter that is missing now and then is one that a validator asks for, and only it.

    What else would look at it (an authorizer, a cache key) would see it missing too; that is not
    modelled, so it is refused.
    """
    for parameter in source.missing:
        at: Path = ("traffic", name, "missing")
        because: tuple[Path, ...] = (("apis",), ("authorizers",))
        if parameter.startswith("path."):
            hint = "give querystring or header parameters"
            message = f"{parameter}: a path without it would be another route's"
            outcome.add(at, message, hint, because=because)
            continue
        is_required = False
        for entry in source.mix:
            for _, _, route in _reached(scenario, entry):
                asked = () if route.validation is None else route.validation.parameters
                is_required = is_required or parameter in asked
                authorizer = scenario.authorizers.get(route.authorizer or "")
                if authorizer is not None and parameter in authorizer.identity_sources:
                    message = f"{parameter}: the authorizer {route.authorizer} would miss it first"
                    outcome.add(
                        at, message, "remove it from values: of a second source", because=because
                    )
                elif (
                    route.cache is not None
                    and parameter in route.cache.keys
                    and parameter not in asked
                ):
                    message = f"{parameter} is part of a cache key that no validator guards"
                    outcome.add(at, message, "require it under validate:", because=because)
        if not is_required:
            hint = "name it under validate: {parameters: [...]}"
            message = f"no route of the mix requires {parameter}"
            outcome.add(at, message, hint, because=because)


def _check_bodies(scenario: Scenario, outcome: Validation, name: str, source: Source) -> None:
    lines = {entry.text: entry for entry in source.mix}
    for line, samples in source.bodies.items():
        at: Path = ("traffic", name, "bodies", line)
        if line not in lines:
            outcome.add(at, "is no line of the mix", did_you_mean(line, lines))
            continue
        models = [
            (place, route.validation.body)
            for place, _, route in _reached(scenario, lines[line])
            if route.validation is not None and route.validation.body is not None
        ]
        if not models:
            message = "no route of this line has a model of its body"
            hint = "write validate: {body: {schema: ...}} at the route"
            outcome.add(at, message, hint, because=(("apis",),))
        for place, model in models:
            try:
                invalid_share(model, samples)
            except UnitError as error:
                outcome.add(at, error.message, error.hint, because=(place,))
