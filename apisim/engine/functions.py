"""What a custom integration makes of what a function did."""

from typing import Final

from apisim.arrays.jit import constant, kernel
from apisim.gateway.status import Answer

__all__ = ["mapped_answer"]

_SERVED: Final = constant(Answer.SERVED)
_ERROR: Final = constant(Answer.FUNCTION_ERROR)
_TOO_LARGE: Final = constant(Answer.FUNCTION_ANSWER_TOO_LARGE)
_MALFORMED: Final = constant(Answer.FUNCTION_MALFORMED)


@kernel
def mapped_answer(result: int, error_answer: int) -> int:
    """Answer of a custom integration; whatever a function returns is well formed there.

    Parameters
    ----------
    result : int
        Answer of a proxy integration.
    error_answer : int
        What the integration makes of a function's error.
    """
    if result == _ERROR:
        return error_answer
    if result == _TOO_LARGE:  # an error that Lambda makes
        return error_answer
    return _SERVED if result == _MALFORMED else result
