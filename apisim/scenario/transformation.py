"""What mapping templates do to the bodies of a custom integration: ``transformation:``."""

from typing import Annotated, Final

from apisim.scenario.distributions import TimeDistribution
from apisim.scenario.fields import number
from apisim.scenario.model import Finding, Model

__all__ = ["MAPPED", "Transformation", "check_transformation"]

#: Types of integrations that have templates.
MAPPED: Final = ("lambda", "http", "aws_service")


class Transformation(Model):
    """Templates by what they cost and how large a body they make; what they say is left out.

    Attributes
    ----------
    request_time, response_time : Distribution or None
        Time that the gateway takes to map a request, or an answer that it passes on [ns]. None,
        the default: no time.
    request_ratio : float
        Size of what a function is sent over the size of the request's body, 0.001 to 100, default
        1; type ``lambda`` only, where it counts against Lambda's 6 MB.
    response_ratio : float
        Size of what callers get over the size of the backend's answer, 0.001 to 100, default 1.
    """

    request_time: TimeDistribution | None = None
    response_time: TimeDistribution | None = None
    request_ratio: Annotated[float, number("0.001", "100")] = 1.0
    response_ratio: Annotated[float, number("0.001", "100")] = 1.0


def check_transformation(kind: str, transformation: Transformation | None) -> list[Finding]:
    """What is wrong with the templates of an integration of this type."""
    if transformation is None:
        return []
    if kind not in MAPPED:
        message = f"type {kind} has no mapping templates"
        hint = f"use type: {kind.removesuffix('_proxy')}" if "_proxy" in kind else "remove the key"
        return [Finding(("transformation",), message, hint)]
    if kind != "lambda" and "request_ratio" in transformation.model_fields_set:
        message = f"nothing reads the size of what type {kind} sends"
        hint = "type: lambda has a limit of it; remove the key"
        return [Finding(("transformation", "request_ratio"), message, hint)]
    return []
