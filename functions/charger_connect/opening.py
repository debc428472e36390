"""What is recorded of a request before an OCPP server is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charger_connect.choose_server import connector_for
from charger_link import addresses
from common.journal import Opening, fingerprint, mask, token_digest

if TYPE_CHECKING:
    from charger_connect.request import ConnectRequest
    from charger_link import Server
    from common.edge.call import Call


def request_fingerprint(request: ConnectRequest, caller: str, secret: bytes) -> bytes:
    """Return the request's fingerprint.

    It does not depend on LinkServers: a repeat has the same fingerprint after its server was removed from LinkServers.
    """
    server = None
    if request.serverIpAddress is not None and request.serverRestApiPort is not None:
        server = addresses.server_name(
            str(addresses.parse(request.serverIpAddress)), request.serverRestApiPort
        )
    return fingerprint(secret, request.chargerId, request.tokenId, server, request.connectorId, caller)


def make_opening(
    request: ConnectRequest, server: Server, request_digest: bytes, call: Call, secret: bytes
) -> Opening:
    """Return the attributes of a new attempt; `request_digest` is the request's fingerprint, `secret` the journal's."""
    charger_id, token = request.chargerId or "", request.tokenId
    return Opening(
        id=str(request.id),
        charger_id=charger_id,
        server=server.name,
        dialect=server.entry.dialect,
        connector=connector_for(request, server),
        token=mask(token),
        fingerprint=request_digest,
        lease=call.lease,
        caller=call.caller,
        trace_id=call.trace_id,
        url=server.url,
        digest=None if token is None else token_digest(secret, charger_id, token),
        tenant=server.entry.tenant,
    )
