"""What a sweep has found: the rows of all points, as a frame, a table and a figure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from apisim.results.atomic import write_text
from apisim.results.bill_rows import rows_to_csv
from apisim.results.intervals import t_interval
from apisim.results.metrics import Measure
from apisim.results.section import FAILED, Section
from apisim.scenario import Scenario
from apisim.studies.over import Over, Point
from apisim.studies.points import Row
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


@dataclass(frozen=True, eq=False, kw_only=True)
class Sweep(Shown):
    """The rows of all points.

    Attributes
    ----------
    scenario : Scenario
        What was varied.
    over : tuple of Over
        What of it.
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
        currency) and ``digest``.
        """
        import pandas as pd

        frame = pd.DataFrame(self.table())
        for path in self.paths if len(frame) else ():
            numbers = pd.to_numeric(frame[path], errors="coerce")
            if not numbers.isna().any():
                frame[path] = numbers
        return frame

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

    def sheet(self) -> Sheet:
        """One line for each point: what was varied, and means with their half-widths."""
        name = self.scenario.name or self.scenario.source.file
        n_done = len(self.rows)
        head = [f"Sweep of {name}"]
        head.append(
            f"{n_done} of {len(self.points)} points, {self.scenario.replications} replications of "
            f"each, seed {self.scenario.seed} for all"
        )
        labels = [*_SHOWN, *(one for one in self._thresholds() if one not in _SHOWN)]
        labels += ["cost_month value" if self._has_month() else "cost_run value"]
        rows: list[tuple[str, ...]] = []
        marks = {}
        for at, point in enumerate(self.points[:_MOST_SHOWN]):
            if at not in self.rows:
                marks[len(rows)] = FAILED
                rows.append((*point, *("failed" for _ in labels)))
                continue
            rows.append((*point, *(self._cell(at, label) for label in labels)))
        remarks = []
        if len(self.points) > _MOST_SHOWN:
            remarks.append(f"the first {_MOST_SHOWN} of {len(self.points)} points")
        if self.scenario.replications > 1:
            remarks.append("± half the 95% interval over replications")
        short = _short_names(self.paths)
        section = Section(
            title="Points",
            columns=(*short, *(f">{label}" for label in labels)),
            rows=tuple(rows),
            marks=marks,
            remarks=tuple(remarks),
        )
        paths = [f"{name}: {path}" for name, path in zip(short, self.paths, strict=True)
                 if name != path]  # fmt: skip
        notes = [*paths, *(one.text for one in self.failures)]
        return Sheet(head=head, sections=[section], notes=notes)

    def plot(self, measure: str = "latency p(99)", ax: "Axes | None" = None) -> "Axes":
        """Draw a measure over what was varied first, a line for each value of the others.

        Parameters
        ----------
        measure : str
            A column of :meth:`frame`.
        ax : matplotlib.axes.Axes, optional
            Where to draw; its own figure otherwise.
        """
        from apisim import plot_sweep

        return plot_sweep(self, measure, ax=ax)

    def lines(self, measure: str) -> "pd.DataFrame":
        """What :meth:`plot` draws: mean and interval of a measure at each point.

        Columns are ``line`` (what was varied but the first, in words), ``x`` (the first),
        ``mean``, ``low`` and ``high``; the last two are the mean with one replication.

        Raises
        ------
        ValueError
            If there is no such measure.
        """
        import pandas as pd

        rows = []
        for at, point in enumerate(self.points):
            values = [row.values.get(measure) for row in self.rows.get(at, ())]
            known = [value for value in values if value is not None]
            if len(known) < len(values):
                labels = next(iter(self.rows.values()))[0].values
                raise ValueError(f"no measure {measure!r}; there are {', '.join(labels)}")
            if not known:
                continue
            mean = math.fsum(known) / len(known)
            interval = t_interval(known)
            low, high = (mean, mean) if interval is None else (interval.low, interval.high)
            names = _short_names(self.paths)[1:]
            line = ", ".join(
                f"{name} {value}" for name, value in zip(names, point[1:], strict=True)
            )
            rows.append((line, point[0], mean, low, high))
        frame = pd.DataFrame(rows, columns=["line", "x", "mean", "low", "high"])
        numbers = pd.to_numeric(frame["x"], errors="coerce")
        return frame if numbers.isna().any() else frame.assign(x=numbers)

    def write(self, folder: Path) -> Path:
        """Write ``sweep.csv``: the table, in order of the grid, without anything of the clock.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        path = folder / "sweep.csv"
        rows = self.table()
        write_text(path, rows_to_csv(list(rows[0]) if rows else self.paths, rows))
        return path

    def to_dict(self) -> dict[str, Any]:
        """The sweep as ``--json`` prints it."""
        return {
            "scenario": {"name": self.scenario.name, "file": self.scenario.source.file},
            "seed": self.scenario.seed,
            "replications": self.scenario.replications,
            "over": self.paths,
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
        }

    def _thresholds(self) -> list[str]:
        return [Measure.of(threshold).label for threshold in self.scenario.thresholds]

    def _has_month(self) -> bool:
        return self.scenario.pricing.month == "project"

    def _cell(self, at: int, label: str) -> str:
        values = [row.values.get(label, math.nan) for row in self.rows[at]]
        mean = math.fsum(values) / len(values)
        interval = t_interval(values)
        half = None if interval is None else interval.high - interval.mean
        return measure_text(label, mean, half)


def _short_names(paths: Sequence[str]) -> list[str]:
    """The last words of each path that tell it from the others."""
    for n in range(1, 20):
        short = [".".join(path.split(".")[-n:]) for path in paths]
        if len(set(short)) == len(paths):
            return short
    return list(paths)
