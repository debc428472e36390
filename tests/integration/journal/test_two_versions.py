"""Version 1.0, the version before this one and the current version on one table, as during a canary and after a rollback.

Each test runs with every pair of versions: `first` writes first, `second` afterwards. To test a later version too, add it to
`VERSIONS`, and its journal beside `version_1_0.py`.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from common.journal import (
    Attempt,
    Claimed,
    Journal,
    JournalUnavailable,
    Mismatch,
    Pending,
    Replay,
    Settlement,
    State,
    Unknown,
    callbacks,
    looks,
    resolutions,
)
from common.journal.attempt import LONGEST_HOLD, timestamp
from common.journal.unfinished import NOT_DUE, read, shard_of
from common.transport import Deadline
from tests.integration.journal import version_1_0, version_before
from tests.unit.journal.transitions import ANSWER, ID, NOW, OTHER, START

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.journal import DynamoDB, Opening
    from local.table import TableServer

SECRET = b"a secret of the tests"
REJECTED = {**ANSWER, "outcome": "rejected", "status": "Rejected"}
PROBLEM = {"type": "outcome-unknown", "detail": "x"}
ACCEPTED = Settlement(State.COMPLETED, answer=ANSWER, milliseconds={"claim": 1, "link": 2}, started=True)
DECLINED = Settlement(State.COMPLETED, answer=REJECTED)
FAILED = Settlement(State.FAILED, problem=PROBLEM)
UNKNOWN = Settlement(State.UNKNOWN, problem=PROBLEM)
LATER = START._replace(dialect="citrineos")  # the dialect of a server that calls back
LEASE_EXPIRED = 30.0  # seconds; longer than the lease of `START`


class Version(NamedTuple):
    """A version's journal, the callback URL that it creates, and its check of one."""

    name: str
    journal: type[Any]
    url: Callable[[bytes, Attempt, float], str]
    accepts: Callable[[Attempt, str], bool]

    def __str__(self) -> str:
        return self.name


def _accepts_now(attempt: Attempt, url: str) -> bool:
    path, _, query = url.partition("?")
    _, expires, signature = path.split("/")
    return callbacks.is_signed(SECRET, attempt, expires, signature, query.removeprefix("keySignature="))


def _accepts_1_0(attempt: Attempt, url: str) -> bool:
    _, expires, signature = url.partition("?")[0].split("/")
    return version_1_0.signed(SECRET, attempt, expires, signature)


OLD = Version("1.0", version_1_0.Journal, version_1_0.path, _accepts_1_0)
BEFORE = Version("before", version_before.Journal, callbacks.create_path, _accepts_now)
NEW = Version("now", Journal, callbacks.create_path, _accepts_now)
VERSIONS = [OLD, BEFORE, NEW]
older = pytest.mark.parametrize("older", [OLD, BEFORE], ids=str)
PAIRS = [pair for pair in product(VERSIONS, repeat=2) if NEW in pair]
pairs = pytest.mark.parametrize(
    ("first", "second"), PAIRS, ids=[f"{one}, then {other}" for one, other in PAIRS]
)


class Deployment:
    """One table, used by processes of both versions."""

    def __init__(self, dynamodb: DynamoDB, table: TableServer) -> None:
        self.table = table
        self._dynamodb = dynamodb

    def journal(self, version: Version, later: float = 0.0) -> Any:
        """Return a journal of `version` whose clock is so many seconds after `NOW`."""
        return version.journal(
            self._dynamodb, self.table.name, repeatable=("native",), clock=lambda: NOW + later
        )

    def claim(self, version: Version, opening: Opening = START, later: float = 0.0) -> Any:
        opening = opening._replace(lease=opening.lease + later)
        return self.journal(version, later).claim(opening, soon())

    def claimed(self, version: Version, opening: Opening = START, later: float = 0.0) -> Claimed:
        found = self.claim(version, opening, later)
        assert isinstance(found, Claimed)
        return found

    def settle(self, version: Version, claimed: Claimed, settlement: Settlement) -> Attempt | None:
        found: Attempt | None = self.journal(version).settle(claimed, settlement, soon())
        return found

    def call_back(self, version: Version, url: str, answer: dict[str, Any]) -> bool:
        """Do what the callback function of `version` does; return whether it accepted the URL."""
        journal = self.journal(version)
        attempt = journal.get(url.split("/")[0], soon())
        if attempt is None or not version.accepts(attempt, url):
            return False
        journal.complete_late(attempt, answer, soon())
        return True

    @property
    def item(self) -> Attempt:
        (found,) = self.table.items()
        return Attempt.of(found)


