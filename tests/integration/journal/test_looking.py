"""What a look records, on the embedded table: each of the five conditions, and what happens between the looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from common.journal import Attempt, Claimed, Journal, Settlement, State, looks, resolutions, token_digest
from common.journal.attempt import parse_timestamp, timestamp
from common.journal.evidence import Window
from common.journal.index_keys import NOT_DUE
from common.journal.looking import Look, look, look_exact
from common.journal.unfinished import read
from common.remote_start.transaction import Transaction
from common.transport import Deadline
from tests.unit.journal.transitions import ANSWER, ID, NOW, START

if TYPE_CHECKING:
    from collections.abc import Sequence

    from common.journal import DynamoDB
    from local.table import TableServer

SECRET = b"a secret of the tests"
TOKEN = "04A2B3C4"
OTHER_ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3302"
URL = "http://10.0.0.5:8080"
STEVE = START._replace(dialect="steve", url=URL, digest=token_digest(SECRET, "CP-1", TOKEN), due=NOW + 30)
PROBLEM = {"type": "outcome-unknown", "detail": "x"}
UNKNOWN = Settlement(State.UNKNOWN, problem=PROBLEM, due=NOW + 30)
REJECTED = {**ANSWER, "outcome": "rejected", "status": "Rejected"}
ROW = Transaction("77", "CP-1", TOKEN, 1, NOW + 5, None)
FIRST, SECOND = NOW + 35, NOW + 60  # the times of two looks


class Station:
    """A table with attempts at one charger."""

    def __init__(self, dynamodb: DynamoDB, table: TableServer) -> None:
        self.table = table
        self._dynamodb = dynamodb

    def journal(self, now: float = NOW) -> Journal:
        return Journal(self._dynamodb, self.table.name, repeatable=("native",), clock=lambda: now)

    def claim(self, now: float = NOW, **changes: Any) -> Claimed:
        opening = STEVE._replace(**{"lease": now + 29, **changes})
        found = self.journal(now).claim(opening, soon())
        assert isinstance(found, Claimed)
        return found

    def unknown(self, now: float = NOW, **changes: Any) -> Attempt:
        """Return an attempt that was sent at `now`, and whose outcome is unknown."""
        claimed = self.claim(now, **changes)
        assert self.journal(now).settle(claimed, UNKNOWN, soon()) is None
        return self.get(claimed.attempt.id)

    def get(self, id_: str = ID) -> Attempt:
        found = self.journal().get(id_, soon())
        assert found is not None
        return found

    def look(self, rows: Sequence[Transaction], now: float, attempt: Attempt | None = None) -> Look:
        return look(
            self.journal(now),
            attempt or self.get(),
            rows,
            now,
            window=Window(),
            digest_of=lambda charger, token: token_digest(SECRET, charger, token),
            deadline=soon(),
        )

    def exact(self, rows: Sequence[Transaction], answer: dict[str, Any] | None, now: float = FIRST) -> Look:
        return look_exact(self.journal(now), self.get(), rows, answer, now, deadline=soon())

    def resolve(self, now: float) -> None:
        update = resolutions.resolve_not_started(self.get(), "I looked.", "olga", now)
        assert self.journal().apply(update, soon())

    def listed(self) -> dict[str, float]:
        """Return the entries of the index, with the time at which each is due."""
        pages = [read(self.journal(), str(shard), 100, soon()) for shard in range(8)]
        return {entry.id: entry.due_at for page in pages for entry in page}


def soon() -> Deadline:
    return Deadline.after(5)


@pytest.fixture
def station(dynamodb: DynamoDB, table: TableServer) -> Station:
    return Station(dynamodb, table)


def test_a_transaction_that_two_looks_return_completes_the_attempt(station: Station) -> None:
    station.unknown()
    first = station.look([ROW], FIRST)
    assert (first.kind, first.retry_at) == ("young", FIRST + 10)
    assert station.listed() == {ID: FIRST + 10}
    assert station.get().state is State.UNKNOWN
    second = station.look([ROW], SECOND)
    assert second.kind == "found"
    found = station.get()
    assert second.attempt == found
    assert found.state is State.COMPLETED
    assert found.answer == {**ANSWER, "status": "Accepted"}
    assert found.transaction == {"id": "77", "startedAt": timestamp(NOW + 5), "stoppedAt": None}
    assert (found.problem, found.lookedAt) == (None, timestamp(SECOND))
    assert station.listed() == {}


def test_a_second_look_within_ten_seconds_is_too_early(station: Station) -> None:
    station.unknown()
    station.look([ROW], FIRST)
    again = station.look([ROW], FIRST + 9.9)
    assert (again.kind, again.retry_at) == ("young", FIRST + 10)
    assert station.look([ROW], FIRST + 10).kind == "found"


def test_absence_of_evidence_leaves_the_attempt_unknown(station: Station) -> None:
    station.unknown()
    before = station.get()
    found = station.look([ROW._replace(token="another")], FIRST)
    assert found.kind == "nothing"
    after = station.get()
    assert (after.state, after.problem, after.tries) == (State.UNKNOWN, before.problem, before.tries)
    assert after.nothingFoundUntil == after.lookedAt == timestamp(FIRST)
    assert station.listed()[ID] > FIRST


def test_after_a_day_the_entry_stays_listed_and_no_look_is_due(station: Station) -> None:
    station.unknown()
    station.look([], NOW + 90_000)
    assert station.listed() == {ID: NOT_DUE}


def test_a_rival_that_arrives_before_the_first_look_leaves_it_uncertain(station: Station) -> None:
    station.unknown()
    station.unknown(NOW + 3, id=OTHER_ID, server="10.0.0.6:8080", connector=2)
    assert station.look([ROW], FIRST).kind == "young"
    assert station.look([ROW], SECOND).kind == "uncertain"
    assert station.get().state is State.UNKNOWN
    assert station.get().nothingFoundUntil is None


def test_a_start_that_is_sent_after_the_first_look_is_no_rival(station: Station) -> None:
    station.unknown()
    station.look([ROW], FIRST)
    station.unknown(FIRST + 1, id=OTHER_ID)
    assert station.look([ROW], SECOND).kind == "found"


def test_a_rival_is_found_behind_the_first_page_of_the_chargers_attempts(station: Station) -> None:
    """It was created a day ago, failed, and was sent again in the window."""
    other = station.claim(NOW - 86_400, id=OTHER_ID)
    assert station.journal(NOW - 86_390).settle(other, Settlement(State.FAILED), soon()) is None
    for number in range(105):
        id_ = f"3f2504e0-4f89-11d3-9a0c-{number:012}"
        status = station.claim(NOW - 3600 + number, id=id_, token=None, digest=None)
        station.journal().settle(status, Settlement(State.FAILED), soon())
    station.unknown()
    station.unknown(NOW + 2, id=OTHER_ID)
    station.look([ROW], FIRST)
    assert station.look([ROW], SECOND).kind == "uncertain"


def test_a_transaction_that_another_attempt_has_taken_is_not_given_again(station: Station) -> None:
    station.unknown()
    other = station.claim(NOW, id=OTHER_ID, digest=token_digest(SECRET, "CP-1", "another"))
    taken = looks.take(URL, "77", other.attempt, NOW, 86_400)
    assert station.journal().apply(taken, soon())
    station.look([ROW], FIRST)
    assert station.look([ROW], SECOND).kind == "uncertain"
    assert station.get().state is State.UNKNOWN


def test_an_attempt_takes_its_transaction_again_after_it_died_before_it_was_completed(
    station: Station,
) -> None:
    mine = station.unknown()
    taken = looks.take(URL, "77", mine, NOW, 86_400)
    assert station.journal().apply(taken, soon())
    station.look([ROW], FIRST)
    assert station.look([ROW], SECOND).kind == "found"
    items = {item["id"]["S"]: item for item in station.table.items()}
    item = items[f"transaction {URL} 77"]
    assert (item["takenBy"], item["takenKey"]) == ({"S": ID}, {"S": mine.attemptKey})
    assert int(item["expiresAt"]["N"]) > NOW + 80 * 86_400
    assert not {"state", "chargerId", "shard"} & set(item), "it is no attempt, and in no index"


def test_two_transactions_of_one_start_are_both_uncertain(station: Station) -> None:
    station.unknown()
    rows = [ROW, ROW._replace(id="78", started_at=NOW + 20)]
    for now in (FIRST, SECOND, SECOND + 60):
        assert station.look(rows, now).kind == "uncertain"
    assert station.get().state is State.UNKNOWN


def test_two_sweeps_at_once_complete_it_once(station: Station) -> None:
    station.unknown()
    station.look([ROW], FIRST)
    before = station.get()
    assert station.look([ROW], SECOND, before).kind == "found"
    after = station.get()
    assert station.look([ROW], SECOND, before).kind == "found"
    assert station.get() == after


def test_a_look_that_was_overtaken_by_a_refusal_changes_nothing(station: Station) -> None:
    station.unknown()
    station.look([ROW], FIRST)
    before = station.get()
    assert station.journal().complete_late(before, REJECTED, soon())
    after = station.get()
    late = station.look([ROW], SECOND, before)
    assert late.attempt == after == station.get()
    assert late.attempt.answer == REJECTED


def test_an_attempt_that_died_pending_is_expired_and_found(station: Station) -> None:
    mine = station.claim().attempt
    assert not station.journal().apply(looks.expire(mine, NOW + 28, NOW + 60), soon()), "it still runs"
    assert station.journal().apply(looks.expire(mine, NOW + 30, NOW + 60), soon())
    expired = station.get()
    assert expired.state is State.UNKNOWN
    assert expired.problem is not None
    assert station.listed() == {ID: NOW + 60}
    station.look([ROW], FIRST)
    assert station.look([ROW], SECOND).kind == "found"


def test_a_status_request_that_died_failed(station: Station) -> None:
    mine = station.claim(token=None, digest=None).attempt
    assert station.journal().apply(looks.expire(mine, NOW + 30, NOW + 60), soon())
    expired = station.get()
    assert (expired.state, station.listed()) == (State.FAILED, {})
    assert expired.problem is not None
    assert expired.problem["type"] == "status-unknown"


def test_a_delayed_write_of_an_earlier_try_changes_nothing(station: Station) -> None:
    first = station.unknown()
    station.resolve(NOW + 200)
    station.unknown(NOW + 300)
    before = station.get()
    now = NOW + 400
    updates = [
        looks.record_look(first, now, now, matching={}, nothing=True),
        looks.complete_found(first, ANSWER, ROW, now),
        looks.complete_rejected(first, REJECTED, now),
        looks.postpone(first, now),
        looks.leave_index(first),
        resolutions.resolve_not_started(first, "n", "olga", now),
        resolutions.resolve_accepted(first, "n", "olga", ANSWER, now),
    ]
    for update in updates:
        assert not station.journal(now).apply(update, soon())
    assert station.get() == before


def test_no_write_creates_an_item_that_was_deleted(station: Station) -> None:
    mine = station.unknown()
    station.table.clear()
    station.look([ROW], FIRST, mine)
    assert not station.journal().apply(looks.complete_found(mine, ANSWER, ROW, NOW), soon())
    assert station.table.items() == []


# after an operator's word


def test_evidence_completes_an_attempt_that_an_operator_resolved_and_its_entry_stays(
    station: Station,
) -> None:
    station.unknown()
    station.resolve(NOW + 200)
    assert station.get().state is State.FAILED
    station.look([ROW], NOW + 260)
    assert station.look([ROW], NOW + 320).kind == "found"
    found = station.get()
    assert found.state is State.COMPLETED
    assert found.transaction is not None
    assert station.listed()[ID] > NOW + 320, "a second charge may follow"


def test_each_of_two_tries_after_an_operators_word_may_have_a_transaction(station: Station) -> None:
    station.unknown()
    station.resolve(NOW + 200)
    second = station.claim(NOW + 300)
    assert second.doubt
    accepted = Settlement(State.COMPLETED, answer=ANSWER, started=True)
    assert station.journal(NOW + 310).settle(second, accepted, soon()) is None
    assert ID in station.listed()
    rows = [ROW, ROW._replace(id="78", started_at=NOW + 305)]
    station.look(rows, NOW + 360)
    assert station.look(rows, NOW + 420).kind == "found"
    found = station.get()
    assert found.answer == ANSWER
    assert set(found.transactions) == {"77", "78"}
    assert found.transaction is not None
    assert found.transaction["id"] == "77"
    ended = [row._replace(stopped_at=NOW + 500) for row in rows]
    station.look(ended, NOW + 520)
    stopped = [one["stoppedAt"] for one in station.get().transactions.values()]
    assert stopped == [timestamp(NOW + 500)] * 2


def test_a_resolved_attempt_leaves_the_index_with_its_last_look(station: Station) -> None:
    station.unknown()
    station.resolve(NOW + 200)
    sent = parse_timestamp(station.get().sentAt or "")
    station.look([], sent + 86_400 + 30)
    assert station.listed() == {}
    assert station.get().state is State.FAILED


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED])
def test_after_an_operators_word_a_refusal_or_an_error_is_not_recorded(
    state: State, station: Station
) -> None:
    station.unknown()
    station.resolve(NOW + 200)
    second = station.claim(NOW + 300)
    settlement = Settlement(state, answer=REJECTED if state is State.COMPLETED else None)
    assert station.journal(NOW + 310).settle(second, settlement, soon()) is not None
    assert not station.journal(NOW + 310).complete_late(second.attempt, REJECTED, soon())
    assert station.get().state is State.PENDING
    unknown = UNKNOWN._replace(due=NOW + 400)
    assert station.journal(NOW + 320).settle(second, unknown, soon()) is None
    assert station.listed() == {ID: NOW + 400}


def test_an_acceptance_outweighs_an_operators_word_that_came_in_between(station: Station) -> None:
    """The holder and the callback read the attempt before it was resolved."""
    for late in ("settle", "callback"):
        station.table.clear()
        mine = station.claim()
        assert station.journal().apply(looks.expire(mine.attempt, NOW + 30, NOW + 60), soon())
        read_before = station.get()
        station.resolve(NOW + 200)
        journal = station.journal(NOW + 210)
        if late == "settle":
            accepted = Settlement(State.COMPLETED, answer=ANSWER, started=True, milliseconds={"link": 1})
            now = journal.settle(mine, accepted, soon())
            assert now is not None
            assert (now.state, now.answer, now.is_resolved) == (State.COMPLETED, ANSWER, True)
        else:
            assert journal.complete_late(read_before, ANSWER, soon(), started=True)
        assert station.get().state is State.COMPLETED
        assert ID in station.listed(), "another try may follow it: the entry stays"


def test_of_two_operators_the_first_word_is_recorded(station: Station) -> None:
    read_before = station.unknown()
    accepted = resolutions.resolve_accepted(read_before, "It charges.", "otto", ANSWER, NOW + 200)
    assert station.journal().apply(accepted, soon())
    other = resolutions.resolve_not_started(read_before, "No.", "olga", NOW + 200)
    assert not station.journal().apply(other, soon())
    found = station.get()
    assert (found.state, found.answer, station.listed()) == (State.COMPLETED, ANSWER, {})
    assert found.resolution is not None
    assert (found.resolution["outcome"], found.resolution["by"]) == ("accepted", "otto")
    update = resolutions.record_contradiction(found, REJECTED, NOW + 300)
    assert station.journal().apply(update, soon())
    refused = station.get().resolution
    assert refused is not None
    assert refused["refused"] == {**REJECTED, "at": timestamp(NOW + 300)}
    assert station.get().state is State.COMPLETED


def test_an_acceptance_after_an_earlier_word_keeps_the_entry(station: Station) -> None:
    station.unknown()
    station.resolve(NOW + 200)
    again = station.unknown(NOW + 300)
    accepted = resolutions.resolve_accepted(again, "It charges.", "otto", ANSWER, NOW + 500)
    assert station.journal().apply(accepted, soon())
    found = station.get()
    assert found.is_resolved
    assert ID in station.listed()


# records under the attempt's own id


def test_an_exact_acceptance_completes_the_attempt_and_its_transaction_is_added_later(
    station: Station,
) -> None:
    station.unknown(dialect="native")
    assert station.exact([], ANSWER).kind == "found"
    assert (station.get().state, station.get().transaction) == (State.COMPLETED, None)
    assert station.exact([ROW], ANSWER, SECOND).kind == "found"
    assert station.get().transaction is not None
    assert station.listed() == {}


def test_an_exact_transaction_without_an_answer_completes_the_attempt(station: Station) -> None:
    station.unknown(dialect="native")
    ended = ROW._replace(stopped_at=NOW + 20, token=None, charger_id="cp-1")
    assert station.exact([ended], None).kind == "found"
    found = station.get()
    assert found.answer == {**ANSWER, "status": "Accepted"}
    assert found.transaction is not None
    assert found.transaction["stoppedAt"] == timestamp(NOW + 20)


def test_an_exact_refusal_completes_the_attempt_as_rejected(station: Station) -> None:
    station.unknown(dialect="native")
    assert station.exact([], REJECTED).kind == "found"
    assert (station.get().state, station.get().answer) == (State.COMPLETED, REJECTED)


def test_after_an_operators_word_an_exact_refusal_completes_nothing(station: Station) -> None:
    station.unknown(dialect="native")
    station.resolve(NOW + 200)
    assert station.exact([], REJECTED, NOW + 260).kind == "nothing"
    assert station.get().state is State.FAILED


def test_no_exact_record_proves_nothing(station: Station) -> None:
    station.unknown(dialect="native")
    assert station.exact([], None).kind == "nothing"
    found = station.get()
    assert (found.state, found.nothingFoundUntil) == (State.UNKNOWN, timestamp(FIRST))
