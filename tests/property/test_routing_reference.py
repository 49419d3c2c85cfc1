"""The routing tree against a matcher that tries every route and ranks those that fit."""

import itertools
import re
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from apisim.gateway.routing import Router

# Few words and short paths, so that the routes of one API get in each other's way.
PATHS = [
    "/" + "/".join(segments)
    for length in (1, 2, 3)
    for segments in itertools.product(
        *[["a", f"{{v{place}}}"] for place in range(length - 1)],
        ["a", "b", f"{{v{length - 1}}}", "{rest+}"],
    )
]
KEYS = [f"{method} {path}" for method in ("GET", "POST", "ANY") for path in PATHS]


def pattern(path: str, api_type: str) -> re.Pattern[str]:
    """Regular expression of the paths a route's path takes."""
    parts: list[str] = []
    for segment in path.split("/")[1:]:
        if segment.endswith("+}"):
            # What follows a slash is a segment of an HTTP API even if empty; the root has none.
            rest = ".*" if api_type == "http" and parts else ".+"
            parts.append(f"(?P<{segment[1:-2]}>{rest})")
        elif segment.startswith("{"):
            parts.append(f"(?P<{segment[1:-1]}>[^/]+)")
        elif segment:
            parts.append(re.escape(segment))
    greedy = path.endswith("+}")
    end = "/?" if api_type == "rest" and not greedy and parts else ""
    return re.compile("/" + "/".join(parts) + end)


def rank(key: str, api_type: str) -> tuple[object, ...]:
    """Smaller is more specific, as the priorities are written down."""
    method, _, path = key.partition(" ")
    kinds = tuple(
        2 if segment.endswith("+}") else 1 if segment.startswith("{") else 0
        for segment in path.split("/")[1:]
    )
    tier = 2 in kinds if api_type == "http" else False
    return (tier, kinds, method == "ANY")


def reference(
    api_type: str, keys: list[str], method: str, path: str
) -> tuple[str, dict[str, str]] | None:
    fitting = []
    for key in keys:
        route_method, _, route_path = key.partition(" ")
        if route_method not in (method, "ANY"):
            continue
        match = pattern(route_path, api_type).fullmatch(path)
        if match:
            fitting.append((rank(key, api_type), key, match.groupdict()))
    if not fitting:
        return ("$default", {}) if "$default" in keys else None
    _, key, params = min(fitting, key=lambda entry: entry[0])
    return key, params


def compatible(api_type: str, keys: list[str]) -> bool:
    try:
        Router(api_type, keys)
    except ValueError:
        return False
    return True


@st.composite
def apis(draw: st.DrawFn) -> tuple[str, list[str]]:
    """An API type and routes it accepts."""
    api_type = draw(st.sampled_from(["rest", "http"]))
    keys = ["GET /"]
    for key in draw(st.lists(st.sampled_from(KEYS), min_size=5, max_size=12, unique=True)):
        if compatible(api_type, [*keys, key]):
            keys.append(key)
    if api_type == "http" and draw(st.booleans()):
        keys.insert(draw(st.integers(0, len(keys))), "$default")
    return api_type, keys


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[str], str, str]:
    """An API and a request near one of its routes: most of them end in a near miss or a rival."""
    api_type, keys = draw(apis())
    path = draw(st.sampled_from(keys)).partition(" ")[2]
    sent: list[str] = []
    for segment in path.split("/")[1:]:
        if segment.endswith("+}"):
            sent += draw(st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=3))
        elif segment.startswith("{"):
            sent.append(draw(st.sampled_from(["a", "b", "c", ""])))
        elif segment:
            sent.append(draw(st.sampled_from([segment, segment, segment, "c"])))
    while sent and not sent[-1]:
        sent.pop()  # how several slashes at the end are read is not documented anywhere
    end = draw(st.sampled_from(["", "", "/"])) if sent else ""
    method = draw(st.sampled_from(["GET", "POST", "PUT"]))
    return api_type, keys, method, "/" + "/".join(sent) + end


@settings(max_examples=400)
@given(cases())
def test_the_tree_finds_what_trying_every_route_finds(
    case: tuple[str, list[str], str, str],
) -> None:
    api_type, keys, method, path = case
    match = Router(api_type, keys).match(method, path)
    found = None if match is None else (keys[match.route_index], match.params)
    assert found == reference(api_type, keys, method, path)


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_routes_does_not_matter(
    case: tuple[str, list[str], str, str], random: Random
) -> None:
    api_type, keys, method, path = case
    shuffled = random.sample(keys, len(keys))
    answers = []
    for order in (keys, shuffled):
        match = Router(api_type, order).match(method, path)
        answers.append(None if match is None else order[match.route_index])
    assert answers[0] == answers[1]
