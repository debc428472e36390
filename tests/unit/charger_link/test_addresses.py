"""Addresses that the service must never call, in any spelling and with the widest `LinkServers`."""

from __future__ import annotations

import json
from collections import Counter
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest

from charger_link import AddressNotAllowed, AddressUnusable, LinkServers, addresses
from tests.unit.charger_link.forbidden import SPELLINGS, V4, V6

# Everything, and each wrapping that an IPv4 address can come in.
EVERYWHERE = (
    "0.0.0.0/0", "::/0", "::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32",
)  # fmt: skip
ENTRIES = [{"network": network, "ports": ["1-65535"]} for network in EVERYWHERE]
WIDEST = LinkServers.parse(json.dumps(ENTRIES))


def refusal(servers: LinkServers, text: str) -> str:
    try:
        found = servers.find(text, 8080)
    except AddressUnusable:
        return "unusable"
    except AddressNotAllowed as error:
        return error.reason
    return f"passed as {found.name}"


def test_of_thousands_of_spellings_none_passes() -> None:
    assert len(SPELLINGS) > 2500
    passed = {
        text: found
        for _, text in SPELLINGS
        if (found := refusal(WIDEST, text)) not in ("unusable", "forbidden")
    }
    assert passed == {}


def test_the_spellings_cover_many_classes_and_some_of_each_parse_as_an_address() -> None:
    """They are rejected as addresses of a forbidden kind, not merely as text that is not an address."""
    judged = Counter(kind for kind, text in SPELLINGS if refusal(WIDEST, text) == "forbidden")
    wrapped = {
        "dotted",
        "mapped",
        "compatible",
        "NAT64",
        "local NAT64",
        "6to4",
        "Teredo",
        "ISATAP",
        "translated",
        "IPv6",
    }
    assert set(judged) == wrapped
    assert len({kind for kind, _ in SPELLINGS}) > 40


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("10.0.0.5", "10.0.0.5"),
        ("172.16.0.1", "172.16.0.1"),
        ("100.64.0.1", "100.64.0.1"),
        ("8.8.8.8", "8.8.8.8"),
        ("fd00::5", "fd00::5"),
        ("2600:1f18::5", "2600:1f18::5"),
        ("::ffff:10.0.0.5", "10.0.0.5"),
        ("64:ff9b::10.0.0.5", "10.0.0.5"),
        ("64:ff9b:1::a00:5", "10.0.0.5"),
        ("64:ff9b:1:a00:0:500::", "10.0.0.5"),
        ("2002:a00:5::1", "10.0.0.5"),
        ("2001:0:4136:e378:8000:63bf:f5ff:fffa", "10.0.0.5"),
        ("fe80::5efe:10.0.0.5", "10.0.0.5"),
    ],
)
def test_an_allowed_address_is_called_as_the_address_that_it_embeds(text: str, called: str) -> None:
    """Shows that the addresses above are not rejected merely because no entry matches."""
    assert WIDEST.find(text, 8080).address == called


def test_the_first_65536_addresses_embed_none() -> None:
    assert addresses.embedded(IPv6Address("::ffff")) is None
    assert addresses.embedded(IPv6Address("::1:0")) == IPv4Address("0.1.0.0")


def test_the_link_connects_to_the_address_that_was_checked() -> None:
    """Every accepted address is an IP literal in its canonical spelling, outside every forbidden network."""
    for text in ("10.0.0.5", "::ffff:10.0.0.5", "FD00:0::05", "2002:a00:5::"):
        address = WIDEST.find(text, 8080).address
        judged = ip_address(address)
        assert str(judged) == address
        assert not any(judged in kind for kind in addresses.FORBIDDEN if kind.version == judged.version)


@pytest.mark.parametrize("text", [text for group in (V4, V6) for texts in group.values() for text in texts])
def test_a_network_that_is_wholly_of_the_kind_may_be_listed(text: str) -> None:
    """The local stack lists 127.0.0.0/8. A network that only contains such an address does not count."""
    address = addresses.parse(text)
    exact = ip_network(str(address))
    listed = LinkServers.parse(json.dumps([*ENTRIES, {"network": str(exact), "ports": [8080]}]))
    assert listed.find(text, 8080).address == str(address)
    wider = exact.supernet(new_prefix=1)
    assert (
        refusal(LinkServers.parse(json.dumps([*ENTRIES, {"network": str(wider), "ports": [8080]}])), text)
        == "forbidden"
    )


@pytest.mark.parametrize(
    "kind",
    ["127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "fe80::/10", "ff00::/8"],
)
def test_both_ends_of_a_forbidden_network_are_inside_and_their_neighbours_of_the_next_kind(kind: str) -> None:
    network = ip_network(kind)
    assert refusal(WIDEST, str(network[0])) == "forbidden"
    assert refusal(WIDEST, str(network[-1])) == "forbidden"


@pytest.mark.parametrize(
    "address",
    ["126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "1.0.0.0", "223.255.255.255"],
)
def test_the_neighbours_of_forbidden_networks_are_not(address: str) -> None:
    assert WIDEST.find(address, 8080).address == address


@pytest.mark.parametrize(
    "name",
    [
        "127.0.0.1:80",
        "[::1]:80",
        "169.254.169.254:80",
        "[::ffff:127.0.0.1]:80",
        "localhost:80",
        "[fe80::1%lo]:80",
    ],
)
def test_a_name_from_an_attempt_or_a_setting_is_checked_alike(name: str) -> None:
    with pytest.raises((AddressNotAllowed, AddressUnusable)):
        WIDEST.find_named(name)
