"""Allow or deny a request by the network that it comes from.

The event and the response (the simple one) have payload format 2.0:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from aws_lambda_powertools.logging import Logger

from common.edge.guard import guarded
from common.edge.paths import ATTEMPT, CHARGER_CONNECT, RESOLUTION

if TYPE_CHECKING:
    from common.edge.lambda_types import Context, Event, Response
    from common.settings.access import AccessSettings, Source

_log = Logger(utc=True)
Address = IPv4Address | IPv6Address

# A caller that may connect may also read an attempt by its id, because the text of a 504 asks for it.
_CONNECT_ROUTES = frozenset({f"ANY {CHARGER_CONNECT}", f"GET {ATTEMPT}", f"DELETE {ATTEMPT}"})
_OPERATE_ROUTES = frozenset({f"PUT {RESOLUTION}"})


def _deny(_event: Event) -> Response:
    return {"isAuthorized": False}


@guarded(_deny)
def respond(event: Event, _context: Context, settings: AccessSettings) -> Response:
    """Allow a request that comes from a network of the setting for its route, and name its caller.

    The gateway also appends the source address to X-Forwarded-For: if the two differ, one of them is forged.
    """
    route, source = str(event["routeKey"]), str(event["requestContext"]["http"]["sourceIp"])
    forwarded = (event.get("headers") or {}).get("x-forwarded-for", source).rpartition(",")[2].strip()
    address = _address(source)
    caller = _caller(address, settings.allowed_readers) if route.startswith("GET ") else None
    if caller is None and route in _CONNECT_ROUTES:
        caller = _caller(address, settings.allowed_sources)
    if route in _OPERATE_ROUTES:
        caller = _caller(address, settings.allowed_operators)
    if caller is None or _address(forwarded) != address:
        _log.warning("source refused", extra={"source": source, "forwarded": forwarded, "route": route})
        return _deny(event)
    return {"isAuthorized": True, "context": {"caller": f"network:{caller}"}}


def failures(_settings: AccessSettings) -> list[str]:
    """Return what this version cannot reach: nothing, since it needs only its settings."""
    return []


def _address(text: str) -> Address | None:
    """Return the address, in one form for every spelling of an IPv6 address; None if the text is not an address."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _caller(address: Address | None, sources: tuple[Source, ...]) -> str | None:
    """Return the caller's name for an address; None if no network contains it.

    A named network comes before networks without a name. Of several named ones the widest is used, so that a narrower entry
    that is added later renames no caller. Without a named network, the narrowest network is the name, as in version 1.0:
    stored fingerprints contain it.
    """
    holding = [source for source in sources if address is not None and address in source.network]
    named = [source for source in holding if source.name is not None]
    if named:
        return min(named, key=lambda source: source.network.prefixlen).name
    if holding:
        return str(max(holding, key=lambda source: source.network.prefixlen).network)
    return None
