"""ocpp-cs, both versions, row by row of what it answers; real charge points behind it count the starts."""

from __future__ import annotations

import json
from contextlib import contextmanager
from socket import SHUT_RDWR
from typing import TYPE_CHECKING

import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from charger_link import Answer, OutcomeUnknown
from local.chargers import Behaviour, Reaction
from local.running import in_thread
from local.simulators import OcppCs, serving_simulator
from tests.integration.dialects.link_client import (
    LONG_TOKEN,
    LinkClient,
    is_connected,
    running_simulator,
    summarize,
)
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.chargers import ChargePoint
    from local.simulators import Simulator

PATIENCE = 1.0
UNKNOWN = "ChargerUnknown charger-unknown"
OFFLINE = "offline Unavailable not-connected"


@contextmanager
def met(
    version: int, behaviour: Behaviour, bearer: str = "", *, older: bool = False
) -> Iterator[tuple[LinkClient, ChargePoint, OcppCs]]:
    """A simulator with one charge point, called CP. The newest version 1 waits for a charger without an end."""
    ocpp_cs = OcppCs(version, bearer, PATIENCE if older or version == 2 else None, older=older)
    with running_simulator(ocpp_cs, behaviour) as (simulator, points):
        yield (
            LinkClient(simulator, "ocpp-cs", (lambda: {"bearer": bearer}) if bearer else None),
            points["CP"],
            ocpp_cs,
        )


VERSIONS = pytest.mark.parametrize(
    ("version", "older"),
    [(1, False), (2, False), (1, True), (2, True)],
    ids=["version 1", "version 2", "older version 1", "older version 2"],
)


@VERSIONS
@pytest.mark.parametrize(
    ("behaviour", "expected", "starts"),
    [
        ({}, "accepted Accepted null", 1),
        ({"reaction": Reaction.REJECT}, "rejected Rejected charger-refused", 1),
        ({"reaction": Reaction.NOT_SUPPORTED}, "rejected Rejected not-supported NotSupported", 1),
        ({"reaction": Reaction.FAIL}, "OutcomeUnknown call-error", 1),
    ],
)
def test_every_answer_has_its_outcome(
    version: int, older: bool, behaviour: dict[str, object], expected: str, starts: int
) -> None:
    with met(version, Behaviour("CP", **behaviour), older=older) as (ask, point, _):  # type: ignore[arg-type]
        assert summarize(ask("CP")) == expected
        assert [start.token for start in point.starts] == ["TAG1"] * starts


@pytest.mark.parametrize(("version", "older"), [(2, False), (1, True), (2, True)])
@pytest.mark.parametrize(
    "behaviour",
    [{"reaction": Reaction.SILENT}, {"reaction": Reaction.DROP}, {"delay": PATIENCE + 1}],
    ids=["silent", "drops", "late"],
)
def test_a_server_that_stops_waiting_reports_a_silent_charger(
    version: int, older: bool, behaviour: dict[str, object]
) -> None:
    with met(version, Behaviour("CP", **behaviour), older=older) as (ask, point, _):  # type: ignore[arg-type]
        assert summarize(ask("CP")) == "OutcomeUnknown charger-silent"
        assert len(point.starts) == 1


@pytest.mark.parametrize("reaction", [Reaction.SILENT, Reaction.DROP])
def test_the_newest_version_1_never_answers_for_a_silent_charger(reaction: Reaction) -> None:
    with met(1, Behaviour("CP", reaction=reaction)) as (ask, point, _):
        assert isinstance(ask("CP", timeout=1.5), OutcomeUnknown)
        assert len(point.starts) == 1


def test_the_newest_version_1_passes_a_late_answer_on() -> None:
    with met(1, Behaviour("CP", delay=PATIENCE + 1)) as (ask, point, _):
        assert summarize(ask("CP")) == "accepted Accepted null"
        assert len(point.starts) == 1


@contextmanager
def left(version: int, *, cleanly: bool, older: bool = False) -> Iterator[tuple[Simulator, LinkClient]]:
    """A simulator that a charge point, called CP, connected to and left: with a close frame, or by a broken TCP connection."""
    with in_thread(serving_simulator(OcppCs(version, older=older))) as simulator:
        with connect(
            f"{simulator.ocpp_url}/CP", subprotocols=[Subprotocol("ocpp1.6")], proxy=None
        ) as websocket:
            boot = {"chargePointVendor": "A test", "chargePointModel": "A socket"}
            websocket.send(json.dumps([2, "1", "BootNotification", boot]))
            websocket.recv()
            _leave(websocket, cleanly=cleanly)
        eventually(lambda: not is_connected(simulator, "CP"))
        yield simulator, LinkClient(simulator, "ocpp-cs")


