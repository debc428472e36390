"""A deadline bounds the look-up of a host's name, and all the addresses that it has, together."""

from __future__ import annotations

import socket
from contextlib import closing
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from charger_link import ServerRefused
from charger_link.secrets import Secrets
from common.aws.credentials import Credentials
from common.journal import DynamoDB, JournalUnavailable
from common.transport import Deadline, NotConnected, connect, resolver
from local.table import REGION
from tests.integration.misbehaving import Misbehaving, responds_with
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 20.0  # seconds after which a look-up without a limit ends
HOST = "table.test"


class NameService:
    """Replaces `socket.getaddrinfo`. Returns `addresses` at once or, if it hangs, when the test releases it."""

    def __init__(self) -> None:
        self.addresses: list[tuple[str, int]] = []
        self.hangs = False
        self.release = Event()
        self.lookups = 0
        self.answered_late = 0

    def __call__(self, *_: Any, **__: Any) -> list[Any]:
        self.lookups += 1
        if self.hangs:
            self.release.wait(TIMEOUT)
            self.answered_late += 1
        if not self.addresses:
            raise socket.gaierror(socket.EAI_AGAIN, "again")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in self.addresses]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameService]:
    """Replace the resolver, because a test cannot delay the real one."""
    names = NameService()
    monkeypatch.setattr(socket, "getaddrinfo", names)
    monkeypatch.setattr(resolver, "_known", {})
    yield names
    names.release.set()
    eventually(lambda: not resolver._running)


@pytest.fixture
def dead() -> Iterator[tuple[str, int]]:
    """Return an address that never answers a SYN."""
    listener = Misbehaving(responds_with(), accepting=False)
    fillers = []
    for _ in range(8):
        filler = socket.socket()
        filler.settimeout(0.1)
        fillers.append(filler)
        try:
            filler.connect(("127.0.0.1", listener.port))
        except TimeoutError:
            break
    yield ("127.0.0.1", listener.port)
    for filler in fillers:
        filler.close()
    listener.close()


def reached(port: int, seconds: float = 5.0) -> bool:
    try:
        connection = connect(HOST, port, HOST, Deadline.after(seconds))
    except NotConnected:
        return False
    connection.close()
    return True


def test_a_name_service_that_hangs_ends_at_the_deadline(names: NameService) -> None:
    names.hangs = True
    with pytest.raises(NotConnected, match="timeout"):
        connect(HOST, 80, HOST, Deadline.after(0.2))
    assert names.answered_late == 0


def test_all_wait_for_one_look_up(names: NameService) -> None:
    names.hangs = True
    for _ in range(5):
        assert not reached(80, 0.05)
    assert names.lookups == 1


def test_what_a_late_look_up_found_is_used_by_the_next(names: NameService, server: Misbehaving) -> None:
    names.hangs, names.addresses = True, [("127.0.0.1", server.port)]
    assert not reached(server.port, 0.05)
    names.release.set()
    assert reached(server.port)
    assert names.lookups <= 2


@pytest.mark.parametrize("failure", ["hangs", "fails"])
def test_the_addresses_found_last_are_kept(failure: str, names: NameService, server: Misbehaving) -> None:
    names.addresses = [("127.0.0.1", server.port)]
    assert reached(server.port)
    if failure == "hangs":
        names.hangs = True
    else:
        names.addresses = []
    assert reached(server.port, 1.0)
    assert names.answered_late == 0


def test_a_name_that_moved_is_followed(names: NameService, server: Misbehaving) -> None:
    with closing(Misbehaving(responds_with())) as other:
        names.addresses = [("127.0.0.1", server.port)]
        assert reached(server.port)
        names.addresses = [("127.0.0.1", other.port)]
        assert reached(server.port)
        other.catch_up()
        assert other.connections >= 1


@pytest.mark.parametrize("literal", ["127.0.0.1", "::1"])
def test_an_ip_literal_is_never_looked_up(literal: str, names: NameService) -> None:
    with closing(Misbehaving(responds_with(), host=literal)) as server:
        connect(literal, server.port, literal, Deadline.after(5)).close()
    assert names.lookups == 0


def test_three_addresses_that_do_not_answer_end_at_one_deadline(
    names: NameService, dead: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All attempts to connect together have the time until the deadline."""
    names.addresses = [dead, dead, dead]
    given: list[float] = []

    class Counted(socket.socket):
        def settimeout(self, seconds: float | None) -> None:
            given.append(seconds or 0.0)
            super().settimeout(seconds)

    monkeypatch.setattr(socket, "socket", Counted)
    with pytest.raises(NotConnected, match="timeout"):
        connect(HOST, dead[1], HOST, Deadline.after(0.4))
    assert len(given) == 3
    assert sum(given) <= 0.4 + 0.01, "half, half of the rest, the rest"


def test_one_that_does_not_answer_leaves_time_for_the_next(
    names: NameService, dead: tuple[str, int], server: Misbehaving
) -> None:
    names.addresses = [dead, ("127.0.0.1", server.port)]
    assert reached(dead[1], 1.0)


def test_refused_ones_cost_nothing(names: NameService, server: Misbehaving) -> None:
    names.addresses = [("127.0.0.1", 1), ("127.0.0.1", 1), ("127.0.0.1", server.port)]
    assert reached(1)
    names.addresses = [("127.0.0.1", 1)]
    with pytest.raises(NotConnected, match="refused"):
        connect(HOST, 1, HOST, Deadline.after(5))


def test_a_call_of_the_table_ends_at_its_deadline(names: NameService) -> None:
    names.hangs = True
    table = DynamoDB(f"http://{HOST}:8000", REGION, lambda: Credentials("local", "local", None))
    with pytest.raises(JournalUnavailable):
        table.call("GetItem", {}, Deadline.after(0.3))
    assert (names.lookups, names.answered_late) == (1, 0)


def test_a_read_of_a_secret_ends_at_its_deadline(names: NameService) -> None:
    environ = {
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": f"http://{HOST}:8000",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    names.hangs = True
    with pytest.raises(ServerRefused):
        Secrets.of(None, environ).headers("name", Deadline.after(0.3))
    assert (names.lookups, names.answered_late) == (1, 0)
