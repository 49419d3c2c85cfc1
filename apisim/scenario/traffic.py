"""Traffic: who calls which route, when, and from how far away.

A source is either a list of phases or a trace. Open phases are a stream of requests that does not
wait for answers; closed phases are users who do. With ``sessions:`` what arrives are users of a
WebSocket API, who stay.
"""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path as FilePath
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import Field, model_validator

from apisim.scenario.addresses import Ipv4Range
from apisim.scenario.arrivals import ArrivalProcess, Arrivals
from apisim.scenario.authorizers import Credentials, Scopes
from apisim.scenario.cache_control import Invalidate
from apisim.scenario.clients import Client
from apisim.scenario.cors import Browser
from apisim.scenario.distributions import SentSizeDistribution
from apisim.scenario.domains import DomainName
from apisim.scenario.fields import Reader, flag, input_file, name, number, share
from apisim.scenario.log_formats import TIDY, LogFormat
from apisim.scenario.mix import Mix, MixEntry
from apisim.scenario.model import Context, Finding, Model, as_written, fail, fail_all
from apisim.scenario.network import Network
from apisim.scenario.phases import ClosedPhase, CountsPhase, OpenPhase, Phase
from apisim.scenario.popularity import Popularity, names_of
from apisim.scenario.problems import Path
from apisim.scenario.routes import (
    Parameter,
    parse_parameter,
)
from apisim.scenario.senders import Pushes
from apisim.scenario.sessions import Sessions, session_phases
from apisim.scenario.units import UnitError
from apisim.scenario.validators import BodySample

__all__ = ["Arrivals", "MixEntry", "Source", "Trace"]

#: What a log leaves no room for: it says itself what its calls send.
_NOT_OF_A_LOG: Final = ("missing", "bodies", "client")
#: What belongs to calls that are answered one by one.
_NOT_OF_SESSIONS: Final = (
    "trace",
    "client",
    "browser",
    "invalidate",
    "missing",
    "bodies",
    "scopes",
    "vpc_endpoint",
    "accept_encoding",
)


def _read_api_stage(value: Any, context: Context) -> str:
    if isinstance(value, str) and "/" in value:
        return value
    return str(name().read(value, context))


#: An API, or one of its stages.
ApiStage = Annotated[
    str, Reader(_read_api_stage, {"type": "string", "pattern": r"^[\w-]+(/(\$default|[\w-]+))?$"})
]


