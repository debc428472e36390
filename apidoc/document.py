"""The OpenAPI document: the parameters, the request bodies and all responses of each route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apidoc import examples, problem_docs, schemas
from apidoc.problem_docs import PROBLEM_DOCS
from apidoc.samples import (
    ATTEMPT_PATH,
    ATTEMPTS_PATH,
    CALLBACK_PATH,
    PATH,
    REQUEST_FORMATS,
    RESOLUTION_PATH,
    UNKNOWN_PATH,
)
from apidoc.schemas import refer_to
from charger_link import Outcome
from common.wire import PROBLEM_TYPES, MediaType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apidoc.problem_docs import Operation

Node = dict[str, Any]

VERSION: Final = "1.0.0"
_DESCRIPTION: Final = """\
Connects a driver's token to an EV charger, through the OCPP server to which the charger is connected.

**No charge is started twice.** The `id` identifies the attempt. A repeat of the same request with the same `id` never starts a second
charge. Its response reports the outcome of the first request; if that certainly started nothing, the service tries again. A request
with another `id` is a new attempt and can start another charge.

**Formats.** The request body is JSON (`application/json`, `text/json`), XML (`application/xml`, `text/xml`) or a form. The response is
JSON or XML, with one of the same four media types. `Accept` selects it: the highest `q`; then a literal type before `type/*` before `*/*`;
then JSON before XML. Other parameters of `Accept` are ignored. If `Accept` is absent or names no supported type, the response has the
request's media type (`application/json` for a form), never 406. With `X-Requested-With: XMLHttpRequest`, and `Accept` absent or `*/*`, the
response is `application/json`. Responses are in UTF-8.

**Errors** are problem documents (RFC 9457). Those of `connect` are in the negotiated format. In every 409 and 5xx, `outcome` states what
a program may do: `not-started` (send the request again with the same `id`), `pending` (wait), `unknown` (a charge may have started, or may
still start: read `instance` and check the charger; a request with another `id` can start a second charge).

| problem | status | outcome | when | attempt |
| --- | --- | --- | --- | --- |
{problems}

API Gateway itself returns `{{"message": ...}}`: 401 and 403 (no valid credentials), 404 (no such route), 413 (over 10 MB), 429 (too many
requests), 500 and 503. Treat a 5xx of that shape as `unknown`: send the request again with the same `id`.
"""
_GATEWAY_RESPONSES: Final = {
    401: "The JSON Web Token is missing or invalid (API Gateway).",
    403: "The request is not signed, or the caller is not authorized (API Gateway).",
    413: "The body is over 10 MB (API Gateway).",
    429: "The deployment receives too many requests (API Gateway).",
    500: "The function could not run or was terminated. The outcome of the request is unknown (API Gateway).",
    503: "The function could not run or timed out. The outcome of the request is unknown (API Gateway).",
}
_STATUSES_WITH_RETRY_AFTER: Final = (409, 503)


def build_document() -> Node:
    """Return the content of `docs/openapi.yaml`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Charger Connect",
            "version": VERSION,
            "summary": "One HTTPS endpoint that connects a driver's token to an EV charger.",
            "description": _DESCRIPTION.format(problems=_problem_table()),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "https://{api}.execute-api.{region}.amazonaws.com",
                "description": "A deployment. Its output ConnectUrl has the URL.",
                "variables": {"api": {"default": "api"}, "region": {"default": "eu-west-1"}},
            },
            {
                "url": "http://127.0.0.1:{port}",
                "description": "The local stack (`make run`), which requires no credentials.",
                "variables": {"port": {"default": "8000"}},
            },
        ],
        "tags": [
            {"name": "connect", "description": "Connect a token to a charger, and stop the charge."},
            {
                "name": "attempts",
                "description": "Read attempts and their outcomes, and resolve unknown ones.",
            },
            {"name": "callbacks", "description": "For OCPP servers that respond later (CitrineOS)."},
        ],
        "paths": {
            PATH: {"post": _connect_operation()},
            ATTEMPT_PATH: {"get": _attempt_operation(), "delete": _stop_operation()},
            RESOLUTION_PATH: {"put": _resolve_operation()},
            UNKNOWN_PATH: {"get": _unknown_operation()},
            ATTEMPTS_PATH: {"get": _attempts_operation()},
            CALLBACK_PATH: {"post": _callback_operation()},
        },
        "components": {
            "schemas": schemas.build_schemas(),
            "parameters": _parameters(),
            "headers": _headers(),
            "examples": examples.build_examples(),
            "securitySchemes": _security_schemes(),
        },
    }


