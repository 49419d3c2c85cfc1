"""The base of every scenario model: strict keys, plain sentences, all findings at once.

pydantic does the walking, the types and the JSON schema; this module decides how a finding reads.
A finding is a place relative to the model, a message with the allowed range and a hint. Validators
report with :func:`fail`; pydantic's own complaints (a missing key, the wrong shape) are translated
into the same form, and every model passes on what its parts found.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError

from apisim.scenario.problems import Path, did_you_mean
from apisim.scenario.units import shown

__all__ = [
    "Context",
    "Finding",
    "Model",
    "as_written",
    "context_of",
    "fail",
    "fail_all",
    "findings_of",
    "nested",
    "tag",
]

NOT_YET = "not modelled yet"


class Finding(NamedTuple):
    """What is wrong at a place relative to the value under validation."""

    at: Path
    message: str
    hint: str


@dataclass(frozen=True)
class Context:
    """What a value needs to know about the scenario it stands in.

    Parameters
    ----------
    base : pathlib.Path
        Directory relative file names start from.
    profile : str
        ``aws``, ``chapter`` or ``ideal``.
    region : str
        AWS region.
    throttle_scope : str
        What a stage's throttle is by default: ``method`` or ``shared``.
    apis : tuple of str
        Names of the APIs, in order; ``API/STAGE`` for each stage of several.
    split : tuple of str
        Those among them that are one of several stages.
    domains : dict of str to dict of str to str
        API of each base path, by domain, as written.
    timeout_ns : int
        Longest time-out of the integrations of REST APIs [ns], as far as it costs rate.
    websockets : tuple of str
        Those among the APIs that are WebSocket APIs.
    """

    base: FilePath = field(default_factory=FilePath)
    profile: str = "aws"
    region: str = "us-east-1"
    throttle_scope: str = "method"
    apis: tuple[str, ...] = ()
    split: tuple[str, ...] = ()
    domains: dict[str, dict[str, str]] = field(default_factory=dict)
    timeout_ns: int = 0
    websockets: tuple[str, ...] = ()


def context_of(info: ValidationInfo) -> Context:
    """Context of a validation, a default one when a model is built on its own."""
    return info.context if isinstance(info.context, Context) else Context()


def fail(message: str, hint: str = "", at: Path = ()) -> PydanticCustomError:
    """Error for one finding, to be raised by a validator."""
    return fail_all([Finding(at, message, hint)])


def fail_all(findings: Sequence[Finding]) -> PydanticCustomError:
    """Error for several findings, to be raised by a validator."""
    text = "; ".join(finding.message for finding in findings)
    return PydanticCustomError("finding", "{text}", {"text": text, "findings": list(findings)})


def tag(name: str) -> str:
    """Name of a variant; its brackets tell it from a key in pydantic's locations."""
    return f"<{name}>"


def findings_of(error: ValidationError | PydanticCustomError) -> list[Finding]:
    """Findings behind a validation error, in the scenario's words."""
    if isinstance(error, PydanticCustomError):
        return list((error.context or {})["findings"])
    findings = []
    details = error.errors(include_url=False)
    # A key that cannot be one has no value worth looking at: one fault, one finding.
    bad = [loc[:-1] for detail in details if (loc := detail["loc"]) and loc[-1] == "[key]"]
    for detail in details:
        loc = detail["loc"]
        if loc[-1:] != ("[key]",) and any(loc[: len(key)] == key for key in bad):
            continue
        loc = tuple(part for part in detail["loc"] if not str(part).startswith(("<", "[key]")))
        kind = detail["type"]
        if kind == "finding":
            findings += [
                Finding((*loc, *inner.at), inner.message, inner.hint)
                for inner in detail["ctx"]["findings"]
            ]
        elif kind == "missing":
            findings.append(Finding(loc[:-1], f"{loc[-1]} is required", ""))
        elif kind in ("model_type", "dict_type", "model_attributes_type"):
            got = shown(detail["input"])
            findings.append(Finding(loc, f"must be a mapping (key: value), got {got}", ""))
        elif kind in ("list_type", "tuple_type"):
            got = shown(detail["input"])
            findings.append(Finding(loc, f"must be a list, got {got}", "write [a, b]"))
        elif kind == "too_short":
            findings.append(Finding(loc, "is empty", "give it at least one entry"))
        elif kind == "too_long":
            limit = detail["ctx"]["max_length"]
            findings.append(Finding(loc, f"has more than {limit:,} entries", ""))
        else:
            findings.append(Finding(loc, detail["msg"], ""))
    return findings


