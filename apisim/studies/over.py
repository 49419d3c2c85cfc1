"""What a study varies: ``--over path=...``, and the points of a design.

``path=a,b,c`` are values; ``path=0:100:10`` are numbers from 0 to 100, both included, in steps of
10, perhaps with a unit (``50ms:200ms:50ms``); ``path=10..500`` is a range that the points of Latin
hypercubes, Sobol sequences and Sobol indices are taken from. Values are what ``--set`` takes:
commas inside braces, brackets and quotes belong to a value.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from math import prod
from typing import Final, Literal

from apisim.scenario.problems import Problem, ScenarioError
from apisim.studies.saltelli import saltelli_shares

__all__ = ["Design", "Over", "Point", "parse_over", "points_of"]

#: A point: the value of each path, as ``--set`` takes it.
Point = tuple[str, ...]
Design = Literal["grid", "zip", "lhs", "sobol", "saltelli"]

_MOST_POINTS: Final = 100_000
_OPTIONS: Final = {"lhs": "--lhs", "sobol": "--points", "saltelli": "--sobol"}
_NUMBER: Final = re.compile(r"\s*(-?[0-9][0-9_]*(?:\.[0-9]+)?|-?\.[0-9]+)\s*([A-Za-z%/]*)\s*")
_CLOSING: Final = {"{": "}", "[": "]", "(": ")"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """What a path is varied over.

    Attributes
    ----------
    path : str
        Dotted, as ``--set`` takes it.
    values : tuple of str
        Its values; empty for a range.
    low, high : Decimal
        Ends of a range.
    unit : str
        Of the numbers of a range.
    is_whole : bool
        Whether the numbers of a range are whole: its ends were written so.
    """

    path: str
    values: tuple[str, ...] = ()
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    unit: str = ""
    is_whole: bool = True

    @property
    def is_range(self) -> bool:
        """Whether this is a range and no list of values."""
        return not self.values

    def at(self, share: float) -> str:
        """Value at a share in [0, 1) of the range, or of the list of values.

        Examples
        --------
        >>> parse_over("rate=10..20").at(0.5), parse_over("ttl=a,b,c").at(0.4)
        ('15', 'b')
        """
        if not self.is_range:
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        if self.is_whole:
            # Every whole number has the same share, the two ends as well.
            steps = int(self.high - self.low) + 1
            return f"{int(self.low) + min(int(share * steps), steps - 1)}{self.unit}"
        value = float(self.low) + share * float(self.high - self.low)
        return f"{_plain(Decimal(repr(value)).quantize(Decimal('0.000001')))}{self.unit}"


def parse_over(text: str) -> Over:
    """What stands behind ``--over``.

    Raises
    ------
    ScenarioError
        If it cannot be read.

    Examples
    --------
    >>> parse_over("traffic.web.phases.0.rate=100:300:100").values
    ('100', '200', '300')
    >>> parse_over("f.duration={p50: 1ms, p99: 5ms},10ms").values
    ('{p50: 1ms, p99: 5ms}', '10ms')
    """
    path, equals, written = text.partition("=")
    if not equals or not path.strip() or not written.strip():
        raise _problem(text, "is no path=values", "write e.g. traffic.web.phases.0.rate=100,200")
    path = path.strip()
    low, dots, high = written.partition("..")
    if dots and (ends := _ends(low, high)) is not None:
        return _range(text, path, *ends)
    if (steps := written.split(":")) and len(steps) == 3 and all(map(_NUMBER.fullmatch, steps)):
        return Over(path=path, values=_stepped(text, steps))
    values = tuple(_split(written))
    if not all(values):
        raise _problem(text, "has an empty value", "separate values by one comma")
    return Over(path=path, values=values)


def points_of(
    over: Sequence[Over], design: Design = "grid", *, n_points: int = 0, seed: int = 1
) -> list[Point]:
    """Points of a design.

    Parameters
    ----------
    over : sequence of Over
    design : {"grid", "zip", "lhs", "sobol", "saltelli"}
        All combinations, the last path varying fastest; the first values of all, the second, ...;
        a Latin hypercube; the first points of a scrambled Sobol sequence; the design that Sobol
        indices are estimated from.
    n_points : int
        Of ``lhs`` and ``sobol``; of each of the samples of ``saltelli``, a power of two.
    seed : int
        Decides what these three draw.

    Raises
    ------
    ScenarioError
        If the design cannot be made of these.
    """
    if len({one.path for one in over}) < len(over):
        twice = next(one.path for one in over if [o.path for o in over].count(one.path) > 1)
        raise _problem(twice, "is varied twice", "give all its values at once")
    if design not in ("grid", "zip"):
        return _sampled(over, design, n_points, seed)
    if ranges := [one.path for one in over if one.is_range]:
        hint = "write path=low:high:step, or ask for --lhs N, --points N or --sobol N"
        raise _problem(ranges[0], "is a range, of which a grid has no points", hint)
    if design == "zip":
        lengths = {len(one.values) for one in over}
        if len(lengths) > 1:
            counts = ", ".join(f"{one.path} has {len(one.values)}" for one in over)
            raise _problem(over[0].path, f"--zip needs as many values of each: {counts}", "")
        return list(zip(*(one.values for one in over), strict=True))
    n_points = prod(len(one.values) for one in over)
    if n_points > _MOST_POINTS:
        raise _problem(
            over[0].path, f"the grid has {n_points:,} points", f"at most {_MOST_POINTS:,}"
        )
    return list(product(*(one.values for one in over)))


def _sampled(over: Sequence[Over], design: str, n_points: int, seed: int) -> list[Point]:
    from scipy.stats import qmc

    option = _OPTIONS[design]
    if not 1 <= n_points <= _MOST_POINTS:
        raise _problem(option, f"needs 1 to {_MOST_POINTS:,} points, got {n_points}", "")
    # A whole power of two keeps a Sobol sequence balanced.
    power = (n_points - 1).bit_length()
    if design == "lhs":
        shares = qmc.LatinHypercube(len(over), rng=seed).random(n_points)
    elif design == "sobol":
        shares = qmc.Sobol(len(over), rng=seed).random_base2(power)[:n_points]
    else:
        if n_points != 1 << power or n_points < 2:
            hint = f"e.g. {max(2, 1 << power)}"
            raise _problem(option, f"needs a power of two from 2 up, got {n_points}", hint)
        if (n := n_points * (len(over) + 2)) > _MOST_POINTS:
            raise _problem(option, f"asks for {n:,} points", f"at most {_MOST_POINTS:,}")
        shares = saltelli_shares(len(over), n_points, seed)
    return [
        tuple(one.at(float(share)) for one, share in zip(over, row, strict=True)) for row in shares
    ]


def _split(text: str) -> list[str]:
    """Parts of a text between commas that stand in no brackets and no quotes."""
    parts, start, open_, quote = [], 0, [], ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in _CLOSING:
            open_.append(_CLOSING[char])
        elif open_ and char == open_[-1]:
            open_.pop()
        elif char == "," and not open_:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()]


def _ends(low: str, high: str) -> tuple[re.Match[str], re.Match[str]] | None:
    one, other = _NUMBER.fullmatch(low), _NUMBER.fullmatch(high)
    return None if one is None or other is None else (one, other)


def _range(text: str, path: str, one: re.Match[str], other: re.Match[str]) -> Over:
    low, high = Decimal(one[1]), Decimal(other[1])
    unit = other[2]
    if one[2] not in ("", unit):
        raise _problem(text, f"has ends in {one[2]} and {unit}", "write both in one unit")
    if low >= high:
        raise _problem(text, f"is no range: {low} is not below {high}", "write low..high")
    is_whole = "." not in one[1] and "." not in other[1]
    return Over(path=path, low=low, high=high, unit=unit, is_whole=is_whole)


def _stepped(text: str, steps: Sequence[str]) -> tuple[str, ...]:
    matches = [_NUMBER.fullmatch(step) for step in steps]
    (first, last, step) = (Decimal(match[1]) for match in matches if match is not None)
    units = {match[2] for match in matches if match is not None and match[2]}
    if len(units) > 1:
        raise _problem(text, f"has numbers in {' and '.join(sorted(units))}", "use one unit")
    if step <= 0 or last < first:
        hint = "write first:last:step with step above 0 and last not below first"
        raise _problem(text, f"has no numbers from {first} to {last} in steps of {step}", hint)
    n = int((last - first) / step) + 1
    if n > _MOST_POINTS:
        raise _problem(text, f"has {n:,} values", f"at most {_MOST_POINTS:,}")
    unit = units.pop() if units else ""
    return tuple(f"{_plain(first + at * step)}{unit}" for at in range(n))


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _problem(text: str, message: str, hint: str) -> ScenarioError:
    return ScenarioError([Problem("--over", 1, 1, text, message, hint)])
