"""Request validation: what a route asks of a request, and what a source sends.

REST APIs refuse a request that lacks a required parameter, or whose body does not fit the model of
its content type (developer guide, "Request validation for REST APIs"). Models are JSON Schema,
draft 4. Bodies given as samples are validated for real when the scenario is read; what a run needs
to know of them is how large a share fails.
"""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from apisim.scenario.fields import Reader, number, read_input_file, share
from apisim.scenario.fields import text as free_text
from apisim.scenario.model import Context, Finding, Model, as_written, fail, fail_all
from apisim.scenario.routes import Parameter
from apisim.scenario.units import UnitError, shown

__all__ = ["BodyModel", "BodySample", "RouteValidation", "invalid_share"]

#: Largest file that is read as a model or a body: what API Gateway takes as a payload.
_MAX_BYTES: Final = 10 * 1024 * 1024
_JSON: Final = "application/json"
#: What the validator raises at a schema that draft 4 lets by but that cannot be applied: a pattern
#: that is no regular expression, a reference that is no text, a pointer to what is no schema.
_CANNOT_APPLY: Final = (
    re.error,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


def _plain(value: Any) -> Any:
    """Value as JSON has it: the exact numbers of a scenario become numbers of JSON."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        is_whole = abs(value.adjusted()) < 40 and value == value.to_integral_value()
        return int(value) if is_whole else float(value)
    return value


def _text_of(path: Path) -> str:
    with path.open("rb") as stream:
        raw = stream.read(_MAX_BYTES + 1)
    if len(raw) > _MAX_BYTES:
        raise UnitError(f"{path.name} is above the 10MB maximum")
    return raw.decode("utf-8-sig", "replace")


def _refuse_constant(written: str) -> Any:
    raise ValueError(f"{written} is no number of JSON")


def _parsed(written: str) -> Any:
    """Value of a JSON text; NaN and Infinity, which Python would read, are none.

    Raises
    ------
    ValueError
        If it is no JSON, or deeper than it could be read.
    """
    try:
        return json.loads(written, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _read_schema(value: Any, context: Context) -> dict[str, Any]:
    if isinstance(value, str):
        path = read_input_file(value, context)
        try:
            schema = _parsed(_text_of(path))
        except ValueError as error:
            raise UnitError(f"{path.name} is not JSON: {error}") from None
    else:
        schema = _plain(value)
    if not isinstance(schema, dict):
        hint = "write {type: object, required: [name]}, or the name of a file"
        raise UnitError(f"must be a JSON Schema, got {shown(value)}", hint)
    from jsonschema import Draft4Validator, SchemaError

    try:
        Draft4Validator.check_schema(schema)
    except (SchemaError, RecursionError) as error:
        said = getattr(error, "message", "it is nested too deeply")
        at = "/".join(map(str, getattr(error, "path", ())))
        place = f" at {at}" if at else ""
        raise UnitError(f"is not a JSON Schema of draft 4{place}: {said}") from None
    except _CANNOT_APPLY as error:
        raise UnitError(f"is not a JSON Schema of draft 4: {error}") from None
    return schema


class BodyModel(Model):
    """What a body must look like.

    Attributes
    ----------
    json_schema : dict
        Under the key ``schema``: a JSON Schema of draft 4, or the name of a file with one. It is
        the model of content type ``application/json``.
    """

    json_schema: Annotated[dict[str, Any], Reader(_read_schema, {"type": ["object", "string"]})] = (
        Field(
            alias="schema", description="A JSON Schema of draft 4, or the name of a file with one."
        )
    )


class RouteValidation(Model):
    """Request validator of a route; REST APIs only.

    Attributes
    ----------
    reject : float or None
        Share of requests that fail, where it is not said why, in [0, 1].
    parameters : list of str
        Required parameters; one that is not sent is a 400. Only their presence is looked at.
    body : BodyModel or None
        Model of the body.
    """

    reject: Annotated[float, share()] | None = None
    parameters: list[Parameter] = Field(default_factory=list)
    body: BodyModel | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        says_why = bool(self.parameters) or self.body is not None
        if self.reject is None and not says_why:
            raise fail("asks for nothing", "write reject: 1%, parameters: [...] or body: {...}")
        if self.reject is not None and says_why:
            message = "a share of rejections and what is asked for exclude each other"
            raise fail(message, "keep one of them", ("reject",))
        for index, parameter in enumerate(self.parameters):
            if parameter in self.parameters[:index]:
                message = f"{parameter} is given twice"
                raise fail(message, "keep one of them", ("parameters", index))
        return self


def _read_json(value: Any, context: Context) -> Any:
    return _plain(value)


class BodySample(Model):
    """One of the bodies a source sends.

    Attributes
    ----------
    weight : fractions.Fraction
        Relative share of the requests, 0 to 1,000,000,000, default 1.
    value : object
        Under the key ``json``: the body as a value.
    text : str or None
        The body as it is sent, which need not be JSON.
    file : pathlib.Path or None
        A file with the body.
    content_type : str
        Bodies of another type than ``application/json`` have no model, and are not validated
        (developer guide, same page).
    """

    weight: Annotated[Fraction, number("0", "1000000000", exact=True)] = Fraction(1)
    value: Annotated[Any, Reader(_read_json, {})] = Field(
        default=None, alias="json", description="The body as a value."
    )
    text: Annotated[str, free_text(1_000_000)] | None = None
    file: Annotated[Path, Reader(read_input_file, {"type": "string"})] | None = None
    content_type: Annotated[str, free_text(200)] = as_written(_JSON)

    @model_validator(mode="after")
    def _is_one_body(self) -> Self:
        given = [key for key in ("value", "text", "file") if getattr(self, key) is not None]
        words = {"value": "json"}
        if len(given) != 1:
            hint = "write one of json: {...}, text: ... and file: ..."
            if not given:
                raise fail("json, text or file is required", hint)
            at = words.get(given[1], given[1])
            raise fail_all([Finding((at,), "a sample is one body", hint)])
        return self

    def fits(self, model: BodyModel) -> bool:
        """Whether the body passes validation against a model.

        Raises
        ------
        UnitError
            If the model cannot be applied: it refers to a schema that is not inside it, for one.
        """
        if self.content_type.partition(";")[0].strip().lower() != _JSON:
            return True
        value = self.value
        if value is None:
            written = self.text if self.file is None else _text_of(self.file)
            try:
                value = _parsed(written or "{}")  # a body that is missing counts as {}
            except ValueError:
                return False
        return _fits(model.json_schema, value)


def _fits(schema: dict[str, Any], value: Any) -> bool:
    from jsonschema import Draft4Validator
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    # An empty registry: a reference to another document is an error, never a request.
    validator = Draft4Validator(schema, registry=Registry())
    try:
        return bool(validator.is_valid(value))
    except Unresolvable as error:
        raise UnitError(f"the model refers to {error.ref}, which is not inside it") from None
    except RecursionError:
        raise UnitError("the model refers to itself without end") from None
    except _CANNOT_APPLY as error:
        raise UnitError(f"the model cannot be applied: {error}") from None


def invalid_share(model: BodyModel, samples: Iterable[BodySample]) -> float:
    """Share of the bodies that fail validation, in [0, 1].

    Raises
    ------
    UnitError
        If the model cannot be applied, or all weights are 0.
    """
    total = invalid = Fraction(0)
    for sample in samples:
        total += sample.weight
        if not sample.fits(model):
            invalid += sample.weight
    if not total:
        raise UnitError("all weights are 0", "give one a weight above 0")
    return float(invalid / total)
