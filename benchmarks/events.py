"""Events of the benchmarks, in the format in which an HTTP API invokes a function."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

MODELS = "http://schemas.datacontract.org/2004/07/IO.Swagger.Models"
PATH = "/api/v1/ocpp/charger-connect"
ATTEMPT = f"GET {PATH}/{{id}}"
ATTEMPTS = "GET /api/v1/ocpp/chargers/{chargerId}/attempts"


def connect(
    port: int | None, *, xml: bool = False, charger: str = "CP-1", id_: str | None = None
) -> dict[str, Any]:
    """Return a POST for `charger`, whose OCPP server listens on `port`. With None the request names no server."""
    fields: dict[str, Any] = {"id": id_ or str(uuid4()), "chargerId": charger, "tokenId": "04A2B3C4D5E6F7"}
    if port is not None:
        fields |= {"serverIpAddress": "127.0.0.1", "serverRestApiPort": port}
    media_type = "application/xml" if xml else "application/json"
    body = _xml(fields) if xml else json.dumps(fields)
    return _event(f"ANY {PATH}", "POST", PATH, media_type) | {"body": body}


def get(route: str, parameters: dict[str, str], query: dict[str, str] | None = None) -> dict[str, Any]:
    """Return a GET of one of the routes above."""
    event = _event(route, "GET", route.removeprefix("GET ").format(**parameters), "application/json")
    return event | {"pathParameters": parameters, "queryStringParameters": query or {}}


def _event(route: str, method: str, path: str, media_type: str) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": media_type,
            "content-type": media_type,
            "host": "abcdefghij.execute-api.eu-west-1.amazonaws.com",
            "user-agent": "benchmarks",
            "x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "abcdefghij",
            "authorizer": {"iam": {"userArn": "arn:aws:iam::000000000000:user/back-office"}},
            "domainName": "abcdefghij.execute-api.eu-west-1.amazonaws.com",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "benchmarks",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": route,
            "stage": "$default",
            "time": "22/Nov/2026:08:00:00 +0000",
            "timeEpoch": int(time.time() * 1000),
        },
        "isBase64Encoded": False,
    }


def _xml(fields: dict[str, Any]) -> str:
    elements = "".join(f"<{name}>{value}</{name}>" for name, value in sorted(fields.items()))
    return f'<OcppChargerConnectRequest xmlns="{MODELS}">{elements}</OcppChargerConnectRequest>'
