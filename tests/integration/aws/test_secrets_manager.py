"""Secrets of OCPP servers, read from Secrets Manager: an emulated one, and one that fails."""

from __future__ import annotations

import json
from contextlib import closing, suppress
from threading import Event
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from charger_link import ServerRefused
from charger_link.secrets import Secrets
from common.transport import Deadline
from tests.integration.misbehaving import Gone, Misbehaving, Peer, Script, drips, hangs, response, sends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def name(boto3_client: Callable[[str], Any]) -> str:
    """Return the name of a new secret."""
    name = f"steve-{uuid4()}"
    boto3_client("secretsmanager").create_secret(Name=name, SecretString='{"bearer": "first"}')
    return name


@pytest.fixture
def failing(environ: dict[str, str]) -> Iterator[Misbehaving]:
    with closing(Misbehaving(hangs)) as failing:
        environ["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = f"http://127.0.0.1:{failing.port}"
        yield failing


def soon() -> Deadline:
    return Deadline.after(10)


def refused(secrets: Secrets, name: str, seconds: float = 10.0) -> BaseException | None:
    """Return the cause of the refusal."""
    with pytest.raises(ServerRefused) as raised:
        secrets.headers(name, Deadline.after(seconds))
    assert raised.value.kind == "secret"
    assert not raised.value.may_have_started
    return raised.value.__cause__


def error(kind: str, status: int = 400) -> Script:
    return sends(response(status, json.dumps({"__type": kind, "Message": "x"}).encode()))


def value(text: str) -> Script:
    return sends(response(200, json.dumps({"Name": "steve", "SecretString": text}).encode()))


def test_a_rotated_secret_is_read_on_refresh_and_not_before(
    name: str, environ: dict[str, str], boto3_client: Callable[[str], Any]
) -> None:
    secrets = Secrets.of(None, environ)
    assert secrets.headers(name, soon()) == {"Authorization": "Bearer first"}
    boto3_client("secretsmanager").put_secret_value(SecretId=name, SecretString='{"bearer": "second"}')
    assert secrets.headers(name, soon()) == {"Authorization": "Bearer first"}
    assert secrets.refresh(name, soon())
    assert secrets.headers(name, soon()) == {"Authorization": "Bearer second"}
    assert not secrets.refresh(name, soon())


def test_a_secret_can_be_named_by_its_arn(
    name: str, environ: dict[str, str], boto3_client: Callable[[str], Any]
) -> None:
    arn = boto3_client("secretsmanager").describe_secret(SecretId=name)["ARN"]
    assert Secrets.of(None, environ).headers(arn, soon()) == {"Authorization": "Bearer first"}


def test_a_missing_secret_is_refused(environ: dict[str, str]) -> None:
    assert str(refused(Secrets.of(None, environ), "missing")) == "ResourceNotFoundException"


def test_a_binary_secret_is_refused(environ: dict[str, str], boto3_client: Callable[[str], Any]) -> None:
    name = f"binary-{uuid4()}"
    boto3_client("secretsmanager").create_secret(Name=name, SecretBinary=b'{"bearer": "first"}')
    refused(Secrets.of(None, environ), name)


@pytest.mark.parametrize(
    "kind", ["AccessDeniedException", "DecryptionFailure", "InvalidRequestException", "ExpiredTokenException"]
)
def test_an_error_of_the_service_is_a_refusal_after_one_request(
    kind: str, failing: Misbehaving, environ: dict[str, str]
) -> None:
    failing.set_scripts(error(kind))
    assert str(refused(Secrets.of(None, environ), "steve")) == kind
    assert len(failing.requests) == 1


def test_a_failure_that_passes_is_retried(failing: Misbehaving, environ: dict[str, str]) -> None:
    failing.set_scripts(
        lambda peer: peer.reset(),
        error("InternalServiceError", 500),
        error("ThrottlingException"),
        value('{"bearer": "a"}'),
    )
    assert Secrets.of(None, environ).headers("steve", soon()) == {"Authorization": "Bearer a"}


@pytest.mark.parametrize("fault", [hangs, drips(response(200, b"{}")), lambda peer: peer.hang()])
def test_a_slow_service_is_a_refusal_at_the_deadline(
    fault: Script, failing: Misbehaving, environ: dict[str, str]
) -> None:
    failing.set_scripts(fault)
    assert str(refused(Secrets.of(None, environ), "steve", 0.3)) == "timeout"


def test_a_silent_service_does_not_take_all_of_a_long_deadline(
    failing: Misbehaving, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charger_link.secrets._TIMEOUT", 0.3)
    assert str(refused(Secrets.of(None, environ), "steve", 86_400)) == "timeout"


@pytest.mark.parametrize("body", [b"{}", b'{"SecretString": null}', b'{"SecretString": 5}', b"[]"])
def test_wrong_data_is_a_refusal(body: bytes, failing: Misbehaving, environ: dict[str, str]) -> None:
    failing.set_scripts(sends(response(200, body)))
    refused(Secrets.of(None, environ), "steve")


def test_a_connection_is_opened_when_a_secret_is_needed_and_then_closed(
    failing: Misbehaving, environ: dict[str, str]
) -> None:
    """A snapshot of the process (SnapStart) contains no connection."""
    closed = Event()

    def waits_for_the_end(peer: Peer) -> None:
        value('{"bearer": "a"}')(peer)
        with suppress(Gone):
            peer.hang()
        closed.set()

    failing.set_scripts(waits_for_the_end)
    secrets = Secrets.of(None, environ)
    assert failing.connections == 0
    secrets.headers("steve", soon())
    assert closed.wait(5)
    secrets.headers("steve", soon())
    assert (failing.connections, len(failing.requests)) == (1, 1)


def test_an_endpoint_that_is_no_url_is_a_refusal(environ: dict[str, str]) -> None:
    environ["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = "ftp://somewhere"
    assert "AWS_ENDPOINT_URL_SECRETS_MANAGER" in str(refused(Secrets.of(None, environ), "steve"))
