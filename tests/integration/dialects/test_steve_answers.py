"""Every response that was recorded from a real SteVe (3.14.1 and 38b299a149c6), and its outcome, through the whole handler."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.integration.calling import LOOPBACK, Caller, CallerResponse, calling, request
from tests.integration.misbehaving import Misbehaving, responds_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.table import TableServer

CHARGER = "CP1"
NO_STATIONS = "No stations are eligible for communication. Ensure that the chargeBox IDs are correct and the stations are online."
NO_TAG = "Requested OCPP Tag is not eligible for this operation. Ensure that the OCPP Tag is registered and active."
NO_USER = "The user does not exist, exists but is disabled or has API access disabled."
SIGN_IN = "Location: http://127.0.0.1:8080/steve/manager/signin;jsessionid=A1B2"
PAGE = b"<!doctype html><html><body><h1>HTTP Status</h1></body></html>"
UNPARSED = "Deserialization of incoming string failed: "


class Recorded(NamedTuple):
    """One response of SteVe. ``body`` is the bytes of a page, or JSON."""

    status: int
    body: Any
    headers: tuple[str, ...] = ()


def task_response(**lists: dict[str, Any]) -> Recorded:
    """Return a 200 response with at most one entry in each list."""
    filled = {name: [{"chargeBoxId": CHARGER, **entry}] for name, entry in lists.items()}
    empty: dict[str, Any] = {"successResponses": [], "errorResponses": [], "exceptions": []}
    return Recorded(200, {"taskId": 1, "taskFinished": bool(lists), **empty, **filled})


def success(response: str | None, charger: str = CHARGER) -> Recorded:
    return task_response(successResponses={"chargeBoxId": charger, "response": response})


def error(code: str, details: str | None = None) -> Recorded:
    return task_response(
        errorResponses={"errorCode": code, "errorDescription": None, "errorDetails": details}
    )


def exception(message: str) -> Recorded:
    return task_response(exceptions={"exceptionMessage": message})


def error_response(status: int, message: str) -> Recorded:
    path = "http://127.0.0.1:8080/steve/api/v1/operations/RemoteStartTransaction"
    error = {"timestamp": "2026-11-20T09:00:00.000Z", "status": status, "error": "Error", "message": message}
    return Recorded(status, {**error, "path": path})


ACCEPTED = (200, "accepted", None, "completed")
UNKNOWN = (504, "unknown", None, "unknown")
REJECTED = (200, "rejected", "charger-refused", "completed")
NOT_CONNECTED = (200, "offline", "not-connected", "failed")
ELIGIBLE = (200, "offline", "unknown-or-not-connected", "failed")
REFUSED = (200, "rejected", "token-refused", "failed")
CREDENTIALS = (502, "not-started", "server-refused", "failed")
SERVER = (502, "not-started", "server-error", "failed")


def unsupported(code: str) -> tuple[int, str, str, str]:
    return (200, "rejected", f"not-supported {code}", "completed")


# SteVe's response; the status code and outcome that the caller receives, and `info` or the problem; the attempt's state.
RECORDED: dict[str, tuple[Recorded, tuple[int, str, str | None, str]]] = {
    "the charger accepts": (success("Accepted"), ACCEPTED),
    "the charger rejects": (success("Rejected"), REJECTED),
    "SOAP: the database's spelling": (success("Accepted", "cp1"), ACCEPTED),
    "SOAP: rejected in the database's spelling": (success("Rejected", "cp1"), REJECTED),
    "no answer within 30 s": (task_response(), UNKNOWN),
    "a CALLERROR that is a refusal": (error("NotSupported"), unsupported("NotSupported")),
    "the same with details": (error("SecurityError", '{"why":"x"}'), unsupported("SecurityError")),
    "a CALLERROR that is none": (error("InternalError"), UNKNOWN),
    "a CALLERROR of 2.0.1 that is a refusal": (
        exception(UNPARSED + '[4,"7f-1","FormatViolation","",{}]'),
        unsupported("FormatViolation"),
    ),
    "the same with blanks": (
        exception(UNPARSED + '[4, "7f-1", "OccurrenceConstraintViolation", "no [3, here", {}]'),
        unsupported("OccurrenceConstraintViolation"),
    ),
    "a CALLERROR of 2.0.1 that is none": (exception(UNPARSED + '[4,"7f-1","RpcFrameworkError","",{}]'), UNKNOWN),
    "a CALLERROR with an unknown code": (exception(UNPARSED + '[4,"7f-1","NOT SUPPORTED","",{}]'), UNKNOWN),
    "a status in lower case": (exception(UNPARSED + '[3,"7f-1",{"status":"accepted"}]'), UNKNOWN),
    "an unknown status": (exception(UNPARSED + '[3,"7f-1",{"status":"Pending"}]'), UNKNOWN),
    "a status that holds a CALLERROR": (
        exception(UNPARSED + '[3,"7f-1",{"status":"[4,\\"7f-1\\",\\"NotSupported\\",\\"\\",{}]"}]'),
        UNKNOWN,
    ),
    "an incomplete answer": (exception(UNPARSED + '[4,"7f-1","NotSup'), UNKNOWN),
    "the charger has just disconnected": (exception("No session context for chargeBoxId 'CP1'"), NOT_CONNECTED),
    "the same text in a charger's answer": (
        exception(UNPARSED + '[3,"7f-1",{"status":"No session context for chargeBoxId"}]'),
        UNKNOWN,
    ),
    "the call could not be sent completely": (exception("OCPP CALL failed"), UNKNOWN),
    "SOAP: the charger is down": (exception("java.net.ConnectException: Could not send Message."), UNKNOWN),
    "several stations, in the task": (exception("This operation is for one station only"), SERVER),
    "several stations": (error_response(400, "This operation is for one station only"), SERVER),
    "unknown or offline": (error_response(400, NO_STATIONS), ELIGIBLE),
    "the tag: unknown, blocked, in use, or the database fails": (error_response(400, NO_TAG), REFUSED),
    "a request that SteVe cannot parse": (error_response(400, "Error understanding the request"), SERVER),
    "another 400": (error_response(400, "chargingProfilePk is unknown."), UNKNOWN),
    "a wrong password": (error_response(401, "Invalid password"), CREDENTIALS),
    "a user without API password": (error_response(401, NO_USER), CREDENTIALS),
    "no credentials": (Recorded(302, b"", (SIGN_IN,)), CREDENTIALS),
    "a redirect to elsewhere": (Recorded(302, b"", ("Location: https://127.0.0.1/steve/api/v1",)), UNKNOWN),
    "no such path": (Recorded(403, PAGE), SERVER),
    "no such context path": (Recorded(404, PAGE), SERVER),
    "no such path, as JSON": (error_response(404, "No message available"), SERVER),
    "a 403 that is not SteVe's": (Recorded(403, {"message": "Forbidden"}), UNKNOWN),
    "SteVe fails": (error_response(500, "x"), UNKNOWN),
    "two entries, neither ours": (
        Recorded(200, {"successResponses": [{"chargeBoxId": one, "response": "Accepted"} for one in ("cp1", "X")]}),
        UNKNOWN,
    ),
    "an entry of another charger": (success("Accepted", "CP2"), UNKNOWN),
}  # fmt: skip


@pytest.fixture
def caller(table: TableServer) -> Iterator[Caller]:
    with calling(table, {**LOOPBACK, "dialect": "steve"}) as caller:
        yield caller


def set_response(server: Misbehaving, recorded: Recorded) -> None:
    page = isinstance(recorded.body, bytes)
    body = recorded.body if page else json.dumps(recorded.body).encode()
    kind = "text/html;charset=ISO-8859-1" if page else "application/json"
    server.set_scripts(responds_with(recorded.status, body, kind, *recorded.headers))


def info_or_problem(reply: CallerResponse) -> str | None:
    """Return the `info` of an answer, or the problem of a 502; None if there is neither."""
    return reply.problem if reply.status == 502 else reply.body.get("info")


@pytest.mark.parametrize("name", RECORDED)
def test_every_recorded_response_has_its_outcome(name: str, caller: Caller, server: Misbehaving) -> None:
    recorded, (status, outcome, expected, state) = RECORDED[name]
    set_response(server, recorded)
    members = request(server.port, chargerId=CHARGER)
    reply = caller.post(members)
    assert (reply.status, reply.outcome, info_or_problem(reply)) == (status, outcome, expected)
    shown = caller.get(members["id"]).body
    assert (shown["state"], shown["outcome"]) == (state, outcome if status == 200 else None)
    assert len(server.requests) == 1
    set_response(server, success("Accepted"))
    again = caller.post(members)
    if state == "failed":  # nothing was sent, so the same id is sent again
        assert (again.outcome, len(server.requests)) == ("accepted", 2)
    else:
        # A repeat of an unknown start searches SteVe's records, and sends no second start.
        searches = ["GET"] if state == "unknown" else []
        methods = [sent.method for sent in server.requests]
        assert (again.status, again.outcome, methods) == (status, outcome, ["POST", *searches])


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("no credentials", ("secret", "LinkServers")),
        ("a wrong password", ("secret", "LinkServers")),
        ("no such path", ("basePath", "3.11")),
        ("no such context path", ("basePath", "3.11")),
    ],
)
def test_the_detail_names_the_setting_that_the_operator_must_correct(
    name: str, settings: tuple[str, ...], caller: Caller, server: Misbehaving
) -> None:
    set_response(server, RECORDED[name][0])
    detail = caller.post(request(server.port, chargerId=CHARGER)).body["detail"]
    assert all(expected in detail for expected in settings), detail


@pytest.mark.parametrize(
    ("token", "info"),
    [
        ("04A2B3C4D5E6F70819203", "token-too-long"),
        ("04A2 B3C4", "not-supported a character of the token"),
        ("04A2/B3C4", "not-supported a character of the token"),
        ("04A2ä", "not-supported a character of the token"),
    ],
)
def test_a_token_that_steve_does_not_allow_is_rejected_and_never_sent(
    token: str, info: str, caller: Caller, server: Misbehaving
) -> None:
    members = request(server.port, chargerId=CHARGER, tokenId=token)
    for tries in (1, 2):
        reply = caller.post(members)
        assert (reply.status, reply.outcome, reply.body["info"]) == (200, "rejected", info)
        assert "Idempotent-Replayed" not in reply.headers
        shown = caller.get(members["id"]).body
        assert (shown["state"], shown["tries"], shown["answer"]) == ("failed", tries, reply.body)
    assert server.requests == []
