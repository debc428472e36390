"""From an authorizer's event (HTTP API, payload 2.0) to its simple answer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging import Logger

from common.edge import guarded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.edge import Context
    from common.settings.access import AccessSettings, Source

_log = Logger(utc=True)
Address = IPv4Address | IPv6Address

# Who may connect may also look at an attempt whose id is known: a 504 tells its caller to.
_OWN = frozenset({"ANY /api/v1/ocpp/charger-connect", "GET /api/v1/ocpp/charger-connect/{id}"})


def _deny(_event: Mapping[str, Any]) -> dict[str, Any]:
    return {"isAuthorized": False}


@guarded(_deny)
def respond(event: Mapping[str, Any], _context: Context, settings: AccessSettings) -> dict[str, Any]:
    """Allow a request that comes from a network of the setting for its route, and name its caller.

    The address is the one that the gateway saw. It also ends X-Forwarded-For, to which the gateway adds it: where the two differ,
    one of them is forged.
    """
    route, source = str(event["routeKey"]), str(event["requestContext"]["http"]["sourceIp"])
    forwarded = (event.get("headers") or {}).get("x-forwarded-for", source).rpartition(",")[2].strip()
    address = _address(source)
    caller = _caller(address, settings.allowed_readers) if route.startswith("GET ") else None
    if caller is None and route in _OWN:
        caller = _caller(address, settings.allowed_sources)
    if caller is None or _address(forwarded) != address:
        _log.warning("source refused", extra={"source": source, "forwarded": forwarded, "route": route})
        return {"isAuthorized": False}
    return {"isAuthorized": True, "context": {"caller": f"network:{caller}"}}


def _address(text: str) -> Address | None:
    """The address, however an IPv6 one is spelled; None where it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _caller(address: Address | None, sources: tuple[Source, ...]) -> str | None:
    """Return the caller's name for an address; None where no network holds it.

    A named network comes before those without a name, and of several the widest: a narrower entry that is added later renames nobody.
    Without a name the narrowest network is the name, as in version 1.0: a stored fingerprint holds it.
    """
    holding = [source for source in sources if address is not None and address in source.network]
    named = [source for source in holding if source.name is not None]
    if named:
        return min(named, key=lambda source: source.network.prefixlen).name
    if holding:
        return str(max(holding, key=lambda source: source.network.prefixlen).network)
    return None