def soon() -> Deadline:
    return Deadline.after(5)


@pytest.fixture
def deployment(dynamodb: DynamoDB, table: TableServer) -> Deployment:
    return Deployment(dynamodb, table)


def test_the_copy_writes_the_attributes_of_version_1_0(deployment: Deployment) -> None:
    deployment.claimed(OLD, START._replace(url="http://10.0.0.5:8080", trace_id="1-5759e988"))
    (item,) = deployment.table.items()
    assert set(item) == version_1_0.ATTRIBUTES - {"answer", "problem", "milliseconds"}


# claims


@pairs
def test_the_second_of_two_claims_is_pending(first: Version, second: Version, deployment: Deployment) -> None:
    deployment.claimed(first)
    before = deployment.table.items()
    assert isinstance(deployment.claim(second), Pending)
    assert deployment.table.items() == before


@pairs
def test_another_request_with_the_same_id_is_a_mismatch(
    first: Version, second: Version, deployment: Deployment
) -> None:
    deployment.claimed(first)
    before = deployment.table.items()
    assert isinstance(deployment.claim(second, START._replace(fingerprint=OTHER), LEASE_EXPIRED), Mismatch)
    assert deployment.table.items() == before


@pairs
def test_a_start_that_cannot_be_repeated_stays_unknown(
    first: Version, second: Version, deployment: Deployment
) -> None:
    mine = deployment.claimed(first, LATER)
    assert isinstance(deployment.claim(second, LATER, LEASE_EXPIRED), Unknown)
    assert deployment.settle(first, mine, UNKNOWN) is None
    assert isinstance(deployment.claim(second, LATER), Unknown)


@pairs
@pytest.mark.parametrize("settlement", [ACCEPTED, DECLINED], ids=["accepted", "rejected"])
def test_a_completed_attempt_is_replayed(
    settlement: Settlement, first: Version, second: Version, deployment: Deployment
) -> None:
    mine = deployment.claimed(first)
    assert deployment.settle(first, mine, settlement) is None
    before = deployment.table.items()
    found = deployment.claim(second, later=LEASE_EXPIRED)
    assert isinstance(found, Replay)
    assert found.attempt.answer == settlement.answer
    assert deployment.table.items() == before


@pairs
def test_a_failed_attempt_is_opened_again_and_settled(
    first: Version, second: Version, deployment: Deployment
) -> None:
    mine = deployment.claimed(first)
    key = deployment.item.attemptKey
    assert deployment.settle(first, mine, FAILED) is None
    again = deployment.claimed(second)
    assert not again.doubt
    assert deployment.item.tries == 2
    if first is NEW:
        assert deployment.item.attemptKey == key, "the key is kept"
    assert deployment.settle(second, again, ACCEPTED) is None
    assert isinstance(deployment.claim(first), Replay)


# takeovers and settles


