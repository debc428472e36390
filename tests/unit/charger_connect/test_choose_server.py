"""Which attempts prove that a charger is connected to a server, and the fingerprint of a request."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from charger_connect.choose_server import charger_answered
from charger_connect.opening import request_fingerprint
from charger_connect.replies import reply_from_attempt
from charger_connect.request import ConnectRequest
from charger_link import LinkServers
from charger_link.words import REFUSALS
from common.journal import Attempt, State, fingerprint
from tests.unit.journal.transitions import ID

SECRET = b"a secret of the test"
EVERYWHERE = LinkServers.parse(
    '[{"network": "10.0.0.0/8", "ports": ["1-65535"]}, {"network": "fd00::/16", "ports": ["1-65535"]}]'
)


def attempt(outcome: str | None, info: str | None = None, state: State = State.COMPLETED) -> Attempt:
    answer = {"outcome": outcome, "status": "x", "connectorId": 0, "errorCode": "NoError", "info": info}
    return Attempt(ID, "CP-1", state, "", "", answer=answer if outcome else None)


@pytest.mark.parametrize(
    "proof",
    [
        attempt("accepted"),
        attempt("accepted", "anything"),
        attempt("status"),
        attempt("rejected"),
        attempt("rejected", ""),
        attempt("rejected", "charger-refused"),
        attempt("rejected", "charger-refused Unspecified"),
        attempt("rejected", "connector-busy TxInProgress"),
        attempt("rejected", "token-refused InvalidIdToken"),
        *(attempt("rejected", f"not-supported {code}") for code in sorted(REFUSALS)),
    ],
    ids=lambda proof: f"{proof.answer['outcome']} {proof.answer['info']}",
)
def test_an_answer_of_the_charger_itself_proves_its_server(proof: Attempt) -> None:
    assert charger_answered(proof)


@pytest.mark.parametrize(
    "none",
    [
        attempt("rejected", "token-too-long"),
        attempt("rejected", "token-refused"),
        attempt("rejected", "not-supported"),
        attempt("rejected", "not-supported a slash in a token"),
        attempt("rejected", "not-supported OCPP 2.1"),
        attempt("rejected", "not-connected"),
        attempt("rejected", "token-too-long", State.FAILED),
        attempt("rejected", "token-refused", State.FAILED),
        attempt("offline", "not-connected", State.FAILED),
        attempt("offline", "not-connected"),
        attempt(None),
        attempt(None, state=State.UNKNOWN),
        attempt(None, state=State.PENDING),
        attempt(None, state=State.FAILED),
        attempt("accepted", state=State.PENDING),
    ],
    ids=lambda none: f"{none.state} {none.answer and none.answer['info']}",
)
def test_any_other_attempt_proves_no_server(none: Attempt) -> None:
    assert not charger_answered(none)


def meaning(**members: Any) -> bytes:
    request = ConnectRequest(**{"id": ID, "chargerId": "CP-1", "tokenId": "04A2B3C4", **members})
    return request_fingerprint(request, "alice", SECRET)


@pytest.mark.parametrize(
    "address", ["10.0.0.5", "::ffff:10.0.0.5", "64:ff9b::10.0.0.5", "fd00::5", "FD00:0:0::5"]
)
def test_the_fingerprint_of_a_request_is_the_same_as_in_version_1_0(address: str) -> None:
    """Version 1.0 stored the name of the server that LinkServers allowed."""
    named = EVERYWHERE.find(address, 8080).name
    assert meaning(serverIpAddress=address, serverRestApiPort=8080) == fingerprint(
        SECRET, "CP-1", "04A2B3C4", named, None, "alice"
    )


def test_the_fingerprint_of_a_request_without_a_server_contains_none() -> None:
    assert meaning(connectorId=2) == fingerprint(SECRET, "CP-1", "04A2B3C4", None, 2, "alice")


def test_a_fingerprint_does_not_depend_on_allowed_servers() -> None:
    assert meaning(serverIpAddress="192.0.2.7", serverRestApiPort=1) == fingerprint(
        SECRET, "CP-1", "04A2B3C4", "192.0.2.7:1", None, "alice"
    )


@pytest.mark.parametrize(
    ("left", "seconds"), [(-5, "1"), (0.0, "1"), (0.4, "1"), (1.2, "2"), (1.6, "2"), (2.0, "2")]
)
def test_retry_after_is_never_before_the_end_of_the_lease(
    left: float, seconds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charger_connect.replies.time", SimpleNamespace(time=lambda: 1000.0))
    pending = Attempt(ID, "CP-1", State.PENDING, "", "", lease=1000.0 + left)
    request = ConnectRequest(id=UUID(ID), chargerId="CP-1")
    assert reply_from_attempt(pending, request).headers["Retry-After"] == seconds
