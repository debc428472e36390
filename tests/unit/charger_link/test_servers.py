"""`LinkServers`: what it allows, which entry decides, and how a wrong setting says what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trustme

from charger_link import AddressNotAllowed, AddressUnusable, LinkServers
from charger_link.servers import LinkServersError


def servers(*entries: dict[str, Any]) -> LinkServers:
    return LinkServers.parse(json.dumps([{"ports": [8080], **entry} for entry in entries]))


def refused(found: LinkServers, address: str, port: int = 8080) -> str:
    with pytest.raises(AddressNotAllowed) as error:
        found.find(address, port)
    assert str(error.value) == error.value.reason
    return error.value.reason


@pytest.mark.parametrize("text", ["", "[]"])
def test_without_entries_nothing_is_allowed(text: str) -> None:
    assert refused(LinkServers.parse(text), "10.0.0.5") == "network"


def test_an_address_inside_a_network_and_a_port_inside_its_ports() -> None:
    found = servers({"network": "10.1.0.0/16", "ports": [8080, "9000-9100"]})
    for port in (8080, 9000, 9050, 9100):
        server = found.find("10.1.2.3", port)
        assert (server.address, server.port, server.name) == ("10.1.2.3", port, f"10.1.2.3:{port}")
    for port in (8079, 8081, 8999, 9101, 1, 65535):
        assert refused(found, "10.1.2.3", port) == "port"
    for address in ("10.0.255.255", "10.2.0.0", "11.1.2.3", "2001:db8::1"):
        assert refused(found, address) == "network"


def test_the_most_specific_network_decides_in_any_order() -> None:
    entries = [
        {"network": "10.0.0.0/8", "basePath": "/wide"},
        {"network": "10.1.2.0/24", "basePath": "/narrow"},
        {"network": "10.1.0.0/16", "basePath": "/middle"},
    ]
    for rotated in (entries, entries[1:] + entries[:1], entries[::-1]):
        found = servers(*rotated)
        assert found.find("10.1.2.3", 8080).entry.base_path == "/narrow"
        assert found.find("10.1.3.3", 8080).entry.base_path == "/middle"
        assert found.find("10.2.3.3", 8080).entry.base_path == "/wide"


def test_a_wider_network_never_applies_instead() -> None:
    found = servers({"network": "10.0.0.0/8"}, {"network": "10.1.2.3/32", "ports": [9]})
    assert refused(found, "10.1.2.3", 8080) == "port"


def test_equal_networks_share_their_ports() -> None:
    found = servers(
        {"network": "10.0.0.0/8", "ports": [1], "basePath": "/one"},
        {"network": "10.0.0.0/8", "ports": [2], "basePath": "/two"},
    )
    assert found.find("10.1.2.3", 1).entry.base_path == "/one"
    assert found.find("10.1.2.3", 2).entry.base_path == "/two"
    assert refused(found, "10.1.2.3", 3) == "port"


@pytest.mark.parametrize(
    ("entry", "address", "url"),
    [
        ({}, "10.0.0.5", "https://10.0.0.5:8080"),
        ({"scheme": "http", "basePath": "/link"}, "10.0.0.5", "http://10.0.0.5:8080/link"),
        ({"serverName": "csms.internal"}, "10.0.0.5", "https://csms.internal:8080"),
        ({"dialect": "steve"}, "10.0.0.5", "https://10.0.0.5:8080/steve/api/v1"),
        ({"network": "fd00::/64"}, "fd00::5", "https://[fd00::5]:8080"),
    ],
)
def test_the_url_distinguishes_servers_of_one_address_and_port(
    entry: dict[str, Any], address: str, url: str
) -> None:
    assert servers({"network": "10.0.0.0/8", **entry}).find(address, 8080).url == url


def test_a_disabled_entry_is_found_so_that_its_starts_can_be_refused() -> None:
    assert not servers({"network": "10.0.0.0/8", "enabled": False}).find("10.0.0.1", 8080).entry.enabled


@pytest.mark.parametrize(
    ("text", "address", "name"),
    [
        ("FD00:0:0::5", "fd00::5", "[fd00::5]:8080"),
        ("::ffff:10.0.0.5", "10.0.0.5", "10.0.0.5:8080"),
        ("64:ff9b::a00:5", "10.0.0.5", "10.0.0.5:8080"),
        ("2002:a00:5::1", "10.0.0.5", "10.0.0.5:8080"),
    ],
)
def test_a_server_has_one_name_however_its_address_is_spelt(text: str, address: str, name: str) -> None:
    found = servers({"network": "fd00::/64"}, {"network": "10.0.0.0/8"})
    server = found.find(text, 8080)
    assert (server.address, server.name) == (address, name)
    assert found.find_named(name) == server


@pytest.mark.parametrize(
    "name", ["", "10.0.0.5", "10.0.0.5:", ":8080", "10.0.0.5:x", "host:8080", "10.0.0.5:٨٠", "[fd00::5]"]
)
def test_a_name_that_is_not_an_address_and_port_is_unusable(name: str) -> None:
    with pytest.raises(AddressUnusable, match=r"^must be an (IP )?address "):
        servers({"network": "0.0.0.0/0"}, {"network": "::/0"}).find_named(name)


@pytest.mark.parametrize("port", [0, -1, 65536, 10**9])
def test_an_invalid_port_is_in_no_entry(port: int) -> None:
    assert refused(servers({"network": "10.0.0.0/8", "ports": ["1-65535"]}), "10.0.0.5", port) == "port"


def test_a_connector_is_a_number_or_none_or_left_to_the_dialect() -> None:
    def start(**entry: Any) -> int | None:
        return servers({"network": "10.0.0.0/8", **entry}).find("10.0.0.5", 8080).entry.start_connector

    assert (start(connector=2), start(connector="none"), start(connector=None), start()) == (
        2,
        None,
        None,
        None,
    )


GOOD = {"network": "10.0.0.0/8", "ports": [8080]}


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ([{"ports": [1]}], ["0.network"]),
        ([{"network": "10.0.0.0/8"}], ["0.ports"]),
        ([GOOD, {**GOOD, "network": "10.0.0.1/8"}], ["1.network"]),  # bits set beyond the mask
        ([GOOD, GOOD, {**GOOD, "network": "everywhere"}], ["2.network"]),
        ([{**GOOD, "ports": []}], ["0.ports"]),
        ([{**GOOD, "ports": 8080}], ["0.ports"]),
        ([{**GOOD, "ports": [0]}], ["0.ports"]),
        ([{**GOOD, "ports": [65536]}], ["0.ports"]),
        ([{**GOOD, "ports": ["9100-9000"]}], ["0.ports"]),
        ([{**GOOD, "ports": ["9000-"]}], ["0.ports"]),
        ([{**GOOD, "ports": ["-9000"]}], ["0.ports"]),
        ([{**GOOD, "ports": [80.5]}], ["0.ports"]),
        ([{**GOOD, "ports": [True]}], ["0.ports"]),
        ([{**GOOD, "ports": [None]}], ["0.ports"]),
        ([{**GOOD, "ports": [[1]]}], ["0.ports"]),
        ([{**GOOD, "dialect": "martian"}], ["0.dialect"]),
        ([{**GOOD, "scheme": "ftp"}], ["0.scheme"]),
        ([{**GOOD, "serverName": "a b"}], ["0.serverName"]),
        ([{**GOOD, "serverName": "a\r\nX: y"}], ["0.serverName"]),
        *(([{**GOOD, "serverName": name}], ["0.serverName"]) for name in (".a", "a..b", "a" * 64, "")),  # no SNI
        ([{**GOOD, "basePath": "relative"}], ["0.basePath"]),
        ([{**GOOD, "basePath": "/ends/"}], ["0.basePath"]),
        ([{**GOOD, "basePath": "/a?b"}], ["0.basePath"]),
        ([{**GOOD, "basePath": "/a\n"}], ["0.basePath"]),
        ([{**GOOD, "connector": 0}], ["0.connector"]),
        ([{**GOOD, "connector": 2**31}], ["0.connector"]),
        ([{**GOOD, "enabled": "perhaps"}], ["0.enabled"]),
        ([{**GOOD, "ca": "no certificate"}], ["0.ca"]),
        ([{**GOOD, "netwrok": "10.0.0.0/8"}], ["0.netwrok"]),  # a member misspelt must not be a member ignored
        ([{"network": "x", "ports": []}, {**GOOD, "scheme": "x"}], ["0.network", "0.ports", "1.scheme"]),
    ],
)  # fmt: skip
def test_a_wrong_setting_names_every_entry_and_member(
    entries: list[dict[str, Any]], named: list[str]
) -> None:
    with pytest.raises(LinkServersError) as error:
        LinkServers.parse(json.dumps(entries))
    for name in named:
        assert name in str(error.value)
    assert str(error.value).count("; ") >= len(named) - 1


@pytest.mark.parametrize("text", ["{", "{}", "null", "5", '"x"', "[5]", "not json"])
def test_a_setting_that_is_not_a_list_of_entries_is_rejected_by_name(text: str) -> None:
    with pytest.raises(LinkServersError, match=r"^LinkServers cannot be used: "):
        LinkServers.parse(text)


def test_a_certificate_is_kept_if_tls_can_use_it() -> None:
    pem = trustme.CA().cert_pem.bytes().decode()
    assert servers({**GOOD, "ca": pem * 2}).find("10.0.0.5", 8080).entry.ca == pem * 2
    with pytest.raises(LinkServersError, match="must be a certificate in PEM, or several"):
        servers({**GOOD, "ca": pem.replace("BEGIN", "END")})
