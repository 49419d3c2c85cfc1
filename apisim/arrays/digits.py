"""How many characters a whole number has when it is printed."""

from apisim.arrays.jit import inline

__all__ = ["digits"]

_BASE = 10


@inline
def digits(number: int) -> int:
    """Decimal digits of a number >= 0.

    Examples
    --------
    >>> [digits(number) for number in (0, 9, 10, 123_456)]
    [1, 1, 2, 6]
    """
    count = 1
    while number >= _BASE:
        number //= _BASE
        count += 1
    return count
