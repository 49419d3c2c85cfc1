"""Which route of an API answers a request: a prefix tree of path segments, one for each API.

Both API types look for a *route and method*, not for a path alone: a resource that has neither the
request's method nor ``ANY`` is passed over for a less specific one, and only when nothing is left
does the request match no route. Seen on the real service by two parties: ministackorg/ministack
pull request 1423 (eu-central-1) and floci-io/floci pull request 3399 (us-west-2), both 2026.

===========  ==================================  ==============================================
rule         REST API                            HTTP API
===========  ==================================  ==============================================
priority     at each segment, from the left:     documented: a route without ``{proxy+}``, then
             literal, ``{param}``, ``{proxy+}``  one with it, then ``$default``; within each,
                                                 at each segment literal before ``{param}``
one segment  one variable only                   any number of variables
``/a/``      is ``/a``                           is not ``/a``: its last segment is empty
``//a``      starts with an empty segment        the same
===========  ==================================  ==============================================

For both: the method itself beats ``ANY`` on the same path; letters count by case; the query
string is not looked at; nothing is percent-decoded; ``{param}`` takes one segment that is not
empty; ``{proxy+}`` takes the rest as sent, at least one segment, and ``/`` has none. ``ANY`` stands
for the seven methods API Gateway knows, ``$default`` for whatever comes.

Sources: AWS developer guide, "Create routes for HTTP APIs" (priorities and the worked example) and
"Set up a method request" (proxy resources, ANY). Trailing slashes: end-to-end tests of
aws-powertools/powertools-lambda-python (``test_paths_ending_with_slash.py``) and, for ``/a/``
under ``/a/{proxy+}`` of an HTTP API, the Lambda Test Tool of aws/aws-lambda-dotnet.
``docs/decisions.md`` lists what is undocumented and was decided here.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

__all__ = ["METHODS", "ApiType", "Match", "Router"]

ApiType = Literal["rest", "http"]

#: The methods API Gateway knows; ``ANY`` stands for all of them.
METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

_DEFAULT: Final = "$default"
_SEGMENT: Final = re.compile(r"[^{}?\s/]+|\{[^{}?+\s/]+\+?\}")
_MAX_SEGMENTS: Final = 100  # the tree is walked recursively


@dataclass(frozen=True, slots=True)
class Match:
    """The route that answers a request.

    Attributes
    ----------
    route_index : int
        Position of the route in the ``route_keys`` given to :class:`Router`.
    params : dict of str to str
        Path parameters by name, as sent; ``{proxy+}`` is found under ``proxy``.
    """

    route_index: int
    params: dict[str, str]


@dataclass(slots=True)
class _Node:
    """One segment of the tree: what may follow it, and the routes that end here."""

    literals: dict[str, "_Node"] = field(default_factory=dict)
    param: "_Node | None" = None
    greedy: "_Node | None" = None
    variable: str = ""  # name of the variable first seen below this node
    routes: dict[str, int] = field(default_factory=dict)  # method or ANY -> route

    def route_for(self, method: str) -> int | None:
        if method not in METHODS:
            return None
        found = self.routes.get(method)
        return self.routes.get("ANY") if found is None else found


class Router:
    """Finds the route of each request of one API.

    Parameters
    ----------
    api_type : {"rest", "http"}
        Whose rules hold.
    route_keys : sequence of str
        ``"GET /users/{userId}"``, ``"ANY /files/{proxy+}"``, or ``"$default"`` (HTTP APIs).

    Raises
    ------
    ValueError
        If a key cannot be read, two keys catch the same requests, or the API type has no such
        routes (``$default`` on a REST API; two variables at one place of its tree, which AWS
        refuses with "A sibling ({id}) of this resource already has a variable path part").

    Examples
    --------
    >>> router = Router("http", ["GET /pets/dog/{id}", "GET /pets/{proxy+}", "$default"])
    >>> router.match("GET", "/pets/dog/2?size=s")
    Match(route_index=0, params={'id': '2'})
    >>> router.match("GET", "/pets/cat/1").params
    {'proxy': 'cat/1'}
    >>> router.match("POST", "/pets").route_index
    2
    """

    def __init__(self, api_type: ApiType, route_keys: Sequence[str]) -> None:
        self.api_type: Final = api_type
        self._root = _Node()
        self._default: int | None = None
        self._names: list[tuple[str, ...]] = []
        for index, key in enumerate(route_keys):
            self._add(index, key, route_keys)

    def match(self, method: str, path: str) -> Match | None:
        """Route that answers ``method path``, or None if the API has none.

        Parameters
        ----------
        method : str
            Upper case, as HTTP has it.
        path : str
            Below the stage, starting with ``/``; a query string is ignored.

        Returns
        -------
        Match or None
            What None answers is the business of ``gateway/status``: 403 on REST, 404 on HTTP.

        Raises
        ------
        ValueError
            If ``path`` does not start with ``/``.
        """
        if not path.startswith("/"):
            raise ValueError(f"a path starts with '/', got {path!r}")
        rest = path.partition("?")[0][1:]
        # The rest of the path from each segment on is what {proxy+} takes, so keep it as sent.
        segments = rest.split("/") if rest else []
        if self.api_type == "rest":
            if len(segments) > 1 and not segments[-1]:
                segments.pop()
            candidates = _walk(self._root, segments, rest, 0, greedy=True)
        else:
            candidates = _full_then_greedy(self._root, segments, rest)
        for node, values in candidates:
            route = node.route_for(method)
            if route is not None:
                return Match(route, dict(zip(self._names[route], values, strict=True)))
        return None if self._default is None else Match(self._default, {})

    def _add(self, index: int, key: str, route_keys: Sequence[str]) -> None:
        if key == _DEFAULT:
            if self.api_type == "rest":
                raise ValueError(
                    "$default is a route of HTTP APIs; on a REST API use ANY /{proxy+} and ANY /"
                )
            if self._default is not None:
                raise ValueError("$default is given twice")
            self._default = index
            self._names.append(())
            return
        method, segments = _read_key(key)
        node = self._root
        names: list[str] = []
        for segment in segments:
            if segment.startswith("{"):
                if self.api_type == "rest":
                    _check_sibling(node, segment, key)
                name = segment[1:-1].removesuffix("+")
                if name in names:
                    raise ValueError(f"{key}: two variables are called {name}")
                names.append(name)
            node = _child(node, segment)
        if method in node.routes:
            other = route_keys[node.routes[method]]
            raise ValueError(f"{key} catches the same requests as {other}")
        node.routes[method] = index
        self._names.append(tuple(names))


def _read_key(key: str) -> tuple[str, list[str]]:
    """Method and path segments of a route key."""
    method, space, path = key.partition(" ")
    if not space or not path.startswith("/"):
        raise ValueError(f"a route is a method and a path such as GET /users/{{id}}, got {key!r}")
    if method != "ANY" and method not in METHODS:
        raise ValueError(f"{key}: the method is ANY or one of {', '.join(sorted(METHODS))}")
    segments = path[1:].split("/") if path != "/" else []
    if len(segments) > _MAX_SEGMENTS:
        raise ValueError(f"{key[:60]}...: a path has at most {_MAX_SEGMENTS} segments")
    for position, segment in enumerate(segments):
        if not segment:
            raise ValueError(f"{key}: a segment of the path is empty")
        if not _SEGMENT.fullmatch(segment):
            raise ValueError(f"{key}: {segment!r} is neither text nor a variable such as {{id}}")
        if segment.endswith("+}") and position != len(segments) - 1:
            raise ValueError(f"{key}: {segment} takes the rest of a path, so it comes last")
    return method, segments


def _check_sibling(parent: _Node, segment: str, key: str) -> None:
    parent.variable = parent.variable or segment
    if parent.variable != segment:
        raise ValueError(
            f"{key}: a REST API has one variable at each place of a path, and {parent.variable} "
            f"is already where {segment} would be; an HTTP API may have both"
        )


def _child(node: _Node, segment: str) -> _Node:
    """The node below ``node`` for one segment of a route key, made if it is not there."""
    if not segment.startswith("{"):
        return node.literals.setdefault(segment, _Node())
    if segment.endswith("+}"):
        node.greedy = node.greedy or _Node()
        return node.greedy
    node.param = node.param or _Node()
    return node.param


_Candidates = Iterator[tuple[_Node, tuple[str, ...]]]


def _walk(
    node: _Node, segments: list[str], rest: str, position: int, *, greedy: bool
) -> _Candidates:
    """Nodes that a path may end at, best first: at each segment literal, variable, greedy."""
    if position == len(segments):
        yield node, ()
        return
    segment = segments[position]
    after = rest[len(segment) + 1 :]
    literal = node.literals.get(segment)
    if literal is not None:
        yield from _walk(literal, segments, after, position + 1, greedy=greedy)
    if node.param is not None and segment:
        for end, values in _walk(node.param, segments, after, position + 1, greedy=greedy):
            yield end, (segment, *values)
    if node.greedy is not None and greedy:
        yield node.greedy, (rest,)


def _full_then_greedy(root: _Node, segments: list[str], rest: str) -> _Candidates:
    """Nodes an HTTP API considers: every full match comes before any greedy one."""
    yield from _walk(root, segments, rest, 0, greedy=False)
    # The second walk meets the full matches again, which by then have no route for the method.
    yield from _walk(root, segments, rest, 0, greedy=True)
