"""Each response of OCPP.Core and its outcome, through the link."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from charger_link import Answer
from local.chargers import Behaviour, Reaction
from local.simulators import OcppCore
from local.simulators.ocpp_core import NOT_ELIGIBLE
from tests.integration.dialects.link_client import (
    LONG_TOKEN,
    LinkClient,
    running_simulator,
    starts,
    summarize,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.chargers import ChargePoint
    from local.simulators import Simulator

TIMEOUT = 0.5
IN_USE = "IN-USE"
OFFLINE = "offline Unavailable unknown-or-not-connected"


@pytest.fixture
def behaviours() -> list[Behaviour]:
    return [
        Behaviour("accepts", connectors=2, busy=frozenset({2})),
        Behaviour("of 2.0.1", version="2.0.1"),
        Behaviour("rejects", reaction=Reaction.REJECT),
        Behaviour("cannot", reaction=Reaction.NOT_SUPPORTED),
        Behaviour("fails", reaction=Reaction.FAIL),
        Behaviour("breaks off", reaction=Reaction.DROP),
        Behaviour("silent", reaction=Reaction.SILENT),
        Behaviour("throws"),
        Behaviour("without status", connectors=0),
        Behaviour("offline", online=False),
    ]


@pytest.fixture
def running(behaviours: list[Behaviour]) -> Iterator[tuple[Simulator, dict[str, ChargePoint]]]:
    with running_simulator(
        OcppCore("key", TIMEOUT, failing_chargers=["throws"], tokens_in_use=[IN_USE]), *behaviours
    ) as running:
        yield running


@pytest.fixture
def simulator(running: tuple[Simulator, dict[str, ChargePoint]]) -> Simulator:
    return running[0]


@pytest.fixture
def points(running: tuple[Simulator, dict[str, ChargePoint]]) -> dict[str, ChargePoint]:
    return running[1]


@pytest.fixture
def connect(simulator: Simulator) -> LinkClient:
    return LinkClient(simulator, "ocpp-core", lambda: {"apiKey": "key"})


@pytest.mark.parametrize(
    ("charger", "token", "expected", "received"),
    [
        ("accepts", "TAG1", "accepted Accepted null", 1),
        ("of 2.0.1", "TAG 1 ü%2F?", "accepted Accepted null", 1),
        ("of 2.0.1", "TAG/1", "rejected Rejected not-supported a slash in a token", 0),
        ("of 2.0.1", ".", "rejected Rejected not-supported a token of dots only", 0),
        ("accepts", "..", "rejected Rejected not-supported a token of dots only", 0),
        ("..", "TAG1", "rejected Rejected not-supported a token of dots only", 0),
        ("accepts", "...", "accepted Accepted null", 1),
        ("accepts", IN_USE, "rejected Rejected null", 0),
        ("of 2.0.1", IN_USE, "accepted Accepted null", 1),
        ("of 2.0.1", LONG_TOKEN, "accepted Accepted null", 1),
        ("rejects", "TAG1", "rejected Rejected null", 1),
        ("accepts", NOT_ELIGIBLE, "rejected Rejected null", 0),
        ("cannot", "TAG1", "OutcomeUnknown charger-silent", 1),
        ("fails", "TAG1", "OutcomeUnknown charger-silent", 1),
        ("breaks off", "TAG1", "OutcomeUnknown charger-silent", 1),
        ("silent", "TAG1", "OutcomeUnknown charger-silent", 1),
        ("throws", "TAG1", "OutcomeUnknown http-500", 0),
        ("offline", "TAG1", OFFLINE, 0),
        ("unknown", "TAG1", OFFLINE, 0),
        ("unknown", LONG_TOKEN, OFFLINE, 0),
        ("accepts", LONG_TOKEN, "rejected Rejected token-too-long", 0),
    ],
)
def test_every_answer_has_its_outcome(
    connect: LinkClient,
    points: dict[str, ChargePoint],
    charger: str,
    token: str,
    expected: str,
    received: int,
) -> None:
    assert summarize(connect(charger, token)) == expected
    assert starts(points) == [(charger, 1, token)] * received


def test_a_charger_of_201_receives_remote_start_id_0_and_the_servers_own_token_type(
    connect: LinkClient, points: dict[str, ChargePoint]
) -> None:
    connect("of 2.0.1")
    point = points["of 2.0.1"]
    (sent,) = (
        one.payload for one in point.messages if (one.action, one.kind) == ("RequestStartTransaction", "call")
    )
    token = {"idToken": "TAG1", "type": "ISO14443"}
    assert sent == {"idToken": token, "evseId": 1, "remoteStartId": 0}


@pytest.mark.parametrize(
    ("charger", "connector", "expected", "expected_connector"),
    [
        ("accepts", None, "status Available null", 1),
        ("accepts", 1, "status Available null", 1),
        ("accepts", 2, "status Occupied null", 2),
        ("accepts", 3, "OutcomeUnknown no-status", None),
        ("without status", None, "OutcomeUnknown no-status", None),
        ("offline", None, OFFLINE, 0),
        ("unknown", 2, OFFLINE, 2),
    ],
)
def test_without_a_token_the_list_contains_the_status_and_nothing_is_started(
    connect: LinkClient,
    points: dict[str, ChargePoint],
    charger: str,
    connector: int | None,
    expected: str,
    expected_connector: int | None,
) -> None:
    answer = connect(charger, None, connector)
    assert summarize(answer) == expected
    assert (answer.connector_id if isinstance(answer, Answer) else None) == expected_connector
    assert starts(points) == []


@pytest.mark.parametrize("token", ["TAG1", LONG_TOKEN, None])
def test_a_wrong_key_is_server_refused(
    simulator: Simulator, points: dict[str, ChargePoint], token: str | None
) -> None:
    connect = LinkClient(simulator, "ocpp_core", lambda: {"apiKey": "wrong"})
    assert summarize(connect("accepts", token)) == "ServerRefused unauthorized"
    assert starts(points) == []


def test_if_the_list_before_a_start_is_missing_nothing_is_sent(connect: LinkClient) -> None:
    assert summarize(connect("of 2.0.1", LONG_TOKEN, basePath="/elsewhere")) == "ServerFailed no-list"
