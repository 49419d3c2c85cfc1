"""Bindings: which route a call goes to, and what its cache key and identity are made of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from apisim.draws.discrete import WeightedKeys
from apisim.engine.calls import NEVER_SENT
from apisim.engine.compiled.stages import after_access, first_gate
from apisim.engine.lowering.access import (
    Credentials,
    gates_of,
    identity_parameters,
    identity_salt,
    is_token,
    missing,
    scope_mask,
)
from apisim.engine.lowering.apis import AUTOMATIC, LoweredApis
from apisim.engine.lowering.caching import CachingRules
from apisim.engine.lowering.context import Context, name_hash
from apisim.engine.lowering.perimeter import Policies
from apisim.engine.lowering.stages import mapped_target
from apisim.engine.lowering.validations import Validations, can_be_too_large, lacking_share
from apisim.engine.tables import (
    BINDING_DTYPE,
    GATE_EARLY_THROTTLE,
    GATE_FULL_THROTTLE,
    GATE_KEY,
    GATE_LIMITS,
    GATE_SIGN_IN,
    GATE_TRACE,
    GATE_UNMAPPED,
    GATE_VALIDATE,
    NONE,
    PART_CLIENT,
    PART_CONSTANT,
    PART_DRAWN,
    PART_DTYPE,
    PART_TARGET,
    PART_TOKEN,
)
from apisim.scenario.api import Route
from apisim.scenario.routes import METHODS
from apisim.scenario.traffic import Source

__all__ = ["Bindings", "DrawnPart", "find_route"]

_PARAMETER = re.compile(r"\{([^}+]+)\+?\}")


@dataclass(frozen=True, slots=True)
class DrawnPart:
    """A part of a key that is drawn: its stream is named after source and parameter."""

    source: str
    parameter: str


@dataclass(slots=True)
class Bindings:
    """All bindings under construction."""

    rows: list[dict[str, int]] = field(default_factory=list)
    labels: list[tuple[str, str]] = field(default_factory=list)  # (api, route key or "")
    methods: list[str] = field(default_factory=list)  # of the calls
    parts: list[tuple[int, int, DrawnPart | None]] = field(default_factory=list)
    credentials: Credentials = field(default_factory=Credentials)
    first_person: dict[str, int] = field(default_factory=dict)  # by population
    canaries: dict[int, str] = field(default_factory=dict)  # which deployment, of two
    caching: CachingRules = field(default_factory=CachingRules)
    policies: Policies = field(default_factory=Policies)
    validations: Validations = field(default_factory=Validations)

    def table(self, *, plain_throttle: bool) -> NDArray[np.void]:
        """``BINDING_DTYPE[n_bindings]``; ``plain_throttle``: limits are whole, all or none."""
        table = np.zeros(len(self.rows), BINDING_DTYPE)
        for at, row in enumerate(self.rows):
            for column, value in row.items():
                table[column][at] = value
            if row["gates"] & GATE_KEY or not plain_throttle:
                table["gates"][at] |= GATE_FULL_THROTTLE
            table["first_gate"][at] = first_gate(row["gates"], row["route"])
            table["after_access"][at] = after_access(row["gates"])
        return table

    def part_table(self) -> NDArray[np.void]:
        """``PART_DTYPE[n_parts]``; the keys of drawn parts are filled in for each replication."""
        table = np.zeros(len(self.parts), PART_DTYPE)
        for at, (kind, popularity, _) in enumerate(self.parts):
            table["kind"][at], table["popularity"][at] = kind, popularity
        return table

    def add_mix(self, context: Context, apis: LoweredApis, name: str, source: Source) -> int:
        """Bindings of a source's mix; returns the popularity row that picks one of them."""
        weights = []
        for entry in source.mix:
            api, method = entry.api, entry.route.method
            found = find_route(context, apis, api, method, entry.route.path)
            if found is None:
                context.refuse(
                    ("traffic", name, "mix", entry.text),
                    f"{entry.route} is no route of API {api}",
                    "name a route under apis, or a path that one of them matches",
                )
                continue
            self.add(context, apis, name, source, api, found, method)
            spec = context.scenario.apis[api].every_route[found]
            holder = context.scenario.populations.get(source.of or "")
            has_keys = holder is not None and holder.key_each
            lacking = lacking_share(spec, source, has_keys=has_keys)
            self.validate(spec, source, entry.text, lacking)
            weights.append(entry.weight)
        if len(weights) <= 1:
            return NONE
        return context.popularities.add(WeightedKeys(tuple(weights)))

    def add_targets(
        self,
        context: Context,
        apis: LoweredApis,
        name: str,
        source: Source,
        targets: Sequence[tuple[str, str]],
    ) -> list[tuple[int, int, int, int]]:
        """Bindings of a log; for each target its binding and hashes.

        The hashes are those of the cache key, the identity, and what the answer depends on.
        """
        assert source.trace is not None
        known: dict[tuple[str, str, str, float], int] = {}
        result = []
        for method, target in targets:
            api, seen, is_mapped = mapped_target(context, source.trace, target)
            path, _, query = seen.partition("?")
            match = apis.routers[api].match(method, path) if is_mapped else None
            keys = list(context.scenario.apis[api].every_route)
            route = "" if match is None else keys[match.route_index]
            verb = method if method in METHODS else ""
            said: dict[str, str] = {}
            lacking = 0.0
            if match is not None:
                said = {f"path.{key}": value for key, value in match.params.items()}
                said |= _query_parameters(query)
                spec = context.scenario.apis[api].every_route[route]
                lacking = lacking_share(spec, source, said)
            what = (api if is_mapped else "", route, verb, lacking)
            if what not in known:
                known[what] = len(self.rows)
                self.add(context, apis, name, source, api, route, verb)
                if not is_mapped:
                    self.rows[-1]["gates"] = GATE_UNMAPPED
                if match is not None:
                    self.validate(spec, source, "", lacking)
            binding = known[what]
            if match is None:
                result.append((binding, 0, 0, 0))
                continue
            cache = _cache_parameters(context, api, route)
            identity = identity_parameters(context, api, route)
            depends = _dependencies(context, api, route)
            result.append(
                (
                    binding,
                    _said_hash("cache", cache, said),
                    _said_hash("id", identity, said),
                    _said_hash("depends", depends, said),
                )
            )
        return result

    def add_preflight(
        self, context: Context, apis: LoweredApis, name: str, source: Source, api: str, route: str
    ) -> None:
        """Binding of what a source's browsers ask before they call a route.

        A browser attaches nothing of the caller's to it: no token, no key, no header of the page.
        """
        self.add(context, apis, name, source, api, route, "OPTIONS")
        if route in ("", AUTOMATIC):
            return
        row = self.rows[-1]
        row["gates"] &= ~GATE_SIGN_IN
        row["sends_token"] = 0
        row["credential"] = self.credentials.none_shown(name)
        parameters = identity_parameters(context, api, route)
        if any(parameter.startswith("header.") for parameter in parameters):
            row["identity_missing"] = NEVER_SENT

    def add(
        self,
        context: Context,
        apis: LoweredApis,
        name: str,
        source: Source,
        api: str,
        route: str,
        method: str,
    ) -> None:
        """One more binding, of a source's calls to a route with this verb; "" is no route."""
        row = {"api": apis.api_names.index(api), "gates": 0}
        nothing = (
            "route",
            "cache_line",
            "caching",
            "preflight",
            "cors",
            "actual",
            "canary",
            "stable",
            "push",
        )
        row |= dict.fromkeys(nothing, NONE)
        self.labels.append((api, route))
        self.methods.append(method)
        self.rows.append(row)
        self.policies.bind(context, row, source, api, route)
        settings, spec = context.scenario.settings, context.scenario.apis[api]
        is_routed_first = settings.size_limits == "after_routing"
        if (route or not is_routed_first) and can_be_too_large(
            spec, spec.routes.get(route), source
        ):
            row["gates"] |= GATE_LIMITS
        tracing = spec.stage.tracing
        # From outside a private API no stage is found.
        if tracing is not None and not tracing.is_off and not row.get("outside"):
            row["gates"] |= GATE_TRACE
        if not route:
            return
        index = apis.route_index(api, route)
        row["route"] = index
        # What answers preflights has no gate but this: it may spend the account's tokens.
        if settings.throttle_before_auth:
            row["gates"] |= GATE_EARLY_THROTTLE
        if route == AUTOMATIC:
            return
        self._add_cache(context, apis, name, source, api, route, method, row)
        row["gates"] |= gates_of(context, api, route, source)
        if context.scenario.apis[api].every_route[route].api_key_required:
            row["gates"] |= GATE_KEY
        # An authorizer knows the customer behind a token, not what a client sends beside it.
        from_authorizer = context.scenario.apis[api].api_key_source == "authorizer"
        row["key_unread"] = int(from_authorizer and source.api_key is not None)
        row["identity_salt"] = identity_salt(context, api, route)
        row["identity_part"] = len(self.parts)
        parameters = identity_parameters(context, api, route)
        self.add_parts(context, name, source, parameters)
        row["identity_parts"] = len(self.parts) - row["identity_part"]
        row["identity_missing"] = missing(context, api, route, source)
        row["sends_token"] = int(any(is_token(source, parameter) for parameter in parameters))
        first = self.first_person.get(source.of or "", 0)
        row["credential"] = self.credentials.row_of(context, name, source, first)
        row["scopes"] = scope_mask(context, api, route, source)

    def _add_cache(
        self,
        context: Context,
        apis: LoweredApis,
        name: str,
        source: Source,
        api: str,
        route: str,
        method: str,
        row: dict[str, int],
    ) -> None:
        """Where and under which key a call's answer is cached."""
        verb = _verb(context, api, route, method)
        row["cache_line"] = apis.cache_lines[row["route"]] if verb else NONE
        parameters = _cache_parameters(context, api, route)
        stage = context.scenario.apis[api].stage.name
        namespace = context.scenario.apis[api].every_route[route].integration.cache_namespace
        # The verb is part of every key (developer guide).
        words = [] if verb in ("", "GET") else [verb]
        deployment = context.scenario.apis[api].stage.deployment
        if deployment != 1:
            words.append(f"deployment {deployment}")
        if namespace is None:
            row["cache_salt"] = name_hash("cache", api, stage, route, *words)
        else:
            words += parameters
            row["cache_salt"] = name_hash("cache namespace", api, stage, namespace, *words)
        row["cache_part"] = len(self.parts)
        self.add_parts(context, name, source, parameters)
        row["cache_parts"] = len(self.parts) - row["cache_part"]
        line = row["cache_line"]
        if line == NONE:
            return
        depends = _dependencies(context, api, route)
        has_more = bool(set(depends) - set(parameters))
        _, cache = apis.lines[line]
        rule = self.caching.add(context, source, api, route, cache, has_more=has_more)
        if rule is None:
            return
        row["caching"] = rule
        first = len(self.parts)
        self.add_parts(context, name, source, depends)
        self.caching.rows[rule]["depends_part"] = first
        self.caching.rows[rule]["depends_parts"] = len(self.parts) - first

    def validate(self, route: Route, source: Source, line: str, lacking: float) -> None:
        """The last binding's request validator, where something can fail."""
        row = self.validations.add(route, source, line, lacking)
        if row is not None:
            self.rows[-1]["gates"] |= GATE_VALIDATE
            self.rows[-1]["validation"] = row

    def add_parts(
        self, context: Context, name: str, source: Source, parameters: Sequence[str]
    ) -> None:
        """Parts of a key. A log says all path and query parameters at once, as one part."""
        is_trace = source.trace is not None
        if is_trace:
            headers = [p for p in parameters if p.startswith("header.")]
            if len(headers) < len(parameters):
                self.parts.append((PART_TARGET, NONE, None))
            self.parts += [(PART_CLIENT, NONE, None)] * len(headers)
            return
        for parameter in _one_by_one(source, parameters):
            if is_token(source, parameter):
                self.parts.append((PART_TOKEN, NONE, None))
            elif parameter in source.values:
                popularity = context.popularities.add(source.values[parameter])
                self.parts.append((PART_DRAWN, popularity, DrawnPart(name, parameter)))
            else:
                self.parts.append((PART_CONSTANT, NONE, None))


