"""Bugs planted in the handling of callbacks, and in the conditions that bind a write to its attempt.

The model detects each bug in a story of a few steps, which passes without the bug. The search also finds the common ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from charger_link.dialects import citrineos
from common.journal import Attempt, callbacks
from tests.model.machine import CALLING, Defect
from tests.model.servers import Behavior
from tests.model.test_model import EXAMPLES, SEARCH

if TYPE_CHECKING:
    from collections.abc import Callable

    from charger_link import Answer
    from tests.model.machine import Callers

    Story = Callable[[Callers], None]
    PlantBug = Callable[[type[Callers], pytest.MonkeyPatch], None]

BEHAVIORS = (Behavior.ACCEPTS, Behavior.OFFLINE, Behavior.SILENT, Behavior.REJECTS)
ACCEPTS, OFFLINE, SILENT, REJECTS = range(4)
SAME = "attemptKey = :attemptKey AND "
ANY = "(attemptKey = :attemptKey OR attribute_exists(id)) AND "


# The bugs.


def checks_no_signature(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    patch.setattr(callbacks, "is_signed", lambda *_: True)


def accepts_a_url_of_version_1_0_for_every_attempt(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    signed = callbacks.is_signed
    patch.setattr(
        callbacks,
        "is_signed",
        lambda secret, attempt, expires, signature, _: signed(
            secret, attempt._replace(attemptKey=None), expires, signature
        ),
    )


def signs_without_the_try(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    _sign_without(patch, tries=0)


def signs_without_the_key(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    _sign_without(patch, attemptKey="")


def accepts_expired_urls(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    patch.setattr(callbacks, "is_expired", lambda *_: False)


def rejects_every_callback(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    patch.setattr(callbacks, "is_signed", lambda *_: False)


def reads_every_answer_as_an_acceptance(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    def read_callback(_: Any, connector: int | None) -> Answer:
        return citrineos.read_callback({"status": "Accepted"}, connector)

    patch.setattr(citrineos, "DIALECT", citrineos.DIALECT._replace(read_callback=read_callback))


def completes_a_completed_attempt(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    for states in ("(:pending, :unknown)", "(:pending, :unknown, :failed)"):
        _rewrite(callers, patch, f"#state IN {states}", f"(#state IN {states} OR attribute_exists(id))")


def completes_another_try(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    _rewrite(callers, patch, "tries = :tries", "(tries = :tries OR tries <> :tries)")


def completes_another_attempt(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    _rewrite(callers, patch, f"{SAME}#state IN (:pending", f"{ANY}#state IN (:pending")


def settles_another_attempt(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    _rewrite(callers, patch, f"{SAME}(", f"{ANY}(")


def settles_over_a_callback(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    _rewrite(
        callers,
        patch,
        "#state = :pending AND #owner",
        "(#state = :pending OR attribute_exists(id)) AND #owner",
    )


def confuses_another_attempt_with_its_own(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Attempt, "is_same", lambda *_: True)
    patch.setattr(Attempt, "is_same_try", lambda *_: True)


def creates_an_item_by_an_update(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    _rewrite(callers, patch, SAME, f"attribute_not_exists(id) OR {SAME}")


# The stories.


def forged(run: Callers) -> None:
    _leave_unknown(run, SILENT)
    run.forge(0, Defect.SIGNATURE, table_responds=True)


def without_the_keys_signature(run: Callers) -> None:
    _leave_unknown(run, SILENT)
    run.forge(0, Defect.NO_KEY, table_responds=True)


def of_an_earlier_try(run: Callers) -> None:
    run.begin(0, table_responds=True)
    run.serve(0, OFFLINE, table_responds=True)
    run.retry(0, table_responds=True)
    run.serve(0, SILENT, table_responds=True)
    run.call_back_too_late(0, table_responds=True)


def of_a_deleted_attempt(run: Callers) -> None:
    _leave_unknown(run, SILENT)
    run.delete(0)
    run.retry(0, table_responds=True)
    run.serve(0, SILENT, table_responds=True)
    run.call_back_too_late(0, table_responds=True)


def after_a_day(run: Callers) -> None:
    _leave_unknown(run, SILENT)
    run.clock.wall += callbacks.LIFETIME + 1
    run.call_back_too_late(0, table_responds=True)


def late(run: Callers) -> None:
    _leave_unknown(run, ACCEPTS)


def rejected(run: Callers) -> None:
    _leave_unknown(run, REJECTS)
    run.call_back(0, table_responds=True)


def contradicted(run: Callers) -> None:
    _leave_unknown(run, ACCEPTS)
    run.call_back(0, table_responds=True)
    run._check()
    run.contradict(0, table_responds=True)


def read_before_the_next_try(run: Callers) -> None:
    """A server that returned "not connected" posts an acceptance nevertheless, which is written during the next try."""
    run.begin(0, table_responds=True)
    run.deliver(0, OFFLINE)
    (first,) = run.calling.callbacks
    run._call_back(first, first.url, {"status": "Accepted"}, table_responds=False)
    run.serve(1, ACCEPTS, table_responds=False)
    run.serve(0, ACCEPTS, table_responds=True)
    run.retry(0, table_responds=True)
    run.serve(1, SILENT, table_responds=True)
    run.serve(0, ACCEPTS, table_responds=True)


def deleted_between_read_and_write(run: Callers) -> None:
    _leave_unknown(run, ACCEPTS)
    run.call_back(0, table_responds=False)
    run.serve(0, ACCEPTS, table_responds=False)
    run.delete(0)
    run.retry(0, table_responds=True)
    run.serve(1, SILENT, table_responds=True)
    run.serve(0, ACCEPTS, table_responds=True)


def deleted_before_it_is_completed(run: Callers) -> None:
    _leave_unknown(run, ACCEPTS)
    run.call_back(0, table_responds=False)
    run.serve(0, ACCEPTS, table_responds=False)
    run.delete(0)
    run.serve(0, ACCEPTS, table_responds=True)


def deleted_before_it_is_settled(run: Callers) -> None:
    run.begin(0, table_responds=True)
    run.serve(0, SILENT, table_responds=False)
    run.delete(0)
    run.run_to_end(0)


def deleted_between_answer_and_settle(run: Callers) -> None:
    run.begin(0, table_responds=True)
    run.serve(0, REJECTS, table_responds=False)
    run.call_back(0, table_responds=True)
    run.serve(0, ACCEPTS, table_responds=False)
    run.delete(0)
    run.retry(0, table_responds=True)
    run.serve(1, ACCEPTS, table_responds=False)
    run.serve(0, ACCEPTS, table_responds=True)


def called_back_between_last_read_and_settle(run: Callers) -> None:
    run.begin(0, table_responds=True)
    run.serve(0, ACCEPTS, table_responds=False)
    while run.running[0].waiting and b"UpdateExpression" not in run.running[0].waiting.body:
        run.serve(0, ACCEPTS, table_responds=False)
    run.call_back(0, table_responds=True)
    run._check()
    run.serve(0, ACCEPTS, table_responds=True)


def deleted_while_waiting(run: Callers) -> None:
    """The id's next attempt is accepted, and the invocation that waits for the first one's answer reads it."""
    run.begin(0, table_responds=True)
    run.serve(0, SILENT, table_responds=False)
    run.delete(0)
    run.retry(0, table_responds=True)
    run.serve(1, ACCEPTS, table_responds=True)
    run.call_back(0, table_responds=True)
    run.run_to_end(0)


UNTRUE = r"(accepted|rejected), and began"
NOT_REJECTED = "an invalid callback received 204"
CHANGED = "a completed attempt was changed"
LOST = "lost: a valid callback was rejected"
WRONG_ANSWER = "another attempt's answer was returned|the returned answer is not the recorded one"
STUB = "there is an item without a claim"
STUB_READ = (
    "an invalid callback received 500"  # the callback function reads what it wrote, and it is no attempt
)
BUGS: list[tuple[PlantBug, Story, str]] = [
    (checks_no_signature, forged, UNTRUE),
    (accepts_a_url_of_version_1_0_for_every_attempt, without_the_keys_signature, UNTRUE),
    (signs_without_the_try, of_an_earlier_try, UNTRUE),
    (signs_without_the_key, of_a_deleted_attempt, UNTRUE),
    (accepts_expired_urls, after_a_day, UNTRUE),
    (rejects_every_callback, late, LOST),
    (reads_every_answer_as_an_acceptance, rejected, UNTRUE),
    (completes_a_completed_attempt, contradicted, UNTRUE),
    (completes_another_try, read_before_the_next_try, UNTRUE),
    (completes_another_attempt, deleted_between_read_and_write, UNTRUE),
    (settles_another_attempt, deleted_between_answer_and_settle, UNTRUE),
    (settles_over_a_callback, called_back_between_last_read_and_settle, CHANGED),
    (confuses_another_attempt_with_its_own, deleted_while_waiting, WRONG_ANSWER),
    (creates_an_item_by_an_update, deleted_before_it_is_completed, STUB_READ),
    (creates_an_item_by_an_update, deleted_before_it_is_settled, STUB),
]
FOUND_IN_FEW_RUNS = (checks_no_signature, rejects_every_callback)
# Need five or more steps in one order: a thousand runs may not contain them.
RARELY_FOUND = (
    completes_another_try,
    completes_another_attempt,
    settles_another_attempt,
    settles_over_a_callback,
    confuses_another_attempt_with_its_own,
    accepts_expired_urls,
)
SEARCHED = [
    plant_bug
    for plant_bug in dict.fromkeys(plant_bug for plant_bug, *_ in BUGS)
    if plant_bug not in RARELY_FOUND
]
if not EXAMPLES:
    SEARCHED = [plant_bug for plant_bug in SEARCHED if plant_bug in FOUND_IN_FEW_RUNS]


@pytest.fixture
def single_id_callers(callers: type[Callers]) -> type[Callers]:
    """Return the state machine with one id, one server, and the behaviors of the stories."""
    callers.ports, callers.behaviors, callers.max_ids, callers.deletes = (CALLING,), BEHAVIORS, 1, True
    return callers


@pytest.mark.parametrize(
    ("plant_bug", "story", "expected_error"),
    BUGS,
    ids=[f"{plant_bug.__name__}-{story.__name__}" for plant_bug, story, _ in BUGS],
)
def test_a_planted_bug_breaks_an_invariant_in_its_story(
    plant_bug: PlantBug,
    story: Story,
    expected_error: str,
    single_id_callers: type[Callers],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _run_story(story, single_id_callers)
    plant_bug(single_id_callers, monkeypatch)
    with pytest.raises(AssertionError, match=expected_error):
        _run_story(story, single_id_callers)


@pytest.mark.parametrize("plant_bug", SEARCHED, ids=lambda plant_bug: plant_bug.__name__)
def test_the_search_finds_a_planted_bug(
    plant_bug: PlantBug, single_id_callers: type[Callers], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_bug(single_id_callers, monkeypatch)
    with pytest.raises(
        AssertionError, match="|".join((UNTRUE, NOT_REJECTED, CHANGED, LOST, WRONG_ANSWER, STUB, STUB_READ))
    ):
        run_state_machine_as_test(single_id_callers, settings=settings(SEARCH, max_examples=1000))


def _leave_unknown(run: Callers, behavior: int) -> None:
    run.begin(0, table_responds=True)
    run.serve(0, behavior, table_responds=True)


def _run_story(story: Story, callers: type[Callers]) -> None:
    run = callers()
    story(run)
    run._check()
    run.teardown()


def _sign_without(patch: pytest.MonkeyPatch, **fields: Any) -> None:
    for name in ("_signature", "_key_signature"):
        patch.setattr(callbacks, name, _sign_with(getattr(callbacks, name), fields))


def _sign_with(sign: Callable[..., str], fields: dict[str, Any]) -> Callable[..., str]:
    return lambda secret, attempt, expires: sign(secret, attempt._replace(**fields), expires)


def _rewrite(callers: type[Callers], patch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """Replace a part of every condition that is sent to the table."""
    update = callers._update

    def rewritten(self: Callers, body: dict[str, Any]) -> Any:
        return update(self, body | {"ConditionExpression": body["ConditionExpression"].replace(old, new)})

    patch.setattr(callers, "_update", rewritten)
