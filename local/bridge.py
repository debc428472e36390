"""Find the address at which a container reaches this machine: that of Docker's default bridge.

`sam local invoke` starts a function in a container on that bridge (`--docker-network host` does not change it), where 127.0.0.1
is the container itself.
"""

from __future__ import annotations

import errno
import fcntl
import json
import socket
import struct
import subprocess
from contextlib import closing
from ipaddress import AddressValueError, IPv4Address
from typing import Any

_TIMEOUT = 20.0  # seconds
_INSPECT = ("docker", "network", "inspect", "bridge")
_NAME = "com.docker.network.bridge.name"
_SIOCGIFADDR = 0x8915
"""Linux's request for the address of a network interface, netdevice(7)."""


class NoBridge(Exception):
    """Containers cannot reach this machine, or Docker does not respond. The text says what is missing."""


def find_address() -> str:
    """Return the IPv4 address that this machine has on Docker's bridge. Raises NoBridge."""
    try:
        inspected = subprocess.run(_INSPECT, capture_output=True, text=True, timeout=_TIMEOUT)
    except FileNotFoundError:
        raise NoBridge("docker is not installed, or not on PATH") from None
    except subprocess.TimeoutExpired:
        raise NoBridge(f"Docker does not answer: no response within {_TIMEOUT:g} s") from None
    if inspected.returncode:
        why = inspected.stderr.strip().splitlines() or ["no reason given"]
        raise NoBridge(f"Docker does not answer: {why[-1]}")
    address = read_address(inspected.stdout)
    _check_own(address)
    return address


def read_address(inspected: str) -> str:
    """Return the address in the output of `docker network inspect bridge`. Raises NoBridge."""
    try:
        (network,) = json.loads(inspected)
        configs: list[dict[str, Any]] = network["IPAM"]["Config"] or []
        options: dict[str, str] = network["Options"] or {}
    except (ValueError, KeyError, TypeError):
        raise NoBridge("Docker has no network that is named bridge") from None
    # A daemon reports no gateway until it has been restarted once, https://github.com/moby/moby/issues/26799.
    given = [config["Gateway"] for config in configs if config.get("Gateway")]
    for text in given or [_address_of_interface(options.get(_NAME, ""))]:
        try:
            address = IPv4Address(text)
        except AddressValueError:
            continue
        if address.is_private and not address.is_unspecified and not address.is_loopback:
            return str(address)
    raise NoBridge("Docker's bridge has no private IPv4 address on this machine")


def _address_of_interface(name: str) -> str:
    request = struct.pack("256s", name.encode()[:15])
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as any_socket:
        try:
            response = fcntl.ioctl(any_socket, _SIOCGIFADDR, request)
        except OSError:
            return ""
    return socket.inet_ntoa(response[20:24])


def _check_own(address: str) -> None:
    try:
        socket.create_server((address, 0)).close()
    except OSError as error:
        if error.errno != errno.EADDRNOTAVAIL:
            raise
        raise NoBridge(
            f"{address}, the address of Docker's bridge, is not an address of this machine; "
            "Docker must run on the machine itself, as root, and not in a virtual machine"
        ) from None
