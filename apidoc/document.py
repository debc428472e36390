"""The OpenAPI document: what each route takes, and every answer it can give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apidoc import examples, problem_docs, schemas
from apidoc.problem_docs import MEANINGS
from apidoc.samples import CALLBACK, MANY, ONE, PATH, REQUEST_FORMATS
from apidoc.schemas import ref
from charger_link import Outcome
from common.wire import PROBLEM_TYPES, MediaType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apidoc.problem_docs import Operation

Node = dict[str, Any]

VERSION: Final = "1.0.0"
_ABOUT: Final = """\
Connects a driver's token to an EV charger, through the OCPP server that holds the charger's WebSocket.

**Never twice.** The `id` names the attempt. The same request under the same `id` never starts a second charge: it is told what
became of the first. A new attempt needs a new `id`.

**Formats.** Requests in JSON (`application/json`, `text/json`), XML (`application/xml`, `text/xml`) or as a form; answers in JSON or XML, in
both spellings. `Accept` chooses: the highest `q`; then the literal type before `type/*` before `*/*`; then JSON before XML; its other
parameters do not matter. Without `Accept`, or where it names nothing known, the answer has the request's own type (after a form:
`application/json`), never 406. With `X-Requested-With: XMLHttpRequest` and no `Accept`, or only `*/*`: `application/json`. Always UTF-8.

**Errors** are problem documents (RFC 9457), of `connect` in the negotiated format. For every 409 and 5xx `outcome` says what a program may
do: `not-started` (try again with the same `id`), `pending` (wait), `unknown` (it may have started: look at `instance` before using a new `id`).

| problem | status | outcome | when | attempt |
| --- | --- | --- | --- | --- |
{problems}

API Gateway answers by itself with `{{"message": ...}}`: 401 and 403 (no valid credentials), 404 (no such route), 413 (over 10 MB), 429 (too
many requests), 500 and 503. A 5xx of that shape is to be taken as `unknown`: ask again with the same `id`.
"""
_GATEWAY: Final = {
    401: "No valid JSON Web Token (API Gateway).",
    403: "Not signed, or not allowed to call (API Gateway).",
    413: "Over 10 MB (API Gateway).",
    429: "Too many requests for this deployment (API Gateway).",
    500: "The function could not be run, or died: what became of the request is not known (API Gateway).",
    503: "The function could not be run, or took too long: what became of the request is not known (API Gateway).",
}
_RETRIED: Final = (409, 503)


def document() -> Node:
    """The whole of `docs/openapi.yaml`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Charger Connect",
            "version": VERSION,
            "summary": "One HTTPS endpoint that connects a driver's token to an EV charger.",
            "description": _ABOUT.format(problems=_problem_table()),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "https://{api}.execute-api.{region}.amazonaws.com",
                "description": "A deployment: its output ConnectUrl says where.",
                "variables": {"api": {"default": "api"}, "region": {"default": "eu-west-1"}},
            },
            {
                "url": "http://127.0.0.1:{port}",
                "description": "The local stack (`make run`), which asks for no credentials.",
                "variables": {"port": {"default": "8000"}},
            },
        ],
        "tags": [
            {"name": "connect", "description": "Connecting a token to a charger."},
            {"name": "attempts", "description": "What became of it."},
            {"name": "callbacks", "description": "For OCPP servers that answer later (CitrineOS)."},
        ],
        "paths": {
            PATH: {"post": _connect()},
            ONE: {"get": _attempt()},
            MANY: {"get": _attempts()},
            CALLBACK: {"post": _callback()},
        },
        "components": {
            "schemas": schemas.all_schemas(),
            "parameters": _parameters(),
            "headers": _headers(),
            "examples": examples.all_examples(),
            "securitySchemes": _security(),
        },
    }


