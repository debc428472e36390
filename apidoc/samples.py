"""Samples of requests and what is answered to them, on the local stack (`make run`).

Every one is tried by `tests/documentation`: what stands in the documentation is what a caller hears.
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
ONE: Final = paths.ATTEMPT
MANY: Final = paths.CHARGER_ATTEMPTS
CALLBACK: Final = paths.CALLBACK

SERVER: Final = ("127.0.0.1", 9080)
"""The local stack's OCPP server."""
UNSERVED: Final = 9089
"""A port at which the local stack has nothing."""

REQUEST_FORMATS: Final = (*(str(media) for media in MediaType), FORM)
_TOKEN: Final = "04A2B3C4D5E6F7"  # noqa: S105 - a sample
_CORRECT: Final = "Correct the fields listed in `errors`, then send the request again."
_LOOK: Final = "Look at `instance` and check the charger: the charge may have started, or may still start, and a request under another id can start a second one."


@dataclass(frozen=True, slots=True)
class Sample:
    """One exchange. `request` holds the body's members, or nothing where there is no body; `path` is without a query."""

    name: str
    summary: str
    answer: OcppStatusResponse | Problem | dict[str, Any]
    request: Mapping[str, Any] = field(default_factory=dict)
    path: str = PATH
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return self.answer.status if isinstance(self.answer, Problem) else 200


def written(request: Mapping[str, Any], media: str) -> str:
    """A request as a client sends it in one of the formats; XML as DataContractSerializer orders it."""
    if media == FORM:
        return urlencode({name: value for name, value in request.items() if value is not None})
    if MediaType(media).is_xml:
        members = {name: request[name] for name in sorted(request) if request[name] is not None}
        document = {"OcppChargerConnectRequest": {"@xmlns": MODELS, **members}}
        return xmltodict.unparse(document, full_document=False)
    return json.dumps(request)


def answered(answer: OcppStatusResponse | Problem, media: MediaType) -> str:
    """An answer exactly as the service writes it."""
    return write_response(answer, media)[1]


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


def _told(
    number: int, charger: str, status: str, connector: int, info: str | None = None
) -> OcppStatusResponse:
    return OcppStatusResponse(UUID(_id(number)), charger, connector, "NoError", status, info)


def _refused(slug: str, detail: str, number: int | None = None) -> Problem:
    return make_problem(slug, detail, instance=None if number is None else f"{PATH}/{_id(number)}")


