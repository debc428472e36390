"""The link finds, reads and stops the charges of real charge points, at the local native server and at the simulators."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from charger_link import Answer, Circuits, Command, Found, Link, LinkServers, Outcome, Published, Stop
from charger_link.secrets import Secrets
from common.transport import Deadline
from local.chargers import Behaviour, ChargePoint, charging
from local.csms import Options, serving
from local.running import in_thread
from local.simulators import CitrineOS, Steve
from tests.integration.dialects.link_client import running_simulator
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.remote_start.transaction import Transaction


class Site:
    """A link to one server, and the command of one start at its charge point."""

    def __init__(self, port: int, dialect: str, **entry: Any) -> None:
        self.link = Link(Circuits(), Secrets.of(None))
        entries = [{"network": "127.0.0.0/8", "ports": [port], "scheme": "http", "dialect": dialect, **entry}]
        server = LinkServers.parse(json.dumps(entries)).find("127.0.0.1", port)
        url = "http://127.0.0.1:9/x"
        self.command = Command(str(uuid4()), "CP", "TAG1", 1, server, callback_url=url)

    def start(self) -> Answer | Published:
        return self.link.connect(self.command, Deadline.after(20))

    def find(self) -> Found:
        now = time.time()
        command = self.command._replace(token=None)
        found = self.link.find(command, now - 60, now + 60, Deadline.after(20))
        assert found is not None
        return found

    def stop(self, transaction: Transaction | None = None) -> Stop | Published | None:
        return self.link.stop(self.command._replace(token=None), transaction, Deadline.after(20))


def one_of(find: Callable[[], Found]) -> Transaction:
    """Return the only transaction that is found, once there is one."""
    transactions: tuple[Transaction, ...] = eventually(lambda: find().transactions)
    (transaction,) = transactions
    return transaction


def charge(point: ChargePoint) -> Any:
    (own,) = point.transactions
    return own


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_native_charge_is_found_and_stopped_by_the_id_of_its_start(version: str) -> None:
    behaviour = Behaviour("CP", version=version, charge_seconds=60)
    with (
        in_thread(serving(Options(known=("CP",)))) as csms,
        in_thread(charging([behaviour], csms.ocpp_url)) as points,
    ):
        site = Site(int(csms.rest_url.rpartition(":")[2].strip("/")), "native")
        eventually(lambda: _starts(site))
        transaction = one_of(site.find)
        found = site.find()
        assert found.exact
        assert found.answer is not None
        assert found.answer.outcome is Outcome.ACCEPTED
        assert (transaction.id, transaction.stopped_at) == (points["CP"].id_of(charge(points["CP"])), None)
        stopped = site.stop()
        assert isinstance(stopped, Stop)
        assert (stopped.status, stopped.info, stopped.cancelled) == ("Accepted", None, True)
        assert eventually(lambda: one_of(site.find).stopped_at)
        again = site.stop()
        assert isinstance(again, Stop)
        assert (again.status, again.info) == ("Accepted", "already-stopped")
        answer = site.start()
        assert isinstance(answer, Answer)
        assert answer.outcome is Outcome.CANCELLED
        assert len(points["CP"].starts) == 1


def _starts(site: Site) -> bool:
    answer = site.start()
    return isinstance(answer, Answer) and answer.outcome is Outcome.ACCEPTED


def test_an_id_that_was_stopped_first_is_not_started() -> None:
    with (
        in_thread(serving(Options(known=("CP",)))) as csms,
        in_thread(charging([Behaviour("CP")], csms.ocpp_url)) as points,
    ):
        site = Site(int(csms.rest_url.rpartition(":")[2].strip("/")), "native")
        assert site.find() == Found(exact=True)
        stopped = site.stop()
        assert isinstance(stopped, Stop)
        assert (stopped.status, stopped.info, stopped.cancelled) == ("Accepted", "nothing-started", True)
        answer = site.start()
        assert isinstance(answer, Answer)
        assert answer.outcome is Outcome.CANCELLED
        assert points["CP"].starts == []


def test_a_charge_at_steve_is_found_by_charger_and_time_and_stopped_by_its_transaction() -> None:
    with running_simulator(Steve(), Behaviour("CP", charge_seconds=60)) as (simulator, points):
        site = Site(simulator.port, "steve")
        assert site.find() == Found()
        assert _starts(site)
        transaction = one_of(site.find)
        assert (transaction.charger_id, transaction.token, transaction.connector) == ("CP", "TAG1", 1)
        assert transaction.started_at == pytest.approx(time.time(), abs=30)
        read = site.link.read_transaction(site.command, transaction.id, Deadline.after(20))
        assert read == transaction
        assert site.stop(transaction) == Stop("Accepted")
        assert eventually(lambda: one_of(site.find).stopped_at)
        assert site.stop(transaction) == Stop("Accepted", "already-stopped")
        assert site.stop(transaction._replace(id="99")) == Stop("Rejected")
        assert charge(points["CP"]).stopped_at is not None


def test_a_charge_at_citrineos_is_read_and_stopped_by_the_transaction_of_its_station() -> None:
    behaviour = Behaviour("CP", version="2.0.1", charge_seconds=60)
    with running_simulator(CitrineOS(), behaviour) as (simulator, points):
        site = Site(simulator.port, "citrineos")
        assert site.start() == Published()
        eventually(lambda: points["CP"].transactions)
        id_ = eventually(lambda: points["CP"].id_of(charge(points["CP"])))

        def read() -> Transaction | None:
            return site.link.read_transaction(site.command, id_, Deadline.after(20))

        transaction = eventually(read)
        assert (transaction.id, transaction.charger_id, transaction.stopped_at) == (id_, "CP", None)
        assert transaction.started_at == pytest.approx(time.time(), abs=30)
        assert site.stop(transaction) == Published()
        assert eventually(lambda: (now := read()) and now.stopped_at)
        assert charge(points["CP"]).stopped_at is not None
