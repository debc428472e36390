"""How a secret is read: with the deadline of the request, and as text from a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from charger_link import ServerRefused
from charger_link.secrets import Secrets
from common.transport import Deadline

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE = Deadline.after(86_400)  # made when tests are collected: later than the end of any run


def test_a_read_has_the_name_and_the_deadline_of_its_request() -> None:
    given: list[tuple[str, Deadline]] = []

    def read(name: str, deadline: Deadline) -> str:
        given.append((name, deadline))
        return '{"bearer": "x"}'

    secrets = Secrets(read)
    secrets.headers("steve", DEADLINE)
    secrets.refresh("steve", DEADLINE)
    assert given == [("steve", DEADLINE)] * 2
    assert Secrets(read).readable("csms")
    name, deadline = given[-1]
    assert name == "csms"
    assert 0 < deadline.remaining() <= 8, "a deployment's check does not wait longer"


def test_a_wrong_secret_names_the_setting_and_keeps_its_cause() -> None:
    secrets = Secrets(lambda *_: '{"apiKey": "abc", "header": "Host"}')
    assert not secrets.readable("x")
    with pytest.raises(ServerRefused) as refused:
        secrets.headers("x", DEADLINE)
    assert refused.value.kind == "secret"
    assert refused.value.detail.endswith("LinkServers.")
    assert isinstance(refused.value.__cause__, ValueError)


@pytest.mark.parametrize("secret", [{"bearer": "abc"}, '{"bearer": "abc"}'])
def test_a_file_holds_a_secret_as_json_or_as_its_text(secret: object, tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps({"name": secret, "another": 5}))
    assert Secrets.of(str(path)).headers("name", DEADLINE) == {"Authorization": "Bearer abc"}


def test_numbers_are_credentials_too() -> None:
    secrets = Secrets(lambda *_: '{"username": 7, "password": 8}')
    assert secrets.headers("x", DEADLINE) == {"Authorization": "Basic Nzo4"}
