"""Each response of SteVe and its outcome, through the link."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from charger_link import Answer, LinkError
from local.chargers import Behaviour, Reaction
from local.simulators import Steve
from local.simulators.steve import NOT_ELIGIBLE
from tests.integration.calling import LOOPBACK, calling, request
from tests.integration.dialects.link_client import (
    LONG_TOKEN,
    LinkClient,
    running_simulator,
    starts,
    summarize,
)
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.chargers import ChargePoint
    from local.simulators import Simulator
    from local.table import TableServer

TIMEOUT = 0.5
NAMES = ("accepts", "a/b c#ü", "rejects", "cannot", "fails", "breaks off", "silent", "late", "offline")
REACTIONS = {
    "rejects": Reaction.REJECT,
    "cannot": Reaction.NOT_SUPPORTED,
    "fails": Reaction.FAIL,
    "breaks off": Reaction.DROP,
    "silent": Reaction.SILENT,
}


@pytest.fixture
def behaviours() -> list[Behaviour]:
    return [
        Behaviour(
            name,
            reaction=REACTIONS.get(name, Reaction.ACCEPT),
            delay=TIMEOUT + 1 if name == "late" else 0,
            online=name != "offline",
        )
        for name in NAMES
    ]


@pytest.fixture
def running(behaviours: list[Behaviour]) -> Iterator[tuple[Simulator, dict[str, ChargePoint]]]:
    with running_simulator(Steve("operator", "api password", TIMEOUT), *behaviours) as running:
        yield running


@pytest.fixture
def simulator(running: tuple[Simulator, dict[str, ChargePoint]]) -> Simulator:
    return running[0]


@pytest.fixture
def points(running: tuple[Simulator, dict[str, ChargePoint]]) -> dict[str, ChargePoint]:
    return running[1]


@pytest.fixture
def connect(simulator: Simulator) -> LinkClient:
    return LinkClient(simulator, "steve", lambda: {"username": "operator", "password": "api password"})


@pytest.mark.parametrize(
    ("charger", "token", "expected", "received"),
    [
        ("accepts", "TAG1", "accepted Accepted null", 1),
        ("a/b c#ü", "TAG1", "accepted Accepted null", 1),
        ("rejects", "TAG1", "rejected Rejected charger-refused", 1),
        ("cannot", "TAG1", "rejected Rejected not-supported NotSupported", 1),
        ("fails", "TAG1", "OutcomeUnknown call-error", 1),
        ("breaks off", "TAG1", "OutcomeUnknown charger-silent", 1),
        ("silent", "TAG1", "OutcomeUnknown charger-silent", 1),
        ("late", "TAG1", "OutcomeUnknown charger-silent", 1),
        ("offline", "TAG1", "offline Unavailable unknown-or-not-connected", 0),
        ("unknown", "TAG1", "offline Unavailable unknown-or-not-connected", 0),
        ("accepts", NOT_ELIGIBLE, "rejected Rejected token-refused", 0),
        ("accepts", LONG_TOKEN, "rejected Rejected token-too-long", 0),
        ("accepts", "not a tag", "rejected Rejected not-supported a character of the token", 0),
        ("accepts", None, "StatusNotAvailable status-not-available", 0),
    ],
)
def test_every_answer_has_its_outcome(
    connect: LinkClient,
    points: dict[str, ChargePoint],
    charger: str,
    token: str | None,
    expected: str,
    received: int,
) -> None:
    assert summarize(connect(charger, token)) == expected
    assert starts(points) == [(charger, 1, token)] * received


@pytest.mark.parametrize(("connector", "sent", "expected_connector"), [(1, 1, 1), (None, None, 0)])
def test_the_start_contains_charger_token_and_connector(
    connect: LinkClient,
    points: dict[str, ChargePoint],
    connector: int | None,
    sent: int | None,
    expected_connector: int,
) -> None:
    answer = connect("accepts", connector=connector)
    assert starts(points) == [("accepts", sent, "TAG1")]
    assert isinstance(answer, Answer)
    assert (answer.connector_id, answer.error_code) == (expected_connector, "NoError")


def test_after_a_wrong_password_the_secret_is_read_once_more_and_the_error_names_only_the_setting(
    simulator: Simulator, points: dict[str, ChargePoint]
) -> None:
    connect = LinkClient(simulator, "steve", lambda: {"username": "operator", "password": "old"})
    error = connect("accepts")
    assert summarize(error) == "ServerRefused unauthorized"
    assert isinstance(error, LinkError)
    assert "secret" in error.detail
    assert "old" not in error.detail.split()
    assert (connect.reads, starts(points)) == (2, [])


def test_a_changed_password_is_read_again_and_the_start_is_sent_once(
    simulator: Simulator, points: dict[str, ChargePoint]
) -> None:
    passwords = iter(["old", "api password"])
    connect = LinkClient(simulator, "steve", lambda: {"username": "operator", "password": next(passwords)})
    assert summarize(connect("accepts")) == "accepted Accepted null"
    assert summarize(connect("a/b c#ü")) == "accepted Accepted null"
    assert (connect.reads, len(starts(points))) == (2, 2)


def test_the_base_path_of_the_entry_is_used(connect: LinkClient) -> None:
    assert summarize(connect("accepts", basePath="/steve/api/v1")) == "accepted Accepted null"
    for wrong in ("/elsewhere", "/steve/api/v2"):  # SteVe's pages: 404 and 403
        error = connect("accepts", basePath=wrong)
        assert summarize(error) == "ServerFailed no-such-path"
        assert isinstance(error, LinkError)
        assert "basePath" in error.detail
        assert "3.11" in error.detail


def test_a_redirect_to_the_sign_in_page_is_reported_as_missing_credentials(
    simulator: Simulator, points: dict[str, ChargePoint]
) -> None:
    error = LinkClient(simulator, "steve")("accepts")
    assert summarize(error) == "ServerRefused no-credentials"
    assert isinstance(error, LinkError)
    assert "secret" in error.detail
    assert starts(points) == []


@pytest.mark.parametrize("as_text", [False, True])
def test_a_file_can_replace_secrets_manager_and_is_read_again_after_a_change(
    table: TableServer, simulator: Simulator, tmp_path: Path, as_text: bool
) -> None:
    def write(password: str) -> None:
        secret = {"username": "operator", "password": password}
        file.write_text(json.dumps({"steve": json.dumps(secret) if as_text else secret}))

    file = tmp_path / "secrets.json"
    write("old")
    entry = {**LOOPBACK, "dialect": "steve", "secret": "steve"}
    with calling(table, entry, LINK_SECRETS_FILE=str(file)) as caller:
        refused = caller.post(request(simulator.port, chargerId="accepts"))
        assert (refused.status, refused.problem, refused.outcome) == (502, "server-refused", "not-started")
        assert "old" not in json.dumps(refused.body).split()
        write("api password")
        assert caller.post(request(simulator.port, chargerId="accepts")).body["status"] == "Accepted"


def test_a_token_that_is_refused_while_the_database_fails_starts_later_with_the_same_id(
    table: TableServer,
) -> None:
    model = Steve(timeout=TIMEOUT)
    with (
        running_simulator(model, Behaviour("CP")) as (simulator, points),
        calling(table, {**LOOPBACK, "dialect": "steve"}) as caller,
    ):
        members = request(simulator.port, chargerId="CP", tokenId="TAG1")
        model.database_down = True
        refused = caller.post(members)
        assert (refused.outcome, refused.body["info"]) == ("rejected", "token-refused")
        assert caller.get(members["id"]).body["state"] == "failed"
        model.database_down = False
        assert caller.post(members).outcome == "accepted"
        assert caller.post(members).headers["Idempotent-Replayed"] == "true"
        assert starts(points) == [("CP", 1, "TAG1")]


def test_after_an_unknown_outcome_a_new_id_is_refused_while_the_charge_runs(
    table: TableServer,
) -> None:
    model = Steve(timeout=TIMEOUT, one_transaction_a_tag=True)
    with (
        running_simulator(model, Behaviour("CP", reaction=Reaction.DROP, charge_seconds=60)) as (
            simulator,
            points,
        ),
        calling(table, {**LOOPBACK, "dialect": "steve"}) as caller,
    ):
        members = request(simulator.port, chargerId="CP", tokenId="TAG1")
        assert caller.post(members).outcome == "unknown"
        eventually(lambda: model.transactions.is_in_use("TAG1"))
        refused = caller.post(request(simulator.port, chargerId="CP", tokenId="TAG1"))
        assert (refused.outcome, refused.body["info"]) == ("rejected", "token-refused")
        assert caller.post(members).outcome == "unknown"
        assert starts(points) == [("CP", 1, "TAG1")]
