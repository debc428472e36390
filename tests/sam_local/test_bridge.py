"""The address of Docker's bridge is read from Docker's output, and must be an address of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from local import bridge, template
from local.bridge import NoBridge

if TYPE_CHECKING:
    from pathlib import Path

ROOT = template.PATH.parent


def inspected(config: list[dict[str, str]] | None, interface: str = "docker0") -> str:
    """Return the fields of `docker network inspect bridge` that are read."""
    network: dict[str, Any] = {
        "Name": "bridge",
        "Driver": "bridge",
        "IPAM": {"Driver": "default", "Options": None, "Config": config},
        "Options": {"com.docker.network.bridge.name": interface},
    }
    return json.dumps([network])


def test_the_gateway_is_the_address() -> None:
    config = [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]
    assert bridge.read_address(inspected(config)) == "172.17.0.1"


def test_the_ipv4_address_is_used_if_there_are_two() -> None:
    config = [{"Subnet": "fd00::/64", "Gateway": "fd00::1"}, {"Subnet": "10.1.0.0/16", "Gateway": "10.1.0.1"}]
    assert bridge.read_address(inspected(config)) == "10.1.0.1"


def test_without_a_gateway_the_address_of_the_interface_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "_address_of_interface", {"docker7": "172.20.0.1"}.get)
    assert bridge.read_address(inspected([{"Subnet": "172.20.0.0/16"}], "docker7")) == "172.20.0.1"


@pytest.mark.skipif(sys.platform != "linux", reason="the request is Linux's")
def test_an_interface_has_its_address() -> None:
    assert bridge._address_of_interface("lo") == "127.0.0.1"
    assert bridge._address_of_interface("no-such-interface") == ""


@pytest.mark.parametrize("gateway", ["0.0.0.0", "127.0.0.1", "8.8.8.8", "fd00::1", "nonsense"])
def test_only_a_private_address_is_accepted(gateway: str) -> None:
    with pytest.raises(NoBridge):
        bridge.read_address(inspected([{"Gateway": gateway}], "no-such-interface"))


@pytest.mark.parametrize("output", ["", "[]", "{}", "[{}]", inspected(None, "no-such-interface")])
def test_an_output_without_an_address_is_an_error(output: str) -> None:
    with pytest.raises(NoBridge):
        bridge.read_address(output)


def test_an_address_of_another_machine_is_rejected() -> None:
    with pytest.raises(NoBridge, match="not an address of this machine"):
        bridge._check_own("192.0.2.77")


def without_docker(folder: Path, **settings: str) -> dict[str, str]:
    """An environment without a responding Docker."""
    settings = {"SAM_LOCAL_STATE": str(folder / "state.json")} | settings
    return os.environ | {"DOCKER_HOST": f"unix://{folder}/no.sock"} | settings


def python(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=without_docker(folder, **settings),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_make_invoke_names_all_that_is_missing(tmp_path: Path) -> None:
    ended = python(tmp_path, "-m", "local.invoke", "events/json/accepted.json", PATH=str(tmp_path))
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "docker is not installed" in ended.stderr
    assert "make run SAM_LOCAL=1" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "name an event: make invoke EVENT="),
        ([""], "name an event: make invoke EVENT="),
        (["events/none.json"], "events/none.json: No such file"),
        (["events/README.md"], "is not JSON"),
        (["events/env.json"], "no route of template.yaml"),
    ],
)
def test_make_invoke_reports_what_is_wrong_with_the_event(
    tmp_path: Path, arguments: list[str], text: str
) -> None:
    ended = python(tmp_path, "-m", "local.invoke", *arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert text in ended.stderr


def test_make_run_needs_docker_for_it(tmp_path: Path) -> None:
    ended = python(tmp_path, "-m", "local", SAM_LOCAL="1", PATH=str(tmp_path))
    assert ended.returncode == 1
    assert "cannot start: SAM_LOCAL=1 needs Docker, and docker is not installed" in ended.stderr


def test_sam_local_is_on_or_off(tmp_path: Path) -> None:
    ended = python(tmp_path, "-m", "local", SAM_LOCAL="yes")
    assert ended.returncode == 2
    assert "'yes' is neither 1 nor 0" in ended.stderr
