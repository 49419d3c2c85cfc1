"""What is said about where callers are."""

from collections.abc import Iterator

from apisim.scenario.formats import format_duration
from apisim.scenario.network import Network
from apisim.scenario.places import places
from apisim.scenario.scenario import Scenario

__all__ = ["notes_on_locations"]


def _located(scenario: Scenario) -> Iterator[tuple[str, Network, str]]:
    """Sources whose callers are somewhere, with the place."""
    for name, source in scenario.traffic.items():
        if source.network is not None and source.network.location is not None:
            yield name, source.network, source.network.location


def notes_on_locations(scenario: Scenario) -> Iterator[str]:
    """How far it is, and how that is known."""
    for name, network, place in _located(scenario):
        way = places().between(place, scenario.region)
        how = "measured" if way.is_measured else "estimated from the distance, not measured"
        line = "edge_rtt" if network.edge_rtt is not None else "settings.edge_rtt"
        yield (
            f"traffic.{name}: from {place} to {scenario.region} {format_duration(way.time_ns)} "
            f"({how}), and the callers' own line ({line})"
        )
