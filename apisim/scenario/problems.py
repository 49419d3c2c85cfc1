"""Errors a user can act on: what is wrong, where it is written, and what to write instead.

Every floor reports through these classes. A problem is one finding at one place of one file; a
:class:`ScenarioError` carries all of them at once, so that a scenario is corrected in one go. None
of them is ever shown as a traceback by the command line.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

__all__ = [
    "ApisimError",
    "CapacityError",
    "Path",
    "PricingError",
    "Problem",
    "ScenarioError",
    "TraceError",
    "did_you_mean",
    "dotted",
    "printable",
    "unknown_name",
]

#: Place of a value in a scenario: mapping keys and list positions, e.g. ``("apis", "users")``.
Path: TypeAlias = tuple[str | int, ...]


#: Problems an error prints; it holds all of them.
MAX_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where.

    Parameters
    ----------
    file : str
        Name of the file as the user gave it, or the option that was wrong (``--set``).
    line, column : int
        Position of the offending key or item, counted from 1.
    path : str
        Dotted path of the key, empty when the problem is the file as a whole.
    message : str
        What is wrong, with the allowed range.
    hint : str
        What to do about it; may be empty.

    Examples
    --------
    >>> print(Problem("x.yaml", 3, 5, "seed", "must be a whole number, got true", "write seed: 1"))
    x.yaml:3:5: seed: must be a whole number, got true (write seed: 1)
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: "
        path = f"{self.path}: " if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return printable(f"{where}{path}{self.message}{hint}")


class ApisimError(Exception):
    """Anything the user can correct; the command line prints it and ends with exit code 2."""


class ScenarioError(ApisimError):
    """A scenario that cannot be run.

    Parameters
    ----------
    problems : sequence of Problem
        All findings, kept in the order of file, line and column.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(
            sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column))
        )
        super().__init__(self.problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:MAX_SHOWN]]
        if len(self.problems) > MAX_SHOWN:
            lines.append(f"... and {len(self.problems) - MAX_SHOWN:,} more problems")
        return "\n".join(lines)


class TraceError(ScenarioError):
    """A trace file that cannot be replayed; the problems name its rows."""


class CapacityError(ApisimError):
    """A run that would need more memory or larger numbers than the engine has."""


class PricingError(ApisimError):
    """A price book that cannot be read, or a usage it has no price for."""


def dotted(path: Iterable[str | int]) -> str:
    """Path as it is printed and as ``--set`` takes it.

    Examples
    --------
    >>> dotted(("traffic", "web", "phases", 0, "rate"))
    'traffic.web.phases.0.rate'
    """
    return ".".join(str(part) for part in path)


def printable(text: str) -> str:
    r"""Text in one line, and without the control characters a terminal would obey.

    Examples
    --------
    >>> printable("\u00fcn\u00ef\x1b[2J") == "\u00fcn\u00ef" + r"\x1b[2J"
    True
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def did_you_mean(word: str, known: Iterable[str], *, may_list: bool = True) -> str:
    """Hint naming the closest known word, or all of them when they are few and none is close.

    Parameters
    ----------
    word : str
        What was written.
    known : iterable of str
        What could have been written.
    may_list : bool
        Whether to list them; not where the message does.

    Returns
    -------
    str
        A hint, empty if nothing useful can be said.

    Examples
    --------
    >>> did_you_mean("thortle", ["throttle", "cache"])
    'did you mean throttle?'
    """
    words = list(islice(known, 500))  # comparing a word with each of them takes a while
    folded = {candidate.casefold(): candidate for candidate in words}
    # Two letters swapped is the commonest slip, and difflib has no special place for it.
    swapped = [name for key, name in folded.items() if sorted(key) == sorted(word.casefold()[:200])]
    if swapped:
        return f"did you mean {swapped[0]}?"
    # difflib compares every pair of characters: a word of megabytes has no near neighbour anyway.
    close = difflib.get_close_matches(word[:200].casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean {folded[close[0]]}?"
    if may_list and 0 < len(words) <= 12:
        return f"known here: {', '.join(words)}"
    return ""


def unknown_name(kind: str, word: object, known: Iterable[str]) -> str:
    """What is wrong with a name that a caller gave, which was meant, and which there are.

    Examples
    --------
    >>> unknown_name("frame", "Caches", ["caches", "routes"])
    "there is no frame 'Caches' (did you mean caches?); there are caches, routes"
    """
    names = list(known)
    hint = did_you_mean(str(word), names, may_list=False)
    meant = f" ({hint})" if hint else ""
    return f"there is no {kind} {word!r}{meant}; there are {', '.join(names)}"
