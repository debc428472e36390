"""Access by network: the caller's name, which must be the same in a repeated request."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from authorizer.handler import respond
from common.settings import SettingsError
from common.settings.access import AccessSettings
from tests.integration.calling import Caller, Context, request
from tests.integration.misbehaving import Misbehaving
from tests.operations.conftest import captured_lines

ROOT = Path(__file__).parents[2]
CONNECT = "ANY /api/v1/ocpp/charger-connect"


def find_caller(source: str, sources: str, readers: str = "", route: str = CONNECT) -> str | None:
    """Return the caller's name for a source address with these settings, or None if it is rejected."""
    settings = AccessSettings.read({"ALLOWED_SOURCES": sources, "ALLOWED_READERS": readers})
    event: dict[str, Any] = {"routeKey": route, "requestContext": {"http": {"sourceIp": source}}}
    with captured_lines():
        answer = respond(event, Context(5.0), settings)
    return answer["context"]["caller"] if answer["isAuthorized"] else None


def both_orders(sources: str) -> list[str]:
    """Return the list and the reversed list: the order of the entries has no effect."""
    return [sources, ",".join(reversed(sources.split(",")))]


@pytest.mark.parametrize(
    "sources", both_orders("203.0.113.0/24,203.0.113.16/28,203.0.113.17/32,2001:db8::/48")
)
@pytest.mark.parametrize(
    ("source", "caller"),
    [
        ("203.0.113.1", "network:203.0.113.0/24"),
        ("203.0.113.18", "network:203.0.113.16/28"),
        ("203.0.113.17", "network:203.0.113.17/32"),
        ("2001:db8::7", "network:2001:db8::/48"),
        ("203.0.114.1", None),
    ],
)
def test_without_names_callers_have_the_same_name_as_in_version_1_0(
    sources: str, source: str, caller: str | None
) -> None:
    assert find_caller(source, sources) == caller


@pytest.mark.parametrize(
    "sources",
    [
        *both_orders("office=203.0.113.0/24,203.0.113.16/28"),
        *both_orders("office=203.0.113.0/24,kiosk=203.0.113.16/28"),
        *both_orders("office=203.0.113.0/24,kiosk=203.0.113.16/28,203.0.113.17/32"),
        *both_orders("office=203.0.113.16/28,office=203.0.113.17/32"),
        *both_orders("203.0.113.0/24,office=203.0.113.17/32"),
        *both_orders("203.0.0.0/16,office=203.0.113.0/24"),
    ],
)
def test_a_named_network_keeps_its_caller_after_a_narrower_or_unnamed_one_is_added(sources: str) -> None:
    assert find_caller("203.0.113.17", sources) == "network:office"


def test_several_networks_with_one_name_are_one_caller() -> None:
    sources = "office=203.0.113.0/28,office=198.51.100.0/28,office=2001:db8::/48"
    assert {find_caller(source, sources) for source in ("203.0.113.1", "198.51.100.1", "2001:db8::1")} == {
        "network:office"
    }


def test_a_network_that_is_split_keeps_its_caller_under_the_old_name() -> None:
    before = find_caller("203.0.113.17", "203.0.113.0/24")
    split = "203.0.113.0/24=203.0.113.0/28,203.0.113.0/24=203.0.113.16/28"
    assert find_caller("203.0.113.17", split) == before == "network:203.0.113.0/24"
    assert find_caller("203.0.113.32", split) is None


def test_readers_have_names_too() -> None:
    route = "GET /api/v1/ocpp/chargers/{chargerId}/attempts"
    assert (
        find_caller("198.51.100.7", "203.0.113.0/24", "support=198.51.100.0/28", route) == "network:support"
    )


@pytest.mark.parametrize(
    "sources",
    [
        "=203.0.113.0/24",
        "a b=203.0.113.0/24",
        "a=b=203.0.113.0/24",
        "ö=203.0.113.0/24",
        '"=203.0.113.0/24',
        "-=203.0.113.0/24",
        f"{'x' * 65}=203.0.113.0/24",
        "203.0.113.0/24=office",
        "office=",
        "office=0.0.0.0/0",
        "office=10.0.0.0/8",
        "office=203.0.113.1/24",
        "office=203.0.113.0/24,kiosk=203.0.113.0/24",
    ],
)
def test_an_invalid_name_or_a_network_with_two_names_is_rejected(sources: str) -> None:
    with pytest.raises(SettingsError, match="ALLOWED_SOURCES"):
        AccessSettings.read({"ALLOWED_SOURCES": sources})


def test_a_repeat_is_replayed_after_a_narrower_network_was_added(caller: Caller, server: Misbehaving) -> None:
    members = request(server.port)
    first = find_caller("203.0.113.17", "office=203.0.113.0/24")
    later = find_caller("203.0.113.17", "office=203.0.113.0/24,203.0.113.16/28,kiosk=203.0.113.17/32")
    assert first is not None
    assert later is not None
    assert caller.post(members, caller=first).status == 200
    replayed = caller.post(members, caller=later)
    assert (replayed.status, replayed.headers["Idempotent-Replayed"]) == (200, "true")
    assert len(server.requests) == 1


def test_a_repeat_after_a_change_of_access_starts_nothing_and_points_to_the_attempt(
    caller: Caller, server: Misbehaving
) -> None:
    members = request(server.port)
    assert caller.post(members, caller="arn:aws:iam::000000000000:role/back-office").status == 200
    repeat = caller.post(members, caller="network:office")
    assert (repeat.status, repeat.problem) == (422, "id-reused")
    assert repeat.body["instance"].endswith(members["id"])
    assert repeat.body["detail"].startswith("Look at `instance`")
    assert "GUID" not in repeat.body["detail"]
    assert len(server.requests) == 1


def test_sam_forwards_names_unchanged() -> None:
    override = "AllowedSources=office=203.0.113.0/28,203.0.113.0/24=198.51.100.0/28"
    program = (
        "import json, sys; from samcli.cli.types import CfnParameterOverridesType as Overrides;"
        "print(json.dumps(Overrides().convert([sys.argv[1]], None, None)))"
    )
    command = [str(ROOT / ".venv-sam/bin/python"), "-c", program, override]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == {"AllowedSources": "office=203.0.113.0/28,203.0.113.0/24=198.51.100.0/28"}
