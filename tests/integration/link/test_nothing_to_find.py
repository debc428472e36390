"""The dialects that neither find nor stop."""

from __future__ import annotations

import pytest

from tests.integration.link.finding import Finder, transaction
from tests.integration.misbehaving import Misbehaving


@pytest.mark.parametrize("dialect", ["ocpp-core", "ocpp-cs"])
def test_nothing_is_sent_where_the_server_has_nothing_to_find_or_stop(
    dialect: str, server: Misbehaving
) -> None:
    finder = Finder(server, dialect)
    assert (finder.find(), finder.read(), finder.stop(), finder.stop(transaction())) == (None,) * 4
    assert server.requests == []
