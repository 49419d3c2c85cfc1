"""``docs/calibration.md``: default times beside what was measured.

python -m tests.docs.calibration    writes the page, from the package and the folder of measurements
                                    (APISIM_SHARED, or ``shared`` beside the project)
"""

import csv
import gzip
import os
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from apisim.draws.distributions import LogNormal
from apisim.scenario.by_type import GatewayOverhead
from apisim.scenario.places import PER_KM_MS, START_MS, places
from apisim.scenario.runtimes import RUNTIMES, init_of
from apisim.scenario.settings import Settings

__all__ = ["PAGE", "page"]

_PROJECT: Final = Path(__file__).resolve().parent.parent.parent
PAGE: Final = _PROJECT / "docs" / "calibration.md"

#: Upper ends of the bands of distance [km].
_BANDS: Final = (1_000, 3_000, 6_000, 10_000, 20_100)
_SHARES: Final = (5, 50, 95, 99)
_NAMES: Final = {
    "dotnet8-aot": "dotnet8 aot (prov.al2023)",
    "go": "go (prov.al2023)",
    "rust": "rust (prov.al2023)",
}
_TIMES: Final = (
    "hit_time",
    "refusal_time",
    "lambda_transport",
    "http_transport",
    "vpc_link_time",
    "cross_zone_time",
    "service_transport",
    "edge_hop",
    "edge_rtt",
    "tls_time",
    "environment_setup",
)


