"""The messages as JSON Schema, in OpenAPI's dialect: members and types from the code's own models, words and limits from here.

A member that a model gains or loses is a KeyError in the making, and so is a word that describes nothing.
"""

from __future__ import annotations

from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, Final, get_args, get_type_hints

from pydantic import TypeAdapter

from apidoc.samples import ATTEMPT
from attempts.view import to_json
from charger_connect.request import ConnectRequest
from charger_link import LinkServer, Outcome
from charger_link.ocpp import ERROR_CODES, LONGEST_INFO, STATUSES, TAKEN
from common.journal import Attempt, State
from common.wire import PROBLEM_TYPES, OcppStatusResponse, Problem, ProblemType, problems
from common.wire.xml_body import INSTANCE, MODELS, PROBLEM

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Schema = dict[str, Any]

ELEMENTS: Final = ("chargerId", "connectorId", "errorCode", "id", "info", "status")
"""The answer's XML elements, in the one order in which .NET clients read them."""
_BESIDE_THE_BODY: Final = ("connectorId",)
_INFO: Final = (
    "token-refused",
    "token-too-long",
    "connector-busy",
    "charger-refused",
    "not-connected",
    "unknown-or-not-connected",
    "not-supported",
)


def all_schemas() -> dict[str, Schema]:
    """Every schema of `components`, by name."""
    return {
        "OcppChargerConnectRequest": request(),
        "OcppStatusResponse": status_response(),
        "Problem": problem(),
        "FieldError": field_error(),
        "Attempt": attempt(),
        "AttemptPage": attempt_page(),
        "GatewayError": gateway_error(),
    }


def request() -> Schema:
    """The body of the POST: `ConnectRequest` without what comes from the query."""
    model = ConnectRequest.model_json_schema()
    told: Mapping[str, Schema] = {
        "id": {
            "description": (
                "Names the attempt: a GUID that is new for each. The same id with the same content is the same attempt, "
                "however often it is sent. The forms of .NET are read: D as here, N (32 digits), B (braces), P (parentheses) and X, "
                "in any letter case."
            ),
        },
        "chargerId": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": r"\S",
            "description": "The charger's OCPP identity, printable characters only. A number or boolean is read as its text.",
        },
        "tokenId": {
            "maxLength": 36,
            "description": (
                "The driver's token (OCPP idTag or idToken), passed on unchanged. **Without one, null or blank, nothing is "
                "ever started**: the answer is the charger's status. No control characters. Over 20 characters a 1.6 charger "
                "cannot take it: `Rejected`, `token-too-long`."
            ),
        },
        "serverIpAddress": {
            "anyOf": [
                {"type": "string", "format": "ipv4"},
                {"type": "string", "format": "ipv6"},
                {"type": "null"},
            ],
            "description": (
                "IPv4 or IPv6 address of the OCPP server that holds the charger's WebSocket, without blanks; host names are not taken. "
                "It must lie in the deployment's `LinkServers`, else 403. With `serverRestApiPort` or not at all: where both are absent, "
                "the server through which this charger last answered is called, else the deployment's default, else one of an attempt "
                "whose outcome is not known."
            ),
        },
        "serverRestApiPort": {
            "minimum": 1,
            "maximum": 65535,
            "description": "Port of that server's REST API. An integer, or a string of one; never a fraction, an exponent or a boolean.",
        },
    }
    members = [name for name in model["properties"] if name not in _BESIDE_THE_BODY]
    return {
        "type": "object",
        "description": (
            "What connects a token to a charger. Member names are read in any letter case in JSON and forms; unknown members "
            "are ignored; an absent member is null. Of duplicates the last counts in JSON, the first in XML and forms. "
            "A member that is null is `i:nil` in XML, and blank in a form."
        ),
        "required": ["id", "chargerId"],
        "dependentRequired": {
            "serverIpAddress": ["serverRestApiPort"],
            "serverRestApiPort": ["serverIpAddress"],
        },
        "properties": {name: _member(model["properties"][name], told[name]) for name in _same(members, told)},
        "xml": _xml("OcppChargerConnectRequest", MODELS),
    }


