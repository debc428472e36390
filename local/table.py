"""An embedded DynamoDB with the table of `template.yaml`, and the faults of a real one.

moto is not thread-safe: several concurrent conditional updates can succeed. A lock around every operation prevents that.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local import template as template_file
from local.same_origin import guarded
from local.server import Dropped, Request, Response, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

REGION = "eu-west-1"
LOGICAL_ID = "AttemptsTable"

# moto keeps one state for the whole process, so one lock serves all tables. It reads account and region from the signature,
# which is always the same here: so any client finds the table, whatever its credentials and region.
_LOCK = threading.Lock()
_AUTHORIZATION = f"AWS4-HMAC-SHA256 Credential=local/20260101/{REGION}/dynamodb/aws4_request"
_FRAMING = ("content-length", "transfer-encoding", "connection", "date", "server")

_API = "com.amazonaws.dynamodb.v20120810"
_CORAL = "com.amazon.coral.availability"
_FAULTS = {
    "ThrottlingException": (400, _CORAL, "Rate of requests exceeds the allowed throughput."),
    "ProvisionedThroughputExceededException": (
        400,
        _API,
        "The level of configured provisioned throughput was exceeded.",
    ),
    "RequestLimitExceeded": (400, _API, "Throughput exceeds the current throughput limit for your account."),
    "ResourceNotFoundException": (400, _API, "Requested resource not found"),
    "InternalServerError": (500, _API, "Internal server error"),
    "ServiceUnavailable": (503, _API, "The service is temporarily unavailable."),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request, in this order.

    `delay` seconds pass. The request is applied, or not. `delay_response` seconds pass. The response is the table's own, or
    the DynamoDB `error` with this code; with `drop`, the connection closes without a response.
    """

    delay: float = 0.0
    apply: bool = True
    delay_response: float = 0.0
    error: str | None = None
    drop: bool = False


_NONE = Fault()
THROTTLED = Fault(apply=False, error="ThrottlingException")
OVERLOADED = Fault(apply=False, error="ProvisionedThroughputExceededException")
BROKEN = Fault(apply=False, error="InternalServerError")
REFUSED = Fault(apply=False, drop=True)
LOST_RESPONSE = Fault(drop=True)


class TableError(Exception):
    """DynamoDB rejected an operation: the error code, without namespace, and the body of the response."""

    def __init__(self, code: str, body: dict[str, Any]) -> None:
        super().__init__(f"{code}: {body.get('message') or body.get('Message')}")
        self.code = code
        self.body = body


