"""Lines of access logs as their gateway or server wrote them, taken apart into a trace's fields.

A line of text is matched against its format as a whole. A line of JSON is read by key, whatever the
order, also where an unknown number without quotes is a bare ``-``; one that is no JSON for another
reason is text. A hostile line costs at most the square of its length, which :data:`MAX_LINE`
bounds. ``clf`` takes the Common and the Combined Log Format of web servers as well as API Gateway's
own, which has no space in front of its request. Times are ``$context.requestTimeEpoch``
(milliseconds) where the format has it, else ``$context.requestTime`` (seconds). What was called is
``$context.path``, without its stage, else the path of the route.

Sources: developer guide, "Set up logging for REST APIs" and "Variables for access logging"; Apache
HTTP Server documentation, "Common Log Format" and "Combined Log Format".
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final

from apisim.scenario.access_log import pieces
from apisim.scenario.log_formats import PATHS, LogForm
from apisim.traffic.lines import damage
from apisim.traffic.trace_rows import RowError

__all__ = ["LOG_FIELDS", "MAX_LINE", "LogLines", "place_of"]

#: Columns that a line becomes, in this order.
LOG_FIELDS: Final = ("timestamp_s", "client", "method", "path", "bytes")
#: Longest line [characters]: a request's line and headers are 10,240 bytes at most, and a format
#: has 3 KB (developer guide, quotas); what is longer was not written by a gateway.
MAX_LINE: Final = 1 << 14
#: What a log writes where it knows nothing.
_UNKNOWN: Final = "-"

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_TIME: Final = re.compile(
    r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)", re.ASCII
)
_VERB: Final = re.compile(r"([A-Z]+) ")
_EPOCH: Final = re.compile(r"\d{4,16}", re.ASCII)
#: The request is the first quoted text; quotes inside it are written ``\"``.
_CLF: Final = re.compile(
    r"(\S++) (?:[^\[]|\[(?!\d\d/))*+\[([^\[\]]*+)\] ?"
    r'"([^" ]*+) ((?:[^"\\]|\\.)*?)(?: (?:HTTP/[\d.]+|-))?"'
    r" (?:\d{3}|-) (\d++|-)(?:\s.*)?"
)
_CLF_VARIABLES: Final = [
    "identity.sourceIp",
    "requestTime",
    "httpMethod",
    "routeKey",
    "responseLength",
]
#: Text that may have spaces in it; what an authorizer returned may, too.
_FREE: Final = re.compile(
    r"authorizer\.(?!integration|latency$|requestId$|status$).+"
    r"|(authenticate|authorize|integration|waf)\.error|integrationErrorMessage"
    r"|error\.(message|messageString|validationErrorString)"
    r"|identity\.(userAgent|clientCert\..+)"
)
_SHAPES: Final = {
    "requestTime": r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}",
    "routeKey": r"(?:[A-Z]++ )?\S*?",
    "path": r"\S*?",
    "resourcePath": r"\S*?",
}
#: An unknown value of JSON without quotes around it.
_BARE: Final = re.compile(r'(":\s*)-(?=\s*[,}])')
#: What no text has, and JSON can say.
_NO_TEXT: Final = re.compile("[\0-\x1f\x7f\ud800-\udfff]")


class LogLines:
    """Reads one form of lines.

    Parameters
    ----------
    form : LogForm
        Any but ``tidy``.
    stage : str
        Stage that ``$context.path`` begins with; "" where it has none, as on a custom domain.
    """

    def __init__(self, form: LogForm, *, stage: str = "") -> None:
        self._form = form
        self._stage = f"/{stage}" if stage else ""
        self._patterns = [(_CLF, _CLF_VARIABLES)]
        if form.name != "clf":
            self._patterns = [_pattern(template) for template in form.templates]

    def fields(self, line: str, *, damaged: bool) -> list[str]:
        """One line as :data:`LOG_FIELDS`, or :class:`RowError`."""
        if len(line) > MAX_LINE:
            message = f"the line has {len(line):,} characters, over the maximum of {MAX_LINE:,}"
            raise RowError("", message, "is it one request?", column=1)
        if damaged:
            found = damage(line)
            if found:
                column, what = found
                raise RowError("", f"the line has {what}", "save the file as UTF-8", column=column)
        said = self._said(line)
        path = self._path(said)
        # A route's key has its method in front: `GET /pets/{id}`.
        verb = _VERB.match(said.get("routeKey", ""))
        method = said.get("httpMethod", "") or (verb[1] if verb else "")
        if verb and path == said["routeKey"]:
            path = path[verb.end() :]
        elif path.startswith("$"):
            message = f"{path} is a route that takes any path"
            raise _bad("path", message, "log $context.path as well", line=line, text=path)
        if method == "ANY":
            message = "ANY is a route's method, no request's"
            raise _bad("method", message, "log $context.httpMethod as well", line=line, text=method)
        size = said.get("responseLength", _UNKNOWN)
        client = said.get("identity.sourceIp", _UNKNOWN)
        return [
            _seconds(said, line),
            "" if client == _UNKNOWN else client,
            method,
            path,
            "" if size == _UNKNOWN else size,
        ]

    def _said(self, line: str) -> Mapping[str, str]:
        if not self._form.keys:
            said = self._of_text(line)
            if said is None:
                what = f"of the form {self._form.name}" if self._form.name else "of the format"
                raise RowError(
                    "", f"the line is not {what}", "is it what wrote this log?", column=1
                )
            return said
        try:
            document = json.loads(line)
        except (ValueError, RecursionError) as error:
            return self._of_broken_json(line, getattr(error, "colno", 1))
        return self._of_json(document)

    def _of_broken_json(self, line: str, column: int) -> dict[str, str]:
        """A line whose format has no quotes around what may be a bare ``-``, or around text."""
        try:
            return self._of_json(json.loads(_BARE.sub(r"\1null", line)))
        except (ValueError, RecursionError):
            said = self._of_text(line)
        if said is None:
            raise RowError("", "the line is no JSON object", column=column)
        return said

    def _of_text(self, line: str) -> dict[str, str] | None:
        for pattern, variables in self._patterns:
            found = pattern.fullmatch(line)
            if found is not None:
                return dict(zip(variables, found.groups(), strict=True))
        return None

    def _of_json(self, document: Any) -> dict[str, str]:
        if not isinstance(document, dict):
            raise RowError("", "the line is no JSON object", column=1)
        said: dict[str, str] = {}
        for keys, variable in self._form.keys.items():
            value: Any = document
            for key in keys:
                value = value.get(key) if isinstance(value, dict) else None
            if isinstance(value, float) and value.is_integer():
                value = int(value)  # as programs write numbers that handed the log on
            if isinstance(value, (str, int)) and not isinstance(value, bool):
                said[variable] = text = str(value)
                if not text.isprintable() and _NO_TEXT.search(text):
                    raise RowError(variable, f"{text[:60]!a} is no text", column=1)
        return said

    def _path(self, said: Mapping[str, str]) -> str:
        for variable in PATHS:
            path = said.get(variable, _UNKNOWN)
            if path == _UNKNOWN:
                continue
            if variable == "path" and self._stage:
                if path == self._stage:
                    return "/"
                if path.startswith(f"{self._stage}/"):
                    return path[len(self._stage) :]
            return path
        return ""


def _pattern(template: str) -> tuple[re.Pattern[str], list[str]]:
    """What a line of a format looks like, and the variables of its groups."""
    parts = pieces(template)
    words = [_gap(parts[0][0])]
    ends = [text for text, _ in parts[1:]]
    open_ended = [at for at, end in enumerate(ends) if _is_open(parts[at][1], end[:1])]
    for at, ((_, variable), following) in enumerate(zip(parts[:-1], ends, strict=True)):
        shape = f"({_shape(variable, following[:1])}){_gap(following)}"
        # Atomic: what is open ends where its format first goes on. Only the last may end later, so
        # that there are not more ways to share out a line than it has characters.
        words.append(f"(?>{shape})" if at in open_ended[:-1] and following else shape)
    return re.compile("".join([*words, r"\s*"])), [variable for _, variable in parts[:-1]]


def _gap(text: str) -> str:
    """Formats are often written over several lines: how wide a gap is means nothing."""
    return "".join(
        r"\s++" if part.isspace() else re.escape(part) for part in re.split(r"(\s+)", text)
    )


def _is_open(variable: str, following: str) -> bool:
    """Whether a text may hold what ends it; no path has a blank in it."""
    if variable in PATHS:
        return bool(following.strip())
    return bool(_FREE.fullmatch(variable))


def _shape(variable: str, following: str) -> str:
    if variable in _SHAPES:
        return _SHAPES[variable]
    if _FREE.fullmatch(variable):
        return ".*?"
    # Possessive: the text cannot hold what ends it, so that a line is read in one pass.
    return rf"[^\s{re.escape(following)}]*+" if following.strip() else r"\S*+"


def _seconds(said: Mapping[str, str], line: str) -> str:
    """Time of a request [s] as a decimal."""
    epoch = said.get("requestTimeEpoch", _UNKNOWN)
    if epoch != _UNKNOWN:
        if not _EPOCH.fullmatch(epoch):
            message = f"{epoch[:60]!r} is no time in ms"
            raise _bad("requestTimeEpoch", message, line=line, text=epoch)
        return f"{epoch[:-3]}.{epoch[-3:]}"
    text = said.get("requestTime", "")
    seconds = _clf_seconds(text)
    if seconds is None:
        shown = f"{text[:60]!r} is no time" if text else "is missing"
        hint = "such as 10/Oct/2000:13:55:36 -0700"
        raise _bad("requestTime", shown, hint, line=line, text=text)
    return seconds


@lru_cache(maxsize=16)
def _clf_seconds(text: str) -> str | None:
    """Seconds since 1970 of a time as CLF writes it; None if it is none."""
    found = _TIME.fullmatch(text)
    month = _MONTHS.get(found[2]) if found is not None else None
    if found is None or month is None:
        return None
    day, year, hour, minute, second = (int(found[at]) for at in (1, 3, 4, 5, 6))
    ahead = timedelta(hours=int(found[8]), minutes=int(found[9]))
    try:
        zone = timezone(ahead if found[7] == "+" else -ahead)
        time = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
    since = time - datetime(1970, 1, 1, tzinfo=UTC)
    return str(since // timedelta(seconds=1))


def place_of(text: str, line: str) -> int:
    """Column of a text in a line, counted from 1; 1 where it is not to be found."""
    return max(line.find(text), 0) + 1 if text else 1


def _bad(name: str, message: str, hint: str = "", *, line: str, text: str) -> RowError:
    return RowError(name, message, hint, column=place_of(text, line))
