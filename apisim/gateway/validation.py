"""Request validation of REST APIs: required parameters, then the body.

AWS looks at the parameters first, and only whether they are there and not blank; then the body is
compared with the model of its content type (developer guide, "Request validation for REST APIs").
Both failures are a 400 that the caller has before the integration is called. Not modelled: that a
validator costs time; AWS gives no figure.
"""

from typing import Final

import numpy as np

from apisim.arrays.jit import constant, kernel
from apisim.gateway.status import Answer

__all__ = ["VALID", "VALIDATION_DTYPE", "validation_answer"]

VALIDATION_DTYPE: Final = np.dtype(
    [
        ("lacking", "f8"),  # share of calls that lack a required parameter
        ("invalid", "f8"),  # share of the others whose body fails
    ],
    align=True,
)

VALID: Final = constant(-1)
_MISSING_PARAMETERS: Final = constant(Answer.MISSING_PARAMETERS)
_INVALID_BODY: Final = constant(Answer.INVALID_BODY)


@kernel
def validation_answer(lacks_parameters: bool, has_invalid_body: bool) -> int:
    """Answer to a request that was validated, or ``VALID``.

    Parameters
    ----------
    lacks_parameters : bool
        Whether a required parameter is not there.
    has_invalid_body : bool
        Whether the body does not fit its model; not looked at where parameters are missing.
    """
    if lacks_parameters:
        return _MISSING_PARAMETERS
    return _INVALID_BODY if has_invalid_body else VALID