def _connect() -> Node:
    return {
        "tags": ["connect"],
        "operationId": "connect",
        "summary": "Connect a token to a charger, or ask how the charger is",
        "description": (
            "With a token: asks the OCPP server to start a charge, once, and answers what the charger said. Without one nothing is "
            "ever started, and the answer is the charger's status. A method other than POST is answered with 405. A body "
            "is at most 64 KiB; the answer comes within 29 s."
        ),
        "security": _credentials("connect"),
        "parameters": [_parameter("connectorId"), _parameter("requestedWith")],
        "requestBody": {
            "required": True,
            "description": (
                "In UTF-8, with or without a BOM; UTF-16 where the charset names it and the bytes arrive (API Gateway decodes "
                "text types as UTF-8 first); any other charset is ignored. In XML, DOCTYPE and processing instructions are refused."
            ),
            "content": {
                media: {"schema": ref("OcppChargerConnectRequest"), "examples": examples.requests(media)}
                for media in REQUEST_FORMATS
            },
        },
        "responses": {
            "200": {
                "description": "A definite answer about the charger: accepted, rejected, offline, or its status.",
                "headers": _header_refs("Connect-Outcome", "Idempotent-Replayed"),
                "content": {
                    str(media): {"schema": ref("OcppStatusResponse"), "examples": examples.statuses(media)}
                    for media in MediaType
                },
            },
            **_errors("connect", ("application/problem+json", "application/problem+xml"), tuple(_GATEWAY)),
        },
    }


def _attempt() -> Node:
    return {
        "tags": ["attempts"],
        "operationId": "attempt",
        "summary": "One attempt, by its id",
        "description": "What is known of an attempt; `instance` of a problem document points here. Always JSON.",
        "security": _credentials("connect", "read"),
        "parameters": [_parameter("id")],
        "responses": {
            "200": _read("The attempt.", "Attempt", "attempt"),
            **_errors("attempt", ("application/problem+json",), (401, 403, 429, 500, 503)),
        },
    }


def _attempts() -> Node:
    return {
        "tags": ["attempts"],
        "operationId": "attempts",
        "summary": "A charger's attempts, newest first",
        "description": "A page; `next` of the answer, sent as `next`, gives the one after it. Always JSON.",
        "security": _credentials("read"),
        "parameters": [_parameter("chargerId"), _parameter("limit"), _parameter("next")],
        "responses": {
            "200": _read("A page; of a charger never heard of an empty one.", "AttemptPage", "attempts"),
            **_errors("attempts", ("application/problem+json",), (401, 403, 429, 500, 503)),
        },
    }


def _callback() -> Node:
    return {
        "tags": ["callbacks"],
        "operationId": "callback",
        "summary": "What a charger answered to a start, told later",
        "description": (
            "Called by an OCPP server at the URL that came with the start; not for back offices. Path and query are the credential: they "
            "are good for 24 hours and for one try of one attempt. A repeat is answered with 204 and changes nothing."
        ),
        "security": [],
        "parameters": [
            _parameter("id"),
            _parameter("expires"),
            _parameter("signature"),
            _parameter("keySignature"),
        ],
        "requestBody": {
            "required": True,
            "description": "The charger's answer as CitrineOS posts it; whatever else is JSON is taken for no answer.",
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
            "204": {"description": "Heard: recorded where it says something new, or known already."},
            **_errors("callback", ("application/problem+json",), (413, 429, 500, 503)),
        },
    }


def _read(description: str, schema: str, example: str) -> Node:
    content = {"application/json": {"schema": ref(schema), "examples": examples.of(example)}}
    return {"description": description, "content": content}


def _errors(operation: Operation, media_types: Sequence[str], gateway: Sequence[int]) -> Node:
    """Every answer but 200, by status: the service's problems, and what API Gateway says by itself."""
    ours = problem_docs.of_operation(operation)
    found: Node = {}
    for status in sorted({*ours, *gateway}):
        slugs = ours.get(status, [])
        lines = [f"- `{slug}`: {MEANINGS[slug].when}" for slug in slugs]
        content: Node = {
            media: {"schema": schemas.of_types(slugs), "examples": examples.of_problems(slugs, media)}
            for media in media_types
            if slugs
        }
        if status in gateway:
            lines.append(f"- {_GATEWAY[status]}")
            content["application/json"] = {"schema": ref("GatewayError")}
        headers = _header_refs(
            *(["Retry-After"] if slugs and status in _RETRIED else []), *(["Allow"] if status == 405 else [])
        )
        found[str(status)] = {
            "description": "\n".join(lines),
            **({"headers": headers} if headers else {}),
            "content": content,
        }
    return found


