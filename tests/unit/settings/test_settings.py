"""Settings from the environment: an error names every invalid variable, and never contains a value."""

from __future__ import annotations

import pytest

from common.settings import SettingsError
from common.settings.connect import ConnectSettings

MINIMAL = {"TABLE_NAME": "attempts", "AWS_REGION": "eu-west-1", "JOURNAL_SECRET": "0123456789abcdef"}


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in MINIMAL.items() if name not in names}


def test_the_minimal_environment_gives_the_defaults() -> None:
    found = ConnectSettings.read(MINIMAL)
    assert (found.link_timeout, found.retention_days, found.paused) == (20, 90, False)
    assert (found.link_servers_json(MINIMAL), found.default_link_server, found.link_secrets_file) == (
        "[]",
        None,
        None,
    )


def test_a_blank_variable_is_read_as_not_set() -> None:
    blank = {"DEFAULT_LINK_SERVER": "", "LINK_TIMEOUT": " ", "PAUSED": "", "LINK_SECRETS_FILE": ""}
    assert ConnectSettings.read(MINIMAL | blank) == ConnectSettings.read(MINIMAL)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        (without("TABLE_NAME"), ["TABLE_NAME"]),
        (without("AWS_REGION"), ["AWS_REGION"]),
        (without("JOURNAL_SECRET"), ["JOURNAL_SECRET"]),
        ({}, ["TABLE_NAME", "AWS_REGION", "JOURNAL_SECRET"]),
        (MINIMAL | {"TABLE_NAME": " "}, ["TABLE_NAME"]),
        (MINIMAL | {"LINK_TIMEOUT": "0"}, ["LINK_TIMEOUT"]),
        (MINIMAL | {"LINK_TIMEOUT": "26"}, ["LINK_TIMEOUT"]),
        (MINIMAL | {"LINK_TIMEOUT": "soon"}, ["LINK_TIMEOUT"]),
        (MINIMAL | {"LINK_TIMEOUT": "nan"}, ["LINK_TIMEOUT"]),
        (MINIMAL | {"RETENTION_DAYS": "0"}, ["RETENTION_DAYS"]),
        (MINIMAL | {"PAUSED": "perhaps"}, ["PAUSED"]),
        (MINIMAL | {"JOURNAL_SECRET": "short"}, ["JOURNAL_SECRET"]),
        (MINIMAL | {"AWS_ENDPOINT_URL_DYNAMODB": "ftp://somewhere"}, ["AWS_ENDPOINT_URL_DYNAMODB"]),
        (
            MINIMAL | {"LINK_TIMEOUT": "-1", "RETENTION_DAYS": "x", "PAUSED": "x"},
            ["LINK_TIMEOUT", "RETENTION_DAYS", "PAUSED"],
        ),
    ],
)
def test_every_variable_that_is_wrong_is_named(environ: dict[str, str], named: list[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        ConnectSettings.read(environ)
    for name in named:
        assert f"{name}: " in str(refused.value)
    assert str(refused.value).count(": ") >= len(named)


def test_a_secret_is_neither_in_an_error_nor_in_a_representation() -> None:
    with pytest.raises(SettingsError) as refused:
        ConnectSettings.read(MINIMAL | {"JOURNAL_SECRET": "hush", "LINK_TIMEOUT": "x"})
    assert "hush" not in str(refused.value)
    assert MINIMAL["JOURNAL_SECRET"] not in repr(ConnectSettings.read(MINIMAL))
