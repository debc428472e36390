"""The settings of the function that lets callers in by their network."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import BeforeValidator, Field

from settings import Environment

Network = IPv4Network | IPv6Network

# The shortest prefix by version: what is wider is no client's network, and two halves of the Internet are the Internet.
SHORTEST = {4: 16, 6: 32}


def _networks(given: object) -> object:
    """``"203.0.113.0/24,2001:db8::/48"`` as networks."""
    if not isinstance(given, str):
        return given
    networks = [ip_network(text.strip()) for text in given.split(",")]
    for network in networks:
        if network.prefixlen < SHORTEST[network.version]:
            raise ValueError(f"{network} is too wide: at least /{SHORTEST[network.version]}")
    return tuple(networks)


class AccessSettings(Environment):
    """Who may connect, and who may read all attempts; a network stands for one caller."""

    allowed_sources: Annotated[tuple[Network, ...], BeforeValidator(_networks), Field(min_length=1)]
    allowed_readers: Annotated[tuple[Network, ...], BeforeValidator(_networks)] = ()
