"""A secret whose header would change the framing of a request is rejected before anything is sent."""

from __future__ import annotations

import json

import pytest

from charger_link import ServerRefused
from charger_link.secrets import Secrets
from tests.integration.link.test_link import command, failure
from tests.integration.misbehaving import Misbehaving


@pytest.mark.parametrize("header", ["Transfer-Encoding", "content-length", "", "X-Key: a\tb", "X:Y"])
def test_nothing_is_sent(header: str, server: Misbehaving) -> None:
    secrets = Secrets(lambda *_: json.dumps({"apiKey": "chunked", "header": header}))
    error = failure(command(server, secret="name"), secrets=secrets)
    assert (type(error), error.kind) == (ServerRefused, "secret")
    assert server.connections == 0
