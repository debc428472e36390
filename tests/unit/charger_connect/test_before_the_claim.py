"""The choice of a server, the refusals before a claim, and what the claim records."""

from __future__ import annotations

from typing import Any

import pytest

from charger_connect.choose_server import (
    check_circuit,
    check_server,
    choose_server,
    connector_for,
    is_first_server,
)
from charger_connect.opening import make_opening, request_fingerprint
from charger_link import AddressNotAllowed, AddressUnusable, CircuitOpen
from common.journal import Attempt, Opening, State, fingerprint, token_digest
from common.wire import ProblemError
from tests.operations.conftest import captured_lines, messages
from tests.unit.charger_connect.services import CALL, DEADLINE, ENTRY, ID, NO_SERVER, request, service
from tests.unit.journal.test_reading import batch, keys
from tests.unit.journal.transitions import item

SECRET = b"a secret of the test"


def answered(server: str) -> dict[str, Any]:
    answer = {"outcome": "accepted", "status": "x", "connectorId": 0, "errorCode": "NoError", "info": None}
    return item(id="a", server=server, state="completed", answer=answer)


@pytest.mark.parametrize(
    ("found", "default", "chosen"),
    [
        ([answered("10.0.0.1:80")], "10.0.0.2:80", "10.0.0.1:80"),
        ([answered("192.0.2.1:80")], "10.0.0.2:80", "10.0.0.2:80"),
        ([answered("nonsense")], "10.0.0.2:80", "10.0.0.2:80"),
        ([item(id="a", server="10.0.0.3:80", state="unknown")], "10.0.0.2:80", "10.0.0.2:80"),
        ([item(id="a", server="10.0.0.3:80", state="unknown")], "10.0.0.2:81", "10.0.0.3:80"),
        ([item(id="a", server="10.0.0.3:80", state="unknown")], None, "10.0.0.3:80"),
    ],
)
def test_the_first_server_that_is_allowed_is_chosen(
    found: list[dict[str, Any]], default: str | None, chosen: str
) -> None:
    deployment = service(keys("a"), batch(*found), default_server=default)
    assert choose_server(request(**NO_SERVER), deployment, DEADLINE).name == chosen


def test_a_named_server_is_the_only_one() -> None:
    assert choose_server(request(), service(default_server="10.0.0.2:80"), DEADLINE).name == "10.0.0.5:8080"
    with pytest.raises(ProblemError) as refused:
        choose_server(request(serverRestApiPort=1), service(default_server="10.0.0.2:80"), DEADLINE)
    assert (refused.value.problem.type, refused.value.problem.status) == (
        "/problems/address-not-allowed",
        403,
    )
    assert isinstance(refused.value.__cause__, AddressNotAllowed)
    assert refused.value.problem.detail.endswith(".")


def test_without_any_server_the_request_is_invalid() -> None:
    with pytest.raises(ProblemError) as refused:
        choose_server(request(**NO_SERVER), service(keys()), DEADLINE)
    problem = refused.value.problem
    assert (problem.type, [error.field for error in problem.errors]) == (
        "/problems/invalid-request",
        ["serverIpAddress"],
    )
    assert problem.detail
    assert problem.errors[0].message


@pytest.mark.parametrize(
    ("paused", "enabled", "token", "refused"),
    [
        (False, True, "TAG1", False),
        (True, True, "TAG1", True),
        (False, False, "TAG1", True),
        (True, False, None, False),
    ],
)
def test_only_starts_are_paused(paused: bool, enabled: bool, token: str | None, refused: bool) -> None:
    deployment = service(paused=paused, entries=[{**ENTRY, "enabled": enabled}])
    asked = request(tokenId=token)
    server = choose_server(asked, deployment, DEADLINE)
    if not refused:
        check_server(asked, server, deployment, DEADLINE)
        return
    with pytest.raises(ProblemError) as error:
        check_server(asked, server, deployment, DEADLINE)
    assert (error.value.problem.type, error.value.headers) == (
        "/problems/starts-paused",
        {"Retry-After": "60"},
    )
    assert error.value.problem.detail


