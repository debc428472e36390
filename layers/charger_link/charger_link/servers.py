"""`LinkServers`: the one setting that says which OCPP servers the service may call, and how.

The most specific network that holds an address decides; among equal networks, the entry with the port. A wider entry never
applies instead. There is no default.
"""

from __future__ import annotations

import ssl
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from charger_link import addresses
from charger_link.dialects import registry
from charger_link.limits import LARGEST_CONNECTOR

if TYPE_CHECKING:
    from charger_link.dialects.dialect import Dialect

_HOST_NAME = r"^[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$"


class AddressUnusable(ValueError):
    """The address is not an IP literal."""


class AddressNotAllowed(Exception):
    """The address or port is outside what the entries allow; ``reason`` is one word for metrics."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LinkServersError(ValueError):
    """The setting cannot be used; the message names each wrong entry and member."""


def _ports(given: object) -> object:
    """Return ``[8080, "9000-9100"]`` as ranges of first and last port."""
    if not isinstance(given, list | tuple) or not given:
        raise ValueError('must list at least one port, like [8080, "9000-9100"]')
    ranges = []
    for entry in given:
        first, dash, last = str(entry).partition("-")
        if isinstance(entry, bool) or not first.isdecimal() or (dash and not last.isdecimal()):
            raise ValueError(f"{entry!r} is neither a port nor a range like 9000-9100")
        low, high = int(first), int(last or first)
        if not 1 <= low <= high <= 65535:
            raise ValueError(f"{entry!r} is not within 1 to 65535")
        ranges.append((low, high))
    return tuple(ranges)


def _with_hyphens(given: object) -> object:
    return given.replace("_", "-") if isinstance(given, str) else given


def _registered(name: str) -> str:
    if name not in registry.MODULES:
        raise ValueError(f"must be one of {', '.join(registry.NAMES)}")
    return name


def _certificates(given: str) -> str:
    """Return the PEM if TLS can use it. A wrong one would otherwise fail at each call, and leave its outcome unknown."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=given)
    except (OSError, TypeError, ValueError):
        raise ValueError("must be a certificate in PEM, or several") from None
    return given


class LinkServer(BaseModel):
    """One entry: a network of OCPP servers of one kind.

    ``connector``: the connector of a start if the request names none ("none": none; unset: the dialect's default).
    ``base_path``: where the server's API begins (empty: the dialect's own).
    ``ca``: one or more certificates in PEM.
    ``secret``: the name of a secret in Secrets Manager.
    ``tenant``: the tenant to which the chargers belong, at a server that has tenants.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, defer_build=True)

    network: IPv4Network | IPv6Network
    ports: Annotated[tuple[tuple[int, int], ...], BeforeValidator(_ports)]
    dialect: Annotated[str, BeforeValidator(_with_hyphens), AfterValidator(_registered)] = registry.DEFAULT
    scheme: Literal["https", "http"] = "https"
    server_name: Annotated[str, Field(pattern=_HOST_NAME, max_length=253)] | None = None
    ca: Annotated[str, AfterValidator(_certificates)] | None = None
    base_path: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~%-]+)*$")] = ""
    secret: str | None = None
    connector: Annotated[int, Field(ge=1, le=LARGEST_CONNECTOR)] | Literal["none"] | None = None
    tenant: Annotated[int, Field(ge=1)] = 1
    enabled: bool = True

    @model_validator(mode="after")
    def _has_connector(self) -> Self:
        # The dialect is loaded here, so that the function imports it while it starts and not in a request.
        if self._dialect.needs_connector and self.connector == "none":
            raise ValueError(f"{self.dialect} cannot start without a connector: give its number")
        return self

    @property
    def base(self) -> str:
        """The path in front of every path of the dialect."""
        return self.base_path or self._dialect.base_path

    @property
    def start_connector(self) -> int | None:
        """The connector of a start if the request names none."""
        if self.connector is None:
            return self._dialect.default_connector
        return None if self.connector == "none" else self.connector

    @property
    def _dialect(self) -> Dialect:
        return registry.load(self.dialect)

    def has_port(self, port: int) -> bool:
        return any(low <= port <= high for low, high in self.ports)


class Server(NamedTuple):
    """An OCPP server that may be called; ``address`` is the checked one, to which the link connects."""

    address: str
    port: int
    entry: LinkServer

    @property
    def name(self) -> str:
        """``address:port``, as an attempt stores it and `LinkServers.find_named` reads it."""
        return addresses.server_name(self.address, self.port)

    @property
    def url(self) -> str:
        """Where its API begins, as ``https://name:port/base``: several servers may share one address and port."""
        name = f"{self.entry.server_name}:{self.port}" if self.entry.server_name else self.name
        return f"{self.entry.scheme}://{name}{self.entry.base}"


class LinkServers:
    """The entries of the setting, most specific first."""

    def __init__(self, entries: list[LinkServer]) -> None:
        self._entries = sorted(entries, key=lambda entry: entry.network.prefixlen, reverse=True)

    @classmethod
    def parse(cls, text: str) -> LinkServers:
        """Read the JSON of the setting.

        Raises
        ------
        LinkServersError
            An entry is wrong; the message names every one and its members.
        """
        try:
            return cls(TypeAdapter(list[LinkServer]).validate_json(text or "[]"))
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
            )
            raise LinkServersError(f"LinkServers cannot be used: {faults}") from None

    @property
    def secrets(self) -> frozenset[str]:
        """The names of the secrets of all entries."""
        return frozenset(entry.secret for entry in self._entries if entry.secret)

    def find(self, address: str, port: int) -> Server:
        """Return the server at an address that a request or an attempt names.

        Raises
        ------
        AddressUnusable
            `address` is not an IP literal.
        AddressNotAllowed
            No entry allows the address and port.
        """
        try:
            parsed = addresses.parse(address)
        except ValueError as error:
            raise AddressUnusable("must be an IP address like 10.0.0.5; host names are not taken") from error
        holding = [entry for entry in self._entries if parsed in entry.network]
        if not holding:
            raise AddressNotAllowed("network")
        closest = [entry for entry in holding if entry.network.prefixlen == holding[0].network.prefixlen]
        entry = next((entry for entry in closest if entry.has_port(port)), None)
        if entry is None:
            raise AddressNotAllowed("port")
        if addresses.is_forbidden(parsed, entry.network):
            raise AddressNotAllowed("forbidden")
        return Server(str(parsed), port, entry)

    def find_named(self, name: str) -> Server:
        """Return the server with a name such as ``10.0.0.5:8080`` or ``[fd00::5]:8080``; raise as `find` does."""
        address, _, port = name.rpartition(":")
        if not port.isascii() or not port.isdecimal():
            raise AddressUnusable("must be an address and a port like 10.0.0.5:8080")
        return self.find(address.removeprefix("[").removesuffix("]"), int(port))

    def find_same(self, name: str, url: str | None, dialect: str | None, tenant: int | None) -> Server:
        """Return the server that received a start, for a find or a stop; `enabled` does not matter, which pauses starts only.

        `tenant` is None if the attempt stores none. Without a stored `url`, nothing shows that it is the same server.

        Raises
        ------
        AddressUnusable
            `name` is no name of a server.
        AddressNotAllowed
            No entry allows the address today (as `find` says), or the entry describes another server (``entry``).
        """
        server = self.find_named(name)
        entry = server.entry
        if (url, dialect) != (server.url, entry.dialect) or tenant not in (None, entry.tenant):
            raise AddressNotAllowed("entry")
        return server
