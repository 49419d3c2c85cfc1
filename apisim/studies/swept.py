"""What a sweep has found: the rows of all points, as a frame, a table and a figure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from apisim.results.atomic import write_text
from apisim.results.bill_rows import rows_to_csv
from apisim.results.metrics import Measure
from apisim.results.section import Section
from apisim.results.statistics import t_interval
from apisim.scenario import Scenario
from apisim.scenario.problems import unknown_name
from apisim.studies.frames import study_frame
from apisim.studies.over import Design, Over, Point
from apisim.studies.point_tables import point_tables
from apisim.studies.points import Row
from apisim.studies.sensitivity import sensitivity_rows, sensitivity_tables
from apisim.studies.shown import Sheet, Shown
from apisim.studies.wording import measure_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Failure", "Sweep"]

#: Columns of the summary's table.
_SHOWN: Final = ("latency p(95)", "latency p(99)", "throttled rate", "failed rate")
_MOST_SHOWN: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A point that could not be simulated.

    Attributes
    ----------
    point : int
        Its position.
    values : dict of str to str
        What was varied, by path.
    seed : int
    message : str
    """

    point: int
    values: Mapping[str, str]
    seed: int
    message: str

    @property
    def text(self) -> str:
        """In one line, with what repeats it."""
        sets = " ".join(f"--set '{path}={value}'" for path, value in self.values.items())
        return f"point {self.point} failed: {self.message} (repeat with {sets} --seed {self.seed})"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Sweep(Shown):
    """The rows of all points.

    Attributes
    ----------
    scenario : Scenario
        What was varied.
    over : tuple of Over
        What of it.
    design : Design
        How the points were chosen.
    points : tuple of Point
        Values of each point.
    rows : dict of int to tuple of Row
        By position of the point; those that failed or were not begun are missing.
    failures : tuple of Failure
    completed : bool
        Whether every point was simulated or failed.
    """

    scenario: Scenario
    over: tuple[Over, ...]
    design: Design = "grid"
    points: tuple[Point, ...]
    rows: Mapping[int, Sequence[Row]]
    failures: tuple[Failure, ...] = ()
    completed: bool = True

    @property
    def paths(self) -> list[str]:
        """What was varied."""
        return [one.path for one in self.over]

    def table(self) -> list[dict[str, Any]]:
        """One row for each point and replication, in order of the grid."""
        return [
            {
                "point": at,
                **dict(zip(self.paths, point, strict=True)),
                "replication": row.replication,
                **row.values,
                "digest": row.digest,
            }
            for at, point in enumerate(self.points)
            for row in self.rows.get(at, ())
        ]

    def frame(self) -> "pd.DataFrame":
        """A tidy frame: one row for each point and replication.

        Columns are ``point``, the paths that were varied (numbers where all values are numbers),
        ``replication``, the measures (latencies in ms, shares as such, money in the book's
        currency; none before the first point is done) and ``digest``.
        """
        first = next((rows[0] for rows in self.rows.values() if rows), None)
        measures = () if first is None else tuple(first.values)
        return study_frame("sweep", self.table(), paths=self.paths, measures=measures)

    def means(self) -> list[dict[str, float]]:
        """Mean over replications of each measure, point by point; empty where a point failed."""
        found = []
        for at in range(len(self.points)):
            rows = self.rows.get(at, ())
            labels = rows[0].values if rows else ()
            found.append(
                {one: math.fsum(row.values[one] for row in rows) / len(rows) for one in labels}
            )
        return found

    def indices(self) -> list[dict[str, Any]]:
        """Sobol indices: a row for each measure that varies and each path.

        Keys are ``measure``, ``path``, ``first`` and ``total`` (shares of the variance that a value
        brings about by itself, and that it has a part in) with their 95 % bootstrap intervals
        (``first_low``, ``first_high``, ...), and ``noise``: the most that chance may have of the
        variance.

        Raises
        ------
        ValueError
            If the points are those of another design than ``saltelli``.
        """
        if self.design != "saltelli":
            raise ValueError(f"Sobol indices need design='saltelli', this one is {self.design!r}")
        return sensitivity_rows(self.rows, len(self.points), self.paths, self.scenario.seed)

    def sheet(self) -> Sheet:
        """One line for each point: what was varied, and means with their half-widths.

        Of a design for Sobol indices these instead, a table for each measure.
        """
        name = self.scenario.name or self.scenario.source.file
        n_done = len(self.rows)
        head = [f"Sweep of {name}"]
        head.append(
            f"{n_done} of {len(self.points)} points, {self.scenario.replications} replications of "
            f"each, seed {self.scenario.seed} for all"
        )
        short = _short_names(self.paths)
        if self.design == "saltelli":
            sections = sensitivity_tables(self.indices(), self._labels(), short)
        else:
            sections = self._points(short)
        paths = [f"{name}: {path}" for name, path in zip(short, self.paths, strict=True)
                 if name != path]  # fmt: skip
        notes = [*paths, *(one.text for one in self.failures)]
        if self.design == "saltelli" and len(self.rows) < len(self.points):
            notes.append("Sobol indices need all points")
        return Sheet(head=head, sections=sections, notes=notes)

    def plot(
        self,
        measure: str = "latency p(99)",
        ax: "Axes | None" = None,
        *,
        kind: Literal["lines", "heat"] = "lines",
    ) -> "Axes":
        """Draw a measure over what was varied.

        Parameters
        ----------
        measure : str
            A column of :meth:`frame`.
        ax : matplotlib.axes.Axes, optional
            Where to draw; its own figure otherwise.
        kind : {"lines", "heat"}
            Over what was varied first, with a line for each value of the others; or, of two paths,
            a cell for each combination.

        Raises
        ------
        ValueError
            If there is no such measure or kind, or no cells to be had (:meth:`cells`).
        """
        from apisim import plot_sweep, plot_sweep_heat

        drawings = {"lines": plot_sweep, "heat": plot_sweep_heat}
        if kind not in drawings:
            raise ValueError(f"kind must be lines or heat, got {kind!r}")
        return drawings[kind](self, measure, ax=ax)

    def lines(self, measure: str) -> "pd.DataFrame":
        """What :meth:`plot` draws as lines: mean and interval of a measure at each point.

        Columns are ``line`` (of a grid, what was varied but the first, in words), ``x`` (the
        first), ``mean``, ``low`` and ``high``: NaN where a point failed; the last two are the mean
        with one replication.

        Raises
        ------
        ValueError
            If there is no such measure.
        """
        import pandas as pd

        rows = []
        names = _short_names(self.paths)[1:]
        for point, mean, low, high in self._measured(measure):
            line = ", ".join(
                f"{name} {value}" for name, value in zip(names, point[1:], strict=True)
            )
            if self.design in ("lhs", "sobol"):
                line = ""
            rows.append((line, point[0], mean, low, high))
        frame = pd.DataFrame(rows, columns=["line", "x", "mean", "low", "high"])
        numbers = pd.to_numeric(frame["x"], errors="coerce")
        return frame if numbers.isna().any() else frame.assign(x=numbers)

    def cells(self, measure: str) -> "pd.DataFrame":
        """What :meth:`plot` draws as a heat map: a row for each combination of two values.

        Columns are ``x`` and ``y`` (the values of the first and the second path, as they were
        written), ``mean``, ``low`` and ``high``; NaN where a point failed, and the last two are the
        mean with one replication.

        Raises
        ------
        ValueError
            If there is no such measure, or if this is no grid over two paths.
        """
        import pandas as pd

        if self.design != "grid" or len(self.over) != 2:
            varied = f"{len(self.over)} path{'' if len(self.over) == 1 else 's'}"
            raise ValueError(
                f"a heat map needs a grid over two paths; this is one of design {self.design!r} "
                f"over {varied}"
            )
        return pd.DataFrame(
            [(*point, mean, low, high) for point, mean, low, high in self._measured(measure)],
            columns=["x", "y", "mean", "low", "high"],
        )

    def _measured(self, measure: str) -> Iterator[tuple[Point, float, float, float]]:
        """Mean and interval at each point, NaN where it failed."""
        for at, point in enumerate(self.points):
            values = [row.values.get(measure) for row in self.rows.get(at, ())]
            known = [value for value in values if value is not None]
            if len(known) < len(values):
                labels = next(iter(self.rows.values()))[0].values
                raise ValueError(unknown_name("measure", measure, labels))
            mean = math.fsum(known) / len(known) if known else math.nan
            interval = t_interval(known)
            yield (
                (point, mean, mean, mean)
                if interval is None
                else (point, mean, interval.low, interval.high)
            )

    def write(self, folder: Path) -> Path:
        """Write ``sweep.csv``: the table, in order of the grid, without anything of the clock.

        Sobol indices are written into ``sensitivity.csv`` beside it.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        path = folder / "sweep.csv"
        rows = self.table()
        write_text(path, rows_to_csv(list(rows[0]) if rows else self.paths, rows))
        if self.design == "saltelli" and (indices := self.indices()):
            write_text(folder / "sensitivity.csv", rows_to_csv(list(indices[0]), indices))
        return path

    def to_dict(self) -> dict[str, Any]:
        """The sweep as ``--json`` prints it; what is no number is null."""
        indices = self.indices() if self.design == "saltelli" else []
        return {
            "scenario": {"name": self.scenario.name, "file": self.scenario.source.file},
            "seed": self.scenario.seed,
            "replications": self.scenario.replications,
            "over": self.paths,
            "design": self.design,
            "points": [
                {
                    "point": at,
                    "values": dict(zip(self.paths, point, strict=True)),
                    "rows": [row.to_dict() for row in self.rows.get(at, ())],
                }
                for at, point in enumerate(self.points)
            ],
            "failures": [
                {
                    "point": one.point,
                    "values": dict(one.values),
                    "seed": one.seed,
                    "message": one.message,
                }
                for one in self.failures
            ],
            "completed": self.completed,
            **({"sensitivity": [_without_nan(one) for one in indices]} if indices else {}),
        }

    def _points(self, names: Sequence[str]) -> list[Section]:
        shown = self.points[:_MOST_SHOWN]
        remarks = []
        if len(self.points) > _MOST_SHOWN:
            remarks.append(f"the first {_MOST_SHOWN} of {len(self.points)} points")
        if self.scenario.replications > 1:
            remarks.append("± half the 95% interval over replications")
        positions = range(len(shown))
        return point_tables(
            "Points",
            names,
            shown,
            {label: [self._cell(at, label) for at in positions] for label in self._labels()},
            failed=frozenset(at for at in positions if at not in self.rows),
            remarks=remarks,
        )

    def _labels(self) -> list[str]:
        """Measures of the tables."""
        labels = [*_SHOWN, *(one for one in self._thresholds() if one not in _SHOWN)]
        return [*labels, "cost_month value" if self._has_month() else "cost_run value"]

    def _thresholds(self) -> list[str]:
        return [Measure.of(threshold).label for threshold in self.scenario.thresholds]

    def _has_month(self) -> bool:
        return self.scenario.pricing.month == "project"

    def _cell(self, at: int, label: str) -> str:
        if at not in self.rows:
            return "failed"
        values = [row.values.get(label, math.nan) for row in self.rows[at]]
        mean = math.fsum(values) / len(values)
        interval = t_interval(values)
        half = None if interval is None else interval.high - interval.mean
        return measure_text(label, mean, half)


def _without_nan(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: None if one != one else one for key, one in row.items()}


def _short_names(paths: Sequence[str]) -> list[str]:
    """The last words of each path that tell it from the others."""
    for n in range(1, 20):
        short = [".".join(path.split(".")[-n:]) for path in paths]
        if len(set(short)) == len(paths):
            return short
    return list(paths)
