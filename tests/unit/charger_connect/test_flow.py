"""Each way through a request that needs no OCPP server: what is written, with which deadline, and the reply."""

from __future__ import annotations

import time
from typing import Any

import pytest

from charger_connect import flow
from charger_connect.opening import request_fingerprint
from charger_connect.service import Service
from charger_link import (
    Answer,
    ChargerUnknown,
    CircuitOpen,
    Command,
    LinkError,
    Outcome,
    OutcomeUnknown,
    Published,
)
from common.edge.replies import Reply
from common.journal import Attempt, Claimed, ConditionFailed, JournalUnavailable
from common.transport import Deadline
from common.wire import OcppStatusResponse, Problem, ProblemError
from tests.operations.conftest import captured_lines, messages
from tests.unit.charger_connect.services import CALL, ENTRY, ID, request, service
from tests.unit.journal.scripted_table import ScriptedTable
from tests.unit.journal.transitions import ANSWER, NOW, item

STEVE = {**ENTRY, "dialect": "steve"}
LONG = "x" * 21  # SteVe's dialect rejects it without a request
FINGERPRINT = request_fingerprint(request(tokenId=LONG), "alice", b"a secret of the test")
CLAIMED: dict[str, Any] = {"Attributes": item(attemptKey="the key", owner="me", dialect="steve")}
TIMEOUT = JournalUnavailable("timeout")
CHECK_FIRST = "Look at `instance` and check the charger"


