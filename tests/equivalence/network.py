"""Random ways between callers and the API: distance, connections, bandwidth."""

from typing import Any

from tests.equivalence.drawing import Drawing

__all__ = ["LINES", "PLACES", "draw_network"]

#: Next to the Region, measured, and estimated from the distance.
PLACES = ("us-east-1", "tokyo", "lagos")
#: The callers' own lines where a place is given.
LINES = ("2ms", "15ms", {"p50": "3ms", "p99": "9ms"})


def draw_network(drawing: Drawing, source: dict[str, Any]) -> dict[str, Any]:
    """What stands under ``network:`` of a source whose callers are known."""
    network: dict[str, Any] = {}
    if not drawing.is_exact and drawing.maybe(15):  # a map's distances are as they are
        network["location"] = drawing.one(*PLACES)
        network["edge_rtt"] = drawing.one(*LINES)
    elif drawing.maybe(80):
        network["rtt"] = drawing.time()
    if "location" not in network:
        for key in ("edge_rtt", "origin_rtt"):
            if drawing.maybe(40):
                network[key] = drawing.time()
    if drawing.maybe(50):
        whole = ("1Mbps", "200kbps")  # a byte takes a whole number of nanoseconds
        lines = whole if drawing.is_exact else (*whole, "7kbps", "1.5Mbps", "100Gbps")
        network["bandwidth"] = drawing.one(*lines)
    if drawing.maybe(60):
        is_open = "of" not in source and any(
            {"rate", "per"} & set(phase) for phase in source.get("phases", ())
        )
        times = ("off",) if is_open else ("1s", "50ms", "1h", "off")
        if drawing.maybe(50 if is_open else 75):
            network["keep_alive"] = drawing.one(*times)
        else:
            network["reuse"] = drawing.one("90%", "50%", "0%", "100%")
        if drawing.maybe(60):
            network["tls"] = drawing.one("1.3", "1.2", 1.2)
    return network
