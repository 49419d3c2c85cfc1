"""JSON Schema of price books, for editors and for programs that write books.

It says what a file may look like; rules between keys (tiers ascend without a gap, sources and
meters exist, a unit is the one in which a run counts) are the readers', which name line and column.
"""

from collections.abc import Iterable
from typing import Any, Final

from apisim.pricing.book import UNITS
from apisim.pricing.changes import BASE_KEYS, CHANGE_KEYS
from apisim.pricing.charges import RULE_NAMES
from apisim.pricing.overlay import EVERY_METER_KEYS, OVERLAY_KEYS
from apisim.pricing.reading import (
    BOOK_KEYS,
    BOOK_SCHEMA,
    CONVENTION_KEYS,
    CURRENCY,
    RULE_KEYS,
    RULES_KEYS,
)
from apisim.pricing.reading_meters import (
    FREE_KEYS,
    METER_KEYS,
    METERING_KEYS,
    STATUSES,
    STREAMING_KEYS,
    TIER_SCOPES,
)
from apisim.pricing.regions import REGION_KEYS, REGIONS_KEYS, REGIONS_SCHEMA

__all__ = ["book_schema"]

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string", "pattern": r"\S"}
_DECIMAL: Final[Schema] = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*\+?[0-9]{1,15}(\.[0-9]{1,20})?\s*$"},
        {"type": "number", "minimum": 0},
    ]
}
_WHOLE: Final[Schema] = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*\+?0*[1-9][0-9]{0,14}(\.0{1,20})?\s*$"},
        {"type": "integer", "minimum": 1},
    ]
}
_CITED: Final[Schema] = {"type": "array", "items": _TEXT, "minItems": 1}
_SHARE: Final[Schema] = {"type": "string", "pattern": r"^\s*[0-9]{1,3}(\.[0-9]{1,10})?\s*%\s*$"}
_BASE: Final[Schema] = {**_TEXT, "description": "The book that is changed: a name or a file."}

#: Keys that readers of a book use and apisim does not: anything may stand there.
_FOR_READERS: Final = frozenset(
    {
        "applies_to", "counts", "dimensions_per_lcu", "differs", "effective_date", "evidence",
        "hours_per_month", "included", "includes_init", "kilobyte_bytes", "max_payload_bytes",
        "memory_increment_megabytes", "minimum", "privatelink_petabyte_gigabytes", "provider",
        "rounding", "rounding_status", "scope", "basis_status",
        "surcharges_per_request", "terabyte_gigabytes", "usage_type_status",
    }
)  # fmt: skip

#: What each key is, in every object that has it.
_KEYS: Final[dict[str, Schema]] = {
    "as_of": {
        "type": "string",
        "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "description": "Day of the prices; bills of a year later say how old they are.",
    },
    "base": _BASE,
    "basis": {**_TEXT, "description": "What is cut into units, e.g. request_payload."},
    "billed_under": _TEXT,
    "charge": {"type": "boolean", "description": "Whether such a request is billed."},
    "currency": {"const": CURRENCY},
    "default": {"enum": ["charged", "free"], "description": "Of outcomes without a rule."},
    "description": _TEXT,
    "evidence": _TEXT,
    "every_meter": {"$ref": "#/$defs/every_meter"},
    "extends": _BASE,
    "first_tier_only": {"type": "boolean"},
    "gb_megabytes": {**_WHOLE, "description": "Megabytes in a GB of memory."},
    "gigabyte_bytes": {**_WHOLE, "description": "Bytes in a GB of data."},
    "id": _TEXT,
    "line_item_precision": {**_DECIMAL, "description": "A power of ten."},
    "metering_increment_bytes": {**_WHOLE, "description": "Size of a billed unit."},
    "note": {**_TEXT, "description": "What a reader of the bill should know."},
    "off": {**_SHARE, "description": "So much off the base's prices, e.g. 12%."},
    "operation": _TEXT,
    "partial": {**_TEXT, "description": "Why the tiers have no open end."},
    "months": {**_WHOLE, "description": "Months of an account after which the plan ends."},
    "per": {"enum": ["month"]},
    "plan": {**_TEXT, "not": {"const": "none"}, "description": "Name to ask for it by."},
    "product_family": _TEXT,
    "quantity": {**_DECIMAL, "description": "Granted, in the meter's unit."},
    "region": _TEXT,
    "region_name": _TEXT,
    "same_as_base": {"type": "array", "items": _TEXT},
    "same_as_base_note": _TEXT,
    "service": _TEXT,
    "sku": _TEXT,
    "status": {"enum": list(STATUSES)},
    "tier_scope": {"enum": list(TIER_SCOPES)},
    "tiers": {"type": "array", "items": {"$ref": "#/$defs/tier"}, "minItems": 1},
    "tiers_apply_after_free_tier": {"type": "boolean"},
    "unit": {"enum": sorted(UNITS)},
    "usage_type": _TEXT,
    "usage_type_prefix": _TEXT,
    "version": _TEXT,
}


