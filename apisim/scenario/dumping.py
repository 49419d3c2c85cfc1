"""A scenario back to text: as resolved, with overrides, profile and defaults written out."""

import io
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from apisim.scenario.by_type import BY_TYPE, for_each_type
from apisim.scenario.formats import format_duration
from apisim.scenario.overrides import absolute_files
from apisim.scenario.profiles import merge_settings
from apisim.scenario.regions import account_throttle
from apisim.scenario.scenario import Scenario
from apisim.scenario.settings import Settings
from apisim.scenario.units import parse_rate

__all__ = ["plain", "resolved_yaml"]

_WIDTH: Final = 100


class _Representer(SafeRepresenter):
    """Writes exact decimals as the numbers they are."""

    def represent_decimal(self, value: Decimal) -> ScalarNode:
        text = f"{value:f}" if abs(value.adjusted()) < 40 else str(value)
        tag = "float" if "." in text or "E" in text else "int"
        return self.represent_scalar(f"tag:yaml.org,2002:{tag}", text)


_Representer.add_representer(Decimal, _Representer.represent_decimal)


def plain(value: Any) -> Any:
    """Value as YAML can hold it: exact numbers become decimals or texts.

    Raises
    ------
    TypeError
        If it is nothing a scenario can hold.
    """
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    if isinstance(value, float):
        return float(value)
    if value is None or isinstance(value, (bool, int, str, Decimal)):
        return value
    if hasattr(value, "item"):  # numpy's numbers, as a sweep over an array has them
        return value.item()
    if hasattr(value, "__fspath__"):
        return str(value)
    raise TypeError(f"a scenario cannot hold {type(value).__name__}")


def _settings(profile: str, written: dict[str, Any]) -> dict[str, Any]:
    merged = merge_settings(profile, written)
    result: dict[str, Any] = {}
    for name, info in Settings.model_fields.items():
        value = merged.get(name, info.default)
        if name in BY_TYPE:
            parts = BY_TYPE[name].model_fields.items()
            value = {key: part.default for key, part in parts} | for_each_type(name, value)
        result[name] = value
    return result


def resolved_yaml(scenario: Scenario) -> str:
    """Text of the scenario as it is run; see :meth:`Scenario.to_yaml`."""
    origin = scenario._origin
    data = absolute_files(origin.data, origin.base)
    written = data.get("account", {})
    throttle = {**account_throttle(scenario.region), **written.get("throttle", {})}
    if scenario.account.throttle.rate_limit != parse_rate(throttle["rate_limit"]):
        del throttle["rate_limit"]  # what the time-outs of integrations leave of it
    account = {
        "throttle": throttle,
        "lambda_concurrency": scenario.account.lambda_concurrency,
        **{key: written[key] for key in ("background", "new_connections") if key in written},
    }
    head = {
        "apisim": scenario.apisim,
        "name": scenario.name,
        "description": scenario.description,
        "profile": scenario.profile,
        "seed": scenario.seed,
        "replications": scenario.replications if scenario.until is None else data["replications"],
        "warm_up": "auto" if scenario.has_auto_warm_up else format_duration(scenario.warm_up),
        "start": re.sub(r"\+00:00$", "Z", scenario.start.isoformat()),
        "region": scenario.region,
        "account": account,
    }
    tail = {
        "settings": _settings(scenario.profile, data.get("settings", {})),
        "pricing": {"book": scenario.pricing.book, **data.get("pricing", {})},
    }
    body = {key: value for key, value in data.items() if key not in head and key not in tail}
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = _WIDTH
    out = io.StringIO()
    yaml.dump(plain({**head, **body, **tail}), out)
    cut = scenario.duration_limit_ns
    note = "" if cut is None else f"# Arrivals were cut at {format_duration(cut)} (--duration).\n"
    return note + out.getvalue()
