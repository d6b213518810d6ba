"""Which network addresses may be reached. A name is resolved once, checked, and connected to by that very address.

Checking a name and then connecting by name would leave a gap in which the name can be made to mean another machine
(DNS rebinding); so callers connect to what `resolve_host` returns and keep the name for Host and TLS only.
Nothing here opens a connection.
"""

import ipaddress
import socket
from collections.abc import Callable

from catalogue.storages.errors import StorageAddressRefused, StorageUnavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# (host, port) -> addresses as text
Lookup = Callable[[str, int], list[str]]

# Credentials of cloud machines are handed out here: no storage ever lives at these, whatever was declared.
METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(address)
    for address in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def lookup_host(host: str, port: int) -> list[str]:
    """All addresses of a host name, in the order of preference of the system."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise StorageUnavailable(f"The name {host} cannot be resolved; is it spelt right?") from None
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def resolve_host(host: str, port: int, *, is_private_network_allowed: bool, lookup: Lookup = lookup_host) -> list[str]:
    """The checked addresses of a host; refused as a whole when any one of them is not allowed."""
    addresses = lookup(host, port)
    for address in addresses:
        if not is_address_allowed(address, is_private_network_allowed=is_private_network_allowed):
            raise StorageAddressRefused(
                f"{host} is at an address that is not allowed. An administrator can declare a storage "
                "in a private network."
            )
    if not addresses:
        raise StorageUnavailable(f"The name {host} has no address.")
    return addresses


def is_address_allowed(text: str, *, is_private_network_allowed: bool) -> bool:
    address = _embedded_address(ipaddress.ip_address(text.partition("%")[0]))
    if address in METADATA_ADDRESSES or address.is_multicast or address.is_unspecified:
        return False
    return is_private_network_allowed or (address.is_global and not address.is_reserved)


def _embedded_address(address: Address) -> Address:
    """The IPv4 address that an IPv6 form leads to (mapped, 6to4, Teredo, NAT64), else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or address
