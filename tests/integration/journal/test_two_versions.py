"""Version 1.0 and the current version on one table, as during a canary and after a rollback.

Each test plays one story with every cast: `first` writes first, `second` afterwards. To hold a later version to this, add it to
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
)
from common.transport import Deadline
from tests.integration.journal import version_1_0
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
LATER = START._replace(dialect="citrineos")  # of a server that calls back
OVER = 30.0  # seconds: longer than the lease of `START`


class Version(NamedTuple):
    """A version's journal, the URL that it gives to a server, and its check of one."""

    name: str
    journal: type[Any]
    url: Callable[[bytes, Attempt, float], str]
    accepts: Callable[[Attempt, str], bool]

    def __str__(self) -> str:
        return self.name


def _accepts_now(attempt: Attempt, url: str) -> bool:
    path, _, query = url.partition("?")
    _, expires, signature = path.split("/")
    return callbacks.signed(SECRET, attempt, expires, signature, query.removeprefix("keySignature="))


def _accepts_1_0(attempt: Attempt, url: str) -> bool:
    _, expires, signature = url.partition("?")[0].split("/")
    return version_1_0.signed(SECRET, attempt, expires, signature)


OLD = Version("1.0", version_1_0.Journal, version_1_0.path, _accepts_1_0)
NEW = Version("now", Journal, callbacks.path, _accepts_now)
VERSIONS = [OLD, NEW]
CASTS = [cast for cast in product(VERSIONS, repeat=2) if NEW in cast]
cast = pytest.mark.parametrize(
    ("first", "second"), CASTS, ids=[f"{one}, then {other}" for one, other in CASTS]
)


class Stage:
    """One table, and processes of either version on it."""

    def __init__(self, dynamodb: DynamoDB, table: TableServer) -> None:
        self.table = table
        self._dynamodb = dynamodb

    def journal(self, version: Version, later: float = 0.0) -> Any:
        """A journal of `version`, whose clock says `NOW` and so many seconds."""
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
        """What the callback function of `version` does: whether it accepted the URL."""
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
def stage(dynamodb: DynamoDB, table: TableServer) -> Stage:
    return Stage(dynamodb, table)


def test_the_copy_writes_what_version_1_0_wrote(stage: Stage) -> None:
    stage.claimed(OLD, START._replace(url="http://10.0.0.5:8080", trace_id="1-5759e988"))
    (item,) = stage.table.items()
    assert set(item) == version_1_0.ATTRIBUTES - {"answer", "problem", "milliseconds"}


# claims


@cast
def test_of_two_claims_one_wins(first: Version, second: Version, stage: Stage) -> None:
    stage.claimed(first)
    before = stage.table.items()
    assert isinstance(stage.claim(second), Pending)
    assert stage.table.items() == before


@cast
def test_another_request_under_the_id_is_refused(first: Version, second: Version, stage: Stage) -> None:
    stage.claimed(first)
    before = stage.table.items()
    assert isinstance(stage.claim(second, START._replace(fingerprint=OTHER), OVER), Mismatch)
    assert stage.table.items() == before


@cast
def test_what_may_have_started_and_cannot_be_repeated_stays_unknown(
    first: Version, second: Version, stage: Stage
) -> None:
    mine = stage.claimed(first, LATER)
    assert isinstance(stage.claim(second, LATER, OVER), Unknown)
    assert stage.settle(first, mine, UNKNOWN) is None
    assert isinstance(stage.claim(second, LATER), Unknown)


@cast
@pytest.mark.parametrize("settlement", [ACCEPTED, DECLINED], ids=["accepted", "rejected"])
def test_a_completed_attempt_is_replayed(
    settlement: Settlement, first: Version, second: Version, stage: Stage
) -> None:
    mine = stage.claimed(first)
    assert stage.settle(first, mine, settlement) is None
    before = stage.table.items()
    found = stage.claim(second, later=OVER)
    assert isinstance(found, Replay)
    assert found.attempt.answer == settlement.answer
    assert stage.table.items() == before


@cast
def test_a_failed_attempt_is_opened_again_and_settled(first: Version, second: Version, stage: Stage) -> None:
    mine = stage.claimed(first)
    key = stage.item.attemptKey
    assert stage.settle(first, mine, FAILED) is None
    again = stage.claimed(second)
    assert not again.doubt
    assert stage.item.tries == 2
    if first is NEW:
        assert stage.item.attemptKey == key, "kept"
    assert stage.settle(second, again, ACCEPTED) is None
    assert isinstance(stage.claim(first), Replay)


# takeovers and settles


@cast
def test_a_takeover_keeps_the_key_and_both_may_say_what_the_charger_answered(
    first: Version, second: Version, stage: Stage
) -> None:
    mine = stage.claimed(first)
    key = stage.item.attemptKey
    assert (key is None) is (first is OLD)
    theirs = stage.claimed(second, later=OVER)
    assert theirs.doubt
    assert stage.item.attemptKey == key
    for settlement in (UNKNOWN, FAILED):
        now = stage.settle(first, mine, settlement)
        assert now is not None
        assert (now.state, now.owner) == (State.PENDING, theirs.attempt.owner)
    assert stage.settle(first, mine, ACCEPTED) is None
    now = stage.settle(second, theirs, DECLINED)
    assert now is not None
    assert (now.state, now.answer) == (State.COMPLETED, ANSWER)
    assert stage.item.answer == ANSWER


