"""Sample requests with their responses from the local stack (`make run`).

`tests/documentation` sends every sample and compares the response, so the documentation shows real responses.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from uuid import UUID

import xmltodict

from common.edge import paths
from common.remote_start import remote_start_id
from common.wire import FieldError, MediaType, OcppStatusResponse, Problem, make_problem, write_response
from common.wire.media import FORM
from common.wire.xml_body import MODELS

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH: Final = paths.CHARGER_CONNECT
ATTEMPT_PATH: Final = paths.ATTEMPT
ATTEMPTS_PATH: Final = paths.CHARGER_ATTEMPTS
CALLBACK_PATH: Final = paths.CALLBACK
RESOLUTION_PATH: Final = paths.RESOLUTION
UNKNOWN_PATH: Final = paths.UNKNOWN_ATTEMPTS

SERVER: Final = ("127.0.0.1", 9080)
"""The local stack's OCPP server."""
UNUSED_PORT: Final = 9089
"""A port on which the local stack does not listen."""

REQUEST_FORMATS: Final = (*(str(media) for media in MediaType), FORM)
_TOKEN: Final = "04A2B3C4D5E6F7"  # noqa: S105 - a sample
_CORRECT: Final = "Correct the fields listed in `errors`, then send the request again."
_CHECK_CHARGER: Final = "Look at `instance` and check the charger: the charge may have started, or may still start, and a request under another id can start a second one."


@dataclass(frozen=True, slots=True)
class Sample:
    """One request and its response. `request` holds the body's fields and is empty for a request without a body.

    `path` has no query. `headers` are response headers.
    """

    name: str
    summary: str
    response: OcppStatusResponse | Problem
    request: Mapping[str, Any] = field(default_factory=dict)
    path: str = PATH
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return self.response.status if isinstance(self.response, Problem) else 200


def encode_request(request: Mapping[str, Any], media: str) -> str:
    """Return a request body in one of the formats; XML elements are in the order of .NET's DataContractSerializer."""
    if media == FORM:
        return urlencode({name: value for name, value in request.items() if value is not None})
    if MediaType(media).is_xml:
        fields = {name: request[name] for name in sorted(request) if request[name] is not None}
        document = {"OcppChargerConnectRequest": {"@xmlns": MODELS, **fields}}
        return xmltodict.unparse(document, full_document=False)
    return json.dumps(request)


def encode_response(response: OcppStatusResponse | Problem, media: MediaType) -> str:
    """Return a response body exactly as the service writes it."""
    return write_response(response, media)[1]


def _id(number: int) -> str:
    return f"3f2504e0-4f89-11d3-9a0c-0305e82c33{number:02d}"


def _request(
    number: int, charger: str, token: str | None = _TOKEN, address: str = SERVER[0], port: int = SERVER[1]
) -> dict[str, Any]:
    return {
        "id": _id(number),
        "chargerId": charger,
        "tokenId": token,
        "serverIpAddress": address,
        "serverRestApiPort": port,
    }


def _status_response(
    number: int, charger: str, status: str, connector: int, info: str | None = None
) -> OcppStatusResponse:
    return OcppStatusResponse(UUID(_id(number)), charger, connector, "NoError", status, info)


def _problem(slug: str, detail: str, number: int | None = None) -> Problem:
    return make_problem(slug, detail, instance=None if number is None else f"{PATH}/{_id(number)}")


