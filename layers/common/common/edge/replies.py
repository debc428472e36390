"""A reply before it is written in a format, and the proxy response that API Gateway receives."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from common.wire import MediaType, OcppStatusResponse, Problem, ProblemError, make_problem, write_response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from common.edge.lambda_types import Event, Response


class Reply(NamedTuple):
    """A message of the API, a JSON object, or None for a response without a body (204)."""

    message: OcppStatusResponse | Problem | dict[str, Any] | None
    headers: Mapping[str, str] = MappingProxyType({})

    @classmethod
    def from_error(cls, error: ProblemError) -> Reply:
        return cls(error.problem, error.headers)


def proxy_response(reply: Reply, media: MediaType = MediaType.JSON) -> Response:
    """Return the response in payload format 2.0; a message of the API is written as `media`."""
    message = reply.message
    if message is None:
        return _response(204, {**reply.headers}, "")
    if isinstance(message, dict):
        return _response(200, {"Content-Type": "application/json", **reply.headers}, json.dumps(message))
    content_type, body = write_response(message, media)
    status = message.status if isinstance(message, Problem) else 200
    return _response(status, {"Content-Type": content_type, **reply.headers}, body)


def internal_error(
    detail: str, choose_media: Callable[[Event], MediaType] = lambda _event: MediaType.JSON
) -> Callable[[Event], Response]:
    """Return the function that makes the response (500) after a crash, for `guarded`."""

    def respond(event: Event) -> Response:
        return proxy_response(Reply(make_problem("internal-error", detail)), choose_media(event))

    return respond


def _response(status: int, headers: dict[str, str], body: str) -> Response:
    return {"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False}