@pairs
def test_a_takeover_keeps_the_key_and_both_holders_may_record_an_answer(
    first: Version, second: Version, deployment: Deployment
) -> None:
    mine = deployment.claimed(first)
    key = deployment.item.attemptKey
    assert (key is None) is (first is OLD)
    theirs = deployment.claimed(second, later=LEASE_EXPIRED)
    assert theirs.doubt
    assert deployment.item.attemptKey == key
    for settlement in (UNKNOWN, FAILED):
        now = deployment.settle(first, mine, settlement)
        assert now is not None
        assert (now.state, now.owner) == (State.PENDING, theirs.attempt.owner)
    assert deployment.settle(first, mine, ACCEPTED) is None
    now = deployment.settle(second, theirs, DECLINED)
    assert now is not None
    assert (now.state, now.answer) == (State.COMPLETED, ANSWER)
    assert deployment.item.answer == ANSWER


@pairs
def test_the_holder_after_a_takeover_settles(first: Version, second: Version, deployment: Deployment) -> None:
    deployment.claimed(first)
    theirs = deployment.claimed(second, later=LEASE_EXPIRED)
    assert deployment.settle(second, theirs, UNKNOWN) is None
    again = deployment.claimed(first, later=LEASE_EXPIRED)
    assert again.doubt
    assert deployment.settle(first, again, ACCEPTED) is None
    assert (deployment.item.state, deployment.item.tries) == (State.COMPLETED, 3)


@pairs
def test_an_accepted_start_outweighs_failed(first: Version, second: Version, deployment: Deployment) -> None:
    mine = deployment.claimed(first)
    assert deployment.settle(first, mine, FAILED) is None
    assert deployment.settle(second, mine, ACCEPTED) is None
    assert deployment.item.answer == ANSWER


# callbacks


@pairs
@pytest.mark.parametrize("state", [None, UNKNOWN], ids=["waiting", "unknown"])
def test_either_callback_function_completes_the_attempts_of_both(
    state: Settlement | None, first: Version, second: Version, deployment: Deployment
) -> None:
    mine = deployment.claimed(first, LATER)
    url = first.url(SECRET, mine.attempt, NOW)
    if state:
        assert deployment.settle(first, mine, state) is None
    assert deployment.call_back(second, url, ANSWER)
    assert (deployment.item.state, deployment.item.answer) == (State.COMPLETED, ANSWER)
    waiting = deployment.journal(first).get(ID, soon())
    assert waiting.is_same_try(mine.attempt), "the waiting invocation finds its answer"
    assert isinstance(deployment.claim(second, LATER), Replay)
    if state is None:
        assert deployment.settle(first, mine, ACCEPTED) is None
        assert deployment.item.milliseconds == ACCEPTED.milliseconds


@pairs
def test_a_callback_does_not_change_a_completed_attempt(
    first: Version, second: Version, deployment: Deployment
) -> None:
    mine = deployment.claimed(first, LATER)
    url = first.url(SECRET, mine.attempt, NOW)
    assert deployment.call_back(first, url, ANSWER)
    before = deployment.table.items()
    assert deployment.call_back(second, url, REJECTED)
    assert deployment.table.items() == before


@pairs
def test_the_url_of_an_earlier_try_is_refused(
    first: Version, second: Version, deployment: Deployment
) -> None:
    mine = deployment.claimed(first, LATER)
    url = first.url(SECRET, mine.attempt, NOW)
    assert deployment.settle(first, mine, FAILED) is None
    deployment.claimed(second, LATER)
    before = deployment.table.items()
    for version in VERSIONS:
        assert not deployment.call_back(version, url, ANSWER)
    assert deployment.table.items() == before


@pairs
def test_after_a_failed_try_the_new_url_is_valid_unless_version_1_0_created_it_for_a_key(
    first: Version, second: Version, deployment: Deployment
) -> None:
    """Version 1.0 does not sign the key: that callback is lost, and the attempt stays unknown."""
    mine = deployment.claimed(first, LATER)
    assert deployment.settle(first, mine, FAILED) is None
    again = deployment.claimed(second, LATER)
    url = second.url(SECRET, again.attempt, NOW)
    assert deployment.call_back(NEW, url, ANSWER) is (second is not OLD)
    assert deployment.item.state is (State.COMPLETED if second is not OLD else State.PENDING)


