"""The messages as OpenAPI schemas. Properties and types come from the code's models, descriptions and limits from this module.

A property that only the model or only this module has raises KeyError.
"""

from __future__ import annotations

from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, Final, get_args, get_type_hints

from pydantic import TypeAdapter

from apidoc.samples import ATTEMPT
from attempts.view import to_json
from charger_connect.request import ConnectRequest
from charger_link import Outcome
from charger_link.dialects import registry
from charger_link.limits import LONGEST_INFO
from charger_link.words import ERROR_CODES, STATUSES, TAKEN, InfoWord
from common.journal import Attempt, State
from common.wire import PROBLEM_TYPES, OcppStatusResponse, Problem, ProblemType, problems
from common.wire.xml_body import INSTANCE, MODELS, PROBLEM

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Schema = dict[str, Any]

ELEMENTS: Final = ("chargerId", "connectorId", "errorCode", "id", "info", "status")
"""The response's XML elements, in the only order that .NET clients accept."""
_QUERY_PARAMETERS: Final = ("connectorId",)


def build_schemas() -> dict[str, Schema]:
    """Return every schema of `components`, by name."""
    return {
        "OcppChargerConnectRequest": _request_schema(),
        "OcppStatusResponse": _status_response_schema(),
        "Problem": _problem_schema(),
        "FieldError": _field_error_schema(),
        "Attempt": _attempt_schema(),
        "Transaction": _transaction_schema(),
        "Resolution": _resolution_schema(),
        "AttemptPage": _attempt_page_schema(),
        "GatewayError": _gateway_error_schema(),
    }


def _request_schema() -> Schema:
    """Return the schema of the POST's body: `ConnectRequest` without the query parameters."""
    model = ConnectRequest.model_json_schema()
    descriptions: Mapping[str, Schema] = {
        "id": {
            "description": (
                "Identifies the attempt: a GUID, a new one for each attempt. The same id with the same content is the same attempt, "
                "however often it is sent. Accepts the GUID formats of .NET: D as here, N (32 digits), B (braces), P (parentheses) and X, "
                "in any letter case."
            ),
        },
        "chargerId": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": r"\S",
            "description": "The charger's OCPP identity, printable characters only. A number or boolean is converted to text.",
        },
        "tokenId": {
            "maxLength": 36,
            "description": (
                "The driver's token (OCPP idTag or idToken), sent unchanged. **If it is absent, null or blank, nothing is "
                "started**: the response is the charger's status. No control characters. An OCPP 1.6 charger does not support a "
                "token of more than 20 characters: the response is `Rejected`, `token-too-long`."
            ),
        },
        "serverIpAddress": {
            "anyOf": [
                {"type": "string", "format": "ipv4"},
                {"type": "string", "format": "ipv6"},
                {"type": "null"},
            ],
            "description": (
                "IPv4 or IPv6 address of the OCPP server to which the charger is connected, without blanks; not a host name. "
                "An address that the deployment's `LinkServers` does not allow receives 403. Send both this field and `serverRestApiPort`, "
                "or neither. If both are absent, the service calls the server through which this charger last answered; else the "
                "deployment's default server; else the server of an attempt whose outcome is unknown."
            ),
        },
        "serverRestApiPort": {
            "minimum": 1,
            "maximum": 65535,
            "description": "Port of that server's REST API. An integer, or a string that holds one; no fraction, exponent or boolean.",
        },
    }
    names = [name for name in model["properties"] if name not in _QUERY_PARAMETERS]
    return {
        "type": "object",
        "description": (
            "A request to connect a token to a charger. Field names are not case-sensitive in JSON and forms. Unknown fields "
            "are ignored. An absent field is null. Of duplicate fields, JSON uses the last; XML and forms use the first. "
            "A null is `i:nil` in XML, and blank in a form."
        ),
        "required": ["id", "chargerId"],
        "dependentRequired": {
            "serverIpAddress": ["serverRestApiPort"],
            "serverRestApiPort": ["serverIpAddress"],
        },
        "properties": {
            name: _property(model["properties"][name], descriptions[name])
            for name in _require_same(names, descriptions)
        },
        "xml": _xml("OcppChargerConnectRequest", MODELS),
    }