def _connect_operation() -> Node:
    return {
        "tags": ["connect"],
        "operationId": "connect",
        "summary": "Connect a token to a charger, or read the charger's status",
        "description": (
            "With a token: requests a start from the OCPP server, once, and returns the charger's answer. Without a token: starts "
            "nothing, and returns the charger's status. Any method other than POST receives 405. The body is at most 64 KiB. The "
            "response arrives within 29 s."
        ),
        "security": _credentials("connect"),
        "parameters": [_refer_to_parameter("connectorId"), _refer_to_parameter("requestedWith")],
        "requestBody": {
            "required": True,
            "description": (
                "In UTF-8, with or without a BOM. UTF-16 is accepted if the charset names it and the bytes arrive unchanged (API Gateway "
                "decodes text types as UTF-8 first). Any other charset is ignored. XML with a DOCTYPE or processing instructions is "
                "rejected."
            ),
            "content": {
                media: {
                    "schema": refer_to("OcppChargerConnectRequest"),
                    "examples": examples.refer_to_requests(media),
                }
                for media in REQUEST_FORMATS
            },
        },
        "responses": {
            "200": {
                "description": "A definite answer: accepted, rejected, offline, or the charger's status.",
                "headers": _refer_to_headers("Connect-Outcome", "Idempotent-Replayed"),
                "content": {
                    str(media): {
                        "schema": refer_to("OcppStatusResponse"),
                        "examples": examples.refer_to_statuses(media),
                    }
                    for media in MediaType
                },
            },
            **_error_responses(
                "connect", ("application/problem+json", "application/problem+xml"), tuple(_GATEWAY_RESPONSES)
            ),
        },
    }


def _attempt_operation() -> Node:
    return {
        "tags": ["attempts"],
        "operationId": "attempt",
        "summary": "Read one attempt by its id",
        "description": "Returns the recorded attempt. `instance` of a problem document is this URL. The response is always JSON.",
        "security": _credentials("connect", "read"),
        "parameters": [_refer_to_parameter("id")],
        "responses": {
            "200": _json_response("The attempt.", "Attempt", "attempt"),
            **_error_responses("attempt", ("application/problem+json",), (401, 403, 429, 500, 503)),
        },
    }


def _stop_operation() -> Node:
    return {
        "tags": ["connect"],
        "operationId": "stop",
        "summary": "Stop the charge that this id started",
        "description": (
            "Only the caller that started the charge may stop it, and only a charge that certainly is of this id is stopped. Nothing is "
            "ever started, and **repeating the request is safe**. `status` is the answer to the stop: `Accepted`, `Rejected`, or "
            "`Unavailable` (the charger is not connected). `info` is `nothing-started` or `already-stopped` if there was nothing to stop, "
            "and `stop-recorded` if the OCPP server stops the charge as soon as it begins. An OCPP server that searches its records by "
            "charger, token and time shows a charge twice before it is certain: the first request receives `not-yet-started`. The "
            "format of the response is chosen as for a POST, and a body is ignored."
        ),
        "security": _credentials("connect"),
        "parameters": [_refer_to_parameter("id"), _refer_to_parameter("requestedWith")],
        "responses": {
            "200": {
                "description": "The answer to the stop, or that there was nothing to stop.",
                "content": {
                    str(media): {
                        "schema": refer_to("OcppStatusResponse"),
                        "examples": examples.refer_to_stops(media),
                    }
                    for media in MediaType
                },
            },
            **_error_responses(
                "stop", ("application/problem+json", "application/problem+xml"), (401, 403, 429, 500, 503)
            ),
        },
    }


def _resolve_operation() -> Node:
    return {
        "tags": ["attempts"],
        "operationId": "resolve",
        "summary": "Record what became of an attempt whose outcome is unknown",
        "description": (
            "For operators. `accepted` completes the attempt, and is final. `not-started` makes it `failed`: **a repeat with the same id "
            "may then start a charge**, which is a second one if the word was wrong. So check the OCPP server's and the charger's "
            "records first. It is refused until the start can no longer arrive in the ordinary course. A repeat of the same request "
            "changes nothing. The response is always JSON."
        ),
        "security": _credentials("operate"),
        "parameters": [_refer_to_parameter("id")],
        "requestBody": {
            "required": True,
            "description": "At most 64 KiB.",
            "content": {
                "application/json": {
                    "schema": refer_to("Resolution"),
                    "examples": examples.refer_to_resolution(),
                }
            },
        },
        "responses": {
            "200": _json_response("The attempt as it is now.", "Attempt", "resolved"),
            **_error_responses("resolve", ("application/problem+json",), (401, 403, 413, 429, 500, 503)),
        },
    }


