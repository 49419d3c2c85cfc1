"""Pushes: what backends send to connected clients, and the senders that make the calls.

A push is an event to be told: once a second, or whenever a message was served. Each client it goes
to is one call of ``POST @connections``; a sender has so many of them under way at a time.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from apisim.scenario.arrivals import Arrivals
from apisim.scenario.clients import Retries
from apisim.scenario.distributions import SentSizeDistribution, TimeDistribution
from apisim.scenario.fields import Reader, choice, flag, name, rate, share, whole
from apisim.scenario.model import Context, Finding, Model, as_written, fail, fail_all
from apisim.scenario.problems import Path, did_you_mean
from apisim.scenario.units import UnitError, shown
from apisim.scenario.websocket_routes import DEFAULT, is_word

__all__ = ["Push", "Sender"]

_RATE: Final = rate()
_SHARE: Final = share()
_Whom = Literal["all", "one", "topic", "sender", "share"]
_WORDS: Final = tuple(word for word in get_args(_Whom) if word != "share")


def _read_whom(value: Any, context: Context) -> str:
    if value in (*_WORDS, "share"):
        return str(value)
    hint = did_you_mean(value, _WORDS, may_list=False) if isinstance(value, str) else ""
    raise UnitError(f"must be {', '.join(_WORDS)} or {{share: 1%}}, got {shown(value)}", hint)


_WHOM_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {"enum": list(_WORDS)},
        {
            "type": "object",
            "properties": {"share": {"type": ["string", "integer"]}},
            "required": ["share"],
            "additionalProperties": False,
        },
    ]
}


def _read_trigger(value: Any, context: Context) -> str:
    if isinstance(value, str) and (value == DEFAULT or is_word(value)):
        return value
    raise UnitError(f"must be a route of messages, got {shown(value)}", "write e.g. sendMessage")


_TRIGGER_SCHEMA: Final = {"type": "string", "pattern": r"^(\$default|[A-Za-z0-9_./-]{1,128})$"}
_PROCESS: Final = choice("poisson", "uniform")


def _read_process(value: Any, context: Context) -> Arrivals:
    return Arrivals("uniform" if _PROCESS.read(value, context) == "uniform" else "poisson")


class Push(Model):
    """What is sent to connected clients without their asking.

    Attributes
    ----------
    rate : fractions.Fraction or None
        Pushes a second, however many clients each goes to.
    on : str or None
        Instead of a rate: one push for each served message of this route of the source.
    arrivals : Arrivals
        How pushes with a rate are spread: ``poisson`` (default) or ``uniform``.
    to : {"all", "one", "topic", "sender", "share"}
        To whom: all connections, one of them, the subscribers of a topic, the sender of the
        message, or each connection with a probability, ``{share: 1%}``.
    share : float
        That probability, in [0, 1]; not written beside ``to``.
    size : Distribution
        Size of the message to each client [bytes], default 1 KB.
    by : str
        Name under ``senders:``.
    """

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"share"})

    rate: Annotated[Fraction, _RATE] | None = None
    on: Annotated[str, Reader(_read_trigger, _TRIGGER_SCHEMA)] | None = None
    arrivals: Annotated[Arrivals, Reader(_read_process, _PROCESS.schema)] = as_written("poisson")
    to: Annotated[_Whom, Reader(_read_whom, _WHOM_SCHEMA)]
    share: Annotated[float, _SHARE] = 1.0
    size: SentSizeDistribution = as_written("1KB")
    by: Annotated[str, name()]

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """A share is a word and its number."""
        whom = data.get("to")
        if isinstance(whom, Mapping) and set(whom) == {"share"}:
            return {**data, "to": "share", "share": whom["share"]}
        if whom == "share":
            raise fail("share of what?", "write to: {share: 1%}", ("to",))
        return data

    @classmethod
    def relocate(cls, data: Any, findings: list[Finding]) -> list[Finding]:
        """A share stands under ``to``."""
        at: dict[Path, Path] = {("share",): ("to", "share")}
        return [one._replace(at=at.get(one.at, one.at)) for one in findings]

    @model_validator(mode="after")
    def _has_one_cause(self) -> Self:
        found = []
        if self.rate is None and self.on is None:
            found.append(Finding((), "rate or on is required", "write e.g. rate: 1/s"))
        if self.rate is not None and self.on is not None:
            found.append(Finding(("on",), "rate and on exclude each other", "keep one of them"))
        if self.rate is None and "arrivals" in self.model_fields_set:
            message = "pushes that answer messages have no arrivals of their own"
            found.append(Finding(("arrivals",), message, "remove the key"))
        if self.to == "sender" and self.on is None:
            message = "nobody sent a message that this answers"
            found.append(Finding(("to",), message, "write on: ROUTE instead of a rate"))
        if found:
            raise fail_all(found)
        return self


class Sender(Model):
    """What makes the calls of ``POST @connections``: a loop over the connections, with threads.

    Attributes
    ----------
    parallelism : int
        Calls under way at a time, 1 to 10,000, default 50.
    call_time : Distribution
        Round trip between sender and API [ns], default 5 ms; what the API itself takes is added.
    coalesce : bool
        Whether a push that has not begun is dropped for a newer one of the same name.
    retries : Retries or None
        What it does about a call that was throttled (429); None: the client is not told.
    """

    parallelism: Annotated[int, whole(1, 10_000)] = 50
    call_time: TimeDistribution = as_written("5ms")
    coalesce: Annotated[bool, flag()] = False
    retries: Retries | None = None


Pushes = Annotated[dict[Annotated[str, name()], Push], Field(max_length=1_000)]
#: Senders by name.
Senders = dict[Annotated[str, name()], Sender]
