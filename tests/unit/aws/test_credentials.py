"""Credentials in environment variables. tests/integration/transport covers those of an endpoint."""

from __future__ import annotations

import pytest

from common.aws.credentials import Credentials, CredentialsError, from_environment

KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.mark.parametrize(
    ("variables", "token"),
    [({}, None), ({"AWS_SESSION_TOKEN": ""}, None), ({"AWS_SESSION_TOKEN": "session"}, "session")],
)
def test_keys_are_read_from_the_environment(variables: dict[str, str], token: str | None) -> None:
    assert from_environment(KEYS | variables)() == Credentials("AKID", "secret", token)


def test_keys_take_precedence_over_an_endpoint() -> None:
    both = KEYS | {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/credentials"}
    assert from_environment(both)().access_key == "AKID"


def test_no_request_is_sent_to_an_endpoint_before_credentials_are_needed() -> None:
    from_environment({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/credentials"})


@pytest.mark.parametrize("environ", [{}, {"AWS_ACCESS_KEY_ID": "AKID"}, {"AWS_SESSION_TOKEN": "session"}])
def test_without_keys_and_endpoint_the_error_names_the_variables(environ: dict[str, str]) -> None:
    with pytest.raises(CredentialsError, match="AWS_ACCESS_KEY_ID nor AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        from_environment(environ)()


def test_the_environment_is_read_at_each_call() -> None:
    environ = dict(KEYS)
    current = from_environment(environ)
    environ["AWS_ACCESS_KEY_ID"] = "another"
    assert current().access_key == "another"
