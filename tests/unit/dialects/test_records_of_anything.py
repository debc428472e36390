"""No reply, whatever it holds, makes a find or a stop fail in another way than with an error of the link."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charger_link import Found, Link, LinkError, Published, Stop
from charger_link.dialects import citrineos_records, native_records, steve_records
from charger_link.dialects.timestamps import format_timestamp, parse_optional, parse_timestamp
from charger_link.exchange import ServerReply
from common.remote_start.transaction import Transaction
from tests.unit.dialects.test_replies import Exchange, command

TRANSACTION = Transaction("7", "CP/1 ä", None, None, None, None)
KEYS = [
    "id", "chargerId", "state", "cancelled", "result", "transactions", "stop", "status", "info", "connectorId", "startedAt",
    "stoppedAt", "chargeBoxId", "ocppIdTag", "startTimestamp", "stopTimestamp", "successResponses", "errorResponses",
    "exceptions", "errorCode", "exceptionMessage", "message", "success", "payload", "transactionId", "stationId", "isActive",
    "type",
]  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5),
    st.sampled_from(["CP/1 ä", "Accepted", "Rejected", "7", "2026-11-25T08:30:00Z", "0001-01-01T00:00:00+14:00", "sent"]),
)  # fmt: skip
BODIES = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=8),
    max_leaves=12,
)


@settings(derandomize=True, deadline=None)
@given(BODIES, st.sampled_from([200, 302, 400, 403, 404, 405, 409, 500, 503, 504]), st.booleans())
def test_any_reply_gives_a_result_or_an_error_of_the_link(body: Any, status: int, problem: bool) -> None:
    kind = "application/problem+json" if problem else "application/json"
    reply = ServerReply(status, kind, {}, body, json.dumps(body))
    for call in (
        lambda exchange: native_records.find(command("native"), 0, 1, exchange),
        lambda exchange: native_records.stop(command("native"), None, exchange),
        lambda exchange: steve_records.find(command("steve"), 0, 1, exchange),
        lambda exchange: steve_records.read_transaction(command("steve"), "7", exchange),
        lambda exchange: steve_records.stop(command("steve"), TRANSACTION, exchange),
        lambda exchange: citrineos_records.read_transaction(command("citrineos"), "7", exchange),
        lambda exchange: citrineos_records.stop(command("citrineos"), TRANSACTION, exchange),
        lambda _: citrineos_records.read_stop_callback(body),
    ):
        try:
            result = call(Exchange(reply))
        except LinkError:
            continue
        assert result is None or isinstance(result, Found | Stop | Published | Transaction)


def test_a_dialect_that_fails_on_a_reply_leaves_a_stop_unknown_and_a_find_without_a_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from charger_link import Circuits, OutcomeUnknown
    from charger_link.secrets import Secrets
    from common.transport import Deadline

    def fails(*_: object) -> None:
        raise KeyError("x")

    link = Link(Circuits(), Secrets.of(None))
    for name in ("find", "stop", "read_transaction"):
        monkeypatch.setattr(steve_records, name, fails)
    deadline = Deadline.after(1)
    for call in (
        lambda: link.find(command("steve"), 0, 1, deadline),
        lambda: link.read_transaction(command("steve"), "7", deadline),
        lambda: link.stop(command("steve"), TRANSACTION, deadline),
    ):
        with pytest.raises(OutcomeUnknown) as raised:
            call()
        assert raised.value.kind == "unexpected"


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 4_000_000_000))
def test_a_time_that_was_formatted_is_parsed_as_the_same_second(seconds: int) -> None:
    assert parse_timestamp(format_timestamp(seconds)) == seconds
    assert parse_optional(format_timestamp(seconds) + "Z") == seconds


@pytest.mark.parametrize(
    "text", [None, 5, "", "T", "2026-11-25", "08:30:00", "2026-13-25T08:30:00Z", "tomorrow T"]
)
def test_what_is_no_date_and_time_is_a_value_error(text: object) -> None:
    with pytest.raises(ValueError, match=r"date|isoformat|month"):
        parse_timestamp(text)


def test_no_time_is_no_time() -> None:
    assert parse_optional(None) is None