CONNECT: Final = (
    Sample(
        "accepted",
        "The charger accepts the start",
        _status_response(1, "CP-1", "Accepted", 0),
        _request(1, "CP-1"),
        headers={"Connect-Outcome": "accepted"},
    ),
    Sample(
        "replayed",
        "The same request again: the stored response is returned, and nothing is started again",
        _status_response(1, "CP-1", "Accepted", 0),
        _request(1, "CP-1"),
        headers={"Connect-Outcome": "accepted", "Idempotent-Replayed": "true"},
    ),
    Sample(
        "rejected",
        "The charger rejects the start",
        _status_response(2, "CP-4", "Rejected", 0, "charger-refused"),
        _request(2, "CP-4"),
        headers={"Connect-Outcome": "rejected"},
    ),
    Sample(
        "offline",
        "The charger is not connected; nothing was sent",
        _status_response(3, "CP-3", "Unavailable", 0, "not-connected"),
        _request(3, "CP-3"),
        headers={"Connect-Outcome": "offline"},
    ),
    Sample(
        "status",
        "A request without a token starts nothing: the response is the charger's status",
        _status_response(5, "CP-2", "Available", 1),
        _request(5, "CP-2", None),
        headers={"Connect-Outcome": "status"},
    ),
    Sample(
        "invalid-request",
        "Every invalid field is listed",
        make_problem(
            "invalid-request",
            _CORRECT,
            errors=[
                FieldError("id", "must be a GUID in a string, such as 3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
                FieldError("chargerId", "is missing: name the charger by its OCPP identity"),
                FieldError("serverRestApiPort", "must be a port from 1 to 65535"),
            ],
        ),
        {"id": "5", "tokenId": _TOKEN, "serverIpAddress": SERVER[0], "serverRestApiPort": 90800},
    ),
    Sample(
        "address-not-allowed",
        "LinkServers does not allow the OCPP server's address or port",
        _problem(
            "address-not-allowed",
            "LinkServers does not allow the OCPP server's address and port: ask the operator to add them.",
        ),
        _request(6, "CP-1", address="203.0.113.7"),
    ),
    Sample(
        "charger-unknown",
        "The OCPP server does not know the charger",
        _problem("charger-unknown", "The OCPP server does not know this charger.", 7),
        _request(7, "CP-99"),
    ),
    Sample(
        "method-not-allowed",
        "The method is not POST",
        _problem("method-not-allowed", "Send the request with POST."),
        headers={"Allow": "POST"},
    ),
    Sample(
        "attempt-in-progress",
        "Another call is processing the same id",
        _problem(
            "attempt-in-progress",
            "Another request with this id is in progress. Send the same id again after Retry-After seconds.",
            4,
        ),
        _request(4, "CP-5"),
        headers={"Retry-After": "28"},
    ),
    Sample(
        "body-too-large",
        "The body is larger than 64 KiB",
        _problem("body-too-large", "Send at most 65536 bytes; the five fields need far less."),
    ),
    Sample(
        "unsupported-media-type",
        "The media type of the body is not supported",
        _problem(
            "unsupported-media-type",
            f"Send the body with one of these Content-Types: {', '.join(REQUEST_FORMATS)}.",
        ),
    ),
    Sample(
        "id-reused",
        "The id belongs to another request",
        _problem(
            "id-reused",
            "Look at `instance`: this id belongs to an attempt with other content or of another caller, and the outcome of "
            "that attempt is accepted or unknown. A different request needs an id of its own.",
            1,
        ),
        _request(1, "CP-2"),
    ),
    Sample(
        "status-not-available",
        "No token, and this kind of OCPP server cannot report a status",
        _problem(
            "status-not-available",
            "This kind of OCPP server cannot tell a charger's status. Send a tokenId to start a charge.",
            13,
        ),
        _request(13, "CP-1", None),
    ),
    Sample(
        "internal-error",
        "The service failed",
        _problem(
            "internal-error",
            "The service failed, and the outcome of the request is unknown. Look at the attempt by its id.",
        ),
        _request(14, "CP-1"),
    ),
    Sample(
        "server-unreachable",
        "No server listens at the address and port of the request",
        _problem(
            "server-unreachable",
            "The OCPP server could not be reached, so nothing was sent. Try again with the same id.",
            15,
        ),
        _request(15, "CP-1", port=UNUSED_PORT),
    ),
    Sample(
        "server-refused",
        "The OCPP server rejects the service's credentials",
        _problem(
            "server-refused",
            "The OCPP server does not accept the credentials of its LinkServers entry: look at the secret named there.",
            16,
        ),
        _request(16, "CP-1"),
    ),
    Sample(
        "server-error",
        "The OCPP server failed before it started anything",
        _problem("server-error", "The OCPP server declined the request; nothing was started.", 17),
        _request(17, "CP-1"),
    ),
    Sample(
        "journal-unavailable",
        "The table of attempts is throttled or unavailable",
        _problem(
            "journal-unavailable",
            "The attempt could not be recorded, so this request sent nothing. The outcome of an earlier request with "
            "this id is not known now: send the same id again.",
        ),
        _request(18, "CP-1"),
        headers={"Retry-After": "1"},
    ),
    Sample(
        "server-busy",
        "The OCPP server is busy and sent nothing",
        _problem("server-busy", "The OCPP server cannot take the call now; nothing was sent.", 19),
        _request(19, "CP-1"),
        headers={"Retry-After": "5"},
    ),
    Sample(
        "circuit-open",
        "The OCPP server failed several times in a row",
        _problem(
            "circuit-open",
            "The OCPP server failed several times in a row and is not called for a moment, so nothing was sent. Try again with the same id.",
        ),
        _request(20, "CP-1", port=UNUSED_PORT),
        headers={"Retry-After": "10"},
    ),
    Sample(
        "starts-paused",
        "The operator has paused all starts",
        _problem(
            "starts-paused",
            "The operator has paused starts, so nothing was sent. Try again later with the same id.",
        ),
        _request(21, "CP-1"),
        headers={"Retry-After": "60"},
    ),
    Sample(
        "outcome-unknown",
        "The charger did not answer in time: a charge may still start",
        _problem(
            "outcome-unknown",
            f"The charger did not answer in time; it may start all the same. {_CHECK_CHARGER}",
            4,
        ),
        _request(4, "CP-5"),
    ),
    Sample(
        "status-unknown",
        "No token, and the charger's status could not be read in time",
        _problem(
            "status-unknown",
            "The charger's status could not be read in time. The request was not to start anything: send it again.",
            23,
        ),
        _request(23, "CP-1", None),
    ),
)

ATTEMPT: Final[dict[str, Any]] = {
    "id": _id(1),
    "chargerId": "CP-1",
    "state": "completed",
    "outcome": "accepted",
    "answer": json.loads(encode_response(_status_response(1, "CP-1", "Accepted", 0), MediaType.JSON)),
    "problem": None,
    "server": f"{SERVER[0]}:{SERVER[1]}",
    "dialect": "native",
    "connectorId": None,
    "token": "****E6F7",
    "tries": 1,
    "milliseconds": {"claim": 8, "link": 61},
    "createdAt": "2026-11-22T08:22:09.446952Z",
    "updatedAt": "2026-11-22T08:22:09.662376Z",
    "caller": "arn:aws:iam::000000000000:user/local",
    "traceId": "1-6b02a631-c158156b5c2c3a9ef958b0e8",
    "remoteStartId": remote_start_id(_id(1)),
    "transaction": None,
    "otherTransactions": [],
    "lookedAt": None,
    "nothingFoundUntil": None,
    "resolution": None,
    "stop": None,
}

PAGE: Final[dict[str, Any]] = {
    "attempts": [ATTEMPT],
    "next": "WyIzZjI1MDRlMC00Zjg5LTExZDMtOWEwYy0wMzA1ZTgyYzM0MDEiLCAiMjAyNi0xMS0yMlQwODoyMjowOS40NDY5NTJaIl0",
}

UNKNOWN_ATTEMPT: Final = Sample(
    "attempt-unknown",
    "No attempt has this id",
    _problem(
        "attempt-unknown",
        "No attempt has this id: either no request with it was accepted, or the attempt is older than the journal's retention.",
    ),
    path=f"{PATH}/{_id(99)}",
)

UNRESOLVED: Final[dict[str, Any]] = {
    **ATTEMPT,
    "id": _id(40),
    "state": "unknown",
    "outcome": None,
    "answer": None,
    "problem": {"type": "outcome-unknown", "detail": "The OCPP server sent no complete response."},
    "dialect": "steve",
    "connectorId": 1,
    "remoteStartId": None,
    "lookedAt": "2026-11-22T08:24:10.113000Z",
    "nothingFoundUntil": "2026-11-22T08:24:10.113000Z",
}

RESOLUTION: Final[dict[str, Any]] = {
    "outcome": "not-started",
    "note": "The charger has had no charge since yesterday.",
}

RESOLVED: Final[dict[str, Any]] = {
    **UNRESOLVED,
    "state": "failed",
    "updatedAt": "2026-11-22T09:01:30.250000Z",
    "resolution": {
        **RESOLUTION,
        "by": "arn:aws:iam::000000000000:role/operators",
        "at": "2026-11-22T09:01:30.250000Z",
        "tries": 1,
    },
}

UNKNOWN_PAGE: Final[dict[str, Any]] = {"attempts": [UNRESOLVED], "next": None}

RESOLUTION_PROBLEMS: Final = (
    Sample(
        "attempt-not-unknown",
        "The attempt was completed",
        _problem(
            "attempt-not-unknown",
            "The attempt is completed. Only an attempt of a start whose outcome is unknown can be resolved: look at `instance`.",
            1,
        ),
        RESOLUTION,
        path=f"{PATH}/{_id(1)}/resolution",
    ),
    Sample(
        "too-early",
        "The start can still arrive",
        _problem(
            "too-early",
            "The start may still arrive at the charger. Look again after Retry-After seconds, then send the request again.",
            41,
        ),
        RESOLUTION,
        path=f"{PATH}/{_id(41)}/resolution",
        headers={"Retry-After": "95"},
    ),
)

STOP: Final = (
    Sample(
        "stopped",
        "The charger accepts the stop",
        _status_response(1, "CP-1", "Accepted", 1),
        path=f"{PATH}/{_id(1)}",
    ),
    Sample(
        "nothing-started",
        "The charger had rejected the start",
        _status_response(2, "CP-4", "Accepted", 0, "nothing-started"),
        path=f"{PATH}/{_id(2)}",
    ),
)

STOP_PROBLEMS: Final = (
    Sample(
        "other-caller",
        "Another caller started the charge",
        _problem("other-caller", "Only the caller that started this charge may stop it.", 1),
        path=f"{PATH}/{_id(1)}",
    ),
    Sample(
        "not-yet-started",
        "The charge was seen for the first time",
        _problem(
            "not-yet-started",
            "No charge of this id is certain yet, and one may still begin. Send the same DELETE again after Retry-After seconds.",
            42,
        ),
        path=f"{PATH}/{_id(42)}",
        headers={"Retry-After": "10"},
    ),
    Sample(
        "stop-not-available",
        "OCPP.Core stops whatever runs on a connector",
        _problem(
            "stop-not-available",
            "This kind of OCPP server cannot stop one certain charge. If a charge runs, stop it at the charger or in the OCPP server.",
            43,
        ),
        path=f"{PATH}/{_id(43)}",
    ),
)
