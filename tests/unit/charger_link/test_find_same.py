"""`LinkServers.find_same`: a find or a stop goes to the server of the start, or to none."""

from __future__ import annotations

from typing import Any

import pytest

from charger_link import AddressNotAllowed, AddressUnusable
from tests.unit.charger_link.test_servers import servers

ENTRY: dict[str, Any] = {"network": "10.0.0.0/8", "dialect": "citrineos", "scheme": "http", "tenant": 7}
NAME = "10.0.0.5:8080"
URL = f"http://{NAME}"


def reason(
    name: str = NAME, url: str | None = URL, dialect: str | None = "citrineos", tenant: int | None = 7
) -> str:
    with pytest.raises(AddressNotAllowed) as error:
        servers(ENTRY).find_same(name, url, dialect, tenant)
    return error.value.reason


@pytest.mark.parametrize("tenant", [7, None])
@pytest.mark.parametrize("enabled", [True, False], ids=["enabled", "paused"])
def test_the_entry_that_describes_the_server_of_the_start_allows_it(
    enabled: bool, tenant: int | None
) -> None:
    server = servers({**ENTRY, "enabled": enabled}).find_same(NAME, URL, "citrineos", tenant)
    assert (server.name, server.url) == (NAME, URL)


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "https://10.0.0.5:8080"}, {"url": URL + "/base"}, {"url": "http://csms.example.com:8080"}, {"url": None},
        {"dialect": "steve"}, {"dialect": None}, {"dialect": "of-later"}, {"tenant": 8}, {"tenant": 0},
    ],
)  # fmt: skip
def test_an_entry_that_describes_another_server_does_not(changes: dict[str, Any]) -> None:
    assert reason(**changes) == "entry"


def test_an_address_that_was_removed_is_not_called() -> None:
    assert reason("11.0.0.5:8080") == "network"
    assert reason("10.0.0.5:8081") == "port"


@pytest.mark.parametrize("name", ["", "10.0.0.5", "csms:8080"])
def test_a_name_that_is_no_server_s_is_unusable(name: str) -> None:
    with pytest.raises(AddressUnusable):
        servers(ENTRY).find_same(name, URL, "citrineos", 7)
