"""Find and stop at a native server: every reply that docs/native-link.openapi.yaml allows, and others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from charger_link import Found, LinkError, Outcome, OutcomeUnknown, ServerBusy, Stop
from common.remote_start.transaction import Transaction
from tests.integration.csms.conformance import CONNECT, document
from tests.integration.link.finding import BEGAN, CHARGER, ENDED, ID, Finder, summarize
from tests.integration.link.test_link import BREAKS, command, connect, failure
from tests.integration.misbehaving import Misbehaving, responds_with, response, sends, sends_problem

if TYPE_CHECKING:
    from tests.integration.misbehaving import Script

PATH = f"/api/v1/chargers/{CHARGER}/connections/{ID}"
RUNS = {"id": "7", "connectorId": 2, "startedAt": "2026-11-25T08:30:00Z", "stoppedAt": None}
ENDS = {**RUNS, "stoppedAt": "2026-11-25T09:31:00+01:00"}


def result(status: str = "Accepted", **changes: Any) -> dict[str, Any]:
    answer = {"chargerId": CHARGER, "connectorId": 1, "errorCode": "NoError", "status": status, "info": None}
    return {**answer, **changes}


def record(**changes: Any) -> dict[str, Any]:
    empty = {"state": "sent", "cancelled": False, "result": None, "transactions": []}
    return {"id": ID, "chargerId": CHARGER, **empty, **changes}


def stopped(status: Any, info: Any = None, **changes: Any) -> dict[str, Any]:
    return record(cancelled=True, stop={"status": status, "info": info}, **changes)


def replies(body: Any, status: int = 200, kind: str = "application/json") -> Script:
    return responds_with(status, json.dumps(body).encode(), kind)


@pytest.fixture
def native(server: Misbehaving) -> Finder:
    return Finder(server, "native")


def found(native: Finder, body: Any) -> Found:
    native.server.set_scripts(replies(body))
    returned = native.find()
    assert isinstance(returned, Found), returned
    return returned


def test_a_find_is_one_get_of_the_id_and_sends_no_body(native: Finder) -> None:
    found(native, record())
    (request,) = native.server.requests
    assert (request.method, request.path, request.body) == ("GET", PATH, b"")


def test_a_recorded_acceptance_is_found_with_its_transactions(native: Finder) -> None:
    body = record(state="stopped", result=result("Charging"), transactions=[ENDS, {**RUNS, "id": "8"}])
    returned = found(native, body)
    assert returned.exact
    assert returned.supported
    assert returned.answer is not None
    assert (returned.answer.outcome, returned.answer.status) == (Outcome.ACCEPTED, "Charging")
    assert returned.transactions == (
        Transaction("7", CHARGER, None, 2, BEGAN, ENDED),
        Transaction("8", CHARGER, None, 2, BEGAN, None),
    )


def test_a_recorded_rejection_is_found_and_is_final(native: Finder) -> None:
    answer = found(native, record(state="answered", result=result("Rejected", info="token-too-long"))).answer
    assert answer is not None
    assert (answer.outcome, answer.info, answer.provisional) == (Outcome.REJECTED, "token-too-long", False)


def test_a_rejection_that_a_transaction_contradicts_is_no_answer(native: Finder) -> None:
    returned = found(native, record(state="started", result=result("Rejected"), transactions=[RUNS]))
    assert returned.answer is None
    assert [one.id for one in returned.transactions] == ["7"]


@pytest.mark.parametrize("recorded", [None, result("Unavailable", info="not-connected")])
@pytest.mark.parametrize("state", ["not-sent", "sent"])
def test_a_record_without_an_answer_is_no_evidence(state: str, recorded: Any, native: Finder) -> None:
    assert found(native, record(state=state, result=recorded)) == Found(exact=True)


def test_a_transaction_is_found_although_the_answer_was_lost(native: Finder) -> None:
    returned = found(native, record(state="started", transactions=[RUNS]))
    assert (returned.answer, len(returned.transactions)) == (None, 1)


def test_an_id_that_has_not_arrived_is_no_evidence(native: Finder) -> None:
    native.server.set_scripts(sends_problem(404, kind="connection-unknown"))
    assert native.find() == Found(exact=True)


@pytest.mark.parametrize(("code", "kind"), [(404, "no-such-resource"), (405, "method-not-allowed")])
def test_a_server_without_the_operations_has_nothing_to_find_or_stop(
    code: int, kind: str, native: Finder
) -> None:
    native.server.set_scripts(sends_problem(code, kind=kind))
    assert native.find() == Found(supported=False)
    assert native.stop() is None


OTHERS = [
    (404, "charger-unknown", "ChargerUnknown charger-unknown"),
    (400, "invalid-request", "ServerFailed http-400"),
    (409, "id-reused", "ServerFailed http-409"),
    (403, "forbidden", "ServerRefused forbidden"),
    (401, "unauthorized", "ServerRefused unauthorized"),
    (429, "busy", "ServerBusy busy"),
    (503, "busy", "ServerBusy busy"),
    (500, "failed", "OutcomeUnknown http-500"),
    (504, "no-answer", "OutcomeUnknown charger-silent"),
]


@pytest.mark.parametrize(("code", "kind", "summary"), OTHERS)
def test_every_other_problem_is_an_error_of_its_kind(
    code: int, kind: str, summary: str, native: Finder
) -> None:
    native.server.set_scripts(sends_problem(code, "Retry-After: 7", kind=kind))
    for error in (native.find(), native.stop()):
        assert summarize(error) == summary
        assert isinstance(error, LinkError)
        assert "started" not in error.detail
        assert error.retry_after == (7 if isinstance(error, ServerBusy) else None)


@pytest.mark.parametrize("code", [404, 405, 409, 502, 504])
def test_an_error_of_something_in_between_says_nothing(code: int, native: Finder) -> None:
    body = {"type": "/problems/no-such-resource"}
    for kind in ("text/html", "application/json"):
        native.server.set_scripts(replies(body, code, kind))
        assert summarize(native.find()) == f"OutcomeUnknown http-{code}"
        assert summarize(native.stop()) == f"OutcomeUnknown http-{code}"


@pytest.mark.parametrize(
    "body",
    [
        None, [], "x", {}, {"id": ID},
        record(id="3f2504e0-4f89-11d3-9a0c-0305e82c3302"), record(id=None), record(chargerId="cp1"),
        record(state="done"), record(state=None), record(state=["sent"]), record(cancelled=None), record(cancelled="no"),
        record(result="Accepted"), record(result=[]), record(result={}), record(result=result("Queued")),
        record(result=result(chargerId="CP2")), record(result=result(info=5)),
        record(transactions=None), record(transactions={}), record(transactions=[None]), record(transactions=["7"]),
        record(transactions=[{**RUNS, "id": 7}]), record(transactions=[{**RUNS, "id": ""}]),
        record(transactions=[{**RUNS, "connectorId": "1"}]), record(transactions=[{**RUNS, "connectorId": -1}]),
        record(transactions=[{**RUNS, "startedAt": None}]), record(transactions=[{**RUNS, "startedAt": "today"}]),
        record(transactions=[{**RUNS, "stoppedAt": 5}]), record(transactions=[{"id": "7"}]),
        record(transactions=[RUNS, {}]),
    ],
)  # fmt: skip
def test_whatever_is_no_record_says_nothing(body: Any, native: Finder) -> None:
    native.server.set_scripts(replies(body))
    assert isinstance(native.find(), OutcomeUnknown)
    native.server.set_scripts(
        replies({**body, "stop": {"status": "Accepted", "info": None}} if isinstance(body, dict) else body)
    )
    assert isinstance(native.stop(), OutcomeUnknown)


def test_the_letter_case_of_the_id_does_not_matter(native: Finder) -> None:
    assert found(native, record(id=ID.upper())).exact


@pytest.mark.parametrize(
    ("info", "kept"),
    [
        ("token-refused tag 04A2B3C4", "token-refused"),
        ("not-supported NotSupported", "not-supported NotSupported"),
        ("connector-busy TxInProgress 04A2B3C4", "connector-busy"),
        ("04A2B3C4", None),
    ],
)
def test_free_text_of_a_record_is_dropped_as_the_token_is_not_known(
    info: str, kept: str | None, native: Finder
) -> None:
    answer = found(native, record(result=result("Rejected", info=info))).answer
    assert answer is not None
    assert answer.info == kept
    native.server.set_scripts(replies(stopped("Rejected", info, result=result("Rejected", info=info))))
    stop = native.stop()
    assert isinstance(stop, Stop)
    assert stop.answer is not None
    assert (stop.info, stop.answer.info) == (kept, kept)


@pytest.mark.parametrize(
    ("status", "info", "changes"),
    [
        ("Accepted", "nothing-started", {"state": "not-sent"}),
        ("Accepted", "nothing-started", {"state": "answered", "result": result("Rejected")}),
        ("Accepted", "stop-recorded", {"state": "sent"}),
        ("Accepted", "already-stopped", {"state": "stopped", "transactions": [ENDS]}),
        ("Accepted", None, {"state": "started", "transactions": [RUNS], "result": result()}),
        ("Rejected", None, {"state": "started", "transactions": [RUNS], "result": result()}),
        ("Unavailable", None, {"state": "started", "transactions": [RUNS], "result": result()}),
    ],
)
def test_each_outcome_of_a_stop_is_returned_with_the_record(
    status: str, info: str | None, changes: dict[str, Any], native: Finder
) -> None:
    native.server.set_scripts(replies(stopped(status, info, **changes)))
    stop = native.stop()
    assert isinstance(stop, Stop)
    assert (stop.status, stop.info, stop.cancelled) == (status, info, True)
    assert len(stop.transactions) == len(changes.get("transactions", []))
    assert (stop.answer is not None) is ("result" in changes)
    (request,) = native.server.requests
    assert (request.method, request.path, request.body) == ("DELETE", PATH, b"")
    assert request.headers["prefer"].startswith("wait=")


@pytest.mark.parametrize(
    "body", [record(), stopped("accepted"), stopped(None), stopped("Accepted", 5), stopped(["Accepted"])]
)
def test_whatever_is_no_outcome_of_a_stop_leaves_it_unknown(body: Any, native: Finder) -> None:
    native.server.set_scripts(replies(body))
    assert summarize(native.stop()) == "OutcomeUnknown status"


def test_an_id_that_is_unknown_to_the_server_is_no_answer_to_a_stop(native: Finder) -> None:
    """The server must record the stop of an id that it does not know yet."""
    native.server.set_scripts(sends_problem(404, kind="connection-unknown"))
    assert isinstance(native.stop(), OutcomeUnknown)


def test_a_start_of_a_stopped_id_is_cancelled(server: Misbehaving) -> None:
    server.set_scripts(sends_problem(409, kind="id-stopped"))
    answer = connect(command(server))
    assert (answer.outcome, answer.status, answer.info) == (Outcome.CANCELLED, "Rejected", "nothing-started")


@pytest.mark.parametrize("earlier", [True, False], ids=["an earlier call", "this call"])
def test_in_doubt_a_stopped_id_says_nothing_of_the_earlier_start(earlier: bool, server: Misbehaving) -> None:
    server.set_scripts(*[BREAKS] * (not earlier), sends_problem(409, kind="id-stopped"))
    error = failure(command(server)._replace(doubt=earlier))
    assert (type(error), error.kind) == (OutcomeUnknown, "not-asked")


def test_another_conflict_is_still_a_request_that_started_nothing(server: Misbehaving) -> None:
    server.set_scripts(sends_problem(409, kind="id-reused"))
    assert summarize(failure(command(server))) == "ServerFailed http-409"


@pytest.mark.parametrize("method", ["get", "delete", "put"])
def test_the_examples_of_the_specification_conform_and_are_read(method: str, native: Finder) -> None:
    operation = document()["paths"][CONNECT][method]
    media = operation["responses"]["200"]["content"]["application/json"]
    validator = Draft202012Validator({**document(), **media["schema"]})
    for example in media["examples"].values():
        validator.validate(example["value"])
        if method == "put":
            continue
        changes = {"id": example["value"]["id"], "charger_id": example["value"]["chargerId"]}
        native.server.set_scripts(replies(example["value"]))
        returned = native.find(**changes) if method == "get" else native.stop(**changes)
        assert isinstance(returned, Found if method == "get" else Stop), returned


@pytest.mark.parametrize("method", ["get", "delete"])
def test_the_specification_allows_what_these_tests_send(method: str) -> None:
    content = document()["paths"][CONNECT][method]["responses"]["200"]["content"]["application/json"]
    validator = Draft202012Validator({**document(), **content["schema"]})
    bodies = [record(), record(state="stopped", result=result(), transactions=[ENDS])]
    for body in [stopped("Accepted", "stop-recorded")] if method == "delete" else bodies:
        validator.validate(body)
    assert not validator.is_valid(record(state="done", stop={"status": "Accepted", "info": None}))


def test_a_stop_that_broke_off_is_sent_again(native: Finder) -> None:
    native.server.set_scripts(BREAKS, BREAKS, replies(stopped("Accepted")))
    assert summarize(native.stop()) == "Accepted null"
    assert native.requests == [("DELETE", PATH)] * 3


@pytest.mark.parametrize(("status", "kind"), [("Rejected", "rejected"), ("Unavailable", "offline")])
def test_after_a_stop_that_broke_off_only_an_acceptance_is_certain(
    status: str, kind: str, native: Finder
) -> None:
    native.server.set_scripts(BREAKS, replies(stopped(status)))
    assert summarize(native.stop()) == f"OutcomeUnknown {kind}"


def test_after_a_stop_that_broke_off_no_error_says_that_it_was_not_sent(native: Finder) -> None:
    for code in (401, 403, 409, 503):
        native.server.set_scripts(BREAKS, sends_problem(code))
        error = native.stop()
        assert isinstance(error, OutcomeUnknown)
        assert "again is safe" in error.detail


def test_the_doubt_of_a_start_does_not_concern_its_stop(native: Finder) -> None:
    native.server.set_scripts(replies(stopped("Rejected")))
    assert summarize(native.stop(doubt=True)) == "Rejected null"


def test_a_find_that_broke_off_is_sent_again(native: Finder) -> None:
    native.server.set_scripts(BREAKS, sends(response(200)[:-2]), replies(record()))
    assert native.find() == Found(exact=True)
    assert native.requests == [("GET", PATH)] * 3


def test_a_server_that_is_gone_is_unreachable(native: Finder) -> None:
    native.server.close()
    assert summarize(native.find()) == "Unreachable refused"
    assert summarize(native.stop()) == "Unreachable refused"


def test_a_native_server_needs_no_transaction_to_be_read(native: Finder) -> None:
    assert native.read() is None
    assert native.server.requests == []