def _status_response_schema() -> Schema:
    """Return the schema of the POST's 200, with properties in the order of the XML elements."""
    model = _model_schema(OcppStatusResponse)
    descriptions: Mapping[str, Schema] = {
        "chargerId": {"description": "As in the request."},
        "connectorId": {
            "format": "int32",
            "minimum": 0,
            "maximum": 2**31 - 1,
            "description": "The connector (OCPP 2.0.1: the EVSE) that was requested or reported; 0 if it is unknown.",
        },
        "errorCode": {
            "enum": ["NoError", *sorted(ERROR_CODES - {"NoError"})],
            "description": "OCPP 1.6 ChargePointErrorCode from a message received after the start; otherwise `NoError`.",
        },
        "id": {"description": "As in the request, in lower case with hyphens."},
        "info": {
            "maxLength": LONGEST_INFO,
            "description": (
                f"null, or one of the words {', '.join(f'`{word}`' for word in InfoWord)}. Free text may follow the word."
            ),
        },
        "status": {
            "enum": sorted(TAKEN | STATUSES | {"Rejected"}),
            "description": (
                "The outcome of this request. With a token: `Accepted`: the charger accepted the start, but energy may not flow yet, or "
                "at all; `Preparing`, `Charging`, `SuspendedEV`, `SuspendedEVSE`, `Occupied`: the charger accepted the start, then "
                "reported this status; `Rejected`: the charger or the OCPP server rejected the start; `Unavailable`: the charger is "
                "not connected, and nothing was sent. Without a token: the charger's OCPP status."
            ),
        },
    }
    return {
        "type": "object",
        "description": (
            "The charger's answer. The XML elements are in exactly the order listed here (`x-element-order`): in another order, a .NET "
            f'client silently reads null or 0. A null is `i:nil="true"` (`i` is {INSTANCE}); an empty element is an empty string. '
            "In JSON the order does not matter."
        ),
        "required": list(ELEMENTS),
        "additionalProperties": False,
        "properties": {
            name: _property(model["properties"][name], descriptions[name])
            for name in _require_same(ELEMENTS, descriptions, model["properties"])
        },
        "xml": _xml("OcppStatusResponse", MODELS),
        "x-element-order": list(ELEMENTS),
    }


def _problem_schema() -> Schema:
    """Return the schema of problem documents (RFC 9457)."""
    model = _model_schema(Problem)
    descriptions: Mapping[str, Schema] = {
        "type": {
            "format": "uri-reference",
            "enum": [f"/problems/{slug}" for slug in PROBLEM_TYPES],
            "description": "Identifies the type of the problem. Stable, for programs.",
        },
        "title": {"description": "A summary, the same for all problems of this type."},
        "status": {
            "enum": sorted({kind.status for kind in PROBLEM_TYPES.values()}),
            "description": "The HTTP status code.",
        },
        "detail": {
            "description": "What happened in this case, and what to do. Never contains a token or an address."
        },
        "instance": {
            "type": "string",
            "format": "uri-reference",
            "description": "The URL of the attempt, if there is one. GET it to read the recorded state.",
        },
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": refer_to("FieldError"),
            "xml": {"wrapped": True},
            "description": "In a 400: every violation. In XML each is an element `i`.",
        },
        "outcome": {
            "type": "string",
            "enum": list(get_args(problems.ProblemOutcome)),
            "description": (
                "In every 409 and 5xx. `not-started`: send the request again with the same id. `pending`: wait. `unknown`: a charge may have "
                "started, or may still start: read `instance` and check the charger. A request with another id can start a second charge."
            ),
        },
    }
    return {
        "type": "object",
        "description": (
            "A problem document (RFC 9457). Members without a value are absent. The media type is `application/problem+xml` (namespace "
            f"{PROBLEM}) if XML was negotiated, otherwise `application/problem+json`."
        ),
        "required": model["required"],
        "additionalProperties": False,
        "properties": {
            name: _property(
                model["properties"][name],
                descriptions[name],
                replace="enum" not in descriptions[name] and "type" in descriptions[name],
            )
            for name in _require_same(model["properties"], descriptions)
        },
        "xml": _xml("problem", PROBLEM),
    }


def narrow_problem(slugs: Iterable[str], *, about_a_start: bool = True) -> Schema:
    """Return the problem schema, narrowed to some types that share a status code.

    Of a charge that was started before, no response says that it was not started: `about_a_start` is False then.
    """
    types: dict[str, ProblemType] = {slug: PROBLEM_TYPES[slug] for slug in slugs}
    (status,) = {type_.status for type_ in types.values()}
    properties: dict[str, Schema] = {
        "type": {"enum": [f"/problems/{slug}" for slug in types]},
        "title": {"enum": [type_.title for type_ in types.values()]},
        "status": {"const": status},
    }
    outcomes: set[str] = {type_.outcome for type_ in types.values() if type_.outcome}
    if "journal-unavailable" in types:  # from a GET, which could not read the attempt's state
        outcomes.add("unknown")
    if not about_a_start and "not-started" in outcomes:
        outcomes = outcomes - {"not-started"} | {"unknown"}
    required = ["outcome"] if outcomes else []
    if outcomes:
        properties["outcome"] = {"enum": sorted(outcomes)}
    return {**refer_to("Problem"), "properties": properties, **({"required": required} if required else {})}


