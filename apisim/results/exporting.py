"""The forms of other programs that a run can be written in, and the files that were asked for.

``apisim run FILE --export KIND=PATH`` and ``apisim.run(..., exports={KIND: PATH})``. A new kind is
a class of :mod:`apisim.results.exporter` and a row of :data:`EXPORT_KINDS`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from apisim.engine.program import Program
from apisim.results.access_logs import ACCESS_LOG
from apisim.results.atomic import OutputError, refuse_input
from apisim.results.cloudwatch import CLOUDWATCH
from apisim.results.cost_tables import COSTS
from apisim.results.distributions import HGRM, OPENMETRICS
from apisim.results.exporter import Export, ExportKind, RowExport, RowPart
from apisim.results.frame_files import FRAME
from apisim.results.result import Result
from apisim.results.threshold_files import GITHUB, JUNIT
from apisim.results.xray import XRAY
from apisim.scenario.problems import did_you_mean

__all__ = ["EXPORT_KINDS", "ExportPaths", "Exports", "check_exports", "export_paths"]

#: A path, or several, by the kind of the file.
ExportPaths: TypeAlias = Mapping[str, str | Path | Sequence[str | Path]]

#: In the order in which they are listed.
_KINDS: Final[Sequence[ExportKind]] = (
    CLOUDWATCH,
    ACCESS_LOG,
    XRAY,
    HGRM,
    OPENMETRICS,
    JUNIT,
    GITHUB,
    COSTS,
    FRAME,
)
#: By name.
EXPORT_KINDS: Final[dict[str, ExportKind]] = {kind.name: kind for kind in _KINDS}


def export_paths(texts: Sequence[str]) -> dict[str, list[str]]:
    """Paths by kind, from ``KIND=PATH`` texts of the command line.

    Raises
    ------
    OutputError
        If a text is not of that form.

    Examples
    --------
    >>> export_paths(["cloudwatch=m.json", "cloudwatch=m.csv"])
    {'cloudwatch': ['m.json', 'm.csv']}
    """
    found: dict[str, list[str]] = {}
    for text in texts:
        kind, is_there, path = text.partition("=")
        if not is_there or not kind or not path:
            raise OutputError(f"--export {text}: write KIND=PATH; kinds are {_names()}")
        found.setdefault(kind, []).append(path)
    return found


def check_exports(wanted: ExportPaths) -> None:
    """Refuse what can be refused without knowing what is run.

    Raises
    ------
    OutputError
        If a kind is unknown, or a path has an ending that its kind does not know.
    """
    list(_chosen(wanted))


class Exports:
    """All exports of one run.

    Parameters
    ----------
    wanted : mapping of str to path or paths
        Paths by kind.
    program : Program
        What is run.
    is_parallel : bool
        Whether several replications run at the same time.
    is_strict : bool
        Whether a threshold that is inconclusive fails, too.
    others : sequence of pathlib.Path
        Files that the run writes as well.

    Raises
    ------
    OutputError
        If a kind is unknown, a path has another ending, two files have one path, the run reads
        a file, or one cannot be written. No file is left behind then.
    """

    def __init__(
        self,
        wanted: ExportPaths,
        program: Program,
        *,
        is_parallel: bool = False,
        is_strict: bool = False,
        others: Sequence[Path] = (),
    ) -> None:
        self._exports: list[Export] = []
        chosen = list(_chosen(wanted))
        _check_paths([path for _, path in chosen], others, program)
        try:
            for kind, path in chosen:
                self._exports.append(kind.opens(path, program, is_parallel=is_parallel))
                self._exports[-1].is_strict = is_strict
        except BaseException:
            self.discard()
            raise

    def __bool__(self) -> bool:
        return bool(self._exports)

    @property
    def needs_rows(self) -> bool:
        """Whether any of them takes rows."""
        return bool(self._of_rows)

    @property
    def _of_rows(self) -> list[RowExport]:
        return [export for export in self._exports if isinstance(export, RowExport)]

    def parts(self, replication: int) -> list[RowPart]:
        """What takes one replication's rows."""
        return [export.part(replication) for export in self._of_rows]

    def finish_part(self, replication: int, *, completed: bool) -> None:
        """A replication is over, and all before it are finished."""
        for export in self._of_rows:
            export.finish_part(replication, completed=completed)

    def write(self, result: Result) -> None:
        """Write what is missing, and give all files their names."""
        for export in self._exports:
            export.write(result)

    def discard(self) -> None:
        """Remove what was not written to its end."""
        for export in self._exports:
            export.discard()


def _names() -> str:
    return ", ".join(EXPORT_KINDS)


def _chosen(wanted: ExportPaths) -> Iterator[tuple[ExportKind, Path]]:
    for name, paths in wanted.items():
        kind = EXPORT_KINDS.get(name)
        if kind is None:
            hint = did_you_mean(name, EXPORT_KINDS, may_list=False)
            raise OutputError(
                f"there is no export {name!r}: kinds are {_names()}"
                + (f" ({hint})" if hint else "")
            )
        for written in [paths] if isinstance(paths, (str, Path)) else paths:
            path = Path(written)
            if not path.name.endswith(tuple(kind.endings)):
                endings = " or ".join(kind.endings)
                raise OutputError(f"{path}: {name} is written to a file ending in {endings}")
            yield kind, path


def _check_paths(paths: Sequence[Path], others: Sequence[Path], program: Program) -> None:
    seen = {path.resolve() for path in others}
    for path in paths:
        refuse_input(path, program.scenario)
        if path.resolve() in seen:
            raise OutputError(f"{path} cannot be written: it is asked for twice")
        seen.add(path.resolve())