def _parameters() -> Node:
    return {
        "connectorId": {
            "name": "connectorId",
            "in": "query",
            "description": "The connector (OCPP 2.0.1: the EVSE); else the one that the server's `LinkServers` entry names. "
            "The parameter's name is read in any letter case; 400 where two values are sent.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
        },
        "requestedWith": {
            "name": "X-Requested-With",
            "in": "header",
            "description": "`XMLHttpRequest`: the answer is `application/json` unless `Accept` asks for something else.",
            "schema": {"type": "string"},
            "example": "XMLHttpRequest",
        },
        "id": {
            "name": "id",
            "in": "path",
            "required": True,
            "description": "The id of the request.",
            "schema": {"type": "string", "format": "uuid"},
            "example": examples.sample("accepted").request["id"],
        },
        "chargerId": {
            "name": "chargerId",
            "in": "path",
            "required": True,
            "description": "The charger's OCPP identity, percent-encoded as one segment. A charger with a slash in it cannot be "
            "listed, as API Gateway decodes `%2F` before it looks for the route: read its attempts by their ids.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            "example": "CP-1",
        },
        "expires": {
            "name": "expires",
            "in": "path",
            "required": True,
            "description": "Until when the path is good, in seconds since the epoch.",
            "schema": {"type": "integer", "minimum": 0},
        },
        "signature": {
            "name": "signature",
            "in": "path",
            "required": True,
            "description": "HMAC-SHA-256 over id, expiry and try, in hexadecimal.",
            "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        },
        "keySignature": {
            "name": "keySignature",
            "in": "query",
            "description": "HMAC-SHA-256 over id, expiry, try and the attempt's key, in hexadecimal. Only a URL of version 1.0 has none.",
            "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        },
        "limit": {
            "name": "limit",
            "in": "query",
            "description": "How many attempts a page holds at most.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        },
        "next": {
            "name": "next",
            "in": "query",
            "description": "`next` of the page before, as it was given.",
            "schema": {"type": "string"},
        },
    }


def _headers() -> Node:
    return {
        "Connect-Outcome": {
            "description": "What became of the request, for programs.",
            "required": True,
            "schema": {"type": "string", "enum": [str(outcome) for outcome in Outcome]},
        },
        "Idempotent-Replayed": {
            "description": "`true` where this is the recorded answer of an earlier call with the same id; else absent.",
            "schema": {"type": "string", "enum": ["true"]},
        },
        "Retry-After": {
            "description": "Seconds to wait before sending the same request again. Absent where API Gateway answers.",
            "schema": {"type": "integer", "minimum": 1},
        },
        "Allow": {
            "description": "The one method of this path.",
            "required": True,
            "schema": {"type": "string", "enum": ["POST"]},
        },
    }


def _credentials(*scopes: str) -> list[Node]:
    """What a deployment may ask for: a signature, a token with one of the scopes, or nothing but the right address."""
    return [{"sigv4": []}, *({"jwt": [scope]} for scope in scopes), {}]


def _security() -> Node:
    return {
        "sigv4": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": (
                "AWS Signature Version 4 for the service `execute-api`, by an IAM identity that may `execute-api:Invoke` the route. "
                "The default of a deployment (`Access` is `iam`)."
            ),
            "x-amazon-apigateway-authtype": "awsSigv4",
        },
        "jwt": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": (
                "A JSON Web Token of the deployment's issuer and audience (`Access` is `jwt`), with the scope `connect` to connect and "
                "to read one attempt, `read` to read all. Where `Access` is `network`, the caller's address takes the place of both."
            ),
        },
    }


def _problem_table() -> str:
    rows = []
    for slug, meaning in MEANINGS.items():
        kind = PROBLEM_TYPES[slug]
        outcome = f"`{kind.outcome}`" if kind.outcome else ""
        rows.append(f"| `{slug}` | {kind.status} | {outcome} | {meaning.when} | {meaning.leaves} |")
    return "\n".join(rows)


def _parameter(name: str) -> Node:
    return {"$ref": f"#/components/parameters/{name}"}


def _header_refs(*names: str) -> Node:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
