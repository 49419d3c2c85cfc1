"""What all that is counted has in common: whole numbers of known things."""

from typing import Final

__all__ = ["NS_PER_HOUR", "check_counted", "check_known"]

NS_PER_HOUR: Final = 3_600_000_000_000


def check_known(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuse a word that is not among the known ones."""
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")


def check_counted(name: str, value: object) -> None:
    """Refuse what is not a count."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} must be a whole number of at least 0, got {value!r}")