class Trace(Model):
    """Recorded requests to replay.

    Attributes
    ----------
    file : pathlib.Path
        Text file; its existence is checked here, its rows where they are read.
    format : str
        What its lines look like: ``tidy`` (the default), a preset of access logs (``clf``, also of
        web servers, ``json``, ``xml``, ``csv``), or a format with ``$context`` variables.
    speed : fractions.Fraction
        2 replays in half the time; above 0, default 1.
    api : str or None
        API the requests go to, or ``API/STAGE``; needed where there are several.
    domain : str or None
        Custom domain the requests go to, instead of ``api``: each path says which API takes it.
    sort : bool
        Whether rows out of time order are sorted instead of refused.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"columns", "loop"})

    file: Annotated[FilePath, input_file()]
    format: LogFormat = TIDY
    speed: Annotated[Fraction, number("0", "1000000", exclusive_low=True, exact=True)] = Fraction(1)
    api: ApiStage | None = None
    domain: DomainName | None = None
    sort: Annotated[bool, flag()] = False


class Source(Model):
    """One stream of requests.

    Attributes
    ----------
    phases : list of Phase
        What happens one after the other; empty for a trace.
    trace : Trace or None
        Recorded requests instead.
    arrivals : Arrivals
        How open arrivals are spread, default Poisson.
    offset : float or None
        Where in its period a uniform stream, or a closed user, starts, in [0, 1); None draws it.
    mix : tuple of MixEntry
        Which routes are called; empty for a trace.
    values : dict of str to UniformKeys, ZipfKeys or WeightedKeys
        Popularity of the values of each parameter.
    value_names : dict of str to tuple of str
        Names of those values where they have names, in rank order; not written.
    network : Network or None
        None: callers stand at the gateway's door.
    of : str or None
        Name under ``populations:``; None: nobody is known behind the calls.
    source_ip : AddressRange or None
        Address the calls come from, or a range of addresses that are all equally likely.
    credentials : Credentials or None
        How the callers sign, for routes with an iam authorizer; None: all well and allowed.
    scopes : ScopeSets or None
        Scopes of the callers' tokens; None: those of the population, or all that a route asks for.
    api_key : str or None
        Key that all calls send; None: none, unless the customers of ``of`` have keys.
    invalidate : Invalidate
        How many of the calls ask for a fresh answer, default none.
    vpc_endpoint : str or None
        Name under ``vpc_endpoints:`` through which private APIs are called; None: from outside.
    missing : dict of str to float
        Share of the calls that lack a parameter which a route requires, by parameter.
    bodies : dict of str to list of BodySample
        Bodies that are sent, by line of the mix; routes with a model validate them.
    url_size, header_size : Distribution or None
        Sizes of URL and headers [bytes], up to 1 GB; None: small enough.
    accept_encoding : float
        Share of the calls that say which encodings they take, default 100%: only to them a stage
        with ``minimum_compression_size`` sends compressed answers. Browsers and most HTTP
        libraries say so; a bare ``*`` or nothing does not count.
    browser : Browser or None
        The calls come from pages of another origin; None: they do not come from browsers. Each
        person of the population, or each closed user, has a browser; without any of them every
        call is another one's.
    sessions : Sessions or None
        What arrives are users of a WebSocket API who stay connected; ``mix`` is of their messages.
    pushes : dict of str to Push
        What is sent to them without their asking, by name.
    client : Client or None
        How long the callers wait and whether they try again; None: for ever, and never. With it,
        even if it is empty, logical calls are measured.
    """

    REFUSED: ClassVar[Mapping[str, tuple[str, str]]] = {
        "location": ("stands under network:", "write network: {location: ...}")
    }
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"value_names"})

    phases: list[Phase] = Field(default_factory=list)
    trace: Trace | None = None
    arrivals: ArrivalProcess = as_written("poisson")
    offset: Annotated[float, number("0", "0.999999")] | None = None
    mix: Mix = Field(default=(), validate_default=False)
    values: dict[Parameter, Popularity] = Field(default_factory=dict)
    value_names: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    network: Network | None = None
    of: Annotated[str, name()] | None = None
    source_ip: Ipv4Range | None = None
    credentials: Credentials | None = None
    scopes: Scopes | None = None
    api_key: Annotated[str, name()] | None = None
    invalidate: Invalidate = as_written({})
    vpc_endpoint: Annotated[str, name()] | None = None
    missing: dict[Parameter, Annotated[float, share()]] = Field(default_factory=dict)
    bodies: dict[str, Annotated[list[BodySample], Field(min_length=1, max_length=1000)]] = Field(
        default_factory=dict
    )
    url_size: SentSizeDistribution | None = None
    header_size: SentSizeDistribution | None = None
    accept_encoding: Annotated[float, share()] = 1.0
    browser: Browser | None = None
    client: Client | None = None
    sessions: Sessions | None = None
    pushes: Pushes = Field(default_factory=dict)

    @property
    def sent_parameters(self) -> frozenset[str]:
        """Parameters its calls carry: those with values, and its own token and key.

        Keys of a population's customers are not known here.
        """
        own = {"header.authorization"} if self.of is not None else set()
        own |= {"header.x-api-key"} if self.api_key is not None else set()
        return frozenset(own | set(self.values) | set(self.missing))

    @property
    def is_closed(self) -> bool:
        """Whether users wait for their answers."""
        return any(isinstance(phase, ClosedPhase) for phase in self.phases)

    @property
    def length_ns(self) -> int | None:
        """Length of all phases [ns]; None for a trace."""
        if self.trace is not None:
            return None
        return sum(phase.length_ns for phase in self.phases)

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Names of phases that have none, and of values that have some."""
        filled = {**session_phases(data, context), **data}
        if isinstance(data.get("phases"), list):
            filled["phases"] = [
                {"name": f"phase-{number}", **phase} if isinstance(phase, dict) else phase
                for number, phase in enumerate(data["phases"], 1)
            ]
        if isinstance(data.get("values"), dict):
            filled["value_names"] = _value_names(data["values"])
        return filled

    @model_validator(mode="after")
    def _is_one_model(self) -> Self:
        findings = list(self._findings())
        if findings:
            raise fail_all(findings)
        return self

    def _findings(self) -> list[Finding]:
        found: list[Finding] = []
        at: Path
        if self.sessions is not None:
            found += self._findings_of_sessions(self.sessions)
        elif self.pushes:
            hint = "write sessions: {...} beside them"
            found.append(Finding(("pushes",), "nobody is connected to be sent to", hint))
        network = self.network
        opens = self.sessions is not None or (network is not None and network.has_connections)
        if network is not None and network.tls != "1.3" and not opens:
            hint = "write keep_alive: 60s, or reuse: 90%"
            found.append(Finding(("network", "tls"), "no connection is opened", hint))
        if self.trace is not None and self.sessions is None:
            given = [
                key
                for key in ("phases", "mix", "offset", "of", "browser", *_NOT_OF_A_LOG)
                if getattr(self, key)
            ]
            hint = "remove one of them"
            return [Finding((key,), f"a trace has no {key}", hint) for key in given]
        if not self.phases and self.sessions is not None:
            hint = "write population: 10000, or phases with rates of new sessions"
            return [*found, Finding(("sessions",), "population or phases is required", hint)]
        if not self.phases:
            return [*found, Finding((), "phases or trace is required", "write phases: [...]")]
        if not self.mix:
            found.append(Finding((), "mix is required", "write mix: {GET /users: 1}"))
        open_phases = [isinstance(phase, (OpenPhase, CountsPhase)) for phase in self.phases]
        keeps = self.network is not None and self.network.keep_alive and self.sessions is None
        if keeps and self.of is None and any(open_phases):
            hint = "write reuse: 90% in place of keep_alive, or say with of: who calls"
            message = "nobody is known who could keep a connection alive"
            found.append(Finding(("network",), message, hint))
        if self.is_closed and any(open_phases):
            at = ("phases", open_phases.index(True))
            hint = "use two sources: one with rates, one with users"
            found.append(Finding(at, "open and closed phases cannot be mixed in one source", hint))
        names = [phase.name for phase in self.phases]
        for index, phase_name in enumerate(names):
            if phase_name in names[:index]:
                at = ("phases", index, "name")
                found.append(Finding(at, f"{phase_name} is used twice", ""))
        for index, phase in enumerate(self.phases):
            if isinstance(phase, ClosedPhase) and phase.think_time.mean() == 0:
                at = ("phases", index, "think_time")
                hint = "a user without think time calls without end; write e.g. 1ms"
                found.append(Finding(at, "is always 0", hint))
        if self.is_closed and self.arrivals != Arrivals():
            found.append(Finding(("arrivals",), "closed phases have no arrival process", ""))
        if self.offset is not None and not self.is_closed and self.arrivals.process != "uniform":
            hint = "write arrivals: uniform, or remove offset"
            found.append(Finding(("offset",), f"{self.arrivals.process} arrivals have none", hint))
        return found

    def _findings_of_sessions(self, sessions: Sessions) -> list[Finding]:
        """What users who stay connected have no use for."""
        found = [
            Finding((key,), f"a source with sessions has no {key}", "remove the key")
            for key in _NOT_OF_SESSIONS
            if key in self.model_fields_set
        ]
        for index, phase in enumerate(self.phases):
            if isinstance(phase, ClosedPhase):
                hint = "write population: under sessions:, or phases with rates of new sessions"
                message = "sessions are users already"
                found.append(Finding(("phases", index), message, hint))
        network = self.network
        if network is not None and (network.keep_alive or network.reuse):
            message = "a session is a connection: there is none to be kept for the next call"
            found.append(Finding(("network",), message, "remove keep_alive and reuse"))
        seen: dict[str, str] = {}
        for push_name, push in self.pushes.items():
            at: Path = ("pushes", push_name)
            if push.rate is not None and sessions.is_endless:
                hint = "write until: 1h under sessions:, or on: a route of theirs"
                message = "nothing says for how long, as nobody sends the population home"
                found.append(Finding((*at, "rate"), message, hint))
            if push.to == "topic" and sessions.topics is None:
                hint = "write topics: {zipf: 1.1, of: 1000} under sessions:"
                found.append(Finding((*at, "to"), "nobody subscribes to a topic", hint))
            first = seen.setdefault(push.on, push_name) if push.on is not None else push_name
            if first != push_name:
                message = f"{first} is sent for each message of {push.on} already"
                found.append(Finding((*at, "on"), message, "keep one of them"))
        return found


def _value_names(values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Names of the values of each parameter that has named ones; refuses one given twice."""
    result: dict[str, tuple[str, ...]] = {}
    seen: dict[str, str] = {}
    for written, spec in values.items():
        try:
            parameter = parse_parameter(written)
        except UnitError:
            continue  # reported where the keys are read
        if parameter in seen:
            raise fail(f"is the same parameter as {seen[parameter]}", at=("values", written))
        seen[parameter] = written
        if names := names_of(spec):
            result[parameter] = names
    return result