def _text(words: str) -> Iterator[str]:
    """A paragraph."""
    yield textwrap.fill(
        " ".join(words.split()), 110, break_long_words=False, break_on_hyphens=False
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    head = list(head)
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(map(str, row)) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _distance() -> Iterator[str]:
    known = places()
    pairs = [pair for pair in known.measured_ms if pair[0] != pair[1]]
    kms = np.array([known.distance_km(*pair) for pair in pairs])
    times = np.array([known.measured_ms[pair] for pair in pairs], float)
    errors = (START_MS + PER_KM_MS * kms) / times - 1
    rows = []
    for low, high in [*zip((0, *_BANDS), _BANDS, strict=False), (0, _BANDS[-1])]:
        here = (kms > low) & (kms <= high)
        within = np.quantile(abs(errors[here]), 0.9)
        rows.append(
            (
                f"{low:,} to {high:,} km" if (low, high) != (0, _BANDS[-1]) else "**all**",
                int(here.sum()),
                f"{np.median(times[here]):.0f} ms",
                f"{np.median(errors[here]):+.0%}",
                f"{within:.0%}",
                f"{errors[here].min():+.0%} to {errors[here].max():+.0%}",
            )
        )
    yield _table(
        (
            "distance",
            "pairs",
            "median measured",
            "median error",
            "nine of ten are within",
            "all errors",
        ),
        rows,
    )


def _rows(shared: Path, name: str) -> list[dict[str, str]]:
    file = shared / "data" / "latency" / name
    if file.suffix == ".gz":
        with gzip.open(file, "rt", encoding="utf-8") as text:
            return list(csv.DictReader(text))
    with file.open(encoding="utf-8") as text:
        return list(csv.DictReader(text))


def _differences(
    rows: list[dict[str, str]], is_cold: str, first: str, *others: str
) -> NDArray[np.float64]:
    return np.array(
        [
            float(row[first]) - sum(float(row[other] or 0) for other in others)
            for row in rows
            if row["is_cold"] == is_cold
        ]
    )


def _invocations(shared: Path) -> Iterator[str]:
    xray = _rows(shared, "lambda_xray_rust_a.csv")
    poisson = _rows(shared, "lambda_poisson_2020-05-17.csv.gz")
    measured = {
        "Lambda around a warm function: service less function (X-Ray, 2021)": _differences(
            xray, "0", "service_ms", "function_ms"
        ),
        "Lambda around a cold one: service less function and INIT (X-Ray, 2021)": _differences(
            xray, "1", "service_ms", "function_ms", "init_ms"
        ),
        "way of a client to a warm function and back, place unknown (2020)": _differences(
            poisson, "0", "client_elapsed_ms", "lambda_duration_ms"
        ),
        "a warm function of steady work (2020)": _differences(poisson, "0", "lambda_duration_ms"),
    }
    rows = []
    for what, times in measured.items():
        found = [float(np.percentile(times, share)) for share in _SHARES]
        law = LogNormal(found[1], found[3])
        fitted = [law.quantile(share / 100) for share in _SHARES]
        rows.append(
            (
                what,
                f"{len(times):,}",
                *(f"{one:,.1f} ({other:,.1f})" for one, other in zip(found, fitted, strict=True)),
            )
        )
    yield _table(("time [ms]", "n", *(f"p{share}" for share in _SHARES)), rows)


def _runtimes(shared: Path) -> Iterator[str]:
    found = _rows(shared, "lambda_perf_2026-08-14.csv.gz")
    rows = []
    for runtime in RUNTIMES:
        name = _NAMES.get(runtime, runtime)
        samples = [
            float(one)
            for row in found
            if row["runtime"] == name and row["package"] == "zip" and row["arch"] == "x86_64"
            for one in row["init_ms_samples"].split()
        ]
        preset = init_of(runtime, "hello", "x86", 512).quantile(0.5) / 1e6
        measured = float(np.median(samples))
        ratio = f"{preset / measured:.2f}"
        rows.append((runtime, len(samples), f"{measured:.0f} ms", f"{preset:.0f} ms", ratio))
    yield _table(("runtime", "samples", "median INIT", "preset, 512 MB", "ratio"), rows)


def _yaml(value: Any) -> str:
    """A default as a scenario would write it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return str(value)


def _defaults() -> Iterator[str]:
    fields = Settings.model_fields
    overhead = {name: field.default for name, field in GatewayOverhead.model_fields.items()}
    rows = [("gateway_overhead", _yaml(overhead), fields["gateway_overhead"].description)]
    rows += [(name, _yaml(fields[name].default), fields[name].description) for name in _TIMES]
    yield _table(
        ("setting", "default", "where it comes from"),
        ((f"`{name}`", f"`{given}`", why) for name, given, why in rows),
    )


def page(shared: Path) -> str:
    """The whole page.

    Parameters
    ----------
    shared : Path
        Folder with the measurements under ``data/latency``.
    """
    known = places()
    cities = [name for name in known.where if "-" not in name or not name[-1].isdigit()]
    lines = [
        "# Default times beside what was measured",
        *_text("""Written by `python -m tests.docs.calibration` and compared by
            `tests/docs/test_calibration.py`."""),
        "## Where callers are",
        *_text("""`network: {location: frankfurt}` places the callers of a source. They have a
            line of their own to what is next to them, `edge_rtt` (`settings.edge_rtt` if they
            have none). With an edge-optimized API the edge location is there, and the way behind
            it is that between the place and the Region; with any other API both together are one
            round trip. A location is a Region's name, the city near it, or a city without a
            Region:"""),
        *_text(f"{', '.join(sorted(known.aliases))}; {', '.join(cities)}."),
        *_text(f"""Between two of 32 Regions the round trip is the median of a year, measured over
            TCP by cloudping.co, snapshot of 2025 (`apisim/scenario/round_trips.yaml` has the
            numbers and where they were found). It does not vary: what varies is the callers'
            line. For other places it is estimated: {START_MS:g} ms and {PER_KM_MS * 1000:.2f} ms
            for each 1,000 km of the great circle, the least squares of the relative error over
            all measured pairs. A note says which of them a run used. How far the estimate is off
            where both are known:"""),
        *_distance(),
        *_text("""Cables do not follow great circles: between the Gulf and Israel, and from Africa
            to Asia and South America, the way is several times as long as the estimate. Where it
            matters, measure, and write `rtt`."""),
        *_text("""A line through its own law and a constant way is drawn from 107 quantiles,
            linear between whole percents, cut at 0.01 and 99.99 %: quantiles are exact at the
            points, the mean of the default line is within 1 %."""),
        "## Calls of Lambda",
        *_text("""Measured, and in brackets the log-normal through p50 and p99, which is the form
            of the defaults:"""),
        *_invocations(shared),
        *_text("""`settings.lambda_transport` has the first row's size, with a longer tail; it is
            the way of the gateway, which nobody has measured alone, so it stays as assumed. The
            second row is what `settings.environment_setup` stands for, 0 by default: write `{p50:
            75ms, p99: 137ms}` to have it. It hangs on package and network, and the shares of cold
            starts that experiments found are met without it ([lambda.md](lambda.md)). The third
            is a client's own way, not AWS's."""),
        "## Cold starts",
        *_text("""The presets of `functions.*.runtime` come from about 500 cold starts each, in
            July and August 2026; ten others for each memory size, of 14 August. A preset also has
            what the runtime puts off to its first invocation, which is much with .NET."""),
        *_runtimes(shared),
        "## All default times",
        *_text(
            """Those that say assumed are no measurement: change them, and see what hangs on it."""
        ),
        *_defaults(),
    ]
    return "\n\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(
        page(Path(os.environ.get("APISIM_SHARED") or _PROJECT.parent / "shared")), encoding="utf-8"
    )