class Model(BaseModel):
    """A frozen mapping of known keys.

    Subclasses may name keys later versions will have (``LATER``) and keys of AWS that they will not
    have, each with a message and a hint (``REFUSED``), turn shorthands into mappings
    (``normalise``) and fill in defaults that depend on other keys (``fill``). ``HIDDEN`` names
    fields no scenario can write.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    LATER: ClassVar[frozenset[str]] = frozenset()
    REFUSED: ClassVar[Mapping[str, tuple[str, str]]] = {}
    HIDDEN: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def normalise(cls, data: Any) -> Any:
        """Mapping for a shorthand; anything else unchanged."""
        return data

    @classmethod
    def relocate(cls, data: Any, findings: list[Finding]) -> list[Finding]:
        """Findings at the places of the written ``data`` where a shorthand was spelled out."""
        return findings

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Copy of the written keys with defaults that depend on each other or on the context."""
        return data

    @classmethod
    def misplaced(cls, key: str, data: Mapping[str, Any]) -> tuple[str, str] | None:
        """Message and hint for a key that is only unknown beside the others of ``data``."""
        return None

    @classmethod
    def key_names(cls) -> list[str]:
        """Keys a scenario may write here."""
        fields = cls.model_fields.items()
        return [info.alias or name for name, info in fields if name not in cls.HIDDEN]

    @model_validator(mode="wrap")
    @classmethod
    def _read(
        cls, data: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        if isinstance(data, cls):
            return data
        written, data = data, cls.normalise(data)
        if not isinstance(data, Mapping):
            raise fail(f"must be a mapping (key: value), got {shown(data)}")
        findings, known = cls._sort_keys(data)
        # What was written but is wrong is not also missing.
        refused = {finding.at[0] for finding in findings}
        result = None
        try:
            result = handler(cls.fill(known, context_of(info)))
        except (ValidationError, PydanticCustomError) as error:
            missing = {f"{key} is required" for key in refused}
            findings += [one for one in findings_of(error) if one.at or one.message not in missing]
        if findings or result is None:
            raise _as_validation_error(cls.__name__, cls.relocate(written, findings))
        return result

    @classmethod
    def _sort_keys(cls, data: Mapping[str, Any]) -> tuple[list[Finding], dict[str, Any]]:
        """Findings about the keys themselves, and the entries worth looking into."""
        known, findings = {}, []
        names = cls.key_names()
        for key, value in data.items():
            if key in names and value is not None:
                known[key] = value
            elif key in names:
                hint = "give it one, or remove the key"
                findings.append(Finding((key,), "has no value", hint))
            elif key in cls.REFUSED:
                findings.append(Finding((key,), *cls.REFUSED[key]))
            elif key in cls.LATER:
                findings.append(Finding((key,), NOT_YET, "remove the key"))
            else:
                said = cls.misplaced(str(key), data)
                message, hint = said or ("unknown key", did_you_mean(str(key), names))
                findings.append(Finding((key,), message, hint))
        return findings, known

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core_schema))
        for name in cls.HIDDEN:
            schema.get("properties", {}).pop(name, None)
            if name in schema.get("required", []):
                schema["required"].remove(name)
        return schema


def _as_validation_error(title: str, findings: Iterable[Finding]) -> ValidationError:
    """The findings as pydantic passes them up, each at its own place."""
    details = [
        InitErrorDetails(type=fail(one.message, one.hint), loc=one.at, input=None)
        for one in findings
    ]
    return ValidationError.from_exception_data(title, details)


def as_written(default: Any, description: str | None = None) -> Any:
    """Default of a field, given as a scenario would write it: ``"29s"``, ``{}``."""
    return Field(default=default, validate_default=True, description=description)


M = TypeVar("M", bound=Model)


def nested(model: type[M], data: Any, at: Path, context: Context) -> M:
    """Model built from a part of a value; what is wrong is found at its place below ``at``.

    Raises
    ------
    PydanticCustomError
        If the part is not valid.
    """
    try:
        return model.model_validate(data, context=context)
    except ValidationError as error:
        findings = findings_of(error)
    raise fail_all([Finding((*at, *one.at), one.message, one.hint) for one in findings])
