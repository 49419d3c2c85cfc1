"""What is simulated: the scenario file, read, checked and frozen.

    positions            text -> plain data, with line and column of every key
    overrides            --set path=value
    units, fields        texts with units -> exact numbers; ranges
    distributions, popularity, routes
                         times and sizes, shares of keys, which requests
    api, backends, traffic, phases, settings, pricing, thresholds, scenario
                         the vocabulary, one model a noun
    validation, checks   all findings at once; rules between keys
    loading, dumping     from the file to a Scenario, and back to text
    schema, template     for editors and for ``apisim init``
    html                 for notebooks
    problems             the errors every floor raises

Nothing here knows how anything is simulated. Names are loaded when they are first used, so that
``apisim.scenario.problems`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apisim.scenario.api import Api, Integration, Route, RouteCache, Stage, Throttle
    from apisim.scenario.authorizers import Authorizer
    from apisim.scenario.backends import Account, LambdaFunction
    from apisim.scenario.endpoints import HttpEndpoint
    from apisim.scenario.loading import load, loads
    from apisim.scenario.network import Network
    from apisim.scenario.phases import ClosedPhase, CountsPhase, OpenPhase, PausePhase, Phase
    from apisim.scenario.pricing import Pricing, Represents
    from apisim.scenario.problems import (
        ApisimError,
        CapacityError,
        PricingError,
        Problem,
        ScenarioError,
        TraceError,
    )
    from apisim.scenario.scenario import Scenario
    from apisim.scenario.schema import json_schema
    from apisim.scenario.settings import Settings
    from apisim.scenario.template import TEMPLATE
    from apisim.scenario.thresholds import Threshold
    from apisim.scenario.traffic import Arrivals, MixEntry, Source, Trace

_HOMES = {
    "api": ("Api", "Integration", "Route", "RouteCache", "Stage", "Throttle"),
    "authorizers": ("Authorizer",),
    "backends": ("Account", "LambdaFunction"),
    "endpoints": ("HttpEndpoint",),
    "loading": ("load", "loads"),
    "network": ("Network",),
    "phases": ("ClosedPhase", "CountsPhase", "OpenPhase", "PausePhase", "Phase"),
    "pricing": ("Pricing", "Represents"),
    "problems": (
        "ApisimError",
        "CapacityError",
        "PricingError",
        "Problem",
        "ScenarioError",
        "TraceError",
    ),
    "scenario": ("Scenario",),
    "schema": ("json_schema",),
    "settings": ("Settings",),
    "template": ("TEMPLATE",),
    "thresholds": ("Threshold",),
    "traffic": ("Arrivals", "MixEntry", "Source", "Trace"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "TEMPLATE",
    "Account",
    "Api",
    "ApisimError",
    "Arrivals",
    "Authorizer",
    "CapacityError",
    "ClosedPhase",
    "CountsPhase",
    "HttpEndpoint",
    "Integration",
    "LambdaFunction",
    "MixEntry",
    "Network",
    "OpenPhase",
    "PausePhase",
    "Phase",
    "Pricing",
    "PricingError",
    "Problem",
    "Represents",
    "Route",
    "RouteCache",
    "Scenario",
    "ScenarioError",
    "Settings",
    "Source",
    "Stage",
    "Threshold",
    "Throttle",
    "Trace",
    "TraceError",
    "json_schema",
    "load",
    "loads",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
