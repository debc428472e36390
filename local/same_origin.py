"""Reject the requests that a web page of another site makes the browser send to the local stack.

The listeners require no credentials, and any page can send requests to 127.0.0.1. Three headers, which a page cannot set,
show the origin of a request: `Host` (with DNS rebinding, the name of the other site), `Origin` and `Sec-Fetch-Site`.
https://fetch.spec.whatwg.org/#origin-header  https://w3c.github.io/webappsec-fetch-metadata/
"""

from __future__ import annotations

import re
from http import HTTPStatus
from ipaddress import AddressValueError, IPv4Address
from json import dumps
from typing import TYPE_CHECKING, NamedTuple

from local.server import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    Respond = Callable[[Request], Response]

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+)(?::[0-9]{1,5})?")
_OWN_SITES = ("same-origin", "none")
"""`none`: the user entered the address."""


class Refusal(NamedTuple):
    """The status code of the response, and a text that describes the remedy."""

    status: HTTPStatus
    text: str


def refusal(
    headers: Iterable[tuple[str, str]],
    allowed_hosts: Collection[str] = (),
    *,
    websocket: bool = False,
    navigable: bool = False,
) -> Refusal | None:
    """Return why a request with these headers is rejected, or None.

    `allowed_hosts` are names and addresses, without a port, that `Host` may hold in addition to those of loopback. The
    handshake of a `websocket` may have no `Origin`: every browser sends one, and no charge point does. A `navigable` resource
    is a page without data, which a link on another site may open as a top-level page.
    """
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(value.strip())
    hosts = values.get("host", [])
    if not all(_is_allowed(host, allowed_hosts) for host in hosts):
        return Refusal(
            HTTPStatus.MISDIRECTED_REQUEST,
            "The local stack is not served under this host name. Use 127.0.0.1 or localhost.",
        )
    # To an address that is not loopback a browser sends no Sec-Fetch-Site over HTTP, and with an image no Origin.
    if not all(_is_allowed(host, ()) for host in hosts) and _is_browser(values):
        return Refusal(
            HTTPStatus.FORBIDDEN,
            "The local stack serves browsers on loopback only. Use 127.0.0.1 or localhost.",
        )
    origins = values.get("origin", [])
    if websocket and origins:
        return Refusal(
            HTTPStatus.FORBIDDEN,
            "A web page cannot connect as a charge point. Connect with a client that sends no Origin.",
        )
    own = [f"http://{host}".lower() for host in hosts]
    sites = values.get("sec-fetch-site", [])
    foreign_site = any(site.lower() not in _OWN_SITES for site in sites)
    if navigable and not origins and _is_navigation(values):
        foreign_site = False
    if foreign_site or any(origin.lower() not in own for origin in origins):
        return Refusal(
            HTTPStatus.FORBIDDEN,
            "The local stack does not serve web pages of another origin. "
            "Use its console, or a client outside the browser.",
        )
    return None


def guarded(
    respond: Respond, allowed_hosts: Collection[str] = (), navigable: Collection[str] = ()
) -> Respond:
    """Return a responder that checks each request with `refusal` first. `navigable` are the paths of the navigable pages."""

    def checked(request: Request) -> Response:
        opens_page = request.method in ("GET", "HEAD") and request.target.partition("?")[0] in navigable
        refused = refusal(request.headers, allowed_hosts, navigable=opens_page)
        return respond(request) if refused is None else _response(refused)

    return checked


def _response(refused: Refusal) -> Response:
    body = dumps({"message": refused.text}).encode()
    return Response(refused.status, [("Content-Type", "application/json")], body)


def _is_allowed(host: str, allowed_hosts: Collection[str]) -> bool:
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found[1].lower()
    if name in ("localhost", "[::1]") or name.strip("[]") in {allowed.lower() for allowed in allowed_hosts}:
        return True
    try:
        return IPv4Address(name).is_loopback
    except AddressValueError:
        return False


def _is_browser(values: dict[str, list[str]]) -> bool:
    """Return whether a browser sent the request: all of them name Mozilla, for historical reasons."""
    return any("mozilla/" in agent.lower() for agent in values.get("user-agent", []))


def _is_navigation(values: dict[str, list[str]]) -> bool:
    return values.get("sec-fetch-mode") == ["navigate"] and values.get("sec-fetch-dest") == ["document"]
