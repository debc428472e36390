"""A secret from Secrets Manager, through boto3 as Lambda has it."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from charger_link import ServerRefused
from charger_link.secrets import Secrets
from common.transport import Deadline
from tests.integration.misbehaving import Misbehaving, Script, hangs, response, sends

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = "Content-Type: application/x-amz-json-1.1"


def holds(secret: dict[str, str]) -> Script:
    return sends(
        response(200, json.dumps({"Name": "steve", "SecretString": json.dumps(secret)}).encode(), JSON)
    )


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[Misbehaving]:
    with closing(Misbehaving(holds({"bearer": "old"}))) as listener:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", f"http://127.0.0.1:{listener.port}")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        yield listener


def test_a_secret_is_read_by_its_name_and_read_again_when_it_may_have_changed(manager: Misbehaving) -> None:
    secrets = Secrets()
    assert secrets.headers("steve", Deadline.after(20)) == {"Authorization": "Bearer old"}
    manager.plays(holds({"bearer": "new"}))
    assert secrets.refresh("steve", Deadline.after(20)), "no cache of Powertools keeps the old one"
    assert secrets.headers("steve", Deadline.after(20)) == {"Authorization": "Bearer new"}
    assert [json.loads(asked.body) for asked in manager.asked] == [{"SecretId": "steve"}] * 2


def test_a_failure_is_tried_twice(manager: Misbehaving) -> None:
    manager.plays(sends(response(500, b"{}", JSON)))
    with pytest.raises(ServerRefused) as refused:
        Secrets().headers("steve", Deadline.after(20))
    assert refused.value.kind == "secret"
    assert len(manager.asked) == 2


def test_a_request_with_little_time_leaves_a_silent_one_early(manager: Misbehaving) -> None:
    manager.plays(hangs)
    deadline = Deadline.after(4)
    with pytest.raises(ServerRefused) as refused:
        Secrets().headers("steve", deadline)
    assert type(refused.value.__cause__).__name__ == "GetParameterError"
    assert len(manager.asked) == 2
    assert deadline.remaining() > 0, "two tries of a quarter of the time each"
