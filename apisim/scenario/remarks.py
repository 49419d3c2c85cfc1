"""What is allowed but may not be meant: said as a note of a run, and as a lint."""

from typing import NamedTuple

from apisim.scenario.problems import Path, dotted

__all__ = ["Remark"]


class Remark(NamedTuple):
    """One thing that may not be meant.

    Attributes
    ----------
    code : str
        What kind of thing it is, in kebab case; stays the same from version to version.
    path : Path
        The key it is about; empty for the scenario as a whole.
    message : str
        A sentence without its place.
    hint : str
        What to do about it; may be empty.
    source : str
        Where it is known from; may be empty.
    """

    code: str
    path: Path
    message: str
    hint: str = ""
    source: str = ""

    @property
    def note(self) -> str:
        """The sentence with its place.

        Examples
        --------
        >>> Remark("some-code", ("traffic", "web"), "its keys are not asked for").note
        'traffic.web: its keys are not asked for'
        """
        return f"{dotted(self.path)}: {self.message}" if self.path else self.message
