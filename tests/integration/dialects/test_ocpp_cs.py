"""Each response of ocpp-cs, versions 1 and 2, and its outcome. Real charge points count the starts."""

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

TIMEOUT = 1.0
UNKNOWN = "ChargerUnknown charger-unknown"
OFFLINE = "offline Unavailable not-connected"


@contextmanager
def connected_charger(
    version: int, behaviour: Behaviour, bearer: str = "", *, older: bool = False
) -> Iterator[tuple[LinkClient, ChargePoint, OcppCs]]:
    """Run a simulator with one charge point, CP. The newest version 1 waits for a charger without a timeout."""
    ocpp_cs = OcppCs(version, bearer, TIMEOUT if older or version == 2 else None, older=older)
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
    with connected_charger(version, Behaviour("CP", **behaviour), older=older) as (client, point, _):  # type: ignore[arg-type]
        assert summarize(client("CP")) == expected
        assert [start.token for start in point.starts] == ["TAG1"] * starts


@pytest.mark.parametrize(("version", "older"), [(2, False), (1, True), (2, True)])
@pytest.mark.parametrize(
    "behaviour",
    [{"reaction": Reaction.SILENT}, {"reaction": Reaction.DROP}, {"delay": TIMEOUT + 1}],
    ids=["silent", "drops", "late"],
)
def test_a_server_that_stops_waiting_reports_a_silent_charger(
    version: int, older: bool, behaviour: dict[str, object]
) -> None:
    with connected_charger(version, Behaviour("CP", **behaviour), older=older) as (client, point, _):  # type: ignore[arg-type]
        assert summarize(client("CP")) == "OutcomeUnknown charger-silent"
        assert len(point.starts) == 1


@pytest.mark.parametrize("reaction", [Reaction.SILENT, Reaction.DROP])
def test_the_newest_version_1_never_answers_for_a_silent_charger(reaction: Reaction) -> None:
    with connected_charger(1, Behaviour("CP", reaction=reaction)) as (client, point, _):
        assert isinstance(client("CP", timeout=1.5), OutcomeUnknown)
        assert len(point.starts) == 1


def test_the_newest_version_1_returns_a_late_answer() -> None:
    with connected_charger(1, Behaviour("CP", delay=TIMEOUT + 1)) as (client, point, _):
        assert summarize(client("CP")) == "accepted Accepted null"
        assert len(point.starts) == 1


@contextmanager
def disconnected_charger(
    version: int, *, cleanly: bool, older: bool = False
) -> Iterator[tuple[Simulator, LinkClient]]:
    """Run a simulator from which the charge point CP has disconnected: with a close frame, or by a broken TCP connection."""
    with in_thread(serving_simulator(OcppCs(version, older=older))) as simulator:
        with connect(
            f"{simulator.ocpp_url}/CP", subprotocols=[Subprotocol("ocpp1.6")], proxy=None
        ) as websocket:
            boot = {"chargePointVendor": "A test", "chargePointModel": "A socket"}
            websocket.send(json.dumps([2, "1", "BootNotification", boot]))
            websocket.recv()
            _disconnect(websocket, cleanly=cleanly)
        eventually(lambda: not is_connected(simulator, "CP"))
        yield simulator, LinkClient(simulator, "ocpp-cs")


def _disconnect(websocket: ClientConnection, *, cleanly: bool) -> None:
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
def test_a_disconnected_charger_is_offline_or_unknown(
    version: int, older: bool, cleanly: bool, start: str, status: str
) -> None:
    with disconnected_charger(version, cleanly=cleanly, older=older) as (_, client):
        assert summarize(client("CP")) == start
        assert summarize(client("CP", None, None)) == status


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
def test_a_charger_of_201_receives_the_request_of_its_own_version(
    older: bool, behaviour: dict[str, object], token: str, expected: str, starts: int
) -> None:
    charger = Behaviour("CP", version="2.0.1", connectors=3, **behaviour)  # type: ignore[arg-type]
    with connected_charger(2, charger, older=older) as (client, point, _):
        assert summarize(client("CP", token, 3)) == expected
        assert [(start.token, start.connector) for start in point.starts] == [(token, 3)] * starts


@pytest.mark.parametrize(
    ("token", "kind", "number"), [("TAG1", "ISO14443", 1), (LONG_TOKEN, "Central", None)]
)
def test_the_newest_version_2_converts_the_body_of_16_and_forwards_that_of_201_unchanged(
    token: str, kind: str, number: int | None
) -> None:
    with connected_charger(2, Behaviour("CP", version="2.0.1", reaction=Reaction.REJECT)) as (
        client,
        point,
        _,
    ):
        client("CP", token)
        (sent,) = (
            one.payload
            for one in point.messages
            if (one.action, one.kind) == ("RequestStartTransaction", "call")
        )
        assert isinstance(sent, dict)
        assert (sent["idToken"], sent["evseId"]) == ({"idToken": token, "type": kind}, 1)
        assert (sent["remoteStartId"] == 1) is (number == 1)


def test_the_status_of_a_charger_of_201_is_returned() -> None:
    with connected_charger(2, Behaviour("CP", version="2.0.1")) as (client, _, __):
        assert summarize(client("CP", None, None)) == "status Available null"


@VERSIONS
def test_requests_that_do_not_reach_a_charge_point(version: int, older: bool) -> None:
    with connected_charger(version, Behaviour("CP"), older=older) as (client, point, _):
        assert summarize(client("NOPE")) == UNKNOWN
        assert summarize(client("not connected")) == UNKNOWN
        assert summarize(client("CP", LONG_TOKEN)) == "rejected Rejected token-too-long"
        assert point.starts == []


@pytest.mark.parametrize(("connector", "sent"), [(1, 1), (None, None)])
def test_the_start_contains_the_connector_only_if_the_request_does(
    connector: int | None, sent: int | None
) -> None:
    with connected_charger(1, Behaviour("CP")) as (client, point, _):
        assert summarize(client("CP", connector=connector)) == "accepted Accepted null"
        assert [start.connector for start in point.starts] == [sent]


@pytest.mark.parametrize("version", [1, 2])
def test_a_bearer_token_is_sent_and_a_wrong_one_is_server_refused(version: int) -> None:
    with connected_charger(version, Behaviour("CP"), bearer="json.web.token") as (client, point, ocpp_cs):
        assert summarize(client("CP")) == "accepted Accepted null"
        ocpp_cs.bearer = "another"
        assert summarize(client("CP")) == "ServerRefused unauthorized"
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
def test_without_a_token_the_list_contains_the_status_and_nothing_is_started(
    version: int, older: bool, charger: str, online: bool, expected: str
) -> None:
    with connected_charger(version, Behaviour("CP", online=online), older=older) as (client, point, _):
        assert summarize(client(charger, None, None)) == expected
        assert point.starts == []


def test_the_last_status_is_returned_for_its_own_connector_only() -> None:
    with connected_charger(2, Behaviour("CP", connectors=2, busy=frozenset({2}))) as (client, _, _):
        answer = client("CP", None, None)
        assert isinstance(answer, Answer)
        assert (answer.status, answer.connector_id, answer.error_code) == ("Charging", 2, "NoError")
        assert summarize(client("CP", None, 1)) == "OutcomeUnknown no-status"
