"""A rejection that the local server makes without a call to the charger is recorded under the id, and is final."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from local.chargers import Behaviour, charging
from local.csms import Options, serving
from local.running import in_thread
from tests.integration.csms.client import Rest
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.csms.conftest import type_of_plug

LONG = "T" * 21
REJECTED = (200, "Rejected")


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(database=str(tmp_path / "csms.db"))


def test_a_repeated_request_is_rejected_even_if_the_charger_could_accept_the_token_now(
    rest: Rest, plug: type_of_plug, options: Options
) -> None:
    key = str(uuid4())
    old = plug(Behaviour("CP", version="1.6"))
    assert rest.connect("CP", LONG, key).outcome == REJECTED
    new = plug(Behaviour("CP", version="2.0.1"))
    assert eventually(lambda: rest.connect("CP", LONG).outcome == (200, "Accepted"))
    reply = rest.connect("CP", LONG, key)
    assert (reply.outcome, reply.body["info"]) == (REJECTED, "token-too-long")
    assert (len(old.starts), [start.token for start in new.starts].count(LONG)) == (0, len(new.starts))


def test_a_rejection_survives_a_restart(options: Options) -> None:
    key = str(uuid4())
    for version in ("1.6", "2.0.1"):
        with (
            in_thread(serving(options)) as csms,
            in_thread(charging([Behaviour("CP", version=version)], csms.ocpp_url)) as points,
        ):
            rest = Rest(csms.rest_url)
            eventually(lambda: rest.status("CP").outcome == (200, "Available"))  # noqa: B023
            reply = rest.connect("CP", LONG, key)
            assert (reply.outcome, reply.body["info"]) == (REJECTED, "token-too-long")
            assert points["CP"].starts == []


def test_another_token_under_the_id_is_still_refused(rest: Rest, plug: type_of_plug) -> None:
    plug(Behaviour("CP"))
    key = str(uuid4())
    assert rest.connect("CP", LONG, key).outcome == REJECTED
    assert rest.connect("CP", "TAG", key).outcome == (409, "id-reused")