CONNECT: Final = (
    Sample(
        "accepted",
        "The charger takes the start",
        _told(1, "CP-1", "Accepted", 0),
        _request(1, "CP-1"),
        headers={"Connect-Outcome": "accepted"},
    ),
    Sample(
        "replayed",
        "The same request again: nothing is started twice",
        _told(1, "CP-1", "Accepted", 0),
        _request(1, "CP-1"),
        headers={"Connect-Outcome": "accepted", "Idempotent-Replayed": "true"},
    ),
    Sample(
        "rejected",
        "The charger declines",
        _told(2, "CP-4", "Rejected", 0, "charger-refused"),
        _request(2, "CP-4"),
        headers={"Connect-Outcome": "rejected"},
    ),
    Sample(
        "offline",
        "The charger is not connected; nothing was sent",
        _told(3, "CP-3", "Unavailable", 0, "not-connected"),
        _request(3, "CP-3"),
        headers={"Connect-Outcome": "offline"},
    ),
    Sample(
        "status",
        "Without a token nothing is started: the charger's own status",
        _told(5, "CP-2", "Available", 1),
        _request(5, "CP-2", None),
        headers={"Connect-Outcome": "status"},
    ),
    Sample(
        "invalid-request",
        "Every violation is listed",
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
        "LinkServers does not allow the OCPP server",
        _refused(
            "address-not-allowed",
            "LinkServers does not allow the OCPP server's address and port: ask the operator to add them.",
        ),
        _request(6, "CP-1", address="203.0.113.7"),
    ),
    Sample(
        "charger-unknown",
        "The OCPP server has never heard of this charger",
        _refused("charger-unknown", "The OCPP server does not know this charger.", 7),
        _request(7, "CP-99"),
    ),
    Sample(
        "method-not-allowed",
        "Another method than POST",
        _refused("method-not-allowed", "Send the request with POST."),
        headers={"Allow": "POST"},
    ),
    Sample(
        "attempt-in-progress",
        "Another request with the same id is in progress",
        _refused(
            "attempt-in-progress",
            "Another request with this id is in progress. Send the same id again after Retry-After seconds.",
            4,
        ),
        _request(4, "CP-5"),
        headers={"Retry-After": "28"},
    ),
    Sample(
        "body-too-large",
        "A body over 64 KiB",
        _refused("body-too-large", "Send at most 65536 bytes; the five fields need far less."),
    ),
    Sample(
        "unsupported-media-type",
        "A body in another format",
        _refused(
            "unsupported-media-type",
            f"Send the body with one of these Content-Types: {', '.join(REQUEST_FORMATS)}.",
        ),
    ),
    Sample(
        "id-reused",
        "The id was used for another request",
        _refused(
            "id-reused",
            "Look at `instance`: this id belongs to an attempt with other content or of another caller, and the outcome of "
            "that attempt is accepted or unknown. A different request needs an id of its own.",
            1,
        ),
        _request(1, "CP-2"),
    ),
    Sample(
        "status-not-available",
        "No token, and a kind of OCPP server that cannot tell a status",
        _refused(
            "status-not-available",
            "This kind of OCPP server cannot tell a charger's status. Send a tokenId to start a charge.",
            13,
        ),
        _request(13, "CP-1", None),
    ),
    Sample(
        "internal-error",
        "A fault of the service itself",
        _refused(
            "internal-error",
            "The service failed, and the outcome of the request is unknown. Look at the attempt by its id.",
        ),
        _request(14, "CP-1"),
    ),
    Sample(
        "server-unreachable",
        "Nothing listens where the request says",
        _refused(
            "server-unreachable",
            "The OCPP server could not be reached, so nothing was sent. Try again with the same id.",
            15,
        ),
        _request(15, "CP-1", port=UNSERVED),
    ),
    Sample(
        "server-refused",
        "The OCPP server does not take the service's credentials",
        _refused(
            "server-refused",
            "The OCPP server does not accept the credentials of its LinkServers entry: look at the secret named there.",
            16,
        ),
        _request(16, "CP-1"),
    ),
    Sample(
        "server-error",
        "The OCPP server failed before anything was started",
        _refused("server-error", "The OCPP server declined the request; nothing was started.", 17),
        _request(17, "CP-1"),
    ),
    Sample(
        "journal-unavailable",
        "The table of attempts is throttled or down",
        _refused(
            "journal-unavailable",
            "The attempt could not be recorded, so this request sent nothing. The outcome of an earlier request with "
            "this id is not known now: send the same id again.",
        ),
        _request(18, "CP-1"),
        headers={"Retry-After": "1"},
    ),
    Sample(
        "server-busy",
        "The OCPP server cannot take the call now, and has sent nothing",
        _refused("server-busy", "The OCPP server cannot take the call now; nothing was sent.", 19),
        _request(19, "CP-1"),
        headers={"Retry-After": "5"},
    ),
    Sample(
        "circuit-open",
        "The OCPP server has failed several times in a row",
        _refused(
            "circuit-open",
            "The OCPP server failed several times in a row and is not called for a moment, so nothing was sent. Try again with the same id.",
        ),
        _request(20, "CP-1", port=UNSERVED),
        headers={"Retry-After": "10"},
    ),
    Sample(
        "starts-paused",
        "The operator has paused all starts",
        _refused(
            "starts-paused",
            "The operator has paused starts, so nothing was sent. Try again later with the same id.",
        ),
        _request(21, "CP-1"),
        headers={"Retry-After": "60"},
    ),
    Sample(
        "outcome-unknown",
        "The charger never answered: it may start all the same",
        _refused(
            "outcome-unknown", f"The charger did not answer in time; it may start all the same. {_LOOK}", 4
        ),
        _request(4, "CP-5"),
    ),
    Sample(
        "status-unknown",
        "No token, and the charger's status could not be read in time",
        _refused(
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
    "answer": json.loads(answered(_told(1, "CP-1", "Accepted", 0), MediaType.JSON)),
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
}

PAGE: Final[dict[str, Any]] = {
    "attempts": [ATTEMPT],
    "next": "WyIzZjI1MDRlMC00Zjg5LTExZDMtOWEwYy0wMzA1ZTgyYzM0MDEiLCAiMjAyNi0xMS0yMlQwODoyMjowOS40NDY5NTJaIl0",
}

UNKNOWN_ATTEMPT: Final = Sample(
    "attempt-unknown",
    "No attempt has this id",
    _refused(
        "attempt-unknown",
        "No attempt has this id: either no request with it was accepted, or the attempt is older than the journal's retention.",
    ),
    path=f"{PATH}/{_id(99)}",
)
