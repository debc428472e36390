"""The model can fail: each fault that is sown into the service here, it finds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

import charger_link.exchange
import charger_link.link
from charger_link import Unreachable
from charger_link.dialects.registry import load
from common.journal import Journal, JournalUnavailable
from tests.model.harness import End
from tests.model.machine import LEASE, NATIVE, PLAIN, Arrival
from tests.model.servers import Weather
from tests.model.test_model import EXAMPLES, SEARCH

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.model.machine import Callers

    Story = Callable[[Callers], None]
    Sow = Callable[[type[Callers], pytest.MonkeyPatch], None]


def takes_over_what_cannot_be_repeated(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    callers.repeatable = frozenset({"native", "plain"})


def repeats_what_cannot_be_repeated(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    plain = sys.modules["charger_link.dialects.plain"]
    patch.setattr(plain, "DIALECT", load("plain")._replace(repeatable=True))


def claims_whatever_is_there(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    _rewrite(callers, patch, "#state = :failed", "(#state = :failed OR #state <> :failed)")


def settles_what_another_owns(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    _rewrite(callers, patch, "#owner = :mine", "(#owner = :mine OR #owner <> :mine)")


def settles_what_is_completed(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    _rewrite(callers, patch, "#state IN (:over0,", "attribute_exists(id) OR #state IN (:over0,")


def tells_what_is_not_recorded(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    settle = Journal.settle

    def careless(*arguments: Any) -> Any:
        try:
            return settle(*arguments)
        except JournalUnavailable:
            return None

    patch.setattr(Journal, "settle", careless)


def calls_it_failed_in_doubt(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    patch.setattr(charger_link.link, "_start", lambda plain, *arguments: plain.start(*arguments))


def calls_a_broken_connection_one_never_made(callers: type[Callers], patch: pytest.MonkeyPatch) -> None:
    for module in (charger_link.exchange, charger_link.link):
        patch.setattr(module, "OutcomeUnknown", Unreachable)


TWICE, FAILED = "was started [2-9] times", "failed, and a charge point was asked"
UNTRUE = "a success was told that is not recorded|and its request started a charge"
CHANGED = "a completed attempt was changed"
ACCEPTS, OFFLINE = 0, 1
QUICK = (takes_over_what_cannot_be_repeated, claims_whatever_is_there)
RARE = (
    settles_what_another_owns,
)  # five steps in one order, of one invocation: a thousand runs may miss them


def died_after_the_start(run: Callers) -> None:
    run.begin(0, smooth=True)
    run.lose(0, End.KILLED, Arrival.NOW, ACCEPTS, smooth=True)
    run.pass_time(LEASE)
    run.ask_again(0, smooth=True)
    while run.running:
        run.serve(0, ACCEPTS, smooth=True)


def answer_lost(run: Callers) -> None:
    run.begin(0, smooth=True)
    run.lose(0, End.BROKEN, Arrival.NOW, ACCEPTS, smooth=True)
    while run.running:
        run.serve(0, ACCEPTS, smooth=True)


def asked_again_when_completed(run: Callers) -> None:
    run.begin(0, smooth=True)
    run.serve(0, ACCEPTS, smooth=True)
    run._check()
    run.ask_again(0, smooth=True)


def first_fails_after_a_takeover(run: Callers) -> None:
    run.begin(0, smooth=True)
    run.pass_time(LEASE)
    run.ask_again(0, smooth=True)
    run.serve(0, OFFLINE, smooth=True)
    run.deliver(0, ACCEPTS)


def second_answers_after_the_first(run: Callers) -> None:
    run.begin(0, smooth=True)
    run.pass_time(LEASE)
    run.ask_again(0, smooth=True)
    run.serve(0, ACCEPTS, smooth=True)
    run._check()
    run.pass_time(LEASE)
    run.serve(0, ACCEPTS, smooth=True)


def table_gone_at_settle(run: Callers) -> None:
    run.begin(0, smooth=True)
    run.serve(0, ACCEPTS, smooth=False)
    run.refuse(0, "AccessDeniedException")


def request_arrives_after_its_repeat(run: Callers) -> None:
    run.begin(0, smooth=True)
    run.lose(0, End.BROKEN, Arrival.LATER, ACCEPTS, smooth=True)
    run.serve(0, OFFLINE, smooth=True)
    run.deliver(0, ACCEPTS)


FAULTS: list[tuple[Sow, int, Story, str]] = [
    (takes_over_what_cannot_be_repeated, PLAIN, died_after_the_start, TWICE),
    (repeats_what_cannot_be_repeated, PLAIN, answer_lost, TWICE),
    (claims_whatever_is_there, PLAIN, asked_again_when_completed, CHANGED),
    (settles_what_another_owns, NATIVE, first_fails_after_a_takeover, FAILED),
    (settles_what_is_completed, NATIVE, second_answers_after_the_first, CHANGED),
    (tells_what_is_not_recorded, PLAIN, table_gone_at_settle, UNTRUE),
    (calls_it_failed_in_doubt, NATIVE, request_arrives_after_its_repeat, FAILED),
    (calls_a_broken_connection_one_never_made, PLAIN, answer_lost, FAILED),
]
SEARCHED = [sow for sow, *_ in FAULTS if (sow not in RARE if EXAMPLES else sow in QUICK)]
NAMES = [sow.__name__ for sow, *_ in FAULTS]


@pytest.mark.parametrize(("sow", "port", "story", "found"), FAULTS, ids=NAMES)
def test_a_fault_shows_in_its_story(
    sow: Sow, port: int, story: Story, found: str, callers: type[Callers], monkeypatch: pytest.MonkeyPatch
) -> None:
    callers.ports, callers.weathers = (port,), (Weather.ACCEPTS, Weather.OFFLINE)
    _tell(story, callers)
    sow(callers, monkeypatch)
    with pytest.raises(AssertionError, match=found):
        _tell(story, callers)


@pytest.mark.parametrize(
    ("sow", "port"),
    [(sow, port) for sow, port, *_ in FAULTS if sow in SEARCHED],
    ids=[sow.__name__ for sow in SEARCHED],
)
def test_the_search_finds(
    sow: Sow, port: int, callers: type[Callers], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but the rare where the search is large; else those that show within a few dozen runs."""
    callers.ports, callers.most = (port,), 1
    callers.weathers = (Weather.ACCEPTS, Weather.OFFLINE, Weather.DIES_SENT)
    sow(callers, monkeypatch)
    with pytest.raises(AssertionError, match="|".join((TWICE, FAILED, CHANGED, UNTRUE))):
        run_state_machine_as_test(callers, settings=settings(SEARCH, max_examples=1000))


def _tell(story: Story, callers: type[Callers]) -> None:
    run = callers()
    story(run)
    run._check()
    run.teardown()


def _rewrite(callers: type[Callers], patch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """Change a condition on its way to the table."""
    update = callers._update

    def rewritten(self: Callers, body: dict[str, Any]) -> Any:
        return update(self, body | {"ConditionExpression": body["ConditionExpression"].replace(old, new)})

    patch.setattr(callers, "_update", rewritten)
