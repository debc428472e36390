"""The whole request that the link sends, the limits of a response, and the health check of a suspect server."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from charger_link import CircuitOpen, Circuits, Command, Link, LinkError, StatusNotAvailable
from charger_link.exchange import Exchange, ServerReply
from charger_link.secrets import Secrets
from common.transport import BODY_LIMIT, Deadline
from tests.integration.link.test_link import command
from tests.integration.misbehaving import (
    Misbehaving,
    Script,
    hangs,
    responds_with,
    response,
    sends,
    status_body,
)


def exchange(
    asked: Command, *, circuits: Circuits | None = None, repeat: bool = False, seconds: float = 10
) -> Exchange:
    secrets = Secrets(lambda *_: '{"bearer": "abc"}')
    return Exchange(asked, Deadline.after(seconds), circuits or Circuits(), secrets, repeat)


def kinds(asked: Command, *, circuits: Circuits | None = None, seconds: float = 10) -> tuple[str, str, bool]:
    """Return type and kind of the error of a start, and whether it opened the circuit."""
    link = Link(circuits or Circuits(), Secrets(lambda *_: '{"bearer": "abc"}'))
    with pytest.raises(LinkError) as raised:
        link.connect(asked, Deadline.after(seconds))
    error = raised.value
    assert error.detail[0].isupper()
    assert error.detail.endswith((".", "there."))
    return type(error).__name__, error.kind, error.opened_circuit


def test_a_request_with_a_body(server: Misbehaving) -> None:
    asked = command(server, secret="a secret", serverName="csms.example.com", basePath="/base")
    exchange(asked._replace(trace_parent="00-a")).send("PUT", "/x", {"ä": 1})
    (got,) = server.requests
    assert (got.method, got.path, got.body) == ("PUT", "/base/x", '{"ä": 1}'.encode())
    assert got.headers == {
        "host": f"csms.example.com:{server.port}",
        "accept": "application/json, application/problem+json",
        "connection": "close",
        "content-type": "application/json",
        "content-length": "9",
        "authorization": "Bearer abc",
        "traceparent": "00-a",
    }


def test_a_request_without_a_body(server: Misbehaving) -> None:
    exchange(command(server)).send("GET", "/x")
    (got,) = server.requests
    assert (got.method, got.path, got.body) == ("GET", "/x", b"")
    assert got.headers == {
        "host": f"127.0.0.1:{server.port}",
        "accept": "application/json, application/problem+json",
        "connection": "close",
    }


@pytest.mark.parametrize(("seconds", "waits"), [(0.9, {1}), (10, {8, 9})])
def test_a_response_is_requested_a_second_before_the_deadline(
    seconds: float, waits: set[int], server: Misbehaving
) -> None:
    exchange(command(server), seconds=seconds).send("GET", "/x", wait=True)
    assert server.requests[0].headers["prefer"] in {f"wait={wait}" for wait in waits}


@pytest.mark.parametrize(
    ("head", "body", "expected"),
    [
        (
            "Content-Type: Application/JSON ; charset=utf-8",
            b'{"a": 1}',
            ("application/json", {"a": 1}, '{"a": 1}'),
        ),
        ("X-Key: 1", b"[" * 50_000, ("", None, "[" * 50_000)),
        ("X-Key: 1", b"\xff{}", ("", None, "\ufffd{}")),
        ("X-Key: 1", b"", ("", None, "")),
    ],
)
def test_a_reply_is_read_as_json_if_it_is_some(
    head: str, body: bytes, expected: tuple[str, Any, str], server: Misbehaving
) -> None:
    server.set_scripts(sends(response(404, body, head)))
    reply = exchange(command(server)).send("GET", "/x")
    assert (reply.status, reply.kind, reply.json, reply.text) == (404, *expected)
    assert "content-length" in reply.headers


def test_a_member_of_a_reply_is_text() -> None:
    def member(body: object) -> str:
        return ServerReply(200, "", {}, body, "").member("a")

    assert [member({"a": 5}), member({"a": "x"}), member({}), member(["a"])] == ["5", "x", "", ""]


def test_a_longer_response_than_the_limit_is_none(server: Misbehaving) -> None:
    server.set_scripts(responds_with(body=b'"' + b"x" * BODY_LIMIT + b'"'))
    assert kinds(command(server)) == ("OutcomeUnknown", "too-long", False)
    reply = exchange(command(server)).send("GET", "/x", limit=BODY_LIMIT + 2)
    assert len(reply.text) == BODY_LIMIT + 2


@pytest.mark.parametrize(
    ("script", "dialect", "seconds", "expected"),
    [
        (responds_with(401), "native", 10, ("ServerRefused", "unauthorized", False)),
        (hangs, "steve", 1, ("OutcomeUnknown", "charger-silent", False)),
        (sends(b""), "steve", 10, ("OutcomeUnknown", "reset", False)),
        (sends(b"HTTP/1.1 200 OK\r\n"), "steve", 10, ("OutcomeUnknown", "reset", False)),
        (sends(b"nonsense\r\n\r\n"), "steve", 10, ("OutcomeUnknown", "malformed", False)),
    ],
)
def test_each_failure_has_its_kind(
    script: Script, dialect: str, seconds: float, expected: tuple[str, str, bool], server: Misbehaving
) -> None:
    server.set_scripts(script)
    assert kinds(command(server, dialect=dialect), seconds=seconds) == expected


def test_the_third_failed_connection_opens_the_circuit_and_the_next_request_is_not_sent() -> None:
    with closing(Misbehaving()) as gone:
        asked = command(gone, dialect="steve")
    circuits = Circuits()
    found = [kinds(asked, circuits=circuits, seconds=0.3) for _ in range(4)]
    assert found == [
        *[("Unreachable", "refused", opened) for opened in (False, False, True)],
        ("CircuitOpen", "circuit-open", False),
    ]


def test_a_request_that_fails_unexpectedly_leaves_the_outcome_unknown(server: Misbehaving) -> None:
    server.set_scripts(responds_with(body=b'[{"id": "CP-1", "OnlineConnectors": 5}]'))
    asked = command(server, None, dialect="ocpp-core")
    assert kinds(asked) == ("OutcomeUnknown", "unexpected", False)


def test_a_server_without_a_status_is_not_called(server: Misbehaving) -> None:
    asked = command(server, None, dialect="steve")
    assert kinds(asked) == (StatusNotAvailable.__name__, "status-not-available", False)
    assert server.connections == 0


def test_a_secret_is_read_again_only_after_401_and_403(server: Misbehaving) -> None:
    for status, tries in ((401, 2), (403, 2), (402, 1), (404, 1)):
        values = iter(["old", "new", "newest"])
        secrets = Secrets(lambda *_, values=values: json.dumps({"bearer": next(values)}))
        server.requests.clear()
        server.set_scripts(responds_with(status))
        with pytest.raises(LinkError):
            Link(Circuits(), secrets).connect(command(server, secret="x"), Deadline.after(10))
        assert [got.headers["authorization"] for got in server.requests] == ["Bearer old", "Bearer new"][
            :tries
        ]


def suspect(circuits: Circuits, server: Misbehaving) -> None:
    for charger in ("A", "B", "C"):
        circuits.failed(f"127.0.0.1:{server.port}", charger)


@pytest.mark.parametrize(
    ("script", "healthy"),
    [
        (responds_with(500), True),
        (responds_with(401), True),
        (responds_with(body=b"x" * (BODY_LIMIT + 1)), True),
        (sends(b""), False),
        (sends(b"HTTP/1.1 200 OK\r\n"), False),
        (hangs, False),
    ],
)
def test_any_whole_response_closes_the_circuit_of_a_suspect_server(
    script: Script, healthy: bool, server: Misbehaving
) -> None:
    server.set_scripts(script)
    circuits = Circuits()
    suspect(circuits, server)
    asked = command(server, secret="x", basePath="/base")
    link = Link(circuits, Secrets(lambda *_: '{"bearer": "abc"}'))
    if healthy:
        link.check_server(asked.server, Deadline.after(10))
        assert not circuits.check(asked.server.name)
    else:
        with pytest.raises(CircuitOpen) as opened:
            link.check_server(asked.server, Deadline.after(10))
        assert (opened.value.opened_circuit, opened.value.retry_after) == (True, 10)
        with pytest.raises(CircuitOpen):
            circuits.check(asked.server.name)
    (got,) = server.requests
    assert (got.method, got.path, got.body) == ("GET", "/base/api/v1/chargers", b"")
    assert got.headers == {
        "host": f"127.0.0.1:{server.port}",
        "accept": "application/json",
        "connection": "close",
        "authorization": "Bearer abc",
    }


def test_a_server_that_is_gone_is_not_healthy() -> None:
    with closing(Misbehaving()) as gone:
        asked = command(gone)
    with pytest.raises(CircuitOpen):
        Link(Circuits(), Secrets.of(None, {})).check_server(asked.server, Deadline.after(10))


def test_without_a_secret_or_without_time_no_health_check_is_sent(server: Misbehaving) -> None:
    def fails(*_: object) -> str:
        raise KeyError("x")

    link = Link(Circuits(), Secrets(fails))
    link.check_server(command(server, secret="x").server, Deadline.after(10))
    link.check_server(command(server).server, Deadline.after(0.4))
    assert server.connections == 0
    link.check_server(command(server).server, Deadline.after(10))
    assert server.connections == 1


def test_the_secret_of_a_health_check_is_read_within_its_second(server: Misbehaving) -> None:
    left: list[float] = []

    def read(_: str, deadline: Deadline) -> str:
        left.append(deadline.remaining())
        return '{"bearer": "x"}'

    Link(Circuits(), Secrets(read)).check_server(command(server, secret="x").server, Deadline.after(10))
    assert left[0] <= 1


def test_a_health_check_needs_no_trial_of_an_open_circuit(server: Misbehaving) -> None:
    circuits = Circuits()
    asked = command(server)
    for _ in range(3):
        circuits.failed(asked.server.name, None)
    Link(circuits, Secrets.of(None, {})).check_server(asked.server, Deadline.after(10))
    assert not circuits.check(asked.server.name)
    circuits.enter(asked.server.name)


def test_the_secrets_that_cannot_be_read_are_named_in_order() -> None:
    def read(name: str, _: Deadline) -> str:
        return '{"bearer": "x"}' if name == "good" else "nonsense"

    link = Link(Circuits(), Secrets(read))
    assert link.unreadable({"b", "good", "a"}) == ["a", "b"]
    assert link.unreadable([]) == []


def test_an_answer_shows_no_token_and_at_most_fifty_characters(server: Misbehaving) -> None:
    server.set_scripts(
        responds_with(body=status_body(status="Rejected", info="charger-refused 04A2B3C4 " + "x" * 60))
    )
    answer: Any = Link(Circuits(), Secrets.of(None, {})).connect(command(server), Deadline.after(10))
    assert answer.info == ("charger-refused *** " + "x" * 60)[:50]
    server.set_scripts(responds_with(body=status_body(status="Available", info="y" * 60)))
    answer = Link(Circuits(), Secrets.of(None, {})).connect(command(server, None), Deadline.after(10))
    assert answer.info == "y" * 50


def test_a_server_with_a_certificate_is_called_over_tls_only(server: Misbehaving) -> None:
    assert kinds(command(server, scheme="https"), seconds=0.5)[0] == "Unreachable"
    assert not any(got.method == "PUT" for got in server.requests)
