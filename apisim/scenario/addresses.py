"""IPv4 addresses and ranges of them, as scenarios write them."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, Final, TypeAlias

from apisim.scenario.fields import Reader
from apisim.scenario.model import Context
from apisim.scenario.units import UnitError, shown

__all__ = ["AddressRange", "Ipv4Range", "parse_range"]


@dataclass(frozen=True, slots=True)
class AddressRange:
    """A block of IPv4 addresses.

    Parameters
    ----------
    first : int
        Its first address as a number.
    size : int
        How many addresses it has, >= 1.
    """

    first: int
    size: int

    def __str__(self) -> str:
        prefix = 32 - (self.size.bit_length() - 1)
        return str(IPv4Address(self.first)) + ("" if prefix == 32 else f"/{prefix}")


def parse_range(written: object) -> AddressRange:
    """Address or range in CIDR notation.

    Raises
    ------
    UnitError
        If it is none, or a range whose host bits are set.

    Examples
    --------
    >>> parse_range("203.0.113.0/24").size
    256
    """
    hint = "write an IPv4 address or range, e.g. 203.0.113.0/24"
    if not isinstance(written, str):
        raise UnitError(f"must be an address, got {shown(written)}", hint)
    if ":" in written:
        raise UnitError(f"{shown(written)} is IPv6, which is not modelled yet", hint)
    try:
        network = IPv4Network(written.strip())
    except ValueError as error:
        if "host bits" in str(error):
            hint = f"write {IPv4Network(written.strip(), strict=False)}"
        raise UnitError(f"{shown(written)} is not an IPv4 address or range", hint) from None
    return AddressRange(int(network.network_address), network.num_addresses)


def _read(value: Any, context: Context) -> AddressRange:
    return parse_range(value)


_SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "pattern": r"^\s*[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?\s*$",
    "description": "An IPv4 address or range: 203.0.113.7, 203.0.113.0/24.",
}
#: An IPv4 address or range of them.
Ipv4Range: TypeAlias = Annotated[AddressRange, Reader(_read, _SCHEMA)]
