"""Keys of the streams of draws, for one replication after the other; no two may be equal."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from apisim.draws.keys import find_equal, stream_key
from apisim.draws.purposes import Purpose
from apisim.engine.lowering.bindings import DrawnPart
from apisim.engine.lowering.stages import copy_rows
from apisim.engine.program import Names
from apisim.engine.tables import Tables
from apisim.scenario import Scenario, ScenarioError

__all__ = ["Rekey", "Streams"]

_AUTHORIZER_STREAMS: Final = {
    "deny_key": Purpose.DENY,
    "unauthorized_key": Purpose.UNAUTHORIZED,
    "invalid_key": Purpose.INVALID_TOKEN,
}
_CALLER_STREAMS: Final = {
    "token_key": Purpose.TOKEN,
    "refresh_key": Purpose.REFRESH,
    "certificate_key": Purpose.CERTIFICATE,
}
_CREDENTIAL_STREAMS: Final = {
    "key": Purpose.CREDENTIAL,
    "skew_key": Purpose.CLOCK_SKEW,
    "policy_key": Purpose.CALLER_POLICY,
    "scope_key": Purpose.SCOPE,
}


class Streams:
    """The streams of one replication: whoever needs a key gets it here, so that none is left out.

    Attributes
    ----------
    used : dict of (Purpose, str) to int
        Key of each stream by what it is for and whom: one stream, however often it is asked for.
    """

    def __init__(self, scenario: Scenario, replication: int) -> None:
        self._scenario, self._replication = scenario, replication
        self.used: dict[tuple[Purpose, str], int] = {}

    def key(self, purpose: Purpose, entity: str) -> np.uint64:
        """Key of a stream, made from names and never from positions."""
        key = stream_key(self._scenario.seed, self._replication, purpose, entity)
        self.used[purpose, entity] = int(key)
        return key

    def refuse_equal(self) -> None:
        """Refuse a seed that gives two streams the same draws.

        Raises
        ------
        ScenarioError
            At the seed; about once in 10^10 runs.
        """
        found = find_equal(self.used.values())
        if found is None:
            return
        names = list(self.used)
        one, other = (
            f"{purpose.name.lower()} of {entity}" for purpose, entity in (names[at] for at in found)
        )
        message = f"gives {one} and {other} the same draws in replication {self._replication}"
        raise ScenarioError([self._scenario.problem(("seed",), message, "use another seed")])


class Rekey:
    """Makes the tables of one replication: those of the program with that replication's keys."""

    def __init__(
        self,
        scenario: Scenario,
        names: Names,
        parts: Sequence[DrawnPart | None],
        tables: Tables,
        populations: Sequence[str],
        owners: Sequence[str],
        cached: Sequence[tuple[str, str]],
        canary_of: Sequence[int],
    ) -> None:
        self._canary_of = canary_of
        self._populations, self._owners, self._cached = populations, owners, cached
        self._scenario, self._names, self._parts, self._tables = scenario, names, parts, tables

    def of(self, tables: Tables) -> "Rekey":
        """The same for other tables of the same rows."""
        return Rekey(
            self._scenario,
            self._names,
            self._parts,
            tables,
            self._populations,
            self._owners,
            self._cached,
            self._canary_of,
        )

    def __call__(self, replication: int) -> Tables:
        """Tables of a replication.

        Raises
        ------
        ScenarioError
            If two of its streams are the same.
        """
        streams = Streams(self._scenario, replication)
        tables = self.with_streams(streams)
        streams.refuse_equal()
        return tables

    def with_streams(self, streams: Streams) -> Tables:
        """Tables with the keys of these streams."""
        tables, names = self._tables, self._names
        draw_keys = np.array(
            [[streams.key(purpose, name) for purpose in Purpose] for name in names.sources],
            np.uint64,
        ).reshape(len(names.sources), len(Purpose))
        parts = tables.parts.copy()
        for at, part in enumerate(self._parts):
            if part is not None:
                entity = f"{part.source}/{part.parameter}"
                parts["key"][at] = streams.key(Purpose.KEY, entity)
        routes = tables.routes.copy()
        for at, (api, route) in enumerate(names.routes):
            routes["sizes_key"][at] = streams.key(Purpose.RESPONSE_SIZE, f"route/{api}/{route}")
        copy_rows(routes["sizes_key"], self._canary_of)
        authorizers = tables.authorizers.copy()
        for at, (_, name) in enumerate(names.authorizers):
            for column, purpose in _AUTHORIZER_STREAMS.items():
                authorizers[column][at] = streams.key(purpose, f"authorizer/{name}")
        callers = tables.callers.copy()
        for at, population in enumerate(self._populations):
            for column, purpose in _CALLER_STREAMS.items() if population else ():
                callers[column][at] = streams.key(purpose, f"population/{population}")
        credentials = tables.credentials.copy()
        for at, owner in enumerate(self._owners):
            for column, purpose in _CREDENTIAL_STREAMS.items():
                credentials[column][at] = streams.key(purpose, owner)
        caching = tables.caching.copy()
        for at, (api, route) in enumerate(self._cached):
            caching["updates_key"][at] = streams.key(Purpose.UPDATE, f"route/{api}/{route}")
        return tables._replace(
            draw_keys=draw_keys,
            parts=parts,
            routes=routes,
            authorizers=authorizers,
            callers=callers,
            credentials=credentials,
            caching=caching,
        )
