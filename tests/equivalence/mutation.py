"""A change of an engine's source that makes it wrong."""

from dataclasses import dataclass

__all__ = ["Mutation"]


@dataclass(frozen=True)
class Mutation:
    """A few words of one engine's source, and what they become.

    Parameters
    ----------
    what : str
        What is wrong afterwards.
    file : str
        Module of the engine.
    old, new : str
        The words; ``old`` stands there exactly once.
    """

    what: str
    file: str
    old: str
    new: str

    def applied(self, source: str) -> str:
        """The source with the mutation in it."""
        assert source.count(self.old) == 1, f"{self.file}.py has changed: {self.old!r}"
        return source.replace(self.old, self.new)
