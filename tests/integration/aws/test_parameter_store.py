"""`LINK_SERVERS=ssm:/name`: the parameter is read from Systems Manager while the function starts."""

from __future__ import annotations

import json
from contextlib import closing, suppress
from threading import Event
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from common.settings import SettingsError
from common.settings.connect import ConnectSettings
from tests.integration.misbehaving import Gone, Misbehaving, Peer, Script, hangs, response, sends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SERVERS = '[{"network": "10.0.0.0/8", "ports": ["1-65535"]}]'


@pytest.fixture
def failing(environ: dict[str, str]) -> Iterator[Misbehaving]:
    with closing(Misbehaving(hangs)) as failing:
        environ["AWS_ENDPOINT_URL_SSM"] = f"http://127.0.0.1:{failing.port}"
        yield failing


def servers(environ: dict[str, str], name: str) -> str:
    environ["LINK_SERVERS"] = f"ssm:{name}"
    return ConnectSettings.read(environ).link_servers_json(environ)


def refusal(environ: dict[str, str], name: str = "/servers") -> str:
    with pytest.raises(SettingsError) as raised:
        servers(environ, name)
    return str(raised.value)


@pytest.mark.parametrize("kind", ["String", "SecureString"])
def test_a_parameter_is_read_by_name_or_version(
    kind: str, environ: dict[str, str], boto3_client: Callable[[str], Any]
) -> None:
    name = f"/charger-connect/{uuid4()}"
    for value in ("[]", SERVERS):
        boto3_client("ssm").put_parameter(Name=name, Value=value, Type=kind, Overwrite=True)
    assert servers(environ, name) == SERVERS
    assert servers(environ, f"{name}:1") == "[]"
    assert servers(environ, f"{name}:2") == SERVERS


def test_a_missing_parameter_is_named_in_the_error(environ: dict[str, str]) -> None:
    message = refusal(environ, "/missing:3")
    assert message == "LINK_SERVERS: the parameter /missing:3 cannot be read: ParameterNotFound"


@pytest.mark.parametrize(
    "kind", ["AccessDeniedException", "ParameterVersionNotFound", "InvalidKeyId", "KMSInvalidStateException"]
)
def test_an_error_of_the_service_is_named_in_the_error(
    kind: str, failing: Misbehaving, environ: dict[str, str]
) -> None:
    failing.set_scripts(sends(response(400, json.dumps({"__type": kind}).encode())))
    assert refusal(environ).endswith(kind)
    assert len(failing.requests) == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (hangs, "timeout"),
        (lambda peer: peer.reset(), "reset"),
        (sends(response(200, b"not json")), "http-200"),
        (sends(response(200, b"{}")), "no value"),
        (sends(response(200, b'{"Parameter": []}')), "no value"),
    ],
)
def test_a_service_that_fails_is_named_in_the_error(
    fault: Script,
    reason: str,
    failing: Misbehaving,
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("common.settings.link._TIMEOUT", 0.3)
    failing.set_scripts(fault)
    assert refusal(environ).endswith(f"cannot be read: {reason}")


def test_an_endpoint_that_is_no_url_is_named_in_the_error(environ: dict[str, str]) -> None:
    environ["AWS_ENDPOINT_URL_SSM"] = "ftp://somewhere"
    assert "AWS_ENDPOINT_URL_SSM" in refusal(environ)


def test_the_connection_is_closed_before_a_snapshot_can_be_taken(
    failing: Misbehaving, environ: dict[str, str]
) -> None:
    closed = Event()

    def waits_for_the_end(peer: Peer) -> None:
        sends(response(200, b'{"Parameter": {"Value": "[]"}}'))(peer)
        with suppress(Gone):
            peer.hang()
        closed.set()

    failing.set_scripts(waits_for_the_end)
    assert servers(environ, "/servers") == "[]"
    assert closed.wait(5)
