"""Tokens that users get from their user pool, within its quota.

A user signs in before its first call and refreshes its token when that has expired; both are calls
of the user pool, whose quota is a rate (Amazon Cognito developer guide, "Quotas in Amazon Cognito":
user authentication is 120/s unless raised). The quota is an exact token bucket, as the gateway's
own; its burst is a setting. A user who is refused has no token and does not call the API; it asks
again with its next call. Our decision: while a user waits for a token its other calls use it
already.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import kernel
from apisim.gateway.throttle import try_take

__all__ = ["HELD", "ISSUED", "NO_TOKEN", "REFUSED", "SIGN_IN_DTYPE", "get_token"]

#: What a user holds that has not signed in.
NO_TOKEN: Final = -1

HELD: Final = 0
ISSUED: Final = 1
REFUSED: Final = 2

#: What one user pool did.
SIGN_IN_DTYPE: Final = np.dtype(
    [("sign_ins", "i8"), ("refreshes", "i8"), ("refused", "i8")], align=True
)


@kernel
def get_token(
    bucket: np.void,
    counts: np.void,
    held: NDArray[np.int64],
    person: int,
    number: int,
    now_ns: int,
) -> int:
    """See to it that a user has the token it needs.

    Parameters
    ----------
    bucket : BUCKET_DTYPE record
        The pool's quota; updated in place.
    counts : SIGN_IN_DTYPE record
        Updated in place.
    held : int64[n_signed_in]
        Number of the token that each user of a pool with a quota has; updated in place.
    person : int
        The user.
    number : int
        Number of the token it needs: how many it has had before, >= 0.
    now_ns : int
        Time [ns].

    Returns
    -------
    int
        ``HELD`` (no call of the pool), ``ISSUED`` or ``REFUSED``.
    """
    if held[person] >= number:
        return HELD
    if not try_take(bucket, 1, now_ns):
        counts["refused"] += 1
        return REFUSED
    if held[person] == NO_TOKEN:
        counts["sign_ins"] += 1
    else:
        counts["refreshes"] += 1
    held[person] = number
    return ISSUED
