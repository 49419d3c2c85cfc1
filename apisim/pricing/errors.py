"""A setting of a scenario's ``pricing:`` that a price book cannot serve."""

from apisim.scenario.problems import Path, PricingError, dotted

__all__ = ["SettingError"]


class SettingError(PricingError):
    """A pricing setting that cannot be used.

    It knows which key is wrong, not where the key is written; a caller that has the scenario makes
    it a problem with a position by ``scenario.problem(error.path, error.message, error.hint)``.

    Parameters
    ----------
    path : tuple of str
        Key of the scenario, for example ``("pricing", "free_tier")``.
    message, hint : str
        What is wrong, and what to do about it.
    """

    def __init__(self, path: Path, message: str, hint: str = "") -> None:
        self.path = path
        self.message = message
        self.hint = hint
        super().__init__(path, message, hint)

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.message}" + (f" ({self.hint})" if self.hint else "")
