"""Stubs of DynamoDB, Secrets Manager and an OCPP server, which respond at once, so that a program's own work is all that is measured.

python -m benchmarks.stub_servers      print the ports of the table, the OCPP server and the secrets, and run until standard input ends

For benchmarks only: the table stores nothing, and every condition holds. The OCPP server responds after two seconds if the id of
the charger starts with SLOW, and rejects a request without the secret if it starts with SECRET.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import zlib
from base64 import b64encode
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

_SLOW = 2.0  # seconds
_SECRET = {"username": "steve", "password": "benchmark"}
_AUTHORIZATION = f"basic {b64encode(b'steve:benchmark').decode()}".lower()
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ASSIGNMENT = re.compile(r"(#?\w+) = (?:if_not_exists\(#?\w+, )?(:\w+)")
_ADDITION = re.compile(r"ADD (#?\w+) (:\w+)")


def table(_head: str, body: bytes) -> tuple[bytes, bytes, float]:
    """Return DynamoDB's response to a write whose condition holds: headers, content and delay in seconds."""
    request = json.loads(body)
    document: dict[str, Any] = {}
    if request.get("ReturnValues", "NONE") != "NONE":
        document["Attributes"] = {**request["Key"], **_assigned(request)}
    content = json.dumps(document, separators=(",", ":")).encode()
    headers = f"Content-Type: application/x-amz-json-1.0\r\nx-amz-crc32: {zlib.crc32(content)}\r\nx-amzn-RequestId: {'A' * 52}\r\n"
    return headers.encode(), content, 0.0


def _assigned(request: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that an UpdateExpression sets on a new item."""
    names, values = request.get("ExpressionAttributeNames", {}), request["ExpressionAttributeValues"]
    expression = request["UpdateExpression"]
    pairs = _ASSIGNMENT.findall(expression) + _ADDITION.findall(expression)
    return {names.get(name, name): values[value] for name, value in pairs}


def secrets(_head: str, body: bytes) -> tuple[bytes, bytes, float]:
    """Return the response of Secrets Manager: headers, content and delay in seconds."""
    document = {
        "ARN": "arn:aws:secretsmanager:eu-west-1:000000000000:secret:steve-a1b2c3",
        "CreatedDate": 1_790_000_000.0,
        "Name": json.loads(body)["SecretId"],
        "SecretString": json.dumps(_SECRET),
        "VersionId": "00000000-0000-4000-8000-000000000000",
        "VersionStages": ["AWSCURRENT"],
    }
    return b"Content-Type: application/x-amz-json-1.1\r\n", json.dumps(document).encode(), 0.0


def link(head: str, _body: bytes) -> tuple[bytes, bytes, float]:
    """Return the response of a native OCPP server whose charger accepts: headers, content and delay in seconds.

    Raises
    ------
    PermissionError
        The request needs the secret and does not have it: the connection is closed.
    """
    charger = unquote(head.split(" ", 2)[1].split("/")[4])
    if charger.startswith("SECRET") and _AUTHORIZATION not in head.lower():
        raise PermissionError
    document = {
        "chargerId": charger,
        "connectorId": 1,
        "errorCode": "NoError",
        "status": "Accepted",
        "info": None,
    }
    delay = _SLOW if charger.startswith("SLOW") else 0.0
    return b"Content-Type: application/json\r\n", json.dumps(document).encode(), delay


class _Connection(asyncio.Protocol):
    """An HTTP/1.1 connection without pipelining, whose request bodies have a Content-Length."""

    def __init__(self, respond: Callable[[str, bytes], tuple[bytes, bytes, float]]) -> None:
        self._respond = respond
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = int(found[1]) if (found := _LENGTH.search(head)) else 0
        if not end or len(body) < length:
            return
        self._received = body[length:]
        text = head.decode("latin-1")
        headers, content, delay = self._respond(text, body[:length])
        response = b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (headers, len(content), content)
        close = "connection: close" in text.lower()
        if delay:
            asyncio.get_running_loop().call_later(delay, self._send, response, close)
        else:
            self._send(response, close)

    def _send(self, response: bytes, close: bool) -> None:
        self._transport.write(response)
        if close:
            self._transport.close()


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(partial(_Connection, respond), "127.0.0.1", 0)
        for respond in (table, link, secrets)
    ]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