def _field_error_schema() -> Schema:
    model = _model_schema(problems.FieldError)
    descriptions: Mapping[str, Schema] = {
        "field": {"description": "The name of the field or parameter, or `body` for the whole body."},
        "message": {"description": "What to send instead. Never repeats the value."},
    }
    return {
        "type": "object",
        "description": "One violation.",
        "required": model["required"],
        "additionalProperties": False,
        "properties": {
            name: _property(model["properties"][name], descriptions[name])
            for name in _require_same(model["properties"], descriptions)
        },
        "xml": {"name": "i"},
    }


def _attempt_schema() -> Schema:
    """Return the schema of what `attempts.view.to_json` returns, with the types of the journal's `Attempt`."""
    model = _model_schema(Attempt)["properties"]
    names = list(to_json(Attempt("", "", State.PENDING, "", ""), 0))
    descriptions: Mapping[str, Schema] = {
        "id": {"format": "uuid", "description": "The request's id."},
        "chargerId": {"description": "The charger in the request."},
        "state": {
            "type": "string",
            "enum": [str(state) for state in State],
            "description": (
                "`pending`: in progress. `completed`: accepted, rejected by the charger, or a status was returned. `failed`: certainly "
                "nothing was started, and the same request may be sent again with the same id (this includes a rejection from before "
                "the charger received the start). `unknown`: sent, and the outcome is unknown; or the invocation that "
                "processed the attempt was terminated. After an operator's word `not-started`, `failed` is as certain as that word."
            ),
        },
        "outcome": {
            "enum": [*(str(outcome) for outcome in Outcome), None],
            "description": "The header `Connect-Outcome` of the response; null if there is no answer.",
        },
        "answer": {
            "anyOf": [refer_to("OcppStatusResponse"), {"type": "null"}],
            "description": "The body of the 200 that the caller received.",
        },
        "problem": {
            "anyOf": [
                {
                    "type": "object",
                    "required": ["type", "detail"],
                    "properties": {
                        "type": {
                            "enum": list(PROBLEM_TYPES),
                            "description": "The last segment of the problem's `type`.",
                        },
                        "detail": {"type": "string"},
                    },
                },
                {"type": "null"},
            ],
            "description": "Why there is no answer.",
        },
        "server": {"description": "The OCPP server that was called, `address:port`."},
        "dialect": {
            "enum": [*registry.NAMES, None],
            "description": "The protocol of that server's REST API.",
        },
        "connectorId": {"minimum": 1, "description": "The connector in the request to the OCPP server."},
        "token": {
            "description": "Masked: the last four characters of a token of 12 or more, none of a shorter one. null if the request has no token."
        },
        "tries": {"minimum": 1, "description": "How many times the attempt was executed."},
        "milliseconds": {
            "additionalProperties": {"type": "integer", "minimum": 0},
            "description": "The duration of each step before the outcome was recorded.",
        },
        "createdAt": {"format": "date-time", "description": "The time of the first request, UTC."},
        "updatedAt": {"format": "date-time", "description": "The time of the last change, UTC."},
        "caller": {
            "description": "The sender of the request: an ARN, or the issuer and client of a JSON Web Token."
        },
        "traceId": {"description": "The X-Ray trace id of the last try."},
        "remoteStartId": {
            "type": ["integer", "null"],
            "minimum": 1,
            "description": (
                "The remoteStartId that an OCPP 2.0.1 charger receives with the start: 31 bits of the id's SHA-256. "
                "null if the request starts nothing, or if the OCPP server does not pass the remoteStartId on."
            ),
        },
        "transaction": {
            "anyOf": [refer_to("Transaction"), {"type": "null"}],
            "description": "The charge that this attempt started, as far as the OCPP server's records show it.",
        },
        "otherTransactions": {
            "type": "array",
            "items": refer_to("Transaction"),
            "description": "Further charges under this id. There can be one only after an operator's word `not-started`.",
        },
        "lookedAt": _time_or_null("The time of the last search in the OCPP server's records."),
        "nothingFoundUntil": _time_or_null(
            "The time of the last search that found nothing. That nothing was found does not prove that nothing was started."
        ),
        "resolution": {
            "anyOf": [
                {
                    "type": "object",
                    "required": ["outcome", "note", "by", "at", "tries"],
                    "properties": {
                        **_resolution_schema()["properties"],
                        "by": {"type": "string", "description": "The operator."},
                        "at": {"type": "string", "format": "date-time"},
                        "tries": {"type": "integer", "minimum": 1, "description": "The try it is about."},
                        "earlier": {
                            "const": "not-started",
                            "description": "An earlier word about another try.",
                        },
                        "refused": {
                            "type": "object",
                            "description": "A refusal that arrived after the word `accepted`, and its time.",
                        },
                    },
                },
                {"type": "null"},
            ],
            "description": "What an operator recorded.",
        },
        "stop": {
            "anyOf": [
                {
                    "type": "object",
                    "required": ["requestedAt", "by"],
                    "properties": {
                        "requestedAt": {"type": "string", "format": "date-time"},
                        "by": {"type": "string", "description": "The caller."},
                        "status": {"enum": ["Accepted", "Rejected", "Unavailable"]},
                        "info": {"type": ["string", "null"]},
                        "answeredAt": {"type": "string", "format": "date-time"},
                    },
                },
                {"type": "null"},
            ],
            "description": "The last stop of this charge.",
        },
    }
    return {
        "type": "object",
        "description": "Everything that is recorded for one id.",
        "required": names,
        "additionalProperties": False,
        "properties": {
            name: _property(
                model.get(name, {}),
                descriptions[name],
                replace=not {"enum", "anyOf", "type"}.isdisjoint(descriptions[name]),
            )
            for name in _require_same(names, descriptions, ATTEMPT)
        },
    }