@cast
def test_who_took_over_settles(first: Version, second: Version, stage: Stage) -> None:
    stage.claimed(first)
    theirs = stage.claimed(second, later=OVER)
    assert stage.settle(second, theirs, UNKNOWN) is None
    again = stage.claimed(first, later=OVER)
    assert again.doubt
    assert stage.settle(first, again, ACCEPTED) is None
    assert (stage.item.state, stage.item.tries) == (State.COMPLETED, 3)


@cast
def test_an_accepted_start_outweighs_failed(first: Version, second: Version, stage: Stage) -> None:
    mine = stage.claimed(first)
    assert stage.settle(first, mine, FAILED) is None
    assert stage.settle(second, mine, ACCEPTED) is None
    assert stage.item.answer == ANSWER


# callbacks


@cast
@pytest.mark.parametrize("state", [None, UNKNOWN], ids=["waiting", "unknown"])
def test_either_callback_function_completes_the_attempts_of_both(
    state: Settlement | None, first: Version, second: Version, stage: Stage
) -> None:
    mine = stage.claimed(first, LATER)
    url = first.url(SECRET, mine.attempt, NOW)
    if state:
        assert stage.settle(first, mine, state) is None
    assert stage.call_back(second, url, ANSWER)
    assert (stage.item.state, stage.item.answer) == (State.COMPLETED, ANSWER)
    waiting = stage.journal(first).get(ID, soon())
    assert waiting.is_same_try(mine.attempt), "the waiting call finds its answer"
    assert isinstance(stage.claim(second, LATER), Replay)
    if state is None:
        assert stage.settle(first, mine, ACCEPTED) is None
        assert stage.item.milliseconds == ACCEPTED.milliseconds


@cast
def test_a_callback_changes_nothing_that_is_completed(first: Version, second: Version, stage: Stage) -> None:
    mine = stage.claimed(first, LATER)
    url = first.url(SECRET, mine.attempt, NOW)
    assert stage.call_back(first, url, ANSWER)
    before = stage.table.items()
    assert stage.call_back(second, url, REJECTED)
    assert stage.table.items() == before


@cast
def test_the_url_of_an_earlier_try_is_refused(first: Version, second: Version, stage: Stage) -> None:
    mine = stage.claimed(first, LATER)
    url = first.url(SECRET, mine.attempt, NOW)
    assert stage.settle(first, mine, FAILED) is None
    stage.claimed(second, LATER)
    before = stage.table.items()
    for version in VERSIONS:
        assert not stage.call_back(version, url, ANSWER)
    assert stage.table.items() == before


@cast
def test_of_an_attempt_that_was_opened_again_the_new_url_is_good_unless_version_1_0_gave_it_for_a_key(
    first: Version, second: Version, stage: Stage
) -> None:
    """Version 1.0 cannot sign a key that it does not know: that callback is lost, and the attempt stays unknown."""
    mine = stage.claimed(first, LATER)
    assert stage.settle(first, mine, FAILED) is None
    again = stage.claimed(second, LATER)
    url = second.url(SECRET, again.attempt, NOW)
    assert stage.call_back(NEW, url, ANSWER) is (second is NEW)
    assert stage.item.state is (State.COMPLETED if second is NEW else State.PENDING)


# the id used again


@pytest.mark.parametrize("again", VERSIONS, ids=str)
@pytest.mark.parametrize("opened", VERSIONS, ids=str)
def test_after_a_deletion_the_current_version_leaves_the_next_attempt_alone(
    opened: Version, again: Version, stage: Stage
) -> None:
    """Whichever version opened the first attempt, and whichever the second. Version 1.0's own late writes are not held back."""
    stage.claimed(opened)
    mine = stage.claimed(NEW, later=OVER)
    stage.table.clear()
    for settlement in (ACCEPTED, DECLINED, FAILED, UNKNOWN):
        with pytest.raises(JournalUnavailable, match="item-deleted"):
            stage.settle(NEW, mine, settlement)
    assert stage.journal(NEW).complete_late(mine.attempt, ANSWER, soon()) is False
    assert stage.table.items() == []
    stage.claimed(again, START._replace(charger_id="CP-2", fingerprint=OTHER), later=OVER)
    stage.claimed(again, START._replace(charger_id="CP-2", fingerprint=OTHER), later=3 * OVER)
    before = stage.table.items()
    assert stage.item.tries == mine.attempt.tries
    for settlement in (ACCEPTED, DECLINED, FAILED, UNKNOWN):
        with pytest.raises(JournalUnavailable, match="item-replaced"):
            stage.settle(NEW, mine, settlement)
    assert stage.journal(NEW).complete_late(mine.attempt, ANSWER, soon()) is False
    assert stage.table.items() == before


@pytest.mark.parametrize("opened", VERSIONS, ids=str)
def test_after_a_deletion_no_url_of_the_first_attempt_completes_one_that_has_a_key(
    opened: Version, stage: Stage
) -> None:
    url = opened.url(SECRET, stage.claimed(opened, LATER).attempt, NOW)
    stage.table.clear()
    stage.claimed(NEW, LATER, later=OVER)
    before = stage.table.items()
    assert not stage.call_back(NEW, url, ANSWER)
    assert stage.table.items() == before
