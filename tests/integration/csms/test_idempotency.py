"""The same id never causes a second OCPP call, and nothing is sent after the wait."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from local.chargers import Behaviour, Reaction
from local.csms import Csms, Options
from tests.integration.csms.client import Rest, Scripted
from tests.waiting import eventually

if TYPE_CHECKING:
    from tests.integration.csms.conftest import type_of_plug


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_twenty_identical_callers_at_once_cause_one_call(
    rest: Rest, plug: type_of_plug, version: str
) -> None:
    charger = plug(Behaviour("CP", version=version, delay=0.5))
    key = str(uuid4())
    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda _: rest.connect("CP", key=key), range(20)))
    assert {reply.outcome for reply in replies} == {(200, "Accepted")}
    assert len(charger.starts) == 1


def test_identical_callers_that_wait_for_a_busy_charger_cause_one_call(
    rest: Rest, plug: type_of_plug
) -> None:
    charger = plug(Behaviour("CP", connectors=2, delay=0.5))
    key = str(uuid4())
    with ThreadPoolExecutor(21) as pool:
        first = pool.submit(rest.connect, "CP", "OTHER")
        eventually(lambda: charger.starts)
        replies = list(pool.map(lambda _: rest.connect("CP", key=key), range(20)))
        assert first.result().outcome == (200, "Accepted")
    assert {reply.outcome for reply in replies} == {(200, "Accepted")}
    assert [start.token for start in charger.starts] == ["OTHER", "TAG"]


def test_waiting_callers_receive_no_answer_if_the_charger_drops_the_call(csms: Csms, rest: Rest) -> None:
    key = str(uuid4())
    with Scripted(csms.ocpp_url, "CP") as charger, ThreadPoolExecutor(6) as pool:
        calls = charger.calls()
        other = pool.submit(rest.connect, "CP", "OTHER")
        unique_id, _, _ = next(calls)
        queued = [pool.submit(rest.connect, "CP", key=key) for _ in range(5)]
        with pytest.raises(TimeoutError):
            charger.socket.recv(timeout=0.5)
        charger.answer(unique_id, {"status": "Rejected"})
        assert next(calls)[2]["idTag"] == "TAG"
        charger.socket.close()
        assert other.result().outcome == (200, "Rejected")
        assert {reply.result().outcome for reply in queued} == {(504, "no-answer")}


def test_callers_with_a_short_wait_time_out_and_the_others_receive_the_answer(csms: Csms, rest: Rest) -> None:
    key = str(uuid4())
    with Scripted(csms.ocpp_url, "CP") as charger, ThreadPoolExecutor(8) as pool:
        long_waits = [pool.submit(rest.connect, "CP", key=key) for _ in range(4)]
        unique_id, _, _ = next(charger.calls())
        short_waits = [pool.submit(rest.connect, "CP", key=key, wait=1) for _ in range(4)]
        assert {reply.result().outcome for reply in short_waits} == {(504, "no-answer")}
        charger.answer(unique_id, {"status": "Accepted"})
        assert {reply.result().outcome for reply in long_waits} == {(200, "Accepted")}
        with pytest.raises(TimeoutError):
            charger.socket.recv(timeout=0.2)


def test_one_call_at_a_time_goes_to_a_charger(csms: Csms, rest: Rest) -> None:
    with Scripted(csms.ocpp_url, "CP") as charger, ThreadPoolExecutor(5) as pool:
        replies = [pool.submit(rest.connect, "CP", f"T{n}") for n in range(5)]
        calls = charger.calls()
        for _ in range(5):
            unique_id, _, _ = next(calls)
            with pytest.raises(TimeoutError):
                charger.socket.recv(timeout=0.1)
            charger.answer(unique_id, {"status": "Accepted"})
        assert {reply.result().outcome for reply in replies} == {(200, "Accepted")}


def test_an_id_is_not_used_for_another_token_or_charger(rest: Rest, plug: type_of_plug) -> None:
    charger, other = plug(Behaviour("CP")), plug(Behaviour("OTHER"))
    key = str(uuid4())
    assert rest.connect("CP", "A", key=key).outcome == (200, "Accepted")
    assert rest.connect("CP", "B", key=key).outcome == (409, "id-reused")
    assert rest.connect("CP", "a", key=key).outcome == (409, "id-reused")
    assert rest.connect("OTHER", "A", key=key).outcome == (409, "id-reused")
    assert rest.connect("CP", "A", key=key.upper()).outcome == (200, "Accepted")
    assert (len(charger.starts), len(other.starts)) == (1, 0)


class TestASilentCharger:
    @pytest.fixture
    def options(self) -> Options:
        return Options(call_timeout=3)

    def test_a_start_that_could_not_leave_within_its_wait_never_leaves(self, csms: Csms, rest: Rest) -> None:
        late = str(uuid4())
        with Scripted(csms.ocpp_url, "CP") as charger, ThreadPoolExecutor(1) as pool:
            silent = pool.submit(rest.connect, "CP", "SILENT", wait=1)
            calls = charger.calls()
            assert next(calls)[2]["idTag"] == "SILENT"
            refused = rest.connect("CP", "LATE", key=late, wait=1)
            assert silent.result().outcome == (504, "no-answer")
            assert refused.outcome == (503, "not-sent")
            after = pool.submit(rest.connect, "CP", "AFTER")
            unique_id, _, payload = next(calls)
            assert payload["idTag"] == "AFTER"
            charger.answer(unique_id, {"status": "Accepted"})
            assert after.result().outcome == (200, "Accepted")
            again = pool.submit(rest.connect, "CP", "LATE", key=late)
            unique_id, _, payload = next(calls)
            assert payload["idTag"] == "LATE"
            charger.answer(unique_id, {"status": "Rejected"})
            assert again.result().outcome == (200, "Rejected")

    def test_its_answer_counts_after_the_next_call_has_left(self, csms: Csms, rest: Rest) -> None:
        first = str(uuid4())
        with Scripted(csms.ocpp_url, "CP") as charger, ThreadPoolExecutor(1) as pool:
            calls = charger.calls()
            silent = pool.submit(rest.connect, "CP", "FIRST", key=first, wait=1)
            late = next(calls)[0]
            assert silent.result().outcome == (504, "no-answer")
            second = pool.submit(rest.connect, "CP", "SECOND")
            unique_id, _, _ = next(calls)
            charger.answer(late, {"status": "Accepted"})
            charger.answer(unique_id, {"status": "Rejected"})
            assert second.result().outcome == (200, "Rejected")
            assert rest.connect("CP", "FIRST", key=first).outcome == (200, "Accepted")


def test_with_no_wait_nothing_is_sent_and_the_known_answer_is_returned(
    rest: Rest, plug: type_of_plug
) -> None:
    charger = plug(Behaviour("CP"))
    key = str(uuid4())
    assert rest.connect("CP", key=key, wait=0).outcome == (503, "not-sent")
    assert charger.starts == []
    assert rest.connect("CP", key=key).outcome == (200, "Accepted")
    assert rest.connect("CP", key=key, wait=0).outcome == (200, "Accepted")


def test_nothing_is_sent_before_the_boot_notification_is_accepted(csms: Csms, rest: Rest) -> None:
    key = str(uuid4())
    with Scripted(csms.ocpp_url, "CP", boot=False) as charger, ThreadPoolExecutor(1) as pool:
        eventually(lambda: rest.status("CP").outcome == (504, "status-unknown"))
        assert rest.connect("CP", key=key, wait=1).outcome == (503, "not-sent")
        waiting = pool.submit(rest.connect, "CP", key=key)
        charger.boot()
        unique_id, _, _ = next(charger.calls())
        charger.answer(unique_id, {"status": "Accepted"})
        assert waiting.result().outcome == (200, "Accepted")


def test_a_charger_that_leaves_while_a_start_waits_for_it_is_offline(csms: Csms, rest: Rest) -> None:
    with ThreadPoolExecutor(1) as pool:
        with Scripted(csms.ocpp_url, "CP", boot=False):
            eventually(lambda: rest.status("CP").outcome == (504, "status-unknown"))
            waiting = pool.submit(rest.connect, "CP")
        assert waiting.result().outcome == (200, "Unavailable")


def test_a_repeated_start_is_sent_once_the_charger_is_connected(rest: Rest, plug: type_of_plug) -> None:
    charger = plug(Behaviour("CP-3", online=False))
    key = str(uuid4())
    assert rest.connect("CP-3", key=key).outcome == (200, "Unavailable")
    charger.behaviour.online = True
    outcome = eventually(
        lambda: (reply := rest.connect("CP-3", key=key).outcome) != (200, "Unavailable") and reply
    )
    # The charger may be reporting its connectors, as after every boot, when the start comes.
    assert outcome in {(200, "Accepted"), (200, "Preparing")}
    assert len(charger.starts) == 1


def test_the_first_answer_is_kept(rest: Rest, plug: type_of_plug) -> None:
    charger = plug(Behaviour("CP", reaction=Reaction.REJECT))
    key = str(uuid4())
    assert rest.connect("CP", key=key).outcome == (200, "Rejected")
    charger.behaviour.reaction = Reaction.ACCEPT
    assert rest.connect("CP", key=key).outcome == (200, "Rejected")