class Table(ScriptedTable):
    """Keeps the seconds that each call had left."""

    def __init__(self, *responses: dict[str, Any] | Exception) -> None:
        super().__init__(*responses)
        self.left: list[float] = []

    def call(self, operation: str, body: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        self.left.append(deadline.remaining())
        return super().call(operation, body, deadline)


def deployment(*responses: dict[str, Any] | Exception, **changes: Any) -> tuple[Service, Table]:
    table = Table(*responses)
    made = service(**{"entries": [STEVE], **changes})
    object.__setattr__(made, "journal", table.journal())
    return made, table


def connect(made: Service, seconds: float = 20.0, **members: Any) -> tuple[Reply, list[dict[str, Any]]]:
    with captured_lines() as lines:
        call = CALL._replace(deadline=Deadline.after(seconds))
        reply = flow.connect(request(**{"tokenId": LONG, **members}), call, made)
    return reply, messages(lines)


def problem(reply: Reply) -> tuple[str, str, str | None]:
    assert isinstance(reply.message, Problem)
    return reply.message.type.rpartition("/")[2], reply.message.detail, reply.message.instance


PATH = f"/api/v1/ocpp/charger-connect/{ID}"


def old(**changes: Any) -> dict[str, Any]:
    return item(**{"fingerprint": FINGERPRINT, "dialect": "steve", **changes})


def test_an_answer_is_settled_and_returned() -> None:
    made, table = deployment(CLAIMED, {})
    reply, lines = connect(made)
    assert reply.headers == {"Connect-Outcome": "rejected"}
    assert isinstance(reply.message, OcppStatusResponse)
    assert (reply.message.status, reply.message.info, reply.message.connectorId) == (
        "Rejected",
        "token-too-long",
        1,
    )
    written = table.written(1)
    assert written["state"] == {"S": "failed"}
    assert written["answer"]["M"]["info"] == {"S": "token-too-long"}
    assert "problem" not in written
    assert set(written["milliseconds"]["M"]) == {"claim", "link"}
    assert [line["message"] for line in lines] == ["claimed", "settled"]
    assert set(lines[1]["milliseconds"]) == {"claim", "link", "settle"}
    assert all(0 <= took < 10_000 for took in lines[1]["milliseconds"].values())
    assert 0 <= lines[0]["claimMilliseconds"] < 10_000
    assert (lines[1]["outcome"], lines[1]["state"]) == ("rejected", "failed")
    claim, settle = table.left
    assert claim <= 5, "a slow table is left early"
    assert 15 < settle <= 20, "the whole deadline"


def test_time_to_settle_is_kept_from_the_claim() -> None:
    made, table = deployment(CLAIMED, {})
    connect(made, seconds=6.0)
    assert table.left[0] <= 3.5
    assert 3.5 < table.left[1] <= 6


def test_an_error_is_settled_and_returned() -> None:
    made, table = deployment(CLAIMED, {})
    reply, lines = connect(made, tokenId=None)
    kind, detail, instance = problem(reply)
    assert (kind, instance) == ("status-not-available", PATH)
    assert detail.startswith("This kind of OCPP server")
    written = table.written(1)
    assert written["state"] == {"S": "failed"}
    assert written["problem"] == {"M": {"type": {"S": "status-not-available"}, "detail": {"S": detail}}}
    assert "answer" not in written
    assert lines[1]["kind"] == "status-not-available"


@pytest.mark.parametrize(
    ("error", "token", "state", "kind", "detail", "headers"),
    [
        (OutcomeUnknown("x", "It is lost."), LONG, "unknown", "outcome-unknown", "It is lost. " + CHECK_FIRST, {}),
        (OutcomeUnknown("x", "It is lost."), None, "failed", "status-unknown", "The charger's status could not be read in time.", {}),
        (ChargerUnknown("x", "Nobody knows it."), LONG, "failed", "charger-unknown", "Nobody knows it.", {}),
        (CircuitOpen("x", "Later.", retry_after=7), LONG, "failed", "circuit-open", "Later.", {"Retry-After": "7"}),
    ],
)  # fmt: skip
def test_each_error_has_its_state_and_problem(
    error: LinkError, token: str | None, state: str, kind: str, detail: str, headers: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(flow, "call_server", lambda *_: error)
    made, table = deployment(CLAIMED, {})
    reply, _ = connect(made, tokenId=token)
    found, text, _ = problem(reply)
    assert (found, reply.headers) == (kind, headers)
    assert text.startswith(detail)
    assert table.written(1)["state"] == {"S": state}
    stored = table.written(1)["problem"]["M"]
    assert stored["type"] == {"S": kind}
    assert text.startswith(stored["detail"]["S"])


@pytest.mark.parametrize(
    ("answer", "condition"),
    [
        (Answer(Outcome.ACCEPTED, "Accepted"), ":over2"),
        (Answer(Outcome.REJECTED, "Rejected"), ":over1"),
        (Answer(Outcome.REJECTED, "Rejected", provisional=True), "#owner = :mine"),
    ],
)
def test_an_acceptance_outweighs_a_failure_and_a_provisional_rejection_nothing(
    answer: Answer, condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "call_server", lambda *_: answer)
    made, table = deployment(CLAIMED, {})
    connect(made)
    expression = table.requests[1][1]["ConditionExpression"]
    assert condition in expression
    assert (":over2" in expression) is (answer.outcome is Outcome.ACCEPTED)
    assert ("AND #owner = :mine" in expression and "milliseconds" not in expression) is answer.provisional


def test_what_another_invocation_recorded_is_returned() -> None:
    made, _ = deployment(
        CLAIMED, ConditionFailed(item(attemptKey="the key", state="completed", answer=ANSWER))
    )
    reply, lines = connect(made)
    assert reply.headers == {"Connect-Outcome": "accepted"}
    assert (lines[1]["outcome"], lines[1]["state"]) == ("accepted", "completed")
    made, _ = deployment(CLAIMED, ConditionFailed(item(attemptKey="the key", state="unknown")))
    reply, lines = connect(made)
    assert problem(reply)[0] == "outcome-unknown"
    assert (lines[1]["outcome"], lines[1]["state"]) == ("rejected", "failed")


@pytest.mark.parametrize(
    ("token", "kind", "text"),
    [
        (
            LONG,
            "outcome-unknown",
            "The OCPP server was called, but the outcome could not be recorded. " + CHECK_FIRST,
        ),
        (None, "status-unknown", "The charger's status could not be read in time."),
    ],
)
def test_what_cannot_be_settled_is_no_success(token: str | None, kind: str, text: str) -> None:
    made, _ = deployment(CLAIMED, TIMEOUT)
    reply, lines = connect(made, tokenId=token)
    found, detail, instance = problem(reply)
    assert (found, instance) == (kind, PATH)
    assert detail.startswith(text)
    assert (lines[1]["message"], lines[1]["step"], lines[1]["reason"]) == (
        "journal failed",
        "settle",
        "timeout",
    )
    assert set(lines[1]["milliseconds"]) == {"claim", "link", "settle"}
    assert all(0 <= took < 10_000 for took in lines[1]["milliseconds"].values())


def test_without_a_claim_nothing_was_sent() -> None:
    made, _ = deployment(TIMEOUT)
    with captured_lines() as lines, pytest.raises(ProblemError) as refused:
        flow.connect(request(tokenId=LONG), CALL, made)
    assert (refused.value.problem.type, refused.value.headers) == (
        "/problems/journal-unavailable",
        {"Retry-After": "1"},
    )
    assert "this request sent nothing" in refused.value.problem.detail
    (line,) = messages(lines)
    assert (line["step"], line["id"], line["reason"]) == ("claim", ID, "timeout")


def test_a_takeover_that_is_not_recorded_may_follow_a_start() -> None:
    created = old(
        dialect="native",
        state="unknown",
        fingerprint=request_fingerprint(request(), "alice", b"a secret of the test"),
    )
    made, _ = deployment(ConditionFailed(created), TIMEOUT, entries=[ENTRY])
    reply, _ = connect(made, tokenId="04A2B3C4D5E6")
    kind, detail, instance = problem(reply)
    assert (kind, instance) == ("outcome-unknown", PATH)
    assert detail.startswith(
        "An earlier request with this id was sent, and its outcome is unknown. " + CHECK_FIRST
    )


@pytest.mark.parametrize(
    ("found", "kind", "headers", "message", "text"),
    [
        (old(lease=NOW + 7), "attempt-in-progress", {"Retry-After": "7"}, "still in progress", "Another request"),
        (old(fingerprint=b"another"), "id-reused", {}, "id reused", "Look at `instance`: this id belongs"),
        (old(state="unknown"), "outcome-unknown", {}, "asked again, still unknown", "An earlier request with this id was sent"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("paused", [False, True])
def test_a_repeat_receives_what_the_attempt_is(
    paused: bool, found: dict[str, Any], kind: str, headers: dict[str, str], message: str, text: str
) -> None:
    made, table = deployment({"Item": found} if paused else ConditionFailed(found), paused=paused)
    reply, lines = connect(made)
    *searched, line = lines
    # A repeat of an unknown start searches the server's records, and this server does not answer.
    assert [one["message"] for one in searched] == ["records not read"] * (kind == "outcome-unknown")
    assert (problem(reply)[0], problem(reply)[2], reply.headers) == (kind, PATH, headers)
    assert problem(reply)[1].startswith(text)
    assert (line["message"], line["id"]) == (message, ID)
    assert table.left[0] <= 5
    assert table.requests[0][0] == ("GetItem" if paused else "UpdateItem")


@pytest.mark.parametrize("paused", [False, True])
def test_a_completed_attempt_is_replayed(paused: bool) -> None:
    found = old(state="completed", answer=ANSWER)
    made, _ = deployment({"Item": found} if paused else ConditionFailed(found), paused=paused)
    reply, (line,) = connect(made)
    assert reply.headers == {"Connect-Outcome": "accepted", "Idempotent-Replayed": "true"}
    assert (line["message"], line["id"]) == ("replayed", ID)


def test_a_request_that_is_refused_has_no_attempt() -> None:
    made, table = deployment({}, paused=True)
    with pytest.raises(ProblemError) as refused:
        connect(made, seconds=6.0)
    assert refused.value.problem.type == "/problems/starts-paused"
    assert table.requests[0][1]["Key"] == {"id": {"S": ID}}
    assert table.left[0] <= 3.5
    made, table = deployment({})
    with captured_lines() as lines, pytest.raises(ProblemError) as refused:
        flow.connect(request(tokenId=LONG, serverRestApiPort=1), CALL, made)
    assert refused.value.problem.type == "/problems/address-not-allowed"
    assert [(line["message"], line["reason"]) for line in messages(lines)] == [("address refused", "port")]


def test_a_status_request_is_refused_although_its_last_try_is_unknown() -> None:
    digest = request_fingerprint(request(tokenId=None, serverRestApiPort=1), "alice", b"a secret of the test")
    made, _ = deployment({"Item": old(state="unknown", fingerprint=digest)})
    with pytest.raises(ProblemError):
        connect(made, tokenId=None, serverRestApiPort=1)


def doubtful(made: Service, seconds: float = 20.0, **changes: Any) -> Answer | LinkError:
    """Return the result of a repeat whose first try, with these attributes, may have reached its server."""
    attempt = Attempt.of(item(**{"dialect": "steve", **changes}))
    asked = request(tokenId=LONG)
    server = made.servers.find("10.0.0.5", 8080)
    call = CALL._replace(deadline=Deadline.after(seconds))
    return flow.call_server(Claimed(attempt, doubt=True), asked, server, call, made)


@pytest.mark.parametrize(
    ("changes", "entries"),
    [
        ({"server": "192.0.2.1:80"}, [STEVE]),
        ({"server": "nonsense"}, [STEVE]),
        ({"server": "10.0.0.5:8080", "dialect": "native"}, [STEVE]),
        ({"server": "10.0.0.5:8080", "url": "http://10.0.0.5:8080/other"}, [STEVE]),
        ({"server": "10.0.0.5:8080"}, [{**STEVE, "enabled": False}]),
    ],
)
def test_a_repeat_is_never_sent_to_a_server_that_is_not_the_first(
    changes: dict[str, Any], entries: list[dict[str, Any]]
) -> None:
    result = doubtful(deployment(entries=entries)[0], **changes)
    assert isinstance(result, OutcomeUnknown)
    assert result.kind == "server-gone"
    assert result.detail.startswith("The OCPP server that received the first try")


@pytest.mark.parametrize("server", ["10.0.0.5:8080", "10.0.0.6:8080"])
def test_a_repeat_is_sent_to_the_first_server(server: str) -> None:
    result = doubtful(deployment()[0], server=server)
    assert isinstance(result, OutcomeUnknown)
    assert result.kind == "not-asked", "the dialect was called, and its rejection is not certain"


def test_a_repeat_is_not_sent_while_the_circuit_of_its_first_server_is_open() -> None:
    made, _ = deployment()
    for _ in range(3):
        made.circuits.failed("10.0.0.6:8080", None)
    result = doubtful(made, server="10.0.0.6:8080")
    assert isinstance(result, OutcomeUnknown)
    assert (result.kind, result.opened_circuit) == ("circuit-open", False)
    assert result.detail.startswith("The OCPP server that received the first try")


def test_the_check_before_the_claim_leaves_time_to_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr(flow, "check_server", lambda *arguments: given.extend(arguments))
    made, _ = deployment(CLAIMED, {})
    connect(made)
    asked, server, checked, deadline = given
    assert (asked.tokenId, server.name, checked) == (LONG, "10.0.0.5:8080", made)
    assert 15 < deadline.remaining() <= 17.5


def test_the_check_of_the_first_server_leaves_time_to_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []

    def refuse(server: Any, checked: Service, deadline: Deadline) -> None:
        given.extend((server.name, checked, deadline.remaining()))
        raise CircuitOpen("timeout", "x", opened_circuit=True)

    made, _ = deployment()
    monkeypatch.setattr(flow, "check_circuit", refuse)
    result = doubtful(made, server="10.0.0.6:8080")
    assert isinstance(result, OutcomeUnknown)
    assert (result.kind, result.opened_circuit) == ("timeout", True)
    assert given[:2] == ["10.0.0.6:8080", made]
    assert 16.5 < given[2] <= 17.5


class Recorded(Exception):
    """Ends a call, once its command is recorded."""


@pytest.mark.parametrize(
    ("doubt", "link_timeout", "left"), [(False, 2.0, 2.0), (True, 2.0, 2.0), (False, 60.0, 17.5)]
)
def test_the_command_of_a_start(
    doubt: bool, link_timeout: float, left: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = deployment(entries=[{**ENTRY, "dialect": "citrineos"}])
    object.__setattr__(made, "link_timeout", link_timeout)
    given: list[Any] = []

    def record(_: object, command: object, deadline: Deadline) -> None:
        given.extend((command, deadline.remaining()))
        raise Recorded

    monkeypatch.setattr(type(made.link), "connect", record)
    first = "10.0.0.5:8080" if doubt else "10.0.0.9:8080"  # without doubt, nothing binds the request to it
    attempt = Attempt.of(item(dialect="citrineos", connectorId=9, server=first))
    server = made.servers.find("10.0.0.5", 8080)
    call = CALL._replace(deadline=Deadline.after(20.0))
    with pytest.raises(Recorded):
        flow.call_server(Claimed(attempt, doubt=doubt), request(connectorId=4), server, call, made)
    command, remaining = given
    url = command.callback_url
    assert command == Command(ID, "CP-1", "04A2B3C4D5E6", 9 if doubt else 4, server, "00-a", url, doubt)
    assert url.startswith(f"https://api.example.com/api/v1/ocpp/callbacks/{ID}/")
    assert left - 1 < remaining <= left


def test_a_published_start_waits_for_its_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    made, table = deployment({"Item": item(answer=ANSWER)}, entries=[{**ENTRY, "dialect": "citrineos"}])
    monkeypatch.setattr(type(made.link), "connect", lambda *_: Published())
    server = made.servers.find("10.0.0.5", 8080)
    call = CALL._replace(deadline=Deadline.after(20.0))
    result = flow.call_server(Claimed(Attempt.of(item())), request(), server, call, made)
    assert result == Answer(Outcome.ACCEPTED, "Charging", 1)
    assert table.left[0] <= 2


def test_a_published_start_without_a_callback_has_the_failure_of_its_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, _ = deployment({}, entries=[{**ENTRY, "dialect": "citrineos"}])
    object.__setattr__(made, "link_timeout", 0.0)
    lost = OutcomeUnknown("timeout", "It is lost.")
    monkeypatch.setattr(type(made.link), "connect", lambda *_: Published(lost))
    server = made.servers.find("10.0.0.5", 8080)
    assert flow.call_server(Claimed(Attempt.of(item())), request(), server, CALL, made) is lost


def test_durations_are_in_whole_milliseconds() -> None:
    assert 1500 <= flow._milliseconds(time.monotonic() - 1.5) < 11_500
