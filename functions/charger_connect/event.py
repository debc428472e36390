"""An API Gateway HTTP API event (payload 2.0) as the flow needs it, parsed once.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import os
import re
import time
from base64 import b64decode
from typing import TYPE_CHECKING, Any, NamedTuple

from common.transport import Deadline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.edge import Context

_GATEWAY_PATIENCE = 29.0  # seconds from arrival; an HTTP API cuts at 30, cold start included
_CLOCKS_AGREE = 15.0  # seconds; beyond, the gateway's clock says nothing about ours
_TO_ANSWER = 0.3  # seconds kept back for the runtime to hand the answer over
_XRAY = re.compile(
    r"Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:.*?;Parent=([0-9a-f]{16}))?(?:.*?;Sampled=([01]))?"
)
_LONGEST_CALLER = 512


class Call(NamedTuple):
    """One HTTP request. ``lease`` is when this invocation is dead at the latest, in seconds since the epoch; ``base_url`` is
    the API's own address, as the gateway knows it.
    """

    method: str
    path: str
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
    def of(cls, event: Mapping[str, Any], context: Context) -> Call:
        about = event.get("requestContext") or {}
        http = about.get("http") or {}
        headers = headers_of(event)
        left = context.get_remaining_time_in_millis() / 1000
        now = time.time()
        trace_id, trace_parent = _trace(
            os.environ.get("_X_AMZN_TRACE_ID") or headers.get("x-amzn-trace-id", "")
        )
        return cls(
            method=http.get("method", "POST").upper(),
            path=event.get("rawPath", ""),
            headers=headers,
            query=event.get("queryStringParameters") or {},
            body=_body(event),
            caller=_caller(about.get("authorizer") or {}),
            trace_id=trace_id,
            trace_parent=trace_parent,
            deadline=Deadline.after(min(left, _gateway_left(about.get("timeEpoch"), now)) - _TO_ANSWER),
            lease=now + left,
            base_url=_base_url(about),
        )


def headers_of(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the request headers by lower-case name."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode(errors="surrogatepass")
    try:
        return b64decode(body)
    except ValueError:  # no gateway sends that; a reader will say what is wrong with it
        return str(body).encode(errors="replace")


def _base_url(about: Mapping[str, Any]) -> str | None:
    """Never from the Host header, which the caller writes."""
    domain, stage = about.get("domainName"), about.get("stage", "$default")
    if not domain:
        return None
    return f"https://{domain}" if stage == "$default" else f"https://{domain}/{stage}"


def _gateway_left(time_epoch: object, now: float) -> float:
    if not isinstance(time_epoch, int | float) or abs(now - time_epoch / 1000) > _CLOCKS_AGREE:
        return _GATEWAY_PATIENCE
    return time_epoch / 1000 + _GATEWAY_PATIENCE - now


def _caller(authorizer: Mapping[str, Any]) -> str:
    """Who sent it, the same for every call of the same sender: it is part of what an id stands for.

    A role's session name changes whenever a back office starts anew, so the role is the sender.
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
    return sender[:_LONGEST_CALLER]


def _trace(header: str) -> tuple[str | None, str | None]:
    """X-Ray's trace id, and the same as W3C's ``traceparent`` where there is a span to be the parent."""
    found = _XRAY.search(header)
    if not found:
        return None, None
    first, rest, parent, sampled = found.groups()
    trace_parent = f"00-{first}{rest}-{parent}-0{sampled or 0}" if parent else None
    return f"1-{first}-{rest}", trace_parent
