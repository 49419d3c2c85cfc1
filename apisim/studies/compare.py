"""Scenarios against each other under common random numbers: ``apisim compare``.

All get the seed and the number of replications of the first. A draw belongs to the request it is
for, so what two scenarios have in common they draw alike, and the difference of a replication is
due to what differs between them. Its mean over replications has Student's t interval.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from apisim.results.atomic import write_text
from apisim.results.bill_rows import rows_to_csv
from apisim.results.section import Section
from apisim.scenario import Scenario
from apisim.scenario.formats import format_duration
from apisim.studies.differing import differing
from apisim.studies.executors import Where
from apisim.studies.frames import study_frame
from apisim.studies.many import Steps, simulate_points
from apisim.studies.paired import Difference, differences_of
from apisim.studies.points import Row, Task
from apisim.studies.preparation import Options
from apisim.studies.shown import Sheet, Shown
from apisim.studies.wording import difference_text, measure_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["REPLICATIONS", "Comparison", "Variant", "compare"]

#: Replications where neither the first scenario nor the caller asks for two or more.
REPLICATIONS: Final = 10

_MOST_CHANGES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A scenario beside the first.

    Attributes
    ----------
    name : str
    changes : tuple of (str, str, str)
        What differs: path, the first scenario's value and this one's.
    differences : tuple of Difference
    """

    name: str
    changes: tuple[tuple[str, str, str], ...]
    differences: tuple[Difference, ...]

    def __getitem__(self, measure: str) -> Difference:
        """Difference in a measure, by its label.

        Raises
        ------
        KeyError
            If there is none.
        """
        for one in self.differences:
            if one.measure == measure:
                return one
        raise KeyError(measure)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Comparison(Shown):
    """Variants against the first scenario.

    Attributes
    ----------
    base : Scenario
        The first.
    variants : tuple of Variant
    rows : tuple of sequences of Row
        Of the first and of each variant.
    """

    base: Scenario
    variants: tuple[Variant, ...]
    rows: tuple[Sequence[Row], ...]

    def table(self) -> list[dict[str, Any]]:
        """One row for each variant and measure."""
        return [
            {
                "variant": variant.name,
                "measure": one.measure,
                "base": one.base,
                "value": one.value,
                "difference": one.mean,
                "low": math.nan if one.interval is None else one.interval.low,
                "high": math.nan if one.interval is None else one.interval.high,
                "verdict": one.verdict,
                "gain": one.gain,
            }
            for variant in self.variants
            for one in variant.differences
        ]

    def frame(self) -> "pd.DataFrame":
        """A tidy frame: one row for each variant and measure.

        ``difference`` is variant minus base, with its 95 % interval ``low`` to ``high``; ``gain``
        is how many times the pairing lowers its variance.
        """
        return study_frame("compare", self.table())

    def sheet(self) -> Sheet:
        """What differs, then what that does, variant by variant."""
        name = _name_of(self.base)
        head = [f"Compared with {name}"]
        head.append(
            f"{self.base.replications} replications, seed {self.base.seed} for all: common random "
            "numbers"
        )
        sections = []
        for variant in self.variants:
            sections += [_changes(variant), _effects(variant)]
        return Sheet(head=head, sections=sections)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the differences with their intervals, each as a part of the base's value."""
        from apisim import plot_comparison

        return plot_comparison(self, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """The comparison as ``--json`` prints it; what is no number is null."""
        return {
            "base": {"name": self.base.name, "file": self.base.source.file},
            "seed": self.base.seed,
            "replications": self.base.replications,
            "variants": [
                {
                    "name": variant.name,
                    "changes": [
                        {"path": path, "base": old, "value": new}
                        for path, old, new in variant.changes
                    ],
                    "measures": [_entry(one) for one in variant.differences],
                }
                for variant in self.variants
            ],
        }

    def write(self, folder: Path) -> Path:
        """Write ``compare.csv``, the table.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        path, rows = folder / "compare.csv", self.table()
        write_text(path, rows_to_csv(list(rows[0]), rows))
        return path


def compare(
    base: Scenario | str | Path,
    *others: Scenario | str | Path,
    variants: Mapping[str, Sequence[str]] | None = None,
    overrides: Sequence[str] = (),
    profile: str | None = None,
    seed: int | None = None,
    replications: int | None = None,
    duration: str | int | None = None,
    engine: Literal["auto", "compiled", "simpy"] = "auto",
    executor: Where = None,
    progress: Callable[[Steps], None] | None = None,
) -> Comparison:
    """Compare scenarios with the first of them.

    Parameters
    ----------
    base, *others : Scenario, str or pathlib.Path
        Scenarios, or files of them.
    variants : mapping of str to sequence of str, optional
        Further ones by name: the first with these overrides (``path=value``).
    overrides, profile, seed, replications, duration, engine
        As :func:`apisim.run`; for all.
    executor : None, int, Executor or str
        Where to work, see :func:`apisim.sweep`; never changes a number.
    progress : callable, optional
        Told :class:`Steps` whenever a scenario is done.

    Returns
    -------
    Comparison

    Raises
    ------
    ScenarioError, PricingError
        As :func:`apisim.run`.
    ValueError
        If there is nothing to compare, or there are fewer than two replications.
    """
    options = Options(
        overrides=overrides,
        profile=profile,
        seed=seed,
        replications=replications,
        duration=duration,
    )
    first = options.apply(base)
    if replications is not None and replications < 2:
        raise ValueError(f"a comparison needs at least 2 replications, got {replications}")
    if first.replications < 2:
        first = first.with_(replications=REPLICATIONS)
    given = [options.apply(one, is_fixed=False) for one in others]
    # One truncation for all: what is left open is what the first has.
    warm_up = format_duration(first.warm_up)
    given = [one.with_(warm_up=warm_up) if one.has_auto_warm_up else one for one in given]
    named = [(_name_of(one), one) for one in given]
    named += [(name, first.with_(*texts)) for name, texts in (variants or {}).items()]
    if not named:
        raise ValueError("there is nothing to compare with: name a second scenario")
    common = {"seed": first.seed, "replications": first.replications}
    scenarios = [first, *(one.with_(**common) for _, one in named)]
    tasks: dict[int, tuple[Mapping[str, str], Task]] = {
        at: ({}, Task.of(one, engine=engine)) for at, one in enumerate(scenarios)
    }
    found: dict[int, Sequence[Row]] = {}
    for at, outcome in simulate_points(tasks, executor, None, progress):
        if isinstance(outcome, Exception):
            raise outcome
        found[at] = outcome
    rows = tuple(found[at] for at in range(len(scenarios)))
    return Comparison(
        base=first,
        variants=tuple(
            Variant(
                name=name,
                changes=differing(first, scenarios[at]),
                differences=differences_of(rows[0], rows[at]),
            )
            for at, (name, _) in enumerate(_told_apart(named), 1)
        ),
        rows=rows,
    )


def _name_of(scenario: Scenario) -> str:
    return scenario.name or scenario.source.file


def _told_apart(named: Sequence[tuple[str, Scenario]]) -> list[tuple[str, Scenario]]:
    """Variants of one name are numbered."""
    names = [name for name, _ in named]
    return [
        (f"{name} ({names[: at + 1].count(name)})" if names.count(name) > 1 else name, one)
        for at, (name, one) in enumerate(named)
    ]


def _changes(variant: Variant) -> Section:
    rows = [(path, f"{old} -> {new}") for path, old, new in variant.changes[:_MOST_CHANGES]]
    remarks = []
    if not rows:
        remarks.append("nothing differs")
    if (left := len(variant.changes) - len(rows)) > 0:
        remarks.append(f"and {left} more")
    return Section(
        title=f"What differs: {variant.name}",
        columns=("Key", "Change"),
        rows=tuple(rows),
        marks={},
        remarks=tuple(remarks),
    )


def _effects(variant: Variant) -> Section:
    rows, equal, gains = [], [], []
    for one in variant.differences:
        if one.interval is None:
            continue
        if one.is_equal:
            equal.append(one.measure)
            continue
        low, high = (
            difference_text(one.measure, end) for end in (one.interval.low, one.interval.high)
        )
        rows.append(
            (
                one.measure,
                measure_text(one.measure, one.base),
                measure_text(one.measure, one.value),
                difference_text(one.measure, one.mean),
                f"{low} to {high}",
                one.verdict,
            )
        )
        if math.isfinite(one.gain):
            gains.append(one)
    remarks = []
    if any(row[-1] == "not shown" for row in rows):
        remarks.append("not shown: no difference shown, the interval reaches over zero")
    if equal:
        remarks.append(f"equal in every replication: {', '.join(equal)}")
    if gains:
        told = ", ".join(f"{one.measure} {one.gain:.3g}" for one in gains[:6])
        remarks.append(f"variance without common random numbers, times: {told}")
    return Section(
        title=f"What it does: {variant.name}",
        columns=("Measure", ">First", ">This", ">Difference", ">95% interval", "Verdict"),
        rows=tuple(rows),
        marks={},
        remarks=tuple(remarks),
    )


def _entry(one: Difference) -> dict[str, Any]:
    return {
        "measure": one.measure,
        "base": _number(one.base),
        "value": _number(one.value),
        "difference": _number(one.mean),
        "interval": None if one.interval is None else one.interval.to_dict(),
        "verdict": one.verdict,
        "variance_ratio": _number(one.gain),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
