"""The log line and the metrics of each event, whole: alarms, widgets and saved queries use their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from charger_connect import metrics, observe
from charger_link import (
    Answer,
    ChargerUnknown,
    LinkError,
    Outcome,
    OutcomeUnknown,
    StatusNotAvailable,
    Unreachable,
)
from common.edge.call import Call
from common.journal import Attempt, Claimed, Settlement, State
from common.transport import Deadline
from common.wire import FieldError, make_problem
from tests.integration.calling import Context
from tests.operations.conftest import captured_lines, messages
from tests.operations.conftest import metrics as metrics_of

ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
ZERO_ID = "00000000-0000-0000-0000-000000000000"
ATTEMPT = Attempt(
    ID, "CP-1", State.PENDING, "", "", server="10.0.0.5:80", dialect="native", token="****", traceId="1-a", tries=2
)  # fmt: skip
ABOUT = {
    "id": ID,
    "chargerId": "CP-1",
    "server": "10.0.0.5:80",
    "dialect": "native",
    "token": "****",
    "traceId": "1-a",
}
CALL = Call("POST", "", {}, {}, {}, b"", "alice", None, None, Deadline.after(86_400), 0.0)
CLAIM = Claimed(ATTEMPT, doubt=True)
TOOK = {"claim": 1, "link": 20, "settle": 300}
ANSWER = Answer(Outcome.ACCEPTED, "Accepted", 1)
POWERTOOLS = {"level", "location", "message", "timestamp", "service", "xray_trace_id"}


@pytest.fixture(autouse=True)
def _warm_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ChargerConnect")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "local")
    monkeypatch.setattr(metrics, "_is_cold", False)


def lines_of(event: Callable[[], None]) -> list[dict[str, Any]]:
    """Return what an event prints within an invocation: log lines, then the record of the metrics."""
    with captured_lines() as lines, metrics.invocation(Context(29.0)):
        event()
    return lines


def counted(lines: list[dict[str, Any]]) -> dict[str, float]:
    """Return the metrics by name and dimensions, such as ``Attempts outcome=accepted``."""
    return {
        " ".join([name, *sorted(f"{key}={value}" for key, value in dimensions if key != "service")]): value
        for (name, dimensions), value in metrics_of(lines).items()
    }


def logged(lines: list[dict[str, Any]]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return level, message and our own members of each log line."""
    return [
        (line["level"], line["message"], {name: value for name, value in line.items() if name not in POWERTOOLS})
        for line in messages(lines)
    ]  # fmt: skip


def settled(result: Answer | LinkError, state: State) -> Callable[[], None]:
    return lambda: observe.settled(CLAIM, Settlement(state), result, TOOK, CALL)


def unsettled(result: Answer | LinkError) -> Callable[[], None]:
    return lambda: observe.unsettled(CLAIM, result, TOOK, "timeout")


def refused(kind: str, *fields: str) -> Callable[[], None]:
    errors = [FieldError(field, "x") for field in fields]
    return lambda: observe.refused(make_problem(kind, "x", errors=errors))


SETTLED = {**ABOUT, "tries": 2, "milliseconds": TOOK}
UNSETTLED = {**SETTLED, "step": "settle", "reason": "timeout"}
CALLED = {"ClaimLatency": 1, "LinkLatency": 20}


