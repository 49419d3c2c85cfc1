"""Callers that ask for fresh answers: ``Cache-Control: max-age=0`` on a share of requests."""

from collections.abc import Mapping
from typing import Annotated, Any

from apisim.scenario import fields
from apisim.scenario.model import Finding, Model, as_written

__all__ = ["Invalidate"]


class Invalidate(Model):
    """Share of a source's calls that ask for a fresh answer in place of a cached one.

    ``invalidate: 1%`` stands for ``{share: 1%}``.

    Attributes
    ----------
    share : float
        Share of the calls that send ``Cache-Control: max-age=0``, in [0, 1], default 0.
    authorized : float
        Share of those that may (``execute-api:InvalidateCache``), in [0, 1], default 0: anonymous
        callers may not.
    """

    share: Annotated[float, fields.share()] = as_written(0)
    authorized: Annotated[float, fields.share()] = as_written(0)

    @classmethod
    def normalise(cls, data: Any) -> Any:
        """A share alone."""
        return data if isinstance(data, Mapping) else {"share": data}

    @classmethod
    def relocate(cls, data: Any, findings: list[Finding]) -> list[Finding]:
        """What is wrong with a share alone is wrong at the key itself."""
        if isinstance(data, Mapping):
            return findings
        return [one._replace(at=one.at[1:]) for one in findings]
