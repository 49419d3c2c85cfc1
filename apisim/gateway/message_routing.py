"""Which route of a WebSocket API a message takes: the value that its selection expression finds.

The expression (``$request.body.action``, say) is evaluated on the JSON of the message. A route
whose key is exactly the value takes it, else ``$default``, else nobody does and the client gets a
frame that says Forbidden. A message without that value has an empty one, and one that is no JSON
has none at all: both go to ``$default`` (developer guide, "Create routes for WebSocket APIs"). The
routes of a connection's life and the way of the pushes are none of messages, whatever one says.
"""

from collections.abc import Sequence
from typing import Final

__all__ = ["MessageRouter"]

_DEFAULT: Final = "$default"


class MessageRouter:
    """Finds the route of each message of one API.

    Parameters
    ----------
    route_keys : sequence of str
        All routes of the API, ``$connect``, ``$disconnect`` and ``POST @connections`` with them.

    Examples
    --------
    >>> router = MessageRouter(["$connect", "sendMessage", "$default"])
    >>> router.match("sendMessage"), router.match("typing"), router.match("$connect")
    (1, 2, 2)
    >>> MessageRouter(["sendMessage"]).match("typing") is None
    True
    """

    def __init__(self, route_keys: Sequence[str]) -> None:
        self._routes: Final = {
            key: index
            for index, key in enumerate(route_keys)
            if not key.startswith("$") and " " not in key
        }
        self._default: Final = route_keys.index(_DEFAULT) if _DEFAULT in route_keys else None

    def match(self, value: str | None) -> int | None:
        """Position of the route that takes a message, or None if nobody does.

        Parameters
        ----------
        value : str or None
            What the selection expression finds, "" where that is missing; None: it is no JSON.
        """
        return self._default if value is None else self._routes.get(value, self._default)