def status_response() -> Schema:
    """The 200 of the POST. Members in the order of the XML elements."""
    model = _record(OcppStatusResponse)
    told: Mapping[str, Schema] = {
        "chargerId": {"description": "As in the request."},
        "connectorId": {
            "format": "int32",
            "minimum": 0,
            "maximum": 2**31 - 1,
            "description": "The connector (OCPP 2.0.1: the EVSE) that was asked for or reported; 0 where it is not known.",
        },
        "errorCode": {
            "enum": ["NoError", *sorted(ERROR_CODES - {"NoError"})],
            "description": "OCPP 1.6 ChargePointErrorCode, from a message received after the start; else `NoError`.",
        },
        "id": {"description": "As in the request, in lower case with hyphens."},
        "info": {
            "maxLength": LONGEST_INFO,
            "description": f"null, or one word of {', '.join(f'`{word}`' for word in _INFO)}, free text after it.",
        },
        "status": {
            "enum": sorted(TAKEN | STATUSES | {"Rejected"}),
            "description": (
                "What became of this request. With a token: `Accepted`: the charger said it will try, energy may not flow yet, or "
                "ever; `Preparing`, `Charging`, `SuspendedEV`, `SuspendedEVSE`, `Occupied`: accepted, and the charger said so after "
                "the start; `Rejected`: charger or server declined; `Unavailable`: no connection to the charger, nothing was sent. "
                "Without a token: the charger's own OCPP status."
            ),
        },
    }
    return {
        "type": "object",
        "description": (
            "The charger's answer. In XML the elements stand in exactly the order listed here (`x-element-order`): a displaced "
            f'one silently becomes null or 0 in a .NET client. A null is `i:nil="true"` (`i` is {INSTANCE}); an empty element is '
            "an empty string. In JSON the order does not matter."
        ),
        "required": list(ELEMENTS),
        "additionalProperties": False,
        "properties": {
            name: _member(model["properties"][name], told[name])
            for name in _same(ELEMENTS, told, model["properties"])
        },
        "xml": _xml("OcppStatusResponse", MODELS),
        "x-element-order": list(ELEMENTS),
    }


def problem() -> Schema:
    """Every error, RFC 9457."""
    model = _record(Problem)
    told: Mapping[str, Schema] = {
        "type": {
            "format": "uri-reference",
            "enum": [f"/problems/{slug}" for slug in PROBLEM_TYPES],
            "description": "Names the kind of problem; stable, for programs.",
        },
        "title": {"description": "The same for every problem of a type."},
        "status": {
            "enum": sorted({kind.status for kind in PROBLEM_TYPES.values()}),
            "description": "The HTTP status.",
        },
        "detail": {
            "description": "What happened this time, and what to do. Never holds a token or an address."
        },
        "instance": {
            "type": "string",
            "format": "uri-reference",
            "description": "The attempt, where there is one: GET it to see what is known.",
        },
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": ref("FieldError"),
            "xml": {"wrapped": True},
            "description": "Of a 400: every violation. In XML each is an element `i`.",
        },
        "outcome": {
            "type": "string",
            "enum": list(get_args(problems.ProblemOutcome)),
            "description": (
                "Of a 409 and every 5xx: `not-started`: try again with the same id; `pending`: wait; `unknown`: it may have started, or may still start: "
                "look at `instance` and check the charger; a request under another id can start a second charge."
            ),
        },
    }
    return {
        "type": "object",
        "description": (
            "A problem document (RFC 9457). Members that say nothing are absent. "
            f"`application/problem+xml` where XML was negotiated, in the namespace {PROBLEM}, else `application/problem+json`."
        ),
        "required": model["required"],
        "additionalProperties": False,
        "properties": {
            name: _member(
                model["properties"][name], told[name], whole="enum" not in told[name] and "type" in told[name]
            )
            for name in _same(model["properties"], told)
        },
        "xml": _xml("problem", PROBLEM),
    }


def of_types(slugs: Iterable[str]) -> Schema:
    """The problem schema, narrowed to some of its types, which share a status."""
    kinds: dict[str, ProblemType] = {slug: PROBLEM_TYPES[slug] for slug in slugs}
    (status,) = {kind.status for kind in kinds.values()}
    properties: dict[str, Schema] = {
        "type": {"enum": [f"/problems/{slug}" for slug in kinds]},
        "title": {"enum": [kind.title for kind in kinds.values()]},
        "status": {"const": status},
    }
    outcomes: set[str] = {kind.outcome for kind in kinds.values() if kind.outcome}
    if "journal-unavailable" in kinds:  # of a GET: nothing is known about the attempt that was to be read
        outcomes.add("unknown")
    required = ["outcome"] if outcomes else []
    if outcomes:
        properties["outcome"] = {"enum": sorted(outcomes)}
    return {**ref("Problem"), "properties": properties, **({"required": required} if required else {})}


def field_error() -> Schema:
    model = _record(problems.FieldError)
    told: Mapping[str, Schema] = {
        "field": {"description": "The member's name, `body` for the whole body, or the name of a parameter."},
        "message": {"description": "What to send instead; never repeats the value."},
    }
    return {
        "type": "object",
        "description": "One violation.",
        "required": model["required"],
        "additionalProperties": False,
        "properties": {
            name: _member(model["properties"][name], told[name]) for name in _same(model["properties"], told)
        },
        "xml": {"name": "i"},
    }


