"""``Cache-Control: max-age=0``: a caller asks for a fresh answer in place of the cached one.

Facts (developer guide, "Invalidate an API Gateway cache entry"): the call goes to the integration
and its answer replaces the entry; it needs ``execute-api:InvalidateCache`` where the method asks
for authorization, which it does by default. Without it the call is refused with 403, or the header
is ignored, with or without a ``Warning`` header; the default is to ignore it and warn. Other values
of the header are not documented as honoured, and are not modelled.
"""

from typing import Final

from apisim.arrays.jit import kernel

__all__ = ["IGNORED", "INVALIDATES", "POLICIES", "REFUSED", "WARNED", "answer_to_max_age"]

INVALIDATES: Final = 0
WARNED: Final = 1  # the header is ignored, and a warning says so
IGNORED: Final = 2
REFUSED: Final = 3

#: Answer to a caller without permission, by the word of ``invalidation.unauthorized``.
POLICIES: Final = {
    "succeed_with_header": WARNED,
    "succeed_without_header": IGNORED,
    "fail_with_403": REFUSED,
}


@kernel
def answer_to_max_age(needs_permission: int, has_permission: bool, unauthorized: int) -> int:
    """What happens to a call with ``max-age=0``: one of the four above.

    Parameters
    ----------
    needs_permission : int
        1 where the method requires authorization.
    has_permission : bool
        Whether the caller may invalidate.
    unauthorized : int
        A value of :data:`POLICIES`.
    """
    if needs_permission == 0 or has_permission:
        return INVALIDATES
    return unauthorized