@pytest.mark.parametrize(
    ("event", "line", "counts"),
    [
        (
            lambda: observe.claimed(CLAIM, CALL, 7),
            ("INFO", "claimed", {**ABOUT, "tries": 2, "repeat": True, "caller": "alice", "claimMilliseconds": 7, "requestId": "a test"}),
            {},
        ),
        (
            lambda: observe.claimed(Claimed(ATTEMPT._replace(id=ZERO_ID)), CALL, 7),
            ("INFO", "claimed", {**ABOUT, "id": ZERO_ID, "tries": 2, "repeat": False, "caller": "alice", "claimMilliseconds": 7, "requestId": "a test"}),
            {"ZeroIds": 1},
        ),
        (
            settled(ANSWER, State.COMPLETED),
            ("INFO", "settled", {**SETTLED, "outcome": "accepted", "state": "completed"}),
            {"Attempts outcome=accepted": 1, "SettleLatency": 300, **CALLED},
        ),
        (
            settled(OutcomeUnknown("timeout", "x"), State.UNKNOWN),
            ("INFO", "settled", {**SETTLED, "outcome": "unknown", "state": "unknown", "kind": "timeout"}),
            {"Attempts outcome=unknown": 1, "UnknownsLeft": 1, "SettleLatency": 300, "LinkFailures": 1,
             "LinkFailures dialect=native kind=timeout": 1, **CALLED},
        ),
        (
            settled(Unreachable("circuit-open", "x"), State.FAILED),
            ("INFO", "settled", {**SETTLED, "outcome": "failed", "state": "failed", "kind": "circuit-open"}),
            {"Attempts outcome=failed": 1, "SettleLatency": 300, "ClaimLatency": 1, "CircuitRefusals": 1},
        ),
        *(
            (
                settled(kind("a-kind", "x"), State.FAILED),
                ("INFO", "settled", {**SETTLED, "outcome": "failed", "state": "failed", "kind": "a-kind"}),
                {"Attempts outcome=failed": 1, "SettleLatency": 300, "LinkFailures dialect=native kind=a-kind": 1, **CALLED},
            )
            for kind in (ChargerUnknown, StatusNotAvailable)
        ),
        (
            unsettled(ANSWER),
            ("ERROR", "journal failed", {**UNSETTLED, "outcome": "accepted"}),
            {"JournalFailures": 1, "UnknownsLeft": 1, **CALLED},
        ),
        (
            unsettled(ChargerUnknown("a-kind", "x")),
            ("ERROR", "journal failed", {**UNSETTLED, "outcome": "a-kind"}),
            {"JournalFailures": 1, "UnknownsLeft": 1, "LinkFailures dialect=native kind=a-kind": 1, **CALLED},
        ),
        (
            lambda: observe.unclaimed(ID, "timeout"),
            ("ERROR", "journal failed", {"step": "claim", "id": ID, "reason": "timeout"}),
            {"JournalFailures": 1},
        ),
        (lambda: observe.replayed(ATTEMPT), ("INFO", "replayed", ABOUT), {"Replays": 1}),
        (lambda: observe.conflicted(ATTEMPT), ("INFO", "still in progress", ABOUT), {"Conflicts": 1}),
        (lambda: observe.mismatched(ID), ("WARNING", "id reused", {"id": ID}), {"IdsReused": 1}),
        (lambda: observe.mismatched(ZERO_ID), ("WARNING", "id reused", {"id": ZERO_ID}), {"IdsReused": 1, "ZeroIds": 1}),
        (lambda: observe.still_unknown(ATTEMPT), ("WARNING", "asked again, still unknown", ABOUT), {"UnknownsAsked": 1}),
        (
            refused("invalid-request", "tokenId", "chargerId"),
            ("INFO", "refused", {"problem": "/problems/invalid-request", "fields": ["tokenId", "chargerId"]}),
            {"InvalidRequests": 1},
        ),
        *(
            (refused(kind), ("INFO", "refused", {"problem": f"/problems/{kind}", "fields": []}), counts)
            for kind, counts in (
                ("method-not-allowed", {"InvalidRequests": 1}),
                ("body-too-large", {"InvalidRequests": 1}),
                ("unsupported-media-type", {"InvalidRequests": 1}),
                ("starts-paused", {"StartsPaused": 1}),
                ("circuit-open", {}),
                ("address-not-allowed", {}),
            )
        ),
        (lambda: observe.address_refused("port"), ("WARNING", "address refused", {"reason": "port"}), {"AddressesRefused": 1}),
        (lambda: observe.circuit_opened("a server", "timeout"), ("ERROR", "circuit opened", {"server": "a server", "kind": "timeout"}), {"CircuitsOpened": 1}),
    ],
)  # fmt: skip
def test_an_event_has_one_line_and_its_metrics(
    event: Callable[[], None], line: tuple[str, str, dict[str, Any]], counts: dict[str, float]
) -> None:
    lines = lines_of(event)
    ((level, message, members),) = logged(lines)
    if message == "settled":
        assert 86_000_000 < members.pop("left") <= 86_400_000
    assert (level, message, members) == line
    assert counted(lines) == counts


