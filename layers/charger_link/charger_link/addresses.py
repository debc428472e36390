"""Parse the text of an address into the address that the link would connect to.

`serverIpAddress` comes from the caller. Only an IP literal in its canonical spelling is accepted: no host names, no zone, no
decimal, octal or hexadecimal forms. An IPv6 address that embeds an IPv4 address is checked, and called, as that IPv4 address.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")  # RFC 8215
_IPV4_COMPATIBLE = IPv6Network("::/96")  # RFC 4291, deprecated
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214: the interface identifier before the address

# Never called, unless LinkServers lists a network that lies within one of these.
FORBIDDEN: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this host, RFC 1122
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local: the metadata addresses
        "192.0.0.0/24",  # IETF protocol assignments, RFC 6890
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "::/128",  # unspecified
        "::1/128",  # loopback
        "::/8",  # reserved by the IETF
        "100::/8",  # discard, RFC 6666
        "200::/7",
        "400::/6",
        "800::/5",
        "1000::/4",
        "4000::/2",  # outside 2000::/3, unicast that has been assigned
        "8000::/2",
        "c000::/3",
        "e000::/4",
        "f000::/5",
        "f800::/6",
        "fe00::/9",
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, deprecated by RFC 3879
        "ff00::/8",  # multicast
        "fd00:ec2::/32",  # the metadata, DNS and time services of EC2
        "2001::/23",  # IETF protocol assignments, RFC 6890
    )
)


@lru_cache(maxsize=256)
def parse(text: str) -> Address:
    """Return the address that `text` names, or the IPv4 address that it embeds.

    Raises
    ------
    ValueError
        `text` is not an IP literal in the usual spelling.
    """
    address = ip_address(text)
    if isinstance(address, IPv4Address):
        return address
    if address.scope_id is not None:
        raise ValueError("an address with a zone")
    return embedded(address) or address


def server_name(address: str, port: int) -> str:
    """Return ``address:port`` for an address as `parse` returns it: the name of a server in an attempt and in a setting."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def embedded(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address inside a mapped, compatible, 6to4, Teredo, NAT64 or ISATAP address; None if there is none."""
    value = int(address)
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address.sixtofour:
        return address.sixtofour
    if address.teredo:
        return address.teredo[1]
    if address in _NAT64 or (address in _IPV4_COMPATIBLE and value > 0xFFFF):
        return IPv4Address(value & 0xFFFFFFFF)
    if address in _NAT64_LOCAL:
        # A /48 prefix: 16 bits of the address, 8 bits of zero, 16 bits of the address (RFC 6052, 2.2); a /96 ends with the address.
        inner = ((value >> 64) & 0xFFFF) << 16 | ((value >> 40) & 0xFFFF)
        return IPv4Address(inner or value & 0xFFFFFFFF)
    if (value >> 32) & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(value & 0xFFFFFFFF)
    return None


@lru_cache(maxsize=256)
def is_forbidden(address: Address, network: Network) -> bool:
    """Return whether `address` is of a kind that is never called, unless the `network` that allows it lies within that kind."""
    return any(
        address in kind and not (network.version == kind.version and network.subnet_of(kind))  # type: ignore[arg-type]
        for kind in FORBIDDEN
        if kind.version == address.version
    )
