"""The link against a server of raw sockets: what it sends, when it sends again, and its result for each response."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import charger_link.exchange
from charger_link import (
    Answer,
    Circuits,
    Command,
    Link,
    LinkError,
    LinkServers,
    Outcome,
    OutcomeUnknown,
    ServerRefused,
    Unreachable,
)
from charger_link.dialects import native
from charger_link.secrets import Secrets
from common.transport import Deadline, NotConnected
from tests.integration.misbehaving import (
    Misbehaving,
    Peer,
    drips,
    hangs,
    responds_with,
    response,
    sends,
    sends_problem,
    status_body,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
BREAKS = sends(b"")


def command(server: Misbehaving, token: str | None = "04A2B3C4", **entry: Any) -> Command:
    allowed = [{"network": "127.0.0.0/8", "ports": ["1-65535"], "scheme": "http", **entry}]
    return Command(
        ID, "CP-1", token, 1, LinkServers.parse(json.dumps(allowed)).find("127.0.0.1", server.port)
    )


def connect(
    sent: Command, *, secrets: Secrets | None = None, circuits: Circuits | None = None, seconds: float = 5
) -> Answer:
    answer = Link(circuits or Circuits(), secrets or Secrets.of(None)).connect(sent, Deadline.after(seconds))
    assert isinstance(answer, Answer)
    return answer


def failure(sent: Command, **more: Any) -> LinkError:
    with pytest.raises(LinkError) as raised:
        connect(sent, **more)
    return raised.value


def test_a_repeatable_start_that_breaks_off_is_sent_again_under_the_same_id(server: Misbehaving) -> None:
    server.set_scripts(BREAKS, BREAKS, responds_with())
    assert connect(command(server)).outcome is Outcome.ACCEPTED
    assert len(server.starts) == 3
    assert len({(received.path, received.body) for received in server.starts}) == 1


def test_a_request_is_sent_at_most_three_times(server: Misbehaving) -> None:
    server.set_scripts(BREAKS)
    assert isinstance(failure(command(server)), OutcomeUnknown)
    assert len(server.starts) == 3


def test_a_start_that_is_not_repeatable_is_sent_once(
    server: Misbehaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "DIALECT", native.DIALECT._replace(repeatable=False))
    server.set_scripts(BREAKS, responds_with())
    assert isinstance(failure(command(server)), OutcomeUnknown)
    assert len(server.starts) == 1


def test_a_status_request_is_always_repeated(server: Misbehaving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "DIALECT", native.DIALECT._replace(repeatable=False))
    server.set_scripts(BREAKS, responds_with(body=status_body(status="Available")))
    assert connect(command(server, token=None)).status == "Available"


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 429, 503])
def test_after_a_start_that_broke_off_no_error_of_its_repeat_says_that_nothing_started(
    code: int, server: Misbehaving
) -> None:
    server.set_scripts(BREAKS, sends_problem(code))
    error = failure(command(server))
    assert isinstance(error, OutcomeUnknown)
    assert len(server.starts) == 2


def test_after_a_start_that_broke_off_an_offline_charger_leaves_the_outcome_unknown(
    server: Misbehaving,
) -> None:
    """The request that broke off may reach the server after its repeat was answered."""
    server.set_scripts(BREAKS, responds_with(body=status_body(status="Unavailable", info="not-connected")))
    assert isinstance(failure(command(server)), OutcomeUnknown)


@pytest.mark.parametrize("status", ["Accepted", "Charging", "Rejected"])
def test_the_charger_s_own_answer_is_certain_in_doubt_too(status: str, server: Misbehaving) -> None:
    server.set_scripts(BREAKS, responds_with(body=status_body(status=status)))
    assert connect(command(server)).status == status


def test_after_a_start_that_broke_off_a_failed_connection_leaves_the_outcome_unknown(
    server: Misbehaving,
) -> None:
    def breaks_and_leaves(peer: Peer) -> None:
        peer.read()
        server.leave()

    server.set_scripts(breaks_and_leaves)
    assert isinstance(failure(command(server)), OutcomeUnknown)


def test_after_a_status_that_broke_off_an_error_is_still_that_error(server: Misbehaving) -> None:
    server.set_scripts(BREAKS, sends_problem(401))
    assert isinstance(failure(command(server, token=None)), ServerRefused)


def test_three_requests_with_failed_connections_open_the_circuit(server: Misbehaving) -> None:
    server.close()
    circuits = Circuits()
    errors = [failure(command(server), circuits=circuits) for _ in range(3)]
    assert {(type(error), error.kind) for error in errors} == {(Unreachable, "refused")}
    assert [error.opened_circuit for error in errors] == [False, False, True]


def test_a_failed_connection_is_tried_again(server: Misbehaving, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    from common.transport import connect as real

    def refused_once(*arguments: Any, **named: Any) -> Any:
        tried.append(1)
        if len(tried) == 1:
            raise NotConnected("refused")
        return real(*arguments, **named)

    monkeypatch.setattr(charger_link.exchange, "connect", refused_once)
    server.set_scripts(responds_with())
    connect(command(server))
    assert (len(tried), len(server.requests)) == (2, 1)


def test_a_server_that_sends_a_byte_at_a_time_is_abandoned_at_the_deadline(server: Misbehaving) -> None:
    server.set_scripts(drips(response(200, status_body())))
    error = failure(command(server), seconds=0.3)
    assert (type(error), error.kind) == (OutcomeUnknown, "timeout")
    assert len(server.starts) == 1, "no time is left to send it again"


def test_each_request_has_a_connection_of_its_own(server: Misbehaving) -> None:
    """The server keeps the first connection open, but no other request may be sent on it."""

    def keeps_open(peer: Peer) -> None:
        peer.read()
        peer.send(response(200, status_body(), "Content-Type: application/json", "Connection: keep-alive"))
        peer.hang()

    server.set_scripts(keeps_open)
    for _ in range(3):
        connect(command(server))
    assert server.connections == 3


def test_the_base_path_precedes_the_path(server: Misbehaving) -> None:
    connect(command(server, basePath="/ocpp/v2"))
    assert server.requests[0].path.startswith("/ocpp/v2/api/v1/chargers/")


def reading(*values: str) -> tuple[Secrets, list[str]]:
    left, read = list(values), []

    def give(name: str, _: Deadline) -> str:
        read.append(name)
        return json.dumps({"bearer": left.pop(0)})

    return Secrets(give), read


def test_a_secret_is_sent_and_kept(server: Misbehaving) -> None:
    secrets, read = reading("one")
    for _ in range(2):
        connect(command(server, secret="name"), secrets=secrets)
    assert [received.headers["authorization"] for received in server.requests] == ["Bearer one", "Bearer one"]
    assert read == ["name"]


@pytest.mark.parametrize("code", [401, 403])
def test_after_a_refusal_the_secret_is_read_again_and_tried_once_if_it_is_another(
    server: Misbehaving, code: int
) -> None:
    secrets, read = reading("old", "new")
    server.set_scripts(sends_problem(code), responds_with())
    connect(command(server, secret="name"), secrets=secrets)
    assert [received.headers["authorization"] for received in server.requests] == ["Bearer old", "Bearer new"]
    assert read == ["name", "name"]


def test_after_a_401_the_same_secret_is_not_tried_again(server: Misbehaving) -> None:
    secrets, _ = reading("one", "one")
    server.set_scripts(sends_problem(401))
    error = failure(command(server, secret="name"), secrets=secrets)
    assert isinstance(error, ServerRefused)
    assert "secret" in error.detail
    assert "one" not in error.detail
    assert len(server.requests) == 1


def test_after_a_second_401_no_request_is_sent(server: Misbehaving) -> None:
    secrets, _ = reading("old", "new")
    server.set_scripts(sends_problem(401))
    assert isinstance(failure(command(server, secret="name"), secrets=secrets), ServerRefused)
    assert len(server.requests) == 2


def test_a_secret_that_cannot_be_read_sends_nothing(server: Misbehaving) -> None:
    nothing: dict[str, str] = {}
    secrets = Secrets(lambda name, _: nothing[name])
    assert isinstance(failure(command(server, secret="name"), secrets=secrets), ServerRefused)
    assert server.connections == 0


def test_the_trace_header_is_sent_to_the_server(server: Misbehaving) -> None:
    parent = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
    connect(command(server)._replace(trace_parent=parent))
    assert server.requests[0].headers["traceparent"] == parent


@pytest.mark.parametrize("seconds", [0.5, 1.9, 3.9])
def test_the_server_is_requested_to_answer_before_our_deadline(seconds: float, server: Misbehaving) -> None:
    connect(command(server), seconds=seconds)
    assert server.requests[0].headers["prefer"] == f"wait={max(1, int(seconds - 1))}"


def test_without_time_nothing_is_sent_and_no_failure_is_counted(server: Misbehaving) -> None:
    circuits = Circuits()
    for _ in range(5):
        assert isinstance(failure(command(server), circuits=circuits, seconds=-1), Unreachable)
    assert server.connections == 0
    circuits.check(command(server).server.name)


@pytest.mark.parametrize(
    "silence", [hangs, lambda peer: peer.hang()], ids=["after the request", "from the first byte"]
)
def test_silence_is_counted_by_charger_and_part_of_a_response_is_not_silence(
    silence: Callable[[Peer], None], server: Misbehaving
) -> None:
    circuits = Circuits()
    server.set_scripts(silence)
    for _ in range(4):
        failure(command(server), circuits=circuits, seconds=0.05)
    circuits.check(command(server).server.name)
    server.set_scripts(sends(b"HTTP/1.1 200 OK\r\n"))
    failure(command(server), circuits=circuits)
    assert not circuits._circuits, "part of a response proves that the server runs"