def _unknown_operation() -> Node:
    return {
        "tags": ["attempts"],
        "operationId": "unknown",
        "summary": "List the attempts whose outcome is unknown now",
        "description": (
            "Returns one page, in no particular order. A page can be shorter than `limit`, or empty, although others follow: to get the "
            "following page, send `next` of the response as the parameter `next`. The response is always JSON."
        ),
        "security": _credentials("read"),
        "parameters": [
            _refer_to_parameter("state"),
            _refer_to_parameter("limit"),
            _refer_to_parameter("next"),
        ],
        "responses": {
            "200": _json_response("A page.", "AttemptPage", "unknown"),
            **_error_responses("unknown", ("application/problem+json",), (401, 403, 429, 500, 503)),
        },
    }


def _attempts_operation() -> Node:
    return {
        "tags": ["attempts"],
        "operationId": "attempts",
        "summary": "List a charger's attempts, newest first",
        "description": (
            "Returns one page. To get the following page, send `next` of the response as the parameter `next`. "
            "The response is always JSON."
        ),
        "security": _credentials("read"),
        "parameters": [
            _refer_to_parameter("chargerId"),
            _refer_to_parameter("limit"),
            _refer_to_parameter("next"),
        ],
        "responses": {
            "200": _json_response("A page. It is empty for an unknown charger.", "AttemptPage", "attempts"),
            **_error_responses("attempts", ("application/problem+json",), (401, 403, 429, 500, 503)),
        },
    }


def _callback_operation() -> Node:
    return {
        "tags": ["callbacks"],
        "operationId": "callback",
        "summary": "Receive a charger's answer to a start from the OCPP server",
        "description": (
            "For OCPP servers, not for back offices. The OCPP server calls the URL that it received with the start. The path and "
            "the query are the credential: they are valid for 24 hours, and for one try of one attempt. A repeated callback receives "
            "204 and changes nothing."
        ),
        "security": [],
        "parameters": [
            _refer_to_parameter("id"),
            _refer_to_parameter("expires"),
            _refer_to_parameter("signature"),
            _refer_to_parameter("keySignature"),
        ],
        "requestBody": {
            "required": True,
            "description": "The charger's answer as CitrineOS posts it. Any other JSON counts as no answer.",
            "content": {
                "application/json": {
                    "schema": {"type": "object"},
                    "examples": {
                        "accepted": {"value": {"status": "Accepted"}},
                        "rejected": {"value": {"status": "Rejected"}},
                    },
                }
            },
        },
        "responses": {
            "204": {
                "description": "The callback is valid. New information is recorded; a repeat changes nothing."
            },
            **_error_responses("callback", ("application/problem+json",), (413, 429, 500, 503)),
        },
    }


def _json_response(description: str, schema: str, example: str) -> Node:
    content = {"application/json": {"schema": refer_to(schema), "examples": examples.refer_to(example)}}
    return {"description": description, "content": content}


def _error_responses(operation: Operation, media_types: Sequence[str], gateway: Sequence[int]) -> Node:
    """Return the error responses by status: the service's problems, and API Gateway's own for the statuses in `gateway`."""
    slugs_by_status = problem_docs.group_by_status(operation)
    responses: Node = {}
    for status in sorted({*slugs_by_status, *gateway}):
        slugs = slugs_by_status.get(status, [])
        lines = [f"- `{slug}`: {PROBLEM_DOCS[slug].when}" for slug in slugs]
        content: Node = {
            media: {
                "schema": schemas.narrow_problem(slugs, about_a_start=operation != "stop"),
                **(
                    {"examples": shown}
                    if (shown := examples.refer_to_problems(slugs, media, operation))
                    else {}
                ),
            }
            for media in media_types
            if slugs
        }
        if status in gateway:
            lines.append(f"- {_GATEWAY_RESPONSES[status]}")
            content["application/json"] = {"schema": refer_to("GatewayError")}
        headers = _refer_to_headers(
            *(["Retry-After"] if slugs and status in _STATUSES_WITH_RETRY_AFTER else []),
            *(["Allow"] if status == 405 else []),
        )
        responses[str(status)] = {
            "description": "\n".join(lines),
            **({"headers": headers} if headers else {}),
            "content": content,
        }
    return responses


