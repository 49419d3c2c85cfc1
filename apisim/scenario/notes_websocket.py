"""What is allowed of WebSocket APIs but may not be meant, and what pushes ask of the account."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import numpy as np

from apisim.draws.discrete import UniformKeys, WeightedKeys
from apisim.scenario.phases import OpenPhase
from apisim.scenario.popularity import KeySpec
from apisim.scenario.scenario import Scenario
from apisim.scenario.senders import Push, Sender
from apisim.scenario.sessions import Sessions
from apisim.scenario.traffic import Source
from apisim.scenario.websocket_routes import CONNECT, DEFAULT

__all__ = ["expected_connections", "notes_on_websockets"]

#: Part of the account's rate from which on it is said what pushes take of it.
_WORTH_SAYING: Final = 0.1
_SECOND_NS: Final = 1_000_000_000


def notes_on_websockets(scenario: Scenario) -> Iterator[str]:
    """Notes on routes, messages, connections and pushes."""
    for name, source in scenario.traffic.items():
        if source.sessions is None or not source.mix:
            continue
        yield from _unmatched(scenario, name, source)
        yield from _too_many_at_once(scenario, name, source, source.sessions)
        yield from _what_pushes_need(scenario, name, source, source.sessions)
    yield from _nobody_connected(scenario)
    yield from _not_kept(scenario)
    used = {push.by for source in scenario.traffic.values() for push in source.pushes.values()}
    for name in scenario.senders:
        if name not in used:
            yield f"senders.{name}: nothing is sent by it"


def _unmatched(scenario: Scenario, name: str, source: Source) -> Iterator[str]:
    api = scenario.apis.get(source.mix[0].api)
    if api is None or DEFAULT in api.routes or (source.sessions and source.sessions.is_silent):
        return
    words = [entry.route.method for entry in source.mix if entry.route.method not in api.routes]
    if words:
        yield (
            f"traffic.{name}: no route of {source.mix[0].api} takes {', '.join(words)}, and there "
            "is no $default: each of those messages is answered with a Forbidden frame"
        )


def _too_many_at_once(
    scenario: Scenario, name: str, source: Source, sessions: Sessions
) -> Iterator[str]:
    """Users that connect faster than the account accepts connections."""
    limit = scenario.account.new_connections.rate_limit
    rate = Fraction(0)
    if sessions.population is not None:
        rate = Fraction(sessions.population * _SECOND_NS, sessions.connect_over)
    for phase in source.phases:
        if isinstance(phase, OpenPhase):
            rate = max(rate, phase.rate, phase.ramp_to or Fraction(0))
    if rate > limit:
        yield (
            f"traffic.{name}: {float(rate):,g} users a second connect, and the account accepts "
            f"{float(limit):,g} connections a second (account.new_connections)"
        )


def expected_connections(source: Source) -> float | None:
    """How many connections of a source stand at a time when most do; None where nobody can say.

    Of a population all of it. Of new sessions at a rate, by Little's law, rate times mean length.
    """
    sessions = source.sessions
    if sessions is None:
        return None
    if sessions.population is not None:
        return float(sessions.population)
    rates = [
        max(phase.rate, phase.ramp_to or Fraction(0))
        for phase in source.phases
        if isinstance(phase, OpenPhase)
    ]
    if not rates or sessions.length is None:
        return None
    return float(max(rates)) * sessions.length.mean() / _SECOND_NS


def _what_pushes_need(
    scenario: Scenario, name: str, source: Source, sessions: Sessions
) -> Iterator[str]:
    """Each client that a push goes to is a call, which draws on the account's bucket."""
    connected = expected_connections(source)
    if connected is None:
        return
    account = scenario.account
    left = float(account.throttle.rate_limit - account.background.requests)
    for push_name, push in source.pushes.items():
        place = f"traffic.{name}.pushes.{push_name}"
        to_each = _recipients(push, sessions, connected)
        pushes_rps = _pushes_rps(push, source, sessions, connected)
        calls_rps = pushes_rps * to_each
        if left > 0 and calls_rps >= _WORTH_SAYING * left:
            yield (
                f"{place}: {pushes_rps:,.4g}/s, to {to_each:,.0f} connections each, are "
                f"{calls_rps:,.0f} calls of POST @connections a second, {calls_rps / left:,.2f} "
                f"times what the account may do ({left:,.0f}/s)"
            )
        sender = scenario.senders.get(push.by)
        overhead_ns = scenario.settings.gateway_overhead.websocket.mean()
        if sender is not None and calls_rps > (most := _most_calls_rps(sender, overhead_ns)):
            yield (
                f"{place}: the sender {push.by} makes {most:,.0f} calls a second at most, and "
                f"{calls_rps:,.0f} are asked of it"
            )


def _recipients(push: Push, sessions: Sessions, connected: float) -> float:
    """Connections that one push goes to, on average."""
    if push.to == "all":
        return connected
    if push.to == "share":
        return push.share * connected
    if push.to == "topic" and sessions.topics is not None:
        # A push is about a topic as often as that is popular, and so are its subscribers; one that
        # answers a message goes to its sender in any case.
        same = _chance_of_the_same(sessions.topics)
        return connected * same if push.on is None else 1 + (connected - 1) * same
    return min(connected, 1.0)


def _chance_of_the_same(topics: KeySpec) -> float:
    """Chance that two draws of a topic agree."""
    if isinstance(topics, UniformKeys):
        return 1 / topics.n
    weights = (
        np.array(topics.weights)
        if isinstance(topics, WeightedKeys)
        else np.arange(1, topics.n + 1, dtype=np.float64) ** -topics.s
    )
    return float((weights**2).sum() / weights.sum() ** 2)


def _pushes_rps(push: Push, source: Source, sessions: Sessions, connected: float) -> float:
    """Pushes in a second."""
    if push.rate is not None:
        return float(push.rate)
    rate = float(sessions.messages or 0)
    if sessions.think_time is not None:
        rate = _SECOND_NS / sessions.think_time.mean()
    elif sessions.messages is None and sessions.messages_per_session is not None:
        stay_ns = sessions.length.mean() if sessions.length is not None else sessions.until or 1
        rate = sessions.messages_per_session * _SECOND_NS / stay_ns
    weights = {entry.route.method: entry.weight for entry in source.mix}
    return connected * rate * weights.get(push.on or "", 0.0) / sum(weights.values())


def _most_calls_rps(sender: Sender, overhead_ns: float) -> float:
    """Calls a second that a sender can make, each of which takes the gateway's own time too."""
    mean_ns = sender.call_time.mean() + overhead_ns
    return sender.parallelism * _SECOND_NS / mean_ns if mean_ns > 0 else float("inf")


def _nobody_connected(scenario: Scenario) -> Iterator[str]:
    """Limits that nobody meets, and connections that nobody has."""
    if "new_connections" in scenario.account.model_fields_set and not any(
        api.type == "websocket" for api in scenario.apis.values()
    ):
        yield "account.new_connections: there is no WebSocket API"


def _not_kept(scenario: Scenario) -> Iterator[str]:
    """Times that an authorizer's results would be kept for, where none are."""
    for name, api in scenario.apis.items():
        used = api.routes[CONNECT].authorizer if CONNECT in api.routes else None
        authorizer = scenario.authorizers.get(used or "")
        if api.type == "websocket" and authorizer is not None and authorizer.ttl:
            yield (
                f"apis.{name}: WebSocket APIs keep no results of authorizers, so that the ttl of "
                f"{used} is not theirs"
            )