def attempt() -> Schema:
    """What `attempts.view.to_json` returns; types from the journal's `Attempt`."""
    model = _record(Attempt)["properties"]
    members = list(to_json(Attempt("", "", State.PENDING, "", ""), 0))
    told: Mapping[str, Schema] = {
        "id": {"format": "uuid", "description": "The request's id."},
        "chargerId": {"description": "The charger that was asked for."},
        "state": {
            "type": "string",
            "enum": [str(state) for state in State],
            "description": (
                "`pending`: being carried out; `completed`: accepted, rejected by the charger, or a status told; `failed`: certainly nothing was "
                "started, and the same id may be sent again (a rejection from before the charger was asked is one); "
                "`unknown`: sent, and the outcome is not known, or the invocation that carried it out died."
            ),
        },
        "outcome": {
            "enum": [*(str(outcome) for outcome in Outcome), None],
            "description": "As the header `Connect-Outcome` of the answer; null where there was none.",
        },
        "answer": {
            "anyOf": [ref("OcppStatusResponse"), {"type": "null"}],
            "description": "The body that the caller heard with 200.",
        },
        "problem": {
            "anyOf": [
                {
                    "type": "object",
                    "required": ["type", "detail"],
                    "properties": {
                        "type": {
                            "enum": list(PROBLEM_TYPES),
                            "description": "The last segment of the problem's type.",
                        },
                        "detail": {"type": "string"},
                    },
                },
                {"type": "null"},
            ],
            "description": "Why there was no answer.",
        },
        "server": {"description": "The OCPP server that was called, `address:port`."},
        "dialect": {
            "enum": [*get_args(LinkServer.model_fields["dialect"].annotation), None],
            "description": "How that server is spoken to.",
        },
        "connectorId": {"minimum": 1, "description": "The connector that was asked for."},
        "token": {
            "description": "Masked: its last four characters from 12 on, else none; null where none was given."
        },
        "tries": {"minimum": 1, "description": "How often the attempt was carried out."},
        "milliseconds": {
            "additionalProperties": {"type": "integer", "minimum": 0},
            "description": "What each step took, before it was settled.",
        },
        "createdAt": {"format": "date-time", "description": "When it was first claimed, UTC."},
        "updatedAt": {"format": "date-time", "description": "When it last changed, UTC."},
        "caller": {"description": "Who sent it: an ARN, or issuer and client of a JSON Web Token."},
        "traceId": {"description": "The X-Ray trace of the last try."},
        "remoteStartId": {
            "type": ["integer", "null"],
            "minimum": 1,
            "description": (
                "The remoteStartId that a charger of OCPP 2.0.1 receives with the start: 31 bits of the id's SHA-256. "
                "null where nothing was to be started, and with a dialect whose server does not pass it on."
            ),
        },
    }
    return {
        "type": "object",
        "description": "Everything that happened under one id.",
        "required": members,
        "additionalProperties": False,
        "properties": {
            name: _member(
                model.get(name, {}), told[name], whole=not {"enum", "anyOf", "type"}.isdisjoint(told[name])
            )
            for name in _same(members, told, ATTEMPT)
        },
    }


def attempt_page() -> Schema:
    return {
        "type": "object",
        "description": "A charger's attempts, newest first.",
        "required": ["attempts", "next"],
        "additionalProperties": False,
        "properties": {
            "attempts": {"type": "array", "maxItems": 100, "items": ref("Attempt")},
            "next": {
                "type": ["string", "null"],
                "description": "Opaque: send it as `next` for the page after this one; null where there is none.",
            },
        },
    }


def gateway_error() -> Schema:
    return {
        "type": "object",
        "description": (
            "API Gateway's own answer, given before or instead of the service's: not a problem document. A 5xx of this "
            "shape is to be taken as `unknown`: ask again with the same id."
        ),
        "properties": {"message": {"type": ["string", "null"]}},
    }


def _record(kind: type) -> Schema:
    """Members and types of a record: each is described by its own annotation, and required where it has no default."""
    hints = get_type_hints(kind, include_extras=True)
    parameters = signature(kind).parameters
    return {
        "properties": {name: TypeAdapter(hint).json_schema() for name, hint in hints.items()},
        "required": [name for name in hints if parameters[name].default is Parameter.empty],
    }


def _member(model: Schema, told: Schema, *, whole: bool = False) -> Schema:
    """A property as its model types it, with what is told about it; `whole` where the model says nothing of use."""
    if whole or "anyOf" in told:
        return dict(told)
    kinds = [kind["type"] for kind in model["anyOf"]] if "anyOf" in model else [model["type"]]
    given = {name: value for name, value in model.items() if name in ("format",)}
    if "anyOf" in model:
        (kind,) = (kind for kind in model["anyOf"] if kind["type"] != "null")
        given = {name: value for name, value in kind.items() if name in ("format",)}
    return {"type": kinds if len(kinds) > 1 else kinds[0], **given, **told}


def _same(names: Iterable[str], *others: Iterable[str]) -> list[str]:
    """The names, where every other collection holds the same ones. Raises KeyError where one does not."""
    wanted = list(names)
    for other in others:
        if difference := set(wanted) ^ set(other):
            raise KeyError(*sorted(difference))
    return wanted


def _xml(name: str, namespace: str) -> Schema:
    return {"name": name, "namespace": namespace}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
