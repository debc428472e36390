"""From an authorizer's event (HTTP API, payload 2.0) to its simple answer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from settings.access import AccessSettings, Network

_log = Logger(utc=True)
Address = IPv4Address | IPv6Address

# Who may connect may also look at an attempt whose id is known: a 504 tells its caller to.
_OWN = frozenset({"ANY /api/v1/ocpp/charger-connect", "GET /api/v1/ocpp/charger-connect/{id}"})


def respond(event: Mapping[str, Any], settings: AccessSettings) -> dict[str, Any]:
    """Let in who comes from a network of the setting that the route asks for; the network is the caller's name.

    The address is the one that the gateway saw. It also ends X-Forwarded-For, to which the gateway adds it: where the two differ,
    somebody plays with one of them.
    """
    route, source = str(event["routeKey"]), str(event["requestContext"]["http"]["sourceIp"])
    forwarded = (event.get("headers") or {}).get("x-forwarded-for", source).rpartition(",")[2].strip()
    address = _address(source)
    network = _holding(address, settings.allowed_readers) if route.startswith("GET ") else None
    if network is None and route in _OWN:
        network = _holding(address, settings.allowed_sources)
    if network is None or _address(forwarded) != address:
        _log.warning("source refused", extra={"source": source, "forwarded": forwarded, "route": route})
        return {"isAuthorized": False}
    return {"isAuthorized": True, "context": {"caller": f"network:{network}"}}


def _address(text: str) -> Address | None:
    """The address, however an IPv6 one is spelled; None where it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _holding(address: Address | None, networks: tuple[Network, ...]) -> Network | None:
    """The narrowest of the networks that hold the address."""
    holding = [network for network in networks if address is not None and address in network]
    return max(holding, key=lambda network: network.prefixlen, default=None)
