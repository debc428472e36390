"""Every answer that was recorded at a real SteVe (3.14.1 and 38b299a149c6), through the whole handler, with its outcome."""

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
UNREAD = "Deserialization of incoming string failed: "


class Recorded(NamedTuple):
    """One answer of SteVe: ``body`` is bytes of a page, or JSON."""

    status: int
    body: Any
    headers: tuple[str, ...] = ()


def task(**lists: dict[str, Any]) -> Recorded:
    """A 200 with one entry in one of the lists."""
    listed = {name: [{"chargeBoxId": CHARGER, **entry}] for name, entry in lists.items()}
    empty: dict[str, Any] = {"successResponses": [], "errorResponses": [], "exceptions": []}
    return Recorded(200, {"taskId": 1, "taskFinished": bool(lists), **empty, **listed})


def responded(response: str | None, charger: str = CHARGER) -> Recorded:
    return task(successResponses={"chargeBoxId": charger, "response": response})


def errored(code: str, details: str | None = None) -> Recorded:
    return task(errorResponses={"errorCode": code, "errorDescription": None, "errorDetails": details})


def excepted(message: str) -> Recorded:
    return task(exceptions={"exceptionMessage": message})


def declined(status: int, message: str) -> Recorded:
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


# What SteVe answered; the status and the outcome that the caller receives, the `info` or the problem; the attempt's state.
RECORDED: dict[str, tuple[Recorded, tuple[int, str, str | None, str]]] = {
    "the charger accepts": (responded("Accepted"), ACCEPTED),
    "the charger rejects": (responded("Rejected"), REJECTED),
    "SOAP: the database's spelling": (responded("Accepted", "cp1"), ACCEPTED),
    "SOAP: rejected in the database's spelling": (responded("Rejected", "cp1"), REJECTED),
    "no answer within 30 s": (task(), UNKNOWN),
    "a CALLERROR that is a refusal": (errored("NotSupported"), unsupported("NotSupported")),
    "the same with details": (errored("SecurityError", '{"why":"x"}'), unsupported("SecurityError")),
    "a CALLERROR that is none": (errored("InternalError"), UNKNOWN),
    "a CALLERROR of 2.0.1 that is a refusal": (
        excepted(UNREAD + '[4,"7f-1","FormatViolation","",{}]'),
        unsupported("FormatViolation"),
    ),
    "the same with blanks": (
        excepted(UNREAD + '[4, "7f-1", "OccurrenceConstraintViolation", "no [3, here", {}]'),
        unsupported("OccurrenceConstraintViolation"),
    ),
    "a CALLERROR of 2.0.1 that is none": (excepted(UNREAD + '[4,"7f-1","RpcFrameworkError","",{}]'), UNKNOWN),
    "a CALLERROR with a code of nobody": (excepted(UNREAD + '[4,"7f-1","NOT SUPPORTED","",{}]'), UNKNOWN),
    "a status in lower case": (excepted(UNREAD + '[3,"7f-1",{"status":"accepted"}]'), UNKNOWN),
    "a status of nobody": (excepted(UNREAD + '[3,"7f-1",{"status":"Pending"}]'), UNKNOWN),
    "a status that holds a CALLERROR": (
        excepted(UNREAD + '[3,"7f-1",{"status":"[4,\\"7f-1\\",\\"NotSupported\\",\\"\\",{}]"}]'),
        UNKNOWN,
    ),
    "an answer that breaks off": (excepted(UNREAD + '[4,"7f-1","NotSup'), UNKNOWN),
    "the charger just gone": (excepted("No session context for chargeBoxId 'CP1'"), NOT_CONNECTED),
    "the same words of a charger": (
        excepted(UNREAD + '[3,"7f-1",{"status":"No session context for chargeBoxId"}]'),
        UNKNOWN,
    ),
    "sending broke off": (excepted("OCPP CALL failed"), UNKNOWN),
    "SOAP: the charger is down": (excepted("java.net.ConnectException: Could not send Message."), UNKNOWN),
    "several stations, in the task": (excepted("This operation is for one station only"), SERVER),
    "several stations": (declined(400, "This operation is for one station only"), SERVER),
    "unknown or offline": (declined(400, NO_STATIONS), ELIGIBLE),
    "the tag: unknown, blocked, in use, or the database fails": (declined(400, NO_TAG), REFUSED),
    "what SteVe cannot read": (declined(400, "Error understanding the request"), SERVER),
    "another 400": (declined(400, "chargingProfilePk is unknown."), UNKNOWN),
    "a wrong password": (declined(401, "Invalid password"), CREDENTIALS),
    "a user without API password": (declined(401, NO_USER), CREDENTIALS),
    "no credentials": (Recorded(302, b"", (SIGN_IN,)), CREDENTIALS),
    "a redirect to elsewhere": (Recorded(302, b"", ("Location: https://127.0.0.1/steve/api/v1",)), UNKNOWN),
    "no such path": (Recorded(403, PAGE), SERVER),
    "no such context path": (Recorded(404, PAGE), SERVER),
    "no such path, as JSON": (declined(404, "No message available"), SERVER),
    "a 403 that is not SteVe's": (Recorded(403, {"message": "Forbidden"}), UNKNOWN),
    "SteVe fails": (declined(500, "x"), UNKNOWN),
    "two entries, neither ours": (
        Recorded(200, {"successResponses": [{"chargeBoxId": one, "response": "Accepted"} for one in ("cp1", "X")]}),
        UNKNOWN,
    ),
    "an entry of another charger": (responded("Accepted", "CP2"), UNKNOWN),
}  # fmt: skip


