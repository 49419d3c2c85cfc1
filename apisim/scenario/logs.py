"""Words of logs beside the access log's format: execution logs, and how long logs are kept."""

from typing import Annotated, Any, Final, Literal

from apisim.scenario.fields import Reader, choice, flag
from apisim.scenario.model import Context, Model
from apisim.scenario.units import UnitError, parse_duration

__all__ = ["ExecutionLog", "LogRetention"]

#: Days that a log group can keep its events (CloudWatch Logs API reference, PutRetentionPolicy).
_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096),
    *(1827, 2192, 2557, 2922, 3288, 3653),
)
_NS_PER_DAY: Final = 86_400_000_000_000


class ExecutionLog(Model):
    """What API Gateway itself writes about the requests of a stage; REST and WebSocket.

    Attributes
    ----------
    level : {"error", "info"}
        Whether only requests that end in an error (status 400 or above) are written about, or all.
    data_trace : bool
        Whether bodies are written too, at most 1,024 bytes of each.
    """

    level: Annotated[Literal["error", "info"], choice("error", "info")]
    data_trace: Annotated[bool, flag()] = False

    @classmethod
    def normalise(cls, data: Any) -> Any:
        """``info`` is ``{level: info}``."""
        return {"level": data} if isinstance(data, str) else data


def _read_retention(value: Any, context: Context) -> int | None:
    if value == "never":
        return None
    found = parse_duration(value)
    if found % _NS_PER_DAY or found // _NS_PER_DAY not in _DAYS:
        hint = f"allowed: never, or days: {', '.join(map(str, _DAYS))}"
        raise UnitError(f"CloudWatch Logs does not keep logs for {value}", hint)
    return found // _NS_PER_DAY


#: Days after which a log's events expire; None: they never do.
LogRetention = Annotated[
    int | None, Reader(_read_retention, {"anyOf": [{"const": "never"}, {"type": "string"}]})
]