class TableServer:
    """A table, served over HTTP/1.1 on 127.0.0.1 and on the same port of `extra_hosts`.

    `allowed_hosts` are further values of the Host header, as in `same_origin.refusal`.

    Two hooks may be set at any time. They and `operations`, the number of requests by operation, concern the requests that
    arrive over the network. `on_request(operation, body)` is called before a request is applied, and returns a fault or None.
    `on_applied(operation, body)` is called after it was applied.

    A third hook, if it is set, receives what the table's stream would have: `on_change(old, new)` is called with the images of an item
    for each update that changed it, in the order of the updates. It must not use the table.
    """

    def __init__(
        self, name: str, port: int, extra_hosts: Sequence[str] = (), allowed_hosts: Collection[str] = ()
    ) -> None:
        self.name = name
        self.on_request: Callable[[str, dict[str, Any]], Fault | None] = _return_none
        self.on_applied: Callable[[str, dict[str, Any]], None] = _ignore
        self.on_change: Callable[[dict[str, Any] | None, dict[str, Any]], None] | None = None
        self.operations: Counter[str] = Counter()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._closing = threading.Event()
        served = guarded(self._respond, (*extra_hosts, *allowed_hosts))
        with ExitStack() as stack:
            server = stack.enter_context(closing(Server(served, port)))
            for host in extra_hosts:
                stack.enter_context(closing(Server(served, server.port, host)))
            self._servers = stack.pop_all()
        self.url = server.url

    def environment(self) -> dict[str, str]:
        """Return the environment variables with which a function uses this table."""
        return {
            "TABLE_NAME": self.name,
            "AWS_ENDPOINT_URL_DYNAMODB": self.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }

    def call(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """Apply one operation without the network, its faults and its counts. Raises TableError."""
        status, _, response = self._apply(operation, json.dumps(body).encode())
        document: dict[str, Any] = json.loads(response)
        if status != 200:
            raise TableError(document["__type"].rpartition("#")[2], document)
        return document

    def items(self) -> list[dict[str, Any]]:
        """Return every item, in DynamoDB's JSON."""
        items: list[dict[str, Any]] = []
        page: dict[str, Any] = {}
        while True:
            found = self.call("Scan", {"TableName": self.name, **page})
            items += found["Items"]
            if "LastEvaluatedKey" not in found:
                return items
            page = {"ExclusiveStartKey": found["LastEvaluatedKey"]}

    def clear(self) -> None:
        """Delete every item."""
        for item in self.items():
            self.call("DeleteItem", {"TableName": self.name, "Key": {"id": item["id"]}})

    def close(self) -> None:
        self._closing.set()
        self._servers.close()
        self.call("DeleteTable", {"TableName": self.name})

    def _respond(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers}
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        self.operations[operation] += 1
        body = json.loads(request.body) if operation else {}
        fault = (self.on_request(operation, body) if operation else None) or _NONE
        self._wait(fault.delay)
        response = Response(*self._apply_in_order(operation, request.body, body)) if fault.apply else None
        if response:
            self.on_applied(operation, body)
        self._wait(fault.delay_response)
        if fault.error:
            return _error(fault.error)
        if fault.drop or not response:
            raise Dropped
        return response

    def _wait(self, seconds: float) -> None:
        if self._closing.wait(seconds):
            raise Dropped

    def _apply_in_order(
        self, operation: str, raw: bytes, body: dict[str, Any]
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Apply a request, and report the change that it made."""
        if operation != "UpdateItem" or self.on_change is None:
            return self._apply(operation, raw)
        with _LOCK:
            old = self._image(body["Key"])
            response = self._send(operation, raw)
            new = self._image(body["Key"])
            if new is not None and new != old:
                self.on_change(old, new)
        return response

    def _image(self, key: dict[str, Any]) -> dict[str, Any] | None:
        read = json.dumps({"TableName": self.name, "Key": key, "ConsistentRead": True}).encode()
        _, _, response = self._send("GetItem", read)
        image: dict[str, Any] | None = json.loads(response).get("Item")
        return image

    def _apply(self, operation: str, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        with _LOCK:
            return self._send(operation, body)

    def _send(self, operation: str, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Send a request to moto. The caller holds the lock."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": "/",
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": "application/x-amz-json-1.0",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": "127.0.0.1",
            "HTTP_X_AMZ_TARGET": f"DynamoDB_20120810.{operation}",
            "HTTP_AUTHORIZATION": _AUTHORIZATION,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        started: list[Any] = []
        response = b"".join(
            self._moto(environ, lambda status, fields, _=None: started.extend((status, fields)))
        )
        status, fields = started
        headers = [(name, value) for name, value in fields if name.lower() not in _FRAMING]
        return int(status.split()[0]), headers, response


def start_table(
    template: Path = template_file.PATH,
    *,
    port: int = 0,
    name: str | None = None,
    logical_id: str = LOGICAL_ID,
    extra_hosts: Sequence[str] = (),
    allowed_hosts: Collection[str] = (),
) -> TableServer:
    """Serve an empty table, as in the template, on `port` (0: any free one), under `name` (by default a new one).

    It listens on 127.0.0.1 and `extra_hosts`. Raises OSError if the port is in use.
    """
    table = template_file.read(template).tables[logical_id]
    server = TableServer(name or f"attempts-{uuid4().hex[:8]}", port, extra_hosts, allowed_hosts)
    server.call("CreateTable", {"TableName": server.name, **table.properties})
    if table.ttl:
        specification = {"AttributeName": table.ttl, "Enabled": True}
        server.call("UpdateTimeToLive", {"TableName": server.name, "TimeToLiveSpecification": specification})
    return server


def _return_none(_operation: str, _body: dict[str, Any]) -> Fault | None:
    return None


def _ignore(_operation: str, _body: dict[str, Any]) -> None:
    return None


def _error(code: str) -> Response:
    status, namespace, text = _FAULTS[code]
    document = {"__type": f"{namespace}#{code}", "message": text}
    return Response(status, [("Content-Type", "application/x-amz-json-1.0")], json.dumps(document).encode())