@pytest.fixture
def caller(table: TableServer) -> Iterator[Caller]:
    with calling(table, {**LOOPBACK, "dialect": "steve"}) as caller:
        yield caller


def set_scripts(server: Misbehaving, recorded: Recorded) -> None:
    page = isinstance(recorded.body, bytes)
    body = recorded.body if page else json.dumps(recorded.body).encode()
    kind = "text/html;charset=ISO-8859-1" if page else "application/json"
    server.set_scripts(responds_with(recorded.status, body, kind, *recorded.headers))


def told(heard: CallerResponse) -> str | None:
    """The word of an answer, or the problem; nothing where both say no more than the outcome."""
    return heard.problem if heard.status == 502 else heard.body.get("info")


@pytest.mark.parametrize("name", RECORDED)
def test_every_recorded_answer_has_its_outcome(name: str, caller: Caller, server: Misbehaving) -> None:
    recorded, (status, outcome, word, state) = RECORDED[name]
    set_scripts(server, recorded)
    members = request(server.port, chargerId=CHARGER)
    heard = caller.post(members)
    assert (heard.status, heard.outcome, told(heard)) == (status, outcome, word)
    shown = caller.get(members["id"]).body
    assert (shown["state"], shown["outcome"]) == (state, outcome if status == 200 else None)
    assert len(server.requests) == 1
    set_scripts(server, responded("Accepted"))
    again = caller.post(members)
    if state == "failed":  # nothing was sent, so the same id asks again
        assert (again.outcome, len(server.requests)) == ("accepted", 2)
    else:
        assert (again.status, again.outcome, len(server.requests)) == (status, outcome, 1)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no credentials", ("secret", "LinkServers")),
        ("a wrong password", ("secret", "LinkServers")),
        ("no such path", ("basePath", "3.11")),
        ("no such context path", ("basePath", "3.11")),
    ],
)
def test_what_the_operator_has_to_mend_is_named(
    name: str, words: tuple[str, ...], caller: Caller, server: Misbehaving
) -> None:
    set_scripts(server, RECORDED[name][0])
    detail = caller.post(request(server.port, chargerId=CHARGER)).body["detail"]
    assert all(word in detail for word in words), detail


@pytest.mark.parametrize(
    ("token", "info"),
    [
        ("04A2B3C4D5E6F70819203", "token-too-long"),
        ("04A2 B3C4", "not-supported a character of the token"),
        ("04A2/B3C4", "not-supported a character of the token"),
        ("04A2ä", "not-supported a character of the token"),
    ],
)
def test_a_token_that_steve_cannot_take_is_rejected_and_never_sent(
    token: str, info: str, caller: Caller, server: Misbehaving
) -> None:
    members = request(server.port, chargerId=CHARGER, tokenId=token)
    for tries in (1, 2):
        heard = caller.post(members)
        assert (heard.status, heard.outcome, heard.body["info"]) == (200, "rejected", info)
        assert "Idempotent-Replayed" not in heard.headers
        shown = caller.get(members["id"]).body
        assert (shown["state"], shown["tries"], shown["answer"]) == ("failed", tries, heard.body)
    assert server.requests == []
