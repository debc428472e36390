"""Call the real handlers without a gateway: build an event, and parse the response that the caller receives."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import attempts.handler
import charger_connect.handler
import charger_connect.service
from charger_link import REPEATABLE
from common.aws.credentials import from_environment
from common.journal import DynamoDB, Journal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from local.table import TableServer

PATH = "/api/v1/ocpp/charger-connect"
SECRET = "a secret of the tests"
LOOPBACK: dict[str, Any] = {"network": "127.0.0.0/8", "ports": ["1-65535"], "scheme": "http"}


@dataclass(frozen=True, slots=True)
class CallerResponse:
    """A response as the caller receives it. ``problem`` is the last segment of the problem's type, None with a 200."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def problem(self) -> str | None:
        return str(self.body["type"]).rpartition("/")[2] if "type" in self.body else None

    @property
    def outcome(self) -> str | None:
        """The outcome of the problem, or with a 200 that of the header."""
        return self.body.get("outcome") or self.headers.get("Connect-Outcome")

    @property
    def fields(self) -> list[str]:
        return [error["field"] for error in self.body.get("errors", [])]


@dataclass
class Context:
    """Lambda's context. ``left`` is the remaining time in seconds."""

    left: float
    aws_request_id: str = "a test"
    function_name: str = "ConnectFunction"
    function_version: str = "1"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.left * 1000)


class Caller:
    """Both functions with one table, in one process."""

    def __init__(
        self, table: TableServer, link_servers: list[dict[str, Any]], settings: dict[str, str]
    ) -> None:
        environ = {
            **table.environment(),
            "JOURNAL_SECRET": SECRET,
            "LINK_SERVERS": json.dumps(link_servers),
            **settings,
        }
        self._table = table
        self._dynamodb = DynamoDB(table.url, environ["AWS_REGION"], from_environment(environ))
        self.service = charger_connect.service.Service.of(environ)
        self._reading = Journal(self._dynamodb, table.name)
        self.at()

    def at(self, later: float = 0.0, repeatable: Collection[str] = REPEATABLE) -> Caller:
        """Set the journal's clock `later` seconds ahead, and the dialects that it treats as repeatable."""
        journal = Journal(
            self._dynamodb, self._table.name, repeatable=repeatable, clock=lambda: time.time() + later
        )
        self.service = replace(self.service, journal=journal)
        return self

    def post(
        self,
        members: dict[str, Any],
        *,
        left: float = 29.0,
        caller: str = "alice",
        connector: str | None = None,
    ) -> CallerResponse:
        event = {
            "rawPath": PATH,
            "headers": {"content-type": "application/json"},
            "queryStringParameters": {"connectorId": connector} if connector else None,
            "requestContext": {
                "http": {"method": "POST"},
                "authorizer": {"iam": {"userArn": caller}},
                "timeEpoch": int(time.time() * 1000),
            },
            "body": json.dumps(members),
            "isBase64Encoded": False,
        }
        return parse_response(charger_connect.handler.respond(event, Context(left), self.service))

    def delete(
        self, id_: str, *, caller: str = "alice", left: float = 29.0, **headers: str
    ) -> CallerResponse:
        """Stop the charge of an id; a header's name has `_` in place of `-`."""
        return parse_response(self.delete_raw(id_, caller=caller, left=left, **headers))

    def delete_raw(self, id_: str, *, caller: str = "alice", left: float = 29.0, **headers: str) -> Any:
        """Return the proxy response to a DELETE."""
        event = {
            "routeKey": f"DELETE {PATH}/{{id}}",
            "rawPath": f"{PATH}/{id_}",
            "pathParameters": {"id": id_},
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "requestContext": {
                "http": {"method": "DELETE"},
                "authorizer": {"iam": {"userArn": caller}},
                "timeEpoch": int(time.time() * 1000),
            },
            "isBase64Encoded": False,
        }
        return charger_connect.handler.respond(event, Context(left), self.service)

    def get(self, id_: str) -> CallerResponse:
        return self._read("GET /api/v1/ocpp/charger-connect/{id}", {"id": id_}, {})

    def list(self, charger: str, **query: str) -> CallerResponse:
        return self._read("GET /api/v1/ocpp/chargers/{chargerId}/attempts", {"chargerId": charger}, query)

    def unknown(self, **query: str) -> CallerResponse:
        return self._read("GET /api/v1/ocpp/attempts", {}, {"state": "unknown", **query})

    def resolve(self, id_: str, body: object, by: str = "olga") -> CallerResponse:
        """Send a resolution; a text is the body itself, any other object is its JSON."""
        route = "PUT /api/v1/ocpp/charger-connect/{id}/resolution"
        text = body if isinstance(body, str) else json.dumps(body)
        return self._read(route, {"id": id_}, {}, text, by)

    def close(self) -> None:
        self._dynamodb.close()

    def _read(
        self, route: str, path: dict[str, str], query: dict[str, str], body: str = "", by: str = "alice"
    ) -> CallerResponse:
        event = {
            "routeKey": route,
            "pathParameters": path,
            "queryStringParameters": query or None,
            "requestContext": {"authorizer": {"iam": {"userArn": by}}},
            "body": body,
        }
        return parse_response(attempts.handler.respond(event, Context(29.0), self._reading))


def parse_response(answer: dict[str, Any]) -> CallerResponse:
    return CallerResponse(answer["statusCode"], answer["headers"], json.loads(answer["body"]))


def request(port: int, **changes: Any) -> dict[str, Any]:
    """Return a request for a start at CP-1, with a new id."""
    members = {
        "id": str(uuid4()),
        "chargerId": "CP-1",
        "tokenId": "04A2B3C4D5E6",
        "serverIpAddress": "127.0.0.1",
    }
    return {**members, "serverRestApiPort": port, **changes}


@contextmanager
def calling(table: TableServer, *entries: dict[str, Any], **settings: str) -> Iterator[Caller]:
    caller = Caller(table, list(entries) or [LOOPBACK], settings)
    try:
        yield caller
    finally:
        caller.close()