def _time_or_null(description: str) -> Schema:
    return {"type": ["string", "null"], "format": "date-time", "description": description}


def _transaction_schema() -> Schema:
    return {
        "type": "object",
        "description": "A charge in the OCPP server's records.",
        "required": ["id", "startedAt", "stoppedAt"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "description": "The server's id of the transaction."},
            "startedAt": _time_or_null("When it began, by the charger's clock."),
            "stoppedAt": _time_or_null("When it ended; null if it is not known to have ended."),
        },
    }


def _resolution_schema() -> Schema:
    return {
        "type": "object",
        "description": "What an operator found out about an attempt whose outcome is unknown.",
        "required": ["outcome", "note"],
        "properties": {
            "outcome": {"type": "string", "enum": ["accepted", "not-started"]},
            "note": {
                "type": "string",
                "minLength": 1,
                "maxLength": 1000,
                "pattern": r"\S",
                "description": "How it was found out.",
            },
        },
    }


def _attempt_page_schema() -> Schema:
    return {
        "type": "object",
        "description": "Attempts of a charger, newest first, or of all chargers.",
        "required": ["attempts", "next"],
        "additionalProperties": False,
        "properties": {
            "attempts": {"type": "array", "maxItems": 100, "items": refer_to("Attempt")},
            "next": {
                "type": ["string", "null"],
                "description": "An opaque cursor: send it as `next` to get the following page. null on the last page.",
            },
        },
    }


def _gateway_error_schema() -> Schema:
    return {
        "type": "object",
        "description": (
            "API Gateway's own response, sent before or instead of the service's. It is not a problem document. Treat a 5xx of "
            "this shape as `unknown`: send the request again with the same id."
        ),
        "properties": {"message": {"type": ["string", "null"]}},
    }


def _model_schema(model: type) -> Schema:
    """Return the properties of a class by its annotations. A property without a default is required."""
    hints = get_type_hints(model, include_extras=True)
    parameters = signature(model).parameters
    return {
        "properties": {name: TypeAdapter(hint).json_schema() for name, hint in hints.items()},
        "required": [name for name in hints if parameters[name].default is Parameter.empty],
    }


def _property(model: Schema, description: Schema, *, replace: bool = False) -> Schema:
    """Return the model's type together with `description`; with `replace`, or for an `anyOf`, `description` alone."""
    if replace or "anyOf" in description:
        return dict(description)
    types = [option["type"] for option in model["anyOf"]] if "anyOf" in model else [model["type"]]
    typed = model
    if "anyOf" in model:
        (typed,) = (option for option in model["anyOf"] if option["type"] != "null")
    format_ = {"format": typed["format"]} if "format" in typed else {}
    return {"type": types if len(types) > 1 else types[0], **format_, **description}


def _require_same(names: Iterable[str], *others: Iterable[str]) -> list[str]:
    """Return the names. Raises KeyError with the difference if another collection does not have the same ones."""
    expected = list(names)
    for other in others:
        if difference := set(expected) ^ set(other):
            raise KeyError(*sorted(difference))
    return expected


def _xml(name: str, namespace: str) -> Schema:
    return {"name": name, "namespace": namespace}


def refer_to(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
