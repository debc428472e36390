"""An HTTP API of API Gateway on one machine: routes from `template.yaml`, events of payload format 2.0.

It copies how routes match, how bodies and headers reach a function, how the function's response is read, the quotas that a
caller can exceed (10 MB, 30 s) and the gateway's own errors, `{"message": ...}`. Every caller is the IAM user "local".
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from local.same_origin import guarded
from local.server import Request, Response, Server, message

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from local.template import Route

    Invoker = Callable[[str, dict[str, Any]], Any]
    Page = Callable[[Request], Response]

INTEGRATION_SECONDS = 30.0
"""The gateway's timeout for a function, from the arrival of the request."""

ACCOUNT = "000000000000"

# The pages of the local stack that a link on another site may open: they hold no data.
_NAVIGABLE = ("/", "/docs")

# Observed on the real API Gateway; its documentation only says "binary".
_TEXT = re.compile(r"text/.*|application/(json|xml|javascript)")
_NOT_FORWARDED = ("connection", "cookie", "expect", "keep-alive", "te", "transfer-encoding", "upgrade")
_NOT_RETURNED = ("connection", "content-length", "date", "keep-alive", "transfer-encoding", "upgrade")
_AUTHORITY = re.compile(r"https?://[^/]*", re.IGNORECASE)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*")

_log = logging.getLogger(__name__)


