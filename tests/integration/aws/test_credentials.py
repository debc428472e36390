"""Credentials from the container endpoint, which Lambda provides with SnapStart."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from common.aws.credentials import Credentials, CredentialsError, from_environment
from tests.integration.misbehaving import Misbehaving, Script, hangs, responds_with, sends, sends_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def returns_key(name: str, *, expires: float = 3600, **changes: Any) -> Script:
    """Return a script for an endpoint that returns an access key with this name, valid for `expires` seconds."""
    until = (datetime.now(UTC) + timedelta(seconds=expires)).strftime("%Y-%m-%dT%H:%M:%SZ")
    document = {
        "AccessKeyId": name,
        "SecretAccessKey": "secret",
        "Token": "session",
        "Expiration": until,
        **changes,
    }
    return responds_with(body=json.dumps(document).encode())


@pytest.fixture
def endpoint() -> Iterator[Misbehaving]:
    with closing(Misbehaving(returns_key("first"))) as endpoint:
        yield endpoint


def source(endpoint: Misbehaving, **variables: str) -> Callable[[], Credentials]:
    uri = f"http://127.0.0.1:{endpoint.port}/v1/credentials?x=1"
    return from_environment({"AWS_CONTAINER_CREDENTIALS_FULL_URI": uri, **variables})


def test_credentials_are_fetched_once_with_the_authorization_token(endpoint: Misbehaving) -> None:
    current = source(endpoint, AWS_CONTAINER_AUTHORIZATION_TOKEN="Basic abc")
    assert current() == Credentials("first", "secret", "session")
    endpoint.set_scripts(returns_key("second"))
    assert current().access_key == "first"
    (received,) = endpoint.requests
    assert (received.method, received.path, received.headers["authorization"]) == (
        "GET",
        "/v1/credentials?x=1",
        "Basic abc",
    )
    assert received.headers["host"] == f"127.0.0.1:{endpoint.port}"


def test_a_token_file_takes_precedence_and_is_read_at_each_fetch(
    endpoint: Misbehaving, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_text("one\n")
    file = str(path)
    current = source(
        endpoint, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=file, AWS_CONTAINER_AUTHORIZATION_TOKEN="no"
    )
    endpoint.set_scripts(returns_key("first", expires=1))
    current()
    path.write_text("two\n")
    current()
    assert [received.headers["authorization"] for received in endpoint.requests] == ["one", "two"]


def test_credentials_are_fetched_again_before_they_expire(endpoint: Misbehaving) -> None:
    endpoint.set_scripts(returns_key("first", expires=240), returns_key("second"))
    current = source(endpoint)
    assert [current().access_key for _ in range(3)] == ["first", "second", "second"]
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize(
    "fault",
    [sends_problem(500), sends(b"nonsense\r\n\r\n"), responds_with(body=b"{}"), responds_with(body=b"[]")],
)
def test_cached_credentials_are_used_while_the_endpoint_fails(endpoint: Misbehaving, fault: Script) -> None:
    endpoint.set_scripts(returns_key("first", expires=120), fault, returns_key("second"))
    current = source(endpoint)
    assert [current().access_key for _ in range(3)] == ["first", "first", "second"]


@pytest.mark.parametrize(
    "fault",
    [
        sends_problem(500),
        sends_problem(401),
        sends(b"nonsense\r\n\r\n"),
        sends(b""),
        responds_with(body=b"{}"),
        responds_with(body=b"[]"),
        responds_with(body=b"5"),
        responds_with(body=b"not json"),
        returns_key("first", Expiration="soon"),
        returns_key("first", Expiration=None),
    ],
)
def test_without_cached_credentials_the_error_names_the_variable(
    endpoint: Misbehaving, fault: Script
) -> None:
    endpoint.set_scripts(fault)
    with pytest.raises(CredentialsError, match="AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        source(endpoint)()


def test_expired_credentials_are_not_used(endpoint: Misbehaving) -> None:
    endpoint.set_scripts(returns_key("first", expires=-1), sends_problem(500))
    current = source(endpoint)
    current()
    with pytest.raises(CredentialsError):
        current()


def test_a_request_to_a_hanging_endpoint_times_out(
    endpoint: Misbehaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.aws.credentials._TIMEOUT", 0.2)
    endpoint.set_scripts(hangs)
    with pytest.raises(CredentialsError):
        source(endpoint)()


def test_a_missing_token_file_raises_a_credentials_error(endpoint: Misbehaving, tmp_path: Path) -> None:
    with pytest.raises(CredentialsError):
        source(endpoint, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(tmp_path / "none"))()
