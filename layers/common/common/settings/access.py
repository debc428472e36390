"""The settings of the authorizer by network."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, Field

from common.settings import Environment

Network = IPv4Network | IPv6Network

# Minimum prefix length by version, so that 0.0.0.0/1 and 128.0.0.0/1 cannot allow every address.
MIN_PREFIX_LENGTH = {4: 16, 6: 32}
# A network is a valid name, too: after a network is split, its parts can keep its text as the caller's name.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:/_-]{0,63}")


class Source(NamedTuple):
    """A network, and the caller's name in its entry; None if the network itself is the name."""

    network: Network
    name: str | None = None


def _sources(given: object) -> object:
    """Parse sources such as ``"203.0.113.0/24,office=2001:db8::/48"``."""
    if not isinstance(given, str):
        return given
    sources = tuple(_source(text.strip()) for text in given.split(","))
    names: dict[Network, str] = {}
    for source in sources:
        if source.name is not None and names.setdefault(source.network, source.name) != source.name:
            raise ValueError(f"{source.network} has two names: give it one")
    return sources


def _source(text: str) -> Source:
    name, named, network = text.rpartition("=")
    if named and not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be a caller's name: use at most 64 letters, digits and . : / _ -")
    source = Source(ip_network(network), name if named else None)
    if source.network.prefixlen < MIN_PREFIX_LENGTH[source.network.version]:
        raise ValueError(
            f"{source.network} is too wide: use at least /{MIN_PREFIX_LENGTH[source.network.version]}"
        )
    return source


class AccessSettings(Environment):
    """The networks that may connect, read all attempts, or resolve unknown ones; each name, or network without one, is one caller."""

    allowed_sources: Annotated[tuple[Source, ...], BeforeValidator(_sources), Field(min_length=1)]
    allowed_readers: Annotated[tuple[Source, ...], BeforeValidator(_sources)] = ()
    allowed_operators: Annotated[tuple[Source, ...], BeforeValidator(_sources)] = ()
