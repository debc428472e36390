"""DynamoDB and an OCPP server whose answers are made in advance: what a program spends beside them is its own.

python -m benchmarks.canned      prints the port of the table and of the OCPP server, and serves until its input ends

A stub of the wire, for benchmarks alone: no condition is ever judged, and nothing is kept. A charger whose name starts with SLOW
is answered after two seconds.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

_SLOW = 2.0  # seconds
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ASSIGNMENT = re.compile(r"(#?\w+) = (?:if_not_exists\(#?\w+, )?(:\w+)")
_ADDITION = re.compile(r"ADD (#?\w+) (:\w+)")


def table(_head: str, body: bytes) -> tuple[bytes, bytes, float]:
    """What DynamoDB answers where every condition holds."""
    request = json.loads(body)
    document: dict[str, Any] = {}
    if request.get("ReturnValues", "NONE") != "NONE":
        document["Attributes"] = {**request["Key"], **_assigned(request)}
    content = json.dumps(document, separators=(",", ":")).encode()
    headers = f"Content-Type: application/x-amz-json-1.0\r\nx-amz-crc32: {zlib.crc32(content)}\r\nx-amzn-RequestId: {'A' * 52}\r\n"
    return headers.encode(), content, 0.0


def _assigned(request: dict[str, Any]) -> dict[str, Any]:
    """The attributes that an UpdateExpression gives a new item."""
    names, values = request.get("ExpressionAttributeNames", {}), request["ExpressionAttributeValues"]
    expression = request["UpdateExpression"]
    pairs = _ASSIGNMENT.findall(expression) + _ADDITION.findall(expression)
    return {names.get(name, name): values[value] for name, value in pairs}


def link(head: str, _body: bytes) -> tuple[bytes, bytes, float]:
    """What an OCPP server answers in the native dialect where the charger accepts."""
    charger = unquote(head.split(" ", 2)[1].split("/")[4])
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
    """HTTP/1.1 as these clients speak it: a head, a body of known length, and an answer before the next head."""

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
        answer = b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (headers, len(content), content)
        close = "connection: close" in text.lower()
        if delay:
            asyncio.get_running_loop().call_later(delay, self._answer, answer, close)
        else:
            self._answer(answer, close)

    def _answer(self, answer: bytes, close: bool) -> None:
        self._transport.write(answer)
        if close:
            self._transport.close()


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(partial(_Connection, respond), "127.0.0.1", 0) for respond in (table, link)
    ]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
