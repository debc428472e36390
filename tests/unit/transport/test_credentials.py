"""Credentials of the environment; those of an endpoint are tested with sockets."""

from __future__ import annotations

import pytest

from transport.credentials import Credentials, CredentialsError, from_environment

KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.mark.parametrize(
    ("more", "token"),
    [({}, None), ({"AWS_SESSION_TOKEN": ""}, None), ({"AWS_SESSION_TOKEN": "session"}, "session")],
)
def test_keys_of_the_environment(more: dict[str, str], token: str | None) -> None:
    assert from_environment(KEYS | more)() == Credentials("AKID", "secret", token)


def test_keys_come_before_an_endpoint() -> None:
    both = KEYS | {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/credentials"}
    assert from_environment(both)().access_key == "AKID"


def test_an_endpoint_is_not_asked_before_the_first_request() -> None:
    from_environment({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/credentials"})


@pytest.mark.parametrize("environ", [{}, {"AWS_ACCESS_KEY_ID": "AKID"}, {"AWS_SESSION_TOKEN": "session"}])
def test_without_either_the_variables_are_named(environ: dict[str, str]) -> None:
    with pytest.raises(CredentialsError, match="AWS_ACCESS_KEY_ID nor AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        from_environment(environ)()


def test_the_environment_counts_as_it_is_when_asked() -> None:
    environ = dict(KEYS)
    given = from_environment(environ)
    environ["AWS_ACCESS_KEY_ID"] = "another"
    assert given().access_key == "another"
