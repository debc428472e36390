"""The table from the result of a call to state and status: complete, exact, and the same in the documents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from charger_connect.outcomes import OUTCOMES, REJECTED_EARLY, STATUS_UNKNOWN, verdict
from charger_link import Answer, LinkError, Outcome, OutcomeUnknown, errors
from common.journal import State
from common.wire import PROBLEM_TYPES


def descendants(kind: type[LinkError]) -> Iterator[type[LinkError]]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)


ERRORS = [kind for kind in OUTCOMES if isinstance(kind, type)]


def test_each_outcome_and_each_error_has_exactly_one_row() -> None:
    assert set(OUTCOMES) == {*Outcome, REJECTED_EARLY, *descendants(LinkError)}


def test_the_docstring_of_errors_has_every_error() -> None:
    assert errors.__doc__ is not None
    drawn = {line.split()[1] for line in errors.__doc__.splitlines() if "── " in line}
    assert drawn == {kind.__name__ for kind in descendants(LinkError)}


def test_only_errors_that_may_have_started_a_charge_are_unknown() -> None:
    for kind, row in OUTCOMES.items():
        if isinstance(kind, type):
            assert (row.state is State.UNKNOWN) is kind.may_have_started, kind
            assert row.state is not State.COMPLETED, kind
        else:
            assert row.state is (
                State.FAILED if kind in (Outcome.OFFLINE, REJECTED_EARLY) else State.COMPLETED
            )


def test_each_problem_of_the_table_exists_and_has_the_outcome_of_its_state() -> None:
    outcomes = {State.UNKNOWN: "unknown", State.FAILED: "not-started"}
    for row in (*OUTCOMES.values(), STATUS_UNKNOWN):
        if row.problem is not None:
            kind = PROBLEM_TYPES[row.problem]
            assert kind.outcome == outcomes[row.state] if kind.status >= 500 else kind.outcome is None


STATUSES = {
    "Unreachable": 502,
    "CircuitOpen": 503,
    "ServerBusy": 503,
    "ServerRefused": 502,
    "ServerFailed": 502,
    "ChargerUnknown": 404,
    "StatusNotAvailable": 422,
    "OutcomeUnknown": 504,
}


def test_each_error_has_the_status_of_the_contract() -> None:
    found = {kind.__name__: PROBLEM_TYPES[OUTCOMES[kind].problem or ""].status for kind in ERRORS}
    assert found == STATUSES


@pytest.mark.parametrize("outcome", list(Outcome))
def test_an_answer_has_the_verdict_of_its_row(outcome: Outcome) -> None:
    assert verdict(Answer(outcome, "x"), starts=True) == OUTCOMES[outcome]


def test_a_rejection_from_before_the_charger_was_asked_is_not_final() -> None:
    early = Answer(Outcome.REJECTED, "Rejected", early=True)
    assert verdict(early, starts=True) == OUTCOMES[REJECTED_EARLY]
    assert early.record()["outcome"] == "rejected"


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_has_the_verdict_of_its_row(kind: type[LinkError]) -> None:
    assert verdict(kind("kind", "detail"), starts=True) == OUTCOMES[kind]


def test_a_status_that_could_not_be_read_started_nothing() -> None:
    assert verdict(OutcomeUnknown("charger-silent", "detail"), starts=False) == STATUS_UNKNOWN
    assert PROBLEM_TYPES[STATUS_UNKNOWN.problem or ""].status == 504


def rendered() -> str:
    """The table as Markdown."""
    lines = ["| result of the call | attempt | response | `outcome` |", "| --- | --- | --- | --- |"]
    for kind, row in OUTCOMES.items():
        name = kind.__name__ if isinstance(kind, type) else f"answer: {kind}"
        problem = PROBLEM_TYPES[row.problem] if row.problem else None
        received = f"{problem.status} `{row.problem}`" if problem else "200 `OcppStatusResponse`"
        outcome = f"`{problem.outcome}`" if problem and problem.outcome else ""
        lines.append(f"| {name} | `{row.state}` | {received} | {outcome} |")
    return "\n".join(lines)


def test_the_document_shows_this_table() -> None:
    document = Path(__file__).parents[3] / "docs" / "reliability.md"
    assert rendered() in document.read_text(encoding="utf-8")