def test_an_open_circuit_refuses_with_its_seconds() -> None:
    deployment = service()
    server = choose_server(request(), deployment, DEADLINE)
    for _ in range(3):
        deployment.circuits.failed(server.name, None)
    with captured_lines() as lines, pytest.raises(ProblemError) as error:
        check_server(request(), server, deployment, DEADLINE)
    assert (error.value.problem.type, error.value.headers) == (
        "/problems/circuit-open",
        {"Retry-After": "10"},
    )
    assert error.value.problem.detail
    assert messages(lines) == [], "the circuit was open before"
    check_circuit(choose_server(request(serverRestApiPort=80), deployment, DEADLINE), deployment, DEADLINE)


def test_a_suspect_server_that_fails_its_health_check_is_refused_and_logged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deployment = service()
    server = choose_server(request(), deployment, DEADLINE)
    for charger in ("A", "B", "C"):
        deployment.circuits.failed(server.name, charger)
    checked: list[Any] = []

    def fails(link: Any, *arguments: Any) -> None:
        checked.extend((link, *arguments))
        raise CircuitOpen("timeout", "It hangs.", retry_after=10, opened_circuit=True)

    monkeypatch.setattr(type(deployment.link), "check_server", fails)
    with captured_lines() as lines, pytest.raises(ProblemError) as error:
        check_server(request(), server, deployment, DEADLINE)
    assert (error.value.problem.detail, error.value.headers) == ("It hangs.", {"Retry-After": "10"})
    assert checked == [deployment.link, server, DEADLINE]
    (line,) = messages(lines)
    assert (line["message"], line["server"], line["kind"]) == ("circuit opened", "10.0.0.5:8080", "timeout")


@pytest.mark.parametrize(
    ("named", "token", "entry", "connector"),
    [
        (4, "TAG1", {"connector": 3}, 4),
        (None, "TAG1", {"connector": 3}, 3),
        (None, None, {"connector": 3}, None),
        (4, None, {}, 4),
        (None, "TAG1", {}, None),
    ],
)
def test_only_a_start_gets_the_connector_of_the_entry(
    named: int | None, token: str | None, entry: dict[str, Any], connector: int | None
) -> None:
    asked = request(tokenId=token, connectorId=named)
    server = choose_server(asked, service(entries=[{**ENTRY, **entry}]), DEADLINE)
    assert connector_for(asked, server) == connector


def test_a_server_is_the_first_one_only_with_the_same_dialect_and_url() -> None:
    server = choose_server(request(), service(), DEADLINE)
    first = Attempt(ID, "CP-1", State.UNKNOWN, "", "", dialect="native", url="http://10.0.0.5:8080")
    assert is_first_server(first, server)
    assert is_first_server(first._replace(url=None), server), "version 1.0 stored none"
    assert not is_first_server(first._replace(url="http://10.0.0.5:8080/x"), server)
    assert not is_first_server(first._replace(dialect="steve"), server)


def test_an_opening_has_everything_that_is_known_before_the_call() -> None:
    asked = request(connectorId=4)
    server = choose_server(asked, service(), DEADLINE)
    assert make_opening(asked, server, b"a digest", CALL, SECRET) == Opening(
        id=ID, charger_id="CP-1", server="10.0.0.5:8080", dialect="native", connector=4, token="****D5E6",
        fingerprint=b"a digest", lease=1234.5, caller="alice", trace_id="1-a", url="http://10.0.0.5:8080",
        digest=token_digest(SECRET, "CP-1", "04A2B3C4D5E6"), tenant=1,
    )  # fmt: skip


def test_a_fingerprint_is_of_the_request_and_its_caller() -> None:
    def of(**members: Any) -> bytes:
        return request_fingerprint(request(**members), "alice", SECRET)

    fields = ("CP-1", "04A2B3C4D5E6", "10.0.0.5:8080", 4, "alice")
    assert of(connectorId=4) == fingerprint(SECRET, *fields)
    assert of(**NO_SERVER) == fingerprint(SECRET, "CP-1", "04A2B3C4D5E6", None, None, "alice")
    assert of(serverIpAddress="::ffff:10.0.0.5", connectorId=4) == of(connectorId=4)
    assert request_fingerprint(request(), "bob", SECRET) != of()


@pytest.mark.parametrize("name", ["10.0.0.5", "10.0.0.5:", "10.0.0.5:x", "10.0.0.5:\u0661"])
def test_a_name_without_a_port_names_no_server(name: str) -> None:
    with pytest.raises(AddressUnusable):
        service().servers.find_named(name)
