"""The limit-increase sheet and the launch envelope of a scenario: ``apisim limits``.

Three questions, in this order. How much of each limit is used at the peak, and what is left? At
which multiple of the traffic does each refuse for the first time (a simulation for each multiple,
with the same draws)? And which of them does a launch meet first (by arithmetic, see
:mod:`apisim.studies.quotas.envelope`)? What can be asked for is asked for with a reserve; what
nobody takes a request for (the account's burst, what AWS fixes) is never recommended.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from apisim import __version__
from apisim.results.atomic import as_output_error, refuse_input, write_text
from apisim.results.bill_rows import rows_to_csv
from apisim.scenario import Scenario, ScenarioError
from apisim.scenario.formats import counted
from apisim.scenario.problems import Problem, unknown_name
from apisim.studies.frames import study_frame
from apisim.studies.preparation import Options
from apisim.studies.progress import Progress
from apisim.studies.quotas.demand import demand_of
from apisim.studies.quotas.envelope import EnvelopeCell, envelope
from apisim.studies.quotas.measuring import measure
from apisim.studies.quotas.observing import Simulator, all_walls
from apisim.studies.quotas.rows import LimitRow
from apisim.studies.quotas.scaling import largest_multiple, scaled
from apisim.studies.quotas.searching import first_refusals
from apisim.studies.quotas.sheet import sheet

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from rich.console import RenderableType

__all__ = ["LEAST_PRECISION", "Limits", "limits"]

#: Nearest that the two ends of a bracket may be asked to be.
LEAST_PRECISION: Final = 0.0001

_MULTIPLES: Final = (1.0, 2.0, 4.0, 8.0)
_HIT_RATIOS: Final = (0.0, 0.5, 0.9, 0.99)
_DURATIONS_S: Final = (1.0, 10.0, 60.0, 3600.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Limits:
    """What a scenario asks of each limit.

    Attributes
    ----------
    scenario : Scenario
        As it was given.
    multiple : float
        What its traffic was multiplied by for ``used``, ``refused`` and ``request``.
    up_to : float
        Largest multiple at which refusals were looked for.
    reserve : float
        What a value to request leaves above the peak, as a part of it.
    n_simulations : int
        Simulations it took.
    rows : tuple of LimitRow
    envelope : tuple of EnvelopeCell
    notes : tuple of str
        What the reader should know.
    """

    scenario: Scenario
    multiple: float
    up_to: float
    reserve: float
    n_simulations: int
    rows: tuple[LimitRow, ...]
    envelope: tuple[EnvelopeCell, ...]
    notes: tuple[str, ...] = field(repr=False)

    def row(self, kind: str, of: str = "account") -> LimitRow:
        """The line of a limit.

        Raises
        ------
        ValueError
            If the scenario has no such limit.
        """
        for row in self.rows:
            if (row.kind, row.of) == (kind, of):
                return row
        kinds = list(dict.fromkeys(row.kind for row in self.rows))
        if kind in kinds:
            owners = (row.of for row in self.rows if row.kind == kind)
            raise ValueError(unknown_name(f"limit {kind!r} of", of, owners))
        raise ValueError(unknown_name("limit", kind, kinds))

    def frame(self, name: str = "limits") -> "pd.DataFrame":
        """A tidy pandas frame.

        Parameters
        ----------
        name : str
            ``limits``, one row for each limit, or ``envelope``, one for each multiple, hit ratio
            and duration.

        Raises
        ------
        ValueError
            If there is no such frame.
        """
        tables = _tables(self)
        if name not in tables:
            raise ValueError(unknown_name("frame", name, tables))
        return study_frame(name, tables[name][1])

    def plot(self, name: str = "limits", ax: "Axes | None" = None) -> "Axes":
        """Draw one of these frames: use against limits, or the launch envelope over time.

        Raises
        ------
        ValueError
            If there is no such frame.
        """
        from apisim import plot_launch_envelope, plot_limits

        drawings = {"limits": plot_limits, "envelope": plot_launch_envelope}
        if name not in drawings:
            raise ValueError(unknown_name("figure", name, drawings))
        return drawings[name](self, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """The object that ``--json`` prints; what is not known is None."""
        source = self.scenario.source
        return {
            "apisim": __version__,
            "scenario": {
                "name": self.scenario.name,
                "file": source.file,
                "sha256": source.sha256,
            },
            "seed": self.scenario.seed,
            "replications": self.scenario.replications,
            "multiple": self.multiple,
            "up_to": self.up_to,
            "reserve": self.reserve,
            "simulations": self.n_simulations,
            "limits": [row.to_dict() for row in self.rows],
            "envelope": [_without_nan(asdict(cell)) for cell in self.envelope],
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """That object as text, ended by a line feed."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, directory: str | Path) -> tuple[Path, ...]:
        """Write ``limits.json``, ``limits.csv``, ``envelope.csv`` and ``scenario.yaml``.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        directory = Path(directory)
        with as_output_error(directory):
            directory.mkdir(parents=True, exist_ok=True)
        texts = {"limits.json": self.to_json()}
        for name, (columns, rows) in _tables(self).items():
            texts[f"{name}.csv"] = rows_to_csv(columns, rows)
        texts["scenario.yaml"] = self.scenario.to_yaml()
        for name in texts:
            refuse_input(directory / name, self.scenario)
        for name, text in texts.items():
            write_text(directory / name, text)
        return tuple(directory / name for name in texts)

    def render(self, *, everything: bool = False) -> "RenderableType":
        """The tables for a rich console; ``everything`` has limits that are far away as well."""
        from apisim.results.text import render_sheet
        from apisim.studies.quotas.text import headline, sections

        return render_sheet(headline(self), sections(self, everything=everything))

    def summary(self, *, width: int = 80, everything: bool = False) -> str:
        """The tables as plain text, notes included.

        Parameters
        ----------
        width : int
            Columns of the page, at least 60.
        everything : bool
            Whether limits that are far away are shown as well.
        """
        from apisim.results.text import plain_text, render_notes

        return plain_text(
            [self.render(everything=everything), render_notes(self.notes)], width=width
        )

    def __repr__(self) -> str:
        of = self.scenario.name or self.scenario.source.file
        return f"<Limits of {of!r}: {counted(len(self.rows), 'limit')}>"

    def __str__(self) -> str:
        return self.summary()

    def __rich__(self) -> "RenderableType":
        return self.render()

    def _repr_html_(self) -> str:
        from apisim.results.html import render_page
        from apisim.studies.quotas.text import headline, sections

        return render_page(headline(self), sections(self), self.notes)


def _tables(result: Limits) -> dict[str, tuple[Sequence[str], list[dict[str, Any]]]]:
    from apisim.studies.quotas.text import ENVELOPE, LIMITS, envelope_rows, limit_rows

    return {
        "limits": (LIMITS, limit_rows(result)),
        "envelope": (ENVELOPE, envelope_rows(result)),
    }


def _without_nan(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in values.items()
    }


def limits(
    scenario: Scenario | str | Path,
    *,
    overrides: Sequence[str] = (),
    profile: str | None = None,
    seed: int | None = None,
    replications: int | None = None,
    duration: str | int | None = None,
    multiple: float | str | Fraction = 1,
    up_to: float | str | Fraction = 4,
    precision: float = 0.02,
    reserve: float = 0.2,
    multiples: Sequence[float] = _MULTIPLES,
    hit_ratios: Sequence[float] | None = None,
    durations_s: Sequence[float] = _DURATIONS_S,
    engine: Literal["auto", "compiled", "simpy"] = "auto",
    workers: int = 1,
    skip_bad_rows: bool = False,
    progress: Callable[[Progress], None] | None = None,
    compiling: Callable[[], None] | None = None,
) -> Limits:
    """How much of each limit a scenario uses, where each refuses, and what to ask for.

    Parameters
    ----------
    scenario : Scenario, str or pathlib.Path
        A scenario, or the file of one.
    overrides, profile, seed, replications, duration
        As of :func:`apisim.studies.run.run`.
    multiple : float, str or Fraction
        Traffic that is planned for, as a multiple of the scenario's: what is used and asked for is
        of this, above 0, default 1.
    up_to : float, str or Fraction
        Largest multiple at which refusals are looked for, above 0, default 4; at least
        ``multiple``.
    precision : float
        How far the two ends of a bracket may be apart, as a part of the lower one; 0.0001 to 1,
        default 0.02.
    reserve : float
        What a value to request leaves above the peak, as a part of it, 0 to 1, default 0.2.
    multiples, hit_ratios, durations_s : sequences of float
        Rows and columns of the envelope; hit ratios in [0, 1], by default some and the one that was
        simulated.
    engine, workers, skip_bad_rows, progress, compiling
        As of :func:`apisim.studies.run.run`.

    Returns
    -------
    Limits

    Raises
    ------
    ScenarioError
        With everything that is wrong with the scenario.
    ValueError
        If an argument is out of range.
    KeyboardInterrupt
        After Ctrl-C: half a search answers nothing.
    """
    planned, most = _number("multiple", multiple), _number("up_to", up_to)
    _check(precision, reserve, multiples, hit_ratios, durations_s, workers)
    options = Options(
        overrides=overrides,
        profile=profile,
        seed=seed,
        replications=replications,
        duration=duration,
    )
    given = options.apply(scenario)
    notes = [*given.notes]
    largest = largest_multiple(given)
    most = max(most, planned)
    if planned > largest:
        message = f"{float(planned):g} times its traffic is more than a scenario takes"
        hint = f"at most {float(largest):g}"
        raise ScenarioError([Problem("--multiple", 1, 1, "", message, hint)])
    if most > largest:
        notes.append(f"refusals are looked for up to {float(largest):g}x: no scenario takes more")
        most = largest
    simulator = Simulator(engine, workers, skip_bad_rows, progress, compiling)
    measured = measure(simulator, scaled(given, planned))

    brackets = first_refusals(
        lambda wanted: all_walls(simulator.observe(scaled(given, wanted))),
        up_to=most,
        precision=Fraction(str(precision)),
        known={planned: all_walls(measured.actual)},
    )
    demand = demand_of(given, measured.usages, planned)
    ratios = _ratios(hit_ratios, demand.hit_ratio, has_cache=demand.has_cache)
    notes += [
        f"{wall.kind} ({wall.of}) refused nothing at a larger multiple than its first refusal: "
        "another limit stands before it there"
        for wall, bracket in brackets.items()
        if not bracket.is_monotone
    ]
    return Limits(
        scenario=given,
        multiple=float(planned),
        up_to=float(most),
        reserve=reserve,
        n_simulations=simulator.n_runs,
        rows=sheet(measured, brackets, reserve=reserve),
        envelope=envelope(
            demand,
            multiples=[float(one) for one in multiples],
            hit_ratios=ratios,
            durations_s=[float(one) for one in durations_s],
        ),
        notes=tuple(dict.fromkeys(notes)),
    )


def _number(name: str, written: float | str | Fraction) -> Fraction:
    try:
        number = Fraction(str(written))
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{name} must be a number, got {written!r}") from None
    if not 0 < number <= 1_000_000:
        raise ValueError(f"{name} must be above 0 and at most 1,000,000, got {written!r}")
    return number


def _check(
    precision: float,
    reserve: float,
    multiples: Sequence[float],
    hit_ratios: Sequence[float] | None,
    durations_s: Sequence[float],
    workers: int,
) -> None:
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if not LEAST_PRECISION <= precision <= 1:
        raise ValueError(f"precision must be from {LEAST_PRECISION} to 1, got {precision!r}")
    if not 0 <= reserve <= 1:
        raise ValueError(f"reserve must be from 0 to 1, got {reserve!r}")
    for one in multiples:
        if not 0 < one <= 1_000_000:
            raise ValueError(f"multiples must be above 0 and at most 1,000,000, got {one!r}")
    for one in hit_ratios or ():
        if not 0 <= one <= 1:
            raise ValueError(f"hit ratios must be from 0 to 1, got {one!r}")
    for one in durations_s:
        if not 0 < one <= 10**9:
            raise ValueError(f"durations must be above 0 s, got {one!r}")


def _ratios(given: Sequence[float] | None, simulated: float, *, has_cache: bool) -> list[float]:
    if not has_cache:
        return [math.nan]
    if given is not None:
        return list(dict.fromkeys(float(one) for one in given))
    own = [] if math.isnan(simulated) else [simulated]
    return sorted({*_HIT_RATIOS, *own})
