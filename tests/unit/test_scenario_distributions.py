"""Distributions and popularities: each written form becomes the description it stands for."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from apisim.draws.discrete import UniformKeys, WeightedKeys, ZipfKeys
from apisim.draws.distributions import (
    Constant,
    Distribution,
    Exponential,
    Gamma,
    LogNormal,
    LogNormalMean,
    Mixture,
    Pareto,
    Quantiles,
    Samples,
    Uniform,
)
from apisim.scenario import ScenarioError, loads

MS = 1e6

TEXT = """\
apisim: 1
apis:
  shop:
    type: rest
    routes:
      GET /a: {{integration: {{type: lambda_proxy, function: f}}, response_size: {size}}}
functions:
  f: {{duration: {time}}}
traffic:
  web:
    phases: [{{duration: 1m, rate: 1}}]
    mix: {{GET /a: 1}}
    values: {{querystring.q: {keys}}}
"""


def times(written: str, base: Path | str = ".") -> Distribution:
    text = TEXT.format(time=written, size="1KB", keys="{uniform: 1}")
    return loads(text, base=base).functions["f"].duration


def sizes(written: str, base: Path | str = ".") -> Distribution:
    text = TEXT.format(time="1ms", size=written, keys="{uniform: 1}")
    return loads(text, base=base).apis["shop"].routes["GET /a"].response_size


def keys(written: str) -> Any:
    scenario = loads(TEXT.format(time="1ms", size="1KB", keys=written))
    return scenario.traffic["web"].values["querystring.q"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("40ms", Constant(40 * MS)),
        ("0", Constant(0.0)),
        ("0s", Constant(0.0)),
        ("{p50: 40ms, p99: 300ms}", LogNormal(40 * MS, 300 * MS)),
        ("{p99: 300ms, p50: 40ms}", LogNormal(40 * MS, 300 * MS)),
        ("{p50: 40ms, p99: 40ms}", LogNormal(40 * MS, 40 * MS)),
        ("{mean: 40ms, p99: 300ms}", LogNormalMean(40 * MS, 300 * MS)),
        ("{exponential: 20ms}", Exponential(20 * MS)),
        ("{uniform: [5ms, 9ms]}", Uniform(5 * MS, 9 * MS)),
        ("{uniform: [0, 9ms]}", Uniform(0.0, 9 * MS)),
        ("{gamma: {mean: 5ms, cv: 0.5}}", Gamma(5 * MS, 0.5)),
        ("{pareto: {min: 5ms, alpha: 1.5}}", Pareto(5 * MS, 1.5)),
        (
            "{quantiles: {99.9: 9ms, 50: 5ms, 0: 1ms}}",
            Quantiles(((0, 1 * MS), (50, 5 * MS), (99.9, 9 * MS))),
        ),
        (
            "{mixture: [[0.99, 5ms], [0.01, {exponential: 1s}]]}",
            Mixture(((0.99, Constant(5 * MS)), (0.01, Exponential(1_000 * MS)))),
        ),
        (
            "{mixture: [[99%, 5ms], [1%, {mixture: [[3, 1s], [1, 2s]]}]]}",
            Mixture(
                (
                    (0.99, Constant(5 * MS)),
                    (0.01, Mixture(((3, Constant(1_000 * MS)), (1, Constant(2_000 * MS))))),
                )
            ),
        ),
    ],
)
def test_a_time_in_every_form_becomes_nanoseconds(written: str, expected: Distribution) -> None:
    assert times(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2KB", Constant(2048.0)),
        ("{p50: 2KB, p99: 20KB}", LogNormal(2048.0, 20480.0)),
        ("{uniform: [1B, 1KB]}", Uniform(1.0, 1024.0)),
        ("{quantiles: {50: 1KB, 100: 10MB}}", Quantiles(((50, 1024.0), (100, 10485760.0)))),
    ],
)
def test_a_size_in_every_form_becomes_bytes(written: str, expected: Distribution) -> None:
    assert sizes(written) == expected


def test_the_p50_and_p99_written_are_the_quantiles_drawn() -> None:
    drawn = times("{p50: 40ms, p99: 300ms}")
    assert drawn.quantile(0.5) == pytest.approx(40 * MS, rel=1e-12)
    assert drawn.quantile(0.99) == pytest.approx(300 * MS, rel=1e-9)


def test_samples_are_read_from_a_column_in_their_unit(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("run,ms\n1,2.5\n2,1\n3,10\n")
    expected = Samples((2.5 * MS, 1 * MS, 10 * MS))
    assert times("{samples: x.csv, column: ms, unit: ms}", tmp_path) == expected
    assert times(f"{{samples: {tmp_path}/x.csv, column: ms, unit: ms}}") == expected
    assert times("{samples: x.csv, column: ms, unit: us}", tmp_path) == Samples((2500, 1000, 10000))


def test_samples_may_be_gzipped_and_sizes_are_bytes_without_a_unit(tmp_path: Path) -> None:
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"bytes\n100\n200\n"))
    assert sizes("{samples: x.csv.gz, column: bytes}", tmp_path) == Samples((100.0, 200.0))
    assert sizes("{samples: x.csv.gz, column: bytes, unit: KB}", tmp_path).mean() == 150 * 1024


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ms\n1\nabc\n", 'x.csv row 3: "abc" is not a time'),
        ("ms\n1\n-2\n", 'x.csv row 3: "-2" is not a time'),
        ("ms\nnan\n", 'x.csv row 2: "nan" is not a time'),
        ("ms\n1e300\n", 'x.csv row 2: "1e300" is not a time'),
        ("ms\n", "x.csv has no rows"),
        ("", 'x.csv has no column "ms"'),
        ("s\n1\n", 'x.csv has no column "ms"'),
        ("ms,a\n1\n", "x.csv row 2 has 1 field, the header has 2"),
        ('ms\n"1\n', "x.csv is not a CSV file"),
        ("ms\n" + "1" * 200_000, "x.csv has a line of 100,000 characters or more"),
        ("ms\n\xff", "x.csv is not a CSV file"),
        ("ms\n1\n" + "9" * 300 + "\n", "x.csv row 3: the value is too long"),
    ],
)
def test_bad_samples_name_file_and_row(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "x.csv").write_bytes(content.encode("latin-1"))
    with pytest.raises(ScenarioError) as caught:
        times("{samples: x.csv, column: ms, unit: ms}", tmp_path)
    (problem,) = caught.value.problems
    assert problem.path == "functions.f.duration.samples"
    assert message in problem.message


def test_a_directory_is_no_file_of_samples(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="is not a file"):
        times("{samples: ., column: ms, unit: ms}", tmp_path)


def test_a_broken_gzip_file_is_an_error_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"ms\n" + b"1\n" * 1_000)[:-9])
    with pytest.raises(ScenarioError, match="is not a CSV file"):
        times("{samples: x.csv.gz, column: ms, unit: ms}", tmp_path)
    (tmp_path / "x.csv.gz").write_bytes(b"\x1f\x8b\x08" + b"garbage" * 10)
    with pytest.raises(ScenarioError):
        times("{samples: x.csv.gz, column: ms, unit: ms}", tmp_path)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{zipf: 1.1, of: 50000}", ZipfKeys(1.1, 50_000)),
        ("{zipf: 0, of: 3}", ZipfKeys(0.0, 3)),
        ("{uniform: 25}", UniformKeys(25)),
        ("{details: 3, basic: 1}", WeightedKeys((3.0, 1.0))),
        ("{details: 75%, basic: 25%}", WeightedKeys((0.75, 0.25))),
        ("{details: 3, uniform: 1}", WeightedKeys((3.0, 1.0))),
    ],
)
def test_a_popularity_in_every_form(written: str, expected: object) -> None:
    assert keys(written) == expected


def test_named_values_keep_their_names_in_order() -> None:
    source = loads(TEXT.format(time="1ms", size="1KB", keys="{b: 3, a: 1}")).traffic["web"]
    assert source.value_names == {"querystring.q": ("b", "a")}
    source = loads(TEXT.format(time="1ms", size="1KB", keys="{uniform: 2}")).traffic["web"]
    assert source.value_names == {}


@pytest.mark.parametrize(
    "written",
    ["{zipf: 1.1}", "{zipf: -1, of: 5}", "{zipf: 1, of: 0}", "{zipf: 1, of: 1.5}",
     "{zipf: a, of: 1}",
     "{zipf: 1, off: 5}", "{uniform: 0}", "{uniform: x}", "{a: -1}", "{a: 0}", "{}", "[a]", "5",
     "{a: x}", "{a: .inf}"],
)  # fmt: skip
def test_what_is_no_popularity_is_refused(written: str) -> None:
    with pytest.raises(ScenarioError):
        keys(written)
