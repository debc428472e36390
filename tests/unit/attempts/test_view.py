"""What a reader sees of an attempt, and the marks between pages."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest

from attempts.view import mark, shown, unmark
from common.journal import Attempt
from tests.unit.journal.transitions import ANSWER, ID, NOW, item

KEY = {"id": {"S": ID}, "chargerId": {"S": "CP-1"}, "createdAt": {"S": "2026-09-21T14:13:20.250000Z"}}


def test_a_mark_leads_back_to_its_key() -> None:
    text = mark(KEY)
    assert text is not None
    assert text.isascii()
    assert not set(text) & set("+/=&?# ")
    assert unmark(text, "CP-1") == KEY


def test_a_mark_never_leads_to_another_charger() -> None:
    assert unmark(mark(KEY) or "", "CP-2")["chargerId"] == {"S": "CP-2"}


def test_after_the_last_page_there_is_none() -> None:
    assert mark(None) is None


def coded(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "x", "====", "ä", "\ud83d", "bm90IGpzb24", urlsafe_b64encode(b"\xff\xfe").decode(),
        coded(5), coded([]), coded([ID]), coded([ID, 5]), coded([ID, ""]), coded([ID, "x" * 33]), coded([ID, None]),
        coded(["x", "2026-09-21T14:13:20.250000Z"]), coded([5, "2026-09-21T14:13:20.250000Z"]), coded([[], "2026"]),
        coded([None, "2026-09-21T14:13:20.250000Z"]), coded({"a": 1, "b": 2}), coded("ab"), coded([ID, "\ud83d"]),
        coded([ID, "yesterday"]), coded([ID, "2026-09-21T14:13:20.250000Z", 1]),
        urlsafe_b64encode(b"[" * 9000).decode(), urlsafe_b64encode(b"1" * 9000).decode(),
    ],
)  # fmt: skip
def test_what_is_no_mark_of_ours_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says, the handler answers with a field error
        unmark(text, "CP-1")


def test_what_guards_an_attempt_is_not_shown() -> None:
    shows = json.dumps(
        shown(
            Attempt.of(item(owner="me and only me", attemptKey="the key", answer=ANSWER, state="completed")),
            NOW,
        )
    )
    for hidden in ("owner", "me and only me", "lease", "fingerprint", "expiresAt", "attemptKey", "the key"):
        assert hidden not in shows


def test_an_answer_is_shown_as_the_caller_heard_it() -> None:
    shows = shown(Attempt.of(item(answer=ANSWER, state="completed")), NOW)
    told = {
        "id": ID,
        "chargerId": "CP-1",
        "connectorId": 1,
        "errorCode": "NoError",
        "status": "Charging",
        "info": None,
    }
    assert (shows["outcome"], shows["answer"], shows["state"]) == ("accepted", told, "completed")


@pytest.mark.parametrize(
    ("dialect", "number"),
    [
        ("native", 1371516746),
        ("citrineos", 1371516746),
        ("steve", None),
        ("ocpp-core", None),
        ("ocpp-cs", None),
        ("of-later", None),
    ],
)
def test_a_remote_start_id_is_shown_only_where_the_server_passes_it_on(
    dialect: str, number: int | None
) -> None:
    assert shown(Attempt.of(item(dialect=dialect)), NOW)["remoteStartId"] == number


def test_a_status_has_no_remote_start_id() -> None:
    asked = item()
    del asked["token"]
    assert shown(Attempt.of(asked), NOW)["remoteStartId"] is None


def test_an_item_of_version_1_0_that_has_the_number_is_read() -> None:
    assert shown(Attempt.of(item(remoteStartId=1371516746, dialect="steve")), NOW)["remoteStartId"] is None


def test_a_pending_attempt_whose_lease_is_over_shows_as_unknown() -> None:
    assert shown(Attempt.of(item(lease=NOW - 1)), NOW)["state"] == "unknown"
    assert shown(Attempt.of(item()), NOW)["state"] == "pending"