def test_a_failure_that_opened_the_circuit_has_a_second_line() -> None:
    lines = lines_of(settled(Unreachable("refused", "x", opened_circuit=True), State.FAILED))
    assert logged(lines)[1] == ("ERROR", "circuit opened", {"server": "10.0.0.5:80", "kind": "refused"})
    assert counted(lines)["CircuitsOpened"] == 1


def test_only_of_an_unexpected_failure_the_causes_are_logged() -> None:
    for kind in ("unexpected", "timeout"):
        error = OutcomeUnknown(kind, "x")
        error.__cause__ = ValueError("a secret text")
        (line,) = messages(lines_of(settled(error, State.UNKNOWN)))
        assert ("causes" in line) is (kind == "unexpected")
        assert ("ValueError" in str(line.get("causes"))) is (kind == "unexpected")
        assert "secret" not in str(line)
    (line,) = messages(lines_of(settled(OutcomeUnknown("unexpected", "x"), State.UNKNOWN)))
    assert "causes" not in line


def test_the_record_of_a_call_names_attempt_charger_and_server() -> None:
    def members(event: Callable[[], None]) -> set[tuple[str, str]]:
        record = lines_of(event)[-1]
        return {(name, record[name]) for name in ("id", "chargerId", "server") if name in record}

    assert members(settled(ANSWER, State.COMPLETED)) == {("id", ID), ("chargerId", "CP-1"), ("server", "10.0.0.5:80")}  # fmt: skip
    assert members(unsettled(ANSWER)) != set()
    assert members(lambda: observe.replayed(ATTEMPT)) == set()
    assert members(settled(Unreachable("circuit-open", "x"), State.FAILED)) == set()


@pytest.mark.parametrize(
    ("message", "fails"),
    [
        (make_problem("outcome-unknown", "x"), True),
        (make_problem("internal-error", "x"), True),
        (make_problem("starts-paused", "x"), False),
        (make_problem("invalid-request", "x"), False),
        (make_problem("internal-error", "x")._replace(status=500), True),
        (make_problem("internal-error", "x")._replace(status=499), False),
        ("a success", False),
    ],
)
def test_a_reply_of_the_service_s_own_failure_counts_for_its_version(message: object, fails: bool) -> None:
    counts = counted(lines_of(lambda: observe.answered(message)))
    assert counts == ({"Failures function=ConnectFunction version=1": 1} if fails else {})


def test_without_an_invocation_nothing_is_counted() -> None:
    with captured_lines() as lines:
        observe.circuit_refused()
        observe.answered(make_problem("internal-error", "x"))
        metrics.time("LinkLatency", 5)
        observe.claimed(CLAIM, CALL, 7)
        settled(ANSWER, State.COMPLETED)()
    assert "requestId" not in messages(lines)[0]
    assert counted(lines) == {}


def test_a_refused_call_is_counted() -> None:
    assert counted(lines_of(observe.circuit_refused)) == {"CircuitRefusals": 1}


def test_the_first_invocation_of_a_process_counts_as_a_cold_start() -> None:
    metrics._is_cold = True
    assert counted(lines_of(lambda: None)) == {"ColdStarts": 1}
    assert counted(lines_of(lambda: None)) == {}
    assert metrics.current() is None