def _parameters() -> Node:
    return {
        "connectorId": {
            "name": "connectorId",
            "in": "query",
            "description": "The connector (OCPP 2.0.1: the EVSE). If it is absent, a start uses the connector of the server's `LinkServers` entry. "
            "The parameter's name is not case-sensitive. A request with two values receives 400.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
        },
        "requestedWith": {
            "name": "X-Requested-With",
            "in": "header",
            "description": "`XMLHttpRequest`: the response is `application/json` unless `Accept` selects another type.",
            "schema": {"type": "string"},
            "example": "XMLHttpRequest",
        },
        "id": {
            "name": "id",
            "in": "path",
            "required": True,
            "description": "The id of the request.",
            "schema": {"type": "string", "format": "uuid"},
            "example": examples.find_sample("accepted").request["id"],
        },
        "chargerId": {
            "name": "chargerId",
            "in": "path",
            "required": True,
            "description": "The charger's OCPP identity, percent-encoded as one path segment. The attempts of a charger whose identity "
            "contains a slash cannot be listed, because API Gateway decodes `%2F` before it selects the route: read them by their ids.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            "example": "CP-1",
        },
        "expires": {
            "name": "expires",
            "in": "path",
            "required": True,
            "description": "The time at which the path expires, in seconds since the epoch.",
            "schema": {"type": "integer", "minimum": 0},
        },
        "signature": {
            "name": "signature",
            "in": "path",
            "required": True,
            "description": "HMAC-SHA-256 of id, expiry and try, in hexadecimal.",
            "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        },
        "keySignature": {
            "name": "keySignature",
            "in": "query",
            "description": "HMAC-SHA-256 of id, expiry, try and the attempt's key, in hexadecimal. URLs from version 1.0 do not have it.",
            "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        },
        "state": {
            "name": "state",
            "in": "query",
            "required": True,
            "description": "The state of the attempts.",
            "schema": {"type": "string", "enum": ["unknown"]},
        },
        "limit": {
            "name": "limit",
            "in": "query",
            "description": "The maximum number of attempts in a page.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        },
        "next": {
            "name": "next",
            "in": "query",
            "description": "`next` of the previous page, unchanged.",
            "schema": {"type": "string"},
        },
    }


def _headers() -> Node:
    return {
        "Connect-Outcome": {
            "description": "The outcome of the request, for programs.",
            "required": True,
            "schema": {"type": "string", "enum": [str(outcome) for outcome in Outcome]},
        },
        "Idempotent-Replayed": {
            "description": "`true` if this is the stored response of an earlier call with the same id; absent otherwise.",
            "schema": {"type": "string", "enum": ["true"]},
        },
        "Retry-After": {
            "description": "Seconds to wait before sending the same request again. Absent in API Gateway's own responses.",
            "schema": {"type": "integer", "minimum": 1},
        },
        "Allow": {
            "description": "The only method of this path.",
            "required": True,
            "schema": {"type": "string", "enum": ["POST"]},
        },
    }


def _credentials(*scopes: str) -> list[Node]:
    """Return the alternatives: a signature, a token with one of the scopes, or an allowed source address only."""
    return [{"sigv4": []}, *({"jwt": [scope]} for scope in scopes), {}]


def _security_schemes() -> Node:
    return {
        "sigv4": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": (
                "AWS Signature Version 4 for the service `execute-api`, by an IAM identity with permission to `execute-api:Invoke` the "
                "route. This is the default of a deployment (`Access` is `iam`)."
            ),
            "x-amazon-apigateway-authtype": "awsSigv4",
        },
        "jwt": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": (
                "A JSON Web Token from the deployment's issuer and for its audience (`Access` is `jwt`). The scope `connect` permits "
                "connecting, stopping and reading one attempt. The scope `read` permits reading all attempts, and the scope `operate` resolving unknown ones. If `Access` is `network`, the caller's "
                "source address replaces both schemes."
            ),
        },
    }


def _problem_table() -> str:
    rows = []
    for slug, doc in PROBLEM_DOCS.items():
        problem_type = PROBLEM_TYPES[slug]
        outcome = f"`{problem_type.outcome}`" if problem_type.outcome else ""
        rows.append(f"| `{slug}` | {problem_type.status} | {outcome} | {doc.when} | {doc.attempt} |")
    return "\n".join(rows)


def _refer_to_parameter(name: str) -> Node:
    return {"$ref": f"#/components/parameters/{name}"}


def _refer_to_headers(*names: str) -> Node:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
