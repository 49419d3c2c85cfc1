"""Hypothesis strategies for single values: times, sizes, buckets and shares of keys.

Times are coarse on purpose (whole milliseconds from a short list), so that several things happening
at one instant are the rule: an order of events that is not total shows at once.
"""

from typing import Any, Final

from hypothesis import strategies as st

__all__ = [
    "FILES",
    "THINK_TIMES",
    "atom_times",
    "chance",
    "payloads",
    "popularities",
    "throttles",
    "times",
]

#: Files a scenario may refer to, beside the traces a strategy makes up.
FILES: Final = {
    "times.csv": "wait,note\n0,a\n1,b\n10,c\n10,d\n",
    "sizes.csv": "bytes\n0\n10\n1000\n",
    "counts.csv": "at,calls,other\n00:00,7,1\n00:01,0,1\n00:02,30,1\n00:03,12,1\n",
}

_TIMES: Final = ("1ms", "0s", "10ms", "2ms", "5ms", "20ms", "50ms", "100ms")
_SIZES: Final = ("1KB", "0B", "100B", "2KB", "700KB")

#: Think times with the lengths [ms] of phases in which they make a bounded number of calls.
THINK_TIMES: Final = (
    ("10ms", (100, 200)),
    ("1ms", (20,)),
    ({"mixture": [[0.5, "0s"], [0.5, "1ms"]]}, (20, 30)),
    ({"mixture": [[0.8, "0s"], [0.2, "10ms"]]}, (20, 50)),
    ({"uniform": ["0s", "1ms"]}, (20, 30)),
    ({"exponential": "5ms"}, (50, 100)),
    ("50ms", (200, 500)),
)


def chance(percent: int) -> st.SearchStrategy[bool]:
    """True in about ``percent`` of a hundred draws; shrinks to False."""
    return st.integers(0, 99).map(lambda drawn: drawn >= 100 - percent)


def _mixture(parts: tuple[Any, Any]) -> dict[str, Any]:
    return {"mixture": [[0.5, parts[0]], ["50%", parts[1]]]}


def _laws(
    amounts: tuple[str, ...], small: str, middle: str, large: str, samples: dict[str, str]
) -> tuple[st.SearchStrategy[Any], st.SearchStrategy[Any]]:
    """Laws made of atoms only, and every form of a law with the atoms preferred."""
    constants = st.sampled_from(amounts)
    atoms = st.one_of(
        constants,
        constants,
        constants,
        st.tuples(constants, constants).map(_mixture),
        st.just({"samples": "sizes.csv", "column": "bytes"} if not samples else samples),
    )
    spread = st.sampled_from(
        [
            {"uniform": [small, large]},
            {"uniform": [middle, middle]},
            {"exponential": middle},
            {"p50": small, "p99": large},
            {"mean": middle, "p99": large},
            {"gamma": {"mean": middle, "cv": 0.5}},
            {"gamma": {"mean": small, "cv": 2}},
            {"pareto": {"min": small, "alpha": 2.5}},
            {"quantiles": {"50": small, "90": small, "99": large}},
        ]
    )
    return atoms, st.one_of(atoms, atoms, atoms, spread)


_TIME_SAMPLES: Final = {"samples": "times.csv", "column": "wait", "unit": "ms"}
_atom_times, _times = _laws(_TIMES, "1ms", "5ms", "40ms", _TIME_SAMPLES)
_, _payloads = _laws(_SIZES, "100B", "1KB", "10KB", {"samples": "sizes.csv", "column": "bytes"})


def times() -> st.SearchStrategy[Any]:
    """Every form of a distribution of times, most often one with ties."""
    return _times


def atom_times() -> st.SearchStrategy[Any]:
    """Times that are whole milliseconds, and so are exact at ten times the size."""
    return _atom_times


def payloads() -> st.SearchStrategy[Any]:
    """Every form of a distribution of sizes."""
    return _payloads


_BUCKETS: Final = (
    {"rate_limit": 100, "burst_limit": 5},
    {"rate_limit": 200, "burst_limit": 50},
    {"rate_limit": 1000, "burst_limit": 20},
    {"rate_limit": 100, "burst_limit": 1},
    {"rate_limit": 50, "burst_limit": 20},
    {"rate_limit": 1000, "burst_limit": 2},
    {"rate_limit": "33.3", "burst_limit": 3},
    {"rate_limit": "2500/min", "burst_limit": 2},
    {"rate_limit": 0.3, "burst_limit": 30},
    {"rate_limit": 0, "burst_limit": 40},
    {"rate_limit": 100, "burst_limit": 0},
)


def throttles() -> st.SearchStrategy[dict[str, Any]]:
    """Token buckets that matter to a few hundred requests."""
    return st.sampled_from(_BUCKETS).map(dict)


def popularities() -> st.SearchStrategy[dict[str, Any]]:
    """Every form of a popularity."""
    return st.sampled_from(
        [
            {"uniform": 3},
            {"uniform": 1},
            {"zipf": 1.1, "of": 20},
            {"zipf": 0, "of": 100_000},
            {"zipf": 1.2, "of": 1_000_000},
            {"red": 3, "blue": 1},
            {"one": "60%", "two": "40%", "never": 0},
        ]
    ).map(dict)
