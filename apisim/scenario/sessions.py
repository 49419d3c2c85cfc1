"""Sessions: users of a WebSocket API who connect, send messages, stay for a while and come back.

A session is what a user wants: to be online for ``length``. The connection under it may break (the
gateway ends it after two hours, or when nothing was said for ten minutes); then the user connects
again as ``reconnect`` says, and goes on.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Final, Self

from pydantic import model_validator

from apisim.draws.discrete import WeightedKeys
from apisim.draws.distributions import Constant
from apisim.scenario.distributions import SentSizeDistribution, TimeDistribution
from apisim.scenario.fields import (
    DURATION_SCHEMA,
    Reader,
    choice,
    duration,
    rate,
    share,
    size,
    whole,
)
from apisim.scenario.model import Context, Finding, Model, as_written, fail, fail_all, nested
from apisim.scenario.popularity import Popularity
from apisim.scenario.problems import did_you_mean
from apisim.scenario.units import UnitError, parse_duration, shown

__all__ = ["MAX_POPULATION", "Reconnect", "Sessions", "session_phases"]

MAX_POPULATION: Final = 10_000_000
#: Each topic has a list of its subscribers; a bound of ours.
_MAX_TOPICS: Final = 1_000_000
_LONGEST_WAIT: Final = "1h"
_BACKOFFS: Final = (
    "none",
    "fixed",
    "exponential",
    "full_jitter",
    "equal_jitter",
    "decorrelated_jitter",
)
_BACKOFF: Final = choice(*_BACKOFFS)
_WORDS: Final = ("never", "at_once")
_POPULATION: Final = whole(1, MAX_POPULATION)
_FRAME: Final = size("1B", "1GB")
_CONNECT_OVER: Final = "60s"


def _read_backoff(value: Any, context: Context) -> str:
    return "jitter" if value == "jitter" else str(_BACKOFF.read(value, context))


class Reconnect(Model):
    """How a client connects again after it has lost its connection, or was refused one.

    Attributes
    ----------
    backoff : str
        ``none`` (at once), ``fixed``, ``exponential``, ``full_jitter`` (default), ``equal_jitter``
        or ``decorrelated_jitter``, as of a client's retries; ``jitter`` where that key is given.
    base : int
        Wait that the backoff starts from [ns], default 1 s.
    cap : int
        Longest wait of a growing backoff [ns], default 30 s.
    jitter : int or None
        Instead of a backoff: each wait is uniform between nothing and this [ns].
    max : int
        How many tries in a row may fail, 0 to 1,000, default 10; then the session is over.
    """

    backoff: Annotated[str, Reader(_read_backoff, {"enum": list(_BACKOFFS)})] = "full_jitter"
    base: Annotated[int, duration("0s", _LONGEST_WAIT)] = as_written("1s")
    cap: Annotated[int, duration("0s", _LONGEST_WAIT)] = as_written("30s")
    jitter: Annotated[int, duration("0s", _LONGEST_WAIT)] | None = None
    max: Annotated[int, whole(0, 1_000)] = 10

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """A jitter is the one wait there is."""
        if data.get("backoff") == "jitter":
            raise fail("must be a backoff, got jitter", "write {jitter: 30s}", ("backoff",))
        if "jitter" not in data:
            return data
        for key in ("backoff", "base", "cap"):
            if key in data:
                raise fail(f"jitter and {key} exclude each other", "keep one of them", (key,))
        return {**data, "backoff": "jitter", "base": data["jitter"], "cap": data["jitter"]}

    @classmethod
    def relocate(cls, data: Any, findings: list[Finding]) -> list[Finding]:
        """What is wrong with a jitter is said once."""
        if not isinstance(data, Mapping) or "jitter" not in data:
            return findings
        return [one for one in findings if one.at not in (("base",), ("cap",)) or one.at[0] in data]


def _read_reconnect(value: Any, context: Context) -> Reconnect | None:
    if value == "never":
        return None
    if value == "at_once":
        return Reconnect(backoff="none")
    if isinstance(value, Mapping):
        return nested(Reconnect, value, (), context)
    hint = did_you_mean(value, _WORDS, may_list=False) if isinstance(value, str) else ""
    words = "never, at_once, {jitter: 30s} or {backoff, base, cap, max}"
    raise fail(f"must be {words}, got {shown(value)}", hint)


_RECONNECT_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {"enum": list(_WORDS)},
        {
            "type": "object",
            "properties": {
                "backoff": {"enum": list(_BACKOFFS)},
                "base": DURATION_SCHEMA,
                "cap": DURATION_SCHEMA,
                "jitter": DURATION_SCHEMA,
                "max": {"type": "integer", "minimum": 0, "maximum": 1000},
            },
            "additionalProperties": False,
        },
    ]
}


class Sessions(Model):
    """Users who stay connected.

    Attributes
    ----------
    population : int or None
        Users there are, 1 to 10,000,000. None: the source's phases say how many new sessions a
        second begin, each another user's.
    connect_over : int
        Time over which a population connects for the first time, evenly [ns]; default 60 s.
    until : int or None
        When everybody leaves, from the start of the run [ns]; None: nobody is sent away.
    length : Distribution or None
        How long a user wants to be online [ns], over lost connections and reconnects; None: to the
        end.
    away : Distribution or None
        Time from the end of a session to the same user's next one [ns]; None: there is none.
    messages : fractions.Fraction or None
        Messages of a session [1/s], at independent times.
    think_time : Distribution or None
        Instead of it: time from one message to the next [ns].
    messages_per_session : int or None
        How many messages a session sends at most, 1 to 10^9; alone: exactly as many, evenly spaced.
    size : Distribution or None
        Size of a message [bytes]; None: ``request_size`` of its route.
    pings : int or None
        How often the client pings [ns]; None: never.
    binary : float
        Share of the messages sent in binary frames, in [0, 1], default 0; API Gateway closes the
        connection over one.
    max_frame : int
        Largest frame that the clients' library sends [bytes], default 32 KB, up to 1 GB: larger
        messages go in several.
    topics : Popularity or None
        Popularity of the one topic that each session subscribes to.
    reconnect : Reconnect or None
        What a client does without its connection: ``never`` (None), ``at_once``, ``{jitter: 30s}``,
        or a backoff. Default: full jitter from 1 s to 30 s, up to 10 failures in a row.
    """

    population: Annotated[int, _POPULATION] | None = None
    connect_over: Annotated[int, duration("1us")] = as_written(_CONNECT_OVER)
    until: Annotated[int, duration("1us")] | None = None
    length: TimeDistribution | None = None
    away: TimeDistribution | None = None
    messages: Annotated[Fraction, rate(0, 1_000)] | None = None
    think_time: TimeDistribution | None = None
    messages_per_session: Annotated[int, whole(1, 1_000_000_000)] | None = None
    size: SentSizeDistribution | None = None
    pings: Annotated[int, duration("1s")] | None = None
    binary: Annotated[float, share()] = as_written("0%")
    max_frame: Annotated[int, _FRAME] = as_written("32KB")
    topics: Popularity | None = None
    reconnect: Annotated[Reconnect | None, Reader(_read_reconnect, _RECONNECT_SCHEMA)] = as_written(
        {}
    )

    @property
    def n_topics(self) -> int:
        """How many topics there are."""
        if self.topics is None:
            return 0
        return len(self.topics.weights) if isinstance(self.topics, WeightedKeys) else self.topics.n

    @property
    def is_silent(self) -> bool:
        """Whether its users never send a message."""
        sends = (self.think_time, self.messages_per_session)
        return not self.messages and sends == (None, None)

    @property
    def is_endless(self) -> bool:
        """Whether its traffic ends only when the last user of the population has left by itself."""
        return self.population is not None and self.until is None

    @model_validator(mode="after")
    def _is_one_life(self) -> Self:
        findings = [*self._of_populations(), *self._of_messages()]
        if self.length is None and self.until is None:
            findings.append(
                Finding((), "length or until is required", "write e.g. length: {exponential: 1h}")
            )
        if self.n_topics > _MAX_TOPICS:
            message = f"{self.n_topics:,} topics are above the {_MAX_TOPICS:,} maximum"
            findings.append(Finding(("topics",), message, "use fewer of them"))
        for key in ("length", "think_time", "away"):
            law = getattr(self, key)
            if law is not None and law.mean() == 0:
                findings.append(Finding((key,), "is always 0", "write e.g. 1s"))
        if findings:
            raise fail_all(findings)
        return self

    def _of_populations(self) -> list[Finding]:
        found = []
        if self.population is None:
            for key in ("connect_over", "away"):
                if key in self.model_fields_set and getattr(self, key) is not None:
                    message = f"{key} is of a population, and there is none"
                    found.append(Finding((key,), message, "write population: 10000"))
        elif self.until is not None and self.until < self.connect_over:
            message = "everybody leaves before all have connected"
            found.append(Finding(("until",), message, "allowed: connect_over and later"))
        return found

    def _of_messages(self) -> list[Finding]:
        if self.messages is not None and self.think_time is not None:
            return [Finding(("think_time",), "messages and think_time exclude each other", "")]
        is_alone = self.messages is None and self.think_time is None
        if self.messages_per_session is None or not is_alone:
            return []
        if isinstance(self.length, Constant) or (self.length is None and self.until is not None):
            return []
        message = "messages spread evenly need a session of one length"
        hint = "write a constant length, or messages: 2/min or think_time: with it"
        return [Finding(("messages_per_session",), message, hint)]


def session_phases(data: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Phases and arrivals of a source whose sessions are a population's: it connects, and stays.

    Parameters
    ----------
    data : mapping
        What is written of the source.
    context : Context

    Raises
    ------
    PydanticCustomError
        If the source has phases of its own too.
    """
    sessions = data.get("sessions")
    if not isinstance(sessions, Mapping) or "population" not in sessions:
        return {}
    if "phases" in data:
        hint = "write a population, or phases with rates of new sessions"
        raise fail("phases and sessions.population exclude each other", hint, ("phases",))
    try:
        count = _POPULATION.read(sessions["population"], context)
        over_ns = parse_duration(sessions.get("connect_over", _CONNECT_OVER))
        until_ns = parse_duration(sessions.get("until", 0))
    except UnitError:
        count, over_ns, until_ns = 1, 1_000, 0  # what is wrong is said where it stands
    over_ns = max(over_ns, 1_000)
    name = "connecting" if until_ns > over_ns else "online"
    phases: list[dict[str, Any]] = [{"name": name, "per": f"{over_ns}ns", "counts": [count]}]
    if until_ns > over_ns:
        phases.append({"name": "connected", "pause": f"{until_ns - over_ns}ns"})
    return {"phases": phases, "arrivals": "uniform"}
