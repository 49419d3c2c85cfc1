"""Identities that AWS gives to requests and APIs, made up from what a request is called here.

They look like AWS's and say nothing. The same seed, replication and request always have the same
ones, in every file and on every machine, so that an access log and a trace can be joined.
"""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

__all__ = ["RequestIds"]

_BASE36: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
#: Parts of a client's address, each of three digits and the last of two: as long as the mean one.
_HUNDREDS: Final = 155
_TENS: Final = 90


@dataclass(frozen=True, slots=True)
class RequestIds:
    """Makes identities for one replication of a run.

    Attributes
    ----------
    seed, replication : int
        Of the run.

    Examples
    --------
    >>> ids = RequestIds(42, 0)
    >>> len(ids.uuid("request", "web/0/7/1")), len(ids.short("shop")), len(ids.address("web"))
    (36, 10, 13)
    """

    seed: int
    replication: int

    def uuid(self, kind: str, of: str) -> str:
        """36 characters in the form of a random UUID."""
        digits = self._hex(kind, of)
        variant = "89ab"[int(digits[16], 16) % 4]
        return (
            f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
        )

    def extended(self, kind: str, of: str) -> str:
        """16 characters, the last of them ``=``, as extended request ids and connections have."""
        return urlsafe_b64encode(self._bytes(kind, of)[:11]).decode()

    def short(self, of: str, length: int = 10) -> str:
        """Lower-case letters and digits; of an API, a deployment or a resource: any replication."""
        number = int.from_bytes(hashlib.blake2b(of.encode(), digest_size=16).digest())
        letters = []
        for _ in range(length):
            number, at = divmod(number, len(_BASE36))
            letters.append(_BASE36[at])
        return "".join(letters)

    def address(self, client: str) -> str:
        """A private address for a client, 13 characters: nobody's on the public internet."""
        number = int.from_bytes(hashlib.blake2b(client.encode(), digest_size=8).digest())
        number, second = divmod(number, _HUNDREDS)
        number, third = divmod(number, _HUNDREDS)
        return f"10.{100 + second}.{100 + third}.{10 + number % _TENS}"

    def trace(self, of: str, epoch_s: int) -> str:
        """X-Ray's form: version, time in hexadecimal seconds, 24 digits."""
        return f"1-{epoch_s:08x}-{self._hex('trace', of)[:24]}"

    def segment(self, kind: str, of: str) -> str:
        """16 hexadecimal digits, as segments and subsegments have."""
        return self._hex(kind, of)[:16]

    def _hex(self, kind: str, of: str) -> str:
        return self._bytes(kind, of).hex()

    def _bytes(self, kind: str, of: str) -> bytes:
        text = f"{self.seed}/{self.replication}/{kind}/{of}"
        return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=16).digest()
