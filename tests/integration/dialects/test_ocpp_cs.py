"""ocpp-cs, both versions, row by row of what it answers; real charge points behind it count the starts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from charger_link import Answer
from local.chargers import Behaviour, Reaction
from local.standins import OcppCs
from tests.integration.dialects.asking import LONG_TOKEN, Asking, behind, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.chargers import ChargePoint

PATIENCE = 1.0
UNKNOWN = "ChargerUnknown charger-unknown"
OFFLINE = "offline Unavailable not-connected"


@contextmanager
def met(version: int, behaviour: Behaviour, bearer: str = "") -> Iterator[tuple[Asking, ChargePoint, OcppCs]]:
    """A stand-in with one charge point, called CP."""
    ocpp_cs = OcppCs(version, bearer, PATIENCE)
    with behind(ocpp_cs, behaviour) as (standin, points):
        yield (
            Asking(standin, "ocpp-cs", (lambda: {"bearer": bearer}) if bearer else None),
            points["CP"],
            ocpp_cs,
        )


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("behaviour", "expected", "starts"),
    [
        ({}, "accepted Accepted null", 1),
        ({"reaction": Reaction.REJECT}, "rejected Rejected charger-refused", 1),
        ({"reaction": Reaction.NOT_SUPPORTED}, "rejected Rejected not-supported NotSupported", 1),
        ({"reaction": Reaction.FAIL}, "OutcomeUnknown call-error", 1),
        ({"reaction": Reaction.SILENT}, "OutcomeUnknown charger-silent", 1),
        ({"reaction": Reaction.DROP}, "OutcomeUnknown charger-silent", 1),
        ({"delay": PATIENCE + 1}, "OutcomeUnknown charger-silent", 1),
        ({"online": False}, OFFLINE, 0),
    ],
)
def test_every_answer_has_its_outcome(
    version: int, behaviour: dict[str, object], expected: str, starts: int
) -> None:
    with met(version, Behaviour("CP", **behaviour)) as (ask, point, _):  # type: ignore[arg-type]
        assert told(ask("CP")) == expected
        assert [start.token for start in point.starts] == ["TAG1"] * starts


@pytest.mark.parametrize(
    ("behaviour", "token", "expected", "starts"),
    [
        ({}, "TAG1", "accepted Accepted null", 1),
        ({}, LONG_TOKEN, "accepted Accepted null", 1),
        ({"reaction": Reaction.REJECT}, "TAG1", "rejected Rejected charger-refused", 1),
        ({"reaction": Reaction.FAIL}, "TAG1", "OutcomeUnknown call-error", 1),
        ({"reaction": Reaction.SILENT}, "TAG1", "OutcomeUnknown charger-silent", 1),
        ({"online": False}, "TAG1", OFFLINE, 0),
        ({"online": False}, LONG_TOKEN, OFFLINE, 0),
    ],
)
def test_a_charger_of_201_behind_version_2_is_asked_in_its_own_words(
    behaviour: dict[str, object], token: str, expected: str, starts: int
) -> None:
    with met(2, Behaviour("CP", version="2.0.1", connectors=3, **behaviour)) as (ask, point, _):  # type: ignore[arg-type]
        assert told(ask("CP", token, 3)) == expected
        assert [(start.token, start.connector) for start in point.starts] == [(token, 3)] * starts


def test_the_status_of_a_charger_of_201_is_told_too() -> None:
    with met(2, Behaviour("CP", version="2.0.1")) as (ask, _, __):
        assert told(ask("CP", None, None)) == "status Available null"


@pytest.mark.parametrize("version", [1, 2])
def test_what_never_reaches_a_charge_point(version: int) -> None:
    with met(version, Behaviour("CP")) as (ask, point, _):
        assert told(ask("NOPE")) == UNKNOWN
        assert told(ask("not connected")) == UNKNOWN
        assert told(ask("CP", LONG_TOKEN)) == "rejected Rejected token-too-long"
        assert point.starts == []


@pytest.mark.parametrize(("connector", "sent"), [(1, 1), (None, None)])
def test_a_connector_is_named_or_left_out(connector: int | None, sent: int | None) -> None:
    with met(1, Behaviour("CP")) as (ask, point, _):
        assert told(ask("CP", connector=connector)) == "accepted Accepted null"
        assert [start.connector for start in point.starts] == [sent]


@pytest.mark.parametrize("version", [1, 2])
def test_a_token_of_the_api_is_sent_and_a_wrong_one_is_the_operators_to_mend(version: int) -> None:
    with met(version, Behaviour("CP"), bearer="json.web.token") as (ask, point, ocpp_cs):
        assert told(ask("CP")) == "accepted Accepted null"
        ocpp_cs.bearer = "another"
        assert told(ask("CP")) == "ServerRefused unauthorized"
        assert len(point.starts) == 1


@pytest.mark.parametrize(
    ("version", "charger", "online", "expected"),
    [
        (1, "CP", True, "StatusNotAvailable status-not-available"),
        (1, "CP", False, "offline Unavailable unknown-or-not-connected"),
        (1, "NOPE", True, "offline Unavailable unknown-or-not-connected"),
        (2, "CP", True, "status Available null"),
        (2, "CP", False, OFFLINE),
        (2, "NOPE", True, UNKNOWN),
    ],
)
def test_without_a_token_the_list_tells_what_it_knows_and_nothing_is_started(
    version: int, charger: str, online: bool, expected: str
) -> None:
    with met(version, Behaviour("CP", online=online)) as (ask, point, _):
        assert told(ask(charger, None, None)) == expected
        assert point.starts == []


def test_the_last_status_is_told_of_its_own_connector_only() -> None:
    with met(2, Behaviour("CP", connectors=2, busy=frozenset({2}))) as (ask, _, _):
        answer = ask("CP", None, None)
        assert isinstance(answer, Answer)
        assert (answer.status, answer.connector_id, answer.error_code) == ("Charging", 2, "NoError")
        assert told(ask("CP", None, 1)) == "OutcomeUnknown no-status"
