"""The whole scenario: one frozen object that says what is simulated."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path as FilePath
from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, PrivateAttr

from apisim.scenario.alarms import Alarm
from apisim.scenario.api import Api
from apisim.scenario.authorizers import Authorizer
from apisim.scenario.backends import Account, LambdaFunction
from apisim.scenario.domains import Domain, DomainName
from apisim.scenario.endpoints import HttpEndpoint
from apisim.scenario.fields import Reader, choice, duration, name, text, whole
from apisim.scenario.model import Context, Finding, Model, as_written
from apisim.scenario.perimeter import VpcEndpoint
from apisim.scenario.plans import ApiKey, UsagePlan
from apisim.scenario.populations import Population
from apisim.scenario.positions import Positions
from apisim.scenario.pricing import Pricing
from apisim.scenario.problems import Path, Problem, did_you_mean
from apisim.scenario.regions import REGIONS
from apisim.scenario.replications import REPLICATIONS, Until, relocated, split_until
from apisim.scenario.routes import RouteKey
from apisim.scenario.senders import Senders
from apisim.scenario.services import Service
from apisim.scenario.settings import Settings
from apisim.scenario.thresholds import Threshold, Thresholds
from apisim.scenario.timeline import PhaseTime, TimelineEntry
from apisim.scenario.traffic import Source
from apisim.scenario.units import UnitError, shown

__all__ = ["Origin", "Scenario", "SourceText"]

_NAME: Final = name()
_Name = Annotated[str, _NAME]


def _read_api_name(value: Any, context: Context) -> str:
    return value if value in context.split else str(_NAME.read(value, context))


_ApiName = Annotated[str, Reader(_read_api_name, _NAME.schema)]

_WARM_UP: Final = duration()
_WARM_UP_SCHEMA: Final = {"anyOf": [{"const": "auto"}, _WARM_UP.schema]}


@dataclass(frozen=True)
class SourceText:
    """The text a scenario was read from.

    Parameters
    ----------
    file : str
        Name as it was given.
    sha256 : str
        Hash of the text, in hexadecimal.
    text : str
        The text itself.
    """

    file: str
    sha256: str
    text: str


@dataclass(frozen=True)
class Origin:
    """What a scenario is made from, enough to make a changed one.

    Parameters
    ----------
    data : dict
        Plain data with overrides applied, before defaults.
    base : pathlib.Path
        Directory relative file names start from.
    source : SourceText
        The text.
    positions : Positions
        Where each value is written.
    changes : tuple of str
        ``path=value`` each: what was laid over the text, options of their own left out.
    """

    data: dict[str, Any] = field(default_factory=dict)
    base: FilePath = field(default_factory=FilePath)
    source: SourceText = SourceText("<none>", "", "")
    positions: Positions = field(default_factory=lambda: Positions("<none>"))
    changes: tuple[str, ...] = ()


def _read_region(value: Any, context: Context) -> str:
    if not isinstance(value, str) or value not in REGIONS:
        hint = did_you_mean(value, sorted(REGIONS)) if isinstance(value, str) else ""
        raise UnitError(f"{shown(value)} is not an AWS region", hint)
    return value


def _read_start(value: Any, context: Context) -> datetime:
    hint = "write e.g. 2026-06-01T00:00:00Z"
    try:
        if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", value):
            raise ValueError
        start = datetime.fromisoformat(value)
    except ValueError:
        raise UnitError(f"{shown(value)} is not a date and time", hint) from None
    if start.tzinfo is None or start.utcoffset():
        raise UnitError(f"{shown(value)} is not in UTC", f"end it with Z; {hint}")
    if not 1970 <= start.year <= 2199:
        raise UnitError(f"the year {start.year} is outside 1970 to 2199", hint)
    return start.astimezone(UTC)


class Scenario(Model):
    """A scenario: the API, its traffic, and what is asked about them.

    Attributes
    ----------
    apisim : int
        Version of the format, 1.
    name, description : str
        Free texts; the description tells the question and its answer.
    profile : {"aws", "chapter", "ideal"}
        Which defaults the settings have.
    seed : int
        Decides every draw, 0 to 2^64 - 1, default 1.
    replications : int
        Independent repetitions, 1 to 10,000, default 1; the most there may be where ``until`` is
        given.
    until : Until or None
        ``replications: {until: {metric, half_width}, min, max}``: as many as a figure needs.
    warm_up : int
        Beginning left out of the statistics, never out of the bill [ns]; ``auto`` is chosen by
        MSER-5, for constant traffic only.
    has_auto_warm_up : bool
        Whether that is still to be chosen.
    start : datetime.datetime
        UTC time of the run's beginning.
    region : str
        AWS region; decides default limits and the price book.
    account : Account
        Limits all APIs share.
    apis, authorizers, functions, endpoints, services, usage_plans, api_keys, populations : dict
        By name, in the order written; an API with several stages is one for each, ``API/STAGE``.
    domains : dict of str to Domain
        Custom domains.
    vpc_endpoints, senders, traffic : dict
        By name, in the order written.
    timeline : list of TimelineEntry
        What changes while it runs; at one time, in the order written.
    alarms : dict of str to Alarm
        CloudWatch alarms, by name.
    settings : Settings
        All settings, resolved for the profile.
    pricing : Pricing
        How usage becomes a bill.
    thresholds : tuple of Threshold
        What must hold of the results.
    """

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"until", "has_auto_warm_up"})

    apisim: Annotated[Literal[1], choice(1)]
    name: Annotated[str, text(200)] = ""
    description: Annotated[str, text(20_000)] = ""
    profile: Annotated[Literal["aws", "chapter", "ideal"], choice("aws", "chapter", "ideal")] = (
        "aws"
    )
    seed: Annotated[int, whole(0, 2**64 - 1)] = 1
    replications: Annotated[int, REPLICATIONS] = 1
    until: Until | None = None
    warm_up: Annotated[int, Reader(_WARM_UP.read, _WARM_UP_SCHEMA)] = as_written(0)
    has_auto_warm_up: bool = False
    start: Annotated[datetime, Reader(_read_start, {"type": "string"})] = as_written(
        "2026-06-01T00:00:00Z"
    )
    region: Annotated[str, Reader(_read_region, {"enum": sorted(REGIONS)})] = "us-east-1"
    account: Account = as_written({})
    apis: Annotated[dict[_ApiName, Api], Field(min_length=1)]
    domains: dict[DomainName, Domain] = Field(default_factory=dict)
    authorizers: dict[_Name, Authorizer] = Field(default_factory=dict)
    functions: dict[_Name, LambdaFunction] = Field(default_factory=dict)
    endpoints: dict[_Name, HttpEndpoint] = Field(default_factory=dict)
    services: dict[_Name, Service] = Field(default_factory=dict)
    usage_plans: dict[_Name, UsagePlan] = Field(default_factory=dict)
    api_keys: dict[_Name, ApiKey] = Field(default_factory=dict)
    populations: dict[_Name, Population] = Field(default_factory=dict)
    vpc_endpoints: dict[_Name, VpcEndpoint] = Field(default_factory=dict)
    senders: Senders = Field(default_factory=dict)
    traffic: Annotated[dict[_Name, Source], Field(min_length=1)]
    timeline: Annotated[list[TimelineEntry], Field(max_length=1_000)] = Field(default_factory=list)
    alarms: Annotated[dict[_Name, Alarm], Field(max_length=5_000)] = Field(default_factory=dict)
    settings: Settings = as_written({})
    pricing: Pricing = as_written({})
    thresholds: Thresholds = as_written({})

    _origin: Origin = PrivateAttr(default_factory=Origin)
    _notes: tuple[str, ...] = PrivateAttr(default=())
    _duration_limit_ns: int | None = PrivateAttr(default=None)
    _states: tuple[Any, ...] = PrivateAttr(default=())

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Numbers apart from how they come about."""
        data = split_until(data)
        if data.get("warm_up") == "auto":
            data = {**data, "warm_up": 0, "has_auto_warm_up": True}
        return data

    @classmethod
    def relocate(cls, data: Any, findings: list[Finding]) -> list[Finding]:
        """What is wrong with ``until`` is found where it is written."""
        return relocated(findings)

    @property
    def figures(self) -> list[tuple[Path, Threshold]]:
        """What is asked of results, each with its place: thresholds, and ``until``."""
        found: list[tuple[Path, Threshold]] = [
            (("thresholds", threshold.key), threshold) for threshold in self.thresholds
        ]
        if self.until is not None:
            found.append((("replications", "until", "metric"), self.until.until.metric))
        return found

    @property
    def source(self) -> SourceText:
        """The text the scenario was read from."""
        return self._origin.source

    @property
    def positions(self) -> Positions:
        """Where each key is written."""
        return self._origin.positions

    @property
    def changes(self) -> tuple[str, ...]:
        """What was laid over the text, as ``--set`` takes it: ``path=value`` each, in order."""
        return self._origin.changes

    @property
    def notes(self) -> list[str]:
        """What the user should know although nothing is wrong."""
        return list(self._notes)

    @property
    def duration_limit_ns(self) -> int | None:
        """Time after which nothing more arrives [ns] (``--duration``); None sets no limit."""
        return self._duration_limit_ns

    @property
    def run_length_ns(self) -> int | None:
        """Time from the start to the end of the longest source's phases, cut by the limit [ns].

        None when a trace takes part, whose length is not known before it is read.
        """
        lengths = [source.length_ns for source in self.traffic.values()]
        known = [length for length in lengths if length is not None]
        if len(known) < len(lengths):
            return None
        longest = max(known)
        limit = self._duration_limit_ns
        return longest if limit is None else min(longest, limit)

    @property
    def states(self) -> tuple[Any, ...]:
        """What the scenario becomes, by the ``set:`` of its timeline; ``State`` of ``changes``."""
        return self._states

    def at(self, time_ns: int) -> "Scenario":
        """The scenario as its timeline has made it up to a time [ns], what is set then included."""
        found = self
        for state in self._states:
            if state.at_ns <= time_ns:
                found = state.scenario
        return found

    def when(self, entry: TimelineEntry) -> int:
        """Time of an entry of the timeline [ns]."""
        if not isinstance(entry.at, PhaseTime):
            return int(entry.at)
        return min(self.starts_of(entry.at).values()) + entry.at.after_ns

    def starts_of(self, at: PhaseTime) -> dict[str, int]:
        """When a phase begins [ns], by source."""
        starts = {}
        for of, source in self.traffic.items():
            start = 0
            for phase in source.phases:
                if phase.name == at.phase and at.source in (None, of):
                    starts[of] = start
                start += phase.length_ns
        return starts

    def stage_api(self, written: str) -> str:
        """Name in ``apis`` of what is written ``API/STAGE``."""
        return written if written in self.apis else written.partition("/")[0]

    def route_keys(self, api: str) -> dict[str, RouteKey]:
        """Parsed key of each route of an API, in the order written."""
        return self.apis[api].route_keys()

    def problem(self, path: Path, message: str, hint: str = "") -> Problem:
        """Problem of an upper floor at a key of this scenario, with its position."""
        return self.positions.problem(path, message, hint)

    def with_(self, *overrides: str, **values: Any) -> "Scenario":
        """Changed copy of the scenario.

        Parameters
        ----------
        *overrides : str
            ``path=value`` as ``--set`` takes it.
        **values
            Values by dotted path: ``s.with_(**{"traffic.web.phases.0.rate": 300})``; texts are
            taken as they are, not parsed.

        Returns
        -------
        Scenario
            Validated like one that was loaded.

        Raises
        ------
        ScenarioError
            If a path is unknown or the result is not valid.
        """
        from apisim.scenario.loading import revise

        return revise(self, overrides, values)

    def to_yaml(self) -> str:
        """The scenario as resolved: with its overrides, its profile's settings and its defaults.

        File names are absolute, so that the text can be moved; loading it gives an equal scenario.
        """
        from apisim.scenario.dumping import resolved_yaml

        return resolved_yaml(self)

    @property
    def title(self) -> str:
        """Its name, or that of its file without folder and ending."""
        return self.name or PurePath(self.source.file).stem

    def __repr__(self) -> str:
        return f"<Scenario {self.name or self.source.file!r}: {', '.join(self.apis)}>"

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        from apisim.scenario.html import render_html

        return render_html(self)

    def __eq__(self, other: object) -> bool:
        # What is simulated, not where it was written.
        if not isinstance(other, Scenario):
            return NotImplemented
        return self.__dict__ == other.__dict__

    # Mappings inside make it unhashable; pydantic would only notice when asked.
    __hash__ = None  # type: ignore[assignment]
