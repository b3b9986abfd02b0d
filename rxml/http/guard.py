"""Guard: which addresses a client of ours may connect to, checked on the address itself as it connects."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from rxml.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable

Address: TypeAlias = IPv4Address | IPv6Address
Allow: TypeAlias = "Literal['any', 'public'] | Callable[[Address], bool]"
"""Which addresses: all, those that everybody on the internet can reach, or those for which a function is true."""

_NAT64: Final = ip_network("64:ff9b::/96")
_GLOBAL_6: Final = ip_network("2000::/3")
"""All that has been given out (RFC 4291, 2.4): site-local, IPv4-compatible, translated and local NAT64 lie beyond."""
_SPECIAL_6: Final = (ip_network("3fff::/20"), ip_network("2001::/23"))
_SPECIAL_4: Final = (ip_network("192.0.0.0/24"), ip_network("192.88.99.0/24"))


class ForbiddenError(OSError):
    """An address that may not be connected to."""


def allowed(given: Allow) -> Callable[[Address], bool]:
    """The rule that was given.

    Raises:
        PipelineError: it is none.
    """
    if given == "any":
        return _any
    if given == "public":
        return is_public
    if callable(given):
        return given
    raise PipelineError(f"allow must be 'any', 'public' or a function of an address, got {given!r}")


def _any(_: Address) -> bool:
    return True


def is_public(address: Address) -> bool:
    """True if it is neither loopback, private, link-local, multicast nor reserved, whatever it is wrapped in."""
    inner = _inner(address)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not address.is_multicast and not _is_special(address)


def _is_special(address: Address) -> bool:
    """True for what the registry has added since, or what networks use among themselves all the same."""
    if isinstance(address, IPv4Address):
        return any(address in each for each in _SPECIAL_4)
    return address not in _GLOBAL_6 or any(address in each for each in _SPECIAL_6)


def _inner(address: Address) -> Address | None:
    """The address of IPv4 that one of IPv6 stands for."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def guarded(rule: Callable[[Address], bool]) -> Callable[[Any], socket.socket]:
    """Makes sockets for `aiohttp.TCPConnector`: it is told the address that is about to be connected to, after names were
    looked up and whatever led here, so that no second look-up can give another.
    """

    def made(info: Any) -> socket.socket:
        family, kind, protocol, _, place = info
        address = ip_address(str(place[0]).partition("%")[0])
        if not rule(address):
            raise ForbiddenError(f"{address} is no address that may be connected to")
        return socket.socket(family, kind, protocol)

    return made
