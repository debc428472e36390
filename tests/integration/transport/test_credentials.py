"""Credentials of the container endpoint, as Lambda gives them under SnapStart: asked with a token, again before they expire."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.misbehaving import Misbehaving, Script, answers, declines, hangs, says
from transport.credentials import Credentials, CredentialsError, from_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def gives(name: str, *, expires: float = 3600, **changes: Any) -> Script:
    """An endpoint that gives a key of this name, good for `expires` seconds."""
    until = (datetime.now(UTC) + timedelta(seconds=expires)).strftime("%Y-%m-%dT%H:%M:%SZ")
    given = {
        "AccessKeyId": name,
        "SecretAccessKey": "secret",
        "Token": "session",
        "Expiration": until,
        **changes,
    }
    return answers(body=json.dumps(given).encode())


@pytest.fixture
def endpoint() -> Iterator[Misbehaving]:
    with closing(Misbehaving(gives("first"))) as endpoint:
        yield endpoint


def source(endpoint: Misbehaving, **more: str) -> Callable[[], Credentials]:
    uri = f"http://127.0.0.1:{endpoint.port}/v1/credentials?x=1"
    return from_environment({"AWS_CONTAINER_CREDENTIALS_FULL_URI": uri, **more})


def test_they_are_asked_for_once_with_the_token_of_the_environment(endpoint: Misbehaving) -> None:
    given = source(endpoint, AWS_CONTAINER_AUTHORIZATION_TOKEN="Basic abc")
    assert given() == Credentials("first", "secret", "session")
    endpoint.plays(gives("second"))
    assert given().access_key == "first"
    (asked,) = endpoint.asked
    assert (asked.method, asked.path, asked.headers["authorization"]) == (
        "GET",
        "/v1/credentials?x=1",
        "Basic abc",
    )
    assert asked.headers["host"] == f"127.0.0.1:{endpoint.port}"


def test_a_token_file_comes_first_and_is_read_each_time(endpoint: Misbehaving, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("one\n")
    file = str(path)
    given = source(
        endpoint, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=file, AWS_CONTAINER_AUTHORIZATION_TOKEN="no"
    )
    endpoint.plays(gives("first", expires=1))
    given()
    path.write_text("two\n")
    given()
    assert [asked.headers["authorization"] for asked in endpoint.asked] == ["one", "two"]


def test_they_are_fetched_anew_before_they_expire(endpoint: Misbehaving) -> None:
    endpoint.plays(gives("first", expires=240), gives("second"))
    given = source(endpoint)
    assert [given().access_key for _ in range(3)] == ["first", "second", "second"]
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize(
    "fault", [declines(500), says(b"nonsense\r\n\r\n"), answers(body=b"{}"), answers(body=b"[]")]
)
def test_while_the_old_ones_last_a_failing_endpoint_is_not_noticed(
    endpoint: Misbehaving, fault: Script
) -> None:
    endpoint.plays(gives("first", expires=120), fault, gives("second"))
    given = source(endpoint)
    assert [given().access_key for _ in range(3)] == ["first", "first", "second"]


@pytest.mark.parametrize(
    "fault",
    [
        declines(500),
        declines(401),
        says(b"nonsense\r\n\r\n"),
        says(b""),
        answers(body=b"{}"),
        answers(body=b"[]"),
        answers(body=b"5"),
        answers(body=b"not json"),
        gives("first", Expiration="soon"),
        gives("first", Expiration=None),
    ],
)
def test_without_old_ones_the_variable_is_named(endpoint: Misbehaving, fault: Script) -> None:
    endpoint.plays(fault)
    with pytest.raises(CredentialsError, match="AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        source(endpoint)()


def test_expired_ones_are_not_used(endpoint: Misbehaving) -> None:
    endpoint.plays(gives("first", expires=-1), declines(500))
    given = source(endpoint)
    given()
    with pytest.raises(CredentialsError):
        given()


def test_an_endpoint_that_hangs_is_left_in_time(
    endpoint: Misbehaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transport.credentials._PATIENCE", 0.2)
    endpoint.plays(hangs)
    with pytest.raises(CredentialsError):
        source(endpoint)()


def test_a_token_file_that_is_not_there_is_named(endpoint: Misbehaving, tmp_path: Path) -> None:
    with pytest.raises(CredentialsError):
        source(endpoint, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(tmp_path / "none"))()
