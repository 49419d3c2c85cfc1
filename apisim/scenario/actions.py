"""What a request can do to an AWS service."""

from typing import Annotated, Final, Literal, TypeAlias, get_args

from apisim.scenario.fields import choice

__all__ = ["ACTIONS", "READS", "ServiceAction"]

_Name: TypeAlias = Literal[
    "GetItem",
    "PutItem",
    "Query",
    "UpdateItem",
    "DeleteItem",
    "SendMessage",
    "Publish",
    "StartExecution",
    "PutRecord",
    "PutEvents",
]
#: By service; the first of several that reads, the first that writes.
ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    "dynamodb": ("GetItem", "PutItem", "Query", "UpdateItem", "DeleteItem"),
    "sqs": ("SendMessage",),
    "sns": ("Publish",),
    "step_functions": ("StartExecution",),
    "kinesis": ("PutRecord",),
    "eventbridge": ("PutEvents",),
}
READS: Final = ("GetItem", "Query")

#: An action of any service; that the service has it is checked where both are known.
ServiceAction: TypeAlias = Annotated[_Name, choice(*get_args(_Name))]
