"""The service that an environment describes, and what its check before a deployment finds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from charger_connect.preflight import failures
from charger_connect.service import Service
from charger_link import REPEATABLE
from charger_link.secrets import Secrets
from common.journal import JournalUnavailable
from common.journal.dynamodb import DynamoDB
from common.transport import Deadline
from tests.unit.charger_connect.services import service

if TYPE_CHECKING:
    from pathlib import Path

REQUIRED = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_SESSION_TOKEN": "x",
    "TABLE_NAME": "attempts",
    "JOURNAL_SECRET": "a secret of the test",
}
DEADLINE = Deadline.after(86_400)  # made when tests are collected: later than the end of any run


def test_a_service_has_the_settings_of_its_environment(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.json"
    secrets.write_text('{"a secret": {"bearer": "abc"}}')
    made = Service.of({
        **REQUIRED,
        "LINK_SERVERS": json.dumps([{"network": "10.0.0.0/8", "ports": [80]}]),
        "LINK_TIMEOUT": "7",
        "LINK_SECRETS_FILE": str(secrets),
        "DEFAULT_LINK_SERVER": "10.0.0.5:80",
        "RETENTION_DAYS": "3",
        "PAUSED": "true",
        "CALLBACK_BASE_URL": "https://set.example.com",
    })  # fmt: skip
    assert made.servers.find("10.0.0.5", 80).port == 80
    assert (made.link_timeout, made.default_server, made.paused) == (7.0, "10.0.0.5:80", True)
    assert (made.secret, made.callback_base_url) == (b"a secret of the test", "https://set.example.com")
    assert made.link.unreadable(["a secret", "another"]) == ["another"]
    assert made.link._circuits is made.circuits
    assert (made.journal.retention, made.journal._repeatable) == (3 * 86400, REPEATABLE)
    assert (made.journal._table, made.journal._dynamodb._client._host) == (
        "attempts",
        "dynamodb.eu-west-1.amazonaws.com",
    )
    assert made.journal._dynamodb._client._credentials()[0] == "AKID"
    made.close()


def test_settings_that_are_absent_have_defaults() -> None:
    made = Service.of(REQUIRED)
    assert (made.link_timeout, made.default_server, made.paused, made.callback_base_url) == (
        20.0,
        None,
        False,
        None,
    )
    assert made.servers.secrets == frozenset()
    assert made.journal.retention == 90 * 86400


@pytest.mark.parametrize(
    ("default", "responses", "found"),
    [
        (None, [{}, {}, {}, {}], []),
        ("10.0.0.5:80", [{}, {}, {}, {}], []),
        ("10.0.0.5:81", [{}, {}, {}, {}], ["DefaultLinkServer 10.0.0.5:81: no entry of LinkServers allows it"]),
        ("nonsense", [{}, {}, {}, {}], ["DefaultLinkServer nonsense: no entry of LinkServers allows it"]),
        (None, [{}, JournalUnavailable("AccessDeniedException")], ["table: AccessDeniedException"]),
    ],
)  # fmt: skip
def test_the_check_before_a_deployment_names_what_cannot_be_reached(
    default: str | None, responses: list[dict[str, str] | Exception], found: list[str]
) -> None:
    made = service(*responses, default_server=default)
    assert failures(made) == found
    if len(responses) == 4:
        requests = made.journal._dynamodb.requests  # type: ignore[attr-defined]
        assert [operation for operation, _ in requests] == ["UpdateItem", "GetItem", "Query", "BatchGetItem"]


def test_the_check_names_secrets_that_cannot_be_read() -> None:
    made = service({}, {}, {}, {}, entries=[{"network": "10.0.0.0/8", "ports": [80], "secret": "steve"}])
    assert failures(made) == []
    made.link._secrets = Secrets(lambda *_: "nonsense")
    object.__setattr__(made, "journal", service({}, {}, {}, {}).journal)
    assert failures(made) == ["secret steve"]


@pytest.mark.parametrize(
    ("endpoint", "address", "port", "tls"),
    [
        ("https://dynamodb.eu-west-1.amazonaws.com", "dynamodb.eu-west-1.amazonaws.com", 443, True),
        ("http://table", "table", 80, False),
        ("https://table:8443", "table", 8443, True),
    ],
)
def test_the_table_is_reached_where_its_endpoint_says(
    endpoint: str, address: str, port: int, tls: bool
) -> None:
    journal_client = DynamoDB(endpoint, "eu-west-1", lambda: pytest.fail("nothing is called"))
    client = journal_client._client
    assert (client._address, client._port, client._tls is not None) == (address, port, tls)
    assert client._host == endpoint.partition("//")[2]
    client.close()