class FunctionError(Exception):
    """The function raised, was killed, or could not be reached. The caller receives 500, "Internal Server Error"."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    method: str
    path: re.Pattern[str]
    route: Route


def serve(
    routes: Iterable[Route],
    invoke: Invoker,
    *,
    port: int = 0,
    caller: str = "local",
    pages: Mapping[str, Page] | None = None,
    callback_hosts: Collection[str] = (),
) -> Server:
    """Serve the routes on 127.0.0.1 and `port` (0: any free one), and `pages`, by path, of the local stack itself.

    `invoke(logical id, event)` returns the function's response or raises FunctionError. `callback_hosts` are further values of
    the Host header for routes without an authorizer: an OCPP server in a container cannot call back at 127.0.0.1. Raises
    OSError if the port is in use.
    """
    patterns = sorted(map(_pattern, routes), key=_precedence)
    own_pages = pages or {}

    def respond(request: Request) -> Response:
        path, _ = _split(request.target)
        if path in own_pages:
            return own_pages[path](request)
        for pattern in patterns:
            match = pattern.path.fullmatch(path)
            if match and pattern.method in ("ANY", request.method):
                event = build_event(request, pattern.route, match.groupdict(), caller)
                call = partial(invoke, pattern.route.function, event)
                return _call_until(request.received + INTEGRATION_SECONDS, call)
        return message(HTTPStatus.NOT_FOUND)

    for_loopback = guarded(respond, navigable=_NAVIGABLE)
    for_callbacks = guarded(respond, callback_hosts)

    def respond_to_allowed_host(request: Request) -> Response:
        path, _ = _split(request.target)
        is_open = any(pattern.route.open and pattern.path.fullmatch(path) for pattern in patterns)
        return (for_callbacks if is_open and path not in own_pages else for_loopback)(request)

    return Server(respond_to_allowed_host, port)


def build_event(request: Request, route: Route, parameters: Mapping[str, str], caller: str) -> dict[str, Any]:
    """Return the event for a request, in payload format 2.0."""
    path, query = _split(request.target)
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in ((name.lower(), value) for name, value in request.headers):
        if name == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";")]
        elif name not in _NOT_FORWARDED:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    trace = f"Root=1-{int(request.received):08x}-{secrets.token_hex(12)}"
    forwarded = ",".join(filter(None, (headers.get("x-forwarded-for"), request.client)))
    headers |= {"content-length": str(len(request.body)), "x-amzn-trace-id": trace}
    headers |= {"x-forwarded-for": forwarded, "x-forwarded-proto": "http"}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": {
                "method": request.method,
                "path": path,
                "protocol": request.protocol,
                "sourceIp": request.client,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": b64encode(secrets.token_bytes(11)).decode(),
            "routeKey": route.key,
            "stage": "$default",
            "time": datetime.fromtimestamp(request.received, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(request.received * 1000),
        },
        "isBase64Encoded": False,
    }
    if not route.open:
        event["requestContext"]["authorizer"] = {"iam": _identity(caller)}
    if cookies:
        event["cookies"] = cookies
    if query:
        values: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True, errors="replace"):
            values[name] = f"{values[name]},{value}" if name in values else value
        event["queryStringParameters"] = values
    if parameters:
        event["pathParameters"] = dict(parameters)
    if request.body:
        media = headers.get("content-type", "").partition(";")[0].strip().lower()
        event["isBase64Encoded"] = not _TEXT.fullmatch(media)
        event["body"] = (
            b64encode(request.body).decode()
            if event["isBase64Encoded"]
            else request.body.decode("utf-8", "replace")
        )
    return event


def read_response(value: Any) -> Response:
    """Return the HTTP response for what a function returned. Raises FunctionError if it is malformed."""
    if not isinstance(value, dict) or "statusCode" not in value:
        text = value if isinstance(value, str) else json.dumps(value)
        return Response(200, [("content-type", "application/json")], text.encode())
    status, body = value["statusCode"], value.get("body") or ""
    if not (isinstance(status, int) and 200 <= status <= 599 and isinstance(body, str)):
        raise FunctionError("malformed response: statusCode or body")
    headers = {str(name).lower(): str(text) for name, text in (value.get("headers") or {}).items()}
    if body:
        headers.setdefault("content-type", "text/plain;charset=UTF-8")
    fields = [(name, text) for name, text in headers.items() if name not in _NOT_RETURNED]
    fields += [("set-cookie", str(cookie)) for cookie in value.get("cookies") or ()]
    if not all(_HEADER.fullmatch(f"{name}: {text}") for name, text in fields):
        raise FunctionError("malformed response: headers")
    try:
        data = b64decode(body, validate=True) if value.get("isBase64Encoded") else body.encode()
    except (Base64Error, UnicodeError) as error:
        raise FunctionError("malformed response: body") from error
    return Response(status, fields, data)


def _call_until(until: float, call: Callable[[], Any]) -> Response:
    future: Future[Response] = Future()

    def run() -> None:
        try:
            future.set_result(read_response(call()))
        except Exception as error:  # noqa: BLE001 (a function can raise anything)
            future.set_exception(error)

    # A daemon thread: the stack must be able to end while a function never returns.
    Thread(target=run, daemon=True).start()
    try:
        error = future.exception(max(0.0, until - time.time()))
    except TimeoutError:
        return message(HTTPStatus.SERVICE_UNAVAILABLE)
    if error:
        _log.error("a function failed", exc_info=error)
        return message(HTTPStatus.INTERNAL_SERVER_ERROR)
    return future.result()


def _pattern(route: Route) -> _Pattern:
    method, _, path = route.key.partition(" ")
    parts = re.split(r"\{(\w+)(\+?)\}", path)
    pattern = re.escape(parts[0])
    for name, greedy, literal in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        pattern += f"(?P<{name}>{'.+' if greedy else '[^/]+'}){re.escape(literal)}"
    return _Pattern(method, re.compile(pattern, re.DOTALL), route)


def _precedence(pattern: _Pattern) -> tuple[bool, int, bool]:
    key = pattern.route.key
    return "+}" in key, key.count("{"), pattern.method == "ANY"


def _split(target: str) -> tuple[str, str]:
    # An HTTP API decodes the path once, matches routes on the result, and passes it on as rawPath.
    path, _, query = target.partition("?")
    return unquote(_AUTHORITY.sub("", path, count=1), errors="replace"), query


def _identity(caller: str) -> dict[str, Any]:
    return {
        "accessKey": "local",
        "accountId": ACCOUNT,
        "callerId": caller,
        "cognitoIdentity": None,
        "principalOrgId": "aws:PrincipalOrgID",
        "userArn": f"arn:aws:iam::{ACCOUNT}:user/{caller}",
        "userId": caller,
    }