def find_route(context: Context, apis: LoweredApis, api: str, method: str, path: str) -> str | None:
    """Key of the route that a method and path of a mix reach; None if there is none."""
    routes = context.scenario.apis[api].every_route
    if api in apis.message_routers:
        found = apis.message_routers[api].match(None if method == "$default" else method)
        return None if found is None else list(routes)[found]
    for key in (f"{method} {path}", f"ANY {path}"):
        if key in routes:
            return key
    if method == "$default":
        return method if method in routes else None
    match = apis.routers[api].match(method, path)
    return None if match is None else list(routes)[match.route_index]


def _cache_parameters(context: Context, api: str, route: str) -> list[str]:
    spec = context.scenario.apis[api].every_route[route].cache
    if spec is None:
        return []
    keys = set(spec.keys)
    if context.scenario.settings.path_in_cache_key:
        keys |= {f"path.{name}" for name in _PARAMETER.findall(route)}
    return sorted(keys)


def _dependencies(context: Context, api: str, route: str) -> list[str]:
    """What a route's answer depends on."""
    return sorted(set(context.scenario.apis[api].every_route[route].depends_on or ()))


def _verb(context: Context, api: str, route: str, method: str) -> str:
    """Verb a call's answer is cached under; "" where it is not cached.

    Enabling a stage's cache caches GET only; a method's own switch says otherwise (developer guide,
    "Enabling API caching").
    """
    cache = None if not route else context.scenario.apis[api].every_route[route].cache
    if cache is None or cache.enabled is None:
        return "GET" if method == "GET" else ""
    return method if cache.enabled else ""


def _one_by_one(source: Source, parameters: Sequence[str]) -> list[str]:
    """Parameters with the whole query string as the query parameters the source sends."""
    sent = sorted(name for name in source.values if name.startswith("querystring."))
    found = []
    for parameter in parameters:
        found += sent if parameter == "querystring" and sent else [parameter]
    return list(dict.fromkeys(found))


def _query_parameters(query: str) -> dict[str, str]:
    said = {"querystring": query}
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if key:
            # API Gateway hands the last of several values of one name to a single-valued mapping.
            said[f"querystring.{key}"] = value
    return said


def _said_hash(kind: str, parameters: Sequence[str], said: dict[str, str]) -> int:
    words = [kind]
    for parameter in parameters:
        if not parameter.startswith("header."):
            words += [parameter, said.get(parameter, ""), str(parameter in said)]
    return name_hash(*words)