# the id used again


@pytest.mark.parametrize("again", VERSIONS, ids=str)
@pytest.mark.parametrize("opened", VERSIONS, ids=str)
def test_after_a_deletion_the_current_version_does_not_change_the_next_attempt(
    opened: Version, again: Version, deployment: Deployment
) -> None:
    """Whichever version opened the first attempt, and whichever the second. Late writes of version 1.0 itself are not prevented."""
    deployment.claimed(opened)
    mine = deployment.claimed(NEW, later=LEASE_EXPIRED)
    deployment.table.clear()
    for settlement in (ACCEPTED, DECLINED, FAILED, UNKNOWN):
        with pytest.raises(JournalUnavailable, match="item-deleted"):
            deployment.settle(NEW, mine, settlement)
    assert deployment.journal(NEW).complete_late(mine.attempt, ANSWER, soon()) is False
    assert deployment.table.items() == []
    deployment.claimed(again, START._replace(charger_id="CP-2", fingerprint=OTHER), later=LEASE_EXPIRED)
    deployment.claimed(again, START._replace(charger_id="CP-2", fingerprint=OTHER), later=3 * LEASE_EXPIRED)
    before = deployment.table.items()
    assert deployment.item.tries == mine.attempt.tries
    for settlement in (ACCEPTED, DECLINED, FAILED, UNKNOWN):
        with pytest.raises(JournalUnavailable, match="item-replaced"):
            deployment.settle(NEW, mine, settlement)
    assert deployment.journal(NEW).complete_late(mine.attempt, ANSWER, soon()) is False
    assert deployment.table.items() == before


@pytest.mark.parametrize("opened", VERSIONS, ids=str)
def test_after_a_deletion_no_url_of_the_first_attempt_completes_an_attempt_with_a_key(
    opened: Version, deployment: Deployment
) -> None:
    url = opened.url(SECRET, deployment.claimed(opened, LATER).attempt, NOW)
    deployment.table.clear()
    deployment.claimed(NEW, LATER, later=LEASE_EXPIRED)
    before = deployment.table.items()
    assert not deployment.call_back(NEW, url, ANSWER)
    assert deployment.table.items() == before


# unfinished attempts


@older
@pytest.mark.parametrize("settlement", [ACCEPTED, DECLINED, FAILED, UNKNOWN], ids=lambda one: str(one.state))
def test_an_older_version_leaves_an_entry_in_the_index_which_is_removed(
    settlement: Settlement, older: Version, deployment: Deployment
) -> None:
    deployment.claimed(NEW)
    theirs = deployment.claimed(older, later=LEASE_EXPIRED)
    assert deployment.settle(older, theirs, settlement) is None
    (entry,) = read(deployment.journal(NEW), shard_of(ID), 10, soon())
    assert (entry.id, entry.due_at) == (ID, START.lease)
    assert entry.state == settlement.state, "the index shows that the attempt is finished"
    assert deployment.journal(NEW).apply(looks.leave_index(deployment.item), soon())
    assert read(deployment.journal(NEW), shard_of(ID), 10, soon()) == []


@older
def test_an_unknown_attempt_of_an_older_version_is_listed_after_a_look(
    older: Version, deployment: Deployment
) -> None:
    """The repeat that looks for it carries the token, so that its digest is known then."""
    mine = deployment.claimed(older, LATER)
    assert deployment.settle(older, mine, UNKNOWN) is None
    assert read(deployment.journal(NEW), shard_of(ID), 10, soon()) == []
    found = deployment.item._replace(digest=b"d" * 16)
    look = looks.record_look(found, NOW + 60, NOW + 120, matching={}, nothing=True)
    assert deployment.journal(NEW).apply(look, soon())
    assert [entry.due_at for entry in read(deployment.journal(NEW), shard_of(ID), 10, soon())] == [NOW + 120]
    assert deployment.item.digest == b"d" * 16
    assert isinstance(deployment.claim(older, LATER), Unknown), "an older version ignores the new attributes"


