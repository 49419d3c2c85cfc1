"""Hypothesis strategies for single values: times, sizes, buckets and shares of keys.

Times are coarse on purpose (whole milliseconds from a short list), so that several things happening
at one instant are the rule: an order of events that is not total shows at once.
"""

from typing import Any, Final

from hypothesis import strategies as st

__all__ = [
    "CROWDED_THINK_TIMES",
    "FILES",
    "THINK_TIMES",
    "atom_times",
    "crowded_times",
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
CROWDED_THINK_TIMES: Final = (
    ("1ms", (20,)),
    ({"mixture": [[0.5, "0s"], [0.5, "1ms"]]}, (20, 30)),
    ("10ms", (100, 200)),
)


def _mixture(parts: tuple[Any, Any]) -> dict[str, Any]:
    return {"mixture": [[0.5, parts[0]], ["50%", parts[1]]]}


def _atoms(amounts: tuple[str, ...], samples: dict[str, str]) -> st.SearchStrategy[Any]:
    """Laws of a few values: constants, two of them mixed, samples of a file."""
    constants = st.sampled_from(amounts)
    mixed = st.tuples(constants, constants).map(_mixture)
    return st.one_of(constants, constants, constants, mixed, st.just(samples))


def _laws(
    atoms: st.SearchStrategy[Any], small: str, middle: str, large: str
) -> st.SearchStrategy[Any]:
    """Every form of a law, those of a few values preferred."""
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
    return st.one_of(atoms, atoms, atoms, spread)


_TIME_SAMPLES: Final = {"samples": "times.csv", "column": "wait", "unit": "ms"}
_SIZE_SAMPLES: Final = {"samples": "sizes.csv", "column": "bytes"}
_ATOM_TIMES: Final = _atoms(
    ("1ms", "0s", "10ms", "2ms", "5ms", "20ms", "50ms", "100ms"), _TIME_SAMPLES
)
_CROWDED_TIMES: Final = st.sampled_from(
    [
        "1ms",
        "0s",
        "2ms",
        {"mixture": [[1, "0s"], [1, "1ms"]]},
        {"mixture": [[3, "0s"], [1, "2ms"]]},
        {"mixture": [[1, "0s"], [1, "1ms"], [1, "2ms"]]},
    ]
)
_TIMES: Final = _laws(_ATOM_TIMES, "1ms", "5ms", "40ms")
_PAYLOADS: Final = _laws(
    _atoms(("1KB", "0B", "100B", "2KB", "700KB"), _SIZE_SAMPLES), "100B", "1KB", "10KB"
)


def times() -> st.SearchStrategy[Any]:
    """Every form of a distribution of times, most often one with ties."""
    return _TIMES


def atom_times() -> st.SearchStrategy[Any]:
    """Times that are whole milliseconds."""
    return _ATOM_TIMES


def crowded_times() -> st.SearchStrategy[Any]:
    """Times of 0, 1 and 2 ms, half of them now this and now that."""
    return _CROWDED_TIMES


def payloads() -> st.SearchStrategy[Any]:
    """Every form of a distribution of sizes."""
    return _PAYLOADS


_BUCKETS: Final[tuple[dict[str, Any], ...]] = (
    {"rate_limit": 100, "burst_limit": 5},
    {"rate_limit": 200, "burst_limit": 50},
    {"rate_limit": 1000, "burst_limit": 20},
    {"rate_limit": 1000, "burst_limit": 1},
    {"rate_limit": 50, "burst_limit": 20},
    {"rate_limit": 500, "burst_limit": 2},
    {"rate_limit": "33.3", "burst_limit": 3},
    {"rate_limit": "2500/min", "burst_limit": 2},
    {"rate_limit": 0.3, "burst_limit": 30},
    {"rate_limit": 0, "burst_limit": 40},
    {"rate_limit": 100, "burst_limit": 0},
)


def throttles(parts: int = 1) -> st.SearchStrategy[dict[str, Any]]:
    """Token buckets that matter to a few hundred requests and can be divided into ``parts``."""
    return st.sampled_from([one for one in _BUCKETS if not 0 < one["burst_limit"] < parts])


_POPULARITIES: Final[tuple[tuple[int, dict[str, Any]], ...]] = (
    (3, {"uniform": 3}),
    (1, {"uniform": 1}),
    (20, {"zipf": 1.1, "of": 20}),
    (100_000, {"zipf": 0, "of": 100_000}),
    (1_000_000, {"zipf": 1.2, "of": 1_000_000}),
    (2, {"red": 3, "blue": 1}),
    (3, {"one": "60%", "two": "40%", "never": 0}),
)


def popularities(most: int = 1_000_000) -> st.SearchStrategy[dict[str, Any]]:
    """Every form of a popularity of at most ``most`` values."""
    return st.sampled_from([form for n, form in _POPULARITIES if n <= most])
