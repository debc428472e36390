"""Clients of the OCPP server for the tests: one for its REST API, and a scripted charge point."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

from websockets import Subprotocol
from websockets.sync.client import connect

from tests.integration.csms.conformance import CONNECT, STATUS, assert_conforms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from websockets.sync.client import ClientConnection


@dataclass(frozen=True)
class RestResponse:
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def outcome(self) -> tuple[int, str]:
        """The status code with the OCPP status of a 200, or with the last segment of a problem's type."""
        return self.status, self.body["status"] if self.status == 200 else self.body["type"].split("/")[-1]


class Rest:
    """A client of the native dialect. Every response must conform to the OpenAPI file."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        self.authorization = ""

    def connect(
        self,
        charger: str,
        token: str = "TAG",
        key: str | None = None,
        connector: int | None = None,
        wait: int = 20,
    ) -> RestResponse:
        body = {"tokenId": token} | ({} if connector is None else {"connectorId": connector})
        return self.put(charger, json.dumps(body), key or str(uuid4()), wait)

    def put(self, charger: str, body: str, key: str, wait: int = 20, **headers: str) -> RestResponse:
        return self.send("PUT", _connection(charger, key), CONNECT, body, Prefer=f"wait={wait}", **headers)

    def status(self, charger: str, query: str = "", **headers: str) -> RestResponse:
        return self.send("GET", f"/api/v1/chargers/{quote(charger, safe='')}{query}", STATUS, **headers)

    def find(self, charger: str, key: str, **headers: str) -> RestResponse:
        """Read what is known of a start."""
        return self.send("GET", _connection(charger, key), CONNECT, **headers)

    def stop(self, charger: str, key: str, wait: int = 20) -> RestResponse:
        """Stop what a start began."""
        return self.send("DELETE", _connection(charger, key), CONNECT, Prefer=f"wait={wait}")

    def send(
        self, method: str, target: str, path: str, body: str | None = None, **headers: str
    ) -> RestResponse:
        connection = HTTPConnection(self._host, timeout=60)
        if self.authorization:
            headers["Authorization"] = self.authorization
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            reply = RestResponse(answer.status, found, json.loads(answer.read()))
        finally:
            connection.close()
        assert_conforms(path, method, reply.status, reply.headers, reply.body)
        return reply


def _connection(charger: str, key: str) -> str:
    return f"/api/v1/chargers/{quote(charger, safe='')}/connections/{key}"


class Scripted:
    """A charge point that sends exactly what a test defines. `calls` yields the incoming calls, in order."""

    def __init__(self, url: str, identity: str, version: str = "1.6", boot: bool = True) -> None:
        self.version = version
        self._boots = boot
        self._connection = connect(
            f"{url}/{quote(identity, safe='')}",
            subprotocols=[Subprotocol(f"ocpp{version}")],
            proxy=None,
            close_timeout=1,
        )

    def __enter__(self) -> Scripted:
        self.socket: ClientConnection = self._connection.__enter__()
        if self._boots:
            self.boot()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.__exit__(kind, error, trace)

    def boot(self) -> None:
        if self.version == "1.6":
            payload: dict[str, Any] = {"chargePointVendor": "v", "chargePointModel": "m"}
        else:
            payload = {"reason": "PowerUp", "chargingStation": {"vendorName": "v", "model": "m"}}
        assert self.call("BootNotification", payload)[2]["status"] == "Accepted"

    def call(self, action: str, payload: dict[str, Any]) -> list[Any]:
        """Send a call and return the frame of the answer."""
        self.socket.send(json.dumps([2, str(uuid4()), action, payload]))
        frame: list[Any] = json.loads(self.socket.recv(timeout=10))
        return frame

    def report(self, status: str, connector: int = 1, error_code: str = "NoError") -> None:
        assert (
            self.call(
                "StatusNotification", {"connectorId": connector, "status": status, "errorCode": error_code}
            )[0]
            == 3
        )

    def calls(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield (unique id, action, payload) of each incoming call."""
        while True:
            frame = json.loads(self.socket.recv(timeout=10))
            if frame[0] == 2:
                yield frame[1], frame[2], frame[3]

    def answer(self, unique_id: str, payload: dict[str, Any]) -> None:
        self.socket.send(json.dumps([3, unique_id, payload]))

    def fail(self, unique_id: str, code: str) -> None:
        self.socket.send(json.dumps([4, unique_id, code, "", {}]))