@older
def test_a_sending_of_an_older_version_begins_the_window_anew(older: Version, deployment: Deployment) -> None:
    """Offline on Monday by this version, sent on Wednesday by an older one: nothing of Tuesday is this attempt's."""
    mine = deployment.claimed(NEW, LATER)
    assert deployment.settle(NEW, mine, FAILED) is None
    wednesday = 2 * 86400.0
    deployment.claimed(older, LATER, later=wednesday)
    found = deployment.item
    assert found.firstSentAt == timestamp(NOW)
    assert NOW + wednesday - LONGEST_HOLD <= found.first_sending <= NOW + wednesday
    assert found.last_sending == START.lease + wednesday


@older
def test_a_try_of_an_older_version_after_an_operators_word_ends_unknown(
    older: Version, deployment: Deployment
) -> None:
    """It does not know the resolution: it opens the attempt without doubt, and records that it failed."""
    mine = deployment.claimed(NEW, LATER)
    assert deployment.settle(NEW, mine, UNKNOWN) is None
    resolved = resolutions.resolve_not_started(deployment.item, "I looked.", "olga", NOW + 200)
    assert deployment.journal(NEW).apply(resolved, soon())
    theirs = deployment.claimed(older, LATER, later=300)
    assert not theirs.doubt
    assert deployment.settle(older, theirs, FAILED) is None
    found = deployment.item
    assert (found.state, found.known_state(NOW + 400)) == (State.FAILED, State.UNKNOWN)
    assert found.first_sending == NOW, "either try may have started a charge"
    assert found.may_have_started
    assert isinstance(deployment.claim(NEW, LATER, later=400), Unknown)
    last_look = looks.record_look(found, NOW + 450, NOT_DUE, matching={}, nothing=True)
    assert deployment.journal(NEW).apply(last_look, soon())
    assert [entry.due_at for entry in read(deployment.journal(NEW), shard_of(ID), 10, soon())] == [NOT_DUE]
    again = resolutions.resolve_not_started(found, "I looked again.", "olga", NOW + 500)
    assert deployment.journal(NEW).apply(again, soon())
    assert deployment.claimed(NEW, LATER, later=600).doubt


@older
def test_an_acceptance_of_an_older_version_after_an_operators_word_is_final(
    older: Version, deployment: Deployment
) -> None:
    mine = deployment.claimed(NEW, LATER)
    assert deployment.settle(NEW, mine, UNKNOWN) is None
    resolved = resolutions.resolve_not_started(deployment.item, "I looked.", "olga", NOW + 200)
    assert deployment.journal(NEW).apply(resolved, soon())
    theirs = deployment.claimed(older, LATER, later=300)
    assert deployment.settle(older, theirs, ACCEPTED) is None
    assert isinstance(deployment.claim(NEW, LATER, later=400), Replay)
    assert deployment.item.is_resolved, "it is still looked at: the first try may have started a charge, too"
    assert len(read(deployment.journal(NEW), shard_of(ID), 10, soon())) == 1


@older
def test_the_end_of_a_lease_is_not_recorded_after_an_older_version_took_over(
    older: Version, deployment: Deployment
) -> None:
    mine = deployment.claimed(NEW).attempt
    theirs = deployment.claimed(older, later=LEASE_EXPIRED)
    now = NOW + LEASE_EXPIRED
    assert not deployment.journal(NEW).apply(looks.expire(mine, now, now + 60), soon())
    taken_over = deployment.item
    assert taken_over.owner == theirs.attempt.owner
    assert not deployment.journal(NEW).apply(looks.expire(taken_over, now, now + 60), soon()), "it still runs"
    assert deployment.journal(NEW).apply(looks.postpone(taken_over, taken_over.lease), soon())
    assert deployment.item.dueAt == taken_over.lease
