"""The remoteStartId that GET shows is the one that a charge point received with the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.chargers import Behaviour
from local.simulators import OcppCore, OcppCs, Steve
from tests.integration.calling import LOOPBACK, calling, request
from tests.integration.dialects.deployed import deployed
from tests.integration.dialects.link_client import running_simulator

if TYPE_CHECKING:
    from local.simulators.serving import Model
    from local.table import TableServer


def test_citrineos_forwards_it(table: TableServer) -> None:
    with deployed(table, [Behaviour("CP", version="2.0.1")]) as stack:
        members = stack.request("CP")
        stack.caller.post(members)
        (start,) = stack.points["CP"].starts
        assert start.remoteStartId is not None
        assert stack.caller.get(members["id"]).body["remoteStartId"] == start.remoteStartId
        assert "remoteStartId" not in stack.item(members["id"])


@pytest.mark.parametrize(
    ("dialect", "model", "version"),
    [
        ("steve", Steve(), "1.6"),
        ("ocpp-core", OcppCore(), "2.0.1"),
        ("ocpp-cs", OcppCs(1), "1.6"),
        ("ocpp-cs", OcppCs(2), "2.0.1"),
    ],
    ids=["steve", "ocpp-core", "ocpp-cs 1", "ocpp-cs 2"],
)
def test_none_is_shown_if_the_charge_point_may_receive_another_one(
    table: TableServer, dialect: str, model: Model, version: str
) -> None:
    with (
        running_simulator(model, Behaviour("CP", version=version)) as (simulator, points),
        calling(table, {**LOOPBACK, "dialect": dialect}) as caller,
    ):
        members = request(simulator.port, chargerId="CP")
        assert caller.post(members).outcome == "accepted"
        assert len(points["CP"].starts) == 1
        assert caller.get(members["id"]).body["remoteStartId"] is None
    (item,) = table.items()
    assert "remoteStartId" not in item
