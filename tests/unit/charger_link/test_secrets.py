"""The credentials of a server, as headers."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from charger_link import ServerRefused
from charger_link.secrets import Secrets
from common.transport import Deadline

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE = Deadline.after(86_400)  # made when tests are collected: later than the end of any run


@pytest.mark.parametrize(
    ("secret", "headers"),
    [
        ({"username": "steve", "password": "pä:ss"}, {"Authorization": "Basic c3RldmU6cMOkOnNz"}),
        ({"bearer": " abc\n"}, {"Authorization": "Bearer abc"}),
        ({"apiKey": "abc"}, {"X-API-Key": "abc"}),
        ({"apiKey": "abc", "header": "X-Key"}, {"X-Key": "abc"}),
    ],
)
def test_each_kind_of_secret_becomes_its_header(secret: dict[str, str], headers: dict[str, str]) -> None:
    assert Secrets(lambda *_: json.dumps(secret)).headers("name", DEADLINE) == headers


def test_without_a_name_there_is_no_header() -> None:
    assert Secrets(lambda *_: pytest.fail("read")).headers(None, DEADLINE) == {}


def test_a_secret_is_read_once_and_again_on_refresh() -> None:
    reads: Counter[str] = Counter()
    values = iter(["old", "old", "new"])

    def read(name: str, _: Deadline) -> str:
        reads[name] += 1
        return json.dumps({"bearer": next(values)})

    secrets = Secrets(read)
    assert secrets.headers("name", DEADLINE) is secrets.headers("name", DEADLINE)
    assert not secrets.refresh("name", DEADLINE), "the same as before"
    assert secrets.refresh("name", DEADLINE)
    assert secrets.headers("name", DEADLINE) == {"Authorization": "Bearer new"}
    assert reads == {"name": 3}


@pytest.mark.parametrize(
    "text",
    [
        *("", "hush", "[]", "5", "{}", '{"username": "hush"}'),
        *(
            '{"bearer": "hush\\r\\nX: y"}',
            '{"bearer": "hush\u2013hush"}',
            '{"apiKey": "hush", "header": "X-\u212aey"}',
        ),
    ],
)
def test_a_secret_of_no_known_kind_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ServerRefused) as refused:
        Secrets(lambda *_: text).headers("name", DEADLINE)
    assert "hush" not in refused.value.detail
    assert "secret" in refused.value.detail
    assert not refused.value.may_have_started


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "X:Key", "X Key", "X-Key:", "X-\tKey", "(X)", "X/Key", "X-Kéy", '"X"', "X\x00"),
        *("Host", "host", "Content-Length", "Transfer-Encoding", "transfer-encoding", "TRANSFER-ENCODING"),
        *("Connection", "Keep-Alive", "Proxy-Connection", "Expect", "Upgrade", "TE", "Trailer", "Range"),
        *(
            "Content-Type",
            "Content-Encoding",
            "Accept",
            "Accept-Encoding",
            "Prefer",
            "traceparent",
            "tracestate",
        ),
    ],
)
def test_a_header_that_cannot_hold_a_credential_or_that_frames_the_message_is_refused(name: str) -> None:
    secret = json.dumps({"apiKey": "abc", "header": name})
    with pytest.raises(ServerRefused) as refused:
        Secrets(lambda *_: secret).headers("name", DEADLINE)
    assert not refused.value.may_have_started
    assert not Secrets(lambda *_: secret).readable("name")


@pytest.mark.parametrize("name", ["X-API-Key", "apikey", "Authorization", "X_Key.1", "!#$%&'*+-.^_`|~"])
def test_any_other_header_name_is_accepted(name: str) -> None:
    secret = json.dumps({"apiKey": "abc", "header": name})
    assert Secrets(lambda *_: secret).headers("name", DEADLINE) == {name: "abc"}


def test_a_file_replaces_secrets_manager_locally(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps({"name": {"bearer": "abc"}}))
    assert Secrets.of(str(path)).headers("name", DEADLINE) == {"Authorization": "Bearer abc"}
    with pytest.raises(ServerRefused):
        Secrets.of(str(path)).headers("another", DEADLINE)
