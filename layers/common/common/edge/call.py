"""Read an event of an API Gateway HTTP API (payload format 2.0), once per request.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import os
import re
import time
from base64 import b64decode
from typing import TYPE_CHECKING, NamedTuple

from common.transport import Deadline

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from common.edge.lambda_types import Context, Event

_GATEWAY_TIMEOUT = (
    29.0  # seconds since the request arrived; an HTTP API ends it after 30, cold start included
)
_MAX_CLOCK_DIFFERENCE = (
    15.0  # seconds; if the gateway's clock differs by more, its time of arrival is ignored
)
_RESPONSE_RESERVE = 0.3  # seconds that the runtime needs to return the response
_XRAY = re.compile(
    r"Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:.*?;Parent=([0-9a-f]{16}))?(?:.*?;Sampled=([01]))?"
)
_MAX_CALLER_LENGTH = 512


class Call(NamedTuple):
    """One HTTP request.

    ``lease`` is the latest time at which this invocation can still run, in seconds since the epoch.
    ``base_url`` is the API's own address, as the gateway has it.
    """

    method: str
    route: str
    path_parameters: Mapping[str, str]
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    caller: str
    trace_id: str | None
    trace_parent: str | None
    deadline: Deadline
    lease: float
    base_url: str | None = None

    @classmethod
    def of(cls, event: Event, context: Context) -> Call:
        request = event.get("requestContext") or {}
        headers = headers_of(event)
        left = context.get_remaining_time_in_millis() / 1000
        now = time.time()
        trace_id, trace_parent = _trace(
            os.environ.get("_X_AMZN_TRACE_ID") or headers.get("x-amzn-trace-id", "")
        )
        return cls(
            method=(request.get("http") or {}).get("method", "POST").upper(),
            route=event.get("routeKey", ""),
            path_parameters=event.get("pathParameters") or {},
            headers=headers,
            query=event.get("queryStringParameters") or {},
            body=_body(event),
            caller=_caller(request.get("authorizer") or {}),
            trace_id=trace_id,
            trace_parent=trace_parent,
            deadline=Deadline.after(
                min(left, _gateway_left(request.get("timeEpoch"), now)) - _RESPONSE_RESERVE
            ),
            lease=now + left,
            base_url=_base_url(request),
        )


def headers_of(event: Event) -> dict[str, str]:
    """Return the request headers by lower-case name."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def _body(event: Event) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode(errors="surrogatepass")
    try:
        return b64decode(body)
    except ValueError:  # a gateway never sends this; the reader rejects it with a reason
        return str(body).encode(errors="replace")


def _base_url(request: Mapping[str, Any]) -> str | None:
    """Return the API's address from the gateway's own members: the caller controls the Host header."""
    domain, stage = request.get("domainName"), request.get("stage", "$default")
    if not domain:
        return None
    return f"https://{domain}" if stage == "$default" else f"https://{domain}/{stage}"


def _gateway_left(time_epoch: object, now: float) -> float:
    if not isinstance(time_epoch, int | float) or abs(now - time_epoch / 1000) > _MAX_CLOCK_DIFFERENCE:
        return _GATEWAY_TIMEOUT
    return time_epoch / 1000 + _GATEWAY_TIMEOUT - now


def _caller(authorizer: Mapping[str, Any]) -> str:
    """Return the sender's name, which is part of a request's fingerprint: it is the same in all requests of one sender.

    The sender is a role, without the session name, which changes each time a back office restarts.
    """
    iam, claims = authorizer.get("iam") or {}, (authorizer.get("jwt") or {}).get("claims") or {}
    if claims:
        sender = (
            f"{claims.get('iss', '')}#{claims.get('client_id') or claims.get('azp') or claims.get('sub', '')}"
        )
    elif iam:
        arn = str(iam.get("userArn") or "")
        sender = arn.rpartition("/")[0] if ":assumed-role/" in arn else arn or str(iam.get("callerId", ""))
    else:
        sender = str((authorizer.get("lambda") or {}).get("caller", "")) or "anonymous"
    return sender[:_MAX_CALLER_LENGTH]


def _trace(header: str) -> tuple[str | None, str | None]:
    """Return X-Ray's trace id, and the value of W3C's ``traceparent`` if the header names a parent span."""
    found = _XRAY.search(header)
    if not found:
        return None, None
    first, rest, parent, sampled = found.groups()
    trace_parent = f"00-{first}{rest}-{parent}-0{sampled or 0}" if parent else None
    return f"1-{first}-{rest}", trace_parent
