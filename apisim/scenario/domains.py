"""Custom domains: which API and stage takes a path, by base path mappings.

Where all mappings have one level, a path's first segment says which takes it; where one has
several, the longest mapping that is the beginning of the path does, letter by letter:
``/ordersandmore`` then goes to ``orders`` (developer guide, "Use API mappings to connect API stages
to a custom domain name"). ``(none)``, here also ``""``, takes what no other does. The API sees the
path without its mapping. Versions side by side are mappings: ``{"": users, v2: users-v2/prod}``.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, NoReturn

from pydantic import Field

from apisim.scenario.fields import Reader
from apisim.scenario.model import Context, Finding, Model, fail_all
from apisim.scenario.problems import did_you_mean
from apisim.scenario.units import UnitError, shown

__all__ = ["Domain", "DomainName", "api_of", "base_path", "mapped_apis", "refuse_api"]

_DOMAIN: Final = (
    r"(?=.{1,253}$)(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+"
)
#: A mapping is at most 300 characters of these (API reference, ``ApiMapping``).
_BASE_PATH: Final = r"[A-Za-z0-9$\-_.+!*'()/]{1,300}"
_NOTHING: Final = ("", "(none)")


def _read_domain(value: Any, context: Context) -> str:
    if isinstance(value, str) and re.fullmatch(_DOMAIN, value):
        return value
    raise UnitError(f"must be a domain name, got {shown(value)}", "write e.g. api.example.com")


def _plain_path(written: Any) -> str:
    return "" if written in _NOTHING else str(written).strip("/")


def _read_base_path(value: Any, context: Context) -> str:
    if value in _NOTHING:
        return ""
    text = _plain_path(value) if isinstance(value, str) else ""
    if re.fullmatch(_BASE_PATH, text) and "//" not in text:
        return text
    raise UnitError(f"must be a base path, got {shown(value)}", 'write e.g. v2, or "" for the rest')


def api_of(written: str, apis: tuple[str, ...]) -> str | None:
    """API that ``API`` or ``API/STAGE`` stands for; None if there is none, or several."""
    if written in apis:
        return written
    api = written.partition("/")[0]
    return api if api in apis else None


def refuse_api(written: str, context: Context) -> NoReturn:
    """Say why ``API`` or ``API/STAGE`` stands for no stage."""
    api = written.partition("/")[0]
    stages = [one for one in context.split if one.startswith(f"{api}/")]
    if stages and "/" not in written:
        raise UnitError(f"the API {api} has several stages", f"write {' or '.join(stages)}")
    if stages:
        own = ", ".join(one.partition("/")[2] for one in stages)
        stage = written.partition("/")[2]
        raise UnitError(f"the API {api} has no stage {stage}", f"its stages are {own}")
    raise UnitError(f"the API {shown(api)} is not defined", did_you_mean(api, context.apis))


def _read_target(value: Any, context: Context) -> str:
    if not isinstance(value, str) or not value:
        raise UnitError(f"must be an API and its stage, got {shown(value)}", "write API/STAGE")
    if api_of(value, context.apis) is None:
        refuse_api(value, context)
    return value


class Domain(Model):
    """A custom domain.

    Attributes
    ----------
    mappings : dict of str to str
        API and stage (``API/STAGE``; the stage may be left out where there is one) by base path.
    """

    mappings: Annotated[
        dict[
            Annotated[str, Reader(_read_base_path, {"type": "string"})],
            Annotated[str, Reader(_read_target, {"type": "string"})],
        ],
        Field(min_length=1, max_length=200),
    ]

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """The same base path written in two ways is one too many."""
        mappings = data.get("mappings")
        known: dict[str, Any] = {}
        findings = []
        for written in mappings if isinstance(mappings, Mapping) else ():
            first = known.setdefault(_plain_path(written), written)
            if first is not written:
                message = f"is the same base path as {shown(first)}"
                findings.append(Finding(("mappings", written), message, "keep one"))
        if findings:
            raise fail_all(findings)
        return data


#: Name of a custom domain.
DomainName = Annotated[str, Reader(_read_domain, {"type": "string", "format": "hostname"})]


def mapped_apis(data: Mapping[str, Any], apis: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """API of each base path, by domain, as far as what is written is right."""
    domains = data.get("domains")
    result: dict[str, dict[str, str]] = {}
    for name, domain in domains.items() if isinstance(domains, Mapping) else ():
        mappings = domain.get("mappings") if isinstance(domain, Mapping) else None
        found = result.setdefault(str(name), {})
        for path, target in mappings.items() if isinstance(mappings, Mapping) else ():
            api = api_of(str(target), apis)
            if api is not None:
                found[_plain_path(path)] = api
    return result


def base_path(mappings: Mapping[str, str], path: str) -> tuple[str, str] | None:
    """API that takes a path of a domain, and the path as the API sees it.

    Parameters
    ----------
    mappings : mapping of str to str
        API by base path; ``""`` takes the rest.
    path : str
        Path with or without a query string, starting with ``/``.

    Returns
    -------
    tuple of (str, str) or None
        None if no mapping takes it: 403 ``{"message":"Forbidden"}``.

    Examples
    --------
    >>> base_path({"": "users", "v2": "new", "v2/admin": "admin"}, "/v2/users/7?a=b")
    ('new', '/users/7?a=b')
    >>> base_path({"v2": "new"}, "/v20/users") is None
    True
    """
    plain, question, query = path.partition("?")
    rest = plain[1:]
    found = [rest.partition("/")[0], ""]
    if any("/" in mapping for mapping in mappings):
        found = sorted(filter(rest.startswith, mappings), key=len, reverse=True)
    for mapping in found:
        if mapping in mappings:
            left = rest[len(mapping) :].removeprefix("/" if mapping else "")
            return mappings[mapping], f"/{left}{question}{query}"
    return None