def _leave(websocket: ClientConnection, *, cleanly: bool) -> None:
    if cleanly:
        websocket.close()
    else:
        websocket.socket.shutdown(SHUT_RDWR)


@pytest.mark.parametrize(
    ("version", "older", "cleanly", "start", "status"),
    [
        (1, False, True, UNKNOWN, "offline Unavailable unknown-or-not-connected"),
        (1, False, False, OFFLINE, OFFLINE),
        (1, True, False, OFFLINE, OFFLINE),
        (2, False, True, OFFLINE, OFFLINE),
        (2, False, False, OFFLINE, OFFLINE),
    ],
)
def test_a_charger_that_left_gets_nothing(
    version: int, older: bool, cleanly: bool, start: str, status: str
) -> None:
    with left(version, cleanly=cleanly, older=older) as (_, ask):
        assert summarize(ask("CP")) == start
        assert summarize(ask("CP", None, None)) == status


@pytest.mark.parametrize("older", [False, True], ids=["newest", "older"])
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
    older: bool, behaviour: dict[str, object], token: str, expected: str, starts: int
) -> None:
    charger = Behaviour("CP", version="2.0.1", connectors=3, **behaviour)  # type: ignore[arg-type]
    with met(2, charger, older=older) as (ask, point, _):
        assert summarize(ask("CP", token, 3)) == expected
        assert [(start.token, start.connector) for start in point.starts] == [(token, 3)] * starts


@pytest.mark.parametrize(
    ("token", "kind", "number"), [("TAG1", "ISO14443", 1), (LONG_TOKEN, "Central", None)]
)
def test_the_newest_version_2_translates_the_body_of_16_and_leaves_that_of_201_as_it_is(
    token: str, kind: str, number: int | None
) -> None:
    with met(2, Behaviour("CP", version="2.0.1", reaction=Reaction.REJECT)) as (ask, point, _):
        ask("CP", token)
        (sent,) = (
            one.payload
            for one in point.messages
            if (one.action, one.kind) == ("RequestStartTransaction", "call")
        )
        assert isinstance(sent, dict)
        assert (sent["idToken"], sent["evseId"]) == ({"idToken": token, "type": kind}, 1)
        assert (sent["remoteStartId"] == 1) is (number == 1)


def test_the_status_of_a_charger_of_201_is_told_too() -> None:
    with met(2, Behaviour("CP", version="2.0.1")) as (ask, _, __):
        assert summarize(ask("CP", None, None)) == "status Available null"


@VERSIONS
def test_what_never_reaches_a_charge_point(version: int, older: bool) -> None:
    with met(version, Behaviour("CP"), older=older) as (ask, point, _):
        assert summarize(ask("NOPE")) == UNKNOWN
        assert summarize(ask("not connected")) == UNKNOWN
        assert summarize(ask("CP", LONG_TOKEN)) == "rejected Rejected token-too-long"
        assert point.starts == []


@pytest.mark.parametrize(("connector", "sent"), [(1, 1), (None, None)])
def test_a_connector_is_named_or_left_out(connector: int | None, sent: int | None) -> None:
    with met(1, Behaviour("CP")) as (ask, point, _):
        assert summarize(ask("CP", connector=connector)) == "accepted Accepted null"
        assert [start.connector for start in point.starts] == [sent]


@pytest.mark.parametrize("version", [1, 2])
def test_a_token_of_the_api_is_sent_and_a_wrong_one_is_the_operators_to_mend(version: int) -> None:
    with met(version, Behaviour("CP"), bearer="json.web.token") as (ask, point, ocpp_cs):
        assert summarize(ask("CP")) == "accepted Accepted null"
        ocpp_cs.bearer = "another"
        assert summarize(ask("CP")) == "ServerRefused unauthorized"
        assert len(point.starts) == 1


@pytest.mark.parametrize("older", [False, True], ids=["newest", "older"])
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
    version: int, older: bool, charger: str, online: bool, expected: str
) -> None:
    with met(version, Behaviour("CP", online=online), older=older) as (ask, point, _):
        assert summarize(ask(charger, None, None)) == expected
        assert point.starts == []


def test_the_last_status_is_told_of_its_own_connector_only() -> None:
    with met(2, Behaviour("CP", connectors=2, busy=frozenset({2}))) as (ask, _, _):
        answer = ask("CP", None, None)
        assert isinstance(answer, Answer)
        assert (answer.status, answer.connector_id, answer.error_code) == ("Charging", 2, "NoError")
        assert summarize(ask("CP", None, 1)) == "OutcomeUnknown no-status"
