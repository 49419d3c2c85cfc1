"""What a figure is a figure of: the wrong object is told by name, not by what it lacks.

``@draws`` reads the class from the annotation of the first parameter. Where an object comes from is
written here, because a caller who has the wrong one wants to know which call makes the right one.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from apisim.scenario.formats import article

__all__ = ["draws"]

#: The function that makes each of what is drawn.
_MAKERS: Final = {
    "Advised": "advise",
    "Assumptions": "assumptions",
    "Comparison": "compare",
    "Limits": "limits",
    "Result": "run",
    "Sweep": "sweep",
}

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


def draws(function: Callable[_Given, _Made]) -> Callable[_Given, _Made]:
    """Have a function refuse a first argument that is not of the class it is annotated with.

    Parameters
    ----------
    function : callable
        Its first parameter is annotated with one of the classes that studies return.

    Returns
    -------
    callable
        The same, which raises TypeError with the name of what was given and of what makes the right
        one.
    """
    subject = next(iter(inspect.signature(function).parameters.values()))
    wanted: type = subject.annotation

    @functools.wraps(function)
    def checked(*args: _Given.args, **kwargs: _Given.kwargs) -> _Made:
        given = args[:1] or [kwargs[name] for name in (subject.name,) if name in kwargs]
        # Without any, the function itself says what is missing.
        if given and not isinstance(given[0], wanted):
            verb = "draws" if function.__name__.startswith("plot_") else "takes"
            right, wrong = wanted.__name__, type(given[0]).__name__
            raise TypeError(
                f"{function.__name__} {verb} {article(right)}, as apisim.{_MAKERS[right]} makes it;"
                f" got {article(wrong)}"
            )
        return function(*args, **kwargs)

    return checked
