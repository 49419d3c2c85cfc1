"""How long runtimes of Lambda take to start, as measured by others: presets of ``init``.

Init Duration as Lambda reports it, of hello-world functions in ZIP packages, about 500 cold starts
for each row, July and August 2026 (maxday/lambda-perf). It hardly depends on memory; what a runtime
puts off to the first invocation does, and is given as the mean duration of that invocation. Client
and real packages take longer: ``package`` multiplies the quantiles, by numbers that are assumed
(reports of Node and Python functions with SDKs say 2 to 5 times hello-world).
"""

from typing import Final, NamedTuple

from apisim.draws.distributions import Quantiles

__all__ = ["PACKAGES", "RUNTIMES", "init_of"]

_MS: Final = 1_000_000


class _Row(NamedTuple):
    runtime: str
    architecture: str
    memory_mb: int
    p5: int  # quantiles of Init Duration [ms]
    p50: int
    p90: int
    p95: int
    p99: int
    largest: int
    first_run_ms: float


_MEASURED: Final = (
    _Row("nodejs22.x", "x86", 128, 116, 141, 164, 175, 199, 216, 12.2),
    _Row("nodejs22.x", "x86", 1024, 114, 141, 161, 182, 204, 281, 3.3),
    _Row("nodejs22.x", "arm64", 512, 99, 130, 139, 143, 167, 215, 3.8),
    _Row("python3.13", "x86", 128, 69, 86, 108, 116, 153, 242, 2.3),
    _Row("python3.13", "x86", 1024, 72, 84, 105, 114, 201, 254, 2.2),
    _Row("python3.13", "arm64", 512, 62, 80, 93, 97, 121, 201, 2.2),
    _Row("java21", "x86", 128, 212, 240, 275, 327, 602, 710, 96),
    _Row("java21", "x86", 512, 206, 239, 287, 333, 651, 740, 32),
    _Row("java21", "x86", 1024, 203, 240, 285, 321, 614, 746, 6.8),
    _Row("dotnet8", "x86", 128, 213, 252, 333, 571, 649, 759, 715),
    _Row("dotnet8", "x86", 512, 212, 252, 348, 579, 657, 714, 164),
    _Row("dotnet8", "x86", 1024, 216, 253, 368, 590, 655, 731, 74),
    _Row("dotnet8-aot", "x86", 512, 78, 87, 97, 110, 121, 154, 2.0),
    _Row("go", "x86", 128, 44, 50, 53, 58, 74, 86, 1.6),
    _Row("rust", "x86", 128, 15, 16, 22, 28, 52, 68, 1.3),
    _Row("ruby3.4", "x86", 512, 187, 227, 394, 434, 489, 652, 2.6),
)

#: Names of AWS where there is one; the compiled languages run on ``provided.al2023``.
RUNTIMES: Final = tuple(dict.fromkeys(row.runtime for row in _MEASURED))
#: How many times the Init Duration of hello-world; assumed.
PACKAGES: Final = {"hello": 1, "typical": 2, "heavy": 5}


def init_of(runtime: str, package: str, architecture: str, memory_mb: int) -> Quantiles:
    """What a cold start adds to an invocation [ns]: initialisation and what it puts off.

    Parameters
    ----------
    runtime : str
        One of ``RUNTIMES``.
    package : str
        One of ``PACKAGES``.
    architecture : str
        ``x86`` or ``arm64``. Where only the other was measured, that is taken.
    memory_mb : int
        Memory [MB]; the nearest that was measured, as a ratio, is taken.

    Examples
    --------
    >>> init_of("python3.13", "hello", "x86", 1024).quantile(0.5) / 1e6
    86.2
    """
    rows = [row for row in _MEASURED if row.runtime == runtime]
    rows = [row for row in rows if row.architecture == architecture] or rows
    row = min(rows, key=lambda one: max(one.memory_mb / memory_mb, memory_mb / one.memory_mb))
    times = PACKAGES[package]
    points = {5: row.p5, 50: row.p50, 90: row.p90, 95: row.p95, 99: row.p99, 100: row.largest}
    return Quantiles(
        tuple(
            (percent, (value * times + row.first_run_ms) * _MS) for percent, value in points.items()
        )
    )