def book_schema() -> Schema:
    """Schema of a price book, an overlay or a regional book (draft 2020-12).

    Returns
    -------
    dict
        Accepts what :func:`apisim.pricing.load_book` accepts, except for rules between keys.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": BOOK_SCHEMA,
        "title": "apisim price book",
        "description": "Numbers of money are decimals as written: put them in quotes.",
        "if": {"properties": {"schema": {"const": REGIONS_SCHEMA}}, "required": ["schema"]},
        "then": {"$ref": "#/$defs/regional"},
        "else": {
            "if": {"anyOf": [{"required": [key]} for key in BASE_KEYS]},
            "then": {"$ref": "#/$defs/overlay"},
            "else": {"$ref": "#/$defs/book"},
        },
        "$defs": _definitions(),
    }


def _definitions() -> dict[str, Schema]:
    sources = _named({"$ref": "#/$defs/source"})
    has_base = [{"required": [key]} for key in BASE_KEYS]
    unpriced = {"anyOf": [{"type": "array", "items": _TEXT}, _named(_TEXT)]}
    changes = _named({"$ref": "#/$defs/change"})
    return {
        "book": _object(
            BOOK_KEYS,
            ("schema", "id", "version", "region", "currency", "conventions", "sources", "meters"),
            schema={"const": BOOK_SCHEMA},
            sources=sources,
            conventions={"$ref": "#/$defs/conventions"},
            meters={**_named({"$ref": "#/$defs/meter"}), "minProperties": 1},
            charge_rules={"$ref": "#/$defs/charge_rules"},
            unpriced=unpriced,
        ),
        "overlay": {
            **_object(
                OVERLAY_KEYS,
                ("schema", "id", "version", "sources"),
                schema={"const": BOOK_SCHEMA},
                sources=sources,
                meters=changes,
            ),
            "oneOf": has_base,
            "anyOf": [{"required": [key]} for key in ("meters", "every_meter", "same_as_base")],
        },
        "regional": {
            **_object(
                REGIONS_KEYS,
                ("schema", "version", "currency", "sources", "regions"),
                schema={"const": REGIONS_SCHEMA},
                sources=sources,
                regions=_named({"$ref": "#/$defs/region"}),
            ),
            "oneOf": has_base,
        },
        "region": _object(REGION_KEYS, ("sources",), sources=_CITED, meters=changes),
        "source": {
            "type": "object",
            "properties": {"title": _TEXT, "locator": _TEXT},
            "required": ["title", "locator"],
            "additionalProperties": False,
        },
        "conventions": _object(
            CONVENTION_KEYS,
            ("gigabyte_bytes", "line_item_precision", "invoice_rounding"),
            invoice_rounding={
                "type": "object",
                "properties": {
                    "to": {**_DECIMAL, "description": "A power of ten."},
                    "mode": {"enum": ["half_up", "half_even"]},
                    "at": {},
                },
                "required": ["to", "mode"],
                "additionalProperties": False,
            },
        ),
        "meter": _object(
            METER_KEYS,
            ("unit", "tiers", "sources"),
            metering={"$ref": "#/$defs/metering"},
            metering_when_streaming={"$ref": "#/$defs/streaming"},
            free_tier={"type": "array", "items": {"$ref": "#/$defs/free"}},
            sources=_CITED,
        ),
        "metering": _object(METERING_KEYS, (), status={}),
        "streaming": _object(
            STREAMING_KEYS,
            ("metering_increment_bytes", "basis"),
            basis={"const": "response_payload"},
            sources=_CITED,
        ),
        "change": {
            **_object(CHANGE_KEYS, (), sources=_CITED),
            "oneOf": [{"required": ["tiers"]}, {"required": ["off"]}],
        },
        "every_meter": _object(EVERY_METER_KEYS, ("off", "sources"), sources=_CITED),
        "tier": {
            "type": "object",
            "properties": {
                "up_to": {
                    "anyOf": [*_DECIMAL["anyOf"], {"type": "null"}],
                    "description": "Cumulative quantity at which the tier ends; null: and above.",
                },
                "price_per_unit": _DECIMAL,
            },
            "required": ["up_to", "price_per_unit"],
            "additionalProperties": False,
        },
        "free": _object(FREE_KEYS, ("plan", "quantity", "per"), status={}, note={}),
        "charge_rules": _object(
            RULES_KEYS,
            ("default", "outcomes"),
            note={},
            outcomes={
                "type": "object",
                "properties": {name: {"$ref": "#/$defs/rule"} for name in sorted(RULE_NAMES)},
                "additionalProperties": False,
            },
        ),
        "rule": _object(RULE_KEYS, ("charge",), sources=_CITED),
    }


def _named(value: Schema) -> Schema:
    """A mapping whose keys are names."""
    return {"type": "object", "additionalProperties": value}


def _object(keys: Iterable[str], required: Iterable[str], **own: Schema) -> Schema:
    """A mapping of these keys and no others; what may be left out may also be null."""
    needed = tuple(required)
    properties = {}
    for key in dict.fromkeys(keys):
        found = own.get(key, {} if key in _FOR_READERS else _KEYS.get(key))
        assert found is not None, f"the schema does not say what {key} is"
        properties[key] = found if key in needed or not found else _or_null(found)
    return {
        "type": "object",
        "properties": properties,
        "required": list(needed),
        "additionalProperties": False,
    }


def _or_null(schema: Schema) -> Schema:
    description = {key: value for key, value in schema.items() if key == "description"}
    rest = {key: value for key, value in schema.items() if key != "description"}
    return {"anyOf": [rest, {"type": "null"}], **description}
