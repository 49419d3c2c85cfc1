"""How a source's callers are connected, as numbers of its row."""

from typing import Final

import numpy as np

from apisim.engine.lowering.context import Context
from apisim.scenario.network import Network
from apisim.traffic.connections import EACH_CALL, FREE, KEPT, SHARE

__all__ = ["lower_network", "lower_round_trips"]

#: Connections of one source; each takes 32 bytes for the whole run.
_MOST_CONNECTIONS: Final = 10_000_000
#: Round trips of a new connection: one for TCP, the others for TLS.
_TRIPS: Final = {"1.3": 2, "1.2": 3}


def lower_round_trips(context: Context, row: np.void, network: Network) -> None:
    """Fill in how far a source's callers are away."""
    scenario = context.scenario
    trips = network.round_trips(scenario.region, scenario.settings.edge_rtt)
    row["rtt"] = context.dists.add(trips.rtt)
    row["edge_rtt"] = context.dists.add(trips.edge_rtt)
    if trips.origin_rtt is not None:
        row["origin_rtt"] = context.dists.add(trips.origin_rtt)


def lower_network(context: Context, row: np.void, name: str, peers: tuple[int, int]) -> None:
    """Fill in a source's row, whose rows of connections come next."""
    network = context.scenario.traffic[name].network
    assert network is not None
    row["kbps"] = network.bandwidth or 0
    has_edge = any(api.endpoint == "edge" for api in context.scenario.apis.values())
    row["way"] = int(network.says_more or (has_edge and network.location is not None))
    row["handshake_trips"] = _TRIPS[network.tls]
    if network.reuse is not None:
        row["connects"], row["reuse"] = SHARE, network.reuse
    elif network.keep_alive == 0:
        row["connects"] = EACH_CALL
    elif network.keep_alive is None:
        row["connects"] = FREE
    else:
        row["connects"], row["keep_alive_ns"] = KEPT, network.keep_alive
        row["first_connection"] = context.n_connections
        row["first_peer"], row["n_peers"] = peers
        needed = peers[1] * len(context.scenario.apis)
        if context.n_connections + needed > _MOST_CONNECTIONS:
            message = f"more than {_MOST_CONNECTIONS:,} connections would have to be kept"
            context.refuse(("traffic", name, "network", "keep_alive"), message, "write reuse: 90%")
        context.n_connections += needed
