"""Forms of the logs that a trace replays, and what of a request each of them knows."""

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from apisim.scenario.access_log import FORMAT_BYTES, PRESETS, pieces
from apisim.scenario.fields import Reader
from apisim.scenario.model import Context
from apisim.scenario.problems import did_you_mean
from apisim.scenario.units import UnitError, shown

__all__ = ["PATHS", "TIDY", "TIMES", "LogForm", "LogFormat", "form_of"]

#: The columns that :mod:`apisim.traffic.trace` describes.
TIDY: Final = "tidy"
#: Variables that say when, the finest first.
TIMES: Final = ("requestTimeEpoch", "requestTime")
#: Variables that say what was called: with the values of its parameters, or without.
PATHS: Final = ("path", "resourcePath", "routeKey")
#: Presets of the two types of API whose logs can be replayed.
_PRESETS: Final = {name: (PRESETS["rest"][name], PRESETS["http"][name]) for name in PRESETS["rest"]}
_NAMES: Final = (TIDY, *_PRESETS)
#: A variable, and the quotes around it.
_QUOTED: Final = re.compile(r'"?\$context\.([A-Za-z0-9_.-]+)"?')
_MARK: Final = "$"


@dataclass(frozen=True, slots=True)
class LogForm:
    """What a format says of each request.

    Attributes
    ----------
    name : str
        ``tidy``, a preset's name, or "" for a format.
    templates : tuple of str
        Formats that a line may have; empty for ``tidy``.
    keys : dict of tuple of str to str
        Of JSON: the variable at each path of keys; empty for other forms.
    """

    name: str
    templates: tuple[str, ...]
    keys: dict[tuple[str, ...], str]

    @property
    def variables(self) -> frozenset[str]:
        """What lines may say, without ``$context.``."""
        return frozenset(v for text in self.templates for _, v in pieces(text) if v)

    @property
    def is_coarse(self) -> bool:
        """Whether times are whole seconds."""
        return self.name != TIDY and "requestTimeEpoch" not in self.variables


def form_of(log: str) -> LogForm:
    """What a trace's ``format`` means.

    Parameters
    ----------
    log : str
        ``tidy``, ``clf``, ``json``, ``xml``, ``csv``, or a format with ``$context`` variables.

    Examples
    --------
    >>> form_of('{"when": $context.requestTimeEpoch, "path": "$context.path"}').keys
    {('when',): 'requestTimeEpoch', ('path',): 'path'}
    """
    if log == TIDY:
        return LogForm(TIDY, (), {})
    templates = _PRESETS.get(log, (log,))
    keys: dict[tuple[str, ...], str] = {}
    for template in templates:
        keys |= _json_keys(template)
    return LogForm(log if log in _PRESETS else "", templates, keys)


def _json_keys(template: str) -> dict[tuple[str, ...], str]:
    """Variables by their path of keys, where a format is a JSON object of single variables.

    Empty where one of them cannot be found so: in a list, amid other text, below a key that is
    written twice. Such a format is text like any other.
    """
    text = _QUOTED.sub(lambda found: f'"{_MARK}{found[1]}"', template)
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    found: dict[tuple[str, ...], str] = {}

    def walk(value: Any, at: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, (*at, key))
        elif isinstance(value, str) and value.startswith(_MARK):
            found[at] = value.removeprefix(_MARK)

    if isinstance(document, dict):
        walk(document, ())
    said = {variable for _, variable in pieces(template) if variable}
    return found if said == set(found.values()) else {}


def _read_format(value: Any, context: Context) -> str:
    if not isinstance(value, str) or not value.strip():
        hint = f"write one of {', '.join(_NAMES)}, or a format with $context variables"
        raise UnitError(f"must be the form of a log, got {shown(value)}", hint)
    text: str = value.strip()
    if text in _NAMES:
        return text
    if "$context." not in text:
        hint = did_you_mean(text, _NAMES) or "e.g. $context.requestTimeEpoch $context.path"
        raise UnitError(f"{shown(text)} has no $context variable and is no known form", hint)
    if "\n" in text:
        raise UnitError("a log's format is a single line", "write >- in front of it")
    if (size := len(text.encode())) > FORMAT_BYTES:
        raise UnitError(f"{size:,} bytes are above the {FORMAT_BYTES:,} maximum of API Gateway")
    _check_variables(text)
    return text


def _check_variables(text: str) -> None:
    said = [variable for _, variable in pieces(text) if variable]
    for what, wanted in (("when", TIMES), ("what was called", PATHS)):
        if not set(wanted) & set(said):
            one_of = " or ".join(f"$context.{variable}" for variable in wanted)
            raise UnitError(f"the format does not say {what}", f"it needs {one_of}")
    if not {"httpMethod", "routeKey"} & set(said):
        raise UnitError("the format does not say the method", "it needs $context.httpMethod")
    for variable in dict.fromkeys(said):
        if said.count(variable) > 1:
            raise UnitError(f"the format has $context.{variable} twice", "once is enough")
    for before, variable in pieces(text)[1:]:
        if not before and variable:
            hint = "put a space between them"
            raise UnitError(f"nothing stands in front of $context.{variable}", hint)


#: The form of a log's lines.
LogFormat = Annotated[
    str, Reader(_read_format, {"anyOf": [{"enum": [*_NAMES]}, {"type": "string"}]})
]
