"""Table and OCPP server listen on a second address if it is configured, with the same ports, and nowhere else."""

from __future__ import annotations

import json
import socket
import sys
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from local import sam_local
from local.csms import Options, serving
from local.running import in_thread
from local.sam_local import NoStack, Stack
from local.simulators import Steve, serving_simulator
from local.table import start_table
from tests.ports import free_ports

if TYPE_CHECKING:
    from pathlib import Path

# On Linux, every address of 127.0.0.0/8 belongs to the machine. One of them replaces the bridge's here.
EXTRA, OTHER = "127.0.0.2", "127.0.0.3"

linux = pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address by itself on Linux only")


def listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 5).close()
    except ConnectionRefusedError:
        return False
    return True


def where(port: int) -> list[str]:
    return [host for host in ("127.0.0.1", EXTRA, OTHER) if listens(host, port)]


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port
    return port


@linux
def test_the_table_listens_there_and_no_longer_once_closed() -> None:
    with closing(start_table(extra_hosts=[EXTRA])) as table:
        port = port_of(table.url)
        assert where(port) == ["127.0.0.1", EXTRA]
    assert where(port) == []


@linux
def test_the_ocpp_server_listens_there_with_both_ports() -> None:
    with in_thread(serving(Options(extra_hosts=(EXTRA,)))) as csms:
        ports = (csms.rest_port, csms.ocpp_port)
        assert [where(port) for port in ports] == [["127.0.0.1", EXTRA]] * 2
    assert [where(port) for port in ports] == [[], []]


@linux
def test_a_simulator_listens_there_with_both_ports() -> None:
    with in_thread(serving_simulator(Steve(), extra_hosts=[EXTRA])) as simulator:
        ports = (simulator.port, port_of(simulator.ocpp_url))
        assert [where(port) for port in ports] == [["127.0.0.1", EXTRA]] * 2


@linux
def test_a_port_in_use_there_leaves_nothing_listening() -> None:
    (port,) = free_ports(1)
    with closing(socket.create_server((EXTRA, port))):
        with pytest.raises(OSError, match="in use"):
            start_table(port=port, extra_hosts=[EXTRA])
        assert where(port) == [EXTRA]


def test_without_it_only_the_loopback_interface_is_served() -> None:
    with closing(start_table()) as table, in_thread(serving(Options())) as csms:
        for port in (port_of(table.url), csms.rest_port, csms.ocpp_port):
            assert where(port) == ["127.0.0.1"]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "folder/state.json"
    monkeypatch.setenv("SAM_LOCAL_STATE", str(path))
    return path


def a_stack(port: int, process: int = 1) -> Stack:
    return Stack(process, "127.0.0.1", port, 9080, {"TABLE_NAME": "attempts"})


def test_a_running_stack_is_found_until_it_ends(state: Path) -> None:
    with closing(start_table()) as table:
        stack = a_stack(port_of(table.url))
        with sam_local.published(stack):
            assert sam_local.running() == stack
        assert list(state.parent.iterdir()) == []
    with pytest.raises(NoStack, match="make run SAM_LOCAL=1"):
        sam_local.running()


def test_a_killed_stack_is_not_found(state: Path) -> None:
    (port,) = free_ports(1)
    with sam_local.published(a_stack(port)), pytest.raises(NoStack, match=f"127.0.0.1:{port}"):
        sam_local.running()


def test_the_end_of_a_stack_keeps_the_file_of_another(state: Path) -> None:
    with sam_local.published(a_stack(1, process=1)):
        state.write_text(json.dumps({"process": 2}))
    assert state.exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"process": 1}'])
def test_a_file_that_cannot_be_parsed_is_not_a_stack(state: Path, text: str) -> None:
    state.parent.mkdir()
    state.write_text(text)
    with pytest.raises(NoStack):
        sam_local.running()
