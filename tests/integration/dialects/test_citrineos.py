"""Each response of CitrineOS and its outcome, through the whole service. Real charge points count the starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from charger_link import Published
from charger_link.dialects import citrineos as dialect
from local.chargers import Behaviour, Reaction
from local.running import in_thread
from local.simulators import CitrineOS, serving_simulator
from local.simulators.citrineos import CIRCUIT_BREAKER
from tests.integration.dialects.deployed import deployed
from tests.integration.dialects.link_client import LONG_TOKEN, LinkClient, summarize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.server import Request, Response
    from local.simulators import Simulator
    from local.table import TableServer

OFFLINE = {"status": "Unavailable", "info": "unknown-or-not-connected"}


@pytest.fixture(autouse=True)
def _no_versions_known() -> None:
    dialect._versions.clear()


@pytest.mark.parametrize(
    ("behaviour", "changes", "status", "expected", "state", "starts"),
    [
        ({}, {}, 200, {"status": "Accepted", "info": None}, "completed", 1),
        ({"version": "2.0.1"}, {}, 200, {"status": "Accepted", "info": None}, "completed", 1),
        (
            {"reaction": Reaction.REJECT},
            {},
            200,
            {"status": "Rejected", "info": "charger-refused"},
            "completed",
            1,
        ),
        (
            {"reaction": Reaction.NOT_SUPPORTED},
            {},
            200,
            {"status": "Rejected", "info": "not-supported NotSupported"},
            "completed",
            1,
        ),
        ({"reaction": Reaction.FAIL}, {}, 504, {"outcome": "unknown"}, "unknown", 1),
        ({"reaction": Reaction.SILENT}, {}, 504, {"outcome": "unknown"}, "unknown", 1),
        ({"reaction": Reaction.DROP}, {}, 504, {"outcome": "unknown"}, "unknown", 1),
        ({"online": False}, {}, 200, OFFLINE, "failed", 0),
        ({}, {"chargerId": "NOPE"}, 200, OFFLINE, "failed", 0),
        (
            {},
            {"tokenId": LONG_TOKEN},
            200,
            {"status": "Rejected", "info": "token-too-long"},
            "failed",
            0,
        ),
        ({"version": "2.0.1"}, {"tokenId": LONG_TOKEN}, 200, {"status": "Accepted"}, "completed", 1),
        ({}, {"tokenId": None}, 422, {"type": "/problems/status-not-available"}, "failed", 0),
    ],
)
def test_every_answer_has_its_outcome(
    table: TableServer,
    behaviour: dict[str, Any],
    changes: dict[str, Any],
    status: int,
    expected: dict[str, Any],
    state: str,
    starts: int,
) -> None:
    with deployed(table, [Behaviour("CP", **behaviour)], LINK_TIMEOUT="1.5") as stack:
        members = stack.request("CP", **changes)
        reply = stack.caller.post(members)
        assert (reply.status, {name: reply.body[name] for name in expected}) == (status, expected)
        assert stack.state(members["id"])[0] == state
        assert [start.token for start in stack.points["CP"].starts] == [members["tokenId"]] * starts


def test_the_start_contains_charger_connector_and_the_attempts_remote_start_id(table: TableServer) -> None:
    with deployed(table, [Behaviour("ä/1"), Behaviour("CP", version="2.0.1", connectors=3)]) as stack:
        members = stack.request("CP")
        reply = stack.caller.post(members, connector="3")
        (start,) = stack.points["CP"].starts
        assert (start.connector, reply.body["connectorId"]) == (3, 3)
        assert start.remoteStartId == stack.caller.get(members["id"]).body["remoteStartId"]
        assert stack.start("ä/1").body["connectorId"] == 1
        assert [start.connector for start in stack.points["ä/1"].starts] == [1]


@pytest.mark.parametrize(
    "error", ["RabbitMQ is down: cannot unsubscribe.", "Channel closed", CIRCUIT_BREAKER]
)
@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_while_its_message_broker_is_down_nothing_is_sent_and_the_same_id_starts_later(
    table: TableServer, version: str, error: str
) -> None:
    with deployed(table, [Behaviour("CP", version=version)], LINK_TIMEOUT="5") as stack:
        stack.citrineos.broker_error = error
        members = stack.request("CP")
        answer = stack.caller.post(members)
        assert (answer.status, answer.problem, answer.outcome) == (503, "server-busy", "not-started")
        assert answer.headers["Retry-After"] == "5"
        assert stack.state(members["id"])[0] == "failed"
        stack.citrineos.broker_error = ""
        assert stack.caller.post(members).body["status"] == "Accepted"
        assert len(stack.points["CP"].starts) == 1


def test_a_start_that_is_queued_for_a_slow_broker_is_published(table: TableServer) -> None:
    with deployed(table, [Behaviour("CP")], LINK_TIMEOUT="5") as stack:
        stack.citrineos.congested = True
        assert stack.start("CP").body["status"] == "Accepted"
        assert len(stack.points["CP"].starts) == 1


class RecordingCitrineOS(CitrineOS):
    """Records the OCPP version in the path of each request."""

    def __init__(self) -> None:
        super().__init__()
        self.versions: list[str] = []

    async def respond(self, request: Request) -> Response:
        self.versions.append(urlsplit(request.target).path.split("/")[2])
        return await super().respond(request)


@pytest.fixture
def recording() -> RecordingCitrineOS:
    return RecordingCitrineOS()


@pytest.fixture
def simulator(recording: RecordingCitrineOS) -> Iterator[Simulator]:
    with in_thread(serving_simulator(recording)) as simulator:
        yield simulator


def test_a_chargers_version_is_determined_once(table: TableServer, recording: RecordingCitrineOS) -> None:
    chargers = [Behaviour("CP", version="2.0.1"), Behaviour("CP-16")]
    with deployed(table, chargers, recording) as stack:
        for _ in range(3):
            stack.points["CP"].behaviour.charge_seconds = 0
            stack.start("CP")
        assert recording.versions == ["1.6", "2.0.1", "2.0.1", "2.0.1"]
        stack.start("CP-16")
        assert recording.versions[4:] == ["1.6"]
        stack.start("CP-16", tokenId=LONG_TOKEN)
        stack.start("CP-16")
        assert recording.versions[5:] == ["2.0.1", "1.6"]


def test_the_version_of_a_charger_that_has_changed_is_determined_again(
    table: TableServer, recording: RecordingCitrineOS
) -> None:
    with deployed(table, [Behaviour("CP")], recording) as stack:
        dialect._versions[f"127.0.0.1:{stack.simulator.port}", "CP"] = "2.0.1"
        assert stack.start("CP").body["status"] == "Accepted"
        assert recording.versions == ["2.0.1", "1.6"]


def test_the_number_of_stored_versions_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialect, "_MAX_VERSIONS", 3)
    for number in range(10):
        server = type("Server", (), {"name": "10.0.0.5:8080"})
        dialect._remember(type("Command", (), {"server": server, "charger_id": f"CP-{number}"}), "1.6")  # type: ignore[arg-type]
        assert ("10.0.0.5:8080", f"CP-{number}") in dialect._versions
        assert len(dialect._versions) <= 3


def test_a_bearer_token_is_sent_and_a_wrong_one_is_server_refused(
    recording: RecordingCitrineOS, simulator: Simulator
) -> None:
    recording.bearer = "json.web.token"
    assert summarize(
        LinkClient(simulator, "citrineos", lambda: {"bearer": "json.web.token"})("CP")
    ).startswith("offline")
    assert (
        summarize(LinkClient(simulator, "citrineos", lambda: {"bearer": "old"})("CP"))
        == "ServerRefused unauthorized"
    )


def test_published_is_not_an_answer() -> None:
    assert not hasattr(Published(), "outcome")
